//! A node with a set clock whose cards are charged by a peer.

use crate::config::StripeSettings;
use crate::stripe::Stripe;
use scrip_domain::card::{SavedCard, card_wish, cards_of, payment_of};
use scrip_domain::catalog::{NewOffer, NewProduct, OfferKind, offer_put, product_put};
use scrip_domain::customer::{Details, customer_balance, customer_by_id, customer_register};
use scrip_domain::id::{CardOrderId, CustomerId, OrderId, Payable, TokenOrderId};
use scrip_domain::order::by_card::{
    self, ByCard, Placed, RefundBegun, card_refund_settle, order_by_card_keyed, order_refund_begin,
};
use scrip_domain::order::{Extras, OrderError, RefundLines, RefundRequest, Wanted};
use scrip_domain::policy::{policy_set, policy_version};
use scrip_domain::token_sale::{
    CardProcessor, Charge, NewTokenOrder, Outcome, TokenOrderState, payment_session_open,
    token_order_charge, token_order_close, token_order_open, token_order_resolve,
};
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::vendor::{EntityKind, NewVendor, Vendor, vendor_create};
use scrip_domain::{Actor, Amount, Keyed, Node};
use scrip_engine::{Options, SetClock, Timestamp};
use scrip_testkit::TestDb;
use std::sync::Arc;

pub struct World {
    pub node: Node,
    pub clock: Arc<SetClock>,
    pub vendor: Vendor,
    pub stripe: Stripe,
}

impl World {
    /// A vendor whose token costs a penny and needs no minimum.
    pub fn new(db: &TestDb, peer: &str) -> World {
        World::named(db, peer, "shop")
    }

    /// The same with another short name, where a database has several.
    pub fn named(db: &TestDb, peer: &str, slug: &str) -> World {
        let now = Timestamp::parse("2026-03-01T09:00:00Z").unwrap();
        let clock = Arc::new(SetClock::new(now));
        let options = Options {
            clock: clock.clone(),
            ..Options::default()
        };
        let engine = scrip_ledger::open(db.url(), options).unwrap();
        let node = Node::new(engine, Vault::new(SecretKey::new([7; 32]))).unwrap();
        let vault = node.vault.clone();
        let new = NewVendor {
            kind: EntityKind::Vendor,
            slug: slug.to_owned(),
            name: "Shop".to_owned(),
            currency: "GBP".to_owned(),
            token_price: "0.01".to_owned(),
            minimum_tokens: "0".to_owned(),
            declines_allowed: 3,
        };
        let made = node.engine.write(move |tx| vendor_create(tx, &vault, &new));
        let settings = StripeSettings::of_peer(peer);
        World {
            stripe: Stripe::new(node.clone(), settings),
            vendor: made.unwrap(),
            clock,
            node,
        }
    }

    pub fn book(&self) -> i64 {
        self.vendor.book_id
    }

    pub fn customer(&self) -> CustomerId {
        let (vault, vendor) = (self.node.vault.clone(), self.vendor.clone());
        let made = self
            .node
            .engine
            .write(move |tx| customer_register(tx, &vault, &vendor, &Details::default()));
        made.unwrap().customer_id
    }

    /// Opens an order of whole tokens in a payment session of its own.
    pub fn open(&self, id: CustomerId, tokens: i64, card: &str) -> Charge {
        let (vendor, card) = (self.vendor.clone(), card.to_owned());
        let opened = self.node.engine.write(move |tx| {
            let customer = customer_by_id(tx, vendor.book_id, id)?;
            let actor = Actor::Customer(id);
            let new = NewTokenOrder {
                customer: id,
                session: payment_session_open(tx, actor, &customer)?,
                quantity: Amount::from_units(tokens * 1_000_000),
                pack: None,
                card: card.clone(),
                reference: String::new(),
                effective_at: None,
            };
            token_order_open(tx, actor, &vendor, &new)
        });
        opened.unwrap().1
    }

    /// Charges an order and writes what came of it.
    pub fn charge_and_close(&self, charge: &Charge) -> Outcome {
        let said = self.stripe.charge(charge);
        let (vendor, order) = (self.vendor.clone(), token_order(charge));
        let closed = self
            .node
            .engine
            .write(move |tx| token_order_close(tx, Actor::System, &vendor, order, &said));
        closed.unwrap()
    }

    pub fn buy(&self, id: CustomerId, tokens: i64, card: &str) -> (TokenOrderId, Outcome) {
        let charge = self.open(id, tokens, card);
        (token_order(&charge), self.charge_and_close(&charge))
    }

    pub fn resolve(&self, order: TokenOrderId) -> Outcome {
        token_order_resolve(&self.node, &self.stripe, &self.vendor, order).unwrap()
    }

    pub fn charge(&self, order: TokenOrderId) -> Charge {
        self.found(order).0
    }

    pub fn state(&self, order: TokenOrderId) -> TokenOrderState {
        self.found(order).1
    }

    fn found(&self, order: TokenOrderId) -> (Charge, TokenOrderState) {
        let engine = &self.node.engine;
        let found = engine.read(|tx| token_order_charge(tx, &self.vendor, order));
        found.unwrap()
    }

    /// What the peer calls the payment of an order.
    pub fn payment(&self, order: impl Into<Payable> + Copy) -> String {
        let engine = &self.node.engine;
        let found = engine.read(|tx| payment_of(tx, self.book(), order));
        found.unwrap().unwrap().name
    }

    /// Orders something for so many tokens, and lets a card pay it.
    pub fn order_by_card(&self, id: CustomerId, tokens: i64, card: &str) -> CardOrdered {
        let vendor = self.vendor.clone();
        let offer = self.node.engine.write(move |tx| {
            let mut held = policy_version(tx, vendor.book_id).map_err(OrderError::from)?;
            held.policy.checkout.card = true;
            held.policy.browsing.threshold = Some(Amount::ZERO);
            policy_set(tx, Actor::System, &vendor, held.number, &held.policy).unwrap();
            let product = NewProduct {
                handle: format!("thing-{tokens}"),
                title: "Thing".to_owned(),
                ..NewProduct::default()
            };
            let (product, _) = product_put(tx, &vendor, &product)?;
            let new = NewOffer {
                sku: format!("thing-{tokens}"),
                variant: String::new(),
                kind: OfferKind::Purchase,
                price: Amount::from_units(tokens * 1_000_000),
                on_sale: false,
                active: true,
                stock: None,
                tiers: Vec::new(),
                options: Vec::new(),
            };
            Ok::<_, OrderError>(offer_put(tx, &vendor, product, &new)?.0)
        });
        let new = ByCard {
            customer: id,
            lines: vec![Wanted {
                offer_id: offer.unwrap(),
                quantity: 1,
                quoted: None,
                entered: None,
            }],
            reference: String::new(),
            extras: Extras::default(),
            to: None,
            payment_session: None,
            card: card.to_owned(),
            last_four: String::new(),
            quoted: None,
            from_list: false,
        };
        let keyed = Keyed {
            book_id: self.book(),
            actor: Actor::Customer(id),
            key: None,
            request: Vec::new(),
            subject: Some(id),
        };
        let placed = order_by_card_keyed(&self.node, &self.stripe, keyed, &self.vendor, new);
        match placed.unwrap().value {
            Placed::Asked { id, outcome, .. } => (id, outcome),
            refused @ Placed::Refused { .. } => panic!("no card was asked: {refused:?}"),
        }
    }

    /// Gives the money of an order back to its card; true when the peer confirmed it.
    pub fn money_back(&self, order_id: OrderId) -> bool {
        let vendor = self.vendor.clone();
        let request = RefundRequest {
            order_id,
            lines: RefundLines::Whole,
            restock: false,
            reference: String::new(),
            effective_at: None,
        };
        let begun = self
            .node
            .engine
            .write(move |tx| order_refund_begin(tx, Actor::System, &vendor, &request));
        let RefundBegun::Due(id) = begun.unwrap() else {
            panic!("no card paid it");
        };
        let settled = card_refund_settle(&self.node, &self.stripe, &self.vendor, id);
        settled.unwrap().is_done
    }

    /// Whole tokens of a customer.
    pub fn balance(&self, id: CustomerId) -> i64 {
        let balance = self.node.engine.read(|tx| {
            let customer = customer_by_id(tx, self.book(), id)?;
            customer_balance(tx, &customer)
        });
        balance.unwrap().units() / 1_000_000
    }

    pub fn wish(&self, id: CustomerId, method: &str) {
        let (book, method) = (self.book(), method.to_owned());
        let wished = self.node.engine.write(move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            card_wish(tx, Actor::Customer(id), &customer, &method)
        });
        wished.unwrap();
    }

    pub fn cards(&self, id: CustomerId) -> Vec<SavedCard> {
        let cards = self.node.engine.read(|tx| {
            let customer = customer_by_id(tx, self.book(), id)?;
            cards_of(tx, Actor::Customer(id), &customer)
        });
        cards.unwrap()
    }
}

/// What a card was asked for, and what became of it.
pub type CardOrdered = (CardOrderId, by_card::Outcome);

pub fn approved(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Cleared { .. })
}

/// Why a card was declined.
pub fn declined(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Declined { reason, .. } => reason,
        other => panic!("not declined: {other:?}"),
    }
}

/// The order of tokens that a charge is for.
pub fn token_order(charge: &Charge) -> TokenOrderId {
    match charge.order {
        Payable::Tokens(id) => id,
        Payable::Goods(id) => panic!("goods: {id}"),
    }
}

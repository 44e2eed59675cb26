//! A vendor whose customers buy under idempotency keys, and what must hold whatever happened.
//!
//! Each key asks for an amount of its own, so that the orders themselves tell how often a key had
//! an effect, and the check does not rest on the table of keys.

use scrip_domain::catalog::{
    CatalogError, NewOffer, NewProduct, OfferKind, offer_by_sku, offer_put, product_put,
};
use scrip_domain::customer::{
    CustomerError, Details, customer_by_id, customer_by_reference, customer_register,
};
use scrip_domain::id::{CustomerId, OfferId, OrderId};
use scrip_domain::order::{Extras, OrderError, OrderOutcome, OrderRequest, Wanted, order_place};
use scrip_domain::token_sale::{
    NewTokenOrder, Outcome, TestCards, payment_session_open, token_buy,
};
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::vendor::{EntityKind, NewVendor, Vendor, vendor_by_slug, vendor_create};
use scrip_domain::verify::vendor_verify;
use scrip_domain::{Actor, Amount, Answer, CommandError, Keyed, Node};
use scrip_engine::{Engine, Error, Options, Read, Ticket, params};
use scrip_ledger::verify::{Finding, book_verify};
use std::collections::{HashMap, HashSet};

const SLUG: &str = "corner-shop";
/// Fewer than writers, so that two at a time want one wallet.
const CUSTOMERS: usize = 5;
/// Whole tokens.
pub const TOKEN: i64 = 1_000_000;

/// One intention to buy; its text is the idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub round: u64,
    pub writer: usize,
    pub n: u64,
}

impl Key {
    pub fn text(self) -> String {
        format!("{}-{}-{}", self.round, self.writer, self.n)
    }

    pub fn parse(text: &str) -> Option<Key> {
        let mut parts = text.split('-');
        let key = Key {
            round: parts.next()?.parse().ok()?,
            writer: parts.next()?.parse().ok()?,
            n: parts.next()?.parse().ok()?,
        };
        (key.text() == text).then_some(key)
    }

    /// What this key pays for its second line, which no other key pays.
    fn own_price(self) -> i64 {
        assert!(self.n < 100_000 && self.writer < 10, "keys share a price");
        (self.round as i64 * 10 + self.writer as i64) * 100_000 + self.n as i64 + 1
    }

    /// What this key pays in all.
    fn total(self) -> i64 {
        TOKEN + self.own_price()
    }
}

/// An acknowledged purchase.
pub type Done = (Key, OrderId);

/// The options for a database that a shop is in.
pub fn options() -> Options {
    Options {
        memory: scrip_ledger::memory(),
        workers: 8,
        ..Options::default()
    }
}

pub struct Shop {
    pub node: Node,
    pub vendor: Vendor,
    pub customers: Vec<CustomerId>,
    stocked: OfferId,
    plain: OfferId,
}

fn node(engine: &Engine) -> Node {
    Node::new(engine.clone(), Vault::new(SecretKey::new([7; 32]))).unwrap()
}

impl Shop {
    /// Makes the vendor, its offers, and customers who have bought tokens.
    pub fn create(engine: &Engine) -> Shop {
        let node = node(engine);
        let new = NewVendor {
            kind: EntityKind::Vendor,
            slug: SLUG.into(),
            name: "Corner Shop".into(),
            currency: "GBP".into(),
            token_price: "0.01".into(),
            minimum_tokens: "50".into(),
            declines_allowed: 3,
        };
        let vault = node.vault.clone();
        let vendor = engine.write(move |tx| vendor_create(tx, &vault, &new));
        let vendor = vendor.unwrap();
        for customer in 0..CUSTOMERS {
            fund(&node, &vendor, &format!("customer {customer}"));
        }
        for (sku, stock) in [("stocked", Some(1_000_000_000)), ("plain", None)] {
            enter_offer(engine, &vendor, sku, stock);
        }
        Shop::find(engine)
    }

    /// The shop of a database in which it was made.
    pub fn find(engine: &Engine) -> Shop {
        Shop::look_for(engine).unwrap()
    }

    /// The shop of a database in which it may be.
    pub fn look_for(engine: &Engine) -> Result<Shop, OrderError> {
        let node = node(engine);
        engine.read(|tx| {
            let vendor = vendor_by_slug(tx, SLUG)?;
            let book = vendor.book_id;
            let mut customers = Vec::new();
            for n in 0..CUSTOMERS {
                let reference = format!("customer {n}");
                let found = customer_by_reference(tx, book, &reference)?;
                customers.push(found.ok_or(CustomerError::Unknown(reference))?.customer_id);
            }
            let mut offer = |sku: &str| {
                let found = offer_by_sku(tx, book, sku)?;
                found.ok_or(CatalogError::OfferUnknown(sku.into()))
            };
            let (stocked, plain) = (offer("stocked")?, offer("plain")?);
            Ok(Shop {
                node: node.clone(),
                vendor,
                customers,
                stocked,
                plain,
            })
        })
    }

    fn request(&self, key: Key) -> OrderRequest {
        let line = |offer_id, entered| Wanted {
            offer_id,
            quantity: 1,
            quoted: None,
            entered,
        };
        OrderRequest {
            customer_id: self.customers[(key.writer + key.n as usize) % CUSTOMERS],
            lines: vec![
                line(self.stocked, None),
                line(self.plain, Some(Amount::from_units(key.own_price()))),
            ],
            reference: String::new(),
            effective_at: None,
            extras: Extras::default(),
        }
    }

    /// Hands a purchase in, without waiting.
    pub fn submit(&self, key: Key) -> Ticket<Answer<OrderOutcome>, OrderError> {
        let (book, request) = (self.vendor.book_id, self.request(key));
        let keyed = Keyed {
            book_id: book,
            actor: Actor::System,
            key: Some(key.text()),
            request: format!("{request:?}").into_bytes(),
            subject: Some(request.customer_id),
        };
        self.node.submit(keyed, move |tx| {
            order_place(tx, Actor::System, book, &request)
        })
    }

    /// Buys; the order's id, and whether it had been placed before.
    pub fn buy(&self, key: Key) -> Result<(OrderId, bool), OrderError> {
        self.submit(key).wait().map(placed)
    }

    /// Everything that is wrong in a database in which these were acknowledged.
    pub fn faults(&self, acknowledged: &[Done]) -> Vec<String> {
        let mut faults = self.verify();
        let before = self.orders();
        let ids: HashMap<OrderId, i64> = before.iter().copied().collect();
        let mut totals = HashSet::new();
        for (id, total) in &before {
            if !totals.insert(*total) {
                faults.push(format!("order {id} is the second of its key"));
            }
        }
        for (key, id) in acknowledged {
            match ids.get(id) {
                None => faults.push(format!("order {id} of key {} is lost", key.text())),
                Some(total) if *total != key.total() => {
                    faults.push(format!("order {id} of key {} has {total}", key.text()));
                }
                Some(_) => {}
            }
        }
        if faults.is_empty() {
            faults.extend(self.faults_of_repeats(acknowledged));
            if self.orders() != before {
                faults.push("the repeated keys had a second effect".into());
            }
        }
        faults
    }

    /// Acknowledged keys give their answers again.
    fn faults_of_repeats(&self, acknowledged: &[Done]) -> Vec<String> {
        let tickets: Vec<_> = acknowledged
            .iter()
            .map(|(key, id)| (key, id, self.submit(*key)))
            .collect();
        let mut faults = Vec::new();
        for (key, id, ticket) in tickets {
            let again = ticket.wait().map(placed);
            if !matches!(&again, Ok((found, true)) if found == id) {
                faults.push(format!("key {} of {id} gave {again:?}", key.text()));
            }
        }
        faults
    }

    /// What the checks of the ledger and of the shop find.
    pub fn verify(&self) -> Vec<String> {
        let book = self.vendor.book_id;
        let report = self.node.engine.read(|tx| {
            let mut report = book_verify(tx, book)?;
            vendor_verify(tx, book, &mut report)?;
            Ok::<_, scrip_ledger::Error>(report)
        });
        let said = |f: &Finding| format!("verify: {} {}: {}", f.table, f.key, f.problem);
        match report {
            Ok(report) => report.findings.iter().map(said).collect(),
            Err(e) => vec![format!("verify: {e}")],
        }
    }

    /// All completed orders with what they came to.
    pub fn orders(&self) -> Vec<(OrderId, i64)> {
        let rows = self.node.engine.read(|tx| {
            tx.query(
                "SELECT order_id, total FROM orders WHERE book_id = $1 AND state = 'completed'
                 ORDER BY order_id",
                params![self.vendor.book_id],
            )
        });
        let order =
            |row: &scrip_engine::Row| (OrderId::from_row(row, 0).unwrap(), row.int(1).unwrap());
        rows.unwrap().iter().map(order).collect()
    }
}

/// A purchase of these tests always goes through when it is answered.
fn placed(answer: Answer<OrderOutcome>) -> (OrderId, bool) {
    match answer.value {
        OrderOutcome::Completed(receipt) => (receipt.order_id, answer.replayed),
        OrderOutcome::Refused { refusal, .. } => panic!("refused: {refusal}"),
    }
}

fn fund(node: &Node, vendor: &Vendor, reference: &str) {
    let (vault, at, reference) = (node.vault.clone(), vendor.clone(), reference.to_owned());
    let (customer, session) = node
        .engine
        .write(move |tx| {
            let registered = customer_register(tx, &vault, &at, &Details::default())?;
            let customer = customer_by_id(tx, at.book_id, registered.customer_id)?;
            scrip_domain::customer::reference_set(tx, &customer, &reference)?;
            let session = payment_session_open(tx, Actor::System, &customer).unwrap();
            Ok::<_, CustomerError>((customer, session))
        })
        .unwrap();
    let new = NewTokenOrder {
        customer: customer.customer_id,
        session,
        quantity: Amount::from_units(100_000_000 * TOKEN),
        pack: None,
        card: "test_ok".into(),
        reference: String::new(),
        effective_at: None,
    };
    let bought = token_buy(node, &TestCards::default(), Actor::System, vendor, new);
    assert!(matches!(bought, Ok(Outcome::Cleared { .. })), "{bought:?}");
}

fn enter_offer(engine: &Engine, vendor: &Vendor, sku: &'static str, stock: Option<i64>) {
    let vendor = vendor.clone();
    let entered = engine.write(move |tx| {
        let product = NewProduct {
            handle: sku.into(),
            title: format!("The {sku} one"),
            ..NewProduct::default()
        };
        let (product, _) = product_put(tx, &vendor, &product)?;
        let offer = NewOffer {
            sku: sku.into(),
            variant: String::new(),
            kind: OfferKind::Purchase,
            price: Amount::from_units(TOKEN),
            on_sale: false,
            active: true,
            stock,
            tiers: Vec::new(),
            options: Vec::new(),
        };
        offer_put(tx, &vendor, product, &offer)
    });
    entered.unwrap();
}

/// The failure of the database behind an error, where it is one.
pub fn engine_error(e: &OrderError) -> Option<&Error> {
    match e {
        OrderError::Engine(e)
        | OrderError::Command(CommandError::Engine(e))
        | OrderError::Ledger(scrip_ledger::Error::Engine(e))
        | OrderError::Catalog(CatalogError::Engine(e))
        | OrderError::Customer(CustomerError::Engine(e)) => Some(e),
        _ => None,
    }
}

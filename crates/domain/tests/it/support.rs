//! The world of a test: a node with a set clock, one vendor, test cards. When it ends, the books
//! are verified.

use scrip_domain::catalog::{NewOffer, NewProduct, OfferKind, offer_put, product_put};
use scrip_domain::customer::{
    Customer, Details, Registered, State, activate_if_due, customer_balance, customer_by_id,
    customer_register,
};
use scrip_domain::expiry::{Expired, lots_expire};
use scrip_domain::id::{CustomerId, OfferId, Payable, PaymentSessionId, StaffId, TokenOrderId};
use scrip_domain::order::{
    Extras, OrderError, OrderOutcome, OrderRequest, Quote, Receipt, Refusal, Wanted, order_place,
    quote,
};
use scrip_domain::token_sale::{
    CardProcessor, NewTokenOrder, Outcome, TestCards, TokenSaleError, payment_session_open,
    token_buy,
};
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::vendor::{EntityKind, NewVendor, Role, Vendor, staff_create, vendor_create};
use scrip_domain::verify::{mall_verify, vendor_verify};
use scrip_domain::{Actor, Amount, Answer, Keyed, Node};
use scrip_engine::{Error, Options, Read, Row, SetClock, Timestamp, Tx, params};
use scrip_ledger::verify::book_verify;
use scrip_ledger::{
    BookKind, Leg, NewGrant, Origin, Posting, books, entry_post, grant_open, wallets_due,
};
use scrip_testkit::TestDb;
use std::sync::Arc;

/// The key of every test vault.
pub const MASTER: [u8; 32] = [7; 32];

/// Whole tokens.
pub fn tokens(n: i64) -> Amount {
    Amount::from_units(n * 1_000_000)
}

/// One day, in seconds.
pub const DAY_S: i64 = 24 * 3600;

pub struct World {
    pub node: Node,
    pub clock: Arc<SetClock>,
    pub cards: Arc<TestCards>,
    pub vendor: Vendor,
    /// True where other worlds on the same node verify their own books.
    own_book_only: bool,
}

impl World {
    /// A vendor whose token costs 0.01 GBP, with an MT of 50.
    pub fn new(db: &TestDb) -> World {
        World::with(db, "0.01", "50")
    }

    pub fn with(db: &TestDb, token_price: &str, minimum_tokens: &str) -> World {
        let clock = Arc::new(SetClock::new(
            Timestamp::parse("2026-03-01T09:00:00Z").unwrap(),
        ));
        let options = Options {
            clock: clock.clone(),
            workers: 8,
            ..Options::default()
        };
        let engine = scrip_ledger::open(db.url(), options).unwrap();
        let node = Node::new(engine, Vault::new(SecretKey::new(MASTER))).unwrap();
        let vendor = make_vendor(&node, "corner-shop", token_price, minimum_tokens);
        World {
            node,
            clock,
            cards: Arc::new(TestCards::default()),
            vendor,
            own_book_only: false,
        }
    }

    /// A world on the same node and clock with a vendor of its own.
    pub fn beside(&self, slug: &str, minimum_tokens: &str) -> World {
        self.beside_as(EntityKind::Vendor, slug, minimum_tokens)
    }

    /// The same for any kind of business.
    pub fn beside_as(&self, kind: EntityKind, slug: &str, minimum_tokens: &str) -> World {
        World {
            node: self.node.clone(),
            clock: self.clock.clone(),
            cards: self.cards.clone(),
            vendor: make_business(&self.node, kind, slug, ("0.01", minimum_tokens)),
            own_book_only: true,
        }
    }

    pub fn book(&self) -> i64 {
        self.vendor.book_id
    }

    pub fn now(&self) -> Timestamp {
        self.node.engine.now()
    }

    /// A second vendor on the same node.
    pub fn other_vendor(&self, slug: &str) -> Vendor {
        make_vendor(&self.node, slug, "0.01", "50")
    }

    pub fn staff(&self, name: &'static str) -> StaffId {
        let vendor = self.vendor.clone();
        let staff = self.node.engine.write(move |tx| {
            staff_create(
                tx,
                scrip_domain::Actor::System,
                &vendor,
                name,
                Role::Cashier,
            )
        });
        staff.unwrap().staff_id
    }

    /// A customer without personal data.
    pub fn register(&self) -> Registered {
        self.register_with(Details::default())
    }

    pub fn register_with(&self, details: Details) -> Registered {
        let (vault, vendor) = (self.node.vault.clone(), self.vendor.clone());
        self.node
            .engine
            .write(move |tx| customer_register(tx, &vault, &vendor, &details))
            .unwrap()
    }

    /// A customer, active with as many bought tokens.
    pub fn buyer(&self, bought: i64) -> CustomerId {
        let id = self.register().customer_id;
        let outcome = self.buy(id, tokens(bought), "test_ok").unwrap();
        assert!(
            matches!(outcome, Outcome::Cleared { .. }),
            "the tokens are there"
        );
        id
    }

    pub fn customer(&self, id: CustomerId) -> Customer {
        self.node
            .engine
            .read(|tx| customer_by_id(tx, self.book(), id))
            .unwrap()
    }

    pub fn state(&self, id: CustomerId) -> State {
        self.customer(id).state
    }

    /// All tokens of a customer.
    pub fn balance(&self, id: CustomerId) -> Amount {
        let customer = self.customer(id);
        self.node
            .engine
            .read(|tx| customer_balance(tx, &customer))
            .unwrap()
    }

    pub fn session(&self, id: CustomerId) -> PaymentSessionId {
        let customer = self.customer(id);
        self.node
            .engine
            .write(move |tx| payment_session_open(tx, Actor::Customer(id), &customer))
            .unwrap()
    }

    /// Buys tokens in a session of their own.
    pub fn buy(
        &self,
        id: CustomerId,
        quantity: Amount,
        card: &str,
    ) -> Result<Outcome, TokenSaleError> {
        self.buy_in(self.session(id), id, quantity, card)
    }

    pub fn buy_in(
        &self,
        session: PaymentSessionId,
        id: CustomerId,
        quantity: Amount,
        card: &str,
    ) -> Result<Outcome, TokenSaleError> {
        self.buy_by(self.cards.as_ref(), session, id, quantity, card)
    }

    pub fn buy_by(
        &self,
        processor: &dyn CardProcessor,
        session: PaymentSessionId,
        id: CustomerId,
        quantity: Amount,
        card: &str,
    ) -> Result<Outcome, TokenSaleError> {
        let new = NewTokenOrder {
            customer: id,
            session,
            quantity,
            pack: None,
            card: card.to_owned(),
            reference: String::new(),
            effective_at: None,
        };
        token_buy(
            &self.node,
            processor,
            Actor::Customer(id),
            &self.vendor,
            new,
        )
    }

    /// Gives tokens of any sort; returns the grant.
    pub fn give(
        &self,
        id: CustomerId,
        quantity: Amount,
        origin: Origin,
        restriction: Option<&'static str>,
        expires_at: Timestamp,
    ) -> i64 {
        let new = NewGrant {
            asset_id: self.vendor.token.asset_id,
            origin,
            restriction,
            expires_at,
            quantity,
            paid: Amount::ZERO,
            paid_asset_id: None,
            granted_at: self.now(),
        };
        self.give_grant(id, new)
    }

    /// Sells tokens for money in hand; returns the grant.
    pub fn give_paid(
        &self,
        id: CustomerId,
        quantity: Amount,
        paid: Amount,
        expires_at: Timestamp,
    ) -> i64 {
        let new = NewGrant {
            asset_id: self.vendor.token.asset_id,
            origin: Origin::Paid,
            restriction: None,
            expires_at,
            quantity,
            paid,
            paid_asset_id: Some(self.vendor.currency.asset_id),
            granted_at: self.now(),
        };
        self.give_grant(id, new)
    }

    fn give_grant(&self, id: CustomerId, new: NewGrant<'static>) -> i64 {
        let vendor = self.vendor.clone();
        self.node
            .engine
            .write(move |tx| {
                let customer = customer_by_id(tx, vendor.book_id, id).expect("the customer");
                let now = tx.now();
                let grant = grant_open(tx, vendor.book_id, &new)?;
                let mut legs = vec![Leg {
                    debit: vendor.accounts.issued,
                    credit: customer.wallet,
                    amount: new.quantity,
                    grant: Some(grant),
                }];
                if new.paid.is_positive() {
                    legs.push(Leg {
                        debit: vendor.accounts.processor,
                        credit: vendor.accounts.deferred,
                        amount: new.paid,
                        grant: None,
                    });
                }
                let posting = Posting {
                    book_id: vendor.book_id,
                    event_id: tx.new_id()?,
                    code: "gift",
                    actor: "system",
                    reference: "gift",
                    effective_at: now,
                    legs: &legs,
                };
                entry_post(tx, &posting)?;
                activate_if_due(tx, &vendor, &customer).expect("activation");
                Ok::<_, scrip_ledger::Error>(grant)
            })
            .unwrap()
    }

    /// Takes what has expired out of all wallets, one round.
    pub fn expire(&self) -> Expired {
        let (book, vendor) = (self.book(), self.vendor.clone());
        let due = self.node.engine.read(|tx| wallets_due(tx, book, 1_000));
        let due = due.unwrap();
        self.write(move |tx| lots_expire(tx, &vendor, &due))
            .unwrap()
    }

    /// An offer that is always there.
    pub fn offer(&self, sku: &str, price: i64) -> OfferId {
        self.offer_of(plain_offer(sku, tokens(price)))
    }

    /// An offer with so many pieces.
    pub fn stocked_offer(&self, sku: &str, price: i64, stock: i64) -> OfferId {
        self.offer_of(NewOffer {
            stock: Some(stock),
            ..plain_offer(sku, tokens(price))
        })
    }

    /// Enters an offer, or changes it, with a product of its own.
    pub fn offer_of(&self, new: NewOffer) -> OfferId {
        let vendor = self.vendor.clone();
        let product = NewProduct {
            handle: new.sku.clone(),
            title: format!("The {}", new.sku),
            ..NewProduct::default()
        };
        self.node
            .engine
            .write(move |tx| {
                let (product, _) = product_put(tx, &vendor, &product)?;
                offer_put(tx, &vendor, product, &new)
            })
            .unwrap()
            .0
    }

    pub fn quote(&self, id: CustomerId, lines: &[Wanted]) -> Quote {
        self.node
            .engine
            .read(|tx| quote(tx, Actor::Customer(id), self.book(), id, lines, None))
            .unwrap()
    }

    /// Places an order as its customer, without a key.
    pub fn place(&self, id: CustomerId, lines: &[Wanted]) -> OrderOutcome {
        self.place_as(Actor::Customer(id), &request(id, lines))
            .unwrap()
    }

    pub fn place_as(
        &self,
        actor: Actor,
        request: &OrderRequest,
    ) -> Result<OrderOutcome, OrderError> {
        Ok(self.place_keyed(actor, None, request)?.value)
    }

    pub fn place_keyed(
        &self,
        actor: Actor,
        key: Option<&str>,
        request: &OrderRequest,
    ) -> Result<Answer<OrderOutcome>, OrderError> {
        let book = self.book();
        let keyed = Keyed {
            book_id: book,
            actor,
            key: key.map(str::to_owned),
            request: format!("{request:?}").into_bytes(),
            subject: Some(request.customer_id),
        };
        let request = request.clone();
        self.node
            .run(keyed, move |tx| order_place(tx, actor, book, &request))
    }

    /// Rows of a query with the book as its one parameter.
    pub fn rows(&self, sql: &'static str) -> Vec<Row> {
        self.node
            .engine
            .read(|tx| tx.query(sql, params![self.book()]))
            .unwrap()
    }

    /// The number that a query with the book as its one parameter answers.
    pub fn number(&self, sql: &'static str) -> i64 {
        self.rows(sql)[0].int(0).unwrap()
    }

    /// How often something was put into the outbox about someone.
    pub fn messages(&self, topic: &str, subject: &str) -> i64 {
        self.node
            .engine
            .read(|tx| {
                let row = tx.query_one(
                    "SELECT COUNT(*) FROM outbox
                     WHERE book_id = $1 AND topic = $2 AND subject = $3",
                    params![self.book(), topic, subject],
                )?;
                row.int(0)
            })
            .unwrap()
    }

    /// Pieces of an offer at hand.
    pub fn stock(&self, offer: OfferId) -> i64 {
        self.node
            .engine
            .read(|tx| {
                let row = tx.query_one(
                    "SELECT on_hand FROM stock WHERE book_id = $1 AND offer_id = $2",
                    params![self.book(), &offer],
                )?;
                row.int(0)
            })
            .unwrap()
    }

    /// Runs a command of which only the outcome matters.
    pub fn write<T, E>(
        &self,
        command: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.node.engine.write(command)
    }

    /// Verifies every book: nothing is found.
    pub fn verify(&self) {
        let books = self.node.engine.read(|tx| books(tx)).unwrap();
        let own = |book: &i64| !self.own_book_only || *book == self.book();
        for book in books.into_iter().filter(|b| own(&b.book_id)) {
            let report = self.node.engine.read(|tx| {
                let mut report = book_verify(tx, book.book_id)?;
                match book.kind {
                    BookKind::Mall => mall_verify(tx, book.book_id, &mut report)?,
                    _ => vendor_verify(tx, book.book_id, &mut report)?,
                }
                Ok::<_, scrip_ledger::Error>(report)
            });
            assert_eq!(report.unwrap().findings, [], "book {}", book.slug);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.verify();
        }
    }
}

fn make_vendor(node: &Node, slug: &str, token_price: &str, minimum_tokens: &str) -> Vendor {
    make_business(
        node,
        EntityKind::Vendor,
        slug,
        (token_price, minimum_tokens),
    )
}

fn make_business(
    node: &Node,
    kind: EntityKind,
    slug: &str,
    (token_price, minimum_tokens): (&str, &str),
) -> Vendor {
    let new = NewVendor {
        kind,
        slug: slug.to_owned(),
        name: "Corner Shop".to_owned(),
        currency: "GBP".to_owned(),
        token_price: token_price.to_owned(),
        minimum_tokens: minimum_tokens.to_owned(),
        declines_allowed: 3,
    };
    let vault = node.vault.clone();
    node.engine
        .write(move |tx| vendor_create(tx, &vault, &new))
        .unwrap()
}

/// An offer to keep, for sale, without stock and tiers.
pub fn plain_offer(sku: &str, price: Amount) -> NewOffer {
    NewOffer {
        sku: sku.to_owned(),
        variant: String::new(),
        kind: OfferKind::Purchase,
        price,
        on_sale: false,
        active: true,
        stock: None,
        tiers: Vec::new(),
        options: Vec::new(),
    }
}

/// So many of an offer, at today's price.
pub fn want(offer_id: OfferId, quantity: i64) -> Wanted {
    Wanted {
        offer_id,
        quantity,
        quoted: None,
        entered: None,
    }
}

/// An order now, without a reference.
pub fn request(customer_id: CustomerId, lines: &[Wanted]) -> OrderRequest {
    OrderRequest {
        customer_id,
        lines: lines.to_vec(),
        reference: String::new(),
        effective_at: None,
        extras: Extras::default(),
    }
}

/// The receipt of an order that went through.
pub fn completed(outcome: OrderOutcome) -> Receipt {
    match outcome {
        OrderOutcome::Completed(receipt) => receipt,
        OrderOutcome::Refused { refusal, .. } => panic!("refused: {refusal}"),
    }
}

/// Why an order did not go through.
pub fn refused(outcome: OrderOutcome) -> Refusal {
    match outcome {
        OrderOutcome::Refused { refusal, .. } => refusal,
        OrderOutcome::Completed(receipt) => panic!("completed: {receipt:?}"),
    }
}

/// The order of tokens that a card was asked to pay.
pub fn token_order(paid: Payable) -> TokenOrderId {
    match paid {
        Payable::Tokens(id) => id,
        Payable::Goods(id) => panic!("goods: {id}"),
    }
}

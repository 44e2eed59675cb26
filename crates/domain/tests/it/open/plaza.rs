//! A mall with a manufacturer, for tests of open tokens.

use crate::mall::Riverside;
use crate::support::{World, want};
use scrip_domain::checkout::{
    CheckoutError, CheckoutOutcome, Left, OpenQuote, OpenReceipt, Pays, Purchase, Reversed,
    checkout_place, checkout_quote, checkout_reverse, checkout_switch, open_balance,
};
use scrip_domain::customer::customer_by_id;
use scrip_domain::gift::{
    CertificateState, Claim, NewCertificates, Printed, gift_acceptance_set, gift_claim, gift_issue,
    gifts_of,
};
use scrip_domain::id::{CustomerId, OfferId, OrderId};
use scrip_domain::mall::{Member, Terms, member_join, terms_set};
use scrip_domain::open_token::{
    Group, NewOpen, OpenError, OpenIssued, OpenKind, group_by_slug, group_create, group_join,
    open_expire, open_issue, product_list,
};
use scrip_domain::order::Wanted;
use scrip_domain::vendor::EntityKind;
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{CURRENCY_SCALE, Origin, wallets_due};
use scrip_testkit::TestDb;

pub fn money(text: &str) -> Amount {
    Amount::parse(text, CURRENCY_SCALE).unwrap()
}

/// Riverside, whose tokens are worth 0.10, 0.04 and 0.03, and the manufacturer at place 3.
pub struct Plaza {
    pub mall: Riverside,
}

/// The place of the manufacturer.
pub const MAKER: usize = 3;

impl Plaza {
    pub fn new(db: &TestDb) -> Plaza {
        let mut mall = Riverside::new(db);
        let maker = mall.worlds[0].beside_as(EntityKind::Manufacturer, "maker", "0");
        let (of, vendor) = (mall.mall.clone(), maker.vendor.clone());
        maker
            .write(move |tx| member_join(tx, Actor::System, &of, &vendor))
            .unwrap();
        mall.worlds.push(maker);
        Plaza { mall }
    }

    pub fn world(&self, place: usize) -> &World {
        &self.mall.worlds[place]
    }

    pub fn member(&self, place: usize) -> Member {
        self.mall.member(place)
    }

    /// A customer of a member, without tokens.
    pub fn customer(&self, place: usize) -> CustomerId {
        self.world(place).buyer(1)
    }

    /// Service, royalty and commission, in percent.
    pub fn terms(&self, place: usize, service: i64, royalty: i64, commission: i64) {
        let member = self.member(place);
        let terms = Terms {
            service_ppm: service * 10_000,
            royalty_ppm: royalty * 10_000,
            commission_ppm: commission * 10_000,
            ..Terms::default()
        };
        self.world(0)
            .write(move |tx| terms_set(tx, Actor::System, &member, &terms))
            .unwrap();
    }

    /// Issues open tokens that never expire.
    pub fn issue(
        &self,
        debtor: usize,
        (home, customer): (usize, CustomerId),
        (kind, tokens): (OpenKind, &str),
        origin: Origin,
    ) -> Result<OpenIssued, OpenError> {
        self.issue_until(
            debtor,
            (home, customer),
            (kind, tokens),
            (origin, Timestamp::NEVER),
        )
    }

    pub fn issue_until(
        &self,
        debtor: usize,
        (home, customer): (usize, CustomerId),
        (kind, tokens): (OpenKind, &str),
        (origin, expires_at): (Origin, Timestamp),
    ) -> Result<OpenIssued, OpenError> {
        let (mall, member) = (self.mall.mall.clone(), self.member(debtor));
        let vendor = self.world(debtor).vendor.clone();
        let customer = self.world(home).customer(customer);
        let new = NewOpen {
            kind,
            group: (kind == OpenKind::Group).then(|| self.group("arcade")),
            tokens: money(tokens),
            origin,
            expires_at,
        };
        self.world(0).write(move |tx| {
            let of = (&mall, &member, &vendor);
            open_issue(tx, Actor::System, of, &customer, &new)
        })
    }

    pub fn sold(&self, debtor: usize, to: (usize, CustomerId), kind: OpenKind, tokens: &str) {
        self.issue(debtor, to, (kind, tokens), Origin::Paid)
            .unwrap();
    }

    fn group(&self, slug: &str) -> Group {
        let engine = &self.world(0).node.engine;
        engine
            .read(|tx| group_by_slug(tx, &self.mall.mall, slug))
            .unwrap()
    }

    /// The group "arcade" of some members, from now on.
    pub fn arcade(&self, places: &[usize]) -> Group {
        let mall = self.mall.mall.clone();
        let members: Vec<Member> = places.iter().map(|place| self.member(*place)).collect();
        self.world(0)
            .write(move |tx| {
                let new = ("arcade", "The arcade");
                let group = group_create(tx, Actor::System, &mall, new)?;
                let span = (tx.now(), Timestamp::NEVER);
                for member in &members {
                    group_join(tx, Actor::System, (&mall, &group), member, span)?;
                }
                Ok::<_, OpenError>(group)
            })
            .unwrap()
    }

    /// Puts a product on the manufacturer's list.
    pub fn list(&self, sku: &'static str, cap_percent: i64) {
        let (mall, maker) = (self.mall.mall.clone(), self.member(MAKER));
        let vendor = self.world(MAKER).vendor.clone();
        self.world(0)
            .write(move |tx| {
                let of = (&mall, &maker, &vendor);
                product_list(tx, Actor::System, of, (sku, cap_percent * 10_000))
            })
            .unwrap();
    }

    pub fn purchase(&self, seller: usize, lines: Vec<Wanted>, pays: Option<Pays>) -> Purchase {
        Purchase {
            seller_book: self.world(seller).book(),
            lines,
            coupon: None,
            to: None,
            pays,
            at_till: false,
        }
    }

    pub fn try_place(
        &self,
        (home, customer): (usize, CustomerId),
        purchase: Purchase,
    ) -> Result<CheckoutOutcome, CheckoutError> {
        let world = self.world(home);
        let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
        world.write(move |tx| {
            let actor = Actor::Customer(customer);
            checkout_place(tx, &vault, actor, &vendor, customer, &purchase)
        })
    }

    /// Buys one of an offer.
    pub fn buy(
        &self,
        who: (usize, CustomerId),
        seller: usize,
        offer: OfferId,
    ) -> Result<CheckoutOutcome, CheckoutError> {
        self.try_place(who, self.purchase(seller, vec![want(offer, 1)], None))
    }

    pub fn quote(&self, (home, customer): (usize, CustomerId), purchase: Purchase) -> OpenQuote {
        let world = self.world(home);
        let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
        world
            .write(move |tx| {
                let actor = Actor::Customer(customer);
                checkout_quote(tx, &vault, actor, &vendor, customer, &purchase)
            })
            .unwrap()
    }

    pub fn switch(
        &self,
        (home, customer): (usize, CustomerId),
        (seller, order): (usize, OrderId),
        pays: Pays,
    ) -> Result<OpenReceipt, CheckoutError> {
        let vendor = self.world(home).vendor.clone();
        let seller = self.world(seller).book();
        self.world(home).write(move |tx| {
            let actor = Actor::Customer(customer);
            checkout_switch(tx, actor, &vendor, customer, (seller, order), pays)
        })
    }

    pub fn reverse(&self, seller: usize, order: OrderId) -> Result<Reversed, CheckoutError> {
        let vendor = self.world(seller).vendor.clone();
        self.world(seller)
            .write(move |tx| checkout_reverse(tx, Actor::System, &vendor, order, true))
    }

    /// What a customer has of a kind.
    pub fn has(&self, (home, customer): (usize, CustomerId), kind: OpenKind) -> Amount {
        let world = self.world(home);
        let held: Vec<Left> = world
            .node
            .engine
            .read(|tx| {
                let actor = Actor::Customer(customer);
                open_balance(tx, actor, &world.vendor, customer)
            })
            .unwrap();
        let of_kind = held.iter().find(|left| left.kind == kind);
        of_kind.map_or(Amount::ZERO, |left| left.amount)
    }

    pub fn certificates(&self, issuer: usize, face: &str, count: i64) -> Vec<Printed> {
        let never = Timestamp::NEVER;
        self.certificates_as(issuer, (face, count), (Origin::Paid, never))
            .unwrap()
    }

    pub fn certificates_as(
        &self,
        issuer: usize,
        (face, count): (&str, i64),
        (origin, expires_at): (Origin, Timestamp),
    ) -> Result<Vec<Printed>, OpenError> {
        let world = self.world(issuer);
        let (mall, member) = (self.mall.mall.clone(), self.member(issuer));
        let (vault, vendor) = (world.node.vault.clone(), world.vendor.clone());
        let new = NewCertificates {
            face: money(face),
            count,
            origin,
            expires_at,
        };
        world.write(move |tx| {
            let of = (&mall, &member, &vendor);
            gift_issue(tx, &vault, Actor::System, of, &new)
        })
    }

    pub fn claim(&self, (home, customer): (usize, CustomerId), code: &str) -> Claim {
        let world = self.world(home);
        let (mall, vault) = (self.mall.mall.clone(), world.node.vault.clone());
        let (book, code) = (world.book(), code.to_owned());
        world
            .write(move |tx| {
                let customer = customer_by_id(tx, book, customer)?;
                let actor = Actor::Customer(customer.customer_id);
                gift_claim(tx, &vault, actor, &mall, &customer, &code)
            })
            .unwrap()
    }

    /// Gives a customer a certificate.
    pub fn gift(&self, issuer: usize, to: (usize, CustomerId), face: &str) {
        let printed = self.certificates(issuer, face, 1);
        let claim = self.claim(to, &printed[0].code);
        assert!(matches!(claim, Claim::Held { .. }), "{claim:?}");
    }

    pub fn honour(&self, acceptor: usize, issuer: usize, takes: bool) {
        let (acceptor, issuer) = (self.member(acceptor), self.member(issuer));
        self.world(0)
            .write(move |tx| gift_acceptance_set(tx, Actor::System, (&acceptor, &issuer), takes))
            .unwrap();
    }

    pub fn gift_states(&self, issuer: usize) -> Vec<CertificateState> {
        let book = self.world(issuer).book();
        let engine = &self.world(0).node.engine;
        let all = engine.read(|tx| gifts_of(tx, &self.mall.mall, book, 100));
        all.unwrap().iter().map(|gift| gift.state).collect()
    }

    /// Takes what has expired out of the mall's book.
    pub fn expire(&self) -> Amount {
        let mall = self.mall.mall.clone();
        let engine = &self.world(0).node.engine;
        let due = engine.read(|tx| wallets_due(tx, mall.book_id, 1_000));
        let due = due.unwrap();
        let done = self.world(0).write(move |tx| open_expire(tx, &mall, &due));
        done.unwrap().tokens
    }
}

/// The receipt of an order that went through.
pub fn paid(outcome: Result<CheckoutOutcome, CheckoutError>) -> OpenReceipt {
    match outcome.unwrap() {
        CheckoutOutcome::Paid(receipt) => receipt,
        CheckoutOutcome::Refused { refusal, .. } => panic!("refused: {refusal}"),
    }
}

/// Kind and amount of what paid.
pub fn by_kind(receipt: &OpenReceipt) -> Vec<(OpenKind, Amount)> {
    let split = receipt.split.iter();
    split.map(|part| (part.kind, part.amount)).collect()
}

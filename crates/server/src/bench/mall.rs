//! `scrip bench mall`.

use super::world::{Choice, FUNDS, Folder, customers, offers, two_lines, vendor, vendor_on};
use super::{Place, RUNS, compare, in_flight};
use crate::cli::{progress, say, say_json};
use crate::failure::Failure;
use clap::Args;
use scrip_domain::checkout::{CheckoutOutcome, Purchase, checkout_place};
use scrip_domain::customer::Customer;
use scrip_domain::id::OfferId;
use scrip_domain::mall::{Mall, Member, Terms, mall_create, member_join, terms_set};
use scrip_domain::open_token::{NewOpen, OpenKind, open_issue};
use scrip_domain::order::{Extras, OrderOutcome, OrderRequest, order_place};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Amount, Keyed, Node};
use scrip_engine::{DatabaseUrl, Engine, Options, Timestamp};
use scrip_ledger::Origin;
use serde_json::json;

/// Whole purchases at one vendor: by its own customers with its own tokens, and by customers of
/// another member with universal tokens, which are settled between debtor, seller and mall.
///
/// The ratio says how much dearer an open purchase is; the aim is at most 2 (ratio 0.5 or more).
#[derive(Debug, Args)]
#[command(long_about)]
pub struct MallBench {
    /// Purchases waiting at a time
    #[arg(long, default_value_t = 64)]
    waiting: usize,
    /// Customers of each of the two members
    #[arg(long, default_value_t = 2_000)]
    customers: usize,
    /// Purchases in one run
    #[arg(long, default_value_t = 10_000)]
    purchases: usize,
    #[command(flatten)]
    place: Place,
}

/// PostgreSQL connections.
const CONNECTIONS: usize = 16;
/// Offers to choose from.
const OFFERS: usize = 100;

/// Two members of a mall, and those who buy at the first one.
struct World {
    node: Node,
    seller: Vendor,
    home: Vendor,
    own: Vec<Customer>,
    others: Vec<Customer>,
    offers: Vec<OfferId>,
    choice: Choice,
    /// Numbers the idempotency keys.
    next: u64,
}

impl World {
    fn new(engine: Engine, count: usize) -> Result<World, Failure> {
        let (node, seller) = vendor(engine)?;
        let home = vendor_on(&node, format!("{}-home", seller.slug))?;
        let (own, others) = (
            customers(&node, &seller, count)?,
            customers(&node, &home, count)?,
        );
        let world = World {
            offers: offers(&node, &seller, OFFERS)?,
            choice: Choice::new(7),
            next: 0,
            node,
            seller,
            home,
            own,
            others,
        };
        world.join()?;
        Ok(world)
    }

    /// Makes the mall, and issues universal tokens that the home of the others owes.
    fn join(&self) -> Result<(), Failure> {
        let (seller, home) = (self.seller.clone(), self.home.clone());
        let slug = format!("{}-mall", self.seller.slug);
        let (mall, member): (Mall, Member) = self.node.engine.write(move |tx| {
            let us = Actor::System;
            let mall = mall_create(tx, us, &slug, "Bench mall", "USD")?;
            let terms = Terms {
                service_ppm: 20_000,
                royalty_ppm: 10_000,
                ..Terms::default()
            };
            let seller = member_join(tx, us, &mall, &seller)?;
            let member = member_join(tx, us, &mall, &home)?;
            for member in [&seller, &member] {
                terms_set(tx, us, member, &terms)?;
            }
            Ok::<_, Failure>((mall, member))
        })?;
        for some in self.others.chunks(500) {
            let some = some.to_vec();
            let of = (mall.clone(), member.clone(), self.home.clone());
            self.node.engine.write(move |tx| {
                let new = NewOpen {
                    kind: OpenKind::Universal,
                    group: None,
                    tokens: Amount::from_units(FUNDS),
                    origin: Origin::Paid,
                    expires_at: Timestamp::NEVER,
                };
                for customer in &some {
                    let of = (&of.0, &of.1, &of.2);
                    open_issue(tx, Actor::System, of, customer, &new)?;
                }
                Ok::<_, Failure>(())
            })?;
        }
        Ok(())
    }

    fn keyed(&mut self, book_id: i64, customer: &Customer) -> Keyed {
        self.next += 1;
        Keyed {
            book_id,
            actor: Actor::Customer(customer.customer_id),
            key: Some(format!("bench-{}", self.next)),
            request: self.next.to_le_bytes().to_vec(),
            subject: Some(customer.customer_id),
        }
    }

    /// Purchases per second of customers at home, with the seller's own tokens.
    fn closed(&mut self, total: usize, waiting: usize) -> Result<f64, Failure> {
        let submit = || {
            let customer = self.own[self.choice.below(self.own.len())].clone();
            let request = OrderRequest {
                customer_id: customer.customer_id,
                lines: two_lines(&mut self.choice, &self.offers),
                reference: String::new(),
                effective_at: None,
                extras: Extras::default(),
            };
            let book = self.seller.book_id;
            let keyed = self.keyed(book, &customer);
            let actor = keyed.actor;
            self.node
                .submit(keyed, move |tx| order_place(tx, actor, book, &request))
        };
        in_flight(total, waiting, submit, |answer| match answer.value {
            OrderOutcome::Completed(_) => Ok(()),
            OrderOutcome::Refused { refusal, .. } => Err(Failure::Refused(refusal.to_string())),
        })
    }

    /// Purchases per second of another member's customers, with universal tokens.
    fn open(&mut self, total: usize, waiting: usize) -> Result<f64, Failure> {
        let submit = || {
            let customer = self.others[self.choice.below(self.others.len())].clone();
            let purchase = Purchase {
                seller_book: self.seller.book_id,
                lines: two_lines(&mut self.choice, &self.offers),
                coupon: None,
                to: None,
                pays: None,
                at_till: false,
            };
            let keyed = self.keyed(self.home.book_id, &customer);
            let (actor, id) = (keyed.actor, customer.customer_id);
            let (vault, home) = (self.node.vault.clone(), self.home.clone());
            self.node.submit(keyed, move |tx| {
                checkout_place(tx, &vault, actor, &home, id, &purchase)
            })
        };
        in_flight(total, waiting, submit, |answer| match answer.value {
            CheckoutOutcome::Paid(_) => Ok(()),
            CheckoutOutcome::Refused { refusal, .. } => Err(Failure::Refused(refusal.to_string())),
        })
    }
}

impl MallBench {
    pub fn run(self) -> Result<(), Failure> {
        if self.waiting == 0 || self.customers == 0 {
            let text = "take at least 1 customer and 1 waiting purchase".to_owned();
            return Err(Failure::Refused(text));
        }
        match &self.place.database {
            DatabaseUrl::Sqlite(_) => {
                let folder = Folder::beside(&self.place.database)?;
                let world = World::new(folder.engine("mall.db")?, self.customers)?;
                self.measure("sqlite", world)
            }
            DatabaseUrl::Postgres(_) => {
                let options = Options {
                    workers: CONNECTIONS,
                    ..Options::default()
                };
                let engine = scrip_ledger::open(&self.place.database, options)?;
                self.measure("postgres", World::new(engine, self.customers)?)
            }
        }
    }

    fn measure(&self, engine: &str, world: World) -> Result<(), Failure> {
        let world = std::cell::RefCell::new(world);
        // The first purchase of each customer makes it known to the seller, once.
        world.borrow_mut().open(self.customers * 4, self.waiting)?;
        let bar = progress::bar(RUNS as u64, "runs");
        let compared = compare(
            &bar,
            || world.borrow_mut().open(self.purchases, self.waiting),
            || world.borrow_mut().closed(self.purchases, self.waiting),
        )?;
        bar.finish_and_clear();
        if self.place.json {
            return say_json(&json!({
                "engine": engine, "waiting": self.waiting, "open_per_s": compared.ours,
                "closed_per_s": compared.floor, "ratio": compared.ratio,
            }));
        }
        say(&format!(
            "{engine}, {} waiting: {} open and {} closed purchases/s, ratio {}",
            self.waiting, compared.ours, compared.floor, compared.ratio
        ))
    }
}

//! Some random weeks of a shop.

use crate::by_card;
use crate::history::refund;
use crate::support::{DAY_S, World, plain_offer, request, tokens, want};
use scrip_domain::catalog::{NewOffer, NewProduct, OfferKind, offer_put, product_put};
use scrip_domain::id::{CustomerId, OfferId, OrderId};
use scrip_domain::order::by_card::{Outcome, Placed};
use scrip_domain::order::{OrderError, OrderOutcome, OrderRequest, RefundLines, Wanted};
use scrip_domain::policy::{CheckoutPolicy, Policy, policy_set};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{
    Leg, Origin, Piece, Posting, entry_post, hold_place, hold_release, lots_locked,
};

pub struct Business<'a> {
    world: &'a World,
    state: u64,
    customers: Vec<CustomerId>,
    offers: Vec<OfferId>,
    orders: Vec<OrderId>,
    /// Those that a card paid.
    by_card: Vec<OrderId>,
    holds: Vec<i64>,
}

/// The vendor's days are those of a place; `began` is the version of the policy before.
pub fn set_zone(world: &World, began: i64, zone: &'static str) {
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let policy = Policy {
                checkout: CheckoutPolicy {
                    card: true,
                    ..CheckoutPolicy::default()
                },
                time_zone: zone.to_owned(),
                ..Policy::default()
            };
            policy_set(tx, Actor::System, &vendor, began, &policy)
        })
        .unwrap();
}

impl<'a> Business<'a> {
    pub fn open(world: &'a World, seed: u64) -> Business<'a> {
        set_zone(world, 0, "Europe/Berlin");
        world
            .clock
            .set(Timestamp::parse("2026-02-27T22:10:00Z").unwrap());
        let mut business = Business {
            world,
            state: seed,
            customers: (0..5).map(|_| world.buyer(50)).collect(),
            offers: Vec::new(),
            orders: Vec::new(),
            by_card: Vec::new(),
            holds: Vec::new(),
        };
        for (sku, category, price, kind) in [
            ("tea", "Food", 3, OfferKind::Purchase),
            ("bread", "Food", 7, OfferKind::Purchase),
            ("game", "Software", 12, OfferKind::Time),
            ("filter", "Software", 5, OfferKind::Uses),
            ("leaflet", "Paper", 0, OfferKind::Purchase),
        ] {
            business.offer(sku, category, price, kind);
        }
        business
    }

    fn offer(&mut self, sku: &'static str, category: &'static str, price: i64, kind: OfferKind) {
        let vendor = self.world.vendor.clone();
        let product = NewProduct {
            handle: sku.to_owned(),
            title: format!("The {sku}"),
            category: category.to_owned(),
            ..NewProduct::default()
        };
        let offer = NewOffer {
            kind,
            ..plain_offer(sku, tokens(price))
        };
        let put = self.world.write(move |tx| {
            let (product, _) = product_put(tx, &vendor, &product)?;
            offer_put(tx, &vendor, product, &offer)
        });
        self.offers.push(put.unwrap().0);
    }

    /// A number below `n`; the same ones for the same seed.
    fn dice(&mut self, n: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % n
    }

    fn number(&mut self, n: u64) -> i64 {
        i64::try_from(self.dice(n)).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let at = usize::try_from(self.dice(of.len() as u64)).unwrap();
        of[at]
    }

    /// So many days, a few things on each.
    pub fn days(&mut self, days: i64) {
        for _ in 0..days * 4 {
            let pause = self.number(12 * 3600) + 60;
            self.world.clock.advance_seconds(pause);
            self.something();
        }
    }

    fn something(&mut self) {
        let customers = self.customers.clone();
        let who = self.one(&customers);
        match self.dice(23) {
            0 => self.customers.push(self.world.register().customer_id),
            1..=3 => {
                let n = Amount::from_units(self.number(60_000_000) + 1_000_000);
                self.world.buy(who, n, "test_ok").unwrap();
            }
            4..=5 => {
                // A price that the tokens do not divide.
                let n = Amount::from_units(self.number(40_000_000) + 1);
                let paid = Amount::from_units(self.number(9_000_000_000) + 1);
                let end = self.expiry();
                self.world.give_paid(who, n, paid, end);
            }
            6 => {
                let (n, end) = (tokens(self.number(20) + 1), self.expiry());
                self.world.give(who, n, Origin::Free, None, end);
            }
            7 => {
                let (n, end) = (tokens(self.number(9) + 1), self.expiry());
                self.world.give(who, n, Origin::Credit, None, end);
            }
            8..=13 => self.order(who, None),
            14 => {
                let back = self.number(60 * 3600) * 1_000_000;
                self.order(who, Some(Timestamp(self.world.now().0 - back)));
            }
            15..=16 if !self.orders.is_empty() => {
                let at = usize::try_from(self.dice(self.orders.len() as u64)).unwrap();
                refund(
                    self.world,
                    self.orders.swap_remove(at),
                    RefundLines::Whole,
                    "note",
                );
            }
            17 => drop(self.world.expire()),
            18 => self.withdraw(who),
            19 => self.hold(who),
            20..=21 => self.order_by_card(who),
            22 if !self.by_card.is_empty() => {
                let at = usize::try_from(self.dice(self.by_card.len() as u64)).unwrap();
                let order = self.by_card.swap_remove(at);
                by_card::after::refund(self.world, order, false).unwrap();
            }
            _ => {}
        }
    }

    /// Soon, at the end of some months, or never.
    fn expiry(&mut self) -> Timestamp {
        let now = self.world.now();
        match self.dice(4) {
            0 => Timestamp::NEVER,
            // Midnight in Berlin.
            1 => Timestamp::parse("2026-04-30T22:00:00Z")
                .unwrap()
                .max(now.plus_seconds(60)),
            _ => now.plus_seconds(self.number(9) * DAY_S + 3_601),
        }
    }

    fn order(&mut self, who: CustomerId, effective_at: Option<Timestamp>) {
        let offers = self.offers.clone();
        let lines: Vec<Wanted> = (0..=self.dice(3))
            .map(|_| want(self.one(&offers), self.number(3) + 1))
            .collect();
        let new = OrderRequest {
            effective_at: effective_at.map(|at| at.0),
            ..request(who, &lines)
        };
        if let OrderOutcome::Completed(receipt) = self.world.place_as(Actor::System, &new).unwrap()
            && receipt.total.is_positive()
        {
            self.orders.push(receipt.order_id);
        }
    }

    fn order_by_card(&mut self, who: CustomerId) {
        let offers = self.offers.clone();
        let card = self.one(&["test_ok", "test_ok", "test_declined"]);
        let new = by_card::order(who, self.one(&offers), self.number(3) + 1, card);
        match by_card::pay(self.world, &new) {
            Ok(Placed::Asked {
                outcome: Outcome::Completed { order_id },
                ..
            }) => self.by_card.push(order_id),
            Ok(_) | Err(OrderError::NothingToPay) => {}
            Err(e) => panic!("{e}"),
        }
    }

    /// One that counts earlier and surely goes through.
    pub fn order_back_dated(&mut self, at: Timestamp) {
        let id = self.world.buyer(60);
        let new = OrderRequest {
            effective_at: Some(at.0),
            ..request(id, &[want(self.offers[1], 2)])
        };
        let placed = self.world.place_as(Actor::System, &new).unwrap();
        assert!(matches!(placed, OrderOutcome::Completed(_)));
    }

    /// Takes a lot back and pays what it is worth.
    fn withdraw(&mut self, who: CustomerId) {
        let (vendor, wallet) = (self.world.vendor.clone(), self.world.customer(who).wallet);
        let posted = self.world.write(move |tx| {
            let lots = lots_locked(tx, vendor.book_id, wallet)?;
            // One of which nothing lies elsewhere.
            let Some(lot) = lots.iter().find(|l| l.remaining == l.grant.quantity) else {
                return Ok(());
            };
            let mut legs = vec![Leg {
                debit: wallet,
                credit: vendor.accounts.issued,
                amount: lot.remaining,
                grant: Some(lot.grant.grant_id),
            }];
            if lot.grant.paid.is_positive() {
                legs.push(Leg {
                    debit: vendor.accounts.deferred,
                    credit: vendor.accounts.processor,
                    amount: lot.grant.paid,
                    grant: None,
                });
            }
            let posting = posting(tx, vendor.book_id, "withdrawal", &legs)?;
            entry_post(tx, &posting).map(drop)
        });
        posted.unwrap();
    }

    /// Sets a part aside, or gives it back.
    fn hold(&mut self, who: CustomerId) {
        let (book, wallet) = (self.world.book(), self.world.customer(who).wallet);
        if let Some(hold) = self.holds.pop() {
            self.world
                .write(move |tx| {
                    let event = tx.new_id()?;
                    hold_release(tx, book, hold, event, "tester")
                })
                .unwrap();
            return;
        }
        let placed = self.world.write(move |tx| {
            let lots = lots_locked(tx, book, wallet)?;
            let Some(lot) = lots.first() else {
                return Ok(None);
            };
            let piece = Piece {
                grant: lot.grant.grant_id,
                amount: Amount::from_units(lot.remaining.units() / 2 + 1),
            };
            let end = tx.now().plus_seconds(400 * DAY_S);
            let posting = posting(tx, book, "hold", &[])?;
            hold_place(tx, &posting, wallet, &[piece], end).map(Some)
        });
        let placed: scrip_ledger::Result<Option<i64>> = placed;
        self.holds.extend(placed.unwrap());
    }
}

fn posting<'l>(
    tx: &mut scrip_engine::Tx<'_>,
    book_id: i64,
    code: &'static str,
    legs: &'l [Leg],
) -> scrip_ledger::Result<Posting<'l>> {
    Ok(Posting {
        book_id,
        event_id: tx.new_id()?,
        code,
        actor: "tester",
        reference: "",
        effective_at: tx.now(),
        legs,
    })
}

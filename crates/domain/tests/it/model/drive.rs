//! Gives each command to the program and to the model, and compares.

use super::shadow::{Goods, Grant, Placed, Shadow, Standing, WantedLine};
use super::{Command, Line, Quoted};
use crate::support::{DAY_S, World, plain_offer, request, tokens};
use scrip_domain::Actor;
use scrip_domain::catalog::{NewOffer, Tier, stock_add};
use scrip_domain::closing::customer_close;
use scrip_domain::customer::{CustomerError, State};
use scrip_domain::id::{CustomerId, OfferId, OrderId};
use scrip_domain::order::{
    OrderError, OrderOutcome, RefundLines, RefundRequest, Wanted, order_list, order_list_set,
    order_refund,
};
use scrip_domain::token_sale::{
    Outcome, TokenSaleError, payment_session_open, token_orders_resolve,
};
use scrip_domain::vendor::token_price_set;
use scrip_domain::{Amount, CommandError};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{Origin, account_balance};
use std::collections::BTreeMap;

/// Offers of the vendor: plain, counted, on sale, in tiers.
pub const OFFERS: usize = 4;
const SKUS: [&str; OFFERS] = ["plain", "counted", "sale", "tiers"];

pub struct Driver {
    world: World,
    shadow: Shadow,
    customers: Vec<CustomerId>,
    offers: Vec<OfferId>,
    orders: Vec<OrderId>,
    token_price: Amount,
}

impl Driver {
    pub fn new(world: World) -> Driver {
        let mut driver = Driver {
            shadow: Shadow::default(),
            world,
            customers: Vec::new(),
            offers: Vec::new(),
            orders: Vec::new(),
            token_price: Amount::from_units(1_000_000),
        };
        for (i, stock) in [None, Some(12), None, Some(40)].into_iter().enumerate() {
            driver.shadow.goods.push(Goods {
                price: 3,
                price_before: 3,
                stock,
                on_sale: i == 2,
                tiers: if i == 3 {
                    vec![(5, 4), (10, 7)]
                } else {
                    Vec::new()
                },
            });
            let id = driver.world.offer_of(driver.offer(i));
            driver.offers.push(id);
        }
        driver.run(&Command::Register);
        driver
    }

    fn offer(&self, i: usize) -> NewOffer {
        let goods = &self.shadow.goods[i];
        let tier = |t: &(i64, i64)| Tier {
            up_to: t.0,
            price: tokens(t.1),
        };
        NewOffer {
            on_sale: goods.on_sale,
            stock: goods.stock,
            tiers: goods.tiers.iter().map(tier).collect(),
            ..plain_offer(SKUS[i], tokens(goods.price))
        }
    }

    fn someone(&self, who: usize) -> (usize, CustomerId) {
        let who = who % self.customers.len();
        (who, self.customers[who])
    }

    pub fn run(&mut self, command: &Command) {
        // A millisecond each: ids are then in the order of the commands.
        let now = Timestamp(self.world.now().0 + 1_000);
        self.world.clock.set(now);
        self.shadow.now = now.0;
        match command {
            Command::Register => {
                self.customers.push(self.world.register().customer_id);
                self.shadow.register();
            }
            Command::Buy { who, tokens, card } => self.buy(*who, *tokens, card),
            Command::Resolve => {
                let (node, vendor) = (&self.world.node, &self.world.vendor);
                let resolved = token_orders_resolve(node, self.world.cards.as_ref(), vendor, 0);
                assert_eq!(resolved.unwrap(), self.shadow.resolve());
            }
            Command::TokenPrice { tenths } => {
                let price = Amount::from_units(tenths * 100_000);
                let vendor = self.world.vendor.clone();
                let set = self.world.write(move |tx| {
                    let now = tx.now();
                    token_price_set(tx, scrip_domain::Actor::System, &vendor, price, now)
                });
                set.unwrap();
                self.token_price = price;
            }
            Command::Give {
                who,
                tokens: n,
                restricted,
                days,
            } => {
                let (who, id) = self.someone(*who);
                let expires_at = match days {
                    0 => Timestamp::NEVER,
                    days => self.world.now().plus_seconds(days * DAY_S),
                };
                let restriction = restricted.then_some("sale");
                self.world
                    .give(id, tokens(*n), Origin::Free, restriction, expires_at);
                let grant = Grant {
                    expires_at: expires_at.0,
                    restricted: *restricted,
                    paid: false,
                    granted_at: self.shadow.now,
                };
                self.shadow.credit(who, *n, grant);
            }
            Command::List {
                who,
                offer,
                quantity,
            } => self.list(*who, *offer, *quantity),
            Command::Place { who, lines, key } => self.place(*who, lines, *key),
            Command::Refund {
                order,
                lines,
                restock,
            } => self.refund(*order, lines, *restock),
            Command::Price { offer, price } => {
                let goods = &mut self.shadow.goods[*offer];
                goods.price_before = goods.price;
                goods.price = *price;
                self.world.offer_of(self.offer(*offer));
            }
            Command::Deliver { offer, pieces } => self.deliver(*offer, *pieces),
            Command::Close { who } => self.close(*who),
            Command::Expire => {
                let expected = self.shadow.expire();
                assert_eq!(self.world.expire().tokens, tokens(expected));
            }
            Command::Step { seconds } => {
                self.world.clock.advance_seconds(*seconds);
                self.shadow.now = self.world.now().0;
            }
        }
    }

    fn buy(&mut self, who: usize, n: i64, card: &'static str) {
        let (who, id) = self.someone(who);
        if n == 0 || self.shadow.standing(who) == Standing::Closed {
            return self.buy_in_vain(who, id, n);
        }
        let outcome = self.world.buy(id, tokens(n), card).unwrap();
        // Tenths of a cent, rounded up to cents.
        let cents = (n * self.token_price.units() / 100_000 + 9) / 10;
        match (card, outcome) {
            (
                "test_ok",
                Outcome::Cleared {
                    quantity, price, ..
                },
            ) => {
                assert_eq!((quantity, price.units()), (tokens(n), cents * 1_000_000));
                self.shadow.cents += cents;
                let grant = Grant::bought(self.shadow.now);
                self.shadow.credit(who, n, grant);
            }
            (
                "test_declined",
                Outcome::Declined {
                    attempts_left: 2, ..
                },
            ) => {}
            (card, Outcome::Awaiting) if card.starts_with("test_timeout") => {
                let since = self.shadow.now;
                self.shadow.awaiting.push((who, n, cents, card, since));
            }
            other => panic!("{other:?}"),
        }
    }

    fn buy_in_vain(&self, who: usize, id: CustomerId, n: i64) {
        let customer = self.world.customer(id);
        let session = self
            .world
            .write(move |tx| payment_session_open(tx, Actor::Customer(id), &customer));
        match session {
            Ok(session) => {
                let refused = self.world.buy_in(session, id, tokens(n), "test_ok");
                assert!(matches!(refused, Err(TokenSaleError::QuantityNotPositive)));
            }
            Err(_) => assert_eq!(self.shadow.standing(who), Standing::Closed),
        }
    }

    fn list(&mut self, who: usize, offer: usize, quantity: i64) {
        let (who, id) = self.someone(who);
        let (book, offer_id) = (self.world.book(), self.offers[offer]);
        let actor = Actor::Customer(id);
        let set = self
            .world
            .write(move |tx| order_list_set(tx, actor, book, id, offer_id, quantity));
        if self.shadow.standing(who) == Standing::Closed {
            let is_closed = |e| matches!(e, OrderError::Customer(CustomerError::Closed(_)));
            assert!(is_closed(set.unwrap_err()));
            return;
        }
        if quantity > 0 && !self.shadow.may_order(who) {
            assert!(matches!(set.unwrap_err(), OrderError::NotYet(_)));
            return;
        }
        set.unwrap();
        let list = &mut self.shadow.wallets[who].list;
        list.insert(offer, quantity);
        list.retain(|_, quantity| *quantity > 0);
    }

    fn wanted(&self, line: &Line) -> (Wanted, WantedLine) {
        let goods = &self.shadow.goods[line.offer];
        let of_tier = goods.tiers.iter().find(|t| line.quantity <= t.0);
        let quoted = match line.quoted {
            Quoted::Nothing => None,
            Quoted::Today => Some(of_tier.map_or(goods.price, |t| t.1)),
            Quoted::BeforeTheLastChange => Some(goods.price_before),
        };
        let wanted = Wanted {
            offer_id: self.offers[line.offer],
            quantity: line.quantity,
            quoted: quoted.map(tokens),
            entered: None,
        };
        (wanted, (line.offer, line.quantity, quoted))
    }

    fn place(&mut self, who: usize, lines: &[Line], key: Option<u8>) {
        let (who, id) = self.someone(who);
        let (wanted, plain): (Vec<Wanted>, Vec<WantedLine>) =
            lines.iter().map(|l| self.wanted(l)).unzip();
        let (expected, replayed) = self.shadow.place(who, &plain, key);
        let key = key.map(|k| format!("key-{k}"));
        let actor = Actor::Customer(id);
        let answer = self
            .world
            .place_keyed(actor, key.as_deref(), &request(id, &wanted));
        let (outcome, was_replayed) = match answer {
            Ok(answer) => (Ok(answer.value), answer.replayed),
            Err(error) => (Err(error), false),
        };
        let expected = match (expected, outcome) {
            (Placed::Done(sale, required, remaining), Ok(OrderOutcome::Completed(receipt))) => {
                assert_eq!(receipt.total, tokens(required));
                assert_eq!(receipt.remaining, tokens(remaining));
                if sale == self.orders.len() {
                    self.orders.push(receipt.order_id);
                }
                assert_eq!(self.orders[sale], receipt.order_id, "the first answer");
                return assert_eq!(was_replayed, replayed);
            }
            (Placed::Refused(reason), Ok(OrderOutcome::Refused { refusal, .. })) => {
                assert_eq!(reason_of(&refusal), reason);
                return assert_eq!(was_replayed, replayed);
            }
            (Placed::Invalid, Err(OrderError::Catalog(_)))
            | (Placed::KeyReused, Err(OrderError::Command(CommandError::KeyReused))) => return,
            other => other,
        };
        panic!("expected and found: {expected:?}");
    }

    fn refund(&mut self, order: usize, lines: &[(i64, i64)], restock: bool) {
        if self.orders.is_empty() {
            return;
        }
        let sale = order % self.orders.len();
        // Nothing comes back to a closed account.
        let is_closed = self.shadow.standing(self.shadow.sales[sale].who) == Standing::Closed;
        let expected = match is_closed {
            true => None,
            false => self.shadow.refund(sale, lines, restock),
        };
        let request = RefundRequest {
            order_id: self.orders[sale],
            lines: match lines {
                [] => RefundLines::Whole,
                lines => RefundLines::Lines(lines.to_vec()),
            },
            restock,
            reference: String::new(),
            effective_at: None,
        };
        let vendor = self.world.vendor.clone();
        let refunded = self
            .world
            .write(move |tx| order_refund(tx, Actor::System, &vendor, &request));
        match (expected, refunded) {
            (Some(back), Ok(refunded)) => assert_eq!(refunded.amount, tokens(back)),
            (
                None,
                Err(
                    OrderError::NothingToRefund
                    | OrderError::RefundTooLarge { .. }
                    | OrderError::TierIsWhole { .. },
                ),
            ) => {}
            (None, Err(OrderError::RefundToClosed(_))) if is_closed => {}
            other => panic!("{other:?}"),
        }
    }

    fn deliver(&mut self, offer: usize, pieces: i64) {
        let Some(stock) = &mut self.shadow.goods[offer].stock else {
            return;
        };
        *stock += pieces;
        let (book, id) = (self.world.book(), self.offers[offer]);
        self.world
            .write(move |tx| stock_add(tx, book, &[(id, pieces)]))
            .unwrap();
    }

    fn close(&mut self, who: usize) {
        let (who, id) = self.someone(who);
        let customer = self.world.customer(id);
        let closed = self
            .world
            .write(move |tx| customer_close(tx, Actor::System, &customer));
        let wallet = &mut self.shadow.wallets[who];
        match closed {
            Ok(()) => {
                assert!(wallet.lots.is_empty() && wallet.standing != Some(Standing::Closed));
                wallet.standing = Some(Standing::Closed);
            }
            Err(CustomerError::NotEmpty { .. }) => assert!(!wallet.lots.is_empty()),
            // A payment of it has no outcome yet.
            Err(CustomerError::Unfinished { .. }) => {
                assert!(wallet.lots.is_empty() && wallet.standing != Some(Standing::Closed));
            }
            Err(CustomerError::Closed(_)) => assert_eq!(wallet.standing, Some(Standing::Closed)),
            Err(other) => panic!("{other}"),
        }
    }

    /// Everything at the end.
    pub fn compare(&self) {
        for (who, id) in self.customers.iter().enumerate() {
            self.compare_customer(who, *id);
        }
        for (offer, goods) in self.offers.iter().zip(&self.shadow.goods) {
            if let Some(stock) = goods.stock {
                assert_eq!(self.world.stock(*offer), stock);
            }
        }
        let count = |state: &str| {
            let rows = self
                .world
                .rows("SELECT state FROM orders WHERE book_id = $1");
            rows.iter().filter(|r| r.text(0).unwrap() == state).count()
        };
        assert_eq!(count("completed"), self.shadow.sales.len());
        assert_eq!(count("refused"), self.shadow.refused);
        let open = "SELECT COUNT(*) FROM token_order_awaiting WHERE book_id = $1";
        let awaiting = usize::try_from(self.world.number(open)).unwrap();
        assert_eq!(awaiting, self.shadow.awaiting.len());
        self.compare_ledger();
    }

    fn compare_customer(&self, who: usize, id: CustomerId) {
        let wallet = &self.shadow.wallets[who];
        let state = match self.shadow.standing(who) {
            Standing::Inactive => State::Inactive,
            Standing::Active => State::Active,
            Standing::Closed => State::Closed,
        };
        assert_eq!(self.world.state(id), state);
        let (list, lots) = self
            .world
            .node
            .engine
            .read(|tx| {
                let list = order_list(tx, Actor::Customer(id), self.world.book(), id)?;
                let account = scrip_domain::customer::customer_by_id(tx, self.world.book(), id)?;
                let lots = scrip_ledger::lots_available(tx, account.book_id, account.wallet)?;
                Ok::<_, OrderError>((list, lots))
            })
            .unwrap();
        assert_eq!(list.quote.available, tokens(self.shadow.available(who)));
        let listed: BTreeMap<usize, i64> = list
            .lines
            .iter()
            .map(|l| &l.line)
            .map(|l| (SKUS.iter().position(|s| *s == l.sku).unwrap(), l.quantity))
            .collect();
        assert_eq!(listed, wallet.list);
        let found: Vec<_> = lots
            .iter()
            .map(|l| {
                (
                    l.grant.expires_at.0,
                    l.grant.restriction.is_some(),
                    l.remaining,
                )
            })
            .collect();
        let grants = &self.shadow.grants;
        let expected: Vec<_> = wallet
            .lots
            .iter()
            .map(|(g, n)| (grants[*g].expires_at, grants[*g].restricted, tokens(*n)))
            .collect();
        assert_eq!(found, expected, "lots, oldest grant first");
    }

    /// MIC-07: what was issued is in wallets or came back by sales; money is what was paid.
    fn compare_ledger(&self) {
        let accounts = self.world.vendor.accounts;
        let balance = |account| {
            let read =
                |tx: &mut scrip_engine::ReadTx<'_>| account_balance(tx, self.world.book(), account);
            self.world.node.engine.read(read).unwrap()
        };
        assert_eq!(balance(accounts.issued), tokens(-self.shadow.issued));
        assert_eq!(balance(accounts.spent), tokens(self.shadow.spent));
        let wallets = self.customers.iter().map(|id| self.world.balance(*id));
        let held = Amount::sum(wallets).unwrap();
        let left = self.shadow.issued - self.shadow.spent - self.shadow.expired;
        assert_eq!(held, tokens(left));
        assert_eq!(
            balance(accounts.deferred).units(),
            self.shadow.cents * 1_000_000
        );
        assert_eq!(
            balance(accounts.processor).units(),
            -self.shadow.cents * 1_000_000
        );
        assert_eq!(balance(accounts.expired), tokens(self.shadow.expired));
    }
}

/// The name of a refusal as the answer carries it.
fn reason_of(refusal: &scrip_domain::order::Refusal) -> &'static str {
    use scrip_domain::order::Refusal;
    match refusal {
        Refusal::Shortage { .. } => "shortage",
        Refusal::Restricted { .. } => "restricted",
        Refusal::PriceChanged { .. } => "price_changed",
        Refusal::OutOfStock { .. } => "out_of_stock",
        Refusal::Reserved { .. } => "reserved",
        Refusal::NotForSale { .. } => "not_for_sale",
        Refusal::Inactive { .. } => "inactive",
        Refusal::BelowThreshold { .. } => "below_threshold",
        Refusal::Closed { .. } => "closed",
        Refusal::Coupon { .. } => "coupon",
        Refusal::OverCap { .. } | Refusal::NotAllowed { .. } => "family",
        Refusal::CardNotTaken | Refusal::TokensOnly => "card",
        Refusal::OpenShort { .. } => "open",
    }
}

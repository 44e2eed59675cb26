//! Plays a sequence on a real book and compares what it did with the model.

use super::reference::{Hold, Model, Outcome, Place, State};
use super::steps::{Pick, Sequence, Step, WALLETS};
use crate::world::{START, Shop, World, leg, name_of, units};
use scrip_engine::{Clock, Read, Ticket, Tx};
use scrip_ledger::{
    Error, HoldState, Leg, Piece, Posting, Result, account_balance, account_history, entry_reverse,
    hold_by_id, hold_expire, hold_place, hold_post, hold_release, holds_due, lots_available,
    lots_locked, seal_next, verify::book_verify,
};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

/// What a comparison says when it fails.
type Check = std::result::Result<(), String>;

/// The real numbers of what the model counts from zero.
#[derive(Clone, Debug, Default)]
struct Numbers {
    wallets: Vec<i64>,
    grants: Vec<i64>,
    holds: Vec<i64>,
    entries: Vec<i64>,
}

type Shared = Arc<Mutex<Numbers>>;

/// A command, run by the engine's writer.
type Command = Box<dyn FnMut(&mut Tx<'_>) -> Result<()> + Send>;

fn legs(n: &Numbers, from: i64, to: i64, picks: &[Pick]) -> Vec<Leg> {
    let grant = |g: usize| n.grants[g % n.grants.len()];
    let named = picks
        .iter()
        .map(|(g, amount)| leg(from, to, *amount, grant(*g)));
    named.collect()
}

fn at(list: &[i64], place: usize) -> i64 {
    list[place % list.len()]
}

/// Runs a step; notes the numbers of what it made.
fn run(tx: &mut Tx<'_>, shop: Shop, n: &mut Numbers, step: &Step) -> Result<()> {
    let entry = match step {
        Step::Issue {
            wallet,
            amount,
            lives_seconds,
        } => {
            let expires_at = tx.now().plus_seconds(*lives_seconds);
            let grant = shop.grant_in(tx, *amount, expires_at)?;
            let legs = [leg(shop.issued, n.wallets[*wallet], *amount, grant)];
            let entry = shop.post(tx, "token_sale", &legs)?;
            n.grants.push(grant);
            entry
        }
        Step::Spend { wallet, picks } => {
            let legs = legs(n, n.wallets[*wallet], shop.spent, picks);
            shop.post(tx, "order", &legs)?
        }
        Step::Move { from, to, picks } => {
            let legs = legs(n, n.wallets[*from], n.wallets[*to], picks);
            shop.post(tx, "transfer", &legs)?
        }
        Step::Fail { wallet, picks } => {
            let grant = shop.grant_in(tx, 7, tx.now())?;
            let issue = [leg(shop.issued, n.wallets[*wallet], 7, grant)];
            shop.post(tx, "token_sale", &issue)?;
            // As far as they go.
            for leg in legs(n, n.wallets[*wallet], shop.spent, picks) {
                drop(shop.post(tx, "order", &[leg]));
            }
            return Err(Error::HoldUnknown { book: 0, hold: 0 });
        }
        Step::ExpireLots { wallet } => {
            let now = tx.now();
            let wallet = n.wallets[*wallet];
            let lots = lots_locked(tx, shop.book, wallet)?;
            let expired = lots.iter().filter(|lot| !lot.usable(now));
            let legs: Vec<Leg> = expired
                .map(|lot| {
                    leg(
                        wallet,
                        shop.expired,
                        lot.remaining.units(),
                        lot.grant.grant_id,
                    )
                })
                .collect();
            shop.post(tx, "expiry", &legs)?
        }
        Step::Reverse { entry } => {
            let event = tx.new_id()?;
            entry_reverse(tx, shop.book, at(&n.entries, *entry), event, "tester")?
        }
        Step::Seal { limit } => {
            seal_next(tx, shop.book, *limit)?;
            return Ok(());
        }
        Step::Hold { .. } | Step::Post { .. } | Step::Release { .. } | Step::ExpireHold { .. } => {
            run_hold(tx, shop, n, step)?
        }
        Step::Advance { .. } | Step::Reopen => return Ok(()),
    };
    n.entries.push(entry);
    Ok(())
}

fn run_hold(tx: &mut Tx<'_>, shop: Shop, n: &mut Numbers, step: &Step) -> Result<i64> {
    let event_id = tx.new_id()?;
    let now = tx.now();
    let posting = Posting {
        book_id: shop.book,
        event_id,
        code: "hold",
        actor: "tester",
        reference: "",
        effective_at: now,
        legs: &[],
    };
    match step {
        Step::Hold {
            wallet,
            picks,
            lives_seconds,
        } => {
            let pieces: Vec<Piece> = picks
                .iter()
                .map(|(grant, amount)| Piece {
                    grant: at(&n.grants, *grant),
                    amount: units(*amount),
                })
                .collect();
            let until = now.plus_seconds(*lives_seconds);
            let hold = hold_place(tx, &posting, n.wallets[*wallet], &pieces, until)?;
            n.holds.push(hold);
            Ok(hold_by_id(tx, shop.book, hold)?.opened_entry)
        }
        Step::Post { hold, amount } => {
            let hold = at(&n.holds, *hold);
            hold_post(tx, &posting, hold, shop.spent, units(*amount))
        }
        Step::Release { hold } => {
            hold_release(tx, shop.book, at(&n.holds, *hold), event_id, "tester")
        }
        Step::ExpireHold { hold } => hold_expire(tx, shop.book, at(&n.holds, *hold), event_id),
        other => panic!("no step of a hold: {other:?}"),
    }
}

fn command(shop: Shop, shared: &Shared, step: &Step) -> Command {
    let (shared, step) = (shared.clone(), step.clone());
    let mut before: Option<[usize; 3]> = None;
    Box::new(move |tx| {
        let mut noted = shared.lock().expect("no command panics");
        // The engine runs a batch again when one of its commands fails after it has written: what
        // was noted the first time, by this command and those behind it, counts for nothing then.
        let mut n = noted.clone();
        let [grants, holds, entries] =
            *before.get_or_insert([n.grants.len(), n.holds.len(), n.entries.len()]);
        n.grants.truncate(grants);
        n.holds.truncate(holds);
        n.entries.truncate(entries);
        run(tx, shop, &mut n, &step)?;
        *noted = n;
        Ok(())
    })
}

/// Steps that were queued, and what the model expects of them.
struct Queued<'a> {
    waiting: Vec<(&'a Step, Ticket<(), Error>, Outcome)>,
    /// Dropped to let the writer go on.
    gate: Option<Sender<()>>,
}

impl<'a> Queued<'a> {
    fn new() -> Self {
        Queued {
            waiting: Vec::new(),
            gate: None,
        }
    }

    /// Keeps the writer busy, so that what is queued now waits together.
    fn close_gate(&mut self, w: &World<'_>) {
        let (gate, wait) = channel::<()>();
        self.gate = Some(gate);
        drop(w.engine().submit(move |_| {
            let _ = wait.recv();
            Ok::<_, Error>(())
        }));
    }

    /// Waits for everything that is queued and compares the outcomes.
    fn settle(&mut self) -> Check {
        self.gate = None;
        let mut failed = Ok(());
        for (step, ticket, expected) in self.waiting.drain(..) {
            let outcome = ticket.wait().map_err(|e| name_of(&e));
            let expected = expected.map_err(str::to_owned);
            if outcome != expected && failed.is_ok() {
                failed = Err(format!("{step:?}: {outcome:?}, expected {expected:?}"));
            }
        }
        failed
    }
}

/// Plays a sequence in a new book.
pub fn play(w: &mut World<'_>, slug: &str, sequence: &Sequence) -> Check {
    let (shop, _) = w.shop_named(slug, "Model");
    let shared = Shared::default();
    for _ in 0..WALLETS {
        let wallet = shop.wallet(w, "wallet");
        shared.lock().expect("nobody else").wallets.push(wallet);
    }
    let mut model = Model::new(seconds(w));
    let together = sequence.together && is_sqlite(w);
    let mut queued = Queued::new();
    for step in &sequence.steps {
        if !model.can(step) {
            continue;
        }
        if matches!(step, Step::Reopen) {
            queued.settle()?;
            w.reopen();
            continue;
        }
        if let Step::Advance { seconds } = step {
            queued.settle()?;
            w.clock.advance_seconds(*seconds);
            model.apply(step).map_err(str::to_owned)?;
            continue;
        }
        if together && queued.gate.is_none() {
            queued.close_gate(w);
        }
        let ticket = w.engine().submit(command(shop, &shared, step));
        queued.waiting.push((step, ticket, model.apply(step)));
        if !together {
            queued.settle()?;
        }
    }
    queued.settle()?;
    let numbers = shared.lock().expect("no command panicked").clone();
    compare(w, shop, &model, &numbers)
}

fn is_sqlite(w: &World<'_>) -> bool {
    matches!(w.engine().url(), scrip_engine::DatabaseUrl::Sqlite(_))
}

/// Seconds since the start.
fn seconds(w: &World<'_>) -> i64 {
    (w.clock.now().0 - START.0) / 1_000_000
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Check {
    if got == expected {
        return Ok(());
    }
    Err(format!("{what}: {got:?}, expected {expected:?}"))
}

fn compare(w: &World<'_>, shop: Shop, model: &Model, n: &Numbers) -> Check {
    let grant = |real: i64| n.grants.iter().position(|g| *g == real);
    let named = |lots: Vec<(i64, i64)>| -> Vec<(Option<usize>, i64)> {
        lots.into_iter().map(|(g, left)| (grant(g), left)).collect()
    };
    let expected = |place: Place| -> Vec<(Option<usize>, i64)> {
        let lots = model.lots_of(place).into_iter();
        lots.map(|(g, left)| (Some(g), left)).collect()
    };
    let sums = [
        (shop.issued, Place::Issued),
        (shop.spent, Place::Spent),
        (shop.expired, Place::Expired),
    ];
    for (account, place) in sums {
        let real = shop.balance(w, account);
        same(&format!("{place:?}"), real, model.balance(place))?;
    }
    for (number, wallet) in n.wallets.iter().enumerate() {
        let (wallet, place) = (*wallet, Place::Wallet(number));
        same(
            &format!("{place:?}"),
            shop.balance(w, wallet),
            model.balance(place),
        )?;
        same(
            &format!("{place:?}"),
            named(shop.lots(w, wallet)),
            expected(place),
        )?;
        let history = w.read(|tx| account_history(tx, shop.book, wallet, None, 1000));
        let walked: Vec<(i64, i64)> = history
            .iter()
            .rev()
            .filter_map(|(t, _)| {
                if t.credit == wallet {
                    Some((t.amount.units(), t.credit_link?.1.units()))
                } else {
                    Some((-t.amount.units(), t.debit_link?.1.units()))
                }
            })
            .collect();
        same(
            &format!("history of {place:?}"),
            walked,
            model.histories[number].clone(),
        )?;
    }
    compare_holds(w, shop, model, n, &named, &expected)?;
    compare_totals(w, shop, n)?;
    let report = w.read(|tx| book_verify(tx, shop.book));
    same("verify", report.findings, Vec::new())
}

type Lots = Vec<(Option<usize>, i64)>;

fn compare_holds(
    w: &World<'_>,
    shop: Shop,
    model: &Model,
    n: &Numbers,
    named: &dyn Fn(Vec<(i64, i64)>) -> Lots,
    expected: &dyn Fn(Place) -> Lots,
) -> Check {
    same("holds", n.holds.len(), model.holds.len())?;
    for (real, hold) in n.holds.iter().zip(&model.holds) {
        let stored = w.read(|tx| hold_by_id(tx, shop.book, *real));
        let state = match stored.state {
            HoldState::Open => State::Open,
            HoldState::Posted => State::Posted,
            HoldState::Released => State::Released,
            HoldState::Expired => State::Expired,
        };
        same("state of a hold", state, hold.state)?;
        same("amount of a hold", stored.amount.units(), hold.amount())?;
        same("what was posted", stored.posted.units(), hold.posted)?;
        let held = Place::Held(hold.wallet);
        same(
            "what is held",
            named(shop.lots(w, stored.held)),
            expected(held),
        )?;
    }
    let mut due: Vec<(i64, i64)> = n
        .holds
        .iter()
        .zip(&model.holds)
        .filter(|(_, h): &(&i64, &Hold)| h.state == State::Open && h.expires_s <= model.now_s)
        .map(|(real, h)| (h.expires_s, *real))
        .collect();
    due.sort_unstable();
    let due: Vec<i64> = due.into_iter().map(|d| d.1).collect();
    same(
        "holds due",
        w.read(|tx| holds_due(tx, shop.book, 1000)),
        due,
    )
}

/// Value comes from issue and goes by spending and expiry; the rest is in wallets and holds.
fn compare_totals(w: &World<'_>, shop: Shop, n: &Numbers) -> Check {
    let mut accounts = n.wallets.clone();
    for hold in &n.holds {
        accounts.push(w.read(|tx| hold_by_id(tx, shop.book, *hold)).held);
    }
    accounts.sort_unstable();
    accounts.dedup();
    let (mut total, mut in_lots) = (0, 0);
    for account in accounts {
        total += w.read(|tx| account_balance(tx, shop.book, account)).units();
        let lots = w.read(|tx| lots_available(tx, shop.book, account));
        in_lots += lots.iter().map(|lot| lot.remaining.units()).sum::<i64>();
    }
    let [issued, spent, expired] =
        [shop.issued, shop.spent, shop.expired].map(|account| shop.balance(w, account));
    same("tokens in wallets", total, -issued - spent - expired)?;
    same("tokens in lots", in_lots, total)
}

//! What a running node does by itself: seals, rolls up, gives holds back, takes expired lots
//! out of wallets, asks about payments without an answer, forgets what is over.

use scrip_domain::card_event::events_handle;
use scrip_domain::catalog::CatalogError;
use scrip_domain::catalog::imports::{import_is_running, import_step, imports_expire};
use scrip_domain::catalog::reservation::reservations_expire;
use scrip_domain::catalog::shelf::{shelf_is_due, shelf_refresh};
use scrip_domain::command::answers_expire;
use scrip_domain::customer::{CustomerError, activation_sweep, registrations_expire};
use scrip_domain::expiry::{Expired, lots_expire};
use scrip_domain::gift_tokens::{GiftError, gifts_round};
use scrip_domain::mall::{
    Mall, MallError, clearing_close, clearing_due, franchise_clear, franchises_due, malls,
};
use scrip_domain::open_token::{OpenError, open_expire};
use scrip_domain::order::by_card::{card_orders_resolve, card_refunds_settle};
use scrip_domain::payback::paybacks_resolve;
use scrip_domain::policy::policy;
use scrip_domain::report::rollup::{pass_next, pass_write};
use scrip_domain::secret::stray_attempts_expire;
use scrip_domain::session::{SessionError, sessions_expire};
use scrip_domain::token_sale::{CardProcessor, LOOK_UP_AFTER_S, token_orders_resolve};
use scrip_domain::top_up::top_ups_run;
use scrip_domain::vendor::{Vendor, VendorError, is_sweeping, vendors};
use scrip_domain::{Actor, Node};
use scrip_engine::{Engine, Error as EngineError};
use scrip_ledger::{Error as LedgerError, books, hold_expire, holds_due, seal_next, wallets_due};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Holds or answers in one transaction.
const AT_ONCE: i64 = 10_000;
/// Products of the shelf in one transaction.
const SHELF_AT_ONCE: i64 = 200;
/// Sessions erased in one transaction.
const SESSIONS_AT_ONCE: usize = 1_000;
/// Wallets whose expired lots leave in one transaction: their customers wait for it.
const WALLETS_AT_ONCE: usize = 100;
/// Entries in one seal while customers wait for the same writer.
const SEALED_AT_ONCE: i64 = 256;
const SECOND: Duration = Duration::from_secs(1);
/// Seconds between two rounds of what is not urgent.
const ROUND_S: u32 = 60;

/// Seals all entries of a book that are not sealed yet; returns how many.
pub fn seal(engine: &Engine, book: i64, at_once: i64) -> Result<i64, LedgerError> {
    let mut entries = 0;
    while let Some(sealed) = engine.write(move |tx| seal_next(tx, book, at_once))? {
        entries += sealed.entries;
    }
    Ok(entries)
}

/// Gives back the holds of a book whose time is over; returns how many.
pub fn expire_holds(engine: &Engine, book: i64) -> Result<usize, LedgerError> {
    let due = engine.read(|tx| holds_due(tx, book, AT_ONCE))?;
    let mut expired = 0;
    for hold in due {
        let outcome = engine.write(move |tx| {
            let event_id = tx.new_id()?;
            hold_expire(tx, book, hold, event_id)
        });
        match outcome {
            Ok(_) => expired += 1,
            // Posted or released since it was looked for.
            Err(LedgerError::HoldClosed { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(expired)
}

/// Takes what has expired out of the wallets of a vendor.
pub fn expire_lots(engine: &Engine, vendor: &Vendor) -> Result<Expired, LedgerError> {
    let mut all = Expired::default();
    loop {
        let due = engine.read(|tx| wallets_due(tx, vendor.book_id, AT_ONCE))?;
        let due: Vec<i64> = due.into_iter().collect();
        let mut done = Expired::default();
        for some in due.chunks(WALLETS_AT_ONCE) {
            let (vendor, some) = (vendor.clone(), BTreeSet::from_iter(some.iter().copied()));
            let expired = engine.write(move |tx| lots_expire(tx, &vendor, &some))?;
            done = done.plus(expired)?;
        }
        all = all.plus(done)?;
        // None, or another process was quicker.
        if done.wallets == 0 {
            return Ok(all);
        }
    }
}

/// Takes what has expired of open tokens and gift certificates out of a mall's accounts.
fn expire_open(engine: &Engine, mall: &Mall) -> Result<Expired, OpenError> {
    let mut all = Expired::default();
    loop {
        let due = engine.read(|tx| wallets_due(tx, mall.book_id, AT_ONCE))?;
        let due: Vec<i64> = due.into_iter().collect();
        let mut done = Expired::default();
        for some in due.chunks(WALLETS_AT_ONCE) {
            let (mall, some) = (mall.clone(), BTreeSet::from_iter(some.iter().copied()));
            let expired = engine.write(move |tx| open_expire(tx, &mall, &some))?;
            done = done.plus(expired)?;
        }
        all = all.plus(done)?;
        if done.wallets == 0 {
            return Ok(all);
        }
    }
}

/// Adds new seals of a vendor to what reports keep; returns how many passes it took.
pub fn roll_up(engine: &Engine, vendor: &Vendor) -> Result<usize, LedgerError> {
    let mut passes = 0;
    while let Some(pass) = engine.read(|tx| pass_next(tx, vendor))? {
        let pass = Arc::new(pass);
        if !engine.write(move |tx| pass_write(tx, &pass))? {
            break;
        }
        passes += 1;
    }
    Ok(passes)
}

/// Forgets the stored answers of a book whose time is over; returns how many.
pub fn expire_answers(engine: &Engine, book: i64) -> Result<u64, EngineError> {
    engine.write(move |tx| answers_expire(tx, book))
}

/// Forgets attempts to sign in under names that nobody has, when they no longer count.
pub fn expire_attempts(engine: &Engine, book: i64) -> Result<u64, EngineError> {
    engine.write(move |tx| stray_attempts_expire(tx, book))
}

/// Makes the rows anew that searches look into, where a sale or a delivery changed what they say.
pub fn refresh_shelf(engine: &Engine, book: i64) -> Result<usize, CatalogError> {
    let mut rows: usize = 0;
    while engine.read(|tx| shelf_is_due(tx, book))? {
        let some = engine.write(move |tx| shelf_refresh(tx, book, SHELF_AT_ONCE))?;
        rows = rows.saturating_add(some);
    }
    Ok(rows)
}

/// Time that imports of one round may take: other jobs wait.
const IMPORT_TIME: Duration = Duration::from_millis(800);

/// Works on an import of a vendor that is under way, for a while.
pub fn import_further(engine: &Engine, book: i64) -> Result<(), CatalogError> {
    let begun = std::time::Instant::now();
    if !engine.read(|tx| import_is_running(tx, book))? {
        return Ok(());
    }
    let vendor = engine
        .read(|tx| scrip_domain::vendor::vendor_by_book(tx, book))
        .map_err(|e| EngineError::Corrupt(e.to_string()))?;
    while begun.elapsed() < IMPORT_TIME {
        let vendor = vendor.clone();
        if !engine.write(move |tx| import_step(tx, &vendor))? {
            break;
        }
    }
    Ok(())
}

/// Forgets imports whose time is over.
pub fn expire_imports(engine: &Engine, book: i64) -> Result<(), CatalogError> {
    while engine.write(move |tx| imports_expire(tx, book))? {}
    Ok(())
}

/// Forgets reservations that are over.
pub fn expire_reservations(engine: &Engine, book: i64) -> Result<u64, EngineError> {
    engine.write(move |tx| {
        let minutes = policy(tx, book)?.checkout.reserve_minutes;
        reservations_expire(tx, book, minutes)
    })
}

/// Erases registrations whose time is over, with the details of unfinished ones.
pub fn expire_registrations(engine: &Engine, book: i64) -> Result<u64, CustomerError> {
    engine.write(move |tx| registrations_expire(tx, book))
}

/// Makes accounts active that have enough since the minimum of a vendor was lowered; returns how
/// many.
pub fn activate(engine: &Engine, book: i64) -> Result<usize, CustomerError> {
    let mut active: usize = 0;
    if !engine.read(|tx| is_sweeping(tx, book))? {
        return Ok(active);
    }
    while let Some(some) = engine.write(move |tx| activation_sweep(tx, book))? {
        active = active.saturating_add(some);
    }
    Ok(active)
}

/// Erases sessions that are over.
pub fn expire_sessions(engine: &Engine) -> Result<usize, SessionError> {
    let mut erased: usize = 0;
    loop {
        let some = engine.write(|tx| sessions_expire(tx, SESSIONS_AT_ONCE))?;
        erased += some;
        if some < SESSIONS_AT_ONCE {
            return Ok(erased);
        }
    }
}

/// The thread that does all this beside a running server; dropping it stops the thread.
pub struct Jobs {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Jobs {
    /// Begins.
    pub fn start(node: Node, cards: Arc<dyn CardProcessor>) -> std::io::Result<Jobs> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("scrip-jobs".into())
            .spawn(move || work(&node, cards.as_ref(), &stopped))?;
        Ok(Jobs {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn work(node: &Node, cards: &dyn CardProcessor, stopped: &Receiver<()>) {
    let mut second: u32 = 0;
    while stopped.recv_timeout(SECOND) == Err(RecvTimeoutError::Timeout) {
        let all = match node.engine.read(|tx| books(tx)) {
            Ok(all) => all,
            Err(e) => {
                failed("list of books", &e);
                continue;
            }
        };
        let round = second.is_multiple_of(ROUND_S);
        for book in all {
            let (engine, id) = (&node.engine, book.book_id);
            noted("sealing", seal(engine, id, SEALED_AT_ONCE));
            noted("shelf", refresh_shelf(engine, id));
            noted("imports", import_further(engine, id));
            noted("activation", activate(engine, id));
            if round {
                noted("holds", expire_holds(engine, id));
                noted("answers", expire_answers(engine, id));
                noted("imports", expire_imports(engine, id));
                noted("attempts", expire_attempts(engine, id));
                noted("reservations", expire_reservations(engine, id));
                noted("registrations", expire_registrations(engine, id));
            }
        }
        if round {
            noted("sessions", expire_sessions(&node.engine));
            of_vendors(node, cards);
            noted("clearing", clear_malls(&node.engine));
            noted("expiry of open tokens", expire_malls(&node.engine));
        }
        second = second.wrapping_add(1);
    }
}

/// Gives what is due by itself: rewards for loyalty, shares of idle balances.
pub fn give_gifts(engine: &Engine, vendor: &Vendor) -> Result<(), GiftError> {
    loop {
        let vendor = vendor.clone();
        if !engine.write(move |tx| gifts_round(tx, &vendor))? {
            return Ok(());
        }
    }
}

/// Clears the franchises and malls whose period is over; returns how many.
pub fn clear_malls(engine: &Engine) -> Result<usize, MallError> {
    let mut cleared: usize = 0;
    for mall in engine.read(|tx| malls(tx))? {
        for parent in engine.read(|tx| franchises_due(tx, &mall))? {
            let mall = mall.clone();
            engine.write(move |tx| franchise_clear(tx, Actor::System, &mall, &parent))?;
            cleared = cleared.saturating_add(1);
        }
        if engine.read(|tx| clearing_due(tx, &mall))? {
            engine.write(move |tx| clearing_close(tx, Actor::System, &mall))?;
            cleared = cleared.saturating_add(1);
        }
    }
    Ok(cleared)
}

/// Takes what has expired of open tokens out of the accounts of all malls.
pub fn expire_malls(engine: &Engine) -> Result<Expired, OpenError> {
    let mut all = Expired::default();
    for mall in engine.read(|tx| malls(tx))? {
        all = all.plus(expire_open(engine, &mall)?)?;
    }
    Ok(all)
}

/// What is done for each vendor: lots that expired, after the holds that gave some back; payments
/// without an answer.
fn of_vendors(node: &Node, cards: &dyn CardProcessor) {
    let all = match node.engine.read(|tx| vendors(tx)) {
        Ok(all) => all,
        Err(e) => return failed::<VendorError>("list of vendors", &e),
    };
    for vendor in all {
        noted("lots", expire_lots(&node.engine, &vendor));
        noted("reports", roll_up(&node.engine, &vendor));
        noted(
            "payments",
            token_orders_resolve(node, cards, &vendor, LOOK_UP_AFTER_S),
        );
        noted(
            "payments of orders",
            card_orders_resolve(node, cards, &vendor, LOOK_UP_AFTER_S),
        );
        noted("refunds", card_refunds_settle(node, cards, &vendor));
        noted("card events", events_handle(node, cards, &vendor));
        noted("pay-backs", paybacks_resolve(node, cards, &vendor));
        noted("top-ups", top_ups_run(node, cards, &vendor));
        noted("gifts", give_gifts(&node.engine, &vendor));
    }
}

/// A job that failed is tried again in its next round.
fn noted<T, E: Display>(job: &str, done: Result<T, E>) {
    if let Err(e) = done {
        failed(job, &e);
    }
}

fn failed<E: Display>(job: &str, e: &E) {
    tracing::error!(job, error = %e, "a background job failed and will be tried again");
}

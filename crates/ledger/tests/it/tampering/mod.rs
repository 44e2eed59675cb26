//! `verify` names the row that was changed behind the ledger's back.
//!
//! Each case changes one thing of the same book with SQL, says which row must be named, and puts
//! it back.

mod accounts;
mod dues;
mod holds;
mod movements;
mod seals;

use crate::world::{Shop, World, both, leg, plain, units};
use scrip_engine::Read;
use scrip_ledger::{Posting, entry_reverse, hold_by_id, hold_post, hold_release, seal_next};
use scrip_testkit::TestDb;

both!(a_busy_book_is_clean);

/// A book with something of everything in it, and where to find it.
#[derive(Clone, Copy, Debug)]
struct Busy {
    shop: Shop,
    alice: i64,
    bob: i64,
    /// Issued to alice.
    grant: i64,
    /// Of three transfers: alice to bob, alice to sales, deferred to processor. Sealed.
    order: i64,
    /// Of one transfer, alice to sales. Sealed.
    later: i64,
    /// Of two transfers: bob to sales, deferred to processor. Not sealed.
    last: i64,
    /// Open, posted in part, released.
    holds: [i64; 3],
    held: i64,
    reversed: i64,
    reversal: i64,
}

fn posting(shop: Shop, tx: &mut scrip_engine::Tx<'_>) -> scrip_ledger::Result<Posting<'static>> {
    Ok(Posting {
        book_id: shop.book,
        event_id: tx.new_id()?,
        code: "order",
        actor: "tester",
        reference: "",
        effective_at: tx.now(),
        legs: &[],
    })
}

fn busy(w: &World<'_>) -> Busy {
    let shop = w.shop("busy");
    let (alice, bob) = (shop.wallet(w, "alice"), shop.wallet(w, "bob"));
    let grant = shop.issue(w, alice, 100);
    shop.issue(w, bob, 50);
    let order = [
        leg(alice, bob, 20, grant),
        leg(alice, shop.spent, 5, grant),
        plain(shop.deferred, shop.processor, 7),
    ];
    let order = shop.entry(w, &order).expect("an order");
    let later = shop.spend(w, alice, grant, 6).expect("later");
    let place = |amount| shop.hold(w, alice, &[(grant, amount)]).expect("a hold");
    let holds = [place(3), place(4), place(5)];
    w.write(move |tx| {
        let posting = posting(shop, tx)?;
        hold_post(tx, &posting, holds[1], shop.spent, units(1))?;
        let event = tx.new_id()?;
        hold_release(tx, shop.book, holds[2], event, "tester")
    })
    .expect("two of them closed");
    let reversed = shop.spend(w, alice, grant, 2).expect("a mistake");
    let reversal = w
        .write(move |tx| {
            let event = tx.new_id()?;
            entry_reverse(tx, shop.book, reversed, event, "tester")
        })
        .expect("reversed");
    shop.spend(w, alice, grant, 1).expect("one more");
    for limit in [4, 4, 5] {
        w.write(move |tx| seal_next(tx, shop.book, limit))
            .expect("sealed");
    }
    let last = [
        leg(bob, shop.spent, 8, grant),
        plain(shop.deferred, shop.processor, 9),
    ];
    let last = shop.entry(w, &last).expect("the last");
    let held = w.read(|tx| hold_by_id(tx, shop.book, holds[0])).held;
    Busy {
        shop,
        alice,
        bob,
        grant,
        order,
        later,
        last,
        holds,
        held,
        reversed,
        reversal,
    }
}

/// A change, and the row that must be named for it.
struct Case {
    sql: String,
    row: (&'static str, String),
    /// True where nothing but this row may be named.
    alone: bool,
}

fn also(sql: String, table: &'static str, key: impl ToString) -> Case {
    Case {
        sql,
        row: (table, key.to_string()),
        alone: false,
    }
}

fn only(sql: String, table: &'static str, key: impl ToString) -> Case {
    Case {
        alone: true,
        ..also(sql, table, key)
    }
}

/// Runs each case on a book of its own. One database is enough: what is changed is put back.
fn check(db: &TestDb, cases: impl Fn(&Busy) -> Vec<Case>) {
    let mut w = World::new(db);
    let b = busy(&w);
    b.shop.assert_clean(&w);
    let tables = [
        "account",
        "account_head",
        "held_account",
        "entry",
        "entry_tail",
        "transfer",
        "token_grant",
        "lot",
        "hold",
        "reversal",
        "rollup",
        "seal",
    ];
    let keep: String = tables
        .iter()
        .map(|t| format!("CREATE TABLE kept_{t} AS SELECT * FROM {t};"))
        .collect();
    let restore: String = tables
        .iter()
        .map(|t| format!("DELETE FROM {t}; INSERT INTO {t} SELECT * FROM kept_{t};"))
        .collect();
    w.tamper(&keep);
    for case in cases(&b) {
        w.tamper(&case.sql);
        let found = b.shop.findings(&w);
        assert!(
            found.contains(&case.row),
            "{}: {:?} should be named, found {found:?}",
            case.sql,
            case.row
        );
        if case.alone {
            assert!(
                found.iter().all(|f| *f == case.row),
                "{}: only {:?} is wrong, found {found:?}",
                case.sql,
                case.row
            );
        }
        w.tamper(&restore);
        b.shop.assert_clean(&w);
    }
}

/// MIC-07: whatever was done through the ledger, verify finds nothing wrong.
fn a_busy_book_is_clean(db: &TestDb) {
    let w = World::new(db);
    let b = busy(&w);
    b.shop.assert_clean(&w);
    let report = w.read(|tx| scrip_ledger::verify::book_verify(tx, b.shop.book));
    assert_eq!(report.entries, 13);
    assert_eq!(report.transfers, 17);
    assert_eq!(report.accounts, 8);
    assert_eq!(report.seals, 3);
    let empty = w.shop("empty");
    empty.assert_clean(&w);
}

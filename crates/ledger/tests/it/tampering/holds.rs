//! Changed holds, grants and reversals.

use super::{also, check, only};
use crate::world::{World, both};
use scrip_ledger::hold_by_id;
use scrip_testkit::TestDb;

both!(
    changed_holds_are_named,
    changed_grants_and_reversals_are_named,
    a_removed_hold_is_named_by_its_entry,
);

/// MIC-07: a hold that does not agree with its entries is named.
fn changed_holds_are_named(db: &TestDb) {
    check(db, |b| {
        let [open, posted, released] = b.holds;
        let hold = |id: i64, what: &str| format!("UPDATE hold SET {what} WHERE hold_id = {id};");
        let mut cases = Vec::new();
        for (id, what) in [
            (open, "amount = amount + 1"),
            (open, "posted = 1"),
            (open, "state = 'released'"),
            (open, "opened_entry = opened_entry + 1000"),
            (posted, "amount = amount + 1"),
            (posted, "posted = posted + 1"),
            (posted, "posted = 0"),
            (posted, "state = 'expired'"),
            (released, "amount = amount - 1"),
            (released, "state = 'posted'"),
            (released, "state = 'open', closed_entry = NULL"),
            (released, "closed_entry = NULL"),
        ] {
            cases.push(also(hold(id, what), "hold", id));
        }
        let other = format!("account_id = {}", b.bob);
        cases.push(only(hold(open, &other), "hold", open));
        let other = format!("held_id = {}", b.bob);
        cases.push(only(hold(open, &other), "hold", open));
        let other = format!("opened_entry = {}", b.later);
        cases.push(also(hold(open, &other), "hold", open));
        // Sums that happen to agree do not hide a foreign entry.
        let other =
            format!("closed_entry = (SELECT closed_entry FROM kept_hold WHERE hold_id = {posted})");
        cases.push(also(hold(released, &other), "hold", released));
        cases
    });
}

/// MIC-07: a grant or a reversal that was changed or removed is named.
fn changed_grants_and_reversals_are_named(db: &TestDb) {
    check(db, |b| {
        let grant = |what: &str| {
            format!(
                "UPDATE token_grant SET {what} WHERE grant_id = {};",
                b.grant
            )
        };
        let mut cases = Vec::new();
        cases.push(only(
            grant("quantity = quantity - 1"),
            "token_grant",
            b.grant,
        ));
        cases.push(only(grant("quantity = 1"), "token_grant", b.grant));
        cases.push(only(
            grant(&format!("asset_id = {}", b.shop.money)),
            "token_grant",
            b.grant,
        ));
        cases.push(only(
            format!("DELETE FROM token_grant WHERE grant_id = {};", b.grant),
            "token_grant",
            b.grant,
        ));
        cases.push(only(
            format!(
                "DELETE FROM reversal WHERE reversed_entry = {};",
                b.reversed
            ),
            "reversal",
            format!("by entry {}", b.reversal),
        ));
        cases.push(also(
            format!("UPDATE reversal SET entry_id = {};", b.later),
            "reversal",
            b.reversed,
        ));
        cases.push(only(
            format!("UPDATE reversal SET reversed_entry = {};", b.order),
            "reversal",
            b.order,
        ));
        cases
    });
}

/// A hold that was removed is named by the entry that placed it.
fn a_removed_hold_is_named_by_its_entry(db: &TestDb) {
    let mut w = World::new(db);
    let shop = w.shop("deleted");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 10);
    let hold = shop.hold(&w, alice, &[(grant, 3)]).expect("a hold");
    let opened = w.read(|tx| hold_by_id(tx, shop.book, hold)).opened_entry;
    w.tamper(&format!("DELETE FROM hold WHERE hold_id = {hold};"));
    assert_eq!(shop.findings(&w), [("hold", format!("of entry {opened}"))]);
}

//! Changed accounts and lots.

use super::{also, check, only};
use crate::world::both;
use scrip_testkit::TestDb;

both!(changed_accounts_are_named, changed_lots_are_named,);

/// MIC-07: an account, its head or its held account that was changed is named.
fn changed_accounts_are_named(db: &TestDb) {
    check(db, |b| {
        let head = |what: &str| {
            format!(
                "UPDATE account_head SET {what} WHERE account_id = {};",
                b.alice
            )
        };
        let account =
            |id: i64, what: &str| format!("UPDATE account SET {what} WHERE account_id = {id};");
        vec![
            only(head("balance = balance - 1"), "account_head", b.alice),
            only(head("head = head + 1000"), "account_head", b.alice),
            only(head("head = 0, balance = 0"), "account_head", b.alice),
            only(
                head(&format!("head = {}", b.later)),
                "account_head",
                b.alice,
            ),
            only(head(&format!("head = {}", b.last)), "account_head", b.alice),
            only(
                format!("DELETE FROM account_head WHERE account_id = {};", b.alice),
                "account_head",
                b.alice,
            ),
            also(account(b.alice, "mode = 'summed'"), "account", b.alice),
            also(
                account(b.shop.spent, "kind = 'wallet'"),
                "account",
                b.shop.spent,
            ),
            also(
                account(b.shop.spent, "kind = 'purse'"),
                "account",
                b.shop.spent,
            ),
            also(
                format!("DELETE FROM account WHERE account_id = {};", b.alice),
                "account",
                b.alice,
            ),
            also(
                format!("DELETE FROM account WHERE account_id = {};", b.shop.spent),
                "account",
                b.shop.spent,
            ),
            only(
                format!("UPDATE held_account SET held_id = {};", b.bob),
                "held_account",
                b.alice,
            ),
        ]
    });
}

/// MIC-07: a lot that was changed, removed or slipped in is named.
fn changed_lots_are_named(db: &TestDb) {
    check(db, |b| {
        let lot = format!("{}/{}", b.alice, b.grant);
        let held = format!("{}/{}", b.held, b.grant);
        let none = format!("{}/{}", b.bob, 424_242);
        let on_lot = |sql: &str| {
            format!(
                "{sql} WHERE account_id = {} AND grant_id = {};",
                b.alice, b.grant
            )
        };
        vec![
            only(
                on_lot("UPDATE lot SET remaining = remaining + 1"),
                "lot",
                &lot,
            ),
            only(on_lot("DELETE FROM lot"), "lot", &lot),
            only(
                format!(
                    "UPDATE lot SET remaining = 1 WHERE account_id = {};",
                    b.held
                ),
                "lot",
                &held,
            ),
            only(
                format!(
                    "INSERT INTO lot SELECT book_id, {}, 424242, 1 FROM lot LIMIT 1;",
                    b.bob
                ),
                "lot",
                &none,
            ),
        ]
    });
}

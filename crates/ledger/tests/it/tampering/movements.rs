//! Changed transfers and entries.

use super::{Case, also, check, only};
use crate::world::both;
use scrip_testkit::TestDb;

both!(changed_transfers_are_named, changed_entries_are_named,);

/// MIC-07: a transfer that was changed, removed or added is named.
fn changed_transfers_are_named(db: &TestDb) {
    check(db, |b| {
        let (first, second, third) = (b.order, b.order + 1, b.order + 2);
        let set = |transfer: i64, what: &str| {
            format!("UPDATE transfer SET {what} WHERE transfer_id = {transfer};")
        };
        let mut cases = Vec::new();
        for (transfer, columns) in [
            (
                first,
                "debit_balance credit_balance debit_previous credit_previous",
            ),
            (second, "debit_balance debit_previous"),
            (b.later, "debit_balance debit_previous"),
            (b.last, "debit_balance debit_previous"),
        ] {
            for column in columns.split(' ') {
                let sql = set(transfer, &format!("{column} = {column} + 1"));
                cases.push(also(sql, "transfer", transfer));
            }
            let sql = set(transfer, "amount = amount + 1");
            cases.push(also(sql, "transfer", transfer));
            let sql = format!("DELETE FROM transfer WHERE transfer_id = {transfer};");
            cases.push(also(sql, "transfer", transfer));
            let sql = set(transfer, "entry_id = entry_id + 100000");
            cases.push(also(sql, "transfer", transfer));
        }
        // Past a transfer of the same account, to one before it.
        cases.push(also(
            set(b.later, &format!("debit_previous = {first}")),
            "transfer",
            b.later,
        ));
        cases.push(also(set(second, "debit_previous = 0"), "transfer", second));
        // In a circle.
        cases.push(also(
            set(first, &format!("debit_previous = {}", b.later)),
            "transfer",
            first,
        ));
        // Nothing of a transfer between summed accounts shows but in its entry's digest.
        for what in ["amount = amount - 1", "debit_id = 1, credit_id = 2"] {
            cases.push(also(set(third, what), "entry", b.order));
        }
        cases.push(also(
            set(second, &format!("debit_id = {}", b.bob)),
            "transfer",
            second,
        ));
        cases.push(also(
            set(second, "asset_id = asset_id + 1"),
            "transfer",
            second,
        ));
        cases.push(also(
            set(second, "grant_id = grant_id + 1"),
            "entry",
            b.order,
        ));
        cases.push(also(
            format!(
                "INSERT INTO transfer SELECT book_id, 900000, entry_id, debit_id, credit_id,
                 asset_id, amount, grant_id, debit_previous, debit_balance, credit_previous,
                 credit_balance FROM transfer WHERE transfer_id = {second};"
            ),
            "transfer",
            900_000,
        ));
        cases
    });
}

/// MIC-07: an entry that was changed, removed or slipped in is named.
fn changed_entries_are_named(db: &TestDb) {
    check(db, |b| {
        let mut cases = Vec::new();
        for entry in [b.order, b.last] {
            for what in [
                "code = 'gift'",
                "actor = 'nobody'",
                "reference = 'R-2'",
                "effective_at = effective_at + 1",
                "recorded_at = recorded_at - 1",
                "transfers = transfers + 1",
                "transfers = 9000000000000000000",
                "digest = kept.digest FROM (SELECT digest FROM kept_entry LIMIT 1) AS kept",
            ] {
                let sql = format!("UPDATE entry SET {what} WHERE entry_id = {entry};");
                let alone = !what.starts_with("digest");
                let case = also(sql, "entry", entry);
                // A seal covers the digest too.
                cases.push(Case { alone, ..case });
            }
            let sql = format!("UPDATE entry SET transfers = 1 WHERE entry_id = {entry};");
            cases.push(also(sql, "entry", entry));
            let sql = format!("DELETE FROM entry WHERE entry_id = {entry};");
            cases.push(only(sql, "entry", entry));
            let sql = format!(
                "DELETE FROM entry WHERE entry_id = {entry};
                 DELETE FROM transfer WHERE entry_id = {entry};"
            );
            // Unsealed and gone with its transfers, it leaves a hole in bob's chain.
            let row = if entry == b.last && db.is_sqlite() {
                ("account_head", b.bob)
            } else {
                ("entry", entry)
            };
            cases.push(also(sql, row.0, row.1));
        }
        cases
    });
}

//! Changed seals, roll-ups and digests, and what waits to be sealed.

use super::{also, busy, check, only};
use crate::world::{World, both, units};
use scrip_engine::{Read, params};
use scrip_ledger::{Amount, Entry, Transfer, entries_by_id, entry_transfers};
use scrip_testkit::TestDb;
use sha2::{Digest, Sha256};

both!(
    changed_seals_and_roll_ups_are_named,
    a_forged_digest_is_found_by_the_seal_or_the_chain,
    a_tail_that_was_changed_is_named,
);

/// MIC-07: a seal that was changed or removed is named, and so is a roll-up.
fn changed_seals_and_roll_ups_are_named(db: &TestDb) {
    check(db, |b| {
        let seal = |no: i64, what: &str| format!("UPDATE seal SET {what} WHERE seal_no = {no};");
        let roll_up = |account: i64, what: &str| {
            format!("UPDATE rollup SET {what} WHERE account_id = {account};")
        };
        let (spent, processor) = (b.shop.spent, b.shop.processor);
        vec![
            only(roll_up(spent, "balance = balance + 1"), "rollup", spent),
            only(roll_up(processor, "balance = 0"), "rollup", processor),
            only(
                format!("DELETE FROM rollup WHERE account_id = {spent};"),
                "rollup",
                spent,
            ),
            only(
                format!(
                    "INSERT INTO rollup SELECT book_id, {}, 1 FROM rollup LIMIT 1;",
                    b.alice
                ),
                "rollup",
                b.alice,
            ),
            also(
                seal(
                    2,
                    "hash = kept.hash FROM (SELECT hash FROM kept_seal WHERE seal_no = 1) AS kept",
                ),
                "seal",
                2,
            ),
            only(seal(1, "sealed_at = sealed_at + 1"), "seal", 1),
            only(seal(1, "last_entry = last_entry + 1"), "seal", 1),
            only(seal(3, "entries = entries + 1"), "seal", 3),
            also(
                seal(
                    2,
                    "members = kept.members FROM (SELECT members FROM kept_seal WHERE seal_no = 1) AS kept",
                ),
                "seal",
                2,
            ),
            only("DELETE FROM seal WHERE seal_no = 1;".into(), "seal", 1),
            only("DELETE FROM seal WHERE seal_no = 2;".into(), "seal", 2),
            only("DELETE FROM seal WHERE seal_no = 3;".into(), "seal", 3),
            only("DELETE FROM seal WHERE seal_no >= 2;".into(), "seal", 2),
            only("DELETE FROM seal;".into(), "seal", 1),
            only(
                format!(
                    "UPDATE entry SET reference = 'R-2' WHERE entry_id = {};",
                    b.order
                ),
                "entry",
                b.order,
            ),
        ]
    });
}

/// The digest of an entry as the ledger makes it, by one who would forge it.
fn digest(book: i64, entry: &Entry, transfers: &[Transfer]) -> String {
    let mut bytes = Vec::new();
    let header = [
        book,
        entry.entry_id,
        entry.effective_at.0,
        entry.recorded_at.0,
        entry.transfers,
    ];
    bytes.extend(header.iter().flat_map(|n| n.to_le_bytes()));
    for t in transfers {
        let link = |l: Option<(i64, Amount)>| l.map_or([-1, 0], |l| [l.0, l.1.units()]);
        let [debit, credit] = [link(t.debit_link), link(t.credit_link)];
        let numbers = [
            t.transfer_id,
            t.entry_id,
            t.debit,
            t.credit,
            t.asset_id,
            t.amount.units(),
            t.grant_id.unwrap_or(0),
            debit[0],
            debit[1],
            credit[0],
            credit[1],
        ];
        bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
    }
    bytes.extend(entry.event_id.as_bytes());
    for text in [&entry.code, &entry.actor, &entry.reference] {
        bytes.extend(text.len().to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    let hash = Sha256::digest(&bytes);
    hash.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// MIC-07: who changes an entry and its digest still breaks its seal; unsealed, the chain of the
/// wallet.
fn a_forged_digest_is_found_by_the_seal_or_the_chain(db: &TestDb) {
    let mut w = World::new(db);
    let b = busy(&w);
    let (order, last) = (b.order, b.last);
    let read = |w: &World<'_>, entry: i64| {
        w.read(|tx| {
            let entry = entries_by_id(tx, b.shop.book, entry)?;
            let transfers = entry_transfers(tx, b.shop.book, &entry)?;
            Ok((entry, transfers))
        })
    };
    let set_digest = |entry: i64, digest: &str| {
        let bytes = if db.is_sqlite() {
            format!("X'{digest}'")
        } else {
            format!("'\\x{digest}'")
        };
        format!("UPDATE entry SET digest = {bytes} WHERE entry_id = {entry};")
    };
    let (mut entry, transfers) = read(&w, order);
    let genuine = digest(b.shop.book, &entry, &transfers);
    w.tamper(&set_digest(order, &genuine));
    b.shop.assert_clean(&w);

    entry.reference = "R-9".into();
    let forged = digest(b.shop.book, &entry, &transfers);
    w.tamper(&format!(
        "UPDATE entry SET reference = 'R-9' WHERE entry_id = {order}; {}",
        set_digest(order, &forged)
    ));
    assert_eq!(b.shop.findings(&w), [("seal", "1".into())]);
    w.tamper(&format!(
        "UPDATE entry SET reference = 'R-1' WHERE entry_id = {order}; {}",
        set_digest(order, &genuine)
    ));
    b.shop.assert_clean(&w);

    let (entry, mut transfers) = read(&w, last);
    transfers[0].amount = units(1);
    let forged = digest(b.shop.book, &entry, &transfers);
    w.tamper(&format!(
        "UPDATE transfer SET amount = 1 WHERE transfer_id = {last}; {}",
        set_digest(last, &forged)
    ));
    let found = b.shop.findings(&w);
    assert!(found.contains(&("transfer", last.to_string())), "{found:?}");
}

/// An entry that no seal will ever cover is named.
fn a_tail_that_was_changed_is_named(db: &TestDb) {
    let mut w = World::new(db);
    let b = busy(&w);
    let tail = w.read(|tx| {
        let sql = "SELECT entry_id FROM entry_tail WHERE book_id = $1";
        Ok(tx.query(sql, params![b.shop.book])?.len())
    });
    if db.is_sqlite() {
        assert_eq!(tail, 0);
        // Slipped in below what is sealed.
        w.tamper(&format!(
            "UPDATE seal SET members = (SELECT members FROM seal WHERE seal_no = 1)
             WHERE seal_no = 2 AND {} > 0;",
            b.order
        ));
        let found = b.shop.findings(&w);
        assert!(found.iter().any(|f| f.0 == "entry"), "{found:?}");
        return;
    }
    assert_eq!(tail, 1);
    w.tamper("DELETE FROM entry_tail;");
    assert_eq!(b.shop.findings(&w), [("entry_tail", b.last.to_string())]);
    w.tamper(&format!(
        "INSERT INTO entry_tail SELECT book_id, entry_id FROM entry
         WHERE entry_id IN ({}, {});",
        b.last, b.order
    ));
    assert_eq!(b.shop.findings(&w), [("entry_tail", b.order.to_string())]);
}

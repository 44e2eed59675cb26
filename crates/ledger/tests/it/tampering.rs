//! `verify` names the row that was changed behind the ledger's back.
//!
//! Each case builds the same book, changes one thing with SQL, and says which row must be named.

use crate::world::{Shop, World, both, leg, plain, units};
use scrip_engine::{Read, params};
use scrip_ledger::verify::{Dues, Report, book_dues, dues_verify};
use scrip_ledger::{
    AccountKind, Amount, BookKind, Entry, NewAccount, Posting, Transfer, account_open, asset_by_id,
    book_create, entries_by_id, entry_post, entry_reverse, entry_transfers, hold_by_id, hold_post,
    hold_release, seal_next,
};
use scrip_testkit::TestDb;
use sha2::{Digest, Sha256};

both!(
    a_busy_book_is_clean,
    changed_transfers_are_named,
    changed_entries_are_named,
    changed_accounts_and_lots_are_named,
    changed_holds_grants_and_reversals_are_named,
    changed_seals_and_roll_ups_are_named,
    a_forged_digest_is_found_by_the_seal_or_the_chain,
    dues_that_disagree_are_named,
    a_tail_that_was_changed_is_named,
);

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

fn changed_accounts_and_lots_are_named(db: &TestDb) {
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
        let head = |what: &str| {
            format!(
                "UPDATE account_head SET {what} WHERE account_id = {};",
                b.alice
            )
        };
        let account =
            |id: i64, what: &str| format!("UPDATE account SET {what} WHERE account_id = {id};");
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

fn changed_holds_grants_and_reversals_are_named(db: &TestDb) {
    check(db, |b| {
        let [open, posted, released] = b.holds;
        let hold = |id: i64, what: &str| format!("UPDATE hold SET {what} WHERE hold_id = {id};");
        let grant = |what: &str| {
            format!(
                "UPDATE token_grant SET {what} WHERE grant_id = {};",
                b.grant
            )
        };
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
    deleted_holds_are_missed(db);
}

/// A hold that was removed is named by the entry that placed it.
fn deleted_holds_are_missed(db: &TestDb) {
    let mut w = World::new(db);
    let shop = w.shop("deleted");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 10);
    let hold = shop.hold(&w, alice, &[(grant, 3)]).expect("a hold");
    let opened = w.read(|tx| hold_by_id(tx, shop.book, hold)).opened_entry;
    w.tamper(&format!("DELETE FROM hold WHERE hold_id = {hold};"));
    assert_eq!(shop.findings(&w), [("hold", format!("of entry {opened}"))]);
}

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

/// Two books, each of which has an account for what it owes the other.
fn dues_that_disagree_are_named(db: &TestDb) {
    let mut w = World::new(db);
    let shop = w.shop("debtor");
    let other = w
        .write(move |tx| book_create(tx, BookKind::Vendor, "creditor", "Creditor"))
        .expect("another book")
        .book_id;
    let due = |book_id: i64, counterparty: i64| {
        w.write(move |tx| {
            let open = |tx: &mut scrip_engine::Tx<'_>, kind, counterparty| {
                account_open(
                    tx,
                    &NewAccount {
                        book_id,
                        asset_id: shop.money,
                        kind,
                        label: "due",
                        owner: None,
                        counterparty,
                    },
                )
            };
            let against = open(tx, AccountKind::Deferred, None)?;
            Ok((open(tx, AccountKind::Due, Some(counterparty))?, against))
        })
        .expect("accounts")
    };
    let (ours, our_side) = due(shop.book, other);
    let (theirs, their_side) = due(other, shop.book);
    w.write(move |tx| {
        assert_eq!(asset_by_id(tx, shop.money)?.code, "EUR");
        for (book_id, legs) in [
            (shop.book, [plain(our_side, ours, 500)]),
            (other, [plain(theirs, their_side, 500)]),
        ] {
            let posting = posting(shop, tx)?;
            let legs = &legs;
            entry_post(
                tx,
                &Posting {
                    book_id,
                    legs,
                    ..posting
                },
            )?;
        }
        Ok(())
    })
    .expect("a sale on credit");
    let findings = |w: &World<'_>| {
        let mut report = Report::default();
        let mut dues = Dues::new();
        w.read(|tx| {
            for book in [shop.book, other] {
                book_dues(tx, book, &mut dues)?;
            }
            Ok(())
        });
        dues_verify(&dues, &mut report);
        let found = report.findings.into_iter().map(|f| (f.table, f.key));
        (dues, found.collect::<Vec<_>>())
    };
    let (dues, found) = findings(&w);
    assert_eq!(dues[&(shop.book, other, shop.money)], units(500));
    assert_eq!(dues[&(other, shop.book, shop.money)], units(-500));
    assert_eq!(found, []);
    w.tamper(&format!(
        "UPDATE transfer SET amount = 499 WHERE debit_id = {theirs};"
    ));
    let (_, found) = findings(&w);
    let named = |book: i64| ("account", format!("due of book {book}"));
    assert_eq!(found, [named(shop.book), named(other)]);
    // One whose counterpart is missing altogether.
    w.tamper(&format!("DELETE FROM account WHERE account_id = {theirs};"));
    assert_eq!(findings(&w).1, [named(shop.book)]);
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

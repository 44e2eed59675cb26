//! Books that disagree about what they owe each other.

use super::posting;
use crate::world::{World, both, plain, units};
use scrip_ledger::verify::{Dues, Report, book_dues, dues_verify};
use scrip_ledger::{
    AccountKind, BookKind, NewAccount, Posting, account_open, asset_by_id, book_create, entry_post,
};
use scrip_testkit::TestDb;

both!(dues_that_disagree_are_named,);

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

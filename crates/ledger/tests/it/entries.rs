//! Posting: what is refused and in which order, all or nothing, reversal, history.

use crate::world::{World, both, leg, plain, refused, units};
use scrip_engine::{Read, Timestamp, params};
use scrip_ledger::{
    AccountKind, Error, NewGrant, Origin, account_history, entries_by_id, entry_reverse,
    entry_transfers, grant_open, grant_pay_off, lots_locked,
};
use scrip_testkit::TestDb;
use uuid::Uuid;

both!(
    checks_come_in_the_documented_order,
    a_refused_entry_leaves_nothing,
    what_a_failed_command_opened_is_gone,
    a_wallet_may_move_twice_in_one_entry,
    a_balance_that_would_overflow_is_refused,
    an_entry_is_reversed_once,
    spent_tokens_cannot_be_reversed,
    history_is_walked_newest_first,
    a_grant_is_paid_off_once,
    commands_of_one_batch_see_each_other,
);

/// MIC-07: what is wrong with a posting is found before anything is written, and the first
/// reason in the documented order is given.
fn checks_come_in_the_documented_order(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("order");
    let (alice, bob) = (shop.wallet(&w, "alice"), shop.wallet(&w, "bob"));
    let grant = shop.issue(&w, alice, 10);
    let other_grant = shop.issue(&w, bob, 50);
    let money_grant = w
        .write(move |tx| {
            let new = NewGrant {
                asset_id: shop.money,
                origin: Origin::Free,
                restriction: None,
                expires_at: Timestamp::NEVER,
                quantity: units(5),
                paid: units(0),
                paid_asset_id: None,
                granted_at: tx.now(),
            };
            grant_open(tx, shop.book, &new)
        })
        .expect("a grant of money");
    let hold = shop.hold(&w, bob, &[(other_grant, 50)]).expect("a hold");
    let held = w
        .read(|tx| scrip_ledger::hold_by_id(tx, shop.book, hold))
        .held;
    // Each case is wrong in what it is named for and in all that come later.
    let cases = [
        ("EntrySize", vec![]),
        ("EntrySize", vec![leg(1, 1, 0, 0); 100_001]),
        ("AccountUnknown", vec![leg(999_999, 999_999, 0, 0)]),
        ("NotPositive", vec![leg(alice, alice, 0, 0)]),
        ("NotPositive", vec![leg(alice, alice, -5, 0)]),
        ("SameAccount", vec![leg(alice, alice, 99, 0)]),
        ("SameAccount", vec![plain(shop.issued, shop.issued, 99)]),
        ("AssetMismatch", vec![plain(held, shop.processor, 99)]),
        ("HeldAccount", vec![plain(held, bob, 99)]),
        ("HeldAccount", vec![plain(alice, held, 99)]),
        ("GrantMissing", vec![plain(alice, shop.spent, 99)]),
        ("GrantMissing", vec![plain(shop.issued, alice, 99)]),
        ("GrantUnknown", vec![leg(alice, shop.spent, 99, 777_777)]),
        (
            "GrantMismatch",
            vec![leg(alice, shop.spent, 99, money_grant)],
        ),
        (
            "Insufficient",
            vec![leg(alice, shop.spent, 11, other_grant)],
        ),
        (
            "LotInsufficient",
            vec![leg(alice, shop.spent, 1, other_grant)],
        ),
        // Legs are checked one after another.
        (
            "Insufficient",
            vec![leg(alice, bob, 11, grant), leg(alice, alice, 0, 0)],
        ),
        (
            "Insufficient",
            vec![leg(alice, bob, 6, grant), leg(alice, bob, 5, grant)],
        ),
        (
            "LotInsufficient",
            vec![leg(alice, bob, 6, grant), leg(bob, alice, 1, other_grant)],
        ),
    ];
    for (expected, legs) in cases {
        let text = format!("{:?}", legs.iter().take(2).collect::<Vec<_>>());
        assert_eq!(refused(shop.entry(&w, &legs)), expected, "{text}");
    }
    assert_eq!(shop.lots(&w, alice), [(grant, 10)]);
    assert_eq!(shop.balance(&w, shop.spent), 0);
    shop.assert_clean(&w);
    // Another book's accounts are unknown here.
    let stranger = w.shop("stranger");
    let entry = stranger.entry(&w, &[leg(alice, bob, 1, grant)]);
    assert_eq!(refused(entry), "AccountUnknown");
}

/// MIC-07: an entry whose last movement is refused moves nothing at all.
fn a_refused_entry_leaves_nothing(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("nothing");
    let (alice, bob) = (shop.wallet(&w, "alice"), shop.wallet(&w, "bob"));
    let grant = shop.issue(&w, alice, 10);
    let legs = [
        leg(alice, bob, 4, grant),
        plain(shop.deferred, shop.processor, 7),
        leg(alice, shop.spent, 7, grant),
    ];
    let Err(Error::Insufficient {
        account,
        has,
        needs,
    }) = shop.entry(&w, &legs)
    else {
        panic!("it must be refused");
    };
    assert_eq!((account, has, needs), (alice, units(6), units(7)));
    // Also where the command goes on, and is kept.
    let caught = w.write(move |tx| {
        let refusal = shop.post(tx, "order", &legs);
        assert!(refusal.is_err());
        shop.post(tx, "order", &[leg(alice, shop.spent, 1, grant)])
    });
    caught.expect("the second entry stands");
    assert_eq!(shop.lots(&w, alice), [(grant, 9)]);
    assert_eq!(shop.lots(&w, bob), []);
    for account in [shop.deferred, shop.processor] {
        assert_eq!(shop.balance(&w, account), 0);
    }
    shop.assert_clean(&w);
}

/// MIC-07: accounts and grants of a command that failed exist for nobody.
fn what_a_failed_command_opened_is_gone(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("gone");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 10);
    let (sender, receiver) = std::sync::mpsc::channel();
    let failed: scrip_ledger::Result<()> = w.write(move |tx| {
        let account = scrip_ledger::account_open(
            tx,
            &scrip_ledger::NewAccount {
                book_id: shop.book,
                asset_id: shop.token,
                kind: AccountKind::Spent,
                label: "other",
                owner: None,
                counterparty: None,
            },
        )?;
        let grant = shop.grant_in(tx, 5, Timestamp::NEVER)?;
        shop.post(tx, "order", &[leg(shop.issued, alice, 5, grant)])?;
        shop.post(tx, "order", &[leg(alice, account, 12, grant)])
            .expect_err("twelve of five");
        let _ = sender.send((account, grant));
        Err(Error::NotPositive)
    });
    assert_eq!(refused(failed), "NotPositive");
    let (account, lost_grant) = receiver.recv().expect("their numbers");
    let to_account = shop.entry(&w, &[leg(alice, account, 1, grant)]);
    assert_eq!(refused(to_account), "AccountUnknown");
    let of_grant = shop.entry(&w, &[leg(shop.issued, alice, 1, lost_grant)]);
    assert_eq!(refused(of_grant), "GrantUnknown");
    assert_eq!(shop.lots(&w, alice), [(grant, 10)]);
    shop.assert_clean(&w);
}

fn a_wallet_may_move_twice_in_one_entry(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("twice");
    let (alice, bob) = (shop.wallet(&w, "alice"), shop.wallet(&w, "bob"));
    let (first, second) = (shop.issue(&w, alice, 10), shop.issue(&w, alice, 20));
    let entry = shop
        .entry(
            &w,
            &[
                leg(alice, bob, 10, first),
                leg(alice, shop.spent, 5, second),
                leg(bob, alice, 4, first),
            ],
        )
        .expect("three movements");
    let (record, transfers) = w.read(|tx| {
        let record = entries_by_id(tx, shop.book, entry)?;
        let transfers = entry_transfers(tx, shop.book, &record)?;
        Ok((record, transfers))
    });
    assert_eq!((record.transfers, transfers.len()), (3, 3));
    let balances: Vec<_> = transfers
        .iter()
        .map(|t| {
            (
                t.debit_link.map(|l| l.1.units()),
                t.credit_link.map(|l| l.1.units()),
            )
        })
        .collect();
    assert_eq!(
        balances,
        [(Some(20), Some(10)), (Some(15), None), (Some(6), Some(19))]
    );
    assert_eq!(transfers[1].previous(alice), Some(entry));
    assert_eq!(transfers[2].previous(alice), Some(entry + 1));
    assert_eq!(transfers[2].previous(bob), Some(entry));
    assert_eq!(shop.lots(&w, alice), [(first, 4), (second, 15)]);
    assert_eq!(shop.lots(&w, bob), [(first, 6)]);
    shop.assert_clean(&w);
}

/// MIC-01: a balance beyond 64 bits is refused, never wrapped.
fn a_balance_that_would_overflow_is_refused(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("overflow");
    let alice = shop.wallet(&w, "alice");
    let most = shop.issue(&w, alice, i64::MAX);
    let grant = shop.grant(&w, 1);
    let entry = shop.entry(&w, &[leg(shop.issued, alice, 1, grant)]);
    assert_eq!(refused(entry), "Overflow");
    assert_eq!(shop.lots(&w, alice), [(most, i64::MAX)]);
    shop.spend(&w, alice, most, i64::MAX).expect("all of it");
    assert_eq!(shop.balance(&w, shop.spent), i64::MAX);
    assert_eq!(shop.balance(&w, shop.issued), -i64::MAX);
    shop.assert_clean(&w);
}

fn an_entry_is_reversed_once(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("reversal");
    let (alice, bob) = (shop.wallet(&w, "alice"), shop.wallet(&w, "bob"));
    let grant = shop.issue(&w, alice, 10);
    let legs = [
        leg(alice, bob, 6, grant),
        leg(bob, shop.spent, 5, grant),
        plain(shop.deferred, shop.processor, 7),
    ];
    let entry = shop.entry(&w, &legs).expect("an order");
    let reverse = |entry: i64| {
        w.write(move |tx| {
            let event = tx.new_id()?;
            entry_reverse(tx, shop.book, entry, event, "clerk")
        })
    };
    let undone = reverse(entry).expect("reversed");
    let record = w.read(|tx| entries_by_id(tx, shop.book, undone));
    assert_eq!(
        (record.code.as_str(), record.actor.as_str()),
        ("reversal", "clerk")
    );
    assert_eq!(record.reference, "R-1");
    assert_eq!(shop.lots(&w, alice), [(grant, 10)]);
    assert_eq!(shop.lots(&w, bob), []);
    assert_eq!(shop.balance(&w, shop.deferred), 0);
    assert_eq!(refused(reverse(entry)), "AlreadyReversed");
    assert_eq!(refused(reverse(999_999)), "EntryUnknown");
    // A reversal is an entry like others.
    reverse(undone).expect("done again");
    assert_eq!(shop.balance(&w, shop.spent), 5);
    shop.assert_clean(&w);

    // Of many at once, one.
    let entry = shop.spend(&w, alice, grant, 1).expect("one token");
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| reverse(entry))).collect();
        let joined = threads.into_iter().map(|t| t.join().expect("no panic"));
        joined.map(refused).collect()
    });
    assert_eq!(results.iter().filter(|r| *r == "Ok").count(), 1);
    assert_eq!(
        results.iter().filter(|r| *r == "AlreadyReversed").count(),
        7
    );
    shop.assert_clean(&w);
}

/// MIC-07: what was spent since cannot come back.
fn spent_tokens_cannot_be_reversed(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("spent");
    let alice = shop.wallet(&w, "alice");
    let (first, entry) = shop.issue_until(&w, alice, 10, Timestamp::NEVER);
    shop.spend(&w, alice, first, 1).expect("one");
    let reverse = move |entry: i64| {
        move |tx: &mut scrip_engine::Tx<'_>| {
            entry_reverse(tx, shop.book, entry, Uuid::nil(), "clerk")
        }
    };
    assert_eq!(refused(w.write(reverse(entry))), "Insufficient");
    // Other tokens do not stand in for them.
    let second = shop.issue(&w, alice, 10);
    assert_eq!(refused(w.write(reverse(entry))), "LotInsufficient");
    assert_eq!(shop.lots(&w, alice), [(first, 9), (second, 10)]);

    // The entries of a hold are closed with it, not reversed.
    let hold = shop.hold(&w, alice, &[(second, 4)]).expect("a hold");
    let opened = w
        .read(|tx| scrip_ledger::hold_by_id(tx, shop.book, hold))
        .opened_entry;
    assert_eq!(refused(w.write(reverse(opened))), "HeldAccount");
    let closed = w
        .write(move |tx| scrip_ledger::hold_release(tx, shop.book, hold, Uuid::nil(), "clerk"))
        .expect("released");
    assert_eq!(refused(w.write(reverse(closed))), "HeldAccount");
    shop.assert_clean(&w);
}

fn history_is_walked_newest_first(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("history");
    let (alice, bob) = (shop.wallet(&w, "alice"), shop.wallet(&w, "bob"));
    let grant = shop.issue(&w, alice, 100);
    let mut expected = Vec::new();
    for n in 1..=9 {
        let to = if n % 2 == 0 { bob } else { shop.spent };
        let legs = [leg(alice, to, n, grant), leg(alice, shop.spent, 1, grant)];
        let entry = shop.entry(&w, &legs).expect("an order");
        expected.push(entry);
        expected.push(entry + 1);
    }
    expected.reverse();
    let page = |from: Option<i64>| w.read(|tx| account_history(tx, shop.book, alice, from, 4));
    let mut walked = Vec::new();
    let mut from = None;
    loop {
        let transfers = page(from);
        for (transfer, entry) in &transfers {
            assert_eq!(transfer.entry_id, entry.entry_id);
            walked.push(transfer.transfer_id);
        }
        let Some((last, _)) = transfers.last() else {
            break;
        };
        from = last.previous(alice);
        assert!(transfers.len() == 4 || from == Some(0), "pages are full");
    }
    assert_eq!(walked.len(), 19, "with the token sale");
    assert_eq!(walked[..18], expected);
    let unknown = w
        .engine()
        .read(|tx| account_history(tx, shop.book, 999_999, None, 4));
    assert_eq!(refused(unknown), "AccountUnknown");
    for from in [999_999, -1, expected[0] + 1] {
        let foreign = w
            .engine()
            .read(|tx| account_history(tx, shop.book, bob, Some(from), 4));
        assert_eq!(refused(foreign), "TransferUnknown", "{from}");
    }
}

/// TOK-12: paying off reaches a grant once.
fn a_grant_is_paid_off_once(db: &TestDb) {
    let w = World::new(db);
    let shop = w.shop("credit");
    let grant = shop.grant(&w, 10);
    let pay_off = |grant: i64| {
        w.write(move |tx| {
            let event = tx.new_id()?;
            grant_pay_off(tx, shop.book, grant, &event)
        })
    };
    pay_off(grant).expect("paid off");
    assert_eq!(refused(pay_off(grant)), "AlreadyPaidOff");
    assert_eq!(refused(pay_off(999_999)), "GrantUnknown");
    let events = w.read(|tx| {
        let sql = "SELECT grant_id FROM grant_event WHERE book_id = $1";
        Ok(tx.query(sql, params![shop.book])?.len())
    });
    assert_eq!(events, 1);
}

/// Commands that wait together see what those before them left, and nothing of those that failed.
fn commands_of_one_batch_see_each_other(db: &TestDb) {
    let w = World::with(db, |options| options.workers = 1);
    let shop = w.shop("batch");
    let alice = shop.wallet(&w, "alice");
    let grant = shop.issue(&w, alice, 10);
    // The first command keeps the writer busy until all others are queued.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let gate = w.engine().submit(move |_| {
        let _ = wait.recv();
        Ok::<_, Error>(())
    });
    let tickets: Vec<_> = (0..30)
        .map(|n| {
            w.engine().submit(move |tx| {
                let seen = lots_locked(tx, shop.book, alice)?;
                let left = seen.first().map_or(0, |lot| lot.remaining.units());
                shop.post(tx, "order", &[leg(alice, shop.spent, 1, grant)])?;
                if n % 3 == 2 {
                    return Err(Error::NotPositive);
                }
                Ok(left)
            })
        })
        .collect();
    drop(go);
    gate.wait().expect("the gate");
    let results: Vec<_> = tickets.into_iter().map(|t| t.wait()).collect();
    let left: Vec<i64> = results.iter().flatten().copied().collect();
    assert_eq!(left, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    let failed: Vec<String> = results.into_iter().skip(15).map(refused).collect();
    assert_eq!(failed[0], "Insufficient");
    assert!(failed.iter().all(|f| f == "Insufficient"), "{failed:?}");
    assert_eq!(shop.lots(&w, alice), []);
    shop.assert_clean(&w);
}

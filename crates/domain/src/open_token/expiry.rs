//! Open tokens and gift certificates that expire leave with an entry (TOK-07); the money that was
//! paid for them is broken.

use super::{Result, open_money, store};
use crate::expiry::{CODE, Expired};
use crate::mall::Mall;
use crate::vendor::vendor_by_book;
use scrip_engine::{Read, Tx};
use scrip_ledger::{Amount, Leg, Posting, entry_post, lots_locked};
use std::collections::BTreeSet;

/// Takes what has expired out of some accounts of the mall's book. Doing it again changes nothing.
pub fn open_expire(tx: &mut Tx<'_>, mall: &Mall, accounts: &BTreeSet<i64>) -> Result<Expired> {
    let mut all = Expired::default();
    for account in accounts {
        all = all.plus(one(tx, mall, *account)?)?;
    }
    Ok(all)
}

fn one(tx: &mut Tx<'_>, mall: &Mall, account: i64) -> Result<Expired> {
    let now = tx.now();
    let mut lots = lots_locked(tx, mall.book_id, account)?;
    lots.retain(|lot| !lot.usable(now));
    let Some(last) = lots.iter().map(|lot| lot.grant.expires_at).max() else {
        return Ok(Expired::default());
    };
    let (debtor, expired) = store::owed_by(tx, mall.book_id, account)?;
    let mut legs = Vec::new();
    let mut worth = Amount::ZERO;
    for lot in &lots {
        worth = worth.plus(lot.grant.worth(lot.remaining)?)?;
        legs.push(Leg {
            debit: account,
            credit: expired,
            amount: lot.remaining,
            grant: Some(lot.grant.grant_id),
        });
    }
    let posting = Posting {
        book_id: mall.book_id,
        event_id: tx.new_id()?,
        code: CODE,
        actor: "system",
        reference: "",
        effective_at: last,
        legs: &legs,
    };
    entry_post(tx, &posting)?;
    if worth.is_positive() {
        let vendor = vendor_by_book(tx, debtor)?;
        let money = open_money(tx, &vendor)?;
        let legs = [Leg {
            debit: money.deferred,
            credit: money.breakage,
            amount: worth,
            grant: None,
        }];
        let posting = Posting {
            book_id: debtor,
            code: "open_expiry",
            legs: &legs,
            ..posting
        };
        entry_post(tx, &posting)?;
    }
    Ok(Expired {
        wallets: 1,
        lots: lots.len(),
        tokens: Amount::sum(lots.iter().map(|lot| lot.remaining))?,
    })
}

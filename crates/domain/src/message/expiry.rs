//! Telling customers before their tokens expire (TOK-07): each lot once.

use super::{Result, store};
use crate::policy::policy;
use scrip_engine::{Read, Timestamp, Tx, outbox};
use scrip_ledger::{Amount, TOKEN_SCALE, lots_locked};
use serde_json::json;
use std::collections::BTreeMap;

const DAY_S: i64 = 24 * 3600;

/// Causes a message for each wallet and time at which lots expire within the days that the vendor
/// set; looks at `limit` lots. Returns how many lots it told of.
pub fn lots_notice(tx: &mut Tx<'_>, book_id: i64, limit: i64) -> Result<usize> {
    let days = policy(tx, book_id)?.messages.expiry_notice_days;
    if days <= 0 {
        return Ok(0);
    }
    let until = tx.now().plus_seconds(days.saturating_mul(DAY_S));
    let soon = store::lots_soon(tx, book_id, until, limit)?;
    let told = soon.len();
    // By wallet, ascending: two processes that do this wait for each other and not in a circle.
    let mut together: BTreeMap<(i64, i64), Vec<i64>> = BTreeMap::new();
    for lot in soon {
        let key = (lot.account_id, lot.expires_at.0);
        together.entry(key).or_default().push(lot.grant_id);
    }
    for ((account, expires_at), grants) in together {
        let lots = lots_locked(tx, book_id, account)?;
        let mine = lots.iter().filter(|l| grants.contains(&l.grant.grant_id));
        let tokens = Amount::sum(mine.map(|l| l.remaining))?;
        let mut is_new = false;
        for grant in grants {
            is_new |= store::insert_notice(tx, book_id, account, grant)?;
        }
        let Some(customer) = store::owner(tx, book_id, account)? else {
            continue;
        };
        if is_new && tokens.is_positive() {
            let customer = customer.to_string();
            let details = json!({
                "customer_id": customer,
                "tokens": tokens.decimal(TOKEN_SCALE),
                "expires_at": Timestamp(expires_at).to_string(),
            });
            let details = details.to_string();
            outbox::add(tx, book_id, "lot.expiring", &customer, &details)?;
        }
    }
    Ok(told)
}

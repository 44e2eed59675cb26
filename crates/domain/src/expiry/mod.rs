//! Lots that expire leave their wallet with an entry (TOK-07).
//!
//! From the moment at which a lot expires nobody can spend it; the entry follows within a round of
//! the job. What a hold has set aside stays with the hold, and expires in the round after it was
//! given back. A refund for a lot that is gone comes back as a lot of its own with the vendor's
//! period of grace (`order/refund.rs`), and that one expires like any other.

use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Leg, Posting, Result, entry_post, lots_locked};
use std::collections::BTreeSet;

/// The code of the entries.
pub const CODE: &str = "expiry";

/// What left wallets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Wallets that had something to give up.
    pub wallets: usize,
    /// Lots.
    pub lots: usize,
    /// Tokens.
    pub tokens: Amount,
}

impl Expired {
    /// Both together.
    pub fn plus(self, other: Expired) -> Result<Expired> {
        Ok(Expired {
            wallets: self.wallets.saturating_add(other.wallets),
            lots: self.lots.saturating_add(other.lots),
            tokens: self.tokens.plus(other.tokens)?,
        })
    }
}

/// Takes what has expired out of some wallets: an entry for each wallet, with a leg for each lot,
/// which counts from the latest of the lots' expiries. A wallet without expired lots is left as it
/// is, so doing it again, or at the same time elsewhere, changes nothing.
pub fn lots_expire(tx: &mut Tx<'_>, vendor: &Vendor, wallets: &BTreeSet<i64>) -> Result<Expired> {
    let mut all = Expired::default();
    // Ascending: two processes that do this wait for each other and not in a circle.
    for wallet in wallets {
        all = all.plus(wallet_expire(tx, vendor, *wallet)?)?;
    }
    Ok(all)
}

fn wallet_expire(tx: &mut Tx<'_>, vendor: &Vendor, wallet: i64) -> Result<Expired> {
    let book = vendor.book_id;
    let now = tx.now();
    let mut lots = lots_locked(tx, book, wallet)?;
    lots.retain(|lot| !lot.usable(now));
    let Some(last) = lots.iter().map(|lot| lot.grant.expires_at).max() else {
        return Ok(Expired::default());
    };
    let legs: Vec<Leg> = lots
        .iter()
        .map(|lot| Leg {
            debit: wallet,
            credit: vendor.accounts.expired,
            amount: lot.remaining,
            grant: Some(lot.grant.grant_id),
        })
        .collect();
    let posting = Posting {
        book_id: book,
        event_id: tx.new_id()?,
        code: CODE,
        actor: "system",
        reference: &reference(last),
        effective_at: last,
        legs: &legs,
    };
    entry_post(tx, &posting)?;
    Ok(Expired {
        wallets: 1,
        lots: lots.len(),
        tokens: Amount::sum(lots.iter().map(|lot| lot.remaining))?,
    })
}

/// `Expiry of 2026-11-21`.
fn reference(at: Timestamp) -> String {
    let day: String = at.to_string().chars().take(10).collect();
    format!("Expiry of {day}")
}

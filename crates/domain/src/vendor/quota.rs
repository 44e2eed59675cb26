//! How many tokens a vendor may still issue (MSP-01, GOV-10). A vendor on its own issues what it
//! likes; a mall gives its members quotas, and stops one that it cuts off.
//!
//! Whatever brings new tokens into being takes them from the quota first: sold, given, opened with,
//! exchanged into. What comes back for orders was issued before. A sale by card takes them before
//! the card is charged, and gives them back when the card is declined.

use super::{Result, VendorError, store};
use scrip_engine::{Error as EngineError, Read, Tx};
use scrip_ledger::Amount;

/// What a vendor may issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Tokens that it may issue in all since it has a quota; `None` for no limit.
    pub authorised: Option<Amount>,
    /// Tokens that it issued of them; what is being charged to a card is counted.
    pub issued: Amount,
    /// True while it may issue none.
    pub is_stopped: bool,
}

impl Quota {
    /// What is still available; `None` for no limit.
    pub fn available(&self) -> Result<Option<Amount>> {
        let left = |authorised: Amount| {
            let left = authorised.minus(self.issued)?;
            Ok(left.max(Amount::ZERO))
        };
        self.authorised.map(left).transpose()
    }
}

/// The quota of a vendor; `None` for one that issues what it likes.
pub fn quota(tx: &mut dyn Read, book_id: i64) -> Result<Option<Quota>> {
    store::quota(tx, book_id)
}

/// Says how many tokens a vendor may issue in all; `None` takes the limit away. A first quota counts
/// from now on, with what is `awaited`: a card is being charged for it. The mall asks for this:
/// `mall::member_quota_set`.
pub(crate) fn quota_set(
    tx: &mut Tx<'_>,
    book_id: i64,
    awaited: Amount,
    authorised: Option<Amount>,
) -> Result<Quota> {
    if authorised.is_some_and(|amount| amount < Amount::ZERO) {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let held = store::quota_locked(tx, book_id)?.unwrap_or_default();
    let new = Quota {
        authorised,
        issued: match held.authorised {
            Some(_) => held.issued,
            None => awaited,
        },
        ..held
    };
    store::set_quota(tx, book_id, &new)?;
    Ok(new)
}

/// Stops a vendor's issue of tokens, or lets it go on.
pub(crate) fn issue_stop(tx: &mut Tx<'_>, book_id: i64, is_stopped: bool) -> Result<()> {
    let held = store::quota_locked(tx, book_id)?;
    if held.is_none() && !is_stopped {
        return Ok(());
    }
    let new = Quota {
        is_stopped,
        ..held.unwrap_or_default()
    };
    store::set_quota(tx, book_id, &new)
}

/// Takes tokens from the quota that are about to be issued, or says why they cannot be.
pub(crate) fn issue_take(tx: &mut Tx<'_>, book_id: i64, tokens: Amount) -> Result<()> {
    let Some(held) = store::quota(tx, book_id)? else {
        return Ok(());
    };
    if held.is_stopped {
        return Err(VendorError::IssueStopped);
    }
    if held.authorised.is_none() || store::take_quota(tx, book_id, tokens)? {
        return Ok(());
    }
    // It may have been stopped meanwhile; the next attempt says so.
    Err(VendorError::QuotaShort {
        left: held.available()?.unwrap_or(Amount::ZERO),
    })
}

/// Gives back what was taken for tokens that were not issued after all.
pub(crate) fn issue_give_back(
    tx: &mut Tx<'_>,
    book_id: i64,
    tokens: Amount,
) -> std::result::Result<(), EngineError> {
    store::give_back_quota(tx, book_id, tokens)
}

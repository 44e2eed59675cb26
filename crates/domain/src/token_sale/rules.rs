//! Pure decisions of a token sale.

use super::store::Session;
use crate::card::payable_decimals;
use crate::vendor::{Vendor, money_for_tokens};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Error, Result, Rounding};

/// What a card is charged: tokens times price, rounded up to whole cents (or whole yen), because
/// no card pays less. The grant records what was paid, so nothing is lost in between.
pub(super) fn card_price(tokens: Amount, unit: Amount, vendor: &Vendor) -> Result<Amount> {
    let exact = money_for_tokens(tokens, unit, &vendor.token, Rounding::Up)?;
    let decimals = payable_decimals(&vendor.currency.code);
    let finer = vendor.currency.scale.saturating_sub(decimals);
    let cent = 10_i64.checked_pow(finer).ok_or(Error::Overflow)?;
    exact.ratio(1, cent, Rounding::Up)?.times(cent)
}

/// An attempt that has had no answer for so long keeps the next one waiting no more: the processor
/// is silent, and the order is resolved by asking it later.
const UNDER_WAY_S: i64 = 120;

/// Attempts opened after this time, and without an answer, are under way.
pub(super) fn under_way_since(now: Timestamp) -> Timestamp {
    now.plus_seconds(UNDER_WAY_S.saturating_neg())
}

/// Attempts that a payment session has left.
pub(super) fn attempts_left(session: &Session, declines_allowed: i64) -> i64 {
    declines_allowed.saturating_sub(session.declines).max(0)
}

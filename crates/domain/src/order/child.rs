//! What a parent's limits say of a child's order (ADV-01, ADV-02).

use super::{Purchase, Quote, Refusal, Result, store};
use crate::family::{Stop, purchase_stop};
use scrip_engine::Tx;

/// Why a child may not buy this. The wallet is locked: two orders at once cannot pass a cap
/// together.
pub(super) fn refusal(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: &Quote,
) -> Result<Option<Refusal>> {
    let offers = quote.lines.iter().map(|line| line.offer_id);
    let known = store::categories_of(tx, purchase.book_id, offers.clone())?;
    let category = |offer| known.get(&offer).cloned().unwrap_or_default();
    let categories: Vec<String> = offers.map(category).collect();
    let child = &purchase.buyer.customer;
    let stop = purchase_stop(tx, child, &categories, quote.required)?;
    Ok(stop.map(|stop| match stop {
        Stop::OverCap { span, cap, spent } => Refusal::OverCap {
            span,
            cap,
            spent,
            required: quote.required,
        },
        Stop::NotAllowed(place) => Refusal::NotAllowed {
            title: quote
                .lines
                .get(place)
                .map_or_else(String::new, |line| line.title.clone()),
        },
    }))
}

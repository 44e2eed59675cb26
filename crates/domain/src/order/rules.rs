//! Pure decisions about orders and refunds.

use super::{
    OrderError, OrderRequest, Quote, QuoteLine, Refusal, Result, Wanted, account_refusal,
    available, gate,
};
use crate::actor::Actor;
use crate::catalog::reservation::TooFew;
use crate::catalog::{Offer, Tier, price};
use crate::customer::Buyer;
use crate::vendor::TOKENS_AT_MOST;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Lot, Piece};

/// Lines in one order at most.
const LINES_AT_MOST: usize = 10_000;

/// Checks the number of lines of an order or a quote.
pub(super) fn check_lines(lines: usize) -> Result<()> {
    match lines {
        0 => Err(OrderError::Empty),
        1..=LINES_AT_MOST => Ok(()),
        _ => Err(OrderError::TooManyLines {
            lines,
            most: LINES_AT_MOST,
        }),
    }
}

/// Checks a request before anything is loaded.
pub(super) fn check_request(
    actor: Actor,
    request: &OrderRequest,
    effective_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    check_lines(request.lines.len())?;
    if effective_at > now {
        return Err(OrderError::InFuture);
    }
    let entered = request.lines.iter().any(|l| l.entered.is_some());
    if (entered || effective_at != now) && !actor.for_vendor() {
        return Err(OrderError::StaffOnly);
    }
    Ok(())
}

/// Prices each line; offers come in the order of the lines.
pub(super) fn priced(wanted: &[Wanted], offers: &[Offer]) -> Result<Vec<QuoteLine>> {
    wanted
        .iter()
        .zip(offers)
        .map(|(wanted, offer)| line(wanted, offer))
        .collect()
}

/// Prices one line.
pub(super) fn line(wanted: &Wanted, offer: &Offer) -> Result<QuoteLine> {
    if wanted.entered.is_some_and(|e| e < Amount::ZERO) {
        return Err(scrip_ledger::Error::NotPositive.into());
    }
    let priced = price(offer, wanted.quantity, wanted.entered)?;
    Ok(QuoteLine {
        granted: priced.granted,
        unit_price: priced.unit_price,
        amount: priced.amount,
        ..unpriced(wanted, offer)
    })
}

/// The tiers that a line could have. An entered price holds for its own tier alone.
pub(super) fn tiers_of(wanted: &Wanted, offer: Offer, line: &QuoteLine) -> Vec<Tier> {
    if offer.tiered && wanted.entered.is_some() {
        return vec![Tier {
            up_to: line.granted,
            price: line.unit_price,
        }];
    }
    offer.tiers
}

/// A line that has no price: nothing is granted, nothing is due.
pub(super) fn unpriced(wanted: &Wanted, offer: &Offer) -> QuoteLine {
    QuoteLine {
        offer_id: offer.offer_id,
        sku: offer.sku.clone(),
        title: offer.title.clone(),
        kind: offer.kind,
        quantity: wanted.quantity,
        granted: 0,
        unit_price: offer.price,
        amount: Amount::ZERO,
        on_sale: offer.on_sale,
        stocked: offer.stocked,
        off: Vec::new(),
        tax: None,
    }
}

/// Refuses a line that is more than any order may be.
pub(super) fn affordable_at_all(line: QuoteLine) -> Result<QuoteLine> {
    if line.amount > TOKENS_AT_MOST {
        return Err(OrderError::TooLarge);
    }
    Ok(line)
}

/// RT, AT and what would remain, of an order that may be placed.
pub(super) fn quoted(lines: Vec<QuoteLine>, lots: &[Lot], now: Timestamp) -> Result<Quote> {
    let quote = summed(lines, lots, now)?;
    if quote.required > TOKENS_AT_MOST {
        return Err(OrderError::TooLarge);
    }
    Ok(quote)
}

/// RT, AT and what would remain, whatever RT is.
pub(super) fn summed(lines: Vec<QuoteLine>, lots: &[Lot], now: Timestamp) -> Result<Quote> {
    let required = Amount::sum(lines.iter().map(|l| l.amount))?;
    let available = available(lots, now)?;
    Ok(Quote {
        lines,
        required,
        available,
        remaining: available.minus(required)?,
        coupon: None,
    })
}

/// Why an order is refused, as far as it shows without stock; the first reason counts.
pub(super) fn refusal(
    buyer: &Buyer,
    wanted: &[Wanted],
    offers: &[Offer],
    quote: &Quote,
) -> Option<Refusal> {
    if let Some(refusal) = account_refusal(buyer) {
        return Some(refusal);
    }
    let threshold = buyer.threshold.unwrap_or(Amount::ZERO);
    if let Some(refusal) = gate::below(buyer, quote.available, threshold) {
        return Some(refusal);
    }
    if let Some(offer) = offers.iter().find(|o| !o.active) {
        return Some(Refusal::NotForSale {
            title: offer.title.clone(),
        });
    }
    for (wanted, line) in wanted.iter().zip(&quote.lines) {
        if let Some(quoted) = wanted.quoted.filter(|q| *q != line.unit_price) {
            let title = line.title.clone();
            return Some(Refusal::PriceChanged {
                title,
                quoted,
                now: line.unit_price,
            });
        }
    }
    quote.shortage().map(|short| Refusal::Shortage {
        required: quote.required,
        available: quote.available,
        short,
    })
}

/// Why there are too few pieces of a line: sold, or reserved by others.
pub(super) fn too_few(quote: &Quote, few: TooFew) -> Refusal {
    let line = quote.lines.iter().find(|l| l.offer_id == few.offer_id);
    let title = line.map_or(String::new(), |l| l.title.clone());
    match few.reserved {
        ..=0 => Refusal::OutOfStock {
            title,
            on_hand: few.free,
        },
        reserved => Refusal::Reserved {
            title,
            free: few.free,
            reserved,
        },
    }
}

/// The short name of a refusal, as stored.
pub(super) fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Shortage { .. } => "shortage",
        Refusal::Restricted { .. } => "restricted",
        Refusal::PriceChanged { .. } => "price_changed",
        Refusal::OutOfStock { .. } => "out_of_stock",
        Refusal::Reserved { .. } => "reserved",
        Refusal::NotForSale { .. } => "not_for_sale",
        Refusal::Inactive { .. } => "inactive",
        Refusal::BelowThreshold { .. } => "below_threshold",
        Refusal::OverCap { .. } => "over_cap",
        Refusal::NotAllowed { .. } => "not_allowed",
        Refusal::OpenShort { .. } => "open_short",
        Refusal::Closed { .. } => "closed",
        Refusal::CardNotTaken => "card_not_taken",
        Refusal::TokensOnly => "tokens_only",
        Refusal::Coupon { .. } => "coupon",
    }
}

/// Which pieces of a payment a refund gives back: the draws reversed, last first, after what
/// earlier refunds gave back.
pub(super) fn reversed_draws(
    draws: &[Piece],
    refunded_before: Amount,
    amount: Amount,
) -> scrip_ledger::Result<Vec<Piece>> {
    let mut skip = refunded_before;
    let mut open = amount;
    let mut pieces = Vec::new();
    for draw in draws.iter().rev() {
        let skipped = draw.amount.min(skip);
        skip = skip.minus(skipped)?;
        let back = draw.amount.minus(skipped)?.min(open);
        open = open.minus(back)?;
        if back.is_positive() {
            pieces.push(Piece {
                grant: draw.grant,
                amount: back,
            });
        }
    }
    if open.is_zero() {
        Ok(pieces)
    } else {
        Err(scrip_ledger::Error::Overflow)
    }
}

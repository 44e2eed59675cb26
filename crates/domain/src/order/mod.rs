//! Orders: the order list, the quote, the purchase, the refund (SHP-10 to SHP-14, SHP-19).
//!
//! A purchase is one transaction: prices and stock are checked again, the whole order is paid or
//! refused, and either way the outcome is stored. No card processor is involved (MIC-04). An order
//! that a card pays instead takes two: `by_card/`.

pub mod allocation;
pub mod by_card;
mod child;
pub(crate) mod elsewhere;
mod fit;
pub(crate) mod flow;
pub mod gate;
mod history;
pub mod kept;
mod list;
mod outcome;
mod reduce;
mod refund;
mod request;
mod reserving;
mod returns;
mod rules;
pub mod shipment;
mod store;
mod taxing;
#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::catalog::{Offer, OfferKind, Tier, offers_by_id, stock_take};
use crate::customer::{Buyer, SealedAddress, State, buyer};
use crate::family::spending_add;
use crate::id::{CustomerId, OfferId, OrderId};
use crate::promotion::{CouponFault, CouponKey, Held, Off};
use crate::tax::LineTax;
use crate::text;
use allocation::{Need, allocate};
use fit::Counted;
use scrip_engine::{Read, ReadTx, Timestamp, Tx, outbox};
use scrip_ledger::{Amount, Leg, Lot, Posting, entry_post, lots_available, lots_locked};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub use fit::{Change, Fit, Fits, fits};
pub use history::{
    OrderDetail, OrderDetailLine, OrderState, OrderSummary, order_by_id, order_with_reference,
    orders, orders_between, orders_of,
};
pub use list::{
    LIST_AT_MOST, ListLine, OrderList, order_list, order_list_bought, order_list_carry,
    order_list_clear, order_list_select, order_list_set,
};
pub use outcome::{OrderError, OrderOutcome, Refusal};
pub use refund::{Refund, RefundLines, RefundRequest, Refunded, Sold, order_refund};
pub use request::{
    AskState, RefundAsked, refund_ask, refund_reasons_forget, refund_request_decline,
    refund_request_opened, refund_requests,
};
pub use reserving::list_reserve;
pub use returns::{GoodsReturn, Returned, ReturnedGoods, goods_return};
pub use store::{order_reference_taken, return_reference_taken};
pub use taxing::OrderTax;

/// A line that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The offer.
    pub offer_id: OfferId,
    /// How many.
    pub quantity: i64,
    /// The price that the buyer was shown, for one or for the tier: another one now is refused
    /// with the new quote. `None` takes today's price as it is.
    pub quoted: Option<Amount>,
    /// A price that staff enter instead of the offer's.
    pub entered: Option<Amount>,
}

/// A line with its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The offer.
    pub offer_id: OfferId,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name.
    pub title: String,
    /// What the customer gets.
    pub kind: OfferKind,
    /// How many were asked for.
    pub quantity: i64,
    /// How many are granted: the upper bound of a tier.
    pub granted: i64,
    /// Tokens for one, or for the tier.
    pub unit_price: Amount,
    /// Tokens for the line.
    pub amount: Amount,
    /// True when restricted tokens may pay.
    pub on_sale: bool,
    /// True when pieces are counted.
    pub stocked: bool,
    /// What promotions take off; the price is what is left.
    #[serde(default)]
    pub off: Vec<Off>,
    /// The tax that is in the amount, where the vendor has a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<LineTax>,
}

/// The coupon of an order (ADV-06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteCoupon {
    /// Its name; empty where no coupon has the code.
    pub name: String,
    /// What it takes off all lines.
    pub off: Amount,
    /// Why it takes nothing off; `None` also where promotions take off more.
    pub fault: Option<CouponFault>,
}

/// What an order would come to (SHP-11, SHP-12). Nothing is debited by a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The lines.
    pub lines: Vec<QuoteLine>,
    /// RT: tokens that the order needs.
    pub required: Amount,
    /// AT: tokens that the account has and can spend.
    pub available: Amount,
    /// AT - RT; below zero when tokens are short.
    pub remaining: Amount,
    /// The coupon that was asked for.
    #[serde(default)]
    pub coupon: Option<QuoteCoupon>,
}

impl Quote {
    /// RT - AT when tokens are short.
    pub fn shortage(&self) -> Option<Amount> {
        (self.remaining < Amount::ZERO)
            .then(|| self.remaining.negated().ok())
            .flatten()
    }
}

/// An order to be placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    /// Whose tokens pay.
    pub customer_id: CustomerId,
    /// What is bought.
    pub lines: Vec<Wanted>,
    /// The name by which the vendor's other systems call it (an invoice number); each is taken
    /// once. Empty for none.
    pub reference: String,
    /// When it counts; only the vendor may say another time than now. Microseconds.
    pub effective_at: Option<i64>,
    /// What else the buyer chose.
    #[serde(default)]
    pub extras: Extras,
}

crate::text::named! {
    /// How a program is handed over (SHP-12).
    Supply, "how a program is handed over" {
        /// With its download.
        Download = "download",
        /// The code alone: the program is there already.
        Code = "code",
    }
}

/// What a buyer chooses when confirming, besides what is bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extras {
    /// How programs are handed over, by offer (SHP-12); others as is usual.
    pub supply: BTreeMap<OfferId, Supply>,
    /// The coupon (ADV-06).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponKey>,
    /// Where goods are sent to, under the customer's key.
    pub address: Option<SealedAddress>,
}

/// A purchase that went through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The order.
    pub order_id: OrderId,
    /// What was bought.
    pub lines: Vec<QuoteLine>,
    /// Tokens that were debited.
    pub total: Amount,
    /// AT after it.
    pub remaining: Amount,
}

type Result<T> = std::result::Result<T, OrderError>;

/// What lines would come to for a customer.
pub fn quote(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    wanted: &[Wanted],
    coupon: Option<&CouponKey>,
) -> Result<Quote> {
    if !actor.may_act_for(customer) {
        return Err(OrderError::Forbidden);
    }
    let buyer = buyer(tx, book_id, customer)?;
    let offers = load_offers(tx, book_id, wanted)?;
    let lines = rules::priced(wanted, &offers)?;
    let (lines, held) = reduce::reduced(tx, &buyer, wanted, &offers, lines, coupon)?;
    let lines = taxing::taxed(tx, &buyer, lines)?;
    let lots = lots_available(tx, book_id, buyer.customer.wallet)?;
    reduce::told(rules::quoted(lines, &lots, tx.now())?, &held)
}

/// What lines would come to for a customer, and what makes them fit when tokens are short
/// (SHP-12, SHP-14).
pub fn quote_with_fits(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    wanted: &[Wanted],
    coupon: Option<&CouponKey>,
) -> Result<(Quote, Fits)> {
    rules::check_lines(wanted.len())?;
    let quote = quote(tx, actor, book_id, customer, wanted, coupon)?;
    let mut offers = load_offers(tx, book_id, wanted)?;
    let buyer = buyer(tx, book_id, customer)?;
    reduce::tiers(tx, &buyer, wanted, &mut offers, coupon)?;
    let tiers: Vec<Vec<Tier>> = wanted
        .iter()
        .zip(offers)
        .zip(&quote.lines)
        .map(|((wanted, offer), line)| rules::tiers_of(wanted, offer, line))
        .collect();
    let counted = quote.lines.iter().zip(&tiers);
    let counted = counted.map(|(line, tiers)| Counted { line, tiers });
    let fits = fit::fits_of(counted.collect(), &quote);
    Ok((quote, fits))
}

fn load_offers(tx: &mut dyn Read, book_id: i64, wanted: &[Wanted]) -> Result<Vec<Offer>> {
    let ids: Vec<OfferId> = wanted.iter().map(|w| w.offer_id).collect();
    Ok(offers_by_id(tx, book_id, &ids)?)
}

/// Everything that a purchase is decided on.
struct Purchase<'a> {
    actor: Actor,
    book_id: i64,
    order_id: OrderId,
    request: &'a OrderRequest,
    reference: String,
    effective_at: Timestamp,
    buyer: Buyer,
}

/// Places an order: pays all of it, or refuses it and says why (SHP-13, SHP-14, SHP-19).
pub fn order_place(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    request: &OrderRequest,
) -> Result<OrderOutcome> {
    let purchase = load(tx, actor, book_id, request)?;
    let offers = load_offers(tx, book_id, &request.lines)?;
    shipment::check_address(&offers, request.extras.address.as_ref())?;
    let lines = rules::priced(&request.lines, &offers)?;
    let lots = lots_locked(tx, book_id, purchase.buyer.customer.wallet)?;
    let (lines, held) = reduce::locked(tx, &purchase, &offers, lines)?;
    let lines = taxing::taxed(tx, &purchase.buyer, lines)?;
    let quote = reduce::told(rules::quoted(lines, &lots, tx.now())?, &held)?;
    if let Some(refusal) = reduce::refusal(tx, &purchase, &held)? {
        return refuse(tx, &purchase, &quote, refusal);
    }
    if let Some(refusal) = rules::refusal(&purchase.buyer, &request.lines, &offers, &quote) {
        return refuse(tx, &purchase, &quote, refusal);
    }
    if purchase.buyer.has_parent
        && let Some(refusal) = child::refusal(tx, &purchase, &quote)?
    {
        return refuse(tx, &purchase, &quote, refusal);
    }
    let needs = needs(tx, book_id, &lots, &quote)?;
    let Some(pieces) = allocate(&lots, &needs, tx.now())? else {
        let refusal = Refusal::Restricted {
            required: quote.required,
            available: quote.available,
        };
        return refuse(tx, &purchase, &quote, refusal);
    };
    let counted: Vec<(OfferId, i64)> = quote
        .lines
        .iter()
        .filter(|l| l.stocked)
        .map(|l| (l.offer_id, l.granted))
        .collect();
    if let Err(few) = stock_take(tx, book_id, Some(request.customer_id), &counted)? {
        return refuse(tx, &purchase, &quote, rules::too_few(&quote, few));
    }
    let legs: Vec<Leg> = pieces
        .iter()
        .map(|p| Leg {
            debit: purchase.buyer.customer.wallet,
            credit: purchase.buyer.spent_account,
            amount: p.amount,
            grant: Some(p.grant),
        })
        .collect();
    shipment::open(tx, &purchase, &offers)?;
    complete(tx, &purchase, quote, &legs, &held)
}

fn load<'a>(
    tx: &mut Tx<'_>,
    actor: Actor,
    book_id: i64,
    request: &'a OrderRequest,
) -> Result<Purchase<'a>> {
    if !actor.may_act_for(request.customer_id) {
        return Err(OrderError::Forbidden);
    }
    let now = tx.now();
    let effective_at = request.effective_at.map_or(now, Timestamp);
    rules::check_request(actor, request, effective_at, now)?;
    let reference = text::optional_line("the reference", &request.reference, 200)?;
    if !reference.is_empty() && order_reference_taken(tx, book_id, &reference)? {
        return Err(OrderError::ReferenceTaken(reference));
    }
    let buyer = buyer(tx, book_id, request.customer_id)?;
    let order_id = OrderId(tx.new_id()?);
    Ok(Purchase {
        actor,
        book_id,
        order_id,
        request,
        reference,
        effective_at,
        buyer,
    })
}

fn complete(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: Quote,
    legs: &[Leg],
    held: &Held,
) -> Result<OrderOutcome> {
    let id = purchase.order_id.to_string();
    let actor = purchase.actor.to_string();
    // An order of free items moves nothing.
    let entry_id = if legs.is_empty() {
        None
    } else {
        let posting = Posting {
            book_id: purchase.book_id,
            event_id: purchase.order_id.0,
            code: "order",
            actor: &actor,
            reference: if purchase.reference.is_empty() {
                &id
            } else {
                &purchase.reference
            },
            effective_at: purchase.effective_at,
            legs,
        };
        Some(entry_post(tx, &posting)?)
    };
    store::insert(tx, purchase, &quote, None, entry_id)?;
    reduce::keep(tx, purchase, &quote, held)?;
    if purchase.buyer.has_parent {
        spending_add(tx, &purchase.buyer.customer, quote.required)?;
    }
    if !purchase.reference.is_empty() {
        store::insert_reference(tx, purchase.book_id, &purchase.reference, purchase.order_id)?;
    }
    let details = told(purchase, &quote, None);
    outbox::add(tx, purchase.book_id, "order.completed", &id, &details)?;
    Ok(OrderOutcome::Completed(Receipt {
        order_id: purchase.order_id,
        total: quote.required,
        remaining: quote.remaining,
        lines: quote.lines,
    }))
}

/// What a message about an order says: ids and amounts only.
fn told(purchase: &Purchase<'_>, quote: &Quote, reason: Option<&str>) -> String {
    let mut details = json!({
        "customer_id": purchase.request.customer_id,
        "tokens": quote.required.decimal(scrip_ledger::TOKEN_SCALE),
    });
    if let Some(reason) = reason {
        details["reason"] = json!(reason);
    }
    details.to_string()
}

/// Stores a refused order. Its reference stays free, so that it can be tried again.
fn refuse(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: &Quote,
    refusal: Refusal,
) -> Result<OrderOutcome> {
    let reason = rules::reason(&refusal);
    store::insert(tx, purchase, quote, Some(reason), None)?;
    let id = purchase.order_id.to_string();
    let details = told(purchase, quote, Some(reason));
    outbox::add(tx, purchase.book_id, "order.refused", &id, &details)?;
    Ok(OrderOutcome::Refused {
        order_id: purchase.order_id,
        refusal,
    })
}

/// The lots of a buyer that can be spent at a time, added up: AT.
pub fn available(lots: &[Lot], now: Timestamp) -> Result<Amount> {
    Ok(Amount::sum(
        lots.iter().filter(|l| l.usable(now)).map(|l| l.remaining),
    )?)
}

/// The reason for which an account cannot buy at all.
fn account_refusal(buyer: &Buyer) -> Option<Refusal> {
    let number = buyer.customer.number;
    match buyer.customer.state {
        State::Active => None,
        State::Inactive => Some(Refusal::Inactive { number }),
        State::Closed => Some(Refusal::Closed { number }),
    }
}

/// What the lines need. Categories are looked up only where some tokens are for one alone.
fn needs(tx: &mut Tx<'_>, book_id: i64, lots: &[Lot], quote: &Quote) -> Result<Vec<Need>> {
    let for_one = |l: &Lot| {
        let restriction = l.grant.restriction.as_deref();
        restriction.is_some_and(|r| r.starts_with(allocation::CATEGORY))
    };
    let lines = quote.lines.iter();
    let categories = match lots.iter().any(for_one) {
        true => store::categories_of(tx, book_id, lines.clone().map(|line| line.offer_id))?,
        false => BTreeMap::new(),
    };
    let need = |line: &QuoteLine| Need {
        amount: line.amount,
        on_sale: line.on_sale,
        category: categories.get(&line.offer_id).cloned().unwrap_or_default(),
    };
    Ok(lines.map(need).collect())
}

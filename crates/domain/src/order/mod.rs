//! Orders: the order list, the quote, the purchase, the refund (SHP-10 to SHP-14, SHP-19).
//!
//! A purchase is one transaction: prices and stock are checked again, the whole order is paid or
//! refused, and either way the outcome is stored. No card processor is involved (MIC-04).

pub mod allocation;
mod child;
mod fit;
pub mod gate;
mod history;
pub mod kept;
mod list;
mod refund;
mod request;
mod returns;
mod rules;
mod store;
#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::catalog::{CatalogError, Offer, OfferKind, Tier, offers_by_id, stock_take};
use crate::command::CommandError;
use crate::customer::{AccountNumber, Buyer, CustomerError, State, buyer};
use crate::family::{FamilyError, Span, spending_add};
use crate::id::{CustomerId, KeptListId, OfferId, OrderId};
use crate::text::{self, TextError};
use crate::vendor::VendorError;
use allocation::{Need, allocate};
use fit::Counted;
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp, Tx, outbox};
use scrip_ledger::{
    Amount, Error as LedgerError, Leg, Lot, Posting, entry_post, lots_available, lots_locked,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub use fit::{Change, Fit, Fits, fits};
pub use history::{
    OrderDetail, OrderDetailLine, OrderState, OrderSummary, order_by_id, order_with_reference,
    orders, orders_between, orders_of,
};
pub use list::{
    LIST_AT_MOST, ListLine, OrderList, order_list, order_list_clear, order_list_select,
    order_list_set,
};
pub use refund::{Refund, RefundLines, RefundRequest, Refunded, Sold, order_refund};
pub use request::{
    AskState, RefundAsked, refund_ask, refund_reasons_forget, refund_request_decline,
    refund_request_opened, refund_requests,
};
pub use returns::{GoodsReturn, Returned, ReturnedGoods, goods_return};
pub use store::{order_reference_taken, return_reference_taken};

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

/// Why a purchase was refused; nothing was debited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// Tokens are short (SHP-14).
    #[error("the order needs more tokens than the account has: remove items or buy tokens")]
    Shortage {
        /// RT.
        required: Amount,
        /// AT.
        available: Amount,
        /// RT - AT.
        short: Amount,
    },
    /// There are enough tokens, but some may not pay for these products (TOK-05).
    #[error(
        "some of these tokens only pay for products on sale: buy ordinary tokens, or choose other items"
    )]
    Restricted {
        /// RT.
        required: Amount,
        /// AT.
        available: Amount,
    },
    /// A price is not the one that was shown.
    #[error("the price of {title} has changed: look at the new quote and confirm again")]
    PriceChanged {
        /// The line.
        title: String,
        /// What was shown.
        quoted: Amount,
        /// What it is now.
        now: Amount,
    },
    /// Too few pieces.
    #[error("of {title} only {on_hand} are left: take fewer")]
    OutOfStock {
        /// The line.
        title: String,
        /// Pieces at hand.
        on_hand: i64,
    },
    /// The offer is not sold any more.
    #[error("{title} is not sold any more: remove it")]
    NotForSale {
        /// The line.
        title: String,
    },
    /// The account is not active.
    #[error("account {number} is not active yet: acquire the minimum number of tokens first")]
    Inactive {
        /// The account.
        number: AccountNumber,
    },
    /// The account has less than what ordering begins with (SHP-05).
    #[error("account {number} has fewer tokens than ordering begins with here: buy tokens first")]
    BelowThreshold {
        /// The account.
        number: AccountNumber,
        /// T.
        threshold: Amount,
        /// AT.
        available: Amount,
    },
    /// A child's order that would pass a cap (ADV-02).
    #[error(
        "this order needs {required} units, and of the {cap} that the parent allows for {span} \
         {spent} are spent: take less, wait, or ask the parent"
    )]
    OverCap {
        /// What the cap is for.
        span: Span,
        /// The cap.
        cap: Amount,
        /// What is spent of it.
        spent: Amount,
        /// RT.
        required: Amount,
    },
    /// A child's order of something that the parent did not allow (ADV-01).
    #[error("{title} is not among what the parent allows: remove it, or ask the parent")]
    NotAllowed {
        /// The line.
        title: String,
    },
    /// The account is closed.
    #[error("account {number} is closed")]
    Closed {
        /// The account.
        number: AccountNumber,
    },
}

/// How a purchase ended; stored either way (SHP-19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderOutcome {
    /// It went through.
    Completed(Receipt),
    /// It did not; nothing was debited.
    Refused {
        /// The record of it.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
}

/// Why there is no outcome at all.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// Nothing to buy.
    #[error("the order list is empty: put something on it")]
    Empty,
    /// Too many lines.
    #[error("an order has at most {most} lines, this one has {lines}: split it")]
    TooManyLines {
        /// Lines given.
        lines: usize,
        /// Lines that fit.
        most: usize,
    },
    /// The order list is full.
    #[error("an order list has at most {most} lines: order some of them, or take some off")]
    ListFull {
        /// Lines that fit.
        most: usize,
    },
    /// The account may not order yet (SHP-04).
    #[error(transparent)]
    NotYet(Refusal),
    /// Too many lists.
    #[error("at most {most} lists can be kept: forget one that you do not need")]
    TooManyKept {
        /// Lists that can be.
        most: usize,
    },
    /// No such list.
    #[error("there is no list {0}: it was forgotten")]
    KeptUnknown(KeptListId),
    /// A tick for something that is not there.
    #[error("{0} is not on the order list any more: put it on again")]
    NotOnList(OfferId),
    /// More tokens than one order may need.
    #[error("one order is at most 1000000000 tokens: split it")]
    TooLarge,
    /// The reference was used.
    #[error("an order with the reference {0:?} exists already")]
    ReferenceTaken(String),
    /// A price that is not the vendor's to set, or a time.
    #[error("only the vendor's staff may enter prices or earlier times")]
    StaffOnly,
    /// A time to come.
    #[error("an order cannot count from a time that has not come yet")]
    InFuture,
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// No such order.
    #[error("there is no order {0}, or it did not go through: check the number")]
    Unknown(OrderId),
    /// The refund was asked for before, and declined.
    #[error("a refund of this order was declined: {answer}")]
    RefundDeclined {
        /// What staff said.
        answer: String,
    },
    /// No open request for a refund.
    #[error("no refund of order {0} is asked for, or it was answered already")]
    NotAsked(OrderId),
    /// A refund of more than was bought, or of nothing.
    #[error("line {line} of the order has {left} pieces left to refund, not {asked}")]
    RefundTooLarge {
        /// The line.
        line: i64,
        /// Pieces left.
        left: i64,
        /// Pieces asked for.
        asked: i64,
    },
    /// A tier is refunded whole.
    #[error("line {line} was bought as a tier of {quantity}: refund all of it")]
    TierIsWhole {
        /// The line.
        line: i64,
        /// What was bought.
        quantity: i64,
    },
    /// The account that bought is closed.
    #[error(
        "account {0} is closed, and nothing comes to a closed account: pay the value back in \
         money, or give the person tokens in an account that is open"
    )]
    RefundToClosed(AccountNumber),
    /// Nothing is left to refund.
    #[error("nothing of this order is left to refund")]
    NothingToRefund,
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the catalogue.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the family.
    #[error(transparent)]
    Family(#[from] FamilyError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, OrderError>;

/// What lines would come to for a customer.
pub fn quote(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    wanted: &[Wanted],
) -> Result<Quote> {
    if !actor.may_act_for(customer) {
        return Err(OrderError::Forbidden);
    }
    let buyer = buyer(tx, book_id, customer)?;
    let offers = load_offers(tx, book_id, wanted)?;
    let lines = rules::priced(wanted, &offers)?;
    let lots = lots_available(tx, book_id, buyer.customer.wallet)?;
    rules::quoted(lines, &lots, tx.now())
}

/// What lines would come to for a customer, and what makes them fit when tokens are short
/// (SHP-12, SHP-14).
pub fn quote_with_fits(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    book_id: i64,
    customer: CustomerId,
    wanted: &[Wanted],
) -> Result<(Quote, Fits)> {
    rules::check_lines(wanted.len())?;
    let quote = quote(tx, actor, book_id, customer, wanted)?;
    let offers = load_offers(tx, book_id, wanted)?;
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
    let lines = rules::priced(&request.lines, &offers)?;
    let lots = lots_locked(tx, book_id, purchase.buyer.customer.wallet)?;
    let quote = rules::quoted(lines, &lots, tx.now())?;
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
    if let Err((offer, on_hand)) = stock_take(tx, book_id, &counted)? {
        let line = quote.lines.iter().find(|l| l.offer_id == offer);
        let title = line.map_or(String::new(), |l| l.title.clone());
        return refuse(
            tx,
            &purchase,
            &quote,
            Refusal::OutOfStock { title, on_hand },
        );
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
    complete(tx, &purchase, quote, &legs)
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
    let by_category = lots.iter().any(for_one);
    let mut needs = Vec::with_capacity(quote.lines.len());
    for line in &quote.lines {
        needs.push(Need {
            amount: line.amount,
            on_sale: line.on_sale,
            category: if by_category {
                store::category_of(tx, book_id, line.offer_id)?
            } else {
                String::new()
            },
        });
    }
    Ok(needs)
}

//! The first transaction: everything is checked, the stock taken, the price frozen.

use super::{Frozen, rules, store};
use crate::actor::Actor;
use crate::catalog::{Offer, stock_take};
use crate::customer::{Address, customer_by_id};
use crate::family::spending_add;
use crate::id::{CardOrderId, CustomerId, OfferId, OrderId, PaymentSessionId};
use crate::order::OrderOutcome;
use crate::order::{
    Extras, OrderError, OrderRequest, Purchase, Quote, Refusal, Result, Wanted, child, load,
    load_offers, reduce, refuse, rules as order_rules, shipment, store as order_store, taxing,
};
use crate::policy::policy;
use crate::promotion::Held;
use crate::text;
use crate::token_sale::{attempt_begin, payment_session_open};
use crate::vendor::{Vendor, token_price_at};
use scrip_engine::{Read, Tx};
use scrip_ledger::{Amount, lots_locked};
use serde::{Deserialize, Serialize};

/// An order that a card is to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByCard {
    /// Who buys.
    pub customer: CustomerId,
    /// What is bought.
    pub lines: Vec<Wanted>,
    /// The name by which the vendor's other systems call it; empty for none.
    pub reference: String,
    /// What else the buyer chose.
    pub extras: Extras,
    /// Where goods are sent to; it is sealed with the order, in place of what `extras` has.
    pub to: Option<Address>,
    /// The payment session that counts declines; `None` begins one.
    pub payment_session: Option<PaymentSessionId>,
    /// The processor's token for a card; never a card number.
    pub card: String,
    /// The card's last four digits, where they are known.
    pub last_four: String,
    /// The money that the buyer was told it costs: another price now is refused.
    pub quoted: Option<Amount>,
    /// True when the offers leave the customer's order list once it is paid.
    pub from_list: bool,
}

/// What is stored under the key: how it ended is in the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    /// The card may be asked.
    Opened {
        /// What for.
        id: CardOrderId,
        /// Where declines are counted.
        payment_session: PaymentSessionId,
    },
    /// It is refused, and stored so.
    Refused {
        /// The record of it.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
}

/// Writes an order that a card is to pay, or refuses it. No card is asked yet.
pub fn card_order_open(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    new: &ByCard,
) -> Result<Opening> {
    let book = vendor.book_id;
    let request = OrderRequest {
        customer_id: new.customer,
        lines: new.lines.clone(),
        reference: new.reference.clone(),
        effective_at: None,
        extras: new.extras.clone(),
    };
    let purchase = load(tx, actor, book, &request)?;
    let card = text::line("the card", &new.card, 200)?;
    let last_four = text::optional_line("the last four digits", &new.last_four, 4)?;
    let offers = load_offers(tx, book, &request.lines)?;
    shipment::check_address(&offers, new.extras.address.as_ref())?;
    let lines = order_rules::priced(&request.lines, &offers)?;
    // The wallet is only looked at; its lock makes this purchase and others of the account one
    // after the other.
    let lots = lots_locked(tx, book, purchase.buyer.customer.wallet)?;
    let (lines, held) = reduce::locked(tx, &purchase, &offers, lines)?;
    let lines = taxing::taxed(tx, &purchase.buyer, lines)?;
    let quote = reduce::told(order_rules::quoted(lines, &lots, tx.now())?, &held)?;
    if let Some(refusal) = refusal(tx, &purchase, &offers, &quote, &held)? {
        return refused(tx, &purchase, &quote, refusal);
    }
    let price = price_now(tx, vendor, &quote)?;
    if new.quoted.is_some_and(|quoted| quoted != price) {
        return Err(OrderError::CardPriceChanged);
    }
    let payment_session = match new.payment_session {
        Some(session) => session,
        None => {
            let customer = customer_by_id(tx, book, new.customer)?;
            payment_session_open(tx, actor, &customer)?
        }
    };
    attempt_begin(tx, &purchase.buyer.customer, payment_session)?;
    if let Err(few) = stock_take(tx, book, Some(new.customer), &counted(&quote))? {
        return refused(tx, &purchase, &quote, order_rules::too_few(&quote, few));
    }
    // Counted from now on, so that two orders at once cannot pass a cap together.
    if purchase.buyer.has_parent {
        spending_add(tx, &purchase.buyer.customer, quote.required)?;
    }
    let id = CardOrderId(tx.new_id()?);
    let order = store::CardOrder::awaiting(id, new.customer, payment_session, price, tx.now());
    let order = store::CardOrder {
        card,
        last_four,
        ..order
    };
    freeze(tx, &purchase, quote, &order, new.from_list)?;
    Ok(Opening::Opened {
        id,
        payment_session,
    })
}

/// Why the order is refused, as far as it shows without stock.
fn refusal(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    offers: &[Offer],
    quote: &Quote,
    held: &Held,
) -> Result<Option<Refusal>> {
    if !policy(tx, purchase.book_id)?.checkout.card {
        return Ok(Some(Refusal::CardNotTaken));
    }
    if let Some(refusal) = reduce::refusal(tx, purchase, held)? {
        return Ok(Some(refusal));
    }
    let lines = &purchase.request.lines;
    let refusal = order_rules::refusal(&purchase.buyer, lines, offers, quote);
    // RT may be more than AT: the tokens stay where they are.
    if let Some(refusal) = refusal.filter(|r| !matches!(r, Refusal::Shortage { .. })) {
        return Ok(Some(refusal));
    }
    if purchase.buyer.has_parent
        && let Some(refusal) = child::refusal(tx, purchase, quote)?
    {
        return Ok(Some(refusal));
    }
    Ok(is_limited(held, quote).then_some(Refusal::TokensOnly))
}

/// Writes what was agreed, and keeps the reference for it.
fn freeze(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: Quote,
    order: &store::CardOrder,
    from_list: bool,
) -> Result<()> {
    if !purchase.reference.is_empty() {
        let (book, target) = (purchase.book_id, OrderId(order.id.0));
        order_store::insert_reference(tx, book, &purchase.reference, target)?;
    }
    let frozen = Frozen {
        request: OrderRequest {
            reference: purchase.reference.clone(),
            ..purchase.request.clone()
        },
        quote,
        actor: purchase.actor.to_string(),
        from_list,
    };
    Ok(store::insert(tx, purchase.book_id, order, &frozen)?)
}

fn refused(
    tx: &mut Tx<'_>,
    purchase: &Purchase<'_>,
    quote: &Quote,
    refusal: Refusal,
) -> Result<Opening> {
    match refuse(tx, purchase, quote, refusal)? {
        OrderOutcome::Refused { order_id, refusal } => Ok(Opening::Refused { order_id, refusal }),
        // A refusal ends in nothing else.
        OrderOutcome::Completed(_) => Err(OrderError::NothingToPay),
    }
}

/// True when something comes off that is good so often only. Whether it is used shows when the
/// card has answered, and then somebody else may have had the last use.
fn is_limited(held: &Held, quote: &Quote) -> bool {
    let off = quote.lines.iter().flat_map(|line| &line.off);
    let limited = |id| {
        let promotion = held.promotions().iter().find(|p| p.id == id);
        promotion.is_some_and(|p| p.terms.in_total > 0 || p.terms.per_customer > 0)
    };
    off.into_iter()
        .any(|off| off.is_coupon || limited(off.promotion_id))
}

/// What a card pays for it now. What costs no tokens costs no money, and needs no card.
fn price_now(tx: &mut Tx<'_>, vendor: &Vendor, quote: &Quote) -> Result<Amount> {
    if !quote.required.is_positive() {
        return Err(OrderError::NothingToPay);
    }
    let now = tx.now();
    let each = token_price_at(tx, vendor.book_id, now)?;
    Ok(rules::price(
        quote.required,
        each,
        &vendor.token,
        &vendor.currency,
    )?)
}

/// Pieces that are counted.
pub(in crate::order) fn counted(quote: &Quote) -> Vec<(OfferId, i64)> {
    let stocked = quote.lines.iter().filter(|line| line.stocked);
    stocked.map(|line| (line.offer_id, line.granted)).collect()
}

//! The receipt of an order, and asking for a refund of it (SHP-13, SHP-19).

use super::open_way::{PaidOpen, paid_with};
use super::parcel::{ParcelView, parcel};
use crate::error::{Result, sentence};
use crate::http::body::{Form, Path};
use crate::state::App;
use crate::web::account::paid_from;
use crate::web::frame::{self, member_shell};
use crate::web::session::Member;
use crate::web::shop::words::{self, TaxView};
use crate::web::view::format::{change, count, money, tokens};
use crate::web::view::{Field, Notice, Shell, Shown, Tone, When};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::id::OrderId;
use scrip_domain::order::{
    AskState, OrderDetail, OrderDetailLine, OrderError, OrderState, QuoteLine, Supply, order_by_id,
    refund_ask, refund_request_opened,
};
use scrip_domain::vendor::Sells;
use serde::Deserialize;

/// Characters of a reason at most; the rules have the same.
const REASON_AT_MOST: u32 = 1000;

#[derive(Template)]
#[template(path = "order/receipt.html")]
struct ReceiptPage {
    shell: Shell,
    headline: String,
    shop_name: String,
    order: String,
    reference: String,
    when: When,
    /// The account that paid, where the customer has several.
    paid_from: Option<String>,
    lines: Vec<Line>,
    stamp: Option<String>,
    is_refused: bool,
    total: Shown,
    back: Option<Shown>,
    is_all_back: bool,
    left: Option<Shown>,
    /// What a card paid, or was to pay.
    by_card: Option<ByCard>,
    /// What open tokens paid.
    by_open: Option<PaidOpen>,
    /// The taxes in it.
    taxes: Vec<TaxView>,
    has_codes: bool,
    parcel: Option<ParcelView>,
    asked: Option<Notice>,
    ask: Option<Ask>,
    shelf: String,
    orders: String,
}

/// What a card paid, or was to pay.
struct ByCard {
    money: String,
    last_four: String,
    is_refund_due: bool,
}

/// A line of a receipt.
struct Line {
    title: String,
    note: String,
    price: Shown,
    /// What it would have been without promotions.
    was: Option<Shown>,
    /// What took how much off; empty for nothing.
    off: String,
}

/// The form that asks for a refund.
struct Ask {
    action: String,
    reason: Field,
    /// True when a request is open and its words may change.
    is_open: bool,
    /// True when the form is to be seen at once.
    is_wanted: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Asked {
    order: OrderId,
}

/// Why a refund is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    reason: String,
}

/// What was typed and could not be taken.
struct Again {
    typed: String,
    said: String,
}

/// An order, where it is sent its parcel, and what open tokens paid it.
type Found = (OrderDetail, Option<ParcelView>, Option<PaidOpen>);

async fn load(app: &App, member: &Member, order: OrderId) -> Result<Found> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let (vault, currency) = (app.node.vault.clone(), member.shop.vendor.currency.clone());
    app.read(move |tx| {
        let mut found = order_by_id(tx, actor, book, order)?;
        if let Some(asked) = found.request.take() {
            found.request = Some(refund_request_opened(tx, &vault, book, asked)?);
        }
        let parcel = parcel(tx, &vault, actor, book, order)?;
        let open = paid_with(tx, book, &currency, order)?;
        Ok::<_, OrderError>((found, parcel, open))
    })
    .await
}

/// `GET /shops/{slug}/orders/{order}`. Another customer's order is not here.
pub async fn show(
    State(app): State<App>,
    member: Member,
    Path(asked): Path<Asked>,
) -> Result<Response> {
    let (order, parcel, by_open) = load(&app, &member, asked.order).await?;
    let mut receipt = page(&member, &order, None);
    if let (Some(stamp), Some(open)) = (&mut receipt.stamp, &by_open) {
        *stamp = format!("Paid {}", open.money);
    }
    frame::page(&ReceiptPage {
        parcel,
        by_open,
        ..receipt
    })
}

/// `POST /shops/{slug}/orders/{order}/refund-request` (SHP-19). Asking again changes the reason.
pub async fn ask(
    State(app): State<App>,
    member: Member,
    Path(asked): Path<Asked>,
    Form(form): Form<Reason>,
) -> Result<Response> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    let vault = app.node.vault.clone();
    let reason = form.reason.clone();
    // A refusal is told on the page; everything else is a problem.
    let refused = app
        .write(
            move |tx| match refund_ask(tx, &vault, actor, book, asked.order, &reason) {
                Ok(_) => Ok(None),
                Err(
                    e @ (OrderError::Text(_)
                    | OrderError::NothingToRefund
                    | OrderError::RefundDeclined { .. }),
                ) => Ok(Some(sentence(&e.to_string()))),
                Err(e) => Err(e),
            },
        )
        .await?;
    let Some(said) = refused else {
        let receipt = format!("/orders/{}", asked.order);
        return frame::see(&member.shop.at(&receipt));
    };
    let (order, parcel, by_open) = load(&app, &member, asked.order).await?;
    let again = Again {
        typed: form.reason,
        said,
    };
    let page = ReceiptPage {
        parcel,
        by_open,
        ..page(&member, &order, Some(again))
    };
    frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn page(member: &Member, order: &OrderDetail, again: Option<Again>) -> ReceiptPage {
    let (shop, me) = (&member.shop, &member.me);
    let is_refused = order.state == OrderState::Refused;
    let has_name = me.name != me.customer.number.to_string();
    let headline = match (is_refused, has_name) {
        (true, _) => "This order was not approved.".to_owned(),
        (false, true) => format!("Thank you, {}.", me.name),
        (false, false) => "Thank you.".to_owned(),
    };
    let given_back = order.refunded.is_positive();
    let is_all_back = given_back && order.refunded == order.total;
    let mut shell = member_shell(member, title(is_refused), "/orders");
    let ask = ask_form(member, order, again.as_ref());
    // Without a form there is no field to say it at.
    if let (None, Some(again)) = (&ask, &again) {
        shell.notice = Some(Notice::new(
            Tone::Warn,
            "No refund was asked for.",
            again.said.clone(),
        ));
    }
    ReceiptPage {
        shell,
        headline,
        shop_name: shop.vendor.name.clone(),
        order: order.order_id.to_string(),
        reference: order.reference.clone(),
        when: When::minute(order.effective_at),
        paid_from: paid_from(member),
        lines: order
            .lines
            .iter()
            .map(|l| line(l, shop.front.sells))
            .collect(),
        stamp: (!is_refused).then(|| format!("Paid {}", paid_words(member, order))),
        by_card: order.card.as_ref().map(|card| ByCard {
            money: money(card.price, &shop.vendor.currency),
            last_four: card.last_four.clone(),
            is_refund_due: card.is_refund_due,
        }),
        taxes: words::taxes_of(order, &shop.vendor),
        total: tokens(order.total),
        back: given_back.then(|| change(order.refunded)),
        is_all_back,
        left: order.remaining_after.map(tokens),
        has_codes: !is_refused
            && (shop.front.sells == Sells::Software
                || order.lines.iter().any(|line| line.supply.is_some())),
        asked: match is_refused {
            true => Some(why_refused(member, order)),
            false => order.request.as_ref().map(|_| told(member, order)),
        },
        parcel: None,
        by_open: None,
        ask,
        is_refused,
        shelf: shop.at("/shop"),
        orders: shop.at("/orders"),
    }
}

/// What an order was paid with: tokens, or money by card.
fn paid_words(member: &Member, order: &OrderDetail) -> String {
    match &order.card {
        Some(card) => money(card.price, &member.shop.vendor.currency),
        None => tokens(order.total).to_string(),
    }
}

fn title(is_refused: bool) -> &'static str {
    if is_refused {
        "Order not approved"
    } else {
        "Receipt"
    }
}

fn line(line: &OrderDetailLine, sells: Sells) -> Line {
    // A tier is one price for all of it.
    let tiered = line.granted > 1 && line.amount == line.unit_price;
    let quoted = QuoteLine {
        offer_id: line.offer_id,
        sku: line.sku.clone(),
        title: line.title.clone(),
        kind: line.kind,
        quantity: line.quantity,
        granted: line.granted,
        unit_price: line.unit_price,
        amount: line.amount,
        on_sale: false,
        stocked: false,
        off: Vec::new(),
        tax: None,
    };
    let mut note = words::granted(&quoted, tiered, sells);
    match line.supply {
        Some(Supply::Download) => note.push_str(". Its download and its code follow"),
        Some(Supply::Code) => note.push_str(". Its code follows"),
        None => {}
    }
    if line.refunded_quantity > 0 {
        let (pieces, back) = (count(line.refunded_quantity), tokens(line.refunded));
        note.push_str(&format!(". Given back: {pieces}, {back}"));
    }
    let off = line.off.iter().map(|off| (off.name.as_str(), off.amount));
    let off: Vec<(&str, Amount)> = off.collect();
    Line {
        was: words::was_of(line.amount, &off),
        off: words::off_of(&off),
        title: line.title.clone(),
        note,
        price: tokens(line.amount),
    }
}

/// Why an order was not approved, and what to do (SHP-19). Its reason is stored as a word.
fn why_refused(member: &Member, order: &OrderDetail) -> Notice {
    let shop = &member.shop;
    let text = match order.reason.as_deref() {
        Some("shortage") => "It needed more tokens than you had. Buy some, or take less.",
        Some("restricted") => "Some of your tokens pay only for what is on sale.",
        Some("price_changed") => "A price had changed since it was shown to you.",
        Some("out_of_stock") => "There were fewer pieces left than you wanted.",
        Some("reserved") => "Others had reserved the last pieces. Try again later.",
        Some("not_for_sale") => "Something on it was not sold any more.",
        Some("over_cap") => "It would have passed a cap that your parent set.",
        Some("not_allowed") => "It had something that your parent does not allow.",
        Some("coupon") => "The coupon took nothing off it.",
        Some("inactive") => "Your account was not active yet.",
        Some("below_threshold") => "You had fewer tokens than ordering begins with. Buy some.",
        Some("closed") => "The account was closed.",
        Some("card_declined") => "The card was declined. Your tokens are as they were.",
        Some("tokens_only") => "A coupon or a limited promotion counts with tokens alone.",
        Some("card_not_taken") => "Orders are not paid by card here any more.",
        Some("open_short") => "The open tokens that are taken here did not pay for all of it.",
        _ => "It could not be placed.",
    };
    Notice::new(Tone::Bad, "Nothing was taken.", text)
        .action("Your order list", shop.at("/list"))
        .action("To the shop", shop.at("/shop"))
}

/// What became of a request for a refund.
fn told(member: &Member, order: &OrderDetail) -> Notice {
    let Some(request) = &order.request else {
        return Notice::new(Tone::Note, "No refund was asked for.", "");
    };
    let at = |when: Option<scrip_engine::Timestamp>| {
        When::day(when.unwrap_or(request.asked_at)).to_string()
    };
    match request.state {
        AskState::Open => Notice::new(
            Tone::Note,
            format!("You asked for a refund on {}.", at(None)),
            format!(
                "The shop has not answered yet. You wrote: {}",
                request.reason
            ),
        ),
        AskState::Refunded => Notice::new(
            Tone::Good,
            match &order.card {
                Some(_) => format!("Your money was given back on {}.", at(request.closed_at)),
                None => format!("Tokens were given back on {}.", at(request.closed_at)),
            },
            match &order.card {
                Some(card) => format!(
                    "{} went back to the card.",
                    money(card.price, &member.shop.vendor.currency)
                ),
                None => format!("{} of this order are yours again.", tokens(order.refunded)),
            },
        ),
        AskState::Declined => Notice::new(
            Tone::Warn,
            format!("The shop declined a refund on {}.", at(request.closed_at)),
            request.answer.clone(),
        ),
    }
}

/// The form, where there is something to give back and the shop has not declined.
fn ask_form(member: &Member, order: &OrderDetail, again: Option<&Again>) -> Option<Ask> {
    let left = |line: &OrderDetailLine| line.amount.is_positive() && line.refunded < line.amount;
    let state = order.request.as_ref().map(|request| request.state);
    let is_possible = order.state == OrderState::Completed
        && order.lines.iter().any(left)
        && state != Some(AskState::Declined);
    if !is_possible {
        return None;
    }
    let written = match (&order.request, again) {
        (_, Some(again)) => again.typed.clone(),
        (Some(request), None) if request.state == AskState::Open => request.reason.clone(),
        _ => String::new(),
    };
    let why = match &order.card {
        Some(_) => "Why do you want your money back?",
        None => "Why do you want tokens back?",
    };
    let reason = Field::area("reason", why)
        .help("The shop reads it and answers here.")
        .max(REASON_AT_MOST)
        .value(written)
        .error(again.map(|again| again.said.clone()).unwrap_or_default());
    let path = format!("/orders/{}/refund-request", order.order_id);
    Some(Ask {
        action: member.shop.at(&path),
        reason,
        is_open: state == Some(AskState::Open),
        is_wanted: again.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::{OrderDetailLine, line};
    use scrip_domain::Amount;
    use scrip_domain::catalog::OfferKind;
    use scrip_domain::id::OfferId;
    use scrip_domain::vendor::Sells;
    use uuid::Uuid;

    fn sold(kind: OfferKind, granted: i64, each: i64, amount: i64, back: i64) -> OrderDetailLine {
        OrderDetailLine {
            line_no: 1,
            offer_id: OfferId(Uuid::nil()),
            sku: "s".into(),
            title: "Thing".into(),
            kind,
            quantity: granted,
            granted,
            unit_price: Amount::from_units(each * 1_000_000),
            amount: Amount::from_units(amount * 1_000_000),
            supply: None,
            refunded_quantity: back,
            refunded: Amount::from_units(back * each * 1_000_000),
            off: Vec::new(),
            refunded_tax: Amount::ZERO,
            tax: None,
        }
    }

    /// SHP-10, SHP-19
    #[test]
    fn a_line_says_what_was_granted_and_what_went_back() {
        let note = |sold, sells| line(&sold, sells).note;
        let pots = sold(OfferKind::Purchase, 2, 100, 200, 1);
        let said = "2 pieces at 100 tokens. Given back: 1, 100 tokens";
        assert_eq!(note(pots, Sells::Goods), said);
        let tier = sold(OfferKind::Processings, 1000, 80, 80, 0);
        assert_eq!(note(tier, Sells::Software), "Rent, 1,000 processings");
        let program = sold(OfferKind::Purchase, 1, 100, 100, 0);
        assert_eq!(note(program, Sells::Software), "Purchase");
    }
}

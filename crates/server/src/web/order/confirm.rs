//! The page that asks to confirm (SHP-12), and the purchase of exactly what it showed (SHP-13).
//!
//! The form carries offers, quantities and prices as they were shown, and a key. So each of two
//! tabs buys what it shows, a double click or a reload buys once, and a price that has changed
//! since is asked about again.

use super::address;
use super::card_way::{CardAgain, CardWay, card_way};
use super::coupon::{self, CouponForm, Wrong};
use super::form::{Chosen, Confirmed};
use super::open_way::{OpenWay, open_way};
use super::review::{Review, review};
use super::shortage;
use crate::error::{Problem, Result, refused};
use crate::http::body::Form;
use crate::state::App;
use crate::web::buy::card::with_script;
use crate::web::frame::{self, form_key, link, member_shell};
use crate::web::gate;
use crate::web::payer::check_payer;
use crate::web::session::{Member, Shop};
use crate::web::shop::words::{self, TaxView};
use crate::web::view::format::{self, change, tokens};
use crate::web::view::{Choice, Field, Notice, Shell, Shown, Tone, Trio, When};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::order::shipment::order_address;
use scrip_domain::order::{
    Extras, OrderError, OrderList, OrderOutcome, OrderRequest, QuoteLine, Refusal, Supply, Wanted,
    order_list_bought, order_place,
};
use scrip_domain::promotion::{CouponKey, coupon_clear};
use scrip_domain::vendor::{Sells, TOKENS_AT_MOST};

#[derive(Template)]
#[template(path = "order/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    shop_name: String,
    name: String,
    number: String,
    when: When,
    lines: Vec<Line>,
    available: Shown,
    required: Shown,
    minus: Shown,
    money: String,
    left: Shown,
    trio: Trio,
    key: String,
    action: String,
    back: String,
    quit: String,
    has_codes: bool,
    /// Where it is sent to; empty where nothing is.
    to: Vec<Field>,
    /// True when tokens are short, so that only a card can pay.
    is_short: bool,
    by_card: Option<CardWay>,
    by_open: Option<OpenWay>,
    /// What promotions and the coupon take off; none where nothing comes off.
    off: Option<Shown>,
    /// The key of the coupon that the order has; empty for none.
    coupon_key: String,
    coupon: CouponForm,
    /// The taxes in it.
    taxes: Vec<TaxView>,
}

/// A line to confirm.
struct Line {
    title: String,
    note: String,
    price: Shown,
    /// What it would be without promotions.
    was: Option<Shown>,
    offer: String,
    quantity: i64,
    quoted: String,
    /// Until when it is reserved.
    reserved: Option<When>,
    /// What a program is handed over with; empty for what is none (SHP-12).
    supply: Vec<Choice>,
}

/// Nothing can be ordered yet.
#[derive(Template)]
#[template(path = "order/nothing.html")]
struct NothingPage {
    shell: Shell,
    headline: &'static str,
    text: String,
    shelf: String,
    list: Option<String>,
}

/// `GET /shops/{slug}/confirm` (SHP-12). Nothing is debited by looking.
pub async fn show(State(app): State<App>, member: Member) -> Result<Response> {
    list_shown(&app, &member, None).await
}

/// The page with the order list as an order; with `by_card` the card part is open.
pub async fn list_shown(
    app: &App,
    member: &Member,
    by_card: Option<CardAgain>,
) -> Result<Response> {
    if !member.sight.may_order() {
        return gate::closed(app, member, StatusCode::OK).await;
    }
    asked(app, member, None, StatusCode::OK, by_card).await
}

/// The page with what was wrong with a coupon's code.
pub async fn with_wrong(app: &App, member: &Member, wrong: &Wrong) -> Result<Response> {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    asked(app, member, Some(wrong), status, None).await
}

async fn asked(
    app: &App,
    member: &Member,
    wrong: Option<&Wrong>,
    status: StatusCode,
    by_card: Option<CardAgain>,
) -> Result<Response> {
    let list = crate::web::list::load(app, member).await?;
    let wanted = list.wanted();
    if wanted.is_empty() {
        return nothing(member, &list, None, status);
    }
    if list.quote.required > TOKENS_AT_MOST {
        return too_large(member);
    }
    let mut review = look(app, member, wanted, list.coupon.clone()).await?;
    if address::is_needed(&review) {
        review.to = address::suggested(app, member).await?;
    }
    let notice = (!review.changes.is_empty()).then(|| {
        let headline = "The order is not quite what your list says.";
        Notice::new(Tone::Warn, headline, review.changes.join(" "))
    });
    shown(app, member, &review, (notice, wrong), status, by_card).await
}

/// `POST /shops/{slug}/confirm` (SHP-13): places the order that was shown.
pub async fn place(
    State(app): State<App>,
    member: Member,
    Form(form): Form<Confirmed>,
) -> Result<Response> {
    check_payer(&member, &form.account)?;
    let (book, actor) = (member.shop.vendor.book_id, member.me.actor());
    let customer = member.me.customer.customer_id;
    let chosen = form.chosen(&member.shop)?;
    if chosen.to.wrong.is_some() {
        return no_address(&app, &member, chosen, None).await;
    }
    let to = chosen.to.given();
    let request = OrderRequest {
        extras: Extras {
            supply: chosen.supply.clone(),
            coupon: chosen.coupon.clone(),
            address: None,
        },
        customer_id: customer,
        lines: chosen.wanted.clone(),
        reference: String::new(),
        effective_at: None,
    };
    // Hashed under the master key: what is kept of a request must not tell where somebody lives.
    let vault = app.node.vault.clone();
    let asked = format!(
        "confirm {request:?} {}",
        address::hashed(&vault, to.as_ref())?
    );
    let keyed = member.keyed(form.key, asked.into_bytes());
    let offers = form.offer;
    let (me, has_coupon) = (member.me.customer.clone(), chosen.coupon.is_some());
    let placed = app.submit(keyed, move |tx| {
        let mut request = request.clone();
        if let Some(to) = &to {
            request.extras.address = Some(order_address(tx, &vault, book, customer, to)?);
        }
        let outcome = order_place(tx, actor, book, &request)?;
        if let OrderOutcome::Completed(_) = outcome {
            order_list_bought(tx, actor, book, customer, &offers)?;
            if has_coupon {
                coupon_clear(tx, actor, &me)?;
            }
        }
        Ok::<_, OrderError>(outcome)
    });
    let placed = match placed.await {
        Err(problem) if problem.code == "address_missing" => {
            return no_address(&app, &member, chosen, None).await;
        }
        placed => placed?,
    };
    match placed.value {
        OrderOutcome::Completed(receipt) => {
            app.metrics.order(true);
            frame::see(&member.shop.at(&format!("/orders/{}", receipt.order_id)))
        }
        OrderOutcome::Refused { order_id, refusal } => {
            app.metrics.order(false);
            let problem = refused(&order_id.to_string(), &refusal);
            not_placed(&app, &member, chosen, &refusal, problem, None).await
        }
    }
}

/// The page again: it does not say where to, or not well.
pub async fn no_address(
    app: &App,
    member: &Member,
    chosen: Chosen,
    by_card: Option<CardAgain>,
) -> Result<Response> {
    let review = chosen.review(app, member).await?;
    let notice = Notice::new(
        Tone::Bad,
        "Say where the order is sent to.",
        "Nothing was taken. Look at the address below and confirm again.",
    );
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    shown(app, member, &review, (Some(notice), None), status, by_card).await
}

/// The page after a refusal: nothing was taken, and here is what can be done (SHP-14, SHP-19).
pub async fn not_placed(
    app: &App,
    member: &Member,
    chosen: Chosen,
    refusal: &Refusal,
    problem: Problem,
    by_card: Option<CardAgain>,
) -> Result<Response> {
    let status = problem.status;
    if matches!(refusal, Refusal::Closed { .. }) {
        return Err(problem);
    }
    if matches!(
        refusal,
        Refusal::Inactive { .. } | Refusal::BelowThreshold { .. }
    ) {
        return gate::closed(app, member, status).await;
    }
    let review = chosen.review(app, member).await?;
    let notice = match refusal {
        Refusal::Restricted { .. } => Notice::new(
            Tone::Bad,
            "Some of your tokens may not pay for this order.",
            "They pay only for what is on sale. Nothing was taken. Buy ordinary tokens, or choose \
             other things.",
        )
        .action("Buy tokens", buy_and_return(&member.shop))
        .action("Change your list", member.shop.at("/list")),
        Refusal::OverCap { .. } => Notice::new(
            Tone::Bad,
            "This order would pass a cap that your parent set.",
            "Nothing was taken. Take less, wait until the cap allows it, or ask your parent.",
        )
        .action("Your limits", member.shop.at("/account/family"))
        .action("Change your list", member.shop.at("/list")),
        Refusal::NotAllowed { title } => Notice::new(
            Tone::Bad,
            "Your parent does not allow all of this order.",
            format!("Nothing was taken. {title} is not among what you may buy: take it off."),
        )
        .action("Your limits", member.shop.at("/account/family"))
        .action("Change your list", member.shop.at("/list")),
        Refusal::OpenShort { .. } => Notice::new(
            Tone::Bad,
            "These tokens do not pay for all of it.",
            "Nothing was taken. Pay with the shop's own tokens, with another kind, or take less.",
        )
        .action("Change your list", member.shop.at("/list")),
        Refusal::Coupon { fault } => Notice::new(
            Tone::Warn,
            "Nothing was taken: the coupon takes nothing off.",
            format!("{} The order stands here without it.", coupon::words(fault)),
        ),
        Refusal::TokensOnly => Notice::new(
            Tone::Warn,
            "Nothing was charged: this order is paid in tokens.",
            "A coupon or a limited promotion takes something off it, and that counts with tokens \
             alone. Pay with tokens, or take the coupon off.",
        ),
        _ if review.changes.is_empty() => Notice::new(
            Tone::Warn,
            "Nothing was taken. Look at the order again.",
            "It can be placed as it stands here. Confirm if it is right.",
        ),
        _ => Notice::new(
            Tone::Warn,
            "Nothing was taken: the order has changed.",
            format!("{} Confirm again if it is right.", review.changes.join(" ")),
        ),
    };
    let told = (Some(notice), None);
    shown(app, member, &review, told, status, by_card).await
}

pub async fn look(
    app: &App,
    member: &Member,
    wanted: Vec<Wanted>,
    coupon: Option<CouponKey>,
) -> Result<Review> {
    let book = member.shop.vendor.book_id;
    let customer = member.me.customer.customer_id;
    app.read(move |tx| review(tx, book, customer, &wanted, coupon))
        .await
}

fn buy_and_return(shop: &Shop) -> String {
    link(&shop.at("/buy"), &[("return", &shop.at("/confirm"))])
}

/// The page of a review: to confirm, or what is short, or that nothing is left of it. With
/// `by_card`, where a card may pay, it is to confirm also when tokens are short.
pub async fn shown(
    app: &App,
    member: &Member,
    review: &Review,
    (notice, wrong): (Option<Notice>, Option<&Wrong>),
    status: StatusCode,
    by_card: Option<CardAgain>,
) -> Result<Response> {
    if review.quote.lines.is_empty() {
        let list = crate::web::list::load(app, member).await?;
        return nothing(member, &list, notice, status);
    }
    let way = card_way(app, member, review, by_card.as_ref()).await?;
    let open = open_way(app, member, review).await?;
    let is_other_wanted = (by_card.is_some() && way.is_some()) || open.is_some();
    if let Some(short) = review.quote.shortage().filter(|_| !is_other_wanted) {
        let status = match status {
            StatusCode::OK => StatusCode::OK,
            _ => StatusCode::PAYMENT_REQUIRED,
        };
        // What is short is said by the page itself; what became of the card is not.
        let notice = notice.filter(|_| !review.changes.is_empty() || by_card.is_some());
        return shortage::shown(app, member, &review.quote, short, notice, status).await;
    }
    let has_entry = way.as_ref().is_some_and(|way| way.part.entry.is_some());
    let page = frame::page_with(
        status,
        &confirm_page(member, review, (notice, wrong), (way, open)),
    )?;
    Ok(match has_entry {
        true => with_script(app, page),
        false => page,
    })
}

fn confirm_page(
    member: &Member,
    review: &Review,
    (notice, wrong): (Option<Notice>, Option<&Wrong>),
    (by_card, by_open): (Option<CardWay>, Option<OpenWay>),
) -> ConfirmPage {
    let (shop, me, quote) = (&member.shop, &member.me, &review.quote);
    let mut shell = member_shell(member, "Confirm your order", "/confirm");
    if notice.is_some() {
        shell.notice = notice;
    }
    let negated = quote.required.negated().unwrap_or(Amount::ZERO);
    let lines: Vec<Line> = quote.lines.iter().map(|l| line(shop, l, review)).collect();
    let off = quote.lines.iter().flat_map(|line| &line.off);
    let off = Amount::sum(off.map(|off| off.amount)).unwrap_or_default();
    let is_good = quote.coupon.as_ref().is_some_and(|c| c.fault.is_none());
    let key = review.coupon.clone().filter(|_| is_good);
    ConfirmPage {
        shop_name: shop.vendor.name.clone(),
        name: me.name.clone(),
        number: me.customer.number.to_string(),
        when: When::minute(member.now),
        is_short: quote.shortage().is_some(),
        by_card,
        by_open,
        to: match address::is_needed(review) {
            true => address::fields(&review.to),
            false => Vec::new(),
        },
        has_codes: lines.iter().any(|line| !line.supply.is_empty()),
        lines,
        available: tokens(quote.available),
        required: tokens(quote.required),
        minus: change(negated),
        money: words::cash(shop, quote.required),
        left: tokens(quote.remaining),
        trio: Trio::of(quote.required, Some(quote.available)),
        key: form_key(),
        off: off
            .is_positive()
            .then(|| change(off.negated().unwrap_or_default())),
        coupon_key: key.map(String::from).unwrap_or_default(),
        coupon: coupon::of_confirm(shop, quote.coupon.as_ref(), wrong),
        taxes: words::taxes(shop, quote),
        action: shop.at("/confirm"),
        back: shop.at("/list"),
        quit: shop.at("/quit"),
        shell,
    }
}

/// What is bought, what kind it is, and how large its download (SHP-12).
fn line(shop: &Shop, line: &QuoteLine, review: &Review) -> Line {
    let shown = review.shown.get(&line.offer_id);
    let tiered = shown.is_some_and(|shown| shown.offer.tiered);
    let mut note = words::granted(line, tiered, shop.front.sells);
    let kilobytes = shown.map_or(0, |shown| shown.download_kb);
    if kilobytes > 0 {
        let (size, time) = (format::size(kilobytes), format::download_time(kilobytes));
        note.push_str(&format!(". Download of {size}, {time}"));
    }
    if !line.off.is_empty() {
        note.push_str(&format!(". {}", words::off(line)));
    }
    let as_shown = line.as_shown();
    Line {
        was: words::was(line),
        title: line.title.clone(),
        note,
        price: tokens(line.amount),
        offer: line.offer_id.to_string(),
        quantity: as_shown.quantity,
        reserved: review
            .holds
            .get(&line.offer_id)
            .and_then(|hold| hold.own)
            .filter(|own| own.pieces >= line.granted)
            .map(|own| When::minute(own.until)),
        quoted: line.unit_price.decimal(shop.vendor.token.scale),
        supply: match shown.map(|shown| words::sort(shop, shown.delivery)) {
            Some(Sells::Software) => supply(review.supply.get(&line.offer_id)),
            _ => Vec::new(),
        },
    }
}

/// The ways in which a program is handed over.
fn supply(chosen: Option<&Supply>) -> Vec<Choice> {
    let chosen = chosen.copied().unwrap_or(Supply::Download);
    let all = Supply::ALL.iter();
    all.map(|supply| {
        Choice::new(
            "supply",
            supply.name(),
            words::supply(*supply),
            *supply == chosen,
        )
    })
    .collect()
}

/// The page when nothing is ordered: the list is empty, or nothing on it is ticked.
fn nothing(
    member: &Member,
    list: &OrderList,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response> {
    let shop = &member.shop;
    let mut shell = member_shell(member, "Nothing to order", "/confirm");
    if notice.is_some() {
        shell.notice = notice;
    }
    let is_empty = list.lines.is_empty();
    let (headline, text) = match is_empty {
        true => (
            "Your order list is empty.",
            "Nothing was taken. Put something on it, and it is shown here before you pay.",
        ),
        false => (
            "Nothing on your list is ticked.",
            "Nothing was taken. Tick what you want to order; the rest stays on your list.",
        ),
    };
    let page = NothingPage {
        shell,
        headline,
        text: text.to_owned(),
        shelf: shop.at("/shop"),
        list: (!is_empty).then(|| shop.at("/list")),
    };
    frame::page_with(status, &page)
}

/// The page of a list that is more than one order may be.
fn too_large(member: &Member) -> Result<Response> {
    let shop = &member.shop;
    let most = tokens(TOKENS_AT_MOST);
    frame::page(&NothingPage {
        shell: member_shell(member, "Too much for one order", "/confirm"),
        headline: "This is too much for one order.",
        text: format!(
            "One order is at most {most}. Nothing was taken. Untick some of it and order that later."
        ),
        shelf: shop.at("/shop"),
        list: Some(shop.at("/list")),
    })
}

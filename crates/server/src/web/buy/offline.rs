//! Ordering tokens without a card (TOK-11): by cheque, money order, purchase order or invoice, as
//! the vendor takes them; what to do then, to be printed; and what became of it.

use super::packs::{discount_words, pack_of};
use super::{Wish, back_to};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use crate::web::frame::{form_key, link, member_shell, page, page_with, see};
use crate::web::payer::check_payer;
use crate::web::register::means_words;
use crate::web::session::{Member, Shop};
use crate::web::view::format::{money, tokens};
use crate::web::view::{Choice, Field, Notice, Shell, Shown, Tone, When};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::id::TokenOrderId;
use scrip_domain::policy::{Channel, CreditPoint, Means};
use scrip_domain::token_sale::offline::{
    NewOfflineOrder, OfflineError, OfflineOrder, OfflineState, offline_means, offline_order_by_id,
    offline_order_cancel, offline_order_open,
};
use scrip_domain::token_sale::{Deal, token_quote};
use serde::Deserialize;

/// Means that this customer may choose here.
pub fn means(member: &Member) -> Vec<Means> {
    offline_means(&member.shop.policy, member.me.actor())
}

/// The page on which so many tokens are ordered.
pub(super) fn address(shop: &Shop, wish: &Wish, back: &str) -> String {
    let mut query = vec![("return", back)];
    if let Some(tokens) = &wish.tokens {
        query.push(("tokens", tokens.trim()));
    }
    if !wish.pack.is_empty() {
        query.push(("pack", &wish.pack));
    }
    link(&shop.at("/buy/offline"), &query)
}

#[derive(Template)]
#[template(path = "buy/offline.html")]
struct OfflinePage {
    shell: Shell,
    here: String,
    number: Field,
    chosen: Option<Chosen>,
    pack: String,
    back: String,
}

/// What would be ordered.
struct Chosen {
    tokens: Shown,
    typed: String,
    money: String,
    price: String,
    why: String,
    ways: Vec<Choice>,
    payment: Field,
    credited: &'static str,
    key: String,
}

/// What is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    tokens: Option<String>,
    #[serde(default)]
    pack: String,
    #[serde(rename = "return")]
    back: Option<String>,
}

/// The form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    tokens: String,
    #[serde(default)]
    pack: String,
    means: String,
    #[serde(default)]
    payment: String,
    /// The account that the page named.
    #[serde(default)]
    account: String,
    #[serde(default)]
    price: String,
    key: String,
    #[serde(default, rename = "return")]
    back: String,
}

/// `GET /shops/{slug}/buy/offline`.
pub async fn form(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    if means(&member).is_empty() {
        return Err(Problem::not_found("page"));
    }
    let back = back_to(&member.shop, wanted.back.as_deref(), &headers);
    let wish = Wish {
        tokens: wanted.tokens,
        pack: wanted.pack,
    };
    shown(&app, &member, &wish, &back, None).await
}

/// What was sent before and could not be taken.
struct Again {
    status: StatusCode,
    notice: Notice,
    means: String,
    payment: String,
}

async fn shown(
    app: &App,
    member: &Member,
    wish: &Wish,
    back: &str,
    again: Option<Again>,
) -> Result<Response> {
    let (of, asked) = (member.clone(), wish.clone());
    let found = app
        .read(move |tx| {
            let vendor = &of.shop.vendor;
            let typed = asked.tokens.as_deref().unwrap_or("100");
            let amount = match Amount::parse(typed.trim(), vendor.token.scale) {
                Ok(amount) => amount,
                Err(e) => return Ok(Err(Problem::from(e).sentence())),
            };
            let Ok(pack) = pack_of(&asked.pack) else {
                return Ok(Err(Problem::not_found("pack").sentence()));
            };
            match token_quote(tx, vendor, &of.me.customer, amount, pack) {
                Ok(deal) => Ok(Ok(deal)),
                Err(e) => {
                    let problem = Problem::from(e);
                    match problem.status {
                        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND => {
                            Ok(Err(problem.sentence()))
                        }
                        _ => Err(problem),
                    }
                }
            }
        })
        .await?;
    let mut number = Field::number("tokens", "How many tokens")
        .value(wish.tokens.clone().unwrap_or_else(|| "100".to_owned()));
    let mut status = again.as_ref().map_or(StatusCode::OK, |a| a.status);
    let chosen = match found {
        Ok(deal) => Some(chosen(member, &deal, again.as_ref())),
        Err(why) => {
            number = number.error(why);
            status = StatusCode::UNPROCESSABLE_ENTITY;
            None
        }
    };
    let mut shell = member_shell(member, "Order tokens without a card", "/buy");
    if let Some(again) = again {
        shell.notice = Some(again.notice);
    }
    page_with(
        status,
        &OfflinePage {
            shell,
            here: member.shop.at("/buy/offline"),
            number,
            chosen,
            pack: wish.pack.clone(),
            back: back.to_owned(),
        },
    )
}

fn chosen(member: &Member, deal: &Deal, again: Option<&Again>) -> Chosen {
    let vendor = &member.shop.vendor;
    let all = means(member);
    let wanted = again.and_then(|a| Means::parse(&a.means).ok());
    let first = wanted.filter(|m| all.contains(m)).or(all.first().copied());
    let why: Vec<String> = deal.discounts.iter().map(discount_words).collect();
    Chosen {
        tokens: tokens(deal.quantity),
        typed: deal.quantity.decimal(vendor.token.scale),
        money: money(deal.price, &vendor.currency),
        price: deal.price.decimal(vendor.currency.scale),
        why: why.join(", and "),
        ways: all
            .iter()
            .map(|m| Choice::new("means", m.name(), means_words(*m), Some(*m) == first))
            .collect(),
        payment: Field::text("payment", "Number of your payment")
            .value(again.map_or("", |a| &a.payment))
            .help("Of the cheque or the purchase order, if you know it already.")
            .max(200)
            .optional(),
        credited: match member.shop.policy.sale.credit_point {
            CreditPoint::Acceptance => "The tokens arrive when the shop has accepted the order.",
            CreditPoint::Receipt => "The tokens arrive when the shop has your money.",
        },
        key: form_key(),
    }
}

/// `POST /shops/{slug}/buy/offline`.
pub async fn open(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Form(form): Form<Ordered>,
) -> Result<Response> {
    check_payer(&member, &form.account)?;
    let back = back_to(&member.shop, Some(&form.back), &headers);
    let wish = Wish {
        tokens: Some(form.tokens.clone()),
        pack: form.pack.clone(),
    };
    match opened(&app, &member, &form).await {
        Ok(id) => see(&member.shop.at(&format!("/buy/offline/{id}"))),
        Err(problem) => {
            let expected = matches!(
                problem.status,
                StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND
            );
            if !expected {
                return Err(problem);
            }
            let again = Again {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                notice: match problem.code {
                    "price_changed" => Notice::new(
                        Tone::Warn,
                        "The price has changed.",
                        "Nothing was ordered. What the tokens cost now is below.",
                    ),
                    _ => Notice::new(Tone::Bad, "Nothing was ordered.", problem.sentence()),
                },
                means: form.means.clone(),
                payment: form.payment.clone(),
            };
            shown(&app, &member, &wish, &back, Some(again)).await
        }
    }
}

async fn opened(app: &App, member: &Member, form: &Ordered) -> Result<TokenOrderId> {
    let vendor = member.shop.vendor.clone();
    let quoted = match form.price.as_str() {
        "" => None,
        price => Some(Amount::parse(price, vendor.currency.scale)?),
    };
    let new = NewOfflineOrder {
        customer: member.me.customer.customer_id,
        quantity: Amount::parse(form.tokens.trim(), vendor.token.scale)?,
        pack: pack_of(&form.pack).map_err(|_| Problem::not_found("pack"))?,
        means: Means::parse(&form.means)
            .map_err(|e| Problem::invalid("means_refused", e.to_string()))?,
        channel: Channel::Online,
        quoted,
        payment_reference: form.payment.clone(),
    };
    let actor = member.me.actor();
    let keyed = member.keyed(form.key.clone(), format!("{new:?}").into_bytes());
    let done = app.submit(keyed, move |tx| {
        let order = offline_order_open(tx, actor, &vendor, &new)?;
        Ok::<_, OfflineError>(order.id)
    });
    Ok(done.await?.value)
}

#[derive(Template)]
#[template(path = "buy/offline_order.html")]
struct OrderPage {
    shell: Shell,
    shop: String,
    reference: String,
    tokens: Shown,
    money: String,
    facts: Vec<(&'static str, String)>,
    state: &'static str,
    class: &'static str,
    /// What to do, one sentence each; empty when nothing is left to do.
    steps: Vec<String>,
    address: Vec<String>,
    account: Vec<String>,
    cancel: String,
    key: String,
    orders: String,
}

/// Where an order stands, for its customer.
pub fn state_words(order: &OfflineOrder) -> (&'static str, &'static str) {
    match order.state {
        OfflineState::Open => ("Waits for the shop", "status waits"),
        OfflineState::Awaiting if order.grant.is_some() => {
            ("Tokens are there, to be paid", "status waits")
        }
        OfflineState::Awaiting => ("Waits for your payment", "status waits"),
        OfflineState::Cleared => ("Paid", "status good"),
        OfflineState::Failed if order.owed.is_positive() => ("Failed, money owed", "status bad"),
        OfflineState::Failed => ("Failed", "status stopped bad"),
        OfflineState::Cancelled => ("Cancelled", "status stopped"),
    }
}

fn steps(order: &OfflineOrder, shop: &Shop) -> Vec<String> {
    let currency = &shop.vendor.currency;
    let due = match order.state {
        OfflineState::Open | OfflineState::Awaiting if order.owed.is_zero() => order.price,
        OfflineState::Awaiting | OfflineState::Failed if order.owed.is_positive() => order.owed,
        _ => return Vec::new(),
    };
    let (sum, reference) = (money(due, currency), &order.reference);
    let mut steps = match order.means {
        Means::Check => vec![
            format!("Make out a cheque for {sum} to {}.", shop.vendor.name),
            format!("Write {reference} on its back and send it to the address below."),
        ],
        Means::MoneyOrder => vec![
            format!(
                "Buy a money order for {sum}, payable to {}.",
                shop.vendor.name
            ),
            format!("Write {reference} on it and send it to the address below."),
        ],
        Means::PurchaseOrder => vec![
            format!("Send your purchase order for {sum} to the address below."),
            format!("Say {reference} on it, and when you pay."),
        ],
        Means::BillMe => vec![
            "The shop sends you an invoice when it has accepted the order.".to_owned(),
            format!("Pay {sum} and say {reference}."),
        ],
        Means::Cash | Means::Card => {
            vec![format!("Bring {sum} to the counter and say {reference}.")]
        }
    };
    if let Some(at) = order.due_at {
        steps.push(format!("It is due on {}.", When::day(at).words));
    }
    steps
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn order_page(member: &Member, order: &OfflineOrder, notice: Option<Notice>) -> OrderPage {
    let shop = &member.shop;
    let (vendor, sale) = (&shop.vendor, &shop.policy.sale);
    let (state, class) = state_words(order);
    let mut facts = vec![
        ("Ordered", When::minute(order.created_at).words),
        ("Paid", means_words(order.means).to_owned()),
    ];
    if !order.payment_reference.is_empty() {
        facts.push(("Number of the payment", order.payment_reference.clone()));
    }
    if order.paid.is_positive() {
        facts.push(("Money that came", money(order.paid, &vendor.currency)));
    }
    if order.owed.is_positive() {
        facts.push(("Still to pay", money(order.owed, &vendor.currency)));
    }
    if order.taken_back.is_positive() {
        facts.push(("Taken back", tokens(order.taken_back).to_string()));
    }
    if !order.reason.is_empty() {
        facts.push(("Why", order.reason.clone()));
    }
    let steps = steps(order, shop);
    let mut shell = member_shell(member, format!("Order {}", order.reference), "/buy");
    if notice.is_some() {
        shell.notice = notice;
    }
    OrderPage {
        shell,
        shop: vendor.name.clone(),
        reference: order.reference.clone(),
        tokens: tokens(order.quantity),
        money: money(order.price, &vendor.currency),
        facts,
        state,
        class,
        address: if steps.is_empty() {
            Vec::new()
        } else {
            lines(&sale.payment_address)
        },
        account: if steps.is_empty() {
            Vec::new()
        } else {
            lines(&sale.payment_account)
        },
        steps,
        cancel: match order.state {
            OfflineState::Open => shop.at(&format!("/buy/offline/{}/cancel", order.id)),
            _ => String::new(),
        },
        key: form_key(),
        orders: shop.at("/buy/orders"),
    }
}

#[derive(Deserialize)]
pub struct OrderPath {
    id: String,
}

fn read_id(path: &OrderPath) -> Result<TokenOrderId> {
    path.id
        .parse()
        .map_err(|_| Problem::not_found("token order"))
}

async fn found(app: &App, member: &Member, id: TokenOrderId) -> Result<OfflineOrder> {
    let (book, actor) = (member.shop.vendor.book_id, member.me.actor());
    let read = app.read(move |tx| offline_order_by_id(tx, actor, book, id));
    read.await
}

/// `GET /shops/{slug}/buy/offline/{id}`: where it stands, and what to do.
pub async fn one(
    State(app): State<App>,
    member: Member,
    Path(path): Path<OrderPath>,
) -> Result<Response> {
    let order = found(&app, &member, read_id(&path)?).await?;
    page(&order_page(&member, &order, None))
}

/// The form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {
    key: String,
}

/// `POST /shops/{slug}/buy/offline/{id}/cancel`.
pub async fn cancel(
    State(app): State<App>,
    member: Member,
    Path(path): Path<OrderPath>,
    Form(form): Form<Cancelled>,
) -> Result<Response> {
    let id = read_id(&path)?;
    let (vendor, actor) = (member.shop.vendor.clone(), member.me.actor());
    let keyed = member.keyed(form.key, format!("cancel {id}").into_bytes());
    let done = app
        .submit(keyed, move |tx| {
            offline_order_cancel(tx, actor, &vendor, id)?;
            Ok::<_, OfflineError>(())
        })
        .await;
    match done {
        Ok(_) => see(&member.shop.at(&format!("/buy/offline/{id}"))),
        Err(problem) if problem.status == StatusCode::CONFLICT => {
            let order = found(&app, &member, id).await?;
            let text = "The shop has dealt with it meanwhile. Where it stands now is below.";
            let notice = Notice::new(Tone::Warn, "The order was not cancelled.", text);
            page_with(
                StatusCode::CONFLICT,
                &order_page(&member, &order, Some(notice)),
            )
        }
        Err(problem) => Err(problem),
    }
}

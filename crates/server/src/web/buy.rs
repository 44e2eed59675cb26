//! Buying tokens by card (TOK-08, TOK-09, TOK-14, REG-07, REG-09): the page on which one chooses
//! how many. `buy/pay.rs` takes the order, `buy/orders.rs` shows what became of it, and
//! `buy/bought.rs` tells it to the page to which the customer returns.

pub mod bought;
pub mod card;
mod confirm;
mod offline;
mod orders;
mod packs;
mod pay;

use super::frame::{form_key, link, member_shell, page, page_with, see};
use super::session::{Member, Shop, is_inside, referer};
use super::view::format::{money, price_each, tokens};
use super::view::{Choice, Field, Notice, Shell, Shown};
use crate::config::Cards;
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use card::CardPart;
use packs::PackChoice;
use scrip_domain::Amount;
use scrip_domain::card::{SavedCard, cards_of};
use scrip_domain::customer::{customer_balance, opening_due, tokens_to_activate};
use scrip_domain::order::order_list;
use scrip_domain::token_sale::{Deal, TokenSaleError, token_price_quote_for, token_quote};
use scrip_engine::{Read, ReadTx};
use serde::Deserialize;

pub use offline::state_words as offline_words;
pub use packs::{
    Sold as PackSold, conditions, discount_words, pack_of, percent, sold as packs_sold,
};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/buy", get(form).post(pay::buy))
        .route("/shops/{slug}/buy/orders", get(orders::orders))
        .route(
            "/shops/{slug}/buy/confirm",
            get(confirm::form).post(confirm::answered),
        )
        .route(
            "/shops/{slug}/buy/offline",
            get(offline::form).post(offline::open),
        )
        .route("/shops/{slug}/buy/offline/{id}", get(offline::one))
        .route(
            "/shops/{slug}/buy/offline/{id}/cancel",
            post(offline::cancel),
        )
}

/// Whole numbers of tokens to choose from.
const PRESETS: [i64; 4] = [50, 100, 200, 500];
/// What is chosen when nothing else suggests a number.
const USUAL: i64 = 100;

#[derive(Template)]
#[template(path = "buy/form.html")]
struct BuyPage {
    shell: Shell,
    lede: String,
    here: String,
    presets: Vec<Preset>,
    packs: Vec<PackChoice>,
    number: Field,
    chosen: Option<Chosen>,
    card: CardPart,
    back: String,
}

/// A number of tokens to choose, with what it costs.
struct Preset {
    label: String,
    href: String,
    on: bool,
}

/// The number that was chosen, ready to be paid.
struct Chosen {
    tokens: Shown,
    typed: String,
    money: String,
    price: String,
    each: String,
    after: Option<Shown>,
    key: String,
    session: String,
    /// What it would be without discounts; empty when it is that.
    list: String,
    /// Which discounts counted.
    why: String,
    /// The conditions of the tokens.
    terms: String,
    /// The chosen pack.
    pack: String,
    /// The page on which the same is ordered without a card; empty where cards alone are taken.
    offline: String,
}

/// What is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    tokens: Option<String>,
    #[serde(default)]
    pack: String,
    #[serde(rename = "return")]
    back: Option<String>,
}

/// What the page offers, as it stands now.
struct Offered {
    /// Tokens, what they cost, and what they are good for.
    presets: Vec<(Amount, Amount, &'static str)>,
    packs: Vec<packs::Sold>,
    /// What the chosen number costs, or why it cannot be bought.
    chosen: std::result::Result<Deal, String>,
    lede: String,
    /// The cards that the customer keeps.
    saved: Vec<SavedCard>,
}

/// The number of tokens as typed, and the chosen pack, empty for none.
#[derive(Clone, Default)]
struct Wish {
    tokens: Option<String>,
    pack: String,
}

/// What goes into the form again after it was sent.
#[derive(Default)]
struct Again {
    card: String,
    keep: bool,
    card_error: String,
    session: String,
    notice: Option<Notice>,
}

/// Where the customer goes on afterwards: what the link said, else the page before, else the
/// account.
fn back_to(shop: &Shop, said: Option<&str>, headers: &HeaderMap) -> String {
    let slug = &shop.vendor.slug;
    let inside = |path: &str| is_inside(path, slug);
    if let Some(said) = said.filter(|path| inside(path)) {
        return bought::without_flag(said);
    }
    let not_here = |path: &String| {
        let begins = |at: &str| path.starts_with(&shop.at(at));
        inside(path)
            && !["/buy", "/sign-in", "/register", "/forgot"]
                .into_iter()
                .any(begins)
    };
    referer(headers)
        .filter(not_here)
        .map_or_else(|| shop.at("/account"), |path| bought::without_flag(&path))
}

/// `GET /shops/{slug}/buy` (TOK-08).
async fn form(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let back = back_to(&member.shop, wanted.back.as_deref(), &headers);
    let wish = Wish {
        tokens: wanted.tokens,
        pack: wanted.pack,
    };
    if app.settings.cards == Cards::None {
        return match offline::means(&member).is_empty() {
            true => closed(&member, back),
            false => see(&offline::address(&member.shop, &wish, &back)),
        };
    }
    shown(&app, &member, &wish, &back, Again::default()).await
}

/// The page with what is offered now; 422 when there is something to put right.
async fn shown(
    app: &App,
    member: &Member,
    wish: &Wish,
    back: &str,
    again: Again,
) -> Result<Response> {
    let (of, asked) = (member.clone(), wish.clone());
    let offered = app.read(move |tx| offered(tx, &of, &asked)).await?;
    let is_wrong = offered.chosen.is_err() || again.notice.is_some();
    let page_of = buy_page(app, member, offered, wish, back, again);
    let shown = if is_wrong {
        page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of)
    } else {
        page(&page_of)
    };
    Ok(card::with_script(app, shown?))
}

fn offered(
    tx: &mut ReadTx<'_>,
    member: &Member,
    wish: &Wish,
) -> std::result::Result<Offered, Problem> {
    let (vendor, me) = (&member.shop.vendor, &member.me);
    let has = customer_balance(tx, &me.customer)?;
    let missing = tokens_to_activate(vendor, &me.customer, has)?;
    let list = order_list(tx, me.actor(), vendor.book_id, me.customer.customer_id)?;
    let mut wanted: Vec<(Amount, &'static str)> = Vec::new();
    if let Some(opening) = opening_due(tx, &me.customer)? {
        wanted.push((opening.tokens, "open your account"));
    }
    if missing.is_positive() && wanted.iter().all(|(amount, _)| *amount != missing) {
        wanted.push((missing, "make your account active"));
    } else if let Some(short) = list.quote.shortage() {
        wanted.push((short, "what your order list lacks"));
    }
    let suggested = wanted.first().map(|(amount, _)| *amount);
    for whole in PRESETS {
        let amount = Amount::parse(&whole.to_string(), vendor.token.scale)?;
        if amount >= missing && Some(amount) != suggested {
            wanted.push((amount, ""));
        }
    }
    let mut presets = Vec::with_capacity(wanted.len());
    for (amount, why) in wanted {
        presets.push((
            amount,
            token_price_quote_for(tx, vendor, &me.customer, amount)?,
            why,
        ));
    }
    let usual = match suggested {
        Some(suggested) => suggested,
        None => Amount::parse(&USUAL.to_string(), vendor.token.scale)?,
    };
    let chosen = chosen(tx, member, wish, usual)?;
    let lede = if me.is_active() {
        format!("You have {}.", tokens(me.available))
    } else {
        let minimum = tokens(vendor.minimum_for(&me.customer.country));
        format!(
            "You have {}. Your account becomes active with {minimum}.",
            tokens(has)
        )
    };
    Ok(Offered {
        presets,
        packs: packs::sold(tx, vendor, &me.customer)?,
        chosen,
        lede,
        saved: cards_of(tx, me.actor(), &me.customer)?,
    })
}

/// What the wish costs, or why it cannot be bought, in words; `usual` where no number is said.
fn chosen(
    tx: &mut dyn Read,
    member: &Member,
    wish: &Wish,
    usual: Amount,
) -> std::result::Result<std::result::Result<Deal, String>, Problem> {
    let vendor = &member.shop.vendor;
    let pack = match pack_of(&wish.pack) {
        Ok(pack) => pack,
        Err(_) => return Ok(Err(Problem::not_found("pack").sentence())),
    };
    let amount = match &wish.tokens {
        None => usual,
        Some(typed) => match Amount::parse(typed.trim(), vendor.token.scale) {
            Ok(amount) => amount,
            Err(e) => return Ok(Err(Problem::from(e).sentence())),
        },
    };
    match token_quote(tx, vendor, &member.me.customer, amount, pack) {
        Ok(deal) => Ok(Ok(deal)),
        Err(
            e @ (TokenSaleError::QuantityNotPositive
            | TokenSaleError::QuantityTooLarge
            | TokenSaleError::PackNotSold
            | TokenSaleError::PackNotWhole
            | TokenSaleError::Ledger(_)),
        ) => {
            let text = e.to_string();
            Ok(Err(Problem::invalid("quantity_invalid", text).sentence()))
        }
        Err(e) => Err(e.into()),
    }
}

fn buy_page(
    app: &App,
    member: &Member,
    offered: Offered,
    wish: &Wish,
    back: &str,
    again: Again,
) -> BuyPage {
    let shop = &member.shop;
    let (vendor, here) = (&shop.vendor, shop.at("/buy"));
    let decimal = |amount: Amount| amount.decimal(vendor.token.scale);
    let plain = offered.chosen.as_ref().ok().filter(|d| d.pack.is_none());
    let chosen_number = plain.map(|deal| deal.quantity);
    let presets: Vec<Preset> = offered
        .presets
        .iter()
        .map(|(amount, price, why)| {
            let cost = money(*price, &vendor.currency);
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(": {why}")
            };
            Preset {
                label: format!("{} for {cost}{why}", tokens(*amount)),
                href: link(&here, &[("tokens", &decimal(*amount)), ("return", back)]),
                on: chosen_number == Some(*amount),
            }
        })
        .collect();
    let is_preset = presets.iter().any(|preset| preset.on);
    let mut number = Field::number("tokens", "Another number of tokens");
    if let (Some(typed), false) = (&wish.tokens, is_preset) {
        number = number.value(typed.as_str());
    }
    let choices = packs::choices(member, &offered.packs, &here, back, &wish.pack);
    let chosen = match offered.chosen {
        Ok(deal) => Some(ready(member, &deal, wish, back, &again)),
        Err(why) => {
            number = number.error(why);
            None
        }
    };
    let card = CardPart::new(
        app,
        &offered.saved,
        &again.card,
        again.keep,
        again.card_error,
    );
    let mut shell = member_shell(member, "Buy tokens", "/buy");
    if again.notice.is_some() {
        shell.notice = again.notice;
    }
    BuyPage {
        shell,
        lede: offered.lede,
        here,
        presets,
        packs: choices,
        number,
        chosen,
        card,
        back: back.to_owned(),
    }
}

/// What was chosen, ready to be paid.
fn ready(member: &Member, deal: &Deal, wish: &Wish, back: &str, again: &Again) -> Chosen {
    let shop = &member.shop;
    let vendor = &shop.vendor;
    let (amount, price) = (deal.quantity, deal.price);
    let chosen = Chosen {
        tokens: tokens(amount),
        typed: amount.decimal(vendor.token.scale),
        money: money(price, &vendor.currency),
        price: price.decimal(vendor.currency.scale),
        each: price_each(shop.token_price, &vendor.currency),
        after: member
            .me
            .is_active()
            .then(|| member.me.available.plus(amount).ok().map(tokens))
            .flatten(),
        key: form_key(),
        session: again.session.clone(),
        list: String::new(),
        why: String::new(),
        terms: String::new(),
        pack: String::new(),
        offline: match offline::means(member).is_empty() {
            true => String::new(),
            false => offline::address(shop, wish, back),
        },
    };
    chosen.explained(member, deal)
}

/// The cards of the test processor and what they do. Nobody types the number of a card here.
const TEST_CARDS: [(&str, &str, &str); 3] = [
    ("test_ok", "A card that pays", "Test card: pays at once"),
    (
        "test_declined",
        "A card that is declined",
        "Test card: no money behind it",
    ),
    (
        "test_timeout",
        "A card that answers late",
        "Test card: pays, but says so minutes later",
    ),
];

/// Ways to pay by card, for this page and the one about a shortage.
pub fn test_cards(chosen: &str) -> Vec<Choice> {
    let known = TEST_CARDS.iter().any(|(card, ..)| *card == chosen);
    let chosen = if known { chosen } else { "test_ok" };
    TEST_CARDS
        .into_iter()
        .map(|(card, label, note)| {
            Choice::new("card", card, label, card == chosen)
                .note(note)
                .icon("i-card")
        })
        .collect()
}

#[derive(Template)]
#[template(path = "buy/closed.html")]
struct ClosedPage {
    shell: Shell,
    back: String,
}

/// The page of a node on which nobody charges cards.
fn closed(member: &Member, back: String) -> Result<Response> {
    page(&ClosedPage {
        shell: member_shell(member, "Buy tokens", "/buy"),
        back,
    })
}

//! Tokens are short (SHP-14): how many, and three ways on, and a fourth where a card may pay. Nothing was taken, the list is kept.

use crate::config::Cards;
use crate::error::{Problem, Result};
use crate::state::App;
use crate::web::buy::test_cards;
use crate::web::frame::{self, form_key, link, member_shell};
use crate::web::list::view::{ListView, Place, Quantity};
use crate::web::session::Member;
use crate::web::shop::words;
use crate::web::view::format::{count, money, tokens};
use crate::web::view::{Action, Choice, Notice, Shell, Shown};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::order::by_card::card_order_price;
use scrip_domain::order::{Change, Fit, OrderList, Quote, fits, order_list};
use scrip_domain::token_sale::token_price_quote;
use scrip_domain::vendor::{Sells, TOKENS_AT_MOST, Vendor};
use scrip_engine::ReadTx;
use scrip_ledger::{Asset, Rounding};

#[derive(Template)]
#[template(path = "order/shortage.html")]
struct ShortagePage {
    shell: Shell,
    short: Shown,
    required: Shown,
    available: Shown,
    fits: Vec<FitView>,
    is_list_short: bool,
    offer: Option<Offered>,
    number: String,
    list_at: String,
    off_line: String,
    confirm: String,
    by_card: Option<Action>,
    list: ListView,
}

/// A change that makes the order fit.
struct FitView {
    what: What,
    saves: Shown,
    leaves: Shown,
    button: String,
    /// What the button's form sends.
    fields: Vec<(&'static str, String)>,
}

/// What the change is, with names apart, because they may be written in any direction.
enum What {
    /// Take a smaller quantity: `1,000 processings of …, not 10,000.`
    Take {
        granted: String,
        title: String,
        now: String,
    },
    /// One line stays.
    Alone(String),
    /// These lines go.
    Without(Vec<String>),
}

/// Tokens that can be bought by card at once.
struct Offered {
    action: String,
    tokens: Shown,
    typed: String,
    money: String,
    price: String,
    cards: Vec<Choice>,
    key: String,
    back: String,
    others: Vec<Action>,
}

impl Offered {
    /// The same with a link to the page that sells tokens instead of cards.
    fn elsewhere(mut self) -> Offered {
        let query = [
            ("tokens", self.typed.as_str()),
            ("return", self.back.as_str()),
        ];
        let first = Action {
            label: format!("{} for {}", self.tokens, self.money),
            href: link(&self.action, &query),
        };
        self.others.insert(0, first);
        self.cards.clear();
        self
    }
}

/// The page.
pub async fn shown(
    app: &App,
    member: &Member,
    quote: &Quote,
    short: Amount,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response> {
    let of = member.clone();
    let has_cards = app.settings.cards != Cards::None;
    let required = quote.required;
    let (list, offer, price) = app
        .read(move |tx| {
            let (actor, vendor) = (of.me.actor(), &of.shop.vendor);
            let list = order_list(tx, actor, vendor.book_id, of.me.customer.customer_id)?;
            let offer = match has_cards {
                true => offered(tx, &of, short)?,
                false => None,
            };
            let price = match has_cards && of.shop.policy.checkout.card {
                true => Some(card_order_price(tx, vendor, required)?),
                false => None,
            };
            Ok::<_, Problem>((list, offer, price))
        })
        .await?;
    let offer = match app.settings.cards {
        // A card is entered on the page that sells tokens.
        Cards::Stripe => offer.map(Offered::elsewhere),
        Cards::Test | Cards::None => offer,
    };
    let shop = &member.shop;
    let title = format!("{} short", tokens(short));
    let mut shell = frame::with_list(member_shell(member, title, "/confirm"), &list);
    if notice.is_some() {
        shell.notice = notice;
    }
    let page = ShortagePage {
        short: tokens(short),
        required: tokens(quote.required),
        available: tokens(quote.available),
        fits: views(&list, shop.front.sells),
        is_list_short: list.quote.shortage().is_some(),
        offer,
        number: member.me.customer.number.to_string(),
        list_at: shop.at("/list"),
        off_line: shop.at("/off-line"),
        confirm: shop.at("/confirm"),
        by_card: price.map(|price| Action {
            label: format!("Pay {} by card", money(price, &shop.vendor.currency)),
            href: shop.at("/confirm/card"),
        }),
        list: ListView::new(member, &list, Place::Shortage, &Vec::new()),
        shell,
    };
    frame::page_with(status, &page)
}

fn views(list: &OrderList, sells: Sells) -> Vec<FitView> {
    let fits = fits(list);
    if fits.together.len() > 1 {
        return together(&fits.together).into_iter().collect();
    }
    fits.single
        .iter()
        .chain(&fits.together)
        .filter_map(|fit| single(list, fit, sells))
        .collect()
}

/// A change of one line, which is enough.
fn single(list: &OrderList, fit: &Fit, sells: Sells) -> Option<FitView> {
    let counted: Vec<_> = list.lines.iter().filter(|l| l.is_counted()).collect();
    let changed = counted.iter().find(|l| l.line.offer_id == fit.offer_id)?;
    let offer = fit.offer_id.to_string();
    let (what, button, fields) = match fit.change {
        Change::Take { quantity, granted } => (
            What::Take {
                granted: words::counted(changed.line.kind, sells, granted),
                title: fit.title.clone(),
                now: count(changed.line.granted),
            },
            format!("Take {}", count(granted)),
            vec![
                ("line", offer),
                ("had", changed.line.quantity.to_string()),
                ("quantity", quantity.to_string()),
            ],
        ),
        Change::LeaveOut => {
            let other = counted.iter().find(|l| l.line.offer_id != fit.offer_id);
            let what = match other {
                Some(other) if counted.len() == 2 => What::Alone(other.line.title.clone()),
                _ => What::Without(vec![fit.title.clone()]),
            };
            (what, "Leave it out".to_owned(), vec![("was_on", offer)])
        }
    };
    Some(FitView {
        what,
        saves: tokens(fit.saves),
        leaves: tokens(fit.remaining),
        button,
        fields,
    })
}

/// Lines that have to go together.
fn together(all: &[Fit]) -> Option<FitView> {
    let saves = Amount::sum(all.iter().map(|fit| fit.saves)).ok()?;
    Some(FitView {
        what: What::Without(all.iter().map(|fit| fit.title.clone()).collect()),
        saves: tokens(saves),
        leaves: tokens(all.last()?.remaining),
        button: format!("Leave out {}", count(i64::try_from(all.len()).ok()?)),
        fields: all
            .iter()
            .map(|fit| ("was_on", fit.offer_id.to_string()))
            .collect(),
    })
}

/// Whole tokens, so that nobody buys a fraction of one.
fn whole(short: Amount, token: &Asset) -> Option<Amount> {
    let one = 10_i64.checked_pow(token.scale)?;
    short.ratio(1, one, Rounding::Up).ok()?.times(one).ok()
}

/// What is missing, and a round number above it, with what they cost.
fn offered(tx: &mut ReadTx<'_>, member: &Member, short: Amount) -> Result<Option<Offered>> {
    let (shop, vendor) = (&member.shop, &member.shop.vendor);
    let Some(needed) = whole(short, &vendor.token).filter(|n| *n <= TOKENS_AT_MOST) else {
        return Ok(None);
    };
    let (buy, back) = (shop.at("/buy"), shop.at("/confirm"));
    let decimal = |amount: Amount| amount.decimal(vendor.token.scale);
    let price = token_price_quote(tx, vendor, needed)?;
    let mut others = Vec::new();
    if let Some(amount) = rounder(needed, vendor) {
        let cost = money(token_price_quote(tx, vendor, amount)?, &vendor.currency);
        let query = [("tokens", decimal(amount)), ("return", back.clone())];
        let query = query
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        others.push(Action {
            label: format!("{} for {cost}", tokens(amount)),
            href: link(&buy, &query),
        });
    }
    others.push(Action {
        label: "Another number".to_owned(),
        href: link(&buy, &[("return", &back)]),
    });
    Ok(Some(Offered {
        tokens: tokens(needed),
        typed: decimal(needed),
        money: money(price, &vendor.currency),
        price: price.decimal(vendor.currency.scale),
        cards: test_cards(""),
        key: form_key(),
        action: buy,
        back,
        others,
    }))
}

/// The next round number.
fn rounder(needed: Amount, vendor: &Vendor) -> Option<Amount> {
    let tens = std::iter::successors(Some(10_i64), |ten| ten.checked_mul(10));
    let round = tens.flat_map(|ten| [Some(ten), ten.checked_mul(2), ten.checked_mul(5)]);
    let one = 10_i64.checked_pow(vendor.token.scale).unwrap_or(i64::MAX);
    let amounts = round
        .map_while(|number| number?.checked_mul(one))
        .map(Amount::from_units);
    let mut above = amounts.filter(|amount| *amount > needed && *amount <= TOKENS_AT_MOST);
    above.next()
}

//! Movements and orders in words: what a customer sees of them, and staff too.

use super::super::frame::link;
use super::super::session::Shop;
use super::super::view::format::{change, counted, money, tokens};
use super::super::view::{Action, Pager, Shown, When};
use crate::error::Problem;
use scrip_domain::catalog::OfferKind;
use scrip_domain::customer::Customer;
use scrip_domain::gift_tokens::gift_by_id;
use scrip_domain::id::{CustomerId, GiftId, OrderId, TokenOrderId};
use scrip_domain::order::by_card::{CardOrderView, CardPaid, card_orders_awaiting};
use scrip_domain::order::{
    OrderDetail, OrderDetailLine, OrderError, OrderSummary, order_by_id, orders_of,
};
use scrip_domain::page::Page;
use scrip_domain::statement::{Movement, history};
use scrip_domain::token_sale::offline::offline_order_by_id;
use scrip_domain::token_sale::{TokenSaleError, token_order_by_id};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, ReadTx};

/// Movements or orders on one page.
pub const AT_ONCE: usize = 20;

/// Which pages are linked to: the customer's own, or those of staff.
#[derive(Clone, Copy)]
pub enum Area {
    /// Of the customer.
    Own,
    /// Of staff.
    Staff,
}

impl Area {
    /// The page of an order.
    pub fn order(self, shop: &Shop, id: OrderId) -> String {
        match self {
            Area::Own => shop.at(&format!("/orders/{id}")),
            Area::Staff => shop.at(&format!("/staff/orders/{id}")),
        }
    }
}

/// A movement in an account.
pub struct Move {
    /// When.
    pub day: When,
    /// What for.
    pub what: String,
    /// A second, smaller line; may be empty.
    pub note: String,
    /// The page of what it was for; empty for none.
    pub href: String,
    /// The name by which people find it.
    pub reference: String,
    /// Tokens, with sign.
    pub change: Shown,
    /// What was there after it.
    pub left: Shown,
}

/// An order on a list.
pub struct OrderRow {
    /// When.
    pub day: When,
    /// What was bought.
    pub what: String,
    /// Its page.
    pub href: String,
    /// The vendor's other name for it; may be empty.
    pub reference: String,
    /// What it took.
    pub tokens: Shown,
    /// What a card paid, in words; empty where tokens paid.
    pub by_card: String,
    /// What was given back, in words; may be empty.
    pub back: String,
}

/// A customer's movements, from `before` on, and where more begin.
pub fn moves(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    shop: &Shop,
    customer: &Customer,
    before: Option<i64>,
    area: Area,
) -> Result<Page<Move, i64>, Problem> {
    let page = history(tx, actor, customer, before, AT_ONCE)?;
    let mut items = Vec::with_capacity(page.items.len());
    for movement in page.items {
        items.push(in_words(tx, actor, shop, movement, area)?);
    }
    Ok(Page {
        items,
        next: page.next,
    })
}

/// A movement in words.
pub fn in_words(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    shop: &Shop,
    moved: Movement,
    area: Area,
) -> Result<Move, Problem> {
    let book = shop.vendor.book_id;
    let order = match moved.order_id {
        Some(id) => order_if_known(tx, actor, book, id)?,
        None => None,
    };
    let bought = order.as_ref().map(|order| order_words(&order.lines));
    let (mut what, mut note) = match (moved.code.as_str(), bought) {
        ("order", Some(bought)) => (bought, String::new()),
        ("refund", Some(bought)) => (bought, "given back".to_owned()),
        ("refund", None) => ("Refund".to_owned(), String::new()),
        ("token_sale" | "token_credit", _) => ("Tokens bought".to_owned(), String::new()),
        ("token_take_back", _) => ("Taken back, not paid".to_owned(), String::new()),
        ("token_gift", _) => {
            let gift = gift_by_id(tx, actor, book, GiftId(moved.event_id))?;
            (
                "Gift".to_owned(),
                gift.map_or_else(String::new, |g| g.reason),
            )
        }
        ("card_take_back", _) => {
            let what = "Taken back: the payment was taken back".to_owned();
            (what, String::new())
        }
        ("card_give_again", _) => ("Given again".to_owned(), String::new()),
        ("adjustment", _) => ("Put right by the shop".to_owned(), String::new()),
        ("expiry", _) => ("Tokens expired".to_owned(), String::new()),
        ("reversal", _) => ("Correction of an entry".to_owned(), String::new()),
        (code, _) => (words_of(code), String::new()),
    };
    let mut href = order.map_or_else(String::new, |order| area.order(shop, order.order_id));
    if matches!(moved.code.as_str(), "token_sale" | "token_credit") {
        let id = TokenOrderId(moved.event_id);
        let price = match token_order_by_id(tx, actor, book, id) {
            Ok(sale) => sale.price,
            Err(TokenSaleError::Unknown(_)) => offline_order_by_id(tx, actor, book, id)?.price,
            Err(e) => return Err(e.into()),
        };
        let paid = money(price, &shop.vendor.currency);
        note = format!("for {paid}");
        if let Area::Own = area {
            href = shop.at("/buy/orders");
        }
    }
    if what.is_empty() {
        what = words_of(&moved.code);
    }
    Ok(Move {
        day: When::day_near(moved.at, tx.now()),
        what,
        note,
        href,
        // A gift's is its route; the reason says more.
        reference: match moved.code.as_str() {
            "token_gift" => String::new(),
            _ => moved.reference,
        },
        change: change(moved.amount),
        left: tokens(moved.balance),
    })
}

/// A movement may name an order that is not there, for example one of before Scrip.
fn order_if_known(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    book: i64,
    id: OrderId,
) -> Result<Option<OrderDetail>, Problem> {
    match order_by_id(tx, actor, book, id) {
        Ok(order) => Ok(Some(order)),
        Err(OrderError::Unknown(_)) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// `hold_release` as `Hold release`.
pub fn words_of(code: &str) -> String {
    let mut letters = code.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters)
        .collect::<String>()
        .replace('_', " ")
}

/// A customer's paid orders, from `before` on, and where more begin.
pub fn order_rows(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    shop: &Shop,
    customer: &Customer,
    before: Option<i64>,
    (area, limit): (Area, usize),
) -> Result<Page<OrderRow, i64>, Problem> {
    let page = orders_of(tx, actor, customer, before, limit)?;
    let mut items = Vec::with_capacity(page.items.len());
    for order in page.items {
        items.push(order_row(tx, actor, shop, order, area)?);
    }
    Ok(Page {
        items,
        next: page.next,
    })
}

/// An order in words.
pub fn order_row(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    shop: &Shop,
    order: OrderSummary,
    area: Area,
) -> Result<OrderRow, Problem> {
    let detail = order_by_id(tx, actor, shop.vendor.book_id, order.order_id)?;
    Ok(OrderRow {
        day: When::day_near(order.effective_at, tx.now()),
        what: order_words(&detail.lines),
        href: area.order(shop, order.order_id),
        reference: order.reference,
        tokens: match order.card {
            Some(_) => tokens(Amount::ZERO),
            None => tokens(order.total),
        },
        by_card: by_card(shop, order.card.as_ref()),
        back: given_back(&detail),
    })
}

/// What a card paid, in words; empty where tokens paid.
pub fn by_card(shop: &Shop, card: Option<&CardPaid>) -> String {
    card.map_or_else(String::new, |card| {
        format!("{} by card", money(card.price, &shop.vendor.currency))
    })
}

/// An order whose card has not answered.
pub struct Awaiting {
    /// When it was placed.
    pub at: When,
    /// The money.
    pub money: String,
    /// Its page: of the customer, or about the customer for staff.
    pub href: String,
}

/// Orders whose cards have not answered, newest first: of a customer, or of all for staff.
pub fn awaiting(
    tx: &mut dyn Read,
    shop: &Shop,
    customer: Option<CustomerId>,
) -> Result<Vec<Awaiting>, Problem> {
    let found = card_orders_awaiting(tx, shop.vendor.book_id, customer, AT_ONCE)?;
    let shown = |order: CardOrderView| Awaiting {
        at: When::minute(order.created_at),
        money: money(order.price, &shop.vendor.currency),
        href: match customer {
            Some(_) => shop.at(&format!("/card-orders/{}", order.id)),
            None => shop.at(&format!("/staff/customers/{}", order.customer_id)),
        },
    };
    Ok(found.into_iter().map(shown).collect())
}

/// What was given back of an order, in words; empty for nothing.
pub fn given_back(order: &OrderDetail) -> String {
    if !order.refunded.is_positive() {
        String::new()
    } else if order.refunded == order.total {
        "all given back".to_owned()
    } else {
        format!("{} given back", tokens(order.refunded))
    }
}

/// What an order was for: its first line, and how many more there are.
pub fn order_words(lines: &[OrderDetailLine]) -> String {
    let first = lines.first().map(line_words).unwrap_or_default();
    match lines.len() {
        0 | 1 => first,
        all => format!("{first} and {} more", all - 1),
    }
}

/// What a line is: `Software D, 1,000 processings`.
pub fn line_words(line: &OrderDetailLine) -> String {
    let title = &line.title;
    match line.kind {
        OfferKind::Purchase if line.granted == 1 => title.clone(),
        kind => format!("{title}, {}", granted(line.granted, kind)),
    }
}

/// How many of what a line grants: `30 days`.
pub fn granted(number: i64, kind: OfferKind) -> String {
    let (one, many) = match kind {
        OfferKind::Purchase => ("piece", "pieces"),
        OfferKind::Time => ("day", "days"),
        OfferKind::Uses => ("use", "uses"),
        OfferKind::Processings => ("processing", "processings"),
    };
    counted(number, one, many)
}

/// The ways through a list whose newest items come first; none where all of it is on one page.
pub fn pager(path: &str, what: &str, is_first: bool, next: Option<String>) -> Option<Pager> {
    if is_first && next.is_none() {
        return None;
    }
    let text = match (is_first, &next) {
        (true, _) => format!("The newest {what}"),
        (false, Some(_)) => format!("Earlier {what}"),
        (false, None) => format!("The earliest {what}"),
    };
    let previous = (!is_first).then(|| Action {
        label: format!("The newest {what}"),
        href: path.to_owned(),
    });
    let next = next.map(|before| Action {
        label: format!("Earlier {what}"),
        href: link(path, &[("before", &before)]),
    });
    Some(Pager {
        text,
        previous,
        next,
    })
}

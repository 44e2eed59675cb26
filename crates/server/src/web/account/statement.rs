//! The statement of a period, for the customer and for staff: on a page that prints, and as CSV
//! (MIC-05).

use super::super::frame::{link, member_shell, page};
use super::super::session::{Member, Shop};
use super::super::view::format::{change, tokens};
use super::super::view::{Shell, Shown};
use super::moves::{Area, Move, in_words, words_of};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::http::csv::{Sheet, download};
use crate::report::StatementDays;
use crate::state::App;
use crate::web::view::zone::stay_with_vendor;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Actor;
use scrip_domain::customer::Customer;
use scrip_domain::statement::{Statement, statement};
use scrip_engine::ReadTx;
use serde::Deserialize;

/// What happened, and how much in all.
struct Sum {
    what: String,
    tokens: Shown,
}

#[derive(Template)]
#[template(path = "account/statement.html")]
struct StatementPage {
    shell: Shell,
    shop: String,
    name: String,
    number: String,
    when: String,
    from: String,
    to: String,
    here: String,
    file: String,
    account: String,
    opening: Shown,
    sums: Vec<Sum>,
    closing: Shown,
    moves: Vec<Move>,
}

/// Which days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    from: Option<String>,
    to: Option<String>,
}

/// A statement that was worked out.
pub struct Made {
    days: StatementDays,
    found: Statement,
    moves: Vec<Move>,
}

/// Works the statement of a customer out: of this month unless days are said.
pub fn made(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    shop: &Shop,
    customer: &Customer,
    days: &Days,
    area: Area,
) -> std::result::Result<Made, Problem> {
    // A statement is a part of the vendor's books.
    stay_with_vendor();
    let asked = (days.from.clone(), days.to.clone());
    let days = StatementDays::asked(tx, shop.vendor.book_id, asked)?;
    let (from, to) = days.bounds;
    let found = statement(tx, actor, customer, from, to)?;
    let mut moves = Vec::with_capacity(found.movements.len());
    for movement in &found.movements {
        moves.push(in_words(tx, actor, shop, movement.clone(), area)?);
    }
    Ok(Made { days, found, moves })
}

/// Whose statement it is, and where.
pub struct About {
    /// The frame.
    pub shell: Shell,
    /// The customer's name.
    pub name: String,
    /// The account number.
    pub number: String,
    /// The address of this page.
    pub here: String,
    /// The page of the account.
    pub account: String,
}

/// The page of a statement.
pub fn show(shop: &Shop, about: About, made: Made) -> Result<Response> {
    stay_with_vendor();
    let (from, to) = made.days.ends();
    let sums = made.found.sums.iter().map(|(code, sum)| Sum {
        what: words_of(code),
        tokens: change(*sum),
    });
    page(&StatementPage {
        shop: shop.vendor.name.clone(),
        when: made.days.words(),
        file: link(
            &format!("{}.csv", about.here),
            &[("from", &from), ("to", &to)],
        ),
        from,
        to,
        here: about.here,
        account: about.account,
        shell: about.shell,
        name: about.name,
        number: about.number,
        opening: tokens(made.found.opening),
        sums: sums.collect(),
        closing: tokens(made.found.closing),
        moves: made.moves,
    })
}

/// A statement as a file: opening, movements, closing, and how many movements there are.
pub fn file(shop: &Shop, number: &str, made: &Made) -> Result<Response> {
    let scale = shop.vendor.token.scale;
    let mut sheet = Sheet::new(&["date", "what", "reference", "tokens", "balance"]);
    let mut line = |fields: [String; 5]| sheet.row(&fields.each_ref().map(String::as_str));
    let (found, none) = (&made.found, String::new);
    let edge = |day: String, what: &str, balance: scrip_domain::Amount| {
        [day, what.to_owned(), none(), none(), balance.decimal(scale)]
    };
    let (first, last) = made.days.ends();
    line(edge(first, "opening", found.opening));
    for movement in &found.movements {
        line([
            movement.at.to_string(),
            movement.code.clone(),
            movement.reference.clone(),
            movement.amount.decimal(scale),
            movement.balance.decimal(scale),
        ]);
    }
    line(edge(last, "closing", found.closing));
    let count = found.movements.len().to_string();
    line([none(), "lines".to_owned(), none(), count, none()]);
    download(
        sheet.text(),
        &format!("statement-{number}-{}", made.days.today),
    )
}

async fn own(app: &App, member: &Member, days: Days) -> Result<Made> {
    let of = member.clone();
    app.read(move |tx| {
        let customer = &of.me.customer;
        made(tx, of.me.actor(), &of.shop, customer, &days, Area::Own)
    })
    .await
}

/// `GET /shops/{slug}/account/statement`.
pub async fn statement_page(
    State(app): State<App>,
    member: Member,
    Query(days): Query<Days>,
) -> Result<Response> {
    let made = own(&app, &member, days).await?;
    let about = About {
        shell: member_shell(&member, "Statement", "/account/statement"),
        name: member.me.name.clone(),
        number: member.me.customer.number.to_string(),
        here: member.shop.at("/account/statement"),
        account: member.shop.at("/account"),
    };
    show(&member.shop, about, made)
}

/// `GET /shops/{slug}/account/statement.csv`.
pub async fn statement_file(
    State(app): State<App>,
    member: Member,
    Query(days): Query<Days>,
) -> Result<Response> {
    let made = own(&app, &member, days).await?;
    file(&member.shop, &member.me.customer.number.to_string(), &made)
}

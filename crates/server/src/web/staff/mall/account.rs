//! A member's account with its mall: the statement of a span, on a page that prints and as CSV, the
//! invoice of a clearing, and disputes about lines (GOV-06, GOV-09, MIC-03, MIC-05).

use super::super::super::frame::{form_key, link, page, see, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::format::money;
use super::super::super::view::{Notice, Shell, Tone, When};
use super::super::{May, at, permission};
use super::{names, what};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::http::csv::download;
use crate::report::{StatementDays, statement_sheet};
use crate::state::App;
use crate::web::view::zone::stay_with_vendor;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::Amount;
use scrip_domain::mall::{
    Line, LineKind, Mall, MallError, Member, dispute_open, invoice, lines_disputed, mall_by_book,
    membership, owed_in_all, statement,
};
use scrip_domain::vendor::{Permission, Vendor};
use scrip_engine::{Read, ReadTx};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/mall/statement"), get(statement_page))
        .route(&at("/mall/statement.csv"), get(statement_file))
        .route(&at("/mall/invoices/{number}"), get(invoice_page))
        .route(&at("/mall/disputes"), post(dispute))
}

/// What came of one kind of event.
struct Sum {
    what: &'static str,
    lines: usize,
    owed: String,
    received: String,
    at_once: String,
    owes: String,
}

/// A line of the statement.
struct Row {
    event: String,
    at: When,
    what: &'static str,
    debtor: String,
    creditor: String,
    owed: String,
    received: String,
    royalty: String,
    at_once: String,
    owes: String,
    in_dispute: bool,
    key: String,
}

#[derive(Template)]
#[template(path = "staff/mall/statement.html")]
struct StatementPage {
    shell: Shell,
    shop: String,
    mall: String,
    when: String,
    is_over: bool,
    from: String,
    to: String,
    here: String,
    file: String,
    back: String,
    action: String,
    may: bool,
    sums: Vec<Sum>,
    rows: Vec<Row>,
    total: String,
}

/// Which days.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    from: Option<String>,
    to: Option<String>,
    done: Option<String>,
}

/// A statement that was worked out.
struct Made {
    mall: Mall,
    member: Member,
    names: BTreeMap<i64, (String, String)>,
    lines: Vec<Line>,
    disputed: BTreeSet<uuid::Uuid>,
    days: StatementDays,
    is_over: bool,
}

/// Of this month unless days are said; of days that are not over, what there is until now.
fn made(tx: &mut ReadTx<'_>, vendor: &Vendor, days: &Days) -> std::result::Result<Made, Failed> {
    // A statement is a part of the vendor's books.
    stay_with_vendor();
    let asked = (days.from.clone(), days.to.clone());
    let days = StatementDays::asked(tx, vendor.book_id, asked)?;
    let (from, to) = days.bounds;
    let now = tx.now();
    let member = membership(tx, vendor)?;
    let mall = mall_by_book(tx, member.mall_book)?;
    let lines = statement(tx, &member, from.min(now), to.min(now))?;
    Ok(Made {
        names: names(tx, &mall)?,
        disputed: lines_disputed(tx, &member)?,
        is_over: to <= now,
        days,
        mall,
        member,
        lines,
    })
}

impl Made {
    fn cash(&self, amount: Amount) -> String {
        money(amount, &self.mall.currency)
    }

    fn sums(&self) -> std::result::Result<Vec<Sum>, Failed> {
        let mut sums = Vec::new();
        for kind in LineKind::ALL {
            let of_kind = self.lines.iter().filter(|l| l.kind == *kind).cloned();
            let of_kind: Vec<Line> = of_kind.collect();
            if of_kind.is_empty() {
                continue;
            }
            let sum = |each: fn(&Line) -> Amount| Amount::sum(of_kind.iter().map(each));
            sums.push(Sum {
                what: what(*kind),
                lines: of_kind.len(),
                owed: self.cash(sum(|l| l.money.owed)?),
                received: self.cash(sum(|l| l.money.received)?),
                at_once: self.cash(sum(|l| l.money.drawn)?),
                owes: self.cash(owed_in_all(&of_kind, self.member.book_id)?),
            });
        }
        Ok(sums)
    }

    fn rows(&self) -> std::result::Result<Vec<Row>, Failed> {
        let name = |book| {
            self.names
                .get(&book)
                .map_or("", |(_, name)| name)
                .to_owned()
        };
        let rows = self.lines.iter().map(|line| {
            Ok(Row {
                event: line.event_id.to_string(),
                at: When::minute(line.at),
                what: what(line.kind),
                debtor: name(line.debtor),
                creditor: name(line.creditor),
                owed: self.cash(line.money.owed),
                received: self.cash(line.money.received),
                royalty: self.cash(line.money.royalty),
                at_once: self.cash(line.money.drawn),
                owes: self.cash(line.owes(self.member.book_id)?),
                in_dispute: self.disputed.contains(&line.event_id),
                key: form_key(),
            })
        });
        rows.collect()
    }
}

/// `GET /shops/{slug}/staff/mall/statement`.
async fn statement_page(
    State(app): State<App>,
    member: StaffMember,
    Query(days): Query<Days>,
) -> Result<Response> {
    stay_with_vendor();
    let (vendor, asked) = (member.shop.vendor.clone(), days.clone());
    let made = app.read(move |tx| made(tx, &vendor, &asked)).await?;
    let here = member.shop.at("/staff/mall/statement");
    let (from, to) = made.days.ends();
    let mut shell = staff_shell(&member, "Statement of the mall", "/staff/mall");
    shell.notice = days.done.map(|_| {
        let text = "The line stays as it is until the mall answers.";
        Notice::new(Tone::Good, "The line is in dispute.", text)
    });
    page(&StatementPage {
        shell,
        shop: member.shop.vendor.name.clone(),
        mall: made.mall.name.clone(),
        file: link(&format!("{here}.csv"), &[("from", &from), ("to", &to)]),
        here,
        back: member.shop.at("/staff/mall"),
        action: member.shop.at("/staff/mall/disputes"),
        may: member.staff.role.may(Permission::Books),
        sums: made.sums()?,
        rows: made.rows()?,
        total: made.cash(owed_in_all(&made.lines, made.member.book_id)?),
        when: made.days.words(),
        is_over: made.is_over,
        from,
        to,
    })
}

/// `GET /shops/{slug}/staff/mall/statement.csv`.
async fn statement_file(
    State(app): State<App>,
    member: StaffMember,
    Query(days): Query<Days>,
) -> Result<Response> {
    let vendor = member.shop.vendor.clone();
    let made = app.read(move |tx| made(tx, &vendor, &days)).await?;
    let slugs = made
        .names
        .iter()
        .map(|(book, (slug, _))| (*book, slug.clone()));
    let scale = made.mall.currency.scale;
    let text = statement_sheet(&made.lines, &made.member, &slugs.collect(), scale);
    let (from, to) = made.days.ends();
    let name = format!("{}-{from}-{to}", made.mall.slug);
    download(text.map_err(Problem::from)?, &name)
}

/// Where an invoice is.
#[derive(Deserialize)]
struct AtInvoice {
    number: i64,
}

#[derive(Template)]
#[template(path = "staff/mall/invoice.html")]
struct InvoicePage {
    shell: Shell,
    shop: String,
    mall: String,
    number: i64,
    closed: When,
    before: String,
    since: String,
    net: String,
    due: String,
    pays: bool,
    carried: String,
    paid: Option<(When, String)>,
    is_open: bool,
    back: String,
}

/// `GET /shops/{slug}/staff/mall/invoices/{number}`.
async fn invoice_page(
    State(app): State<App>,
    member: StaffMember,
    Path(AtInvoice { number }): Path<AtInvoice>,
) -> Result<Response> {
    stay_with_vendor();
    let vendor = member.shop.vendor.clone();
    let (mall, found, carried) = app
        .read(move |tx| {
            let member = membership(tx, &vendor)?;
            let mall = mall_by_book(tx, member.mall_book)?;
            let found = invoice(tx, &member, number)?;
            let missing = || Failed::from(Problem::not_found("invoice"));
            let (found, carried) = found.ok_or_else(missing)?;
            Ok::<_, Failed>((mall, found, carried))
        })
        .await?;
    let cash = |amount: Amount| money(amount, &mall.currency);
    let position = found.position;
    page(&InvoicePage {
        shell: staff_shell(&member, "Invoice of the mall", "/staff/mall"),
        shop: member.shop.vendor.name.clone(),
        mall: mall.name.clone(),
        number,
        closed: When::minute(found.closed_at),
        before: cash(carried),
        since: cash(position.net.minus(carried)?),
        net: cash(position.net),
        due: cash(position.due()?),
        pays: position.paid.is_positive(),
        carried: cash(position.carried),
        is_open: found.is_open(),
        paid: found.payment.map(|p| (When::minute(p.at), p.reference)),
        back: member.shop.at("/staff/mall"),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    event: String,
    reason: String,
    from: String,
    to: String,
    key: String,
}

/// `POST /shops/{slug}/staff/mall/disputes`: this line is wrong.
async fn dispute(
    State(app): State<App>,
    May(member, _): May<permission::Books>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("mall dispute {} {}", sent.event, sent.reason).into_bytes();
    let keyed = member.keyed(format!("mall-dispute-{}", sent.key), request, None);
    let unknown = |_| Problem::from(MallError::LineUnknown);
    let event: uuid::Uuid = sent.event.parse().map_err(unknown)?;
    let reason = sent.reason;
    app.submit(keyed, move |tx| {
        let member = membership(tx, &vendor)?;
        dispute_open(tx, actor, &member, event, &reason)?;
        Ok::<_, Failed>(())
    })
    .await?;
    let here = member.shop.at("/staff/mall/statement");
    see(&link(
        &here,
        &[("from", &sent.from), ("to", &sent.to), ("done", "disputed")],
    ))
}

//! Invoices of clearings and disputes about lines, with what those who run the mall do about them
//! (GOV-09, MIC-03, MIC-05).

use super::super::super::frame::{form_key, page};
use super::super::super::session::{Shop, StaffMember};
use super::super::super::view::{Shell, When};
use super::super::mall::dispute_words;
use super::{AtMall, Office, Part, Party, cash, office, parties, run_by, shell};
use crate::error::{Failed, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::mall::{Mall, disputes, invoices, members};
use scrip_engine::ReadTx;
use std::collections::BTreeMap;

/// Invoices and disputes on the page; the command line has all.
const AT_MOST: i64 = 200;

struct Billed {
    number: i64,
    at: When,
    name: String,
    slug: String,
    pays: String,
    gets: String,
    carried: String,
    paid: Option<(When, String)>,
    is_open: bool,
    key: String,
}

struct Disputed {
    number: i64,
    at: When,
    name: String,
    event: String,
    reason: String,
    answer: String,
    state: &'static str,
    class: &'static str,
    is_open: bool,
    key: String,
}

struct Made {
    mall: Mall,
    billed: Vec<Billed>,
    disputed: Vec<Disputed>,
}

#[derive(Template)]
#[template(path = "staff/office/statements.html")]
struct StatementsPage {
    shell: Shell,
    office: Office,
    billed: Vec<Billed>,
    disputed: Vec<Disputed>,
}

fn made(tx: &mut ReadTx<'_>, shop: &Shop, slug: &str) -> std::result::Result<Made, Failed> {
    let mall = run_by(tx, &shop.vendor, slug)?;
    let all = members(tx, &mall)?;
    let looks = parties(tx, shop, &mall, &all)?;
    let slugs: BTreeMap<i64, String> = all.into_iter().map(|m| (m.book_id, m.slug)).collect();
    let billed = billed(tx, &mall, &looks, &slugs)?;
    let disputed = disputed(tx, &mall, &looks)?;
    Ok(Made {
        mall,
        billed,
        disputed,
    })
}

fn named(looks: &BTreeMap<i64, Party>, book: i64) -> String {
    looks
        .get(&book)
        .map_or_else(String::new, |p| p.name.clone())
}

fn billed(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    looks: &BTreeMap<i64, Party>,
    slugs: &BTreeMap<i64, String>,
) -> std::result::Result<Vec<Billed>, Failed> {
    let found = invoices(tx, mall, None, AT_MOST)?.into_iter();
    let billed = found.map(|invoice| {
        let due = invoice.position.paid;
        let (pays, gets) = match (due.is_positive(), due.is_zero()) {
            (true, _) => (cash(mall, due), String::new()),
            (_, true) => (String::new(), String::new()),
            _ => (String::new(), cash(mall, due.negated()?)),
        };
        Ok(Billed {
            number: invoice.number,
            at: When::minute(invoice.closed_at),
            name: named(looks, invoice.member),
            slug: slugs.get(&invoice.member).cloned().unwrap_or_default(),
            pays,
            gets,
            carried: cash(mall, invoice.position.carried),
            is_open: invoice.is_open(),
            paid: invoice.payment.map(|p| (When::minute(p.at), p.reference)),
            key: form_key(),
        })
    });
    billed.collect()
}

fn disputed(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    looks: &BTreeMap<i64, Party>,
) -> std::result::Result<Vec<Disputed>, Failed> {
    let found = disputes(tx, mall.book_id, None, AT_MOST)?.into_iter();
    let disputed = found.map(|dispute| {
        let (state, class) = dispute_words(dispute.state);
        Disputed {
            number: dispute.number,
            at: When::minute(dispute.opened_at),
            name: named(looks, dispute.member),
            event: dispute.event_id.to_string(),
            reason: dispute.reason,
            answer: dispute.answer,
            state,
            class,
            is_open: dispute.closed_at.is_none(),
            key: form_key(),
        }
    });
    Ok(disputed.collect())
}

/// `GET /shops/{slug}/staff/office/{mall}/statements`.
pub(super) async fn page_of(
    State(app): State<App>,
    member: StaffMember,
    Path(AtMall { mall }): Path<AtMall>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let shop = member.shop.clone();
    let made = app.read(move |tx| made(tx, &shop, &mall)).await?;
    page(&StatementsPage {
        shell: shell(&member, &made.mall, part.done),
        office: office(&member, &made.mall, "/statements"),
        billed: made.billed,
        disputed: made.disputed,
    })
}

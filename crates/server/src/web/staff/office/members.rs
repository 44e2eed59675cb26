//! All members: standing, quota, value, position, deposit (GOV-01, GOV-10, GOV-12, MSP-01).

use super::super::super::frame::page;
use super::super::super::session::{Shop, StaffMember};
use super::super::super::view::Shell;
use super::super::super::view::format::{price_each, tokens};
use super::{AtMall, Office, Part, cash, office, parties, run_by, shell};
use crate::error::{Failed, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::mall::{Mall, deposit, members, position, value_at};
use scrip_domain::open_token::outstanding;
use scrip_domain::vendor::{Hue, quota};
use scrip_engine::{Read, ReadTx};

/// A member.
struct Row {
    name: String,
    hue: Hue,
    href: String,
    standing: &'static str,
    class: &'static str,
    value: String,
    authorised: String,
    issued: String,
    available: String,
    open: String,
    position: String,
    deposit: Option<(String, bool)>,
}

#[derive(Template)]
#[template(path = "staff/office/members.html")]
struct MembersPage {
    shell: Shell,
    office: Office,
    rows: Vec<Row>,
    owed: String,
    open: String,
}

struct Made {
    mall: Mall,
    rows: Vec<Row>,
    owed: Amount,
    open: Amount,
}

fn made(tx: &mut ReadTx<'_>, shop: &Shop, slug: &str) -> std::result::Result<Made, Failed> {
    let mall = run_by(tx, &shop.vendor, slug)?;
    let all = members(tx, &mall)?;
    let looks = parties(tx, shop, &mall, &all)?;
    let out = outstanding(tx, &mall)?;
    let now = tx.now();
    let (mut rows, mut owed, mut open_all) = (Vec::new(), Amount::ZERO, Amount::ZERO);
    for member in all {
        let Some(look) = looks.get(&member.book_id).cloned() else {
            continue;
        };
        let quota = quota(tx, member.book_id)?;
        let limit = quota.and_then(|quota| quota.authorised);
        let available = quota.map(|quota| quota.available()).transpose()?.flatten();
        let of_member = out
            .iter()
            .filter(|(_, debtor, _)| *debtor == member.book_id);
        let open = Amount::sum(of_member.map(|(_, _, amount)| *amount))?;
        let owes = position(tx, &member)?;
        owed = owed.plus(owes)?;
        open_all = open_all.plus(open)?;
        let value = value_at(tx, &member, now)?;
        let words = |amount: Option<Amount>| match amount {
            Some(amount) => tokens(amount).number,
            None => "–".to_owned(),
        };
        let held = deposit(tx, &member)?;
        rows.push(Row {
            name: look.name,
            hue: look.hue,
            href: look.href,
            standing: look.standing,
            class: look.class,
            value: price_each(value.unwrap_or_default(), &mall.currency),
            authorised: words(limit),
            issued: words(quota.map(|quota| quota.issued)),
            available: words(available),
            open: cash(&mall, open),
            position: cash(&mall, owes),
            deposit: held.map(|d| (cash(&mall, d.remaining), d.remaining < d.low_water)),
        });
    }
    Ok(Made {
        mall,
        rows,
        owed,
        open: open_all,
    })
}

/// `GET /shops/{slug}/staff/office/{mall}/members`.
pub(super) async fn page_of(
    State(app): State<App>,
    member: StaffMember,
    Path(AtMall { mall }): Path<AtMall>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let shop = member.shop.clone();
    let made = app.read(move |tx| made(tx, &shop, &mall)).await?;
    page(&MembersPage {
        shell: shell(&member, &made.mall, part.done),
        office: office(&member, &made.mall, "/members"),
        owed: cash(&made.mall, made.owed),
        open: cash(&made.mall, made.open),
        rows: made.rows,
    })
}

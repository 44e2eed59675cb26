//! One member: its token's value over time, terms, whose tokens pass, groups, what passed, what was
//! heard, and what those who run the mall do with it (GOV-01, GOV-02, GOV-10, GOV-12, MSP-08, MSP-09).

use super::super::super::frame::{form_key, page};
use super::super::super::session::{Shop, StaffMember};
use super::super::super::view::format::{percent, price_each, tokens};
use super::super::super::view::{Shell, When};
use super::{Office, Part, Party, cash, office, parties, run_by, shell};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::mall::{
    Mall, Member, MemberState, Settles, accepted_from, accepters_of, deposit, franchise_of,
    members, owed_in_all, position, statement, terms_at, values,
};
use scrip_domain::mirror::{Use, uses};
use scrip_domain::open_token::{group_members, groups, outstanding};
use scrip_domain::vendor::{Hue, quota};
use scrip_engine::{Read, ReadTx, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;

const DAY_S: i64 = 24 * 3600;
/// What passed is shown for so many days, and the newest lines of it.
const DAYS: i64 = 31;
const LINES: usize = 50;

/// Which member of which mall.
#[derive(Clone, Deserialize)]
pub(super) struct AtMember {
    mall: String,
    vendor: String,
}

/// A value and since when it held.
struct Value {
    at: When,
    value: String,
    /// Its height in the picture, in percent.
    height: i64,
    x: usize,
}

struct Row {
    at: When,
    what: &'static str,
    debtor: String,
    creditor: String,
    owed: String,
    received: String,
    royalty: String,
    owes: String,
}

struct Heard {
    at: When,
    what: String,
    token: String,
    tokens: String,
    royalty: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "staff/office/member.html")]
struct MemberPage {
    shell: Shell,
    office: Office,
    name: String,
    hue: Hue,
    slug: String,
    standing: &'static str,
    class: &'static str,
    is_suspended: bool,
    has_left: bool,
    is_barred: bool,
    facts: Vec<(&'static str, String)>,
    values: Vec<Value>,
    takes: Vec<String>,
    taken_by: Vec<String>,
    groups: Vec<(String, When, Option<When>)>,
    rows: Vec<Row>,
    total: String,
    heard: Vec<Heard>,
    settles: &'static str,
    key: String,
}

struct Made {
    mall: Mall,
    member: Member,
    look: Party,
    facts: Vec<(&'static str, String)>,
    values: Vec<Value>,
    takes: Vec<String>,
    taken_by: Vec<String>,
    groups: Vec<(String, When, Option<When>)>,
    rows: Vec<Row>,
    total: Amount,
    heard: Vec<Heard>,
}

type Found<T> = std::result::Result<T, Failed>;

fn made(tx: &mut ReadTx<'_>, shop: &Shop, at: &AtMember) -> Found<Made> {
    let mall = run_by(tx, &shop.vendor, &at.mall)?;
    let missing = || Failed::from(Problem::not_found("member"));
    let all = members(tx, &mall)?;
    let looks = parties(tx, shop, &mall, &all)?;
    let mut all = all.into_iter();
    let member = all.find(|m| m.slug == at.vendor).ok_or_else(missing)?;
    let look = looks.get(&member.book_id).cloned().ok_or_else(missing)?;
    let named = |books: Vec<i64>| {
        let names = books.iter().filter_map(|book| looks.get(book));
        names.map(|party| party.name.clone()).collect::<Vec<_>>()
    };
    let (takes, taken_by) = (accepted_from(tx, &member)?, accepters_of(tx, &member)?);
    let (rows, total) = rows(tx, &mall, &member, &looks)?;
    Ok(Made {
        facts: facts(tx, &mall, &member, &looks)?,
        values: history(tx, &mall, &member)?,
        takes: named(takes),
        taken_by: named(taken_by),
        groups: in_groups(tx, &mall, &member)?,
        heard: uses(tx, &member, 20)?
            .into_iter()
            .map(|one| heard(&mall, one))
            .collect(),
        mall,
        member,
        look,
        rows,
        total,
    })
}

fn facts(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    member: &Member,
    looks: &BTreeMap<i64, Party>,
) -> Found<Vec<(&'static str, String)>> {
    let now = tx.now();
    let terms = terms_at(tx, member, now)?;
    let owes = position(tx, member)?;
    let mut facts = vec![
        ("Owes the mall", cash(mall, owes)),
        ("Royalty", percent(terms.royalty_ppm)),
        ("Service charge", percent(terms.service_ppm)),
        ("Gift commission", percent(terms.commission_ppm)),
        (
            "An exchange costs",
            format!(
                "{} and {}",
                cash(mall, terms.charge_flat),
                percent(terms.charge_ppm)
            ),
        ),
    ];
    if let Some(quota) = quota(tx, member.book_id)? {
        let limit = match quota.authorised {
            Some(amount) => format!("of {}", tokens(amount)),
            None => "without a limit".to_owned(),
        };
        facts.push(("Issued", format!("{} {limit}", tokens(quota.issued).number)));
    }
    if let Some(held) = deposit(tx, member)? {
        let low = cash(mall, held.low_water);
        let words = format!("{}, warned below {low}", cash(mall, held.remaining));
        facts.push(("Deposit", words));
    }
    if let Some(franchise) = franchise_of(tx, member)? {
        let parent = looks.get(&franchise.parent);
        let parent = parent.map_or_else(String::new, |p| p.name.clone());
        facts.push(("Franchise of", parent));
    }
    for (token, debtor, amount) in outstanding(tx, mall)? {
        if debtor == member.book_id {
            facts.push((token.kind.words(), cash(mall, amount)));
        }
    }
    Ok(facts)
}

/// Values over time, oldest first.
fn history(tx: &mut ReadTx<'_>, mall: &Mall, member: &Member) -> Found<Vec<Value>> {
    let mut all = values(tx, member)?;
    all.reverse();
    let most = all.iter().map(|(_, value)| value.units()).max();
    let most = i128::from(most.unwrap_or(1).max(1));
    let values = all
        .into_iter()
        .enumerate()
        .map(|(place, (at, value))| Value {
            at: When::minute(at),
            value: price_each(value, &mall.currency),
            height: i64::try_from(i128::from(value.units()) * 100 / most).unwrap_or(100),
            x: place.saturating_mul(24),
        });
    Ok(values.collect())
}

fn in_groups(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    member: &Member,
) -> Found<Vec<(String, When, Option<When>)>> {
    let all = groups(tx, mall)?;
    let own = group_members(tx, mall)?.into_iter();
    let own = own.filter(|m| m.member_book == member.book_id);
    let named = own.map(|m| {
        let group = all.iter().find(|group| group.group_no == m.group_no);
        let name = group.map_or_else(String::new, |group| group.name.clone());
        let until = (m.leaves_at != Timestamp::NEVER).then(|| When::minute(m.leaves_at));
        (name, When::minute(m.joins_at), until)
    });
    Ok(named.collect())
}

fn rows(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    member: &Member,
    looks: &BTreeMap<i64, Party>,
) -> Found<(Vec<Row>, Amount)> {
    let now = tx.now();
    let lines = statement(tx, member, now.plus_seconds(-DAYS * DAY_S), now)?;
    let name = |book: i64| match looks.get(&book) {
        Some(party) => party.name.clone(),
        None => mall.name.clone(),
    };
    let total = owed_in_all(&lines, member.book_id)?;
    let newest = lines.iter().rev().take(LINES).map(|line| {
        Ok(Row {
            at: When::minute(line.at),
            what: super::super::mall::what(line.kind),
            debtor: name(line.debtor),
            creditor: name(line.creditor),
            owed: cash(mall, line.money.owed),
            received: cash(mall, line.money.received),
            royalty: cash(mall, line.money.royalty),
            owes: cash(mall, line.owes(member.book_id)?),
        })
    });
    Ok((newest.collect::<Found<_>>()?, total))
}

fn heard(mall: &Mall, one: Use) -> Heard {
    let amount = match one.token.as_str() {
        "closed" => tokens(one.tokens).to_string(),
        _ => cash(mall, one.tokens),
    };
    Heard {
        at: When::minute(one.at),
        what: one.what,
        token: one.token,
        tokens: amount,
        royalty: cash(mall, one.royalty),
        reason: one.reason.replace('_', " "),
    }
}

/// `GET /shops/{slug}/staff/office/{mall}/members/{vendor}`.
pub(super) async fn page_of(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<AtMember>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let shop = member.shop.clone();
    let made = app.read(move |tx| made(tx, &shop, &at)).await?;
    let mut office = office(&member, &made.mall, "/members");
    office.back = format!("/members/{}", made.member.slug);
    page(&MemberPage {
        shell: shell(&member, &made.mall, part.done),
        office,
        is_suspended: made.member.state == MemberState::Suspended,
        has_left: made.member.state == MemberState::Left,
        is_barred: made.member.is_barred,
        settles: match made.member.settles {
            Settles::Invoice => "with each clearing",
            Settles::Deposit => "at once, from its deposit",
            Settles::Transfer => "at once, by a transfer",
        },
        total: cash(&made.mall, made.total),
        slug: made.member.slug,
        name: made.look.name,
        hue: made.look.hue,
        standing: made.look.standing,
        class: made.look.class,
        facts: made.facts,
        values: made.values,
        takes: made.takes,
        taken_by: made.taken_by,
        groups: made.groups,
        rows: made.rows,
        heard: made.heard,
        key: form_key(),
    })
}

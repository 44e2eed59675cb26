//! The mall as a member sees it: position, terms, whose tokens pass, what passed (OPN-05, GOV-02,
//! GOV-06, GOV-07, ADV-08).

mod account;

use super::super::frame::{form_key, link, page, see, staff_shell};
use super::super::session::{Shop, StaffMember};
use super::super::view::format::{counted, money, percent, price_each, tokens};
use super::super::view::{Notice, Shell, Tone, When};
use super::office::office_at;
use super::{May, at, permission};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::Amount;
use scrip_domain::gift::{gift_acceptance_set, gift_acceptances};
use scrip_domain::mall::{
    DisputeState, Line, LineKind, Mall, Member, MemberState, Settles, acceptance_set,
    accepted_from, accepters_of, deposit, disputes, invoices, mall_by_book, malls_run_by,
    member_of, members, membership, owed_in_all, position, statement, terms_at, value_at,
};
use scrip_domain::open_token::outstanding;
use scrip_domain::vendor::{Permission, Vendor, quota, vendor_by_slug};
use scrip_engine::{Read, ReadTx};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/mall"), get(mall))
        .route(&at("/mall/accept"), post(accept))
        .merge(account::router())
}

const DAY_S: i64 = 24 * 3600;
/// What passed is shown for so many days.
const DAYS: i64 = 31;
/// Lines on the page; the API and the command line have all.
const LINES: usize = 50;
/// Invoices and disputes on the page.
const INVOICES: i64 = 12;

/// Another member.
struct Other {
    name: String,
    slug: String,
    standing: &'static str,
    class: &'static str,
    value: String,
    takes_ours: bool,
    we_take: bool,
    we_honour: bool,
    key: String,
    /// What its tokens paid here, and ours there.
    came: String,
    went: String,
    /// The same as lengths, in percent of the longest.
    came_length: i64,
    went_length: i64,
}

/// A line of the statement.
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

/// What a clearing came to.
struct Billed {
    number: i64,
    at: When,
    due: String,
    pays: bool,
    state: &'static str,
    class: &'static str,
    href: String,
}

/// A dispute about a line.
struct Disputed {
    number: i64,
    at: When,
    reason: String,
    answer: String,
    state: &'static str,
    class: &'static str,
}

struct Out {
    kind: &'static str,
    amount: String,
}

/// What there is to see in a mall.
struct Inside {
    name: String,
    standing: &'static str,
    class: &'static str,
    value: String,
    position: String,
    owes: bool,
    facts: Vec<(&'static str, String)>,
    out: Vec<Out>,
    others: Vec<Other>,
    rows: Vec<Row>,
    more: bool,
    total: String,
    billed: Vec<Billed>,
    disputed: Vec<Disputed>,
    statement: String,
}

#[derive(Template)]
#[template(path = "staff/mall.html")]
struct MallPage {
    shell: Shell,
    inside: Option<Inside>,
    /// The malls that this shop runs: name and address.
    runs: Vec<(String, String)>,
    may: bool,
    action: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    done: Option<String>,
}

/// Where a member stands, in words, and their class.
pub(super) fn standing(member: &Member) -> (&'static str, &'static str) {
    match (member.state, member.is_barred) {
        (MemberState::Active, false) => ("active", "status good"),
        (MemberState::Active, true) => ("tokens stay at home", "status wait"),
        (MemberState::Suspended, _) => ("suspended", "status stopped"),
        (MemberState::Left, _) => ("left", "status stopped"),
    }
}

/// What happened, in words.
pub(super) fn what(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Exchange => "Exchange",
        LineKind::Sale => "Sale",
        LineKind::Reversal => "Sale taken back",
        LineKind::Royalty => "Royalty",
        LineKind::Toll => "Toll",
        LineKind::Adjustment => "Adjustment",
        LineKind::Quota => "Tokens allowed",
    }
}

/// `GET /shops/{slug}/staff/mall`.
async fn mall(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let shop = member.shop.clone();
    let (inside, runs) = app
        .read(move |tx| {
            let runs = malls_run_by(tx, &shop.vendor)?.into_iter();
            let runs = runs.map(|mall| (mall.name, office_at(&shop, &mall.slug, "")));
            let runs = runs.collect();
            Ok::<_, Failed>((inside(tx, &shop)?, runs))
        })
        .await?;
    let mut shell = staff_shell(&member, "Mall", "/staff/mall");
    shell.notice = part.done.map(|_| {
        let text = "It holds from the next request on.";
        Notice::new(Tone::Good, "That is noted.", text)
    });
    page(&MallPage {
        shell,
        inside,
        runs,
        may: member.staff.role.may(Permission::Policy),
        action: member.shop.at("/staff/mall/accept"),
    })
}

/// What others' tokens paid here and ours paid there, by the other member's book.
type Traffic = BTreeMap<i64, (Amount, Amount)>;

fn traffic(lines: &[Line], own: i64) -> std::result::Result<Traffic, Failed> {
    let mut all = Traffic::new();
    for line in lines.iter().filter(|l| l.debtor != l.creditor) {
        let is_sale = matches!(line.kind, LineKind::Sale | LineKind::Exchange);
        if is_sale && line.creditor == own {
            let sum = &mut all.entry(line.debtor).or_default().0;
            *sum = sum.plus(line.money.received)?;
        } else if is_sale && line.debtor == own {
            let sum = &mut all.entry(line.creditor).or_default().1;
            *sum = sum.plus(line.money.owed)?;
        }
    }
    Ok(all)
}

/// A length in percent of the longest.
fn length(amount: Amount, longest: Amount) -> i64 {
    let longest = longest.units().max(1);
    let share = amount.units().saturating_mul(100).checked_div(longest);
    share.unwrap_or(0).clamp(0, 100)
}

fn inside(tx: &mut ReadTx<'_>, shop: &Shop) -> std::result::Result<Option<Inside>, Failed> {
    let vendor = &shop.vendor;
    let Some(member) = member_of(tx, vendor.book_id)? else {
        return Ok(None);
    };
    let mall = mall_by_book(tx, member.mall_book)?;
    let now = tx.now();
    let lines = statement(tx, &member, now.plus_seconds(-DAYS * DAY_S), now)?;
    let all = members(tx, &mall)?;
    let owes = position(tx, &member)?;
    let value = value_at(tx, &member, now)?.unwrap_or_default();
    let (state, class) = standing(&member);
    let cash = |amount: Amount| money(amount, &mall.currency);
    let sum = owed_in_all(&lines, member.book_id)?;
    let mut out = Vec::new();
    for (token, debtor, amount) in outstanding(tx, &mall)? {
        if debtor == member.book_id {
            out.push(Out {
                kind: token.kind.words(),
                amount: cash(amount),
            });
        }
    }
    Ok(Some(Inside {
        standing: state,
        class,
        value: price_each(value, &mall.currency),
        position: cash(owes.max(owes.negated()?)),
        owes: owes.is_positive(),
        facts: facts(tx, &mall, &member, vendor)?,
        out,
        others: others(tx, &mall, &member, &all, &lines)?,
        rows: rows(&mall, &member, &all, &lines)?,
        more: lines.len() > LINES,
        billed: billed(tx, shop, &mall, &member)?,
        disputed: disputed(tx, &member)?,
        statement: shop.at("/staff/mall/statement"),
        total: cash(sum),
        name: mall.name.clone(),
    }))
}

/// What was agreed, and what is left of what the mall allows.
fn facts(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    member: &Member,
    vendor: &Vendor,
) -> std::result::Result<Vec<(&'static str, String)>, Failed> {
    let now = tx.now();
    let terms = terms_at(tx, member, now)?;
    let mut facts = vec![
        ("Royalty of the mall", percent(terms.royalty_ppm)),
        ("Your service charge", percent(terms.service_ppm)),
        ("Your gift commission", percent(terms.commission_ppm)),
        (
            "You settle",
            match member.settles {
                Settles::Invoice => "with each clearing".to_owned(),
                Settles::Deposit => "at once, from your deposit".to_owned(),
                Settles::Transfer => "at once, by a transfer".to_owned(),
            },
        ),
    ];
    let quota = quota(tx, vendor.book_id)?;
    let allowed = quota.and_then(|quota| quota.available().transpose());
    facts.push((
        "You may still issue",
        match allowed.transpose()? {
            Some(left) => tokens(left).to_string(),
            None => "without a limit".to_owned(),
        },
    ));
    if let Some(deposit) = deposit(tx, member)? {
        let left = money(deposit.remaining, &mall.currency);
        let low = money(deposit.low_water, &mall.currency);
        let words = match deposit.remaining < deposit.low_water {
            true => format!("{left}, below {low}"),
            false => left,
        };
        facts.push(("Your deposit", words));
    }
    Ok(facts)
}

fn others(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    member: &Member,
    all: &[Member],
    lines: &[Line],
) -> std::result::Result<Vec<Other>, Failed> {
    let (ours, theirs) = (accepters_of(tx, member)?, accepted_from(tx, member)?);
    let gifts = gift_acceptances(tx, mall)?;
    let traffic = traffic(lines, member.book_id)?;
    let sums = traffic.values().flat_map(|(came, went)| [*came, *went]);
    let longest = sums.max().unwrap_or_default();
    let now = tx.now();
    let mut others = Vec::new();
    for other in all.iter().filter(|m| m.book_id != member.book_id) {
        let (state, class) = standing(other);
        let (came, went) = traffic.get(&other.book_id).copied().unwrap_or_default();
        let value = value_at(tx, other, now)?.unwrap_or_default();
        others.push(Other {
            name: other.name.clone(),
            slug: other.slug.clone(),
            standing: state,
            class,
            value: price_each(value, &mall.currency),
            takes_ours: ours.contains(&other.book_id),
            we_take: theirs.contains(&other.book_id),
            we_honour: gifts.contains(&(member.book_id, other.book_id)),
            key: form_key(),
            came: money(came, &mall.currency),
            went: money(went, &mall.currency),
            came_length: length(came, longest),
            went_length: length(went, longest),
        });
    }
    Ok(others)
}

/// The newest invoices first.
fn billed(
    tx: &mut ReadTx<'_>,
    shop: &Shop,
    mall: &Mall,
    member: &Member,
) -> std::result::Result<Vec<Billed>, Failed> {
    let found = invoices(tx, mall, Some(member), INVOICES)?.into_iter();
    let billed = found.map(|invoice| {
        let (state, class) = match (&invoice.payment, invoice.is_open()) {
            (Some(_), _) => ("paid", "status good"),
            (None, true) => ("not paid yet", "status wait"),
            (None, false) => ("nothing to pay", "status good"),
        };
        Ok(Billed {
            number: invoice.number,
            at: When::minute(invoice.closed_at),
            due: money(invoice.position.due()?, &mall.currency),
            pays: invoice.position.paid.is_positive(),
            state,
            class,
            href: shop.at(&format!("/staff/mall/invoices/{}", invoice.number)),
        })
    });
    billed.collect()
}

/// Where a dispute stands, in words, and their class.
pub(super) fn dispute_words(state: DisputeState) -> (&'static str, &'static str) {
    match state {
        DisputeState::Open => ("open", "status wait"),
        DisputeState::Rejected => ("the line stays", "status stopped"),
        DisputeState::Adjusted => ("adjusted", "status good"),
    }
}

/// The newest disputes first.
fn disputed(tx: &mut ReadTx<'_>, member: &Member) -> std::result::Result<Vec<Disputed>, Failed> {
    let found = disputes(tx, member.mall_book, Some(member.book_id), INVOICES)?;
    let disputed = found.into_iter().map(|dispute| {
        let (state, class) = dispute_words(dispute.state);
        Disputed {
            number: dispute.number,
            at: When::minute(dispute.opened_at),
            reason: dispute.reason,
            answer: dispute.answer,
            state,
            class,
        }
    });
    Ok(disputed.collect())
}

/// The short name and the name of each book in a mall, its own included.
fn names(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
) -> std::result::Result<BTreeMap<i64, (String, String)>, Failed> {
    let all = members(tx, mall)?.into_iter();
    let mut names: BTreeMap<_, _> = all.map(|m| (m.book_id, (m.slug, m.name))).collect();
    names.insert(mall.book_id, (mall.slug.clone(), mall.name.clone()));
    Ok(names)
}

/// The newest lines first.
fn rows(
    mall: &Mall,
    member: &Member,
    all: &[Member],
    lines: &[Line],
) -> std::result::Result<Vec<Row>, Failed> {
    let name = |book: i64| match book == mall.book_id {
        true => mall.name.clone(),
        false => {
            let found = all.iter().find(|m| m.book_id == book);
            found.map_or_else(String::new, |m| m.name.clone())
        }
    };
    let cash = |amount: Amount| money(amount, &mall.currency);
    let newest = lines.iter().rev().take(LINES);
    let rows = newest.map(|line| {
        Ok(Row {
            at: When::minute(line.at),
            what: what(line.kind),
            debtor: name(line.debtor),
            creditor: name(line.creditor),
            owed: cash(line.money.owed),
            received: cash(line.money.received),
            royalty: cash(line.money.royalty),
            owes: cash(line.owes(member.book_id)?),
        })
    });
    rows.collect()
}

impl Inside {
    /// How many members there are beside.
    fn beside(&self) -> String {
        let count = i64::try_from(self.others.len()).unwrap_or(i64::MAX);
        counted(count, "other member", "other members")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    vendor: String,
    /// `tokens` or `gifts`.
    what: String,
    /// `yes` or `no`.
    takes: String,
    key: String,
}

/// `POST /shops/{slug}/staff/mall/accept`: whose tokens and certificates are taken.
async fn accept(
    State(app): State<App>,
    May(member, _): May<permission::Policy>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let takes = match sent.takes.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Problem::invalid("form_invalid", "takes is yes or no")),
    };
    let gifts = match sent.what.as_str() {
        "gifts" => true,
        "tokens" => false,
        _ => return Err(Problem::invalid("form_invalid", "what is tokens or gifts")),
    };
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("mall {} {} {}", sent.vendor, sent.what, sent.takes).into_bytes();
    let keyed = member.keyed(format!("mall-{}", sent.key), request, None);
    app.submit(keyed, move |tx| {
        let acceptor = membership(tx, &vendor)?;
        let other = vendor_by_slug(tx, &sent.vendor)?;
        let issuer = membership(tx, &other)?;
        match gifts {
            true => gift_acceptance_set(tx, actor, (&acceptor, &issuer), takes)?,
            false => acceptance_set(tx, actor, &acceptor, &issuer, takes)?,
        }
        Ok::<_, Failed>(())
    })
    .await?;
    let path = member.shop.at("/staff/mall");
    see(&link(&path, &[("done", "noted")]))
}

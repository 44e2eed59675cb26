//! Promotions and coupons (ADV-06): what is planned, holds, is over; making, changing, copying and
//! stopping them.

mod form;
mod one;

use super::super::buy::percent;
use super::super::frame::{form_key, link, page, staff_shell, walk};
use super::super::session::StaffMember;
use super::super::view::format::tokens;
use super::super::view::{Notice, Pager, Shell, Tone};
use super::{May, at, permission, said};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use scrip_domain::id::PromotionId;
use scrip_domain::promotion::{Cut, Promotion, Scope, State as Stands, promotions};
use scrip_domain::vendor::Permission;
use scrip_engine::Timestamp;
use serde::Deserialize;

/// The routes below `/shops/{slug}/staff`.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/promotions"), get(list).post(form::put))
        .route(&at("/promotions/new"), get(form::blank))
        .route(&at("/promotions/{id}"), get(one::show))
        .route(&at("/promotions/{id}/stop"), post(one::stop))
        .route(&at("/promotions/{id}/codes"), post(one::codes))
}

const PATH: &str = "/staff/promotions";

/// Promotions on one page.
const AT_ONCE: usize = 50;

#[derive(Template)]
#[template(path = "staff/promotions/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
    pager: Option<Pager>,
    stacking: bool,
    zone: String,
    may: bool,
    new: String,
    new_coupon: String,
    report: String,
}

/// A promotion in the list.
struct Row {
    name: String,
    href: String,
    kind: &'static str,
    off: String,
    what: String,
    from: String,
    until: String,
    state: &'static str,
    class: &'static str,
}

/// Which part of the list, and what was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    before: Option<String>,
    past: Option<String>,
}

/// The word and the class of a state.
fn state_words(state: Stands) -> (&'static str, &'static str) {
    match state {
        Stands::Planned => ("Planned", "status waits"),
        Stands::Running => ("Running", "status good"),
        Stands::Over => ("Over", "status stopped"),
        Stands::Stopped => ("Stopped", "status stopped"),
    }
}

/// What comes off: `10 % off`, `5 tokens off each`, `60 tokens each`.
fn cut_words(cut: Cut) -> String {
    match cut {
        Cut::Rate(rate) => format!("{} off", percent(rate)),
        Cut::Each(off) => format!("{} off each", tokens(off)),
        Cut::Price(price) => format!("{} each", tokens(price)),
    }
}

/// What it is for, in a few words.
fn scope_words(promotion: &Promotion) -> String {
    let named = |what: &str, names: &[String]| match names {
        [one] => format!("{what} {one}"),
        [one, rest @ ..] => format!("{what} {one} and {} more", rest.len()),
        [] => String::new(),
    };
    let terms = &promotion.terms;
    let what = match &terms.scope {
        Scope::All => "All products".to_owned(),
        Scope::Categories(names) => named("Category", names),
        Scope::Manufacturers(names) => named("Made by", names),
        Scope::Chosen { products, offers } => {
            let count = i64::try_from(products.len() + offers.len()).unwrap_or(i64::MAX);
            super::super::view::format::counted(count, "product or SKU", "products and SKUs")
        }
    };
    let maker = terms.coupon.as_ref().map(|c| c.manufacturer.as_str());
    match maker.filter(|maker| !maker.is_empty()) {
        Some(maker) => format!("{what}, paid for by {maker}"),
        None => what,
    }
}

/// A time in the vendor's time zone: `5 Dec 2026 18:00`.
fn local(micros: i64, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_microsecond(micros).map_or_else(
        |_| Timestamp(micros).to_string(),
        |at| at.to_zoned(zone).strftime("%-d %b %Y %H:%M").to_string(),
    )
}

fn row(member: &StaffMember, promotion: &Promotion) -> Row {
    let zone = &member.shop.policy.time_zone;
    let (state, class) = state_words(promotion.state(member.now));
    let terms = &promotion.terms;
    Row {
        name: terms.name.clone(),
        href: member.shop.at(&format!("{PATH}/{}", promotion.id)),
        kind: match promotion.is_coupon() {
            true => "Coupon",
            false => "Promotion",
        },
        off: cut_words(terms.cut),
        what: scope_words(promotion),
        from: local(terms.begins_at, zone),
        until: local(terms.ends_at, zone),
        state,
        class,
    }
}

/// `GET /shops/{slug}/staff/promotions`.
async fn list(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let before: Option<PromotionId> = match &part.before {
        Some(before) => Some(
            before
                .parse()
                .map_err(|_| Problem::not_found("promotion"))?,
        ),
        None => None,
    };
    let book = member.shop.vendor.book_id;
    let found = app.read(move |tx| Ok::<_, Failed>(promotions(tx, book, before, AT_ONCE)?));
    let found = found.await?;
    let here = member.shop.at(PATH);
    let new = member.shop.at(&format!("{PATH}/new"));
    let cursor = (
        part.before.as_deref(),
        part.past.as_deref(),
        found.next.map(|id| id.to_string()),
    );
    page(&ListPage {
        rows: found.items.iter().map(|p| row(&member, p)).collect(),
        pager: walk(&here, &[], "before", ("newer ones", "earlier ones"), cursor),
        stacking: member.shop.policy.promotions.stacking,
        zone: member.shop.policy.time_zone.clone(),
        may: member.staff.role.may(Permission::Prices),
        new_coupon: link(&new, &[("coupon", "1")]),
        new,
        report: member.shop.at("/staff/reports/promotions"),
        shell: staff_shell(&member, "Promotions", PATH),
    })
}

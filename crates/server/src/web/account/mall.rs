//! What a customer holds of the mall's tokens, and the form that takes a gift certificate's code
//! (OPN-15, GOV-13, MIC-05).

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::order::open_way::home;
use super::super::session::Member;
use super::super::view::format::money;
use super::super::view::{Field, Notice, Shell, Tone, When};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Actor;
use scrip_domain::customer::customer_by_id;
use scrip_domain::gift::{Claim, gift_claim, gifts_held};
use scrip_domain::mall::{Mall, mall_by_book, member_of, membership};
use scrip_domain::open_token::{OpenKind, holdings};
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::{Read, ReadTx, Timestamp};
use scrip_ledger::{Amount, Origin};
use serde::Deserialize;

/// Tokens of one type that one member owes.
struct Held {
    kind: &'static str,
    owner: String,
    amount: String,
    /// How much of it was paid for, is owed, was given.
    origins: Vec<(&'static str, String)>,
    pays: &'static str,
    ends: Option<When>,
}

/// A gift certificate.
struct Gift {
    issuer: String,
    face: String,
    ends: Option<When>,
}

#[derive(Template)]
#[template(path = "account/mall.html")]
struct MallPage {
    shell: Shell,
    mall: String,
    held: Vec<Held>,
    gifts: Vec<Gift>,
    total: String,
    action: String,
    back: String,
    code: Field,
    key: String,
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    done: Option<String>,
}

struct Made {
    mall: Mall,
    held: Vec<Held>,
    gifts: Vec<Gift>,
    total: Amount,
}

fn pays(kind: OpenKind) -> &'static str {
    match kind {
        OpenKind::Universal => "everything, at every member",
        OpenKind::M1 => "this manufacturer's products, wherever they are sold",
        OpenKind::M2 => "a part of this manufacturer's products, beside universal tokens",
        OpenKind::Group => "everything at members of the group",
        OpenKind::Gift => "once, whole",
    }
}

fn ends(at: Timestamp) -> Option<When> {
    (at != Timestamp::NEVER).then(|| When::day(at))
}

fn made(tx: &mut ReadTx<'_>, member: &Member) -> std::result::Result<Made, Failed> {
    let (vendor, id) = home(tx, member)?;
    let joined = membership(tx, &vendor)?;
    let mall = mall_by_book(tx, joined.mall_book)?;
    let now = tx.now();
    let (mut held, mut total) = (Vec::new(), Amount::ZERO);
    for holding in holdings(tx, &mall, vendor.book_id, id)? {
        let usable = holding.usable(now)?;
        if !usable.is_positive() {
            continue;
        }
        total = total.plus(usable)?;
        let lots = holding.lots.iter().filter(|lot| lot.usable(now));
        let soonest = lots.clone().map(|lot| lot.grant.expires_at).min();
        let mut origins = Vec::new();
        for (origin, words) in [
            (Origin::Paid, "paid for"),
            (Origin::Credit, "on credit"),
            (Origin::Free, "given"),
        ] {
            let of = lots.clone().filter(|lot| lot.grant.origin == origin);
            let sum = Amount::sum(of.map(|lot| lot.remaining))?;
            if sum.is_positive() {
                origins.push((words, money(sum, &mall.currency)));
            }
        }
        let kind = holding.token.kind;
        held.push(Held {
            kind: kind.words(),
            owner: vendor_by_book(tx, holding.debtor)?.name,
            amount: money(usable, &mall.currency),
            origins,
            pays: pays(kind),
            ends: soonest.and_then(ends),
        });
    }
    let mut gifts = Vec::new();
    for gift in gifts_held(tx, &mall, vendor.book_id, id)? {
        total = total.plus(gift.face)?;
        gifts.push(Gift {
            issuer: vendor_by_book(tx, gift.issuer)?.name,
            face: money(gift.face, &mall.currency),
            ends: ends(gift.expires_at),
        });
    }
    Ok(Made {
        mall,
        held,
        gifts,
        total,
    })
}

async fn drawn(app: &App, member: &Member, error: String) -> Result<MallPage> {
    let of = member.clone();
    let made = app.read(move |tx| made(tx, &of)).await?;
    let code = Field::text("code", "The code on the certificate")
        .autocomplete("off")
        .error(error);
    Ok(MallPage {
        shell: member_shell(member, "Tokens of the mall", "/account/mall"),
        total: money(made.total, &made.mall.currency),
        mall: made.mall.name,
        held: made.held,
        gifts: made.gifts,
        action: member.shop.at("/account/mall"),
        back: member.shop.at("/account"),
        code,
        key: form_key(),
    })
}

/// `GET /shops/{slug}/account/mall`.
pub async fn form(
    State(app): State<App>,
    member: Member,
    Query(part): Query<Part>,
) -> Result<Response> {
    let mut all = drawn(&app, &member, String::new()).await?;
    all.shell.notice = part.done.map(|_| {
        let text = "It pays once, whole; what it leaves over becomes universal tokens.";
        Notice::new(Tone::Good, "The gift certificate is yours.", text)
    });
    page(&all)
}

/// A code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    code: String,
    key: String,
}

/// `POST /shops/{slug}/account/mall`: the code of a certificate. A wrong one tells nothing.
pub async fn claim(
    State(app): State<App>,
    member: Member,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let guess = guess(&app, member.shop.vendor.book_id, client)?;
    let of = member.clone();
    let (vendor, id) = app.read(move |tx| Ok::<_, Failed>(home(tx, &of)?)).await?;
    let vault = app.node.vault.clone();
    // The code itself is not kept with the request: its keyed hash tells two of them apart.
    let hash = vault.hash("gift code request", &[typed.code.as_bytes()]);
    let keyed = member.keyed(format!("gift-code-{}", typed.key), hash.to_vec());
    let code = typed.code;
    let claimed = app.submit(keyed, move |tx| {
        let joined = membership(tx, &vendor)?;
        let mall = mall_by_book(tx, joined.mall_book)?;
        let customer = customer_by_id(tx, vendor.book_id, id)?;
        let actor = Actor::Customer(id);
        let claim = gift_claim(tx, &vault, actor, &mall, &customer, &code)?;
        Ok::<Claim, Failed>(claim)
    });
    let (status, error) = match claimed.await?.value {
        Claim::Held { .. } => {
            guess.right();
            let place = member.shop.at("/account/mall");
            return see(&link(&place, &[("done", "held")]));
        }
        Claim::Unknown => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "No gift certificate with this code can be entered. Check each character.".to_owned(),
        ),
        Claim::TooMany { until } => (
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "Too many wrong codes were entered. The next one is looked at from {} on.",
                When::minute(Timestamp(until))
            ),
        ),
    };
    page_with(status, &drawn(&app, &member, error).await?)
}

/// Where the page is, for those whose shop belongs to a mall.
pub fn place(tx: &mut dyn Read, member: &Member) -> std::result::Result<Option<String>, Problem> {
    let joined = member_of(tx, member.shop.vendor.book_id).map_err(Problem::from)?;
    Ok(joined.map(|_| member.shop.at("/account/mall")))
}

//! A customer's family: its children with what they may spend, its parent's limits, invitations
//! (ADV-01, ADV-02).

use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::session::{Holder, Member};
use super::super::view::format::tokens;
use super::super::view::{Field, Notice, Shell, Shown, Tone};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::catalog::categories;
use scrip_domain::customer::{Customer, customer_by_id, customer_by_number};
use scrip_domain::family::{
    Family, Limits, Spending, family_accept, family_children, family_end, family_fund,
    family_invitations, family_invite, family_limit, family_of, family_spending,
};
use scrip_domain::id::CustomerId;
use scrip_engine::Tx;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account/family.html")]
struct FamilyPage {
    shell: Shell,
    own: Option<Own>,
    invitations: Vec<(String, String)>,
    children: Vec<Child>,
    invite: Field,
    action: String,
    back: String,
    key: String,
}

/// What the reader may spend as a child.
struct Own {
    spans: Vec<(&'static str, Shown, Option<Shown>)>,
    categories: Option<String>,
}

/// A child of the reader.
struct Child {
    id: String,
    number: String,
    spans: Vec<(&'static str, Shown, Option<Shown>)>,
    caps: Vec<Field>,
    all: bool,
    categories: Vec<(String, bool)>,
    fund: Field,
}

/// What is wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sent {
    act: String,
    number: String,
    id: String,
    tokens: String,
    day: String,
    week: String,
    month: String,
    limited: String,
    category: Vec<String>,
    key: String,
}

/// What was just done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    done: Option<String>,
}

fn spans(limits: &Limits, spent: &Spending) -> Vec<(&'static str, Shown, Option<Shown>)> {
    [
        ("Today", spent.day, limits.day),
        ("In seven days", spent.week, limits.week),
        ("In thirty days", spent.month, limits.month),
    ]
    .into_iter()
    .map(|(label, spent, cap)| (label, tokens(spent), cap.map(tokens)))
    .collect()
}

/// Everything that the page shows, from one snapshot.
struct Found {
    own: Option<(Family, Spending)>,
    invitations: Vec<Customer>,
    children: Vec<(Customer, Family, Spending)>,
    categories: Vec<String>,
}

async fn found(app: &App, member: &Member) -> Result<Found> {
    let of = member.clone();
    app.read(move |tx| {
        let (me, actor) = (&of.me.customer, of.me.actor());
        let own = match family_of(tx, me)? {
            Some(family) => Some((family, family_spending(tx, actor, me)?)),
            None => None,
        };
        let mut children = Vec::new();
        for family in family_children(tx, me)? {
            let child = customer_by_id(tx, me.book_id, family.child)?;
            let spent = family_spending(tx, actor, &child)?;
            children.push((child, family, spent));
        }
        let all = categories(tx, me.book_id)?;
        Ok::<_, Problem>(Found {
            own,
            invitations: family_invitations(tx, me)?,
            children,
            categories: all.into_iter().map(|(name, _)| name).collect(),
        })
    })
    .await
}

fn family_page(member: &Member, found: Found) -> FamilyPage {
    let shop = &member.shop;
    let scale = shop.vendor.token.scale;
    let child = |(customer, family, spent): &(Customer, Family, Spending)| {
        let limits = &family.limits;
        let cap = |name: &str, label: &str, cap: Option<Amount>| {
            let value = cap.map(|cap| cap.decimal(scale)).unwrap_or_default();
            Field::number(name, label).optional().value(value)
        };
        let caps = vec![
            cap("day", "Tokens a day", limits.day),
            cap("week", "Tokens in seven days", limits.week),
            cap("month", "Tokens in thirty days", limits.month),
        ];
        let is_on = |name: &String| {
            let allowed = limits.categories.as_ref();
            allowed.is_some_and(|allowed| allowed.contains(name))
        };
        let all = found.categories.iter();
        Child {
            id: customer.customer_id.to_string(),
            number: customer.number.to_string(),
            spans: spans(limits, spent),
            caps,
            all: limits.categories.is_none(),
            categories: all.map(|name| (name.clone(), is_on(name))).collect(),
            fund: Field::number("tokens", "Tokens of yours to give"),
        }
    };
    FamilyPage {
        shell: member_shell(member, "Family", "/account/family"),
        children: found.children.iter().map(child).collect(),
        own: found.own.as_ref().map(|(family, spent)| Own {
            spans: spans(&family.limits, spent),
            categories: family.limits.categories.as_ref().map(|all| all.join(", ")),
        }),
        invitations: found
            .invitations
            .iter()
            .map(|parent| (parent.customer_id.to_string(), parent.number.to_string()))
            .collect(),
        invite: Field::text("number", "Account number of the child").class("is-code"),
        action: shop.at("/account/family"),
        back: shop.at("/account"),
        key: form_key(),
    }
}

/// `GET /shops/{slug}/account/family`.
pub async fn form(
    State(app): State<App>,
    Holder(member): Holder,
    Query(said): Query<Said>,
) -> Result<Response> {
    let mut page_of = family_page(&member, found(&app, &member).await?);
    page_of.shell.notice = said.done.map(|done| match done.as_str() {
        "invite" => Notice::new(
            Tone::Good,
            "The invitation waits.",
            "The child signs in within a week and agrees on its own page Family.",
        ),
        "accept" => Notice::new(Tone::Good, "You are a family now.", ""),
        "fund" => Notice::new(Tone::Good, "The tokens are in the child's account.", ""),
        "end" => Notice::new(
            Tone::Good,
            "The account is the child's own now.",
            "Its limits have ended. What is in it stays there.",
        ),
        _ => Notice::new(Tone::Good, "The limits hold from now on.", ""),
    });
    page(&page_of)
}

/// A cap as typed; empty for none.
fn cap(typed: &str, scale: u32) -> std::result::Result<Option<Amount>, Failed> {
    match typed.trim() {
        "" => Ok(None),
        typed => Ok(Some(Amount::parse(typed, scale)?)),
    }
}

fn id_of(sent: &Sent) -> std::result::Result<CustomerId, Failed> {
    let id = sent.id.parse::<CustomerId>();
    Ok(id.map_err(|_| Problem::not_found("customer"))?)
}

fn done(tx: &mut Tx<'_>, member: &Member, sent: &Sent) -> std::result::Result<(), Failed> {
    let (vendor, actor) = (&member.shop.vendor, member.me.actor());
    let scale = vendor.token.scale;
    let me = customer_by_id(tx, vendor.book_id, member.me.customer.customer_id)?;
    match sent.act.as_str() {
        "invite" => {
            let child = customer_by_number(tx, vendor, &sent.number)?;
            family_invite(tx, actor, &me, &child)?;
        }
        "accept" => {
            let parent = customer_by_id(tx, vendor.book_id, id_of(sent)?)?;
            family_accept(tx, actor, &me, &parent)?;
        }
        "fund" => {
            let child = customer_by_id(tx, vendor.book_id, id_of(sent)?)?;
            let amount = Amount::parse(sent.tokens.trim(), scale)?;
            family_fund(tx, actor, vendor, &child, amount)?;
        }
        "limits" => {
            let child = customer_by_id(tx, vendor.book_id, id_of(sent)?)?;
            let limits = Limits {
                day: cap(&sent.day, scale)?,
                week: cap(&sent.week, scale)?,
                month: cap(&sent.month, scale)?,
                categories: (sent.limited == "yes").then(|| sent.category.clone()),
            };
            family_limit(tx, actor, &child, &limits)?;
        }
        "end" => {
            let child = customer_by_id(tx, vendor.book_id, id_of(sent)?)?;
            family_end(tx, actor, &child)?;
        }
        _ => return Err(Problem::invalid("family_invalid", "use a form of this page").into()),
    }
    Ok(())
}

/// `POST /shops/{slug}/account/family`.
pub async fn act(
    State(app): State<App>,
    Holder(member): Holder,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let keyed = member.keyed(
        format!("family-{}", sent.key),
        format!("{sent:?}").into_bytes(),
    );
    let (of, wanted) = (member.clone(), sent.clone());
    let result = app.submit(keyed, move |tx| done(tx, &of, &wanted)).await;
    let problem = match result {
        Ok(_) => {
            let here = member.shop.at("/account/family");
            return see(&link(&here, &[("done", &sent.act)]));
        }
        Err(problem) => problem,
    };
    let is_told = matches!(
        problem.status,
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::NOT_FOUND
    );
    if !is_told {
        return Err(problem);
    }
    let mut page_of = family_page(&member, found(&app, &member).await?);
    let notice = Notice::new(Tone::Bad, "This was not done.", problem.sentence());
    page_of.shell.notice = Some(notice);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of)
}

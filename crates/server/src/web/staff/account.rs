//! What staff do to an account beside looking at it: put its balance right, say what the vendor
//! thinks of it, merge a duplicate into it, erase its person.

use super::super::frame::{link, see};
use super::customer::{At, again};
use super::{May, permission};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::adjustment::balance_take_back;
use scrip_domain::closing::{customer_erase, customer_merge};
use scrip_domain::customer::{
    CreditStatus, Standing, customer_by_id, customer_by_number, standing_set,
};
use serde::Deserialize;

/// Tokens to take back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjust {
    tokens: String,
    reason: String,
    key: String,
}

/// `POST /shops/{slug}/staff/customers/{id}/adjust`.
pub async fn adjust(
    State(app): State<App>,
    May(member, _): May<permission::Adjust>,
    Path(at): Path<At>,
    Form(sent): Form<Adjust>,
) -> Result<Response> {
    let (id, vendor, actor) = (at.id, member.shop.vendor.clone(), member.actor());
    let request = format!("adjust {id} {sent:?}").into_bytes();
    let keyed = member.keyed(format!("adjust-{}", sent.key), request, Some(id));
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, vendor.book_id, id)?;
            let amount = Amount::parse(sent.tokens.trim(), vendor.token.scale)?;
            balance_take_back(tx, actor, &vendor, &customer, amount, &sent.reason)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => {
            let here = member.shop.at(&format!("/staff/customers/{id}"));
            see(&link(&here, &[("done", "adjusted")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// What the vendor thinks of a customer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thought {
    #[serde(default)]
    preferred: String,
    credit: String,
    #[serde(default)]
    country: String,
    key: String,
}

/// `POST /shops/{slug}/staff/customers/{id}/standing`.
pub async fn standing(
    State(app): State<App>,
    May(member, _): May<permission::Customers>,
    Path(at): Path<At>,
    Form(sent): Form<Thought>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    let request = format!("standing {id} {sent:?}").into_bytes();
    let keyed = member.keyed(format!("standing-{}", sent.key), request, Some(id));
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            let credit_status = CreditStatus::parse(&sent.credit)
                .map_err(|e| Problem::invalid("text_invalid", e.to_string()))?;
            let new = Standing {
                preferred: sent.preferred == "yes",
                credit_status,
                country: sent.country.clone(),
            };
            standing_set(tx, actor, &customer, &new)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => {
            let here = member.shop.at(&format!("/staff/customers/{id}"));
            see(&link(&here, &[("done", "standing")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// The account that this one is merged into.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Into {
    number: String,
    key: String,
}

/// `POST /shops/{slug}/staff/customers/{id}/merge`: the account of this page is the duplicate.
pub async fn merge(
    State(app): State<App>,
    May(member, _): May<permission::Adjust>,
    Path(at): Path<At>,
    Form(sent): Form<Into>,
) -> Result<Response> {
    let (id, vendor, actor) = (at.id, member.shop.vendor.clone(), member.actor());
    let request = format!("merge {id} {sent:?}").into_bytes();
    let keyed = member.keyed(format!("merge-{}", sent.key), request, Some(id));
    let done = app
        .submit(keyed, move |tx| {
            let kept = customer_by_number(tx, &vendor, &sent.number)?.customer_id;
            customer_merge(tx, actor, &vendor, id, kept)?;
            Ok::<_, Failed>(kept)
        })
        .await;
    match done {
        Ok(kept) => {
            let there = member.shop.at(&format!("/staff/customers/{}", kept.value));
            see(&link(&there, &[("done", "merged")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// A form that says that one is sure.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sure {
    #[serde(default)]
    sure: String,
    key: String,
}

/// `POST /shops/{slug}/staff/customers/{id}/erase`: for a customer who asked to be forgotten.
pub async fn erase(
    State(app): State<App>,
    May(member, _): May<permission::Adjust>,
    Path(at): Path<At>,
    Form(sent): Form<Sure>,
) -> Result<Response> {
    let (id, book, actor) = (at.id, member.shop.vendor.book_id, member.actor());
    if sent.sure != "yes" {
        let text = "tick the box that says that the customer asked for it, then erase";
        let problem = Problem::invalid("text_invalid", text);
        return again(&app, &member, id, problem).await;
    }
    let request = format!("erase {id}").into_bytes();
    // The answer says nothing about the person, and outlives it.
    let keyed = member.keyed(format!("erase-{}", sent.key), request, None);
    let vault = app.node.vault.clone();
    let done = app
        .submit(keyed, move |tx| {
            let customer = customer_by_id(tx, book, id)?;
            customer_erase(tx, &vault, actor, &customer)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(_) => {
            let here = member.shop.at(&format!("/staff/customers/{id}"));
            see(&link(&here, &[("done", "erased")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

//! The pages of a shop's staff: today, customers, orders (REG-03, MIC-05, SHP-19).
//!
//! A member of staff acts in the book of the own shop only: the session is looked up there, and so
//! is everything that an address names. Auditors look; who changes something goes through
//! [`May`] with the permission that it needs.

mod account;
mod audit;
mod catalogue;
mod chart;
mod check;
mod customer;
mod customers;
mod disputes;
mod gifts;
mod keys;
mod mall;
mod messages;
mod office;
mod order;
mod orders;
mod paybacks;
mod people;
mod prices;
mod promotions;
mod register;
mod reports;
mod requests;
mod settings;
mod shipping;
pub mod sign_in;
mod statement;
mod today;
mod token_orders;
mod webhooks;

use super::frame::{page_with, see, staff_shell};
use super::second_factor;
use super::session::{Shop, StaffMember};
use super::view::{Notice, Shell, Tone};
use crate::error::{Problem, Result};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use scrip_domain::Actor;
use scrip_domain::customer::{Customer, State as AccountState, customer_person};
use scrip_domain::vault::Vault;
use scrip_domain::vendor::Permission;
use scrip_engine::Read;
use std::marker::PhantomData;

/// Where a path of the staff's pages stands.
fn at(path: &str) -> String {
    format!("/shops/{{slug}}/staff{path}")
}

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at(""), get(entrance))
        .route(&at("/sign-in"), get(sign_in::form).post(sign_in::sign_in))
        .route(
            &at("/sign-in/code"),
            get(sign_in::code_form).post(sign_in::code),
        )
        .route(
            &at("/second-factor"),
            get(second_factor::staff_form).post(second_factor::staff_act),
        )
        .route(&at("/quit"), post(sign_in::quit))
        .route(&at("/today"), get(today::today))
        .route(&at("/requests"), get(requests::requests))
        .route(&at("/customers"), get(customers::customers))
        .route(
            &at("/customers/new"),
            get(register::form).post(register::register),
        )
        .route(&at("/customers/{id}"), get(customer::customer))
        .route(
            &at("/customers/{id}/statement"),
            get(statement::statement_page),
        )
        .route(
            &at("/customers/{id}/statement.csv"),
            get(statement::statement_file),
        )
        .route(&at("/customers/{id}/pin-reset"), post(customer::pin_reset))
        .route(
            &at("/customers/{id}/check"),
            get(check::form).post(check::answer),
        )
        .route(
            &at("/customers/{id}/second-factor-off"),
            post(customer::second_factor_off),
        )
        .route(&at("/customers/{id}/close"), post(customer::close))
        .route(&at("/customers/{id}/adjust"), post(account::adjust))
        .route(&at("/customers/{id}/standing"), post(account::standing))
        .route(&at("/customers/{id}/merge"), post(account::merge))
        .route(&at("/customers/{id}/erase"), post(account::erase))
        .merge(reports::router())
        .route(&at("/orders"), get(orders::orders))
        .route(&at("/orders/{id}"), get(order::order))
        .route(&at("/orders/{id}/refund"), post(order::refund))
        .route(&at("/orders/{id}/decline"), post(order::decline))
        .merge(shipping::router())
        .route(&at("/messages"), get(messages::messages))
        .route(&at("/messages/{id}"), get(messages::message))
        .route(&at("/messages/{id}/again"), post(messages::again))
        .route(
            &at("/webhooks"),
            get(webhooks::webhooks).post(webhooks::create),
        )
        .route(&at("/webhooks/{id}"), get(webhooks::webhook))
        .route(&at("/webhooks/{id}/test"), post(webhooks::test))
        .route(&at("/webhooks/{id}/rotate"), post(webhooks::rotate))
        .route(&at("/webhooks/{id}/enable"), post(webhooks::enable))
        .route(&at("/webhooks/{id}/delete"), post(webhooks::delete))
        .merge(catalogue::router())
        .merge(people::router())
        .merge(keys::router())
        .merge(mall::router())
        .merge(office::router())
        .merge(audit::router())
        .merge(settings::router())
        .merge(token_orders::router())
        .merge(prices::router())
        .merge(promotions::router())
        .merge(gifts::router())
        .merge(disputes::router())
        .merge(paybacks::router())
}

/// `GET /shops/{slug}/staff`.
async fn entrance(member: StaffMember) -> Result<Response> {
    see(&member.shop.at("/staff/today"))
}

/// A permission as a type, so that a handler's signature says what it needs.
pub trait Needs: Send + Sync {
    /// The permission.
    const PERMISSION: Permission;
}

/// The permissions of [`Permission`] as types.
pub mod permission {
    use super::{Needs, Permission};

    macro_rules! types {
        ($($name:ident),+ $(,)?) => {
            $(
                pub enum $name {}
                impl Needs for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )+
        };
    }
    types!(
        Adjust,
        Books,
        Catalogue,
        Customers,
        Mall,
        Messages,
        Orders,
        Policy,
        Prices,
        Staff,
        TokenOrders
    );
}

/// A member of staff who may do what the type says; all others get a page that says so, with 403.
pub struct May<N: Needs>(pub StaffMember, pub PhantomData<N>);

#[derive(Template)]
#[template(path = "staff/forbidden.html")]
struct ForbiddenPage {
    shell: Shell,
    role: &'static str,
    today: String,
}

impl<N: Needs> FromRequestParts<App> for May<N> {
    type Rejection = Response;
    async fn from_request_parts(
        parts: &mut Parts,
        app: &App,
    ) -> std::result::Result<Self, Response> {
        let member = StaffMember::from_request_parts(parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        if member.staff.role.may(N::PERMISSION) {
            return Ok(May(member, PhantomData));
        }
        let page = ForbiddenPage {
            shell: staff_shell(&member, "Not open to you", ""),
            role: member.staff.role.name(),
            today: member.shop.at("/staff/today"),
        };
        Err(page_with(StatusCode::FORBIDDEN, &page).unwrap_or_else(IntoResponse::into_response))
    }
}

/// A customer in a list of staff's.
#[derive(Clone)]
pub struct Who {
    /// Name, or the account number where none is known.
    pub name: String,
    /// Account number.
    pub number: String,
    /// The page about the customer.
    pub href: String,
}

/// What staff are told of a customer in a list.
pub fn who(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    shop: &Shop,
    customer: &Customer,
) -> std::result::Result<Who, Problem> {
    let number = customer.number.to_string();
    let person = customer_person(tx, vault, actor, customer)?;
    let name = person.map(|p| p.name).filter(|name| !name.is_empty());
    Ok(Who {
        name: name.unwrap_or_else(|| number.clone()),
        href: shop.at(&format!("/staff/customers/{}", customer.customer_id)),
        number,
    })
}

/// The word and the class of an account's state.
pub fn state_words(state: AccountState) -> (&'static str, &'static str) {
    match state {
        AccountState::Active => ("Active", "status good"),
        AccountState::Inactive => ("Not active yet", "status waits"),
        AccountState::Closed => ("Closed", "status stopped"),
    }
}

/// What the rules refused, to be said on the page where it was asked for; anything else remains
/// a problem.
pub fn said(problem: Problem) -> std::result::Result<(StatusCode, Notice), Problem> {
    let status = problem.status;
    let expected = matches!(
        status,
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
    );
    if !expected {
        return Err(problem);
    }
    let notice = match problem.code {
        "idempotency_key_reused" => Notice::new(
            Tone::Warn,
            "This form was sent before, with something else in it.",
            "That was done then; nothing was done now. Look at what stands here before you go on.",
        ),
        _ => Notice::new(Tone::Bad, "This was not done.", problem.sentence()),
    };
    Ok((status, notice))
}

//! The account that pays: chosen before goods are, from those that one person has (TOK-15).

mod linked;

use super::frame::{link, see};
use super::session::{Guest, Holder, Member, is_inside};
use super::view::format::tokens;
use crate::error::{Failed, Problem, Result};
use crate::http::body::Form;
use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::customer::{
    Customer, State as Standing, customer_by_id, customer_person, linked_accounts,
};
use scrip_domain::id::CustomerId;
use scrip_domain::order::{available, order_list_carry};
use scrip_domain::session::session_pay_from;
use scrip_domain::vault::Vault;
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, ReadTx};
use scrip_ledger::lots_available;
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route("/shops/{slug}/pay-from", post(choose))
        .route(
            "/shops/{slug}/account/linked",
            get(linked::form).post(linked::act),
        )
}

/// An account that a person can pay from.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account.
    pub customer: Customer,
    /// The name, or the account number where none is known.
    pub name: String,
    /// AT.
    pub available: Amount,
}

/// An account as pages show it.
pub fn account(
    tx: &mut ReadTx<'_>,
    vault: &Vault,
    customer: Customer,
) -> std::result::Result<Account, Problem> {
    let actor = Actor::Customer(customer.customer_id);
    let person = customer_person(tx, vault, actor, &customer)?;
    let lots = lots_available(tx, customer.book_id, customer.wallet)?;
    Ok(Account {
        name: person
            .map(|p| p.name)
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| customer.number.to_string()),
        available: available(&lots, tx.now())?,
        customer,
    })
}

/// The accounts that a person can pay from, the own one first; none where there is no choice.
pub fn accounts(
    tx: &mut ReadTx<'_>,
    vault: &Vault,
    own: &Customer,
) -> std::result::Result<Vec<Account>, Problem> {
    let linked = linked_accounts(tx, own)?;
    if linked.is_empty() {
        return Ok(Vec::new());
    }
    let all = std::iter::once(own.clone()).chain(linked);
    all.map(|customer| account(tx, vault, customer)).collect()
}

/// The choice at the head of a page.
#[derive(Clone, Debug)]
pub struct Payer {
    /// Where it is posted to.
    pub action: String,
    /// The page to come back to.
    pub next: String,
    /// The accounts: id, what is said of it, and whether it pays.
    pub accounts: Vec<(String, String, bool)>,
    /// The one that pays.
    pub paying: String,
    /// The page that sells tokens to the one that pays.
    pub buy: String,
}

/// The choice for a page at `path`; none for those who have one account.
pub fn payer(guest: &Guest, path: &str) -> Option<Payer> {
    let me = guest.me.as_ref().filter(|me| !me.accounts.is_empty())?;
    let shop = &guest.shop;
    let next = shop.at(path);
    let paying = me.customer.customer_id;
    let said = |one: &Account| {
        let number = one.customer.number.to_string();
        let name = match one.name == number {
            true => number,
            false => format!("{}, {number}", one.name),
        };
        match one.customer.state {
            Standing::Active => format!("{name}: {}", tokens(one.available)),
            Standing::Inactive | Standing::Closed => format!("{name}: not active yet"),
        }
    };
    let one = |one: &Account| {
        let id = one.customer.customer_id;
        (id.to_string(), said(one), id == paying)
    };
    Some(Payer {
        action: shop.at("/pay-from"),
        accounts: me.accounts.iter().map(one).collect(),
        paying: paying.to_string(),
        buy: link(&shop.at("/buy"), &[("return", &next)]),
        next,
    })
}

/// Refuses a form that was drawn while another account was to pay: it must debit the one that it
/// named. Pages of those who have one account need not name it.
pub fn check_payer(member: &Member, shown: &str) -> Result<()> {
    let me = &member.me;
    let is_only = shown.is_empty() && me.accounts.is_empty();
    if is_only || shown == me.customer.customer_id.to_string() {
        return Ok(());
    }
    Err(Problem::new(
        axum::http::StatusCode::CONFLICT,
        "payer_changed",
        "another account was chosen to pay since this page was shown, and nothing was taken: open \
         the page anew and look which account it names",
    ))
}

/// The account that is to pay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    account: CustomerId,
    #[serde(default)]
    next: String,
}

/// `POST /shops/{slug}/pay-from`: AT, the gates and the order list are the chosen account's from
/// now on; what is on the list goes along.
async fn choose(
    State(app): State<App>,
    member: Member,
    Form(chosen): Form<Chosen>,
) -> Result<Response> {
    let (shop, me) = (&member.shop, &member.me);
    let (book, token) = (shop.vendor.book_id, me.token.clone());
    let (own, before, account) = (me.own, me.customer.customer_id, chosen.account);
    app.write(move |tx| {
        let customer = customer_by_id(tx, book, own)?;
        let other = Some(account).filter(|id| *id != own);
        session_pay_from(tx, &customer, &token, other)?;
        order_list_carry(tx, book, before, account)?;
        Ok::<_, Failed>(())
    })
    .await?;
    match is_inside(&chosen.next, &shop.vendor.slug) {
        true => see(&chosen.next),
        false => see(&shop.at("/shop")),
    }
}

//! A shop's customers: all of them part by part, or those whom a text names.

use super::super::frame::{link, page, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::tokens;
use super::super::view::{Action, Field, Pager, Shell, Shown, When};
use super::{Who, state_words, who};
use crate::error::{Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::customer::{
    Channel, Customer, CustomerSummary, customer_balance, customer_by_id, customer_summary,
    customers as customers_of_book,
};
use scrip_domain::statement::customers_find;
use scrip_domain::vault::Vault;
use scrip_domain::vendor::Permission;
use scrip_engine::{Read, ReadTx};
use serde::Deserialize;

const AT_ONCE: usize = 20;

#[derive(Template)]
#[template(path = "staff/customers.html")]
struct CustomersPage {
    shell: Shell,
    find: String,
    q: Field,
    looked_for: String,
    rows: Vec<Row>,
    pager: Option<Pager>,
    all: String,
    register: Option<String>,
}

/// A customer on the list.
struct Row {
    who: Who,
    state: &'static str,
    class: &'static str,
    tokens: Shown,
    since: When,
    channel: &'static str,
}

/// Which part of the list; or whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    after: Option<i64>,
    q: Option<String>,
}

/// `GET /shops/{slug}/staff/customers`.
pub async fn customers(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let q = part.q.unwrap_or_default().trim().to_owned();
    let (typed, after) = (q.clone(), part.after);
    let (rows, next) = app
        .read(move |tx| {
            if !typed.is_empty() {
                return Ok::<_, Problem>((found(tx, &vault, &of, &typed)?, None));
            }
            let book = of.shop.vendor.book_id;
            let page = customers_of_book(tx, book, after, AT_ONCE)?;
            let mut rows = Vec::with_capacity(page.items.len());
            for summary in &page.items {
                let customer = customer_by_id(tx, book, summary.customer_id)?;
                rows.push(row(tx, &vault, &of, &customer, summary)?);
            }
            Ok((rows, page.next))
        })
        .await?;
    let path = member.shop.at("/staff/customers");
    let is_whole = after.is_none() && next.is_none();
    let pager = (q.is_empty() && !is_whole).then(|| Pager {
        text: "In the order of account numbers".to_owned(),
        previous: after.map(|_| Action {
            label: "The first".to_owned(),
            href: path.clone(),
        }),
        next: next.map(|serial| Action {
            label: "The next".to_owned(),
            href: link(&path, &[("after", &serial.to_string())]),
        }),
    });
    page(&CustomersPage {
        shell: staff_shell(&member, "Customers", "/staff/customers"),
        find: path.clone(),
        q: Field::text("q", "Find a customer")
            .kind("search")
            .value(&*q),
        looked_for: q,
        rows,
        pager,
        all: path.clone(),
        register: member
            .staff
            .role
            .may(Permission::Customers)
            .then(|| format!("{path}/new")),
    })
}

/// The customers whom a text names: by account number, sign-in name, reference, or an order.
fn found(
    tx: &mut ReadTx<'_>,
    vault: &Vault,
    member: &StaffMember,
    typed: &str,
) -> std::result::Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    for customer in customers_find(tx, vault, &member.shop.vendor, typed)? {
        let summary = customer_summary(tx, &customer)?;
        rows.push(row(tx, vault, member, &customer, &summary)?);
    }
    Ok(rows)
}

fn row(
    tx: &mut ReadTx<'_>,
    vault: &Vault,
    member: &StaffMember,
    customer: &Customer,
    summary: &CustomerSummary,
) -> std::result::Result<Row, Problem> {
    let (state, class) = state_words(customer.state);
    Ok(Row {
        who: who(tx, vault, member.actor(), &member.shop, customer)?,
        state,
        class,
        tokens: tokens(customer_balance(tx, customer)?),
        since: When::day_near(summary.created_at, tx.now()),
        channel: channel_words(summary.channel),
    })
}

/// How a customer came to be registered.
pub fn channel_words(channel: Channel) -> &'static str {
    match channel {
        Channel::Online => "on line",
        Channel::Staff => "by staff",
        Channel::Phone => "by telephone",
        Channel::Fax => "by fax",
        Channel::Mail => "by letter",
        Channel::Email => "by e-mail",
    }
}

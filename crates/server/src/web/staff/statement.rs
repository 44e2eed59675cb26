//! A customer's statement of a period, as staff see it (MIC-05).

use super::super::account::moves::Area;
use super::super::account::statement::{About, Days, Made, file, made, show};
use super::super::frame::staff_shell;
use super::super::session::StaffMember;
use super::{Who, who};
use crate::error::{Problem, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::CustomerId;
use serde::Deserialize;

/// The address.
#[derive(Deserialize)]
pub struct At {
    id: CustomerId,
}

async fn of(app: &App, member: &StaffMember, id: CustomerId, days: Days) -> Result<(Who, Made)> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    app.read(move |tx| {
        let (shop, actor) = (&of.shop, of.actor());
        let customer = customer_by_id(tx, shop.vendor.book_id, id)?;
        let whose = who(tx, &vault, actor, shop, &customer)?;
        let made = made(tx, actor, shop, &customer, &days, Area::Staff)?;
        Ok::<_, Problem>((whose, made))
    })
    .await
}

/// `GET /shops/{slug}/staff/customers/{id}/statement`.
pub async fn statement_page(
    State(app): State<App>,
    member: StaffMember,
    Path(At { id }): Path<At>,
    Query(days): Query<Days>,
) -> Result<Response> {
    let (whose, made) = of(&app, &member, id, days).await?;
    let about = About {
        shell: staff_shell(&member, "Statement", "/staff/customers"),
        here: format!("{}/statement", whose.href),
        account: whose.href,
        name: whose.name,
        number: whose.number,
    };
    show(&member.shop, about, made)
}

/// `GET /shops/{slug}/staff/customers/{id}/statement.csv`.
pub async fn statement_file(
    State(app): State<App>,
    member: StaffMember,
    Path(At { id }): Path<At>,
    Query(days): Query<Days>,
) -> Result<Response> {
    let (whose, made) = of(&app, &member, id, days).await?;
    file(&member.shop, &whose.number, &made)
}

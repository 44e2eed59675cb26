//! What is to be sent: the queue, the packing slip, moving parcels on (SHP-13).

use super::super::frame::{link, page, page_with, see, staff_shell};
use super::super::order::parcel::{ParcelView, opened, state_words};
use super::super::session::StaffMember;
use super::super::view::{Action, Choice, Field, Pager, Shell, When, format};
use super::order::{At, order_page};
use super::{May, Who, at, permission, said, who};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::OrderId;
use scrip_domain::order::shipment::{
    ShipmentMove, ShipmentState, Tracking, shipment_move, shipment_of, shipments, ways,
};
use scrip_domain::order::{OrderDetail, OrderDetailLine, OrderError, order_by_id};
use serde::Deserialize;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/shipping"), get(queue))
        .route(&at("/orders/{id}/packing-slip"), get(slip))
        .route(&at("/orders/{id}/shipment"), post(move_on))
}

const AT_ONCE: usize = 25;

/// A parcel on the page of its order, with the ways that it can go.
pub struct Parcel {
    /// The parcel.
    pub view: ParcelView,
    /// True when it can be given to a carrier.
    pub may_ship: bool,
    /// What the carrier says.
    pub fields: Vec<Field>,
    /// Other states that can follow.
    pub ways: Vec<Choice>,
    /// Where it is moved on.
    pub action: String,
    /// The packing slip.
    pub slip: String,
}

impl Parcel {
    /// The parcel of the order whose page is `here`.
    pub fn new(view: ParcelView, here: &str) -> Parcel {
        let state = view.shipment.state;
        let words = |to: ShipmentState| match to {
            ShipmentState::Delivered => ("It arrived", ""),
            ShipmentState::Returned => ("It came back", "Tokens are given back apart from this."),
            ShipmentState::Cancelled => {
                ("It is not sent", "Tokens are given back apart from this.")
            }
            ShipmentState::ToPack | ShipmentState::Shipped => ("", ""),
        };
        let others = ways(state)
            .iter()
            .filter(|to| **to != ShipmentState::Shipped);
        let others = others.map(|to| {
            let (label, note) = words(*to);
            Choice::new("to", to.name(), label, false).note(note)
        });
        Parcel {
            may_ship: ways(state).contains(&ShipmentState::Shipped) && !view.address.is_empty(),
            fields: vec![
                Field::text("carrier", "Carrier").max(60).class("is-mid"),
                Field::text("number", "Tracking number").max(100).optional(),
            ],
            ways: others.collect(),
            action: format!("{here}/shipment"),
            slip: format!("{here}/packing-slip"),
            view,
        }
    }

    /// What was typed stays.
    fn typed(&mut self, carrier: &str, number: &str) {
        for (field, value) in self.fields.iter_mut().zip([carrier, number]) {
            value.clone_into(&mut field.value);
        }
    }
}

/// A parcel in the queue.
struct Waiting {
    who: Who,
    what: String,
    since: When,
    city: String,
    href: String,
    slip: String,
}

#[derive(Template)]
#[template(path = "staff/shipping.html")]
struct QueuePage {
    shell: Shell,
    title: &'static str,
    tags: Vec<(String, String, bool)>,
    is_queue: bool,
    parcels: Vec<Waiting>,
    pager: Option<Pager>,
}

/// Which part of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    state: Option<ShipmentState>,
    after: Option<String>,
}

/// What is in a parcel, and how many pieces, less what was given back.
fn contents<'a>(order: &'a OrderDetail, lines: &[i64]) -> Vec<(&'a OrderDetailLine, i64)> {
    let inside = order.lines.iter().filter(|l| lines.contains(&l.line_no));
    let left = |line: &OrderDetailLine| match line.refunded_quantity {
        0 => line.granted,
        back => line.quantity.saturating_sub(back),
    };
    inside
        .map(|line| (line, left(line)))
        .filter(|(_, pieces)| *pieces > 0)
        .collect()
}

/// The last two lines of an address: city and country.
fn city(address: &[String]) -> String {
    match address.split_first() {
        Some((_, rest)) => rest[rest.len().saturating_sub(2)..].join(", "),
        None => "address erased".to_owned(),
    }
}

/// `GET /shops/{slug}/staff/shipping`: what waits, oldest first; other states newest first.
async fn queue(
    State(app): State<App>,
    member: StaffMember,
    Query(part): Query<Part>,
) -> Result<Response> {
    let state = part.state.unwrap_or(ShipmentState::ToPack);
    let after: Option<OrderId> = match &part.after {
        Some(after) => Some(after.parse().map_err(|_| Problem::not_found("parcel"))?),
        None => None,
    };
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (parcels, next) = app
        .read(move |tx| {
            let book = of.shop.vendor.book_id;
            let found = shipments(tx, book, state, after, AT_ONCE)?;
            let mut parcels = Vec::with_capacity(found.items.len());
            for shipment in found.items {
                let customer = customer_by_id(tx, book, shipment.customer_id)?;
                let order = order_by_id(tx, of.actor(), book, shipment.order_id)?;
                let inside = contents(&order, &shipment.lines);
                let href = of.shop.at(&format!("/staff/orders/{}", shipment.order_id));
                let view = opened(tx, &vault, book, shipment)?;
                let words = inside
                    .iter()
                    .map(|(line, n)| format!("{} × {}", format::count(*n), line.title));
                let what = words.collect::<Vec<_>>().join(", ");
                parcels.push(Waiting {
                    who: who(tx, &vault, of.actor(), &of.shop, &customer)?,
                    what,
                    since: When::minute(view.shipment.changed_at),
                    city: city(&view.address),
                    slip: format!("{href}/packing-slip"),
                    href,
                });
            }
            Ok::<_, Problem>((parcels, found.next))
        })
        .await?;
    let path = member.shop.at("/staff/shipping");
    let of_state = |state: ShipmentState| link(&path, &[("state", state.name())]);
    let is_whole = after.is_none() && next.is_none();
    let pager = (!is_whole).then(|| Pager {
        text: match state {
            ShipmentState::ToPack => "Oldest first".to_owned(),
            _ => "Newest first".to_owned(),
        },
        previous: after.map(|_| Action {
            label: "The first".to_owned(),
            href: of_state(state),
        }),
        next: next.map(|id| Action {
            label: "More parcels".to_owned(),
            href: link(
                &path,
                &[("state", state.name()), ("after", &id.to_string())],
            ),
        }),
    });
    let tag = |one: &ShipmentState| {
        let (words, _) = state_words(*one);
        (words.to_owned(), of_state(*one), *one == state)
    };
    page(&QueuePage {
        shell: staff_shell(&member, "Shipping", "/staff/shipping"),
        title: state_words(state).0,
        tags: ShipmentState::ALL.iter().map(tag).collect(),
        is_queue: state == ShipmentState::ToPack,
        parcels,
        pager,
    })
}

#[derive(Template)]
#[template(path = "staff/packing_slip.html")]
struct SlipPage {
    shell: Shell,
    shop_name: String,
    order: String,
    reference: String,
    at: When,
    address: Vec<String>,
    lines: Vec<SlipLine>,
    back: String,
}

/// What is to be put in.
struct SlipLine {
    what: String,
    sku: String,
    pieces: String,
}

/// `GET /shops/{slug}/staff/orders/{id}/packing-slip`: to be printed and put in. It says no prices.
async fn slip(State(app): State<App>, member: StaffMember, Path(at): Path<At>) -> Result<Response> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let (order, parcel) = app
        .read(move |tx| {
            let (book, actor) = (of.shop.vendor.book_id, of.actor());
            let order = order_by_id(tx, actor, book, at.id)?;
            let found = shipment_of(tx, actor, book, at.id)?;
            let found = found.ok_or(OrderError::NotShipped(at.id))?;
            let parcel = opened(tx, &vault, book, found)?;
            Ok::<_, OrderError>((order, parcel))
        })
        .await?;
    let inside = contents(&order, &parcel.shipment.lines).into_iter();
    let lines = inside.map(|(line, pieces)| SlipLine {
        what: line.title.clone(),
        sku: line.sku.clone(),
        pieces: format::count(pieces),
    });
    let here = format!("/staff/orders/{}", at.id);
    page(&SlipPage {
        shell: staff_shell(&member, "Packing slip", &here),
        shop_name: member.shop.vendor.name.clone(),
        order: at.id.to_string(),
        reference: order.reference.clone(),
        at: When::day(order.effective_at),
        address: parcel.address,
        lines: lines.collect(),
        back: member.shop.at(&here),
    })
}

/// How a parcel moves on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moved {
    from: ShipmentState,
    to: ShipmentState,
    #[serde(default)]
    carrier: String,
    #[serde(default)]
    number: String,
}

/// `POST /shops/{slug}/staff/orders/{id}/shipment`. Of two who move it at once, the second is told.
async fn move_on(
    State(app): State<App>,
    May(member, _): May<permission::Orders>,
    Path(at): Path<At>,
    Form(form): Form<Moved>,
) -> Result<Response> {
    let step = match form.to {
        ShipmentState::Shipped => ShipmentMove::Ship {
            tracking: Tracking {
                carrier: form.carrier.clone(),
                number: form.number.clone(),
            },
            shipped_at: None,
        },
        ShipmentState::Delivered => ShipmentMove::Deliver,
        ShipmentState::Returned => ShipmentMove::Return,
        ShipmentState::Cancelled => ShipmentMove::Cancel,
        ShipmentState::ToPack => {
            let text = "a parcel does not go back to be packed";
            return Err(Problem::invalid("shipment_invalid", text));
        }
    };
    let (vendor, actor, vault) = (
        member.shop.vendor.clone(),
        member.actor(),
        app.node.vault.clone(),
    );
    let from = form.from;
    let done = app
        .write(move |tx| {
            shipment_move(tx, &vault, actor, &vendor, (at.id, from), &step)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(()) => {
            let path = member.shop.at(&format!("/staff/orders/{}", at.id));
            see(&link(&path, &[("done", "moved")]))
        }
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let mut page_of = order_page(&app, &member, at.id, "").await?;
            if let Some(parcel) = &mut page_of.parcel {
                parcel.typed(&form.carrier, &form.number);
            }
            page_of.shell.notice = Some(notice);
            page_with(status, &page_of)
        }
    }
}

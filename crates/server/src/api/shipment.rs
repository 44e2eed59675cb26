//! Parcels: where an order is sent to, how far it is, what the carrier calls it (SHP-13).

use super::auth::{CustomersRead, May, OrdersRead, OrdersWrite};
use super::field::words;
use super::field::{
    self, Line100, Line200, Moment, OptionalLine60, OptionalLine200, Paragraph1000,
};
use super::order_history::OrderPath;
use super::shape::{Page, ProblemBody, cursor, limit};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::Address;
use scrip_domain::order::OrderError;
use scrip_domain::order::shipment::{
    Shipment, ShipmentMove, ShipmentOpened, ShipmentState, Tracking, shipment_move, shipment_of,
    shipment_opened, shipments,
};
use scrip_domain::vendor::vendor_by_book;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, set))
}

words! {
    ShipmentStateWord: ShipmentState, ShipmentState::ALL.iter().map(|s| s.name()).collect::<Vec<_>>();
}

/// A delivery address.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Ana Bee", "lines": "1 High Street", "postal_code": "AB1 2CD", "city": "Town",
    "country": "Ireland",
}))]
pub struct AddressBody {
    /// Who gets it.
    name: Line200,
    /// Street and number, and what else stands between name and city; four lines at most.
    lines: Paragraph1000,
    /// Postal code; empty where there is none.
    #[serde(default)]
    postal_code: OptionalLine60,
    /// City.
    city: Line100,
    /// Country, in words.
    country: Line100,
}

impl AddressBody {
    /// The address, still to be checked.
    pub fn address(&self) -> Address {
        Address {
            name: self.name.0.clone(),
            lines: self.lines.0.clone(),
            postal_code: self.postal_code.0.clone(),
            city: self.city.0.clone(),
            country: self.country.0.clone(),
        }
    }
}

impl From<Address> for AddressBody {
    fn from(address: Address) -> AddressBody {
        AddressBody {
            name: field::Text(address.name),
            lines: field::Text(address.lines),
            postal_code: field::Text(address.postal_code),
            city: field::Text(address.city),
            country: field::Text(address.country),
        }
    }
}

/// A parcel without what it says about the customer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ShipmentItem {
    /// The order.
    order_id: field::Order,
    /// Who bought.
    customer_id: field::Customer,
    /// How far it is.
    state: ShipmentStateWord,
    /// The lines of the order that are in it, from 1.
    lines: Vec<i64>,
    /// When the carrier got it.
    shipped_at: Option<Moment>,
    /// When it came to its state.
    changed_at: Moment,
}

impl From<Shipment> for ShipmentItem {
    fn from(shipment: Shipment) -> ShipmentItem {
        ShipmentItem {
            order_id: field::Id(shipment.order_id),
            customer_id: field::Id(shipment.customer_id),
            state: field::Named(shipment.state),
            lines: shipment.lines,
            shipped_at: shipment.shipped_at.map(Moment),
            changed_at: Moment(shipment.changed_at),
        }
    }
}

/// A parcel.
#[derive(Debug, Serialize, ToSchema)]
struct ShipmentAnswer {
    #[serde(flatten)]
    shipment: ShipmentItem,
    /// Where it is sent to; null once the person was erased.
    address: Option<AddressBody>,
    /// Who carries it; null before it was sent.
    carrier: Option<String>,
    /// What the carrier calls it; null before it was sent.
    tracking_number: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ShipmentsQuery {
    /// The state that the parcels are in: `to_pack` unless given.
    #[param(inline)]
    #[serde(default, deserialize_with = "super::field::given")]
    state: Option<ShipmentStateWord>,
    /// The cursor of the page before.
    #[serde(default, deserialize_with = "super::field::given")]
    after: Option<String>,
    /// Parcels at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "super::field::given")]
    limit: Option<i64>,
}

/// List parcels
///
/// Those that wait to be packed come oldest first, others newest first.
#[utoipa::path(
    get, path = "/v1/shipments", tag = "orders", operation_id = "shipments",
    security(("key" = ["orders:read"])),
    params(ShipmentsQuery),
    responses(
        (status = 200, description = "A page of parcels", body = Page<ShipmentItem>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<OrdersRead>,
    State(app): State<App>,
    Query(query): Query<ShipmentsQuery>,
) -> Result<axum::Json<Page<ShipmentItem>>> {
    let (limit, after) = (limit(query.limit)?, cursor(query.after.as_deref())?);
    let state = query.state.map_or(ShipmentState::ToPack, |state| state.0);
    let book = caller.book();
    let page = app
        .read(move |tx| shipments(tx, book, state, after, limit))
        .await?;
    Ok(axum::Json(Page::new(page, ShipmentItem::from)))
}

/// See a parcel
///
/// Where an order is sent to and how far it is. An order of which nothing is sent has none.
#[utoipa::path(
    get, path = "/v1/orders/{id}/shipment", tag = "orders", operation_id = "shipment",
    security(("key" = ["customers:read"])),
    params(OrderPath),
    responses(
        (status = 200, description = "The parcel", body = ShipmentAnswer),
        (status = 404, description = "No such order of this vendor, or nothing of it is sent", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn show(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(OrderPath { id }): Path<OrderPath>,
) -> Result<axum::Json<ShipmentAnswer>> {
    let (book, actor, vault) = (caller.book(), caller.actor(), app.node.vault.clone());
    let (shipment, opened) = app
        .read(move |tx| {
            let found = shipment_of(tx, actor, book, id.0)?;
            let found = found.ok_or(OrderError::NotShipped(id.0))?;
            let opened = shipment_opened(tx, &vault, book, &found)?;
            Ok::<_, OrderError>((found, opened))
        })
        .await?;
    let ShipmentOpened { address, tracking } = opened;
    let (carrier, number) = tracking.map(|t| (t.carrier, t.number)).unzip();
    Ok(axum::Json(ShipmentAnswer {
        shipment: shipment.into(),
        address: address.map(AddressBody::from),
        carrier,
        tracking_number: number,
    }))
}

/// How a parcel moves on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "to_pack", "state": "shipped", "carrier": "Post"}))]
struct ShipmentBody {
    /// The state that you saw: when it is another one now, nothing is changed.
    from: ShipmentStateWord,
    /// The state that it comes to: `shipped`, `delivered`, `returned` or `cancelled`.
    state: ShipmentStateWord,
    /// Who carries it; needed for `shipped`.
    carrier: Option<OptionalLine60>,
    /// What the carrier calls it; for `shipped`.
    tracking_number: Option<OptionalLine200>,
    /// When the carrier got it, if that was earlier than now.
    shipped_at: Option<Moment>,
}

impl ShipmentBody {
    fn step(&self) -> Result<ShipmentMove> {
        let step = match self.state.0 {
            ShipmentState::Shipped => {
                return Ok(ShipmentMove::Ship {
                    tracking: Tracking {
                        carrier: self.carrier.clone().unwrap_or_default().0,
                        number: self.tracking_number.clone().unwrap_or_default().0,
                    },
                    shipped_at: self.shipped_at.map(|at| at.0.0),
                });
            }
            ShipmentState::Delivered => ShipmentMove::Deliver,
            ShipmentState::Returned => ShipmentMove::Return,
            ShipmentState::Cancelled => ShipmentMove::Cancel,
            ShipmentState::ToPack => {
                let text = "a parcel does not go back to to_pack";
                return Err(Problem::invalid("shipment_invalid", text));
            }
        };
        let is_more = self.carrier.is_some() || self.tracking_number.is_some();
        if is_more || self.shipped_at.is_some() {
            let text = "carrier, tracking_number and shipped_at belong to the state shipped";
            return Err(Problem::invalid("shipment_invalid", text));
        }
        Ok(step)
    }
}

/// Move a parcel on
///
/// To be packed, then shipped, then delivered or returned; what waits can be cancelled. The
/// customer gets a mail when it is shipped.
#[utoipa::path(
    put, path = "/v1/orders/{id}/shipment", tag = "orders", operation_id = "shipment_move",
    security(("key" = ["orders:write"])),
    params(OrderPath, Repeatable),
    request_body = ShipmentBody,
    responses(
        (status = 200, description = "It is in the new state", body = ShipmentItem),
        (status = 404, description = "No such order of this vendor, or nothing of it is sent", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is in another state by now, or this state cannot follow", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set(
    May(caller, ..): May<OrdersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(OrderPath { id }): Path<OrderPath>,
    Json(body): Json<ShipmentBody>,
) -> Result<Response> {
    let (book, actor, vault) = (caller.book(), caller.actor(), app.node.vault.clone());
    let step = body.step()?;
    let from = body.from.0;
    let found = app
        .read(move |tx| shipment_of(tx, actor, book, id.0))
        .await?;
    let subject = found.map(|shipment| shipment.customer_id);
    // Hashed under the master key: the carrier's number leads to an address.
    let asked = serde_json::to_vec(&body).map_err(|e| Problem::internal(&e))?;
    let request = (id, app.node.vault.hash("move of a parcel", &[&asked]));
    let request = ("PUT /v1/orders/{id}/shipment", &request);
    let moved = submit(&app, &caller, key, request, subject, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let moved = shipment_move(tx, &vault, actor, &vendor, (id.0, from), &step)?;
        Ok::<_, Failed>(ShipmentItem::from(moved))
    })
    .await?;
    Ok(answer(StatusCode::OK, &moved.value, moved.replayed))
}

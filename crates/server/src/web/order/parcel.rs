//! A parcel in words, for its customer and for staff: where to, how far, under which number.

use crate::web::view::When;
use scrip_domain::Actor;
use scrip_domain::id::OrderId;
use scrip_domain::order::OrderError;
use scrip_domain::order::shipment::{Shipment, ShipmentState, shipment_of, shipment_opened};
use scrip_domain::vault::Vault;
use scrip_engine::Read;

/// A parcel.
pub struct ParcelView {
    /// As it is kept.
    pub shipment: Shipment,
    /// `To be packed`
    pub state: &'static str,
    /// The class of the state.
    pub class: &'static str,
    /// When it came to its state.
    pub at: When,
    /// When the carrier got it.
    pub shipped: Option<When>,
    /// Who carries it; empty before it was sent, and once it was erased.
    pub carrier: String,
    /// What the carrier calls it; may be empty.
    pub number: String,
    /// Where to, a line each; empty once it was erased.
    pub address: Vec<String>,
}

/// The word and the class of a state.
pub fn state_words(state: ShipmentState) -> (&'static str, &'static str) {
    match state {
        ShipmentState::ToPack => ("To be packed", "status waits"),
        ShipmentState::Shipped => ("Shipped", "status good"),
        ShipmentState::Delivered => ("Delivered", "status good"),
        ShipmentState::Returned => ("Returned", "status stopped"),
        ShipmentState::Cancelled => ("Not sent", "status stopped"),
    }
}

/// The parcel of an order, opened; `None` where nothing is sent.
pub fn parcel(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    book: i64,
    order: OrderId,
) -> Result<Option<ParcelView>, OrderError> {
    match shipment_of(tx, actor, book, order)? {
        Some(shipment) => Ok(Some(opened(tx, vault, book, shipment)?)),
        None => Ok(None),
    }
}

/// A parcel with what it says to those who may read it.
pub fn opened(
    tx: &mut dyn Read,
    vault: &Vault,
    book: i64,
    shipment: Shipment,
) -> Result<ParcelView, OrderError> {
    let found = shipment_opened(tx, vault, book, &shipment)?;
    let (state, class) = state_words(shipment.state);
    let tracking = found.tracking.unwrap_or_default();
    Ok(ParcelView {
        state,
        class,
        at: When::minute(shipment.changed_at),
        shipped: shipment.shipped_at.map(When::day),
        carrier: tracking.carrier,
        number: tracking.number,
        address: found.address.map_or(Vec::new(), |to| to.written()),
        shipment,
    })
}

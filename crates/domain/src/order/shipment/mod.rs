//! Orders that are sent to an address: where to, how far they are, what the carrier calls them
//! (SHP-12, SHP-13, REG-13).
//!
//! The order itself knows no address. It lies here under the customer's key, like the carrier's
//! number, which leads to it; an erasure empties both.

mod rules;
mod store;

use super::history::order_by_id;
use super::{OrderError, Purchase, Result};
use crate::actor::Actor;
use crate::audit;
use crate::catalog::Offer;
use crate::customer::{
    Address, Customer, SealedAddress, address_open, address_seal, customer_by_id, customer_person,
    open_text, seal_text,
};
use crate::id::{CustomerId, OrderId};
use crate::page::Page;
use crate::text::{self, named};
use crate::vault::Vault;
use crate::vendor::Vendor;
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx, outbox};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;

named! {
    /// How far a parcel is.
    ShipmentState, "the state of the shipment" {
        /// It waits to be packed.
        ToPack = "to_pack",
        /// The carrier has it.
        Shipped = "shipped",
        /// It arrived.
        Delivered = "delivered",
        /// It came back.
        Returned = "returned",
        /// It is not sent: the order was given back, or nobody knows any more where to.
        Cancelled = "cancelled",
    }
}

/// What the carrier says.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Who carries it.
    pub carrier: String,
    /// What the carrier calls it; may be empty.
    pub number: String,
}

/// The number leads to an address, so it is not printed.
impl fmt::Debug for Tracking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tracking(…)")
    }
}

/// A parcel, closed: nothing of it says who gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// How far it is.
    pub state: ShipmentState,
    /// The lines of the order that are in it.
    pub lines: Vec<i64>,
    /// When the order was placed.
    pub opened_at: Timestamp,
    /// When the carrier got it.
    pub shipped_at: Option<Timestamp>,
    /// When it came to its state.
    pub changed_at: Timestamp,
    /// Who said so.
    pub changed_by: String,
    sealed_address: SealedAddress,
    sealed_tracking: Vec<u8>,
}

/// What a parcel says to those who may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipmentOpened {
    /// Where to; nothing once the person was erased.
    pub address: Option<Address>,
    /// What the carrier says, when it has the parcel.
    pub tracking: Option<Tracking>,
}

/// A change of a parcel's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum ShipmentMove {
    /// The carrier gets it.
    Ship {
        /// What the carrier says; the carrier's name is needed.
        tracking: Tracking,
        /// When; `None` for now. Microseconds.
        shipped_at: Option<i64>,
    },
    /// It arrived.
    Deliver,
    /// It came back.
    Return,
    /// It is not sent.
    Cancel,
}

impl ShipmentMove {
    /// The state after it.
    pub fn to(&self) -> ShipmentState {
        match self {
            ShipmentMove::Ship { .. } => ShipmentState::Shipped,
            ShipmentMove::Deliver => ShipmentState::Delivered,
            ShipmentMove::Return => ShipmentState::Returned,
            ShipmentMove::Cancel => ShipmentState::Cancelled,
        }
    }
}

pub use rules::ways;

fn tracking_label(order: OrderId) -> String {
    format!("tracking {order}")
}

/// Seals the address that a customer gave, to go with an order.
pub fn order_address(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book_id: i64,
    customer: CustomerId,
    address: &Address,
) -> Result<SealedAddress> {
    let customer = customer_by_id(tx, book_id, customer)?;
    Ok(address_seal(tx, vault, &customer, address)?)
}

/// Refuses an order of things that are sent when it does not say where to.
pub(super) fn check_address(offers: &[Offer], address: Option<&SealedAddress>) -> Result<()> {
    match offers.iter().find(|offer| offer.shipped) {
        Some(offer) if address.is_none() => Err(OrderError::AddressMissing {
            title: offer.title.clone(),
        }),
        _ => Ok(()),
    }
}

/// Notes what of an order is to be sent, and where to. `offers` come in the order of its lines. An
/// address that nothing is sent to is not kept.
pub(super) fn open(tx: &mut Tx<'_>, purchase: &Purchase<'_>, offers: &[Offer]) -> Result<()> {
    let lines = offers.iter().zip(1_i64..);
    let lines: Vec<i64> = lines.filter(|(o, _)| o.shipped).map(|(_, no)| no).collect();
    let address = purchase.request.extras.address.as_ref();
    let Some(address) = address.filter(|_| !lines.is_empty()) else {
        return Ok(());
    };
    let now = tx.now();
    let new = Shipment {
        order_id: purchase.order_id,
        customer_id: purchase.request.customer_id,
        state: ShipmentState::ToPack,
        lines,
        opened_at: now,
        shipped_at: None,
        changed_at: now,
        changed_by: purchase.actor.to_string(),
        sealed_address: address.clone(),
        sealed_tracking: Vec::new(),
    };
    store::insert(tx, purchase.book_id, &new)
}

/// The parcel of an order, for its customer and the vendor's staff; `None` where nothing is sent.
pub fn shipment_of(
    tx: &mut dyn Read,
    actor: Actor,
    book_id: i64,
    order: OrderId,
) -> Result<Option<Shipment>> {
    let found = store::by_order(tx, book_id, order)?;
    Ok(found.filter(|shipment| actor.may_act_for(shipment.customer_id)))
}

/// Opens a parcel's address and tracking. The caller may see them: see [`shipment_of`].
pub fn shipment_opened(
    tx: &mut dyn Read,
    vault: &Vault,
    book_id: i64,
    shipment: &Shipment,
) -> Result<ShipmentOpened> {
    let customer = customer_by_id(tx, book_id, shipment.customer_id)?;
    let address = address_open(tx, vault, &customer, &shipment.sealed_address)?;
    let label = tracking_label(shipment.order_id);
    let tracking = match shipment.sealed_tracking.is_empty() {
        true => None,
        false => open_text(tx, vault, &customer, &label, &shipment.sealed_tracking)?,
    };
    let tracking = tracking
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| EngineError::Corrupt(format!("{label}: {e}")))?;
    Ok(ShipmentOpened { address, tracking })
}

/// What an address form begins with: where the last parcel went, or the personal data. Nothing for
/// those of whom nothing is known: their address is for one order only (REG-13).
pub fn address_suggested(
    tx: &mut dyn Read,
    vault: &Vault,
    actor: Actor,
    customer: &Customer,
) -> Result<Option<Address>> {
    let Some(person) = customer_person(tx, vault, actor, customer)? else {
        return Ok(None);
    };
    if let Some(last) = store::newest_of(tx, customer.book_id, customer.customer_id)?
        && let Some(address) = address_open(tx, vault, customer, &last)?
    {
        return Ok(Some(address));
    }
    Ok(Some(Address {
        name: person.name,
        lines: person.address,
        ..Address::default()
    }))
}

/// Parcels in a state: what waits oldest first, the rest newest first; `limit` of them, from
/// `after` on.
pub fn shipments(
    tx: &mut dyn Read,
    book_id: i64,
    state: ShipmentState,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Page<Shipment, OrderId>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::in_state(tx, book_id, state, after, further)?;
    Ok(Page::of(found, limit, |shipment| shipment.order_id))
}

/// How many parcels wait to be packed, counted up to `at_most`.
pub fn shipments_waiting(tx: &mut dyn Read, book_id: i64, at_most: i64) -> Result<i64> {
    store::count_waiting(tx, book_id, at_most)
}

/// Moves a parcel on, for the vendor's staff. `from` is the state that they saw: of two who move it
/// at once, the second one is told.
pub fn shipment_move(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    vendor: &Vendor,
    (order, from): (OrderId, ShipmentState),
    step: &ShipmentMove,
) -> Result<Shipment> {
    if !actor.for_vendor() {
        return Err(OrderError::StaffOnly);
    }
    let book = vendor.book_id;
    let held = store::locked(tx, book, order)?.ok_or(OrderError::NotShipped(order))?;
    if held.state != from {
        return Err(OrderError::ShipmentMoved { now: held.state });
    }
    let to = step.to();
    if !rules::may(from, to) {
        return Err(OrderError::ShipmentStep { from, to });
    }
    let now = tx.now();
    let mut moved = Shipment {
        state: to,
        changed_at: now,
        changed_by: actor.to_string(),
        ..held
    };
    if let ShipmentMove::Ship {
        tracking,
        shipped_at,
    } = step
    {
        let at = shipped_at.map_or(now, Timestamp);
        if at > now || at < moved.opened_at {
            return Err(OrderError::ShippedWhen);
        }
        moved.shipped_at = Some(at);
        moved.sealed_tracking = tracking_sealed(tx, vault, book, &moved, tracking)?;
    }
    save(tx, actor, vendor, &moved, from)?;
    Ok(moved)
}

fn tracking_sealed(
    tx: &mut Tx<'_>,
    vault: &Vault,
    book_id: i64,
    shipment: &Shipment,
    tracking: &Tracking,
) -> Result<Vec<u8>> {
    let checked = Tracking {
        carrier: text::line("the carrier", &tracking.carrier, 60)?,
        number: text::optional_line("the tracking number", &tracking.number, 100)?,
    };
    let plain = serde_json::to_string(&checked)
        .map_err(|e| EngineError::Statement(format!("tracking as JSON: {e}")))?;
    let customer = customer_by_id(tx, book_id, shipment.customer_id)?;
    let address = address_open(tx, vault, &customer, &shipment.sealed_address);
    if shipment.sealed_address.0.is_empty() || address?.is_none() {
        return Err(OrderError::AddressErased);
    }
    let label = tracking_label(shipment.order_id);
    Ok(seal_text(tx, vault, &customer, &label, &plain)?)
}

/// Writes a parcel that moved, and tells of it: ids and states only.
fn save(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    moved: &Shipment,
    from: ShipmentState,
) -> Result<()> {
    let book = vendor.book_id;
    store::update(tx, book, moved)?;
    let subject = moved.order_id.to_string();
    let topic = match moved.state {
        ShipmentState::ToPack => return Ok(()),
        ShipmentState::Shipped => "order.shipped",
        ShipmentState::Delivered => "order.delivered",
        ShipmentState::Returned => "order.returned",
        ShipmentState::Cancelled => "order.not_sent",
    };
    let details = json!({"customer_id": moved.customer_id, "state": moved.state});
    outbox::add(tx, book, topic, &subject, &details.to_string())?;
    let detail = json!({"from": from, "to": moved.state});
    audit::note(tx, book, actor, "order.shipment", &subject, &detail)?;
    Ok(())
}

/// An order of which everything was given back is not sent any more.
pub(super) fn given_back(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order: OrderId,
) -> Result<()> {
    let book = vendor.book_id;
    let Some(held) = store::locked(tx, book, order)? else {
        return Ok(());
    };
    if held.state != ShipmentState::ToPack {
        return Ok(());
    }
    let whole = order_by_id(tx, Actor::System, book, order)?;
    let left = whole
        .lines
        .iter()
        .any(|line| held.lines.contains(&line.line_no) && line.refunded_quantity < line.quantity);
    if left {
        return Ok(());
    }
    let moved = Shipment {
        state: ShipmentState::Cancelled,
        changed_at: tx.now(),
        changed_by: actor.to_string(),
        ..held
    };
    save(tx, actor, vendor, &moved, ShipmentState::ToPack)
}

/// Forgets where the parcels of a person went (REG-13). What waits cannot be sent any more.
pub fn addresses_forget(
    tx: &mut Tx<'_>,
    book_id: i64,
    customer: CustomerId,
) -> std::result::Result<(), EngineError> {
    store::forget(tx, book_id, customer)
}

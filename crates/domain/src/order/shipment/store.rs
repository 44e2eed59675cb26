//! The tables of parcels.

use super::{Shipment, ShipmentState};
use crate::customer::SealedAddress;
use crate::id::{CustomerId, OrderId};
use crate::order::Result;
use scrip_engine::{Error, Param, Read, Row, Store, Timestamp, Tx, params};

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, new: &Shipment) -> Result<()> {
    tx.put(
        "INSERT INTO shipment (book_id, order_id, customer_id, state, sealed_address,
                               sealed_tracking, opened_at, shipped_at, changed_at, changed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            book,
            &new.order_id,
            &new.customer_id,
            new.state.name(),
            &new.sealed_address.0,
            &new.sealed_tracking,
            new.opened_at.0,
            new.shipped_at.map(|at| at.0),
            new.changed_at.0,
            &new.changed_by
        ],
    )?;
    for line in &new.lines {
        tx.put(
            "INSERT INTO shipment_line (book_id, order_id, line_no) VALUES ($1, $2, $3)",
            params![book, &new.order_id, *line],
        )?;
    }
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, book: i64, moved: &Shipment) -> Result<()> {
    tx.put(
        "UPDATE shipment SET state = $3, sealed_tracking = $4, shipped_at = $5, changed_at = $6,
                             changed_by = $7
         WHERE book_id = $1 AND order_id = $2",
        params![
            book,
            &moved.order_id,
            moved.state.name(),
            &moved.sealed_tracking,
            moved.shipped_at.map(|at| at.0),
            moved.changed_at.0,
            &moved.changed_by
        ],
    )?;
    Ok(())
}

macro_rules! shipments {
    ($end:literal) => {
        concat!(
            "SELECT order_id, customer_id, state, sealed_address, sealed_tracking, opened_at,
                    shipped_at, changed_at, changed_by
             FROM shipment WHERE book_id = $1 AND ",
            $end
        )
    };
}

const BY_ORDER: &str = shipments!("order_id = $2");

/// Without its lines.
fn shipment(row: &Row) -> Result<Shipment> {
    let order_id = OrderId::from_row(row, 0)?;
    let state = ShipmentState::parse(row.text(2)?);
    Ok(Shipment {
        order_id,
        customer_id: CustomerId::from_row(row, 1)?,
        state: state.map_err(|e| Error::Corrupt(format!("shipment of {order_id}: {e}")))?,
        lines: Vec::new(),
        opened_at: Timestamp(row.int(5)?),
        shipped_at: row.opt_int(6)?.map(Timestamp),
        changed_at: Timestamp(row.int(7)?),
        changed_by: row.text(8)?.to_owned(),
        sealed_address: SealedAddress(row.blob(3)?.to_vec()),
        sealed_tracking: row.blob(4)?.to_vec(),
    })
}

fn with_lines(tx: &mut dyn Read, book: i64, mut shipment: Shipment) -> Result<Shipment> {
    let rows = tx.query(
        "SELECT line_no FROM shipment_line WHERE book_id = $1 AND order_id = $2 ORDER BY line_no",
        params![book, &shipment.order_id],
    )?;
    for row in &rows {
        shipment.lines.push(row.int(0)?);
    }
    Ok(shipment)
}

pub(super) fn by_order(tx: &mut dyn Read, book: i64, order: OrderId) -> Result<Option<Shipment>> {
    let row = tx.query_opt(BY_ORDER, params![book, &order])?;
    let found = row.as_ref().map(shipment).transpose()?;
    found.map(|found| with_lines(tx, book, found)).transpose()
}

pub(super) fn locked(tx: &mut Tx<'_>, book: i64, order: OrderId) -> Result<Option<Shipment>> {
    let rows = tx.query_locked(BY_ORDER, params![book, &order])?;
    let found = rows.first().map(shipment).transpose()?;
    found.map(|found| with_lines(tx, book, found)).transpose()
}

/// The address of a customer's newest parcel that has one.
pub(super) fn newest_of(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<SealedAddress>> {
    let row = tx.query_opt(
        "SELECT sealed_address FROM shipment WHERE book_id = $1 AND customer_id = $2
         ORDER BY order_id DESC LIMIT 1",
        params![book, &customer],
    )?;
    row.map(|row| Ok(SealedAddress(row.blob(0)?.to_vec())))
        .transpose()
}

/// What waits is read from the oldest, the rest from the newest; both are walks of one index.
pub(super) fn in_state(
    tx: &mut dyn Read,
    book: i64,
    state: ShipmentState,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Shipment>> {
    let (sql, edge) = match state {
        ShipmentState::ToPack => (
            shipments!("state = $2 AND order_id > $3 ORDER BY order_id LIMIT $4"),
            uuid::Uuid::nil(),
        ),
        _ => (
            shipments!("state = $2 AND order_id < $3 ORDER BY order_id DESC LIMIT $4"),
            uuid::Uuid::max(),
        ),
    };
    let after = after.unwrap_or(OrderId(edge));
    let rows = tx.query(sql, params![book, state.name(), &after, limit])?;
    let found: Vec<Shipment> = rows.iter().map(shipment).collect::<Result<_>>()?;
    found
        .into_iter()
        .map(|found| with_lines(tx, book, found))
        .collect()
}

pub(super) fn count_waiting(tx: &mut dyn Read, book: i64, at_most: i64) -> Result<i64> {
    let params: &[Param<'_>] = params![book, at_most];
    let row = tx.query_one(
        "SELECT COUNT(*) FROM (SELECT order_id FROM shipment
            WHERE book_id = $1 AND state = 'to_pack' LIMIT $2) AS waiting",
        params,
    )?;
    Ok(row.int(0)?)
}

pub(super) fn forget(
    tx: &mut Tx<'_>,
    book: i64,
    customer: CustomerId,
) -> std::result::Result<(), Error> {
    let nothing: &[u8] = &[];
    tx.put(
        "UPDATE shipment SET sealed_address = $3, sealed_tracking = $3
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer, nothing],
    )
}

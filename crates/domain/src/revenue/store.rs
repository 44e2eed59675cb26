//! The table of bookings.

use super::Booking;
use crate::report::calendar::Day;
use scrip_engine::{Error, Read, Result, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

pub(super) fn all(tx: &mut dyn Read, book: i64) -> Result<Vec<Booking>> {
    let rows = tx.query(
        "SELECT until_day, earned, breakage, entry_id, actor, recorded_at FROM revenue_close
         WHERE book_id = $1 ORDER BY until_day",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            let number = row.int(0)?;
            let wrong = || Error::Corrupt(format!("day {number} of a booking"));
            Ok(Booking {
                until: Day::of_number(number).ok_or_else(wrong)?,
                earned: Amount::from_units(row.int(1)?),
                breakage: Amount::from_units(row.int(2)?),
                entry_id: row.opt_int(3)?,
                actor: row.text(4)?.to_owned(),
                at: Timestamp(row.int(5)?),
            })
        })
        .collect()
}

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, booking: &Booking) -> Result<()> {
    tx.put(
        "INSERT INTO revenue_close
           (book_id, until_day, earned, breakage, entry_id, actor, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            book,
            booking.until.number(),
            booking.earned.units(),
            booking.breakage.units(),
            booking.entry_id,
            &booking.actor,
            booking.at.0
        ],
    )
}

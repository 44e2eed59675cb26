//! The columns of a customer's standing and fate.

use super::{CreditStatus, Fate, Opener, Standing};
use crate::id::CustomerId;
use scrip_engine::{Error, Read, Result, Store, Timestamp, Tx, params};

pub(super) fn standing(tx: &mut dyn Read, book: i64, id: CustomerId) -> Result<Option<Standing>> {
    let row = tx.query_opt(
        "SELECT preferred, credit_status, country FROM customer
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &id],
    )?;
    row.map(|row| {
        let status = row.text(1)?;
        Ok(Standing {
            preferred: row.bool(0)?,
            credit_status: CreditStatus::parse(status)
                .map_err(|_| Error::Corrupt(format!("credit status {status:?} of {id}")))?,
            country: row.text(2)?.to_owned(),
        })
    })
    .transpose()
}

pub(super) fn set_standing(
    tx: &mut Tx<'_>,
    book: i64,
    id: CustomerId,
    new: &Standing,
) -> Result<()> {
    tx.put(
        "UPDATE customer SET preferred = $3, credit_status = $4, country = $5
         WHERE book_id = $1 AND customer_id = $2",
        params![
            book,
            &id,
            new.preferred,
            new.credit_status.name(),
            &new.country
        ],
    )
}

pub(super) fn fate(tx: &mut dyn Read, book: i64, id: CustomerId) -> Result<Option<Fate>> {
    let row = tx.query_opt(
        "SELECT opened_by, merged_into, erased_at FROM customer
         WHERE book_id = $1 AND customer_id = $2",
        params![book, &id],
    )?;
    row.map(|row| {
        let opener = match row.text(0)? {
            "" => Opener::Vendor,
            key => Opener::Affiliate(
                key.parse()
                    .map_err(|_| Error::Corrupt(format!("opener {key:?} of {id}")))?,
            ),
        };
        let merged = row.opt_blob(1)?.is_some();
        Ok(Fate {
            opener,
            merged_into: merged.then(|| CustomerId::from_row(&row, 1)).transpose()?,
            erased_at: row.opt_int(2)?.map(Timestamp),
        })
    })
    .transpose()
}

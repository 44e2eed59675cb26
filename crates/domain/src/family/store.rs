//! The tables of families.

use super::{Family, Limits, Spending};
use crate::actor::Actor;
use crate::customer::Customer;
use crate::id::CustomerId;
use scrip_engine::{Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

/// Who becomes parent or child is locked meanwhile.
pub(super) fn lock_customer(tx: &mut Tx<'_>, book: i64, id: CustomerId) -> Result<()> {
    tx.query_locked(
        "SELECT has_parent FROM customer WHERE book_id = $1 AND customer_id = $2",
        params![book, &id],
    )?;
    Ok(())
}

pub(super) fn invite(
    tx: &mut Tx<'_>,
    parent: &Customer,
    child: CustomerId,
    until: Timestamp,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "DELETE FROM family_invitation
         WHERE book_id = $1 AND child_id = $2 AND expires_at <= $3",
        params![parent.book_id, &child, now.0],
    )?;
    tx.put(
        "INSERT INTO family_invitation (book_id, child_id, parent_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (book_id, child_id, parent_id) DO UPDATE SET expires_at = excluded.expires_at",
        params![parent.book_id, &child, &parent.customer_id, now.0, until.0],
    )
}

pub(super) fn invitations(tx: &mut dyn Read, child: &Customer) -> Result<Vec<CustomerId>> {
    let now = tx.now();
    let rows = tx.query(
        "SELECT parent_id FROM family_invitation
         WHERE book_id = $1 AND child_id = $2 AND expires_at > $3 ORDER BY parent_id LIMIT 20",
        params![child.book_id, &child.customer_id, now.0],
    )?;
    rows.iter()
        .map(|row| CustomerId::from_row(row, 0))
        .collect()
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    parent: &Customer,
    child: CustomerId,
    actor: Actor,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO family (book_id, child_id, parent_id, day_cap, week_cap, month_cap, limited,
                             created_at, created_by)
         VALUES ($1, $2, $3, NULL, NULL, NULL, 0, $4, $5)",
        params![
            parent.book_id,
            &child,
            &parent.customer_id,
            now.0,
            &actor.to_string()
        ],
    )?;
    for sql in [
        "UPDATE customer SET has_parent = 1 WHERE book_id = $1 AND customer_id = $2",
        "DELETE FROM family_invitation WHERE book_id = $1 AND child_id = $2",
    ] {
        tx.put(sql, params![parent.book_id, &child])?;
    }
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, book: i64, child: CustomerId) -> Result<()> {
    for sql in [
        "DELETE FROM family_category WHERE book_id = $1 AND child_id = $2",
        "DELETE FROM family WHERE book_id = $1 AND child_id = $2",
        "UPDATE customer SET has_parent = 0 WHERE book_id = $1 AND customer_id = $2",
    ] {
        tx.put(sql, params![book, &child])?;
    }
    Ok(())
}

fn family(tx: &mut dyn Read, book: i64, row: &Row) -> Result<Family> {
    let child = CustomerId::from_row(row, 0)?;
    let cap = |column| Ok::<_, scrip_engine::Error>(row.opt_int(column)?.map(Amount::from_units));
    let categories = if row.bool(5)? {
        let rows = tx.query(
            "SELECT category FROM family_category
             WHERE book_id = $1 AND child_id = $2 ORDER BY category",
            params![book, &child],
        )?;
        let all = rows.iter().map(|row| Ok(row.text(0)?.to_owned()));
        Some(all.collect::<Result<Vec<_>>>()?)
    } else {
        None
    };
    Ok(Family {
        child,
        parent: CustomerId::from_row(row, 1)?,
        limits: Limits {
            day: cap(2)?,
            week: cap(3)?,
            month: cap(4)?,
            categories,
        },
        since: Timestamp(row.int(6)?),
    })
}

pub(super) fn by_child(tx: &mut dyn Read, book: i64, child: CustomerId) -> Result<Option<Family>> {
    let row = tx.query_opt(
        "SELECT child_id, parent_id, day_cap, week_cap, month_cap, limited, created_at FROM family
         WHERE book_id = $1 AND child_id = $2",
        params![book, &child],
    )?;
    row.map(|row| family(tx, book, &row)).transpose()
}

pub(super) fn by_parent(tx: &mut dyn Read, book: i64, parent: CustomerId) -> Result<Vec<Family>> {
    let rows = tx.query(
        "SELECT child_id, parent_id, day_cap, week_cap, month_cap, limited, created_at FROM family
         WHERE book_id = $1 AND parent_id = $2 ORDER BY created_at, child_id",
        params![book, &parent],
    )?;
    rows.iter().map(|row| family(tx, book, row)).collect()
}

pub(super) fn set_limits(
    tx: &mut Tx<'_>,
    book: i64,
    child: CustomerId,
    limits: &Limits,
) -> Result<()> {
    let units = |cap: Option<Amount>| cap.map(Amount::units);
    tx.put(
        "UPDATE family SET day_cap = $3, week_cap = $4, month_cap = $5, limited = $6
         WHERE book_id = $1 AND child_id = $2",
        params![
            book,
            &child,
            units(limits.day),
            units(limits.week),
            units(limits.month),
            limits.categories.is_some()
        ],
    )?;
    tx.put(
        "DELETE FROM family_category WHERE book_id = $1 AND child_id = $2",
        params![book, &child],
    )?;
    for category in limits.categories.iter().flatten() {
        tx.put(
            "INSERT INTO family_category (book_id, child_id, category) VALUES ($1, $2, $3)",
            params![book, &child, category],
        )?;
    }
    Ok(())
}

/// At most thirty rows: one for each day.
pub(super) fn spending(
    tx: &mut dyn Read,
    book: i64,
    child: CustomerId,
    today: i64,
) -> Result<Spending> {
    let rows = tx.query(
        "SELECT day, spent FROM family_spending
         WHERE book_id = $1 AND child_id = $2 AND day > $3 AND day <= $4",
        params![book, &child, today.saturating_sub(30), today],
    )?;
    let mut all = Spending::default();
    for row in &rows {
        let (day, spent) = (row.int(0)?, Amount::from_units(row.int(1)?));
        let sum = |sum: Amount| {
            let sum = sum.plus(spent);
            sum.map_err(|e| scrip_engine::Error::Corrupt(format!("spending of {child}: {e}")))
        };
        if day == today {
            all.day = sum(all.day)?;
        }
        if day > today.saturating_sub(7) {
            all.week = sum(all.week)?;
        }
        all.month = sum(all.month)?;
    }
    Ok(all)
}

pub(super) fn add(
    tx: &mut Tx<'_>,
    book: i64,
    child: CustomerId,
    day: i64,
    total: Amount,
) -> Result<()> {
    tx.put(
        "INSERT INTO family_spending (book_id, child_id, day, spent) VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, child_id, day)
            DO UPDATE SET spent = family_spending.spent + excluded.spent",
        params![book, &child, day, total.units()],
    )
}

/// Never below nothing: part of a day may have been spent before the account was a child's.
pub(super) fn back(
    tx: &mut Tx<'_>,
    book: i64,
    child: CustomerId,
    day: i64,
    back: Amount,
) -> Result<()> {
    tx.put(
        "UPDATE family_spending
         SET spent = CASE WHEN spent > $4 THEN spent - $4 ELSE 0 END
         WHERE book_id = $1 AND child_id = $2 AND day = $3",
        params![book, &child, day, back.units()],
    )
}

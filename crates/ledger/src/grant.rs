//! Grants: how tokens came to be (TOK-05, TOK-06, TOK-07, TOK-12, GOV-13).
//!
//! A grant never changes, and every piece of it, wherever it went, is found by its number. What
//! happens to it later (credit that is paid off) is an event, and so reaches every piece.

use crate::amount::{Amount, Rounding};
use crate::error::{Error, Result};
use crate::memory::LedgerMemory;
use scrip_engine::{
    Error as EngineError, Param, Query, Read, Row, Sequence, Store, Timestamp, Tx, params,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// How tokens were acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Given: they are spent before bought ones.
    Free,
    /// Issued before payment.
    Credit,
    /// Paid for.
    Paid,
}

impl Origin {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Free => "free",
            Origin::Credit => "credit",
            Origin::Paid => "paid",
        }
    }
    fn of_row(text: &str, grant: i64) -> Result<Self> {
        [Origin::Free, Origin::Credit, Origin::Paid]
            .into_iter()
            .find(|o| o.name() == text)
            .ok_or_else(|| EngineError::Corrupt(format!("origin {text:?} of grant {grant}")).into())
    }
}

/// A grant of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantInfo {
    /// Its number in the book.
    pub grant_id: i64,
    /// The token type.
    pub asset_id: i64,
    /// How it was acquired, when it was made.
    pub origin: Origin,
    /// What it may pay for; `None` for everything. `sale`: products on sale only.
    pub restriction: Option<String>,
    /// When what is left of it expires.
    pub expires_at: Timestamp,
    /// Tokens granted.
    pub quantity: Amount,
    /// Paid for all of them together: a price per token need not be exact.
    pub paid: Amount,
    /// What it was paid in.
    pub paid_asset_id: Option<i64>,
    /// When it was made.
    pub granted_at: Timestamp,
}

impl GrantInfo {
    /// What was paid for so many of its tokens, rounded down to the smallest unit of the money.
    pub fn worth(&self, tokens: Amount) -> Result<Amount> {
        self.paid
            .ratio(tokens.units(), self.quantity.units(), Rounding::Down)
    }
}

/// A grant to be made; the tokens come with the entry that uses it.
#[derive(Clone, Copy, Debug)]
pub struct NewGrant<'a> {
    /// The token type.
    pub asset_id: i64,
    /// How it is acquired.
    pub origin: Origin,
    /// What it may pay for.
    pub restriction: Option<&'a str>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Tokens granted.
    pub quantity: Amount,
    /// Paid for all of them.
    pub paid: Amount,
    /// What it is paid in.
    pub paid_asset_id: Option<i64>,
    /// When it counts as made.
    pub granted_at: Timestamp,
}

/// Makes a grant and returns its number.
pub fn grant_open(tx: &mut Tx<'_>, book: i64, new: &NewGrant<'_>) -> Result<i64> {
    if !new.quantity.is_positive() {
        return Err(Error::NotPositive);
    }
    let id = tx.next_numbers(Sequence::Grant, 1)?;
    tx.put(
        "INSERT INTO token_grant (book_id, grant_id, asset_id, origin, restriction, expires_at,
                                  quantity, paid, paid_asset_id, granted_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            book,
            id,
            new.asset_id,
            new.origin.name(),
            new.restriction,
            new.expires_at.0,
            new.quantity.units(),
            new.paid.units(),
            new.paid_asset_id,
            new.granted_at.0
        ],
    )?;
    let info = GrantInfo {
        grant_id: id,
        asset_id: new.asset_id,
        origin: new.origin,
        restriction: new.restriction.map(str::to_owned),
        expires_at: new.expires_at,
        quantity: new.quantity,
        paid: new.paid,
        paid_asset_id: new.paid_asset_id,
        granted_at: new.granted_at,
    };
    tx.memory::<LedgerMemory>()?
        .opened_grant((book, id), Arc::new(info));
    Ok(id)
}

/// Reads a grant from the columns that begin at `at`.
pub(crate) fn grant_info(row: &Row, at: usize) -> Result<GrantInfo> {
    let column = |i: usize| at.saturating_add(i);
    let grant_id = row.int(column(0))?;
    Ok(GrantInfo {
        grant_id,
        asset_id: row.int(column(1))?,
        origin: Origin::of_row(row.text(column(2))?, grant_id)?,
        restriction: row.opt_text(column(3))?.map(str::to_owned),
        expires_at: Timestamp(row.int(column(4))?),
        quantity: Amount::from_units(row.int(column(5))?),
        paid: Amount::from_units(row.int(column(6))?),
        paid_asset_id: row.opt_int(column(7))?,
        granted_at: Timestamp(row.int(column(8))?),
    })
}

/// A grant.
pub fn grant_by_id(tx: &mut Tx<'_>, book: i64, grant: i64) -> Result<Arc<GrantInfo>> {
    if let Some(info) = tx.memory::<LedgerMemory>()?.facts.grant((book, grant)) {
        return Ok(info);
    }
    let info = Arc::new(grant_stored(tx, book, grant)?);
    tx.memory::<LedgerMemory>()?
        .facts
        .set_grant((book, grant), info.clone());
    Ok(info)
}

/// A grant as stored, for those who have no writer's memory.
pub fn grant_stored(tx: &mut dyn Read, book: i64, grant: i64) -> Result<GrantInfo> {
    let row = tx
        .query_opt(GRANT, params![book, grant])?
        .ok_or(Error::GrantUnknown { book, grant })?;
    grant_info(&row, 0)
}

/// Some grants as stored, by number, many at a time. Those that do not exist are left out.
pub fn grants_stored(
    tx: &mut dyn Read,
    book: i64,
    grants: &BTreeSet<i64>,
) -> Result<Vec<GrantInfo>> {
    let params: Vec<[Param<'_>; 2]> = grants
        .iter()
        .map(|grant| [Param::Int(book), Param::Int(*grant)])
        .collect();
    let mut found = Vec::with_capacity(params.len());
    for some in params.chunks(500) {
        let queries: Vec<Query<'_>> = some.iter().map(|p| (GRANT, &p[..])).collect();
        for row in tx.query_all(&queries)?.iter().flatten() {
            found.push(grant_info(row, 0)?);
        }
    }
    Ok(found)
}

const GRANT: &str = "SELECT grant_id, asset_id, origin, restriction, expires_at, quantity, paid,
        paid_asset_id, granted_at
    FROM token_grant WHERE book_id = $1 AND grant_id = $2";

/// Records that a credit grant was paid off; every piece of it counts as paid from now on.
pub fn grant_pay_off(tx: &mut Tx<'_>, book: i64, grant: i64, event_id: &Uuid) -> Result<()> {
    grant_by_id(tx, book, grant)?;
    let now = tx.now();
    let written = tx.execute_returning(
        "INSERT INTO grant_event (book_id, grant_id, event_no, kind, event_id, recorded_at)
         VALUES ($1, $2, 1, 'paid_off', $3, $4)
         ON CONFLICT (book_id, grant_id, event_no) DO NOTHING RETURNING event_no",
        params![book, grant, event_id, now.0],
    )?;
    if written.is_empty() {
        return Err(Error::AlreadyPaidOff(grant));
    }
    Ok(())
}

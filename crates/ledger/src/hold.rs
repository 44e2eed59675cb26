//! Holds: amounts set aside with their lots until posted, released or expired.
//!
//! A hold moves its pieces from the wallet to the account beside it, so a wallet's balance never
//! counts what is set aside, and both balances are proven like any other. Closing a hold moves
//! what is posted to its destination and the rest back, in one entry.

use crate::account::{AccountKind, NewAccount, account_info, account_open};
use crate::amount::Amount;
use crate::entry::{Leg, Posting, entries_by_id, entry_post_held, entry_transfers};
use crate::error::{Error, Result};
use scrip_engine::{
    Error as EngineError, Read, ReadTx, Row, Sequence, Store, Timestamp, Tx, params,
};
use uuid::Uuid;

/// An amount of one grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The grant.
    pub grant: i64,
    /// How much of it.
    pub amount: Amount,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// It stands.
    Open,
    /// It was spent, wholly or in part.
    Posted,
    /// It was given back.
    Released,
    /// Its time ran out and it was given back.
    Expired,
}

impl HoldState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            HoldState::Open => "open",
            HoldState::Posted => "posted",
            HoldState::Released => "released",
            HoldState::Expired => "expired",
        }
    }
    pub(crate) fn of_row(text: &str, hold: i64) -> Result<Self> {
        [
            HoldState::Open,
            HoldState::Posted,
            HoldState::Released,
            HoldState::Expired,
        ]
        .into_iter()
        .find(|s| s.name() == text)
        .ok_or_else(|| EngineError::Corrupt(format!("state {text:?} of hold {hold}")).into())
    }
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its number in the book.
    pub hold_id: i64,
    /// The wallet.
    pub account: i64,
    /// The account in which it is kept.
    pub held: i64,
    /// How much was set aside.
    pub amount: Amount,
    /// When it gives way.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: HoldState,
    /// How much was spent of it.
    pub posted: Amount,
    /// The entry that placed it.
    pub opened_entry: i64,
}

/// Who closes a hold, and as what.
#[derive(Clone, Copy, Debug)]
struct Closing<'a> {
    state: HoldState,
    code: &'a str,
    event_id: Uuid,
    actor: &'a str,
}

/// Sets pieces of a wallet aside.
pub fn hold_place(
    tx: &mut Tx<'_>,
    posting: &Posting<'_>,
    account: i64,
    pieces: &[Piece],
    expires_at: Timestamp,
) -> Result<i64> {
    let book = posting.book_id;
    let held = held_account(tx, book, account)?;
    let legs: Vec<Leg> = pieces
        .iter()
        .map(|p| Leg {
            debit: account,
            credit: held,
            amount: p.amount,
            grant: Some(p.grant),
        })
        .collect();
    let amount = Amount::sum(pieces.iter().map(|p| p.amount))?;
    let entry = entry_post_held(
        tx,
        &Posting {
            legs: &legs,
            ..posting.clone()
        },
    )?;
    let id = tx.next_numbers(Sequence::Hold, 1)?;
    tx.put(
        "INSERT INTO hold (book_id, hold_id, account_id, held_id, amount, expires_at, state,
                           posted, opened_entry, closed_entry)
         VALUES ($1, $2, $3, $4, $5, $6, 'open', 0, $7, NULL)",
        params![book, id, account, held, amount.units(), expires_at.0, entry],
    )?;
    Ok(id)
}

/// Spends `amount` of a hold into `destination`; the rest goes back to the wallet.
pub fn hold_post(
    tx: &mut Tx<'_>,
    posting: &Posting<'_>,
    hold: i64,
    destination: i64,
    amount: Amount,
) -> Result<i64> {
    if !amount.is_positive() {
        return Err(Error::NotPositive);
    }
    let closing = Closing {
        state: HoldState::Posted,
        code: posting.code,
        event_id: posting.event_id,
        actor: posting.actor,
    };
    close(
        tx,
        posting.book_id,
        hold,
        &closing,
        Some((destination, amount)),
    )
}

/// Gives a hold back to its wallet.
pub fn hold_release(
    tx: &mut Tx<'_>,
    book: i64,
    hold: i64,
    event_id: Uuid,
    actor: &str,
) -> Result<i64> {
    let closing = Closing {
        state: HoldState::Released,
        code: "hold_release",
        event_id,
        actor,
    };
    close(tx, book, hold, &closing, None)
}

/// Gives a hold back whose time has run out; before that it is refused.
pub fn hold_expire(tx: &mut Tx<'_>, book: i64, hold: i64, event_id: Uuid) -> Result<i64> {
    let closing = Closing {
        state: HoldState::Expired,
        code: "hold_expire",
        event_id,
        actor: "system",
    };
    close(tx, book, hold, &closing, None)
}

/// Open holds whose time has run out.
pub fn holds_due(tx: &mut dyn Read, book: i64, limit: i64) -> Result<Vec<i64>> {
    let now = tx.now();
    let rows = tx.query(
        "SELECT hold_id FROM hold WHERE book_id = $1 AND state = 'open' AND expires_at <= $2
         ORDER BY expires_at, hold_id LIMIT $3",
        params![book, now.0, limit],
    )?;
    rows.iter().map(|row| Ok(row.int(0)?)).collect()
}

/// A hold.
pub fn hold_by_id(tx: &mut dyn Read, book: i64, hold: i64) -> Result<Hold> {
    let row = tx.query_opt(HOLD, params![book, hold])?;
    hold_row(&row.ok_or(Error::HoldUnknown { book, hold })?)
}

const HOLD: &str = "SELECT hold_id, account_id, held_id, amount, expires_at, state, posted,
    opened_entry FROM hold WHERE book_id = $1 AND hold_id = $2";

fn hold_row(row: &Row) -> Result<Hold> {
    let hold_id = row.int(0)?;
    Ok(Hold {
        hold_id,
        account: row.int(1)?,
        held: row.int(2)?,
        amount: Amount::from_units(row.int(3)?),
        expires_at: Timestamp(row.int(4)?),
        state: HoldState::of_row(row.text(5)?, hold_id)?,
        posted: Amount::from_units(row.int(6)?),
        opened_entry: row.int(7)?,
    })
}

fn close(
    tx: &mut Tx<'_>,
    book: i64,
    hold_id: i64,
    closing: &Closing<'_>,
    post: Option<(i64, Amount)>,
) -> Result<i64> {
    let rows = tx.query_locked(HOLD, params![book, hold_id])?;
    let hold = hold_row(rows.first().ok_or(Error::HoldUnknown {
        book,
        hold: hold_id,
    })?)?;
    if hold.state != HoldState::Open {
        return Err(Error::HoldClosed {
            hold: hold_id,
            state: hold.state.name(),
        });
    }
    if closing.state == HoldState::Expired && hold.expires_at > tx.now() {
        return Err(Error::HoldNotDue {
            hold: hold_id,
            expires_at: hold.expires_at,
        });
    }
    if post.is_some_and(|p| p.0 == hold.account) {
        // What goes back to the wallet is not spent.
        return Err(Error::SameAccount(hold.account));
    }
    let posted = post.map_or(Amount::ZERO, |p| p.1);
    if posted > hold.amount {
        return Err(Error::HoldTooSmall {
            hold: hold_id,
            has: hold.amount,
            needs: posted,
        });
    }
    let opened = entries_by_id(tx, book, hold.opened_entry)?;
    let pieces: Vec<Piece> = entry_transfers(tx, book, &opened)?
        .iter()
        .filter_map(|t| {
            Some(Piece {
                grant: t.grant_id?,
                amount: t.amount,
            })
        })
        .collect();
    let legs = closing_legs(&hold, &pieces, post)?;
    let effective_at = tx.now();
    let entry = entry_post_held(
        tx,
        &Posting {
            book_id: book,
            event_id: closing.event_id,
            code: closing.code,
            actor: closing.actor,
            reference: &opened.reference,
            effective_at,
            legs: &legs,
        },
    )?;
    tx.put(
        "UPDATE hold SET state = $3, posted = $4, closed_entry = $5
         WHERE book_id = $1 AND hold_id = $2",
        params![book, hold_id, closing.state.name(), posted.units(), entry],
    )?;
    Ok(entry)
}

/// Where each piece of a hold goes: to the destination until that has its amount, then back.
fn closing_legs(hold: &Hold, pieces: &[Piece], post: Option<(i64, Amount)>) -> Result<Vec<Leg>> {
    let (destination, mut open) = post.unwrap_or((hold.account, Amount::ZERO));
    let mut legs = Vec::new();
    for piece in pieces {
        let spent = piece.amount.min(open);
        let back = piece.amount.minus(spent)?;
        open = open.minus(spent)?;
        for (credit, amount) in [(destination, spent), (hold.account, back)] {
            if amount.is_positive() {
                legs.push(Leg {
                    debit: hold.held,
                    credit,
                    amount,
                    grant: Some(piece.grant),
                });
            }
        }
    }
    Ok(legs)
}

/// What all open holds have set aside of a wallet, as committed.
pub fn held_balance(tx: &mut ReadTx<'_>, book: i64, account: i64) -> Result<Amount> {
    let row = tx.query_opt(
        "SELECT h.balance FROM held_account a
         JOIN account_head h ON h.book_id = a.book_id AND h.account_id = a.held_id
         WHERE a.book_id = $1 AND a.account_id = $2",
        params![book, account],
    )?;
    Ok(Amount::from_units(row.map_or(Ok(0), |row| row.int(0))?))
}

/// The account in which a wallet's holds are kept, opened at the first hold.
fn held_account(tx: &mut Tx<'_>, book: i64, account: i64) -> Result<i64> {
    // The wallet's head is the lock: two first holds must not open two accounts.
    crate::account::account_load(tx, book, account)?;
    let found = tx.query_opt(
        "SELECT held_id FROM held_account WHERE book_id = $1 AND account_id = $2",
        params![book, account],
    )?;
    if let Some(row) = found {
        return Ok(row.int(0)?);
    }
    let asset_id = account_info(tx, book, account)?.asset_id;
    let row = tx.query_one(
        "SELECT label FROM account WHERE book_id = $1 AND account_id = $2",
        params![book, account],
    )?;
    let held = account_open(
        tx,
        &NewAccount {
            book_id: book,
            asset_id,
            kind: AccountKind::Held,
            label: row.text(0)?,
            owner: None,
            counterparty: None,
        },
    )?;
    tx.put(
        "INSERT INTO held_account (book_id, account_id, held_id) VALUES ($1, $2, $3)",
        params![book, account, held],
    )?;
    Ok(held)
}

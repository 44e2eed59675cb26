//! The tables of what the mall hears.

use super::{Mirrored, Mirrors, Result, Use};
use crate::id::CustomerId;
use crate::mall::Member;
use scrip_engine::{Error, Read, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

/// False when it was heard before.
pub(super) fn insert_use(tx: &mut Tx<'_>, member: &Member, one: &Use) -> Result<bool> {
    let written = tx.execute_returning(
        "INSERT INTO mall_use (book_id, member_book, source, what, subject, token, tokens, royalty,
                               reason, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (book_id, member_book, source) DO NOTHING RETURNING source",
        params![
            member.mall_book,
            member.book_id,
            one.source,
            &one.what,
            &one.subject,
            &one.token,
            one.tokens.units(),
            one.royalty.units(),
            &one.reason,
            one.at.0
        ],
    )?;
    Ok(!written.is_empty())
}

pub(super) fn set_royalty(tx: &mut Tx<'_>, member: &Member, one: &Use) -> Result<()> {
    tx.put(
        "UPDATE mall_use SET royalty = $4 WHERE book_id = $1 AND member_book = $2 AND source = $3",
        params![
            member.mall_book,
            member.book_id,
            one.source,
            one.royalty.units()
        ],
    )?;
    Ok(())
}

/// What the mall heard of a member, newest first, `limit` at most (MSP-09).
pub fn uses(tx: &mut dyn Read, member: &Member, limit: i64) -> Result<Vec<Use>> {
    let rows = tx.query(
        "SELECT source, what, subject, token, tokens, royalty, reason, happened_at FROM mall_use
         WHERE book_id = $1 AND member_book = $2 ORDER BY source DESC LIMIT $3",
        params![member.mall_book, member.book_id, limit],
    )?;
    let each = rows.iter().map(|row| {
        Ok(Use {
            source: row.int(0)?,
            what: row.text(1)?.to_owned(),
            subject: row.text(2)?.to_owned(),
            token: row.text(3)?.to_owned(),
            tokens: Amount::from_units(row.int(4)?),
            royalty: Amount::from_units(row.int(5)?),
            reason: row.text(6)?.to_owned(),
            at: Timestamp(row.int(7)?),
        })
    });
    each.collect()
}

pub(super) fn mirrors(tx: &mut dyn Read, book: i64) -> Result<Mirrors> {
    let row = tx.query_one(
        "SELECT mirrors FROM mall_member WHERE book_id = $1",
        params![book],
    )?;
    let mirrors = Mirrors::parse(row.text(0)?);
    Ok(mirrors.map_err(|e| Error::Corrupt(format!("member {book}: {e}")))?)
}

pub(super) fn set_mirrors(tx: &mut Tx<'_>, member: &Member, mirrors: Mirrors) -> Result<()> {
    tx.put(
        "UPDATE mall_member SET mirrors = $2 WHERE book_id = $1",
        params![member.book_id, mirrors.name()],
    )?;
    let of = params![member.mall_book, member.book_id];
    match mirrors {
        Mirrors::All => {}
        Mirrors::Tokens => tx.put(
            "UPDATE mall_mirror SET person = NULL WHERE book_id = $1 AND member_book = $2",
            of,
        )?,
        Mirrors::Nothing => tx.put(
            "DELETE FROM mall_mirror WHERE book_id = $1 AND member_book = $2",
            of,
        )?,
    }
    Ok(())
}

/// The personal data of a customer as they are kept; `None` where there are none, or no more.
pub(super) fn sealed_person(
    tx: &mut dyn Read,
    book: i64,
    customer: CustomerId,
) -> Result<Option<Vec<u8>>> {
    let row = tx.query_opt(
        "SELECT sealed FROM person_data WHERE book_id = $1 AND customer_id = $2",
        params![book, &customer],
    )?;
    Ok(row.map(|row| row.blob(0).map(<[u8]>::to_vec)).transpose()?)
}

pub(super) fn put_mirror(
    tx: &mut Tx<'_>,
    member: &Member,
    customer: CustomerId,
    new: &Mirrored,
) -> Result<()> {
    tx.put(
        "INSERT INTO mall_mirror (book_id, member_book, customer_id, state, person, balance,
                                  heard_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (book_id, member_book, customer_id)
            DO UPDATE SET state = excluded.state, person = excluded.person,
                          balance = excluded.balance, heard_at = excluded.heard_at",
        params![
            member.mall_book,
            member.book_id,
            &customer,
            &new.state,
            new.person.as_deref(),
            new.balance.units(),
            new.heard_at.0
        ],
    )?;
    Ok(())
}

/// What the mall mirrors of a customer; `None` where it has not heard of it.
pub fn mirror_of(
    tx: &mut dyn Read,
    member: &Member,
    customer: CustomerId,
) -> Result<Option<Mirrored>> {
    let row = tx.query_opt(
        "SELECT state, person, balance, heard_at FROM mall_mirror
         WHERE book_id = $1 AND member_book = $2 AND customer_id = $3",
        params![member.mall_book, member.book_id, &customer],
    )?;
    let row = row.map(|row| {
        Ok(Mirrored {
            state: row.text(0)?.to_owned(),
            person: row.opt_blob(1)?.map(<[u8]>::to_vec),
            balance: Amount::from_units(row.int(2)?),
            heard_at: Timestamp(row.int(3)?),
        })
    });
    row.transpose()
}

//! The tables of gift certificates.

use super::{Certificate, CertificateState, Result};
use crate::customer::Customer;
use crate::id::{CertificateId, CustomerId};
use crate::mall::Member;
use scrip_engine::{Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

pub(super) fn insert(tx: &mut Tx<'_>, mall: i64, new: &Certificate, hash: &[u8; 32]) -> Result<()> {
    tx.put(
        "INSERT INTO gift_certificate (book_id, certificate_id, issuer_book, account_id, grant_id,
                                       face, code_hash, state, expires_at, issued_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            mall,
            &new.id,
            new.issuer,
            new.account,
            new.grant,
            new.face.units(),
            hash,
            new.state.name(),
            new.expires_at.0,
            new.issued_at.0
        ],
    )?;
    Ok(())
}

fn certificate(row: &Row) -> Result<Certificate> {
    let holder = match row.opt_int(6)? {
        Some(home) => Some((home, CustomerId::from_row(row, 7)?)),
        None => None,
    };
    Ok(Certificate {
        id: CertificateId::from_row(row, 0)?,
        issuer: row.int(1)?,
        account: row.int(2)?,
        grant: row.int(3)?,
        face: Amount::from_units(row.int(4)?),
        state: CertificateState::parse(row.text(5)?)?,
        holder,
        expires_at: Timestamp(row.int(8)?),
        issued_at: Timestamp(row.int(9)?),
    })
}

pub(super) fn by_code_locked(
    tx: &mut Tx<'_>,
    mall: i64,
    hash: &[u8; 32],
) -> Result<Option<Certificate>> {
    let rows = tx.query_locked(
        "SELECT certificate_id, issuer_book, account_id, grant_id, face, state, home_book,
                customer_id, expires_at, issued_at
         FROM gift_certificate WHERE book_id = $1 AND code_hash = $2",
        params![mall, hash],
    )?;
    rows.first().map(certificate).transpose()
}

pub(super) fn held(
    tx: &mut dyn Read,
    mall: i64,
    home: i64,
    customer: CustomerId,
) -> Result<Vec<Certificate>> {
    let rows = tx.query(
        "SELECT certificate_id, issuer_book, account_id, grant_id, face, state, home_book,
                customer_id, expires_at, issued_at
         FROM gift_certificate
         WHERE book_id = $1 AND home_book = $2 AND customer_id = $3 AND state = 'held'
         ORDER BY certificate_id",
        params![mall, home, &customer],
    )?;
    rows.iter().map(certificate).collect()
}

pub(super) fn of_issuer(
    tx: &mut dyn Read,
    mall: i64,
    issuer: i64,
    limit: i64,
) -> Result<Vec<Certificate>> {
    let rows = tx.query(
        "SELECT certificate_id, issuer_book, account_id, grant_id, face, state, home_book,
                customer_id, expires_at, issued_at
         FROM gift_certificate WHERE book_id = $1 AND issuer_book = $2
         ORDER BY certificate_id DESC LIMIT $3",
        params![mall, issuer, limit],
    )?;
    rows.iter().map(certificate).collect()
}

pub(super) fn hold(
    tx: &mut Tx<'_>,
    mall: i64,
    id: CertificateId,
    customer: &Customer,
) -> Result<()> {
    tx.put(
        "UPDATE gift_certificate SET state = 'held', home_book = $3, customer_id = $4
         WHERE book_id = $1 AND certificate_id = $2",
        params![mall, &id, customer.book_id, &customer.customer_id],
    )?;
    Ok(())
}

pub(super) fn spend(tx: &mut Tx<'_>, mall: i64, id: CertificateId) -> Result<bool> {
    let spent = tx.execute(
        "UPDATE gift_certificate SET state = 'spent'
         WHERE book_id = $1 AND certificate_id = $2 AND state = 'held'",
        params![mall, &id],
    )?;
    Ok(spent > 0)
}

pub(super) fn give_back(tx: &mut Tx<'_>, mall: i64, account: i64) -> Result<()> {
    tx.put(
        "UPDATE gift_certificate SET state = 'held'
         WHERE book_id = $1 AND account_id = $2 AND state = 'spent'",
        params![mall, account],
    )?;
    Ok(())
}

pub(super) fn set_acceptance(
    tx: &mut Tx<'_>,
    acceptor: &Member,
    issuer: i64,
    takes: bool,
) -> Result<()> {
    let now = tx.now();
    if takes {
        tx.put(
            "INSERT INTO gift_acceptance (book_id, acceptor_book, issuer_book, since)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (book_id, acceptor_book, issuer_book) DO NOTHING",
            params![acceptor.mall_book, acceptor.book_id, issuer, now.0],
        )?;
    } else {
        tx.put(
            "DELETE FROM gift_acceptance
             WHERE book_id = $1 AND acceptor_book = $2 AND issuer_book = $3",
            params![acceptor.mall_book, acceptor.book_id, issuer],
        )?;
    }
    Ok(())
}

pub(super) fn accepts(tx: &mut dyn Read, mall: i64, acceptor: i64, issuer: i64) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT since FROM gift_acceptance
         WHERE book_id = $1 AND acceptor_book = $2 AND issuer_book = $3",
        params![mall, acceptor, issuer],
    )?;
    Ok(row.is_some())
}

pub(super) fn acceptances(tx: &mut dyn Read, mall: i64) -> Result<Vec<(i64, i64)>> {
    let rows = tx.query(
        "SELECT acceptor_book, issuer_book FROM gift_acceptance WHERE book_id = $1
         ORDER BY acceptor_book, issuer_book",
        params![mall],
    )?;
    rows.iter()
        .map(|row| Ok((row.int(0)?, row.int(1)?)))
        .collect()
}

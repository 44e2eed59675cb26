//! The tables of the mall.

use super::clearing::{Clears, Traffic};
use super::deposit::Settles;
use super::member::{Member, MemberAccounts, MemberState, Terms};
use super::settle::{Line, LineKind, Owed};
use super::{Mall, Result};
use crate::id::ids_between;
use scrip_engine::{Error, Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::{Amount, asset_in};

pub(super) fn insert_mall(tx: &mut Tx<'_>, mall: &Mall) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO mall (book_id, currency_id, quote_s, residue_account, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            mall.book_id,
            mall.currency.asset_id,
            mall.quote_s,
            mall.residue_account,
            now.0
        ],
    )?;
    Ok(())
}

const BY_SLUG: &str = "SELECT m.book_id, b.slug, b.name, m.currency_id, m.quote_s,
        m.residue_account, m.clears, m.royalty_account, m.combines, m.free_leaves,
        m.office_book, c.asset_id, c.code, c.kind, c.book_id, c.scale
    FROM mall m JOIN book b ON b.book_id = m.book_id JOIN asset c ON c.asset_id = m.currency_id WHERE b.slug = $1";
const BY_BOOK: &str = "SELECT m.book_id, b.slug, b.name, m.currency_id, m.quote_s,
        m.residue_account, m.clears, m.royalty_account, m.combines, m.free_leaves,
        m.office_book, c.asset_id, c.code, c.kind, c.book_id, c.scale
    FROM mall m JOIN book b ON b.book_id = m.book_id JOIN asset c ON c.asset_id = m.currency_id WHERE m.book_id = $1";
const ALL: &str = "SELECT m.book_id, b.slug, b.name, m.currency_id, m.quote_s,
        m.residue_account, m.clears, m.royalty_account, m.combines, m.free_leaves,
        m.office_book, c.asset_id, c.code, c.kind, c.book_id, c.scale
    FROM mall m JOIN book b ON b.book_id = m.book_id JOIN asset c ON c.asset_id = m.currency_id ORDER BY m.book_id";

fn mall(row: &Row) -> Result<Mall> {
    Ok(Mall {
        book_id: row.int(0)?,
        slug: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        currency: asset_in(row, 11)?,
        quote_s: row.int(4)?,
        residue_account: row.int(5)?,
        clears: Clears::parse(row.text(6)?)?,
        royalty_account: row.opt_int(7)?,
        combines: row.bool(8)?,
        free_leaves: row.bool(9)?,
        office_book: row.opt_int(10)?,
    })
}

pub(super) fn mall_by_slug(tx: &mut dyn Read, slug: &str) -> Result<Option<Mall>> {
    let row = tx.query_opt(BY_SLUG, params![slug])?;
    row.map(|row| mall(&row)).transpose()
}

pub(super) fn mall_by_book(tx: &mut dyn Read, book: i64) -> Result<Option<Mall>> {
    let row = tx.query_opt(BY_BOOK, params![book])?;
    row.map(|row| mall(&row)).transpose()
}

pub(super) fn malls(tx: &mut dyn Read) -> Result<Vec<Mall>> {
    let rows = tx.query(ALL, params![])?;
    rows.iter().map(mall).collect()
}

pub(super) fn insert_member(tx: &mut Tx<'_>, member: &Member) -> Result<()> {
    let now = tx.now();
    let accounts = &member.accounts;
    tx.put(
        "INSERT INTO mall_member (book_id, mall_book, state, is_barred, member_due, mall_due,
                                  settled_account, joined_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        params![
            member.book_id,
            member.mall_book,
            member.state.name(),
            member.is_barred,
            accounts.member_due,
            accounts.mall_due,
            accounts.settled,
            now.0
        ],
    )?;
    tx.put(
        "INSERT INTO mall_roll (book_id, member_book) VALUES ($1, $2)",
        params![member.mall_book, member.book_id],
    )?;
    Ok(())
}

pub(super) fn update_member(tx: &mut Tx<'_>, member: &Member) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE mall_member SET state = $2, is_barred = $3, changed_at = $4 WHERE book_id = $1",
        params![member.book_id, member.state.name(), member.is_barred, now.0],
    )?;
    Ok(())
}

const MEMBER: &str = "SELECT m.book_id, m.mall_book, b.slug, b.name, m.state, m.is_barred,
        m.member_due, m.mall_due, m.settled_account, m.settles
    FROM mall_member m JOIN book b ON b.book_id = m.book_id WHERE m.book_id = $1";
const MEMBERS: &str = "SELECT member_book FROM mall_roll WHERE book_id = $1 ORDER BY member_book";

pub(super) fn member(tx: &mut dyn Read, book: i64) -> Result<Option<Member>> {
    let row = tx.query_opt(MEMBER, params![book])?;
    let Some(row) = row else { return Ok(None) };
    let state = MemberState::parse(row.text(4)?)
        .map_err(|e| Error::Corrupt(format!("member {book}: {e}")))?;
    Ok(Some(Member {
        book_id: row.int(0)?,
        mall_book: row.int(1)?,
        slug: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
        state,
        is_barred: row.bool(5)?,
        accounts: MemberAccounts {
            member_due: row.int(6)?,
            mall_due: row.int(7)?,
            settled: row.int(8)?,
        },
        settles: Settles::parse(row.text(9)?)
            .map_err(|e| Error::Corrupt(format!("member {book}: {e}")))?,
    }))
}

pub(super) fn members(tx: &mut dyn Read, mall: i64) -> Result<Vec<Member>> {
    let mut all = Vec::new();
    for row in tx.query(MEMBERS, params![mall])? {
        let book = row.int(0)?;
        let missing = || Error::Corrupt(format!("member {book} of mall {mall} is missing"));
        all.push(member(tx, book)?.ok_or_else(missing)?);
    }
    Ok(all)
}

pub(super) fn set_value(
    tx: &mut Tx<'_>,
    member: &Member,
    effective_at: Timestamp,
    value: Amount,
) -> Result<()> {
    tx.put(
        "INSERT INTO mall_value (book_id, member_book, effective_at, value)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, member_book, effective_at) DO UPDATE SET value = excluded.value",
        params![
            member.mall_book,
            member.book_id,
            effective_at.0,
            value.units()
        ],
    )?;
    Ok(())
}

pub(super) fn value_at(
    tx: &mut dyn Read,
    member: &Member,
    at: Timestamp,
) -> Result<Option<Amount>> {
    let row = tx.query_opt(
        "SELECT value FROM mall_value
         WHERE book_id = $1 AND member_book = $2 AND effective_at <= $3
         ORDER BY effective_at DESC LIMIT 1",
        params![member.mall_book, member.book_id, at.0],
    )?;
    Ok(row
        .map(|row| row.int(0))
        .transpose()?
        .map(Amount::from_units))
}

pub(super) fn values(tx: &mut dyn Read, member: &Member) -> Result<Vec<(Timestamp, Amount)>> {
    let rows = tx.query(
        "SELECT effective_at, value FROM mall_value WHERE book_id = $1 AND member_book = $2
         ORDER BY effective_at DESC",
        params![member.mall_book, member.book_id],
    )?;
    rows.iter()
        .map(|row| Ok((Timestamp(row.int(0)?), Amount::from_units(row.int(1)?))))
        .collect()
}

pub(super) fn set_terms(
    tx: &mut Tx<'_>,
    member: &Member,
    effective_at: Timestamp,
    terms: &Terms,
) -> Result<()> {
    tx.put(
        "INSERT INTO mall_terms (book_id, member_book, effective_at, charge_flat, charge_ppm,
                                 service_ppm, royalty_ppm, commission_ppm)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (book_id, member_book, effective_at)
            DO UPDATE SET charge_flat = excluded.charge_flat, charge_ppm = excluded.charge_ppm,
                          service_ppm = excluded.service_ppm, royalty_ppm = excluded.royalty_ppm,
                          commission_ppm = excluded.commission_ppm",
        params![
            member.mall_book,
            member.book_id,
            effective_at.0,
            terms.charge_flat.units(),
            terms.charge_ppm,
            terms.service_ppm,
            terms.royalty_ppm,
            terms.commission_ppm
        ],
    )?;
    Ok(())
}

pub(super) fn terms_at(tx: &mut dyn Read, member: &Member, at: Timestamp) -> Result<Option<Terms>> {
    let row = tx.query_opt(
        "SELECT charge_flat, charge_ppm, service_ppm, royalty_ppm, commission_ppm FROM mall_terms
         WHERE book_id = $1 AND member_book = $2 AND effective_at <= $3
         ORDER BY effective_at DESC LIMIT 1",
        params![member.mall_book, member.book_id, at.0],
    )?;
    row.map(|row| {
        Ok(Terms {
            charge_flat: Amount::from_units(row.int(0)?),
            charge_ppm: row.int(1)?,
            service_ppm: row.int(2)?,
            royalty_ppm: row.int(3)?,
            commission_ppm: row.int(4)?,
        })
    })
    .transpose()
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
            "INSERT INTO mall_acceptance (book_id, acceptor_book, issuer_book, since)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (book_id, acceptor_book, issuer_book) DO NOTHING",
            params![acceptor.mall_book, acceptor.book_id, issuer, now.0],
        )?;
    } else {
        tx.put(
            "DELETE FROM mall_acceptance
             WHERE book_id = $1 AND acceptor_book = $2 AND issuer_book = $3",
            params![acceptor.mall_book, acceptor.book_id, issuer],
        )?;
    }
    Ok(())
}

pub(super) fn accepts(tx: &mut dyn Read, acceptor: &Member, issuer: i64) -> Result<bool> {
    let row = tx.query_opt(
        "SELECT since FROM mall_acceptance
         WHERE book_id = $1 AND acceptor_book = $2 AND issuer_book = $3",
        params![acceptor.mall_book, acceptor.book_id, issuer],
    )?;
    Ok(row.is_some())
}

pub(super) fn accepted_from(tx: &mut dyn Read, acceptor: &Member) -> Result<Vec<i64>> {
    let rows = tx.query(
        "SELECT issuer_book FROM mall_acceptance WHERE book_id = $1 AND acceptor_book = $2
         ORDER BY issuer_book",
        params![acceptor.mall_book, acceptor.book_id],
    )?;
    rows.iter().map(|row| Ok(row.int(0)?)).collect()
}

pub(super) fn accepters_of(tx: &mut dyn Read, issuer: &Member) -> Result<Vec<i64>> {
    let rows = tx.query(
        "SELECT acceptor_book FROM mall_acceptance WHERE book_id = $1 AND issuer_book = $2
         ORDER BY acceptor_book",
        params![issuer.mall_book, issuer.book_id],
    )?;
    rows.iter().map(|row| Ok(row.int(0)?)).collect()
}

pub(super) fn insert_line(tx: &mut Tx<'_>, mall: i64, line: &Line) -> Result<()> {
    let money = &line.money;
    tx.put(
        "INSERT INTO settlement (book_id, event_id, kind, debtor_book, creditor_book, owed,
                                 received, residue, kept, royalty, drawn, means, debtor_entry,
                                 creditor_entry, mall_entry, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            mall,
            &line.event_id,
            line.kind.name(),
            line.debtor,
            line.creditor,
            money.owed.units(),
            money.received.units(),
            money.residue.units(),
            money.kept.units(),
            money.royalty.units(),
            money.drawn.units(),
            money.means.name(),
            line.debtor_entry,
            line.creditor_entry,
            line.mall_entry,
            line.at.0
        ],
    )?;
    Ok(())
}

fn line(row: &Row) -> Result<Line> {
    let event_id = row.uuid(0)?;
    let kind = LineKind::parse(row.text(1)?)
        .map_err(|e| Error::Corrupt(format!("settlement {event_id}: {e}")))?;
    let amount = |column| Ok::<_, Error>(Amount::from_units(row.int(column)?));
    Ok(Line {
        event_id,
        kind,
        debtor: row.int(2)?,
        creditor: row.int(3)?,
        money: Owed {
            owed: amount(4)?,
            received: amount(5)?,
            residue: amount(6)?,
            kept: amount(7)?,
            royalty: amount(8)?,
            drawn: amount(9)?,
            means: Settles::parse(row.text(10)?)
                .map_err(|e| Error::Corrupt(format!("settlement {event_id}: {e}")))?,
        },
        debtor_entry: row.int(11)?,
        creditor_entry: row.int(12)?,
        mall_entry: row.int(13)?,
        at: Timestamp(row.int(14)?),
    })
}

pub(super) fn line_of(tx: &mut dyn Read, mall: i64, event: uuid::Uuid) -> Result<Option<Line>> {
    let row = tx.query_opt(
        "SELECT event_id, kind, debtor_book, creditor_book, owed, received, residue, kept,
                royalty, drawn, means, debtor_entry, creditor_entry, mall_entry, recorded_at
         FROM settlement WHERE book_id = $1 AND event_id = $2",
        params![mall, &event],
    )?;
    row.map(|row| line(&row)).transpose()
}

pub(super) fn lines(
    tx: &mut dyn Read,
    mall: i64,
    member: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Line>> {
    let (first, end) = ids_between(from, to);
    let rows = tx.query(
        "SELECT event_id, kind, debtor_book, creditor_book, owed, received, residue, kept,
                royalty, drawn, means, debtor_entry, creditor_entry, mall_entry, recorded_at
         FROM settlement
         WHERE book_id = $1 AND event_id >= $2 AND event_id < $3
           AND (debtor_book = $4 OR creditor_book = $4)
           AND recorded_at >= $5 AND recorded_at < $6
         ORDER BY event_id",
        params![mall, &first, &end, member, from.0, to.0],
    )?;
    rows.iter().map(line).collect()
}

pub(super) fn all_lines(tx: &mut dyn Read, mall: i64) -> Result<Vec<Line>> {
    let rows = tx.query(
        "SELECT event_id, kind, debtor_book, creditor_book, owed, received, residue, kept,
                royalty, drawn, means, debtor_entry, creditor_entry, mall_entry, recorded_at
         FROM settlement WHERE book_id = $1 ORDER BY event_id",
        params![mall],
    )?;
    rows.iter().map(line).collect()
}

pub(super) fn transfers(
    tx: &mut dyn Read,
    mall: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Line>> {
    let (first, end) = ids_between(from, to);
    let rows = tx.query(
        "SELECT event_id, kind, debtor_book, creditor_book, owed, received, residue, kept,
                royalty, drawn, means, debtor_entry, creditor_entry, mall_entry, recorded_at
         FROM settlement
         WHERE book_id = $1 AND event_id >= $2 AND event_id < $3 AND means = 'transfer'
           AND recorded_at >= $4 AND recorded_at < $5
         ORDER BY event_id",
        params![mall, &first, &end, from.0, to.0],
    )?;
    rows.iter().map(line).collect()
}

pub(super) fn traffic(
    tx: &mut dyn Read,
    mall: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Traffic>> {
    let (first, end) = ids_between(from, to);
    let rows = tx.query(
        "SELECT debtor_book, creditor_book, kind, COUNT(*), CAST(SUM(owed + drawn) AS BIGINT),
                CAST(SUM(received) AS BIGINT), CAST(SUM(royalty) AS BIGINT)
         FROM settlement
         WHERE book_id = $1 AND event_id >= $2 AND event_id < $3
           AND recorded_at >= $4 AND recorded_at < $5
         GROUP BY debtor_book, creditor_book, kind
         ORDER BY debtor_book, creditor_book, kind",
        params![mall, &first, &end, from.0, to.0],
    )?;
    rows.iter()
        .map(|row| {
            let kind = LineKind::parse(row.text(2)?)
                .map_err(|e| Error::Corrupt(format!("settlement: {e}")))?;
            Ok(Traffic {
                debtor: row.int(0)?,
                creditor: row.int(1)?,
                kind,
                lines: row.int(3)?,
                owed: Amount::from_units(row.int(4)?),
                received: Amount::from_units(row.int(5)?),
                royalty: Amount::from_units(row.int(6)?),
            })
        })
        .collect()
}

pub(super) fn set_royalty_account(tx: &mut Tx<'_>, mall: i64, account: i64) -> Result<()> {
    tx.put(
        "UPDATE mall SET royalty_account = $2 WHERE book_id = $1",
        params![mall, account],
    )?;
    Ok(())
}

pub(super) fn set_rules(
    tx: &mut Tx<'_>,
    mall: i64,
    combines: bool,
    free_leaves: bool,
) -> Result<()> {
    tx.put(
        "UPDATE mall SET combines = $2, free_leaves = $3 WHERE book_id = $1",
        params![mall, combines, free_leaves],
    )?;
    Ok(())
}

pub(super) fn set_office(tx: &mut Tx<'_>, mall: i64, office: Option<i64>) -> Result<()> {
    tx.put(
        "UPDATE mall SET office_book = $2 WHERE book_id = $1",
        params![mall, office],
    )?;
    Ok(())
}

pub(super) fn office(tx: &mut dyn Read, mall: i64) -> Result<Option<i64>> {
    let row = tx.query_one(
        "SELECT office_book FROM mall WHERE book_id = $1",
        params![mall],
    )?;
    Ok(row.opt_int(0)?)
}

/// When a mall was made.
pub(super) fn created_at(tx: &mut dyn Read, mall: i64) -> Result<Timestamp> {
    let row = tx.query_one(
        "SELECT created_at FROM mall WHERE book_id = $1",
        params![mall],
    )?;
    Ok(Timestamp(row.int(0)?))
}

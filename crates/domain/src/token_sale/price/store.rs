//! The tables of packs, tiers and prices by country.

use super::{CountryPrice, Pack, PriceSet, Tier};
use crate::id::PackId;
use scrip_engine::{Read, Result, Row, Store, Timestamp, Tx, params};
use scrip_ledger::Amount;

fn pack_row(row: &Row) -> Result<Pack> {
    Ok(Pack {
        id: PackId::from_row(row, 0)?,
        name: row.text(1)?.to_owned(),
        tokens: Amount::from_units(row.int(2)?),
        price: row.opt_int(3)?.map(Amount::from_units),
        off: row.int(4)?,
        restriction: row.opt_text(5)?.map(str::to_owned),
        life_days: row.opt_int(6)?,
        country: row.text(7)?.to_owned(),
        sold_from: Timestamp(row.int(8)?),
        sold_until: Timestamp(row.int(9)?),
        version: row.int(10)?,
        changed_at: Timestamp(row.int(11)?),
    })
}

/// All packs of a vendor, the oldest first; few.
pub(super) fn packs(tx: &mut dyn Read, book: i64) -> Result<Vec<Pack>> {
    let rows = tx.query(
        "SELECT pack_id, name, tokens, price, off, restriction, life_days, country, sold_from,
                sold_until, version, changed_at
         FROM token_pack WHERE book_id = $1 ORDER BY pack_id",
        params![book],
    )?;
    rows.iter().map(pack_row).collect()
}

/// The vendor's row is the lock of all its prices.
pub(super) fn lock(tx: &mut Tx<'_>, book: i64) -> Result<()> {
    tx.query_locked(
        "SELECT book_id FROM vendor WHERE book_id = $1",
        params![book],
    )?;
    Ok(())
}

pub(super) fn put_pack(tx: &mut Tx<'_>, book: i64, pack: &Pack) -> Result<()> {
    tx.put(
        "INSERT INTO token_pack (book_id, pack_id, name, tokens, price, off, restriction,
           life_days, country, sold_from, sold_until, version, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (book_id, pack_id) DO UPDATE SET name = excluded.name,
           tokens = excluded.tokens, price = excluded.price, off = excluded.off,
           restriction = excluded.restriction, life_days = excluded.life_days,
           country = excluded.country, sold_from = excluded.sold_from,
           sold_until = excluded.sold_until, version = excluded.version,
           changed_at = excluded.changed_at",
        params![
            book,
            &pack.id,
            &pack.name,
            pack.tokens.units(),
            pack.price.map(Amount::units),
            pack.off,
            pack.restriction.as_deref(),
            pack.life_days,
            &pack.country,
            pack.sold_from.0,
            pack.sold_until.0,
            pack.version,
            pack.changed_at.0
        ],
    )
}

pub(super) fn tiers(tx: &mut dyn Read, book: i64) -> Result<Vec<Tier>> {
    let rows = tx.query(
        "SELECT preferred, from_tokens, off FROM token_tier WHERE book_id = $1
         ORDER BY preferred, from_tokens",
        params![book],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Tier {
                preferred: row.bool(0)?,
                from_tokens: Amount::from_units(row.int(1)?),
                off: row.int(2)?,
            })
        })
        .collect()
}

pub(super) fn set_tiers(tx: &mut Tx<'_>, book: i64, tiers: &[Tier]) -> Result<()> {
    tx.put("DELETE FROM token_tier WHERE book_id = $1", params![book])?;
    for tier in tiers {
        tx.put(
            "INSERT INTO token_tier (book_id, preferred, from_tokens, off)
             VALUES ($1, $2, $3, $4)",
            params![book, tier.preferred, tier.from_tokens.units(), tier.off],
        )?;
    }
    Ok(())
}

/// The price of a token in a country at a time; `None` where it is the general one.
pub(super) fn country_price_at(
    tx: &mut dyn Read,
    book: i64,
    country: &str,
    at: Timestamp,
) -> Result<Option<Amount>> {
    if country.is_empty() {
        return Ok(None);
    }
    let row = tx.query_opt(
        "SELECT price FROM token_country_price
         WHERE book_id = $1 AND country = $2 AND effective_at <= $3
         ORDER BY effective_at DESC LIMIT 1",
        params![book, country, at.0],
    )?;
    let price = row.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(price.map(Amount::from_units))
}

pub(super) fn set_country_price(tx: &mut Tx<'_>, book: i64, new: &CountryPrice) -> Result<()> {
    tx.put(
        "INSERT INTO token_country_price (book_id, country, effective_at, price)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id, country, effective_at) DO UPDATE SET price = excluded.price",
        params![
            book,
            &new.country,
            new.effective_at.0,
            new.price.map(Amount::units)
        ],
    )
}

/// All prices by country, each country's newest first.
pub(super) fn country_prices(
    tx: &mut dyn Read,
    book: i64,
    limit: i64,
) -> Result<Vec<CountryPrice>> {
    let rows = tx.query(
        "SELECT country, effective_at, price FROM token_country_price WHERE book_id = $1
         ORDER BY country, effective_at DESC LIMIT $2",
        params![book, limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(CountryPrice {
                country: row.text(0)?.to_owned(),
                effective_at: Timestamp(row.int(1)?),
                price: row.opt_int(2)?.map(Amount::from_units),
            })
        })
        .collect()
}

/// The general prices, newest first, earlier than `before`.
pub(super) fn history(
    tx: &mut dyn Read,
    book: i64,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<PriceSet>> {
    let rows = tx.query(
        "SELECT effective_at, price FROM token_price WHERE book_id = $1 AND effective_at < $2
         ORDER BY effective_at DESC LIMIT $3",
        params![book, before.0, limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(PriceSet {
                effective_at: Timestamp(row.int(0)?),
                price: Amount::from_units(row.int(1)?),
            })
        })
        .collect()
}

//! The tables of open tokens, groups and product lists.

use super::{Group, GroupMember, Issuer, Listed, OpenKind, OpenMoney, OpenToken, Result};
use crate::customer::Customer;
use crate::id::CustomerId;
use scrip_engine::{Error, Param, Query, Read, Row, Store, Timestamp, Tx, params};

fn token_row(row: &Row, at: usize) -> Result<OpenToken> {
    let column = |i: usize| at.saturating_add(i);
    Ok(OpenToken {
        asset_id: row.int(column(0))?,
        kind: OpenKind::parse(row.text(column(1))?)?,
        owner_book: row.int(column(2))?,
        group_no: row.int(column(3))?,
    })
}

pub(super) fn token(
    tx: &mut dyn Read,
    mall: i64,
    kind: OpenKind,
    owner: i64,
    group: i64,
) -> Result<Option<OpenToken>> {
    let row = tx.query_opt(
        "SELECT asset_id, kind, owner_book, group_no FROM open_token
         WHERE book_id = $1 AND kind = $2 AND owner_book = $3 AND group_no = $4",
        params![mall, kind.name(), owner, group],
    )?;
    row.map(|row| token_row(&row, 0)).transpose()
}

pub(super) fn insert_token(tx: &mut Tx<'_>, mall: i64, token: &OpenToken) -> Result<()> {
    tx.put(
        "INSERT INTO open_token (book_id, asset_id, kind, owner_book, group_no)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            mall,
            token.asset_id,
            token.kind.name(),
            token.owner_book,
            token.group_no
        ],
    )?;
    Ok(())
}

fn issuer_row(row: &Row, at: usize) -> Result<Issuer> {
    let column = |i: usize| at.saturating_add(i);
    Ok(Issuer {
        issued: row.int(column(0))?,
        spent: row.int(column(1))?,
        expired: row.int(column(2))?,
        discount_ppm: row.int(column(3))?,
    })
}

pub(super) fn issuer(
    tx: &mut dyn Read,
    mall: i64,
    asset: i64,
    debtor: i64,
) -> Result<Option<Issuer>> {
    let row = tx.query_opt(
        "SELECT issued, spent, expired, discount_ppm FROM open_issuer
         WHERE book_id = $1 AND asset_id = $2 AND debtor_book = $3",
        params![mall, asset, debtor],
    )?;
    row.map(|row| issuer_row(&row, 0)).transpose()
}

pub(super) fn issuers(tx: &mut dyn Read, mall: i64) -> Result<Vec<(OpenToken, i64, Issuer)>> {
    let rows = tx.query(
        "SELECT t.asset_id, t.kind, t.owner_book, t.group_no, i.debtor_book, i.issued, i.spent,
                i.expired, i.discount_ppm
         FROM open_issuer i
         JOIN open_token t ON t.book_id = i.book_id AND t.asset_id = i.asset_id
         WHERE i.book_id = $1 ORDER BY i.asset_id, i.debtor_book",
        params![mall],
    )?;
    let each = rows.iter();
    each.map(|row| Ok((token_row(row, 0)?, row.int(4)?, issuer_row(row, 5)?)))
        .collect()
}

pub(super) fn insert_issuer(
    tx: &mut Tx<'_>,
    mall: i64,
    asset: i64,
    debtor: i64,
    issuer: &Issuer,
) -> Result<()> {
    tx.put(
        "INSERT INTO open_issuer (book_id, asset_id, debtor_book, issued, spent, expired,
                                  discount_ppm)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            mall,
            asset,
            debtor,
            issuer.issued,
            issuer.spent,
            issuer.expired,
            issuer.discount_ppm
        ],
    )?;
    Ok(())
}

pub(super) fn set_discount(
    tx: &mut Tx<'_>,
    mall: i64,
    asset: i64,
    debtor: i64,
    ppm: i64,
) -> Result<()> {
    tx.put(
        "UPDATE open_issuer SET discount_ppm = $4
         WHERE book_id = $1 AND asset_id = $2 AND debtor_book = $3",
        params![mall, asset, debtor, ppm],
    )?;
    Ok(())
}

/// The account from which the tokens of a grant were issued.
pub(super) fn granted_by(tx: &mut dyn Read, mall: i64, grant: i64) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT debit_id FROM transfer WHERE book_id = $1 AND grant_id = $2
         ORDER BY transfer_id LIMIT 1",
        params![mall, grant],
    )?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(super) fn money(tx: &mut dyn Read, book: i64) -> Result<Option<OpenMoney>> {
    let row = tx.query_opt(
        "SELECT deferred, earned, breakage, sales, charges FROM open_money WHERE book_id = $1",
        params![book],
    )?;
    let row = row.map(|row| {
        Ok(OpenMoney {
            deferred: row.int(0)?,
            earned: row.int(1)?,
            breakage: row.int(2)?,
            sales: row.int(3)?,
            charges: row.int(4)?,
        })
    });
    row.transpose()
}

pub(super) fn insert_money(tx: &mut Tx<'_>, book: i64, money: &OpenMoney) -> Result<()> {
    tx.put(
        "INSERT INTO open_money (book_id, deferred, earned, breakage, sales, charges)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            book,
            money.deferred,
            money.earned,
            money.breakage,
            money.sales,
            money.charges
        ],
    )?;
    Ok(())
}

pub(super) fn wallet(
    tx: &mut dyn Read,
    mall: i64,
    customer: &Customer,
    (asset, debtor): (i64, i64),
) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT account_id FROM open_wallet
         WHERE book_id = $1 AND home_book = $2 AND customer_id = $3 AND asset_id = $4
           AND debtor_book = $5",
        params![mall, customer.book_id, &customer.customer_id, asset, debtor],
    )?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(super) fn insert_wallet(
    tx: &mut Tx<'_>,
    mall: i64,
    customer: &Customer,
    (asset, debtor): (i64, i64),
    account: i64,
) -> Result<()> {
    tx.put(
        "INSERT INTO open_wallet (book_id, home_book, customer_id, asset_id, debtor_book,
                                  account_id)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            mall,
            customer.book_id,
            &customer.customer_id,
            asset,
            debtor,
            account
        ],
    )?;
    Ok(())
}

/// Type, debtor and account of what a customer holds.
pub(super) fn wallets(
    tx: &mut dyn Read,
    mall: i64,
    home: i64,
    customer: CustomerId,
) -> Result<Vec<(OpenToken, i64, i64)>> {
    let rows = tx.query(
        "SELECT t.asset_id, t.kind, t.owner_book, t.group_no, w.debtor_book, w.account_id
         FROM open_wallet w
         JOIN open_token t ON t.book_id = w.book_id AND t.asset_id = w.asset_id
         WHERE w.book_id = $1 AND w.home_book = $2 AND w.customer_id = $3
         ORDER BY w.asset_id, w.debtor_book",
        params![mall, home, &customer],
    )?;
    let each = rows.iter();
    each.map(|row| Ok((token_row(row, 0)?, row.int(4)?, row.int(5)?)))
        .collect()
}

/// Who owes what stands in an account of the mall, and the debtor's account of what expired.
pub(super) fn owed_by(tx: &mut dyn Read, mall: i64, account: i64) -> Result<(i64, i64)> {
    let row = tx.query_opt(
        "SELECT i.debtor_book, i.expired FROM account a
         JOIN open_issuer i ON i.book_id = a.book_id AND i.asset_id = a.asset_id
            AND i.debtor_book = a.counterparty
         WHERE a.book_id = $1 AND a.account_id = $2",
        params![mall, account],
    )?;
    let missing = || Error::Corrupt(format!("account {account} of mall {mall} has no debtor"));
    let row = row.ok_or_else(missing)?;
    Ok((row.int(0)?, row.int(1)?))
}

pub(super) fn groups(tx: &mut dyn Read, mall: i64) -> Result<Vec<Group>> {
    let rows = tx.query(
        "SELECT group_no, slug, name FROM mall_group WHERE book_id = $1 ORDER BY group_no",
        params![mall],
    )?;
    let each = rows.iter().map(|row| {
        Ok(Group {
            group_no: row.int(0)?,
            slug: row.text(1)?.to_owned(),
            name: row.text(2)?.to_owned(),
        })
    });
    each.collect()
}

pub(super) fn insert_group(tx: &mut Tx<'_>, mall: i64, group: &Group) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO mall_group (book_id, group_no, slug, name, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![mall, group.group_no, &group.slug, &group.name, now.0],
    )?;
    Ok(())
}

pub(super) fn group_members(tx: &mut dyn Read, mall: i64) -> Result<Vec<GroupMember>> {
    let rows = tx.query(
        "SELECT group_no, member_book, joins_at, leaves_at FROM mall_group_member
         WHERE book_id = $1 ORDER BY group_no, member_book, joins_at",
        params![mall],
    )?;
    let each = rows.iter().map(|row| {
        Ok(GroupMember {
            group_no: row.int(0)?,
            member_book: row.int(1)?,
            joins_at: Timestamp(row.int(2)?),
            leaves_at: Timestamp(row.int(3)?),
        })
    });
    each.collect()
}

pub(super) fn insert_group_member(tx: &mut Tx<'_>, mall: i64, member: &GroupMember) -> Result<()> {
    tx.put(
        "INSERT INTO mall_group_member (book_id, group_no, member_book, joins_at, leaves_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            mall,
            member.group_no,
            member.member_book,
            member.joins_at.0,
            member.leaves_at.0
        ],
    )?;
    Ok(())
}

pub(super) fn end_group_member(tx: &mut Tx<'_>, mall: i64, group: i64, member: i64) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE mall_group_member SET leaves_at = $4
         WHERE book_id = $1 AND group_no = $2 AND member_book = $3 AND joins_at <= $4
           AND leaves_at > $4",
        params![mall, group, member, now.0],
    )?;
    Ok(())
}

/// The groups to which a member belongs now.
pub(super) fn groups_of(tx: &mut dyn Read, mall: i64, member: i64) -> Result<Vec<i64>> {
    let now = tx.now();
    let rows = tx.query(
        "SELECT group_no FROM mall_group_member
         WHERE book_id = $1 AND member_book = $2 AND joins_at <= $3 AND leaves_at > $3
         ORDER BY group_no",
        params![mall, member, now.0],
    )?;
    rows.iter().map(|row| Ok(row.int(0)?)).collect()
}

fn product_row(row: &Row) -> Result<Listed> {
    Ok(Listed {
        sku: row.text(0)?.to_owned(),
        maker_book: row.int(1)?,
        cap_ppm: row.int(2)?,
    })
}

pub(super) fn products(tx: &mut dyn Read, mall: i64) -> Result<Vec<Listed>> {
    let rows = tx.query(
        "SELECT sku, maker_book, cap_ppm FROM maker_product WHERE book_id = $1 ORDER BY sku",
        params![mall],
    )?;
    rows.iter().map(product_row).collect()
}

pub(super) fn listed(tx: &mut dyn Read, mall: i64, skus: &[&str]) -> Result<Vec<Listed>> {
    let params: Vec<[Param<'_>; 2]> = skus
        .iter()
        .map(|sku| [Param::Int(mall), Param::from(*sku)])
        .collect();
    let mut found = Vec::new();
    for some in params.chunks(500) {
        let queries: Vec<Query<'_>> = some.iter().map(|p| (LISTED, &p[..])).collect();
        for row in tx.query_all(&queries)?.iter().flatten() {
            found.push(product_row(row)?);
        }
    }
    Ok(found)
}

const LISTED: &str = "SELECT sku, maker_book, cap_ppm FROM maker_product
    WHERE book_id = $1 AND sku = $2";

/// False when another manufacturer lists it.
pub(super) fn put_product(tx: &mut Tx<'_>, mall: i64, product: &Listed) -> Result<bool> {
    let now = tx.now();
    let written = tx.execute_returning(
        "INSERT INTO maker_product (book_id, sku, maker_book, cap_ppm, listed_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (book_id, sku) DO UPDATE SET cap_ppm = excluded.cap_ppm
            WHERE maker_product.maker_book = excluded.maker_book
         RETURNING sku",
        params![
            mall,
            &product.sku,
            product.maker_book,
            product.cap_ppm,
            now.0
        ],
    )?;
    Ok(!written.is_empty())
}

/// False when it is not on the list.
pub(super) fn remove_product(tx: &mut Tx<'_>, mall: i64, maker: i64, sku: &str) -> Result<bool> {
    let removed = tx.execute(
        "DELETE FROM maker_product WHERE book_id = $1 AND maker_book = $2 AND sku = $3",
        params![mall, maker, sku],
    )?;
    Ok(removed > 0)
}

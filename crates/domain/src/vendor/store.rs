//! The vendor's tables.

use super::{
    Accounts, EntityKind, Hue, Limits, Mark, Quota, Result, Role, Sells, Staff, Storefront, Vendor,
};
use crate::id::StaffId;
use crate::secret::{Attempts, Kept};
use crate::text::TextError;
use scrip_engine::{Error as EngineError, Read, Row, Store, Timestamp, Tx, params};
use scrip_ledger::{Amount, asset_in};

const ALL: &str = "SELECT v.book_id, b.slug, b.name, v.token_id, v.currency_id, v.minimum_tokens,
    v.declines_allowed, v.refund_grace_s, v.issued_account, v.spent_account, v.expired_account,
    v.processor_account, v.deferred_account, v.kind, v.minimums,
    t.asset_id, t.code, t.kind, t.book_id, t.scale, c.asset_id, c.code, c.kind, c.book_id, c.scale
    FROM vendor v JOIN book b ON b.book_id = v.book_id JOIN asset t ON t.asset_id = v.token_id
        JOIN asset c ON c.asset_id = v.currency_id ORDER BY v.book_id";
const BY_SLUG: &str = "SELECT v.book_id, b.slug, b.name, v.token_id, v.currency_id,
    v.minimum_tokens, v.declines_allowed, v.refund_grace_s, v.issued_account, v.spent_account,
    v.expired_account, v.processor_account, v.deferred_account, v.kind, v.minimums,
    t.asset_id, t.code, t.kind, t.book_id, t.scale, c.asset_id, c.code, c.kind, c.book_id, c.scale
    FROM vendor v JOIN book b ON b.book_id = v.book_id JOIN asset t ON t.asset_id = v.token_id
        JOIN asset c ON c.asset_id = v.currency_id WHERE b.slug = $1";
const BY_BOOK: &str = "SELECT v.book_id, b.slug, b.name, v.token_id, v.currency_id,
    v.minimum_tokens, v.declines_allowed, v.refund_grace_s, v.issued_account, v.spent_account,
    v.expired_account, v.processor_account, v.deferred_account, v.kind, v.minimums,
    t.asset_id, t.code, t.kind, t.book_id, t.scale, c.asset_id, c.code, c.kind, c.book_id, c.scale
    FROM vendor v JOIN book b ON b.book_id = v.book_id JOIN asset t ON t.asset_id = v.token_id
        JOIN asset c ON c.asset_id = v.currency_id WHERE v.book_id = $1";

pub(super) fn insert(tx: &mut Tx<'_>, vendor: &Vendor, data_key: &[u8]) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO vendor (book_id, token_id, currency_id, minimum_tokens, declines_allowed,
           refund_grace_s, data_key, issued_account, spent_account, expired_account,
           processor_account, deferred_account, created_at, kind)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            vendor.book_id,
            vendor.token.asset_id,
            vendor.currency.asset_id,
            vendor.minimum_tokens.units(),
            vendor.declines_allowed,
            vendor.refund_grace_s,
            data_key,
            vendor.accounts.issued,
            vendor.accounts.spent,
            vendor.accounts.expired,
            vendor.accounts.processor,
            vendor.accounts.deferred,
            now.0,
            vendor.kind.name()
        ],
    )?;
    tx.put(
        "INSERT INTO counter (book_id, name, value) VALUES ($1, 'customer', 0)",
        params![vendor.book_id],
    )?;
    Ok(())
}

fn vendor(row: &Row) -> Result<Vendor> {
    Ok(Vendor {
        book_id: row.int(0)?,
        slug: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        token: asset_in(row, 15)?,
        currency: asset_in(row, 20)?,
        minimum_tokens: Amount::from_units(row.int(5)?),
        declines_allowed: row.int(6)?,
        refund_grace_s: row.int(7)?,
        kind: EntityKind::parse(row.text(13)?)?,
        minimums: row.text(14)?.parse()?,
        accounts: Accounts {
            issued: row.int(8)?,
            spent: row.int(9)?,
            expired: row.int(10)?,
            processor: row.int(11)?,
            deferred: row.int(12)?,
        },
    })
}

pub(super) fn all(tx: &mut dyn Read) -> Result<Vec<Vendor>> {
    let rows = tx.query(ALL, params![])?;
    rows.iter().map(vendor).collect()
}

pub(super) fn by_slug(tx: &mut dyn Read, slug: &str) -> Result<Option<Vendor>> {
    let row = tx.query_opt(BY_SLUG, params![slug])?;
    row.map(|row| vendor(&row)).transpose()
}

pub(super) fn by_book(tx: &mut dyn Read, book_id: i64) -> Result<Option<Vendor>> {
    let row = tx.query_opt(BY_BOOK, params![book_id])?;
    row.map(|row| vendor(&row)).transpose()
}

pub(super) fn data_key(tx: &mut dyn Read, book_id: i64) -> Result<Vec<u8>> {
    let row = tx.query_one(
        "SELECT data_key FROM vendor WHERE book_id = $1",
        params![book_id],
    )?;
    Ok(row.blob(0)?.to_vec())
}

pub(super) fn set_price(
    tx: &mut Tx<'_>,
    book_id: i64,
    price: Amount,
    effective_at: Timestamp,
) -> Result<()> {
    tx.put(
        "INSERT INTO token_price (book_id, effective_at, price) VALUES ($1, $2, $3)
         ON CONFLICT (book_id, effective_at) DO UPDATE SET price = excluded.price",
        params![book_id, effective_at.0, price.units()],
    )?;
    Ok(())
}

pub(super) fn price_at(tx: &mut dyn Read, book_id: i64, at: Timestamp) -> Result<Amount> {
    let row = tx.query_one(
        "SELECT price FROM token_price WHERE book_id = $1 AND effective_at <= $2
         ORDER BY effective_at DESC LIMIT 1",
        params![book_id, at.0],
    )?;
    Ok(Amount::from_units(row.int(0)?))
}

pub(super) fn set_taxed(
    tx: &mut Tx<'_>,
    book_id: i64,
    is_taxed: bool,
) -> std::result::Result<(), scrip_engine::Error> {
    tx.put(
        "UPDATE vendor SET is_taxed = $2 WHERE book_id = $1",
        params![book_id, is_taxed],
    )
}

pub(super) fn set_threshold(
    tx: &mut Tx<'_>,
    book_id: i64,
    threshold: Option<Amount>,
) -> std::result::Result<(), EngineError> {
    tx.put(
        "UPDATE vendor SET threshold = $2 WHERE book_id = $1",
        params![book_id, threshold.map(Amount::units)],
    )
}

pub(super) fn insert_staff(tx: &mut Tx<'_>, book_id: i64, staff: &Staff) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO staff (book_id, staff_id, name, role, created_at) VALUES ($1, $2, $3, $4, $5)",
        params![
            book_id,
            &staff.staff_id,
            &staff.name,
            staff.role.name(),
            now.0
        ],
    )?;
    Ok(())
}

pub(super) fn staff_by_name(tx: &mut dyn Read, book_id: i64, name: &str) -> Result<Option<Staff>> {
    let row = tx.query_opt(
        "SELECT staff_id, name, role, ended_at FROM staff WHERE book_id = $1 AND name = $2",
        params![book_id, name],
    )?;
    row.map(|row| staff(&row)).transpose()
}

pub(super) fn staff_by_id(tx: &mut dyn Read, book_id: i64, id: StaffId) -> Result<Option<Staff>> {
    let row = tx.query_opt(
        "SELECT staff_id, name, role, ended_at FROM staff WHERE book_id = $1 AND staff_id = $2",
        params![book_id, &id],
    )?;
    row.map(|row| staff(&row)).transpose()
}

pub(super) fn staff_list(tx: &mut dyn Read, book_id: i64) -> Result<Vec<Staff>> {
    let rows = tx.query(
        "SELECT staff_id, name, role, ended_at FROM staff WHERE book_id = $1 ORDER BY name",
        params![book_id],
    )?;
    rows.iter().map(staff).collect()
}

fn staff(row: &Row) -> Result<Staff> {
    let staff_id = StaffId::from_row(row, 0)?;
    let role = row.text(2)?;
    let known = Role::parse(role);
    Ok(Staff {
        staff_id,
        name: row.text(1)?.to_owned(),
        role: known.map_err(|_| EngineError::Corrupt(format!("role {role:?} of {staff_id}")))?,
        ended_at: row.opt_int(3)?.map(Timestamp),
    })
}

pub(super) fn set_staff_role(tx: &mut Tx<'_>, book: i64, id: StaffId, role: Role) -> Result<()> {
    tx.put(
        "UPDATE staff SET role = $3 WHERE book_id = $1 AND staff_id = $2",
        params![book, &id, role.name()],
    )?;
    Ok(())
}

pub(super) fn set_staff_ended(
    tx: &mut Tx<'_>,
    book: i64,
    id: StaffId,
    at: Option<Timestamp>,
) -> Result<()> {
    tx.put(
        "UPDATE staff SET ended_at = $3 WHERE book_id = $1 AND staff_id = $2",
        params![book, &id, at.map(|at| at.0)],
    )?;
    Ok(())
}

pub(super) fn drop_staff_secret(tx: &mut Tx<'_>, book: i64, id: StaffId) -> Result<()> {
    tx.put(
        "DELETE FROM staff_credential WHERE book_id = $1 AND staff_id = $2",
        params![book, &id],
    )?;
    Ok(())
}

pub(super) fn owners_with_password(tx: &mut dyn Read, book: i64) -> Result<Vec<StaffId>> {
    let rows = tx.query(
        "SELECT s.staff_id FROM staff s
         JOIN staff_credential c ON c.book_id = s.book_id AND c.staff_id = s.staff_id
         WHERE s.book_id = $1 AND s.role = 'owner' AND s.ended_at IS NULL",
        params![book],
    )?;
    rows.iter()
        .map(|row| Ok(StaffId::from_row(row, 0)?))
        .collect()
}

pub(super) fn set_staff_secret(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: StaffId,
    hash: &str,
) -> Result<()> {
    let now = tx.now();
    tx.put(
        "INSERT INTO staff_credential (book_id, staff_id, hash, failures, locked_until, changed_at)
         VALUES ($1, $2, $3, 0, 0, $4)
         ON CONFLICT (book_id, staff_id) DO UPDATE SET hash = excluded.hash, failures = 0,
            locked_until = 0, changed_at = excluded.changed_at",
        params![book_id, &id, hash, now.0],
    )?;
    Ok(())
}

pub(super) fn staff_secret_locked(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: StaffId,
) -> Result<Option<Kept>> {
    let rows = tx.query_locked(
        "SELECT hash, failures, locked_until FROM staff_credential
         WHERE book_id = $1 AND staff_id = $2",
        params![book_id, &id],
    )?;
    rows.first()
        .map(|row| {
            Ok(Kept {
                hash: row.text(0)?.to_owned(),
                attempts: Attempts {
                    failures: row.int(1)?,
                    locked_until: Timestamp(row.int(2)?),
                },
            })
        })
        .transpose()
}

pub(super) fn set_staff_attempts(
    tx: &mut Tx<'_>,
    book_id: i64,
    id: StaffId,
    attempts: Attempts,
) -> Result<()> {
    tx.put(
        "UPDATE staff_credential SET failures = $3, locked_until = $4
         WHERE book_id = $1 AND staff_id = $2",
        params![book_id, &id, attempts.failures, attempts.locked_until.0],
    )?;
    Ok(())
}

pub(super) fn storefront(tx: &mut dyn Read, book_id: i64) -> Result<Option<Storefront>> {
    let row = tx.query_opt(
        "SELECT hue, mark, headline, introduction, sells, sells_both FROM storefront
         WHERE book_id = $1",
        params![book_id],
    )?;
    let corrupt = |e: TextError| EngineError::Corrupt(format!("storefront of book {book_id}: {e}"));
    row.map(|row| {
        Ok(Storefront {
            hue: Hue::parse(row.text(0)?).map_err(corrupt)?,
            mark: Mark::parse(row.text(1)?).map_err(corrupt)?,
            headline: row.text(2)?.to_owned(),
            introduction: row.text(3)?.to_owned(),
            sells: match row.bool(5)? {
                true => Sells::Both,
                false => Sells::parse(row.text(4)?).map_err(corrupt)?,
            },
        })
    })
    .transpose()
}

pub(super) fn set_storefront(tx: &mut Tx<'_>, book_id: i64, new: &Storefront) -> Result<()> {
    tx.put(
        "INSERT INTO storefront (book_id, hue, mark, headline, introduction, sells, sells_both)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (book_id) DO UPDATE SET hue = excluded.hue, mark = excluded.mark,
            headline = excluded.headline, introduction = excluded.introduction,
            sells = excluded.sells, sells_both = excluded.sells_both",
        params![
            book_id,
            new.hue.name(),
            new.mark.name(),
            &new.headline,
            &new.introduction,
            match new.sells {
                Sells::Software => "software",
                Sells::Goods | Sells::Both => "goods",
            },
            new.sells == Sells::Both
        ],
    )?;
    // What a product usually is has perhaps changed.
    tx.put(
        "INSERT INTO shelf_due (book_id, product_id)
         SELECT book_id, product_id FROM product WHERE book_id = $1
         ON CONFLICT (book_id, product_id) DO NOTHING",
        params![book_id],
    )?;
    Ok(())
}

pub(super) fn limits_locked(tx: &mut Tx<'_>, book_id: i64) -> Result<Limits> {
    let rows = tx.query_locked(
        "SELECT minimum_tokens, declines_allowed, refund_grace_s, minimums FROM vendor
         WHERE book_id = $1",
        params![book_id],
    )?;
    let row = rows
        .first()
        .ok_or_else(|| EngineError::Corrupt(format!("no vendor of book {book_id}")))?;
    Ok(Limits {
        minimum_tokens: Amount::from_units(row.int(0)?),
        declines_allowed: row.int(1)?,
        refund_grace_s: row.int(2)?,
        minimums: row.text(3)?.parse()?,
    })
}

pub(super) fn set_limits(tx: &mut Tx<'_>, book_id: i64, new: &Limits) -> Result<()> {
    tx.put(
        "UPDATE vendor SET minimum_tokens = $2, declines_allowed = $3, refund_grace_s = $4,
            minimums = $5
         WHERE book_id = $1",
        params![
            book_id,
            new.minimum_tokens.units(),
            new.declines_allowed,
            new.refund_grace_s,
            &new.minimums.to_string()
        ],
    )?;
    Ok(())
}

/// One that is under way begins again: the minimum is lower still.
pub(super) fn begin_sweep(tx: &mut Tx<'_>, book_id: i64) -> Result<()> {
    tx.put(
        "INSERT INTO activation_sweep (book_id, after_serial) VALUES ($1, -1)
         ON CONFLICT (book_id) DO UPDATE SET after_serial = excluded.after_serial",
        params![book_id],
    )?;
    Ok(())
}

pub(super) fn sweep(tx: &mut dyn Read, book_id: i64) -> Result<Option<i64>> {
    let row = tx.query_opt(
        "SELECT after_serial FROM activation_sweep WHERE book_id = $1",
        params![book_id],
    )?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(super) fn quota(tx: &mut dyn Read, book_id: i64) -> Result<Option<Quota>> {
    let row = tx.query_opt(
        "SELECT authorised, issued, is_stopped FROM issue_quota WHERE book_id = $1",
        params![book_id],
    )?;
    row.map(|row| quota_row(&row)).transpose()
}

fn quota_row(row: &Row) -> Result<Quota> {
    Ok(Quota {
        authorised: row.opt_int(0)?.map(Amount::from_units),
        issued: Amount::from_units(row.int(1)?),
        is_stopped: row.bool(2)?,
    })
}

pub(super) fn quota_locked(tx: &mut Tx<'_>, book_id: i64) -> Result<Option<Quota>> {
    let rows = tx.query_locked(
        "SELECT authorised, issued, is_stopped FROM issue_quota WHERE book_id = $1",
        params![book_id],
    )?;
    rows.first().map(quota_row).transpose()
}

pub(super) fn set_quota(tx: &mut Tx<'_>, book_id: i64, quota: &Quota) -> Result<()> {
    tx.put(
        "INSERT INTO issue_quota (book_id, authorised, issued, is_stopped)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (book_id) DO UPDATE SET authorised = excluded.authorised,
            issued = excluded.issued, is_stopped = excluded.is_stopped",
        params![
            book_id,
            quota.authorised.map(Amount::units),
            quota.issued.units(),
            quota.is_stopped
        ],
    )?;
    Ok(())
}

/// False when it does not fit, or nothing may be issued. The row decides, so that two sales at once
/// cannot pass the limit together.
pub(super) fn take_quota(tx: &mut Tx<'_>, book_id: i64, tokens: Amount) -> Result<bool> {
    let rows = tx.execute_returning(
        "UPDATE issue_quota SET issued = issued + $2
         WHERE book_id = $1 AND is_stopped = 0 AND issued + $2 <= authorised
         RETURNING book_id",
        params![book_id, tokens.units()],
    )?;
    Ok(!rows.is_empty())
}

pub(super) fn give_back_quota(
    tx: &mut Tx<'_>,
    book_id: i64,
    tokens: Amount,
) -> std::result::Result<(), EngineError> {
    tx.put(
        "UPDATE issue_quota SET issued = issued - $2
         WHERE book_id = $1 AND authorised IS NOT NULL",
        params![book_id, tokens.units()],
    )
}

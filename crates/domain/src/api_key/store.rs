//! The keys' table.

use super::{ApiKey, Scope};
use crate::id::ApiKeyId;
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};

pub(super) fn insert(tx: &mut Tx<'_>, key: &ApiKey, secret_hash: &[u8]) -> Result<()> {
    let scopes: Vec<_> = key.scopes.iter().map(|s| s.name()).collect();
    tx.put(
        "INSERT INTO api_key (book_id, key_id, secret_hash, name, scopes, created_at, created_by,
                              expires_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
        params![
            key.book_id,
            &key.key_id,
            secret_hash,
            &key.name,
            &scopes.join(" "),
            key.created_at.0,
            &key.created_by,
            key.expires_at.unwrap_or(Timestamp::NEVER).0
        ],
    )
}

fn key(row: &Row) -> Result<ApiKey> {
    let key_id = ApiKeyId::from_row(row, 1)?;
    let scopes = row.text(3)?.split_whitespace().map(|name| {
        Scope::parse(name)
            .map_err(|_| Error::Corrupt(format!("scope {name:?} of the key {key_id}")))
    });
    Ok(ApiKey {
        key_id,
        book_id: row.int(0)?,
        name: row.text(2)?.to_owned(),
        scopes: scopes.collect::<Result<_>>()?,
        created_at: Timestamp(row.int(4)?),
        created_by: row.text(5)?.to_owned(),
        expires_at: Some(Timestamp(row.int(6)?)).filter(|at| *at != Timestamp::NEVER),
        revoked_at: row.opt_int(7)?.map(Timestamp),
    })
}

/// The key, and the hash of its text.
pub(super) fn by_id_with_hash(
    tx: &mut dyn Read,
    book: i64,
    id: ApiKeyId,
) -> Result<Option<(ApiKey, Vec<u8>)>> {
    let row = tx.query_opt(
        "SELECT book_id, key_id, name, scopes, created_at, created_by, expires_at, revoked_at,
                secret_hash
         FROM api_key WHERE book_id = $1 AND key_id = $2",
        params![book, &id],
    )?;
    row.map(|row| Ok((key(&row)?, row.blob(8)?.to_vec())))
        .transpose()
}

pub(super) fn by_id_locked(tx: &mut Tx<'_>, book: i64, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let rows = tx.query_locked(
        "SELECT book_id, key_id, name, scopes, created_at, created_by, expires_at, revoked_at
         FROM api_key WHERE book_id = $1 AND key_id = $2",
        params![book, &id],
    )?;
    rows.first().map(key).transpose()
}

pub(super) fn list(
    tx: &mut dyn Read,
    book: i64,
    after: ApiKeyId,
    limit: usize,
) -> Result<Vec<ApiKey>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.query(
        "SELECT book_id, key_id, name, scopes, created_at, created_by, expires_at, revoked_at
         FROM api_key WHERE book_id = $1 AND key_id > $2 ORDER BY key_id LIMIT $3",
        params![book, &after, limit],
    )?;
    rows.iter().map(key).collect()
}

pub(super) fn set_revoked(tx: &mut Tx<'_>, book: i64, id: ApiKeyId) -> Result<()> {
    let now = tx.now();
    tx.put(
        "UPDATE api_key SET revoked_at = $3 WHERE book_id = $1 AND key_id = $2",
        params![book, &id, now.0],
    )
}

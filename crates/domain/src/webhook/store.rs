//! The table of webhook endpoints.

use super::{Endpoint, EndpointState};
use crate::id::EndpointId;
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};

fn endpoint(row: &Row) -> Result<Endpoint> {
    let state = row.text(5)?;
    let topics = row.text(4)?.split_whitespace().map(str::to_owned);
    Ok(Endpoint {
        book_id: row.int(0)?,
        endpoint_id: EndpointId::from_row(row, 1)?,
        url: row.text(2)?.to_owned(),
        description: row.text(3)?.to_owned(),
        topics: topics.collect(),
        state: EndpointState::parse(state)
            .map_err(|e| Error::Corrupt(format!("webhook endpoint: {e}")))?,
        reason: row.text(6)?.to_owned(),
        failures: row.int(7)?,
        retry_at: Timestamp(row.int(8)?),
        old_secret_until: Timestamp(row.int(9)?),
        created_at: Timestamp(row.int(10)?),
        created_by: row.text(11)?.to_owned(),
    })
}

pub(super) fn all(tx: &mut dyn Read, book: i64) -> Result<Vec<Endpoint>> {
    let rows = tx.query(
        "SELECT book_id, endpoint_id, url, description, events, state, reason, failures, retry_at,
                old_secret_until, created_at, created_by
         FROM webhook_endpoint WHERE book_id = $1 ORDER BY endpoint_id",
        params![book],
    )?;
    rows.iter().map(endpoint).collect()
}

pub(super) fn by_id(tx: &mut dyn Read, book: i64, id: EndpointId) -> Result<Option<Endpoint>> {
    let row = tx.query_opt(
        "SELECT book_id, endpoint_id, url, description, events, state, reason, failures, retry_at,
                old_secret_until, created_at, created_by
         FROM webhook_endpoint WHERE book_id = $1 AND endpoint_id = $2",
        params![book, &id],
    )?;
    row.as_ref().map(endpoint).transpose()
}

pub(super) fn insert(tx: &mut Tx<'_>, new: &Endpoint, secret: &[u8]) -> Result<()> {
    let events = new.topics.join(" ");
    tx.put(
        "INSERT INTO webhook_endpoint (book_id, endpoint_id, url, description, events, secret,
            old_secret, old_secret_until, state, reason, failures, retry_at, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, NULL, 0, $7, '', 0, 0, $8, $9)",
        params![
            new.book_id,
            &new.endpoint_id,
            &new.url,
            &new.description,
            &events,
            secret,
            new.state.name(),
            new.created_at.0,
            &new.created_by
        ],
    )
}

/// The new secret signs, and the old one until its time is over.
pub(super) fn rotate(tx: &mut Tx<'_>, endpoint: &Endpoint, secret: &[u8]) -> Result<()> {
    tx.put(
        "UPDATE webhook_endpoint SET old_secret = secret, secret = $3, old_secret_until = $4
         WHERE book_id = $1 AND endpoint_id = $2",
        params![
            endpoint.book_id,
            &endpoint.endpoint_id,
            secret,
            endpoint.old_secret_until.0
        ],
    )
}

/// The encrypted secrets that sign at a time, the newest first.
pub(super) fn secrets(
    tx: &mut dyn Read,
    book: i64,
    id: EndpointId,
    at: Timestamp,
) -> Result<Vec<Vec<u8>>> {
    let row = tx.query_opt(
        "SELECT secret, old_secret, old_secret_until FROM webhook_endpoint
         WHERE book_id = $1 AND endpoint_id = $2",
        params![book, &id],
    )?;
    let Some(row) = row else {
        return Ok(Vec::new());
    };
    let mut secrets = vec![row.blob(0)?.to_vec()];
    if let Some(old) = row
        .opt_blob(1)?
        .filter(|_| row.int(2).is_ok_and(|t| at.0 < t))
    {
        secrets.push(old.to_vec());
    }
    Ok(secrets)
}

pub(super) fn set_state(tx: &mut Tx<'_>, endpoint: &Endpoint) -> Result<()> {
    tx.put(
        "UPDATE webhook_endpoint SET state = $3, reason = $4, failures = $5, retry_at = $6
         WHERE book_id = $1 AND endpoint_id = $2",
        params![
            endpoint.book_id,
            &endpoint.endpoint_id,
            endpoint.state.name(),
            &endpoint.reason,
            endpoint.failures,
            endpoint.retry_at.0
        ],
    )
}

pub(super) fn delete(tx: &mut Tx<'_>, book: i64, id: EndpointId) -> Result<()> {
    tx.put(
        "DELETE FROM webhook_endpoint WHERE book_id = $1 AND endpoint_id = $2",
        params![book, &id],
    )
}

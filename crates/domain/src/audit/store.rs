//! The table of the audit trail.

use super::{Filter, Noted};
use scrip_engine::{Error, Read, Result, Row, Store, Timestamp, Tx, params};
use uuid::Uuid;

pub(super) fn insert(tx: &mut Tx<'_>, book: i64, noted: &Noted) -> Result<()> {
    let detail = noted.detail.to_string();
    tx.put(
        "INSERT INTO audit (book_id, audit_id, actor, action, subject, detail, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            book,
            &noted.id,
            &noted.actor,
            &noted.action,
            &noted.subject,
            &detail,
            noted.at.0
        ],
    )
}

const ALL: &str = "SELECT audit_id, actor, action, subject, detail, at FROM audit
    WHERE book_id = $1 AND audit_id < $2 ORDER BY audit_id DESC LIMIT $3";
const BY_ACTOR: &str = "SELECT audit_id, actor, action, subject, detail, at FROM audit
    WHERE book_id = $1 AND audit_id < $2 AND actor = $4 ORDER BY audit_id DESC LIMIT $3";
const BY_SUBJECT: &str = "SELECT audit_id, actor, action, subject, detail, at FROM audit
    WHERE book_id = $1 AND audit_id < $2 AND subject = $4 ORDER BY audit_id DESC LIMIT $3";
const BY_BOTH: &str = "SELECT audit_id, actor, action, subject, detail, at FROM audit
    WHERE book_id = $1 AND audit_id < $2 AND subject = $4 AND actor = $5
    ORDER BY audit_id DESC LIMIT $3";

pub(super) fn find(
    tx: &mut dyn Read,
    book: i64,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Noted>> {
    let before = before.unwrap_or(Uuid::max());
    let rows = match (&filter.actor, &filter.subject) {
        (None, None) => tx.query(ALL, params![book, &before, limit])?,
        (Some(actor), None) => tx.query(BY_ACTOR, params![book, &before, limit, actor])?,
        (None, Some(subject)) => tx.query(BY_SUBJECT, params![book, &before, limit, subject])?,
        (Some(actor), Some(subject)) => {
            tx.query(BY_BOTH, params![book, &before, limit, subject, actor])?
        }
    };
    rows.iter().map(noted).collect()
}

fn noted(row: &Row) -> Result<Noted> {
    let id = row.uuid(0)?;
    Ok(Noted {
        id,
        actor: row.text(1)?.to_owned(),
        action: row.text(2)?.to_owned(),
        subject: row.text(3)?.to_owned(),
        detail: serde_json::from_str(row.text(4)?)
            .map_err(|e| Error::Corrupt(format!("detail of audit {id}: {e}")))?,
        at: Timestamp(row.int(5)?),
    })
}

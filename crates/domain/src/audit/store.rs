//! The table of the audit trail.

use super::{Filter, Noted};
use crate::id::AuditId;
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

macro_rules! lines_where {
    ($filter:literal) => {
        concat!(
            "SELECT audit_id, actor, action, subject, detail, at FROM audit
             WHERE book_id = $1 AND audit_id < $2 ",
            $filter,
            " ORDER BY audit_id DESC LIMIT $3"
        )
    };
}

// Each is answered by one index, whose lines come in their order. Few lines are about one subject,
// so those are looked through; the concatenation keeps the other indexes out of it.
const ALL: &str = lines_where!("");
const BY_ACTOR: &str = lines_where!("AND actor = $4");
const BY_ACTION: &str = lines_where!("AND action = $4");
const BY_ACTOR_ACTION: &str = lines_where!("AND actor = $4 AND action = $5");
const BY_SUBJECT: &str = lines_where!("AND subject = $4");
const BY_SUBJECT_ACTOR: &str = lines_where!("AND subject = $4 AND actor || '' = $5");
const BY_SUBJECT_ACTION: &str = lines_where!("AND subject = $4 AND action || '' = $5");
const BY_EACH: &str = lines_where!("AND subject = $4 AND actor || '' = $5 AND action || '' = $6");

pub(super) fn find(
    tx: &mut dyn Read,
    book: i64,
    filter: &Filter,
    before: Option<AuditId>,
    limit: i64,
) -> Result<Vec<Noted>> {
    let before = before.unwrap_or(AuditId(Uuid::max()));
    let rows = match (&filter.subject, &filter.actor, &filter.action) {
        (None, None, None) => tx.query(ALL, params![book, &before, limit])?,
        (None, Some(actor), None) => tx.query(BY_ACTOR, params![book, &before, limit, actor])?,
        (None, None, Some(action)) => tx.query(BY_ACTION, params![book, &before, limit, action])?,
        (None, Some(actor), Some(action)) => tx.query(
            BY_ACTOR_ACTION,
            params![book, &before, limit, actor, action],
        )?,
        (Some(subject), None, None) => {
            tx.query(BY_SUBJECT, params![book, &before, limit, subject])?
        }
        (Some(subject), Some(actor), None) => tx.query(
            BY_SUBJECT_ACTOR,
            params![book, &before, limit, subject, actor],
        )?,
        (Some(subject), None, Some(action)) => tx.query(
            BY_SUBJECT_ACTION,
            params![book, &before, limit, subject, action],
        )?,
        (Some(subject), Some(actor), Some(action)) => tx.query(
            BY_EACH,
            params![book, &before, limit, subject, actor, action],
        )?,
    };
    rows.iter().map(noted).collect()
}

fn noted(row: &Row) -> Result<Noted> {
    let id = AuditId::from_row(row, 0)?;
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

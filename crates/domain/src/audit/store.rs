//! The table of the audit trail.

use super::{Filter, Noted};
use crate::id::{AuditId, ids_between};
use scrip_engine::{Error, Param, Read, Result, Row, Store, Timestamp, Tx, params};
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
             WHERE book_id = $1 AND audit_id < $2 AND audit_id >= $3 AND at >= $4 AND at < $5 ",
            $filter,
            " ORDER BY audit_id DESC LIMIT $6"
        )
    };
}

// Each is answered by one index, whose lines come in their order. Few lines are about one subject,
// so those are looked through; the concatenation keeps the other indexes out of it.
const ALL: &str = lines_where!("");
const BY_ACTOR: &str = lines_where!("AND actor = $7");
const BY_ACTION: &str = lines_where!("AND action = $7");
const BY_ACTOR_ACTION: &str = lines_where!("AND actor = $7 AND action = $8");
const BY_SUBJECT: &str = lines_where!("AND subject = $7");
const BY_SUBJECT_ACTOR: &str = lines_where!("AND subject = $7 AND actor || '' = $8");
const BY_SUBJECT_ACTION: &str = lines_where!("AND subject = $7 AND action || '' = $8");
const BY_EACH: &str = lines_where!("AND subject = $7 AND actor || '' = $8 AND action || '' = $9");

pub(super) fn find(
    tx: &mut dyn Read,
    book: i64,
    filter: &Filter,
    before: Option<AuditId>,
    limit: i64,
) -> Result<Vec<Noted>> {
    let from = filter.from.unwrap_or(Timestamp(i64::MIN));
    let to = filter.to.unwrap_or(Timestamp(i64::MAX));
    // Ids rise with time: the index is read no further than the span goes.
    let (low, high) = ids_between(from, to);
    let high = if filter.to.is_some() {
        high
    } else {
        Uuid::max()
    };
    let before = AuditId(before.map_or(high, |before| before.0.min(high)));
    let low = AuditId(low);
    let mut all: Vec<Param<'_>> = params![book, &before, &low, from.0, to.0, limit].to_vec();
    let asked = [&filter.subject, &filter.actor, &filter.action];
    all.extend(asked.into_iter().flatten().map(|text| Param::Text(text)));
    let sql = match (&filter.subject, &filter.actor, &filter.action) {
        (None, None, None) => ALL,
        (None, Some(_), None) => BY_ACTOR,
        (None, None, Some(_)) => BY_ACTION,
        (None, Some(_), Some(_)) => BY_ACTOR_ACTION,
        (Some(_), None, None) => BY_SUBJECT,
        (Some(_), Some(_), None) => BY_SUBJECT_ACTOR,
        (Some(_), None, Some(_)) => BY_SUBJECT_ACTION,
        (Some(_), Some(_), Some(_)) => BY_EACH,
    };
    tx.query(sql, &all)?.iter().map(noted).collect()
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

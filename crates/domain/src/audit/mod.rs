//! Who did what for the vendor, and when: the audit trail.
//!
//! Every command that changes something on the vendor's behalf notes it in its own transaction, so
//! the trail has what happened and nothing else. Details carry ids, amounts and settings, never
//! personal data: the trail outlives the erasure of a person.

mod store;

use crate::Actor;
use crate::id::AuditId;
use crate::page::Page;
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use serde_json::Value;

/// What is asked of the trail; an empty filter shows all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By whom: an actor's id, or `system`.
    pub actor: Option<String>,
    /// About what: an id.
    pub subject: Option<String>,
    /// What was done: `noun.verb`.
    pub action: Option<String>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Its id; ids rise with time.
    pub id: AuditId,
    /// By whom: an actor's id, or `system`.
    pub actor: String,
    /// What was done: `noun.verb`.
    pub action: String,
    /// To what: an id; empty for what concerns the whole vendor.
    pub subject: String,
    /// What was set, from what and to what.
    pub detail: Value,
    /// When.
    pub at: Timestamp,
}

/// Notes an action (`customer.closed`, `policy.changed`) in the transaction that does it. Nothing
/// is noted of customers who act for themselves: their orders and entries say who gave them.
pub fn note(
    tx: &mut Tx<'_>,
    book_id: i64,
    actor: Actor,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), EngineError> {
    if !actor.for_vendor() {
        return Ok(());
    }
    note_always(tx, book_id, actor, action, subject, detail)
}

/// Like [`note`], of customers too: for what bears on the safety of an account (a changed PIN).
pub fn note_always(
    tx: &mut Tx<'_>,
    book_id: i64,
    actor: Actor,
    action: &str,
    subject: &str,
    detail: &Value,
) -> Result<(), EngineError> {
    let noted = Noted {
        id: AuditId(tx.new_id()?),
        actor: actor.to_string(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: detail.clone(),
        at: tx.now(),
    };
    store::insert(tx, book_id, &noted)
}

/// The trail, newest first: `limit` lines older than `before`.
pub fn trail(
    tx: &mut dyn Read,
    book_id: i64,
    filter: &Filter,
    before: Option<AuditId>,
    limit: usize,
) -> Result<Page<Noted, AuditId>, EngineError> {
    let asked = [&filter.actor, &filter.subject, &filter.action];
    // No text that is kept has a zero byte, and no database is asked for one.
    if asked.into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok(Page::of(Vec::new(), limit, |noted: &Noted| noted.id));
    }
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::find(tx, book_id, filter, before, further)?;
    Ok(Page::of(found, limit, |noted| noted.id))
}

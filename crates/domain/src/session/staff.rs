//! Sessions of staff: what begins and ends them stands in the audit trail (REG-03, SHP-03).

use super::{Holder, Result, Subject, factor_lift, session_end, session_open, sessions_end_of};
use crate::Actor;
use crate::audit;
use crate::id::StaffId;
use crate::vendor::{self, Staff, Vendor};
use scrip_engine::Tx;
use serde_json::json;

/// Begins a session for a member of staff who proved who it is; returns its token.
pub fn staff_session_open(tx: &mut Tx<'_>, book_id: i64, id: StaffId) -> Result<String> {
    let token = session_open(tx, book_id, Subject::Staff(id))?;
    let (actor, subject) = (Actor::Staff(id), id.to_string());
    audit::note(tx, book_id, actor, "staff.signed_in", &subject, &json!({}))?;
    Ok(token)
}

/// Ends the session of a member of staff who signs out.
pub fn staff_session_end(tx: &mut Tx<'_>, book_id: i64, id: StaffId, token: &str) -> Result<()> {
    session_end(tx, book_id, token)?;
    let (actor, subject) = (Actor::Staff(id), id.to_string());
    audit::note(tx, book_id, actor, "staff.signed_out", &subject, &json!({}))?;
    Ok(())
}

/// Sets the password of a member of staff, by its hash; ends the person's sessions and second factor.
pub fn staff_password_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: StaffId,
    hash: &str,
) -> Result<()> {
    vendor::staff_secret_set(tx, actor, vendor, id, hash)?;
    // Whoever may set it knows the person, who may have lost the app too.
    let holder = Holder {
        book_id: vendor.book_id,
        subject: Subject::Staff(id),
    };
    factor_lift(tx, actor, holder)?;
    sessions_end_of(tx, vendor.book_id, Subject::Staff(id), None)
}

/// Sets the own password of a member of staff, by its hash; ends all sessions of the person but
/// the one of `token`.
pub fn staff_password_change(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    id: StaffId,
    hash: &str,
    token: &str,
) -> Result<()> {
    vendor::staff_secret_set(tx, Actor::Staff(id), vendor, id, hash)?;
    sessions_end_of(tx, vendor.book_id, Subject::Staff(id), Some(token))
}

/// Notes that a person left, and ends all sessions of the person at once.
pub fn staff_leave(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, id: StaffId) -> Result<Staff> {
    let left = vendor::staff_end(tx, actor, vendor, id)?;
    sessions_end_of(tx, vendor.book_id, Subject::Staff(id), None)?;
    Ok(left)
}

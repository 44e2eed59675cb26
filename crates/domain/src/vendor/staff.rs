//! Members of staff and how they sign in (MIC-02, SHP-03). How attempts are counted and why is
//! told in `secret/mod.rs`.

use super::{Result, Role, Staff, Vendor, VendorError, store};
use crate::Actor;
use crate::Node;
use crate::audit;
use crate::id::StaffId;
use crate::secret::{Attempt, Attempts, Proof, prove, stray_attempt};
use crate::text;
use scrip_engine::{Read, Tx};
use serde_json::{Value, json};

/// Adds a member of staff.
pub fn staff_create(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    name: &str,
    role: Role,
) -> Result<Staff> {
    let name = text::line("the name", name, 200)?;
    lock(tx, vendor)?;
    if store::staff_by_name(tx, vendor.book_id, &name)?.is_some() {
        return Err(VendorError::StaffNameTaken(name));
    }
    let staff = Staff {
        staff_id: StaffId(tx.new_id()?),
        name,
        role,
        ended_at: None,
    };
    store::insert_staff(tx, vendor.book_id, &staff)?;
    let detail = json!({"role": role.name()});
    noted(tx, actor, vendor, "staff.created", staff.staff_id, &detail)?;
    Ok(staff)
}

/// One change of who works here at a time: two owners must not take each other's role.
fn lock(tx: &mut Tx<'_>, vendor: &Vendor) -> Result<()> {
    Ok(tx.lock_name(&format!("staff {}", vendor.book_id))?)
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    action: &str,
    id: StaffId,
    detail: &Value,
) -> Result<()> {
    let subject = id.to_string();
    Ok(audit::note(
        tx,
        vendor.book_id,
        actor,
        action,
        &subject,
        detail,
    )?)
}

/// Gives a member of staff another role. The last owner who can sign in stays one.
pub fn staff_role_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    id: StaffId,
    role: Role,
) -> Result<Staff> {
    lock(tx, vendor)?;
    let staff = staff_at_work(tx, vendor.book_id, id)?;
    if staff.role == role {
        return Ok(staff);
    }
    if staff.role == Role::Owner {
        another_owner(tx, vendor, &staff)?;
    }
    store::set_staff_role(tx, vendor.book_id, id, role)?;
    let detail = json!({"from": staff.role.name(), "to": role.name()});
    noted(tx, actor, vendor, "staff.role_set", id, &detail)?;
    Ok(Staff { role, ..staff })
}

/// Notes that a person left: the password is gone. To end the sessions too, use
/// `session::staff_leave`.
pub fn staff_end(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, id: StaffId) -> Result<Staff> {
    lock(tx, vendor)?;
    let staff = staff_at_work(tx, vendor.book_id, id)?;
    if staff.role == Role::Owner {
        another_owner(tx, vendor, &staff)?;
    }
    let now = tx.now();
    store::set_staff_ended(tx, vendor.book_id, id, Some(now))?;
    store::drop_staff_secret(tx, vendor.book_id, id)?;
    noted(tx, actor, vendor, "staff.ended", id, &json!({}))?;
    Ok(Staff {
        ended_at: Some(now),
        ..staff
    })
}

/// Takes back a person who left, under the same id and role; a password is set anew.
pub fn staff_return(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, id: StaffId) -> Result<Staff> {
    lock(tx, vendor)?;
    let staff = staff_by_id(tx, vendor.book_id, id)?;
    if staff.ended_at.is_none() {
        return Ok(staff);
    }
    store::set_staff_ended(tx, vendor.book_id, id, None)?;
    noted(tx, actor, vendor, "staff.returned", id, &json!({}))?;
    Ok(Staff {
        ended_at: None,
        ..staff
    })
}

/// Some other owner can sign in and let people in.
fn another_owner(tx: &mut Tx<'_>, vendor: &Vendor, staff: &Staff) -> Result<()> {
    let others = store::owners_with_password(tx, vendor.book_id)?;
    if others.iter().any(|id| *id != staff.staff_id) {
        return Ok(());
    }
    Err(VendorError::LastOwner(staff.name.clone()))
}

/// The member of staff of an id, who works here now.
pub fn staff_at_work(tx: &mut dyn Read, book_id: i64, id: StaffId) -> Result<Staff> {
    let staff = staff_by_id(tx, book_id, id)?;
    match staff.ended_at {
        None => Ok(staff),
        Some(_) => Err(VendorError::StaffEnded(staff.name)),
    }
}

/// The member of staff of a name.
pub fn staff_by_name(tx: &mut dyn Read, vendor: &Vendor, name: &str) -> Result<Staff> {
    store::staff_by_name(tx, vendor.book_id, name)?
        .ok_or_else(|| VendorError::StaffUnknown(name.chars().take(60).collect()))
}

/// The member of staff of an id.
pub fn staff_by_id(tx: &mut dyn Read, book_id: i64, id: StaffId) -> Result<Staff> {
    store::staff_by_id(tx, book_id, id)?.ok_or_else(|| VendorError::StaffUnknown(id.to_string()))
}

/// All members of a vendor's staff, by name.
pub fn staff_list(tx: &mut dyn Read, vendor: &Vendor) -> Result<Vec<Staff>> {
    store::staff_list(tx, vendor.book_id)
}

/// Sets or replaces the password of a member of staff, by its hash. Sessions stay: to end them
/// too, use `session::staff_password_set`.
pub fn staff_secret_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    staff_id: StaffId,
    hash: &str,
) -> Result<()> {
    lock(tx, vendor)?;
    staff_at_work(tx, vendor.book_id, staff_id)?;
    store::set_staff_secret(tx, vendor.book_id, staff_id, hash)?;
    noted(
        tx,
        actor,
        vendor,
        "staff.password_set",
        staff_id,
        &json!({}),
    )
}

/// The outcome of a sign-in of staff.
pub type StaffSignIn = Proof<Staff>;

/// Proves that someone is the member of staff of a name.
pub fn staff_sign_in(
    node: &Node,
    vendor: &Vendor,
    name: &str,
    password: &str,
) -> Result<StaffSignIn> {
    let name = name.trim().to_owned();
    let book_id = vendor.book_id;
    let found = node
        .engine
        .read(|tx| store::staff_by_name(tx, book_id, &name))?
        .filter(|staff| staff.ended_at.is_none());
    let known = found.as_ref().map(|staff| staff.staff_id.to_string());
    let vault = node.vault.clone();
    let proof = prove::<_, VendorError>(
        node,
        found,
        password,
        move |tx, found| {
            let kept = match found {
                Some(staff) => store::staff_secret_locked(tx, book_id, staff.staff_id)?,
                None => None,
            };
            let (Some(staff), Some(kept)) = (found, kept) else {
                return Ok(stray_attempt(tx, &vault, book_id, "staff", &name)?);
            };
            match kept.attempts.counted(tx.now()) {
                Err(until) => Ok(Attempt::Locked { until }),
                Ok(counted) => {
                    store::set_staff_attempts(tx, book_id, staff.staff_id, counted)?;
                    let hash = Some(kept.hash);
                    Ok(Attempt::Compare { hash })
                }
            }
        },
        move |tx, staff, hash| {
            let kept = store::staff_secret_locked(tx, book_id, staff.staff_id)?;
            if kept.is_none_or(|kept| kept.hash != hash) {
                return Ok(false);
            }
            store::set_staff_attempts(tx, book_id, staff.staff_id, Attempts::NONE)?;
            Ok(true)
        },
    )?;
    // Only tries at people who work here, and those end in a lock: made-up names must not fill
    // the trail. Nobody waits for it, so that time does not tell who works here.
    if let (Proof::Wrong, Some(subject)) = (&proof, known) {
        let ticket = node.engine.submit(move |tx| {
            let action = "staff.sign_in_failed";
            audit::note(tx, book_id, Actor::System, action, &subject, &json!({}))
        });
        drop(ticket);
    }
    Ok(proof)
}

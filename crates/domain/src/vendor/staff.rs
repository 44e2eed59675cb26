//! Members of staff and how they sign in (MIC-02, SHP-03). How attempts are counted and why is
//! told in `secret/mod.rs`.

use super::{Result, Role, Staff, Vendor, VendorError, store};
use crate::Node;
use crate::id::StaffId;
use crate::secret::{Attempt, Attempts, Proof, prove, stray_attempt};
use crate::text;
use scrip_engine::{Read, Tx};

/// Adds a member of staff.
pub fn staff_create(tx: &mut Tx<'_>, vendor: &Vendor, name: &str, role: Role) -> Result<Staff> {
    let name = text::line("the name", name, 200)?;
    tx.lock_name(&format!("staff {}", vendor.book_id))?;
    if store::staff_by_name(tx, vendor.book_id, &name)?.is_some() {
        return Err(VendorError::StaffNameTaken(name));
    }
    let staff = Staff {
        staff_id: StaffId(tx.new_id()?),
        name,
        role,
    };
    store::insert_staff(tx, vendor.book_id, &staff)?;
    Ok(staff)
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
    vendor: &Vendor,
    staff_id: StaffId,
    hash: &str,
) -> Result<()> {
    store::set_staff_secret(tx, vendor.book_id, staff_id, hash)
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
        .read(|tx| store::staff_by_name(tx, book_id, &name))?;
    let vault = node.vault.clone();
    prove(
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
    )
}

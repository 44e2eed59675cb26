//! Who runs a mall: the operator of the node by the command line, and the owners and managers of the
//! vendor that is its office, on pages (GOV-10, GOV-12).

use super::{Mall, MallError, Result, store};
use crate::actor::Actor;
use crate::audit;
use crate::vendor::{Permission, Vendor, staff_at_work};
use scrip_engine::{Read, Tx};
use serde_json::Value;

/// Makes a vendor the office of a mall; `None` leaves the mall to the command line alone. Any kind of
/// vendor may be one, a member or not.
pub fn office_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    office: Option<&Vendor>,
) -> Result<()> {
    if actor != Actor::System {
        return Err(MallError::OperatorOnly);
    }
    store::set_office(tx, mall.book_id, office.map(|vendor| vendor.book_id))
}

/// The malls whose office a vendor is.
pub fn malls_run_by(tx: &mut dyn Read, office: &Vendor) -> Result<Vec<Mall>> {
    let mut malls = store::malls(tx)?;
    malls.retain(|mall| mall.office_book == Some(office.book_id));
    Ok(malls)
}

/// Fails for all but those who run the mall.
pub(crate) fn operator_only(tx: &mut dyn Read, actor: Actor, mall: i64) -> Result<()> {
    match actor {
        Actor::System => Ok(()),
        Actor::Staff(id) => {
            let office = store::office(tx, mall)?.ok_or(MallError::OperatorOnly)?;
            let staff = staff_at_work(tx, office, id).map_err(|_| MallError::OperatorOnly)?;
            match staff.role.may(Permission::Mall) {
                true => Ok(()),
                false => Err(MallError::OperatorOnly),
            }
        }
        Actor::Customer(_) | Actor::Key(_) => Err(MallError::OperatorOnly),
    }
}

/// Notes what those who run a mall did: for the member as done by the mall, for the office by name.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    (mall, member): (i64, i64),
    (action, subject): (&str, &str),
    detail: &Value,
) -> Result<()> {
    audit::note(tx, member, Actor::System, action, subject, detail)?;
    if actor != Actor::System
        && let Some(office) = store::office(tx, mall)?
    {
        audit::note(tx, office, actor, action, subject, detail)?;
    }
    Ok(())
}

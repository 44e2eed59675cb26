//! Who gives a command.

use crate::id::{ApiKeyId, CustomerId, StaffId};
use std::fmt;

/// Whoever gives a command; kept with everything that it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A customer, for itself.
    Customer(CustomerId),
    /// A member of the vendor's staff.
    Staff(StaffId),
    /// A program of the vendor, by its key.
    Key(ApiKeyId),
    /// Scrip itself: a job, or the operator's command line.
    System,
}

impl Actor {
    /// True for those who act for the vendor.
    pub fn for_vendor(self) -> bool {
        !matches!(self, Actor::Customer(_))
    }

    /// True when the actor may act for this customer.
    pub fn may_act_for(self, customer: CustomerId) -> bool {
        match self {
            Actor::Customer(own) => own == customer,
            Actor::Staff(_) | Actor::Key(_) | Actor::System => true,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Customer(id) => fmt::Display::fmt(id, f),
            Actor::Staff(id) => fmt::Display::fmt(id, f),
            Actor::Key(id) => fmt::Display::fmt(id, f),
            Actor::System => f.write_str("system"),
        }
    }
}

//! Who gives a command.

use crate::id::{ApiKeyId, CustomerId, IdError, StaffId};
use std::fmt;
use std::str::FromStr;

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

impl FromStr for Actor {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text == "system" {
            return Ok(Actor::System);
        }
        let staff = || text.parse().map(Actor::Staff);
        let key = || text.parse().map(Actor::Key);
        let customer = || text.parse().map(Actor::Customer);
        staff().or_else(|_| key()).or_else(|_: IdError| customer())
    }
}

#[cfg(test)]
mod tests {
    use super::Actor;
    use crate::id::{ApiKeyId, CustomerId, StaffId};
    use uuid::Uuid;

    #[test]
    fn an_actor_is_read_as_it_is_written() {
        let id = Uuid::from_u128(7);
        for actor in [
            Actor::Customer(CustomerId(id)),
            Actor::Staff(StaffId(id)),
            Actor::Key(ApiKeyId(id)),
            Actor::System,
        ] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for odd in ["", "System", "ord_01h455vb4pex5vsknk084sn02q"] {
            assert!(odd.parse::<Actor>().is_err(), "{odd}");
        }
    }
}

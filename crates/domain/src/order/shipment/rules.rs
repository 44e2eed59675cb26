//! Pure decisions about parcels.

use super::ShipmentState;
use super::ShipmentState::{Cancelled, Delivered, Returned, Shipped, ToPack};

/// The states that can follow one.
pub fn ways(from: ShipmentState) -> &'static [ShipmentState] {
    match from {
        ToPack => &[Shipped, Cancelled],
        Shipped => &[Delivered, Returned],
        // What arrived can be sent back; what came back or was never sent is over.
        Delivered => &[Returned],
        Returned | Cancelled => &[],
    }
}

/// True when one state can follow another.
pub(super) fn may(from: ShipmentState, to: ShipmentState) -> bool {
    ways(from).contains(&to)
}

#[cfg(test)]
mod tests {
    use super::{ShipmentState, may};

    /// SHP-13: every pair of states; what is not in the list is refused.
    #[test]
    fn parcels_move_one_way() {
        let legal = [
            ("to_pack", "shipped"),
            ("to_pack", "cancelled"),
            ("shipped", "delivered"),
            ("shipped", "returned"),
            ("delivered", "returned"),
        ];
        for from in ShipmentState::ALL {
            for to in ShipmentState::ALL {
                let expected = legal.contains(&(from.name(), to.name()));
                assert_eq!(may(*from, *to), expected, "{from} to {to}");
            }
        }
    }
}

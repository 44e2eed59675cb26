//! Pure decisions about off-line orders.

use super::{OfflineError, OfflineOrder, OfflineState, Result};
use scrip_ledger::{Amount, Rounding};

/// What money that came does to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payment {
    /// The tokens are credited now, and the order is cleared.
    Whole,
    /// What is owed becomes less; `left` remains.
    Part {
        /// What is owed after it.
        left: Amount,
    },
}

/// What `amount` of money does to an order; without an amount, all that is open of it.
pub(super) fn payment(order: &OfflineOrder, amount: Option<Amount>) -> Result<(Amount, Payment)> {
    let owing = order.owed.is_positive();
    let unpaid = match order.state {
        OfflineState::Awaiting | OfflineState::Failed if owing => order.owed,
        OfflineState::Open | OfflineState::Awaiting => order.price,
        state => return Err(OfflineError::Over { state }),
    };
    let amount = amount.unwrap_or(unpaid);
    if !amount.is_positive() {
        return Err(OfflineError::AmountNotPositive);
    }
    if amount > unpaid {
        return Err(OfflineError::TooMuch);
    }
    if owing {
        let left = unpaid.minus(amount)?;
        return Ok((amount, Payment::Part { left }));
    }
    if amount != unpaid {
        return Err(OfflineError::NotWhole);
    }
    Ok((amount, Payment::Whole))
}

/// What is taken back of an order whose payment failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TakenBack {
    /// Tokens that leave the account again.
    pub tokens: Amount,
    /// Money that is owed no more.
    pub money: Amount,
}

/// Of `remaining` tokens of an unpaid order, those that no money came for go back; what was spent
/// of them stays owed. Tokens that a part payment covers stay, rounded up for the customer.
pub(super) fn taken_back(order: &OfflineOrder, remaining: Amount) -> Result<TakenBack> {
    let covered = order
        .quantity
        .ratio(order.paid.units(), order.price.units(), Rounding::Up)?;
    let uncovered = order.quantity.minus(covered)?;
    let tokens = remaining.min(uncovered);
    let money = if tokens == uncovered {
        order.owed
    } else {
        order
            .owed
            .ratio(tokens.units(), uncovered.units(), Rounding::Down)?
    };
    Ok(TakenBack { tokens, money })
}

#[cfg(test)]
mod tests {
    use super::{Payment, payment, taken_back};
    use crate::token_sale::offline::{OfflineOrder, OfflineState};
    use scrip_ledger::Amount;

    fn order(state: OfflineState, quantity: i64, price: i64, paid: i64, owed: i64) -> OfflineOrder {
        OfflineOrder {
            state,
            quantity: Amount::from_units(quantity),
            price: Amount::from_units(price),
            paid: Amount::from_units(paid),
            owed: Amount::from_units(owed),
            ..OfflineOrder::example()
        }
    }

    /// TOK-11, TOK-12: what may be paid in which state.
    #[test]
    fn payments_by_state() {
        use OfflineState::{Awaiting, Cancelled, Cleared, Failed, Open};
        let units = Amount::from_units;
        for (state, owed, amount, expected) in [
            (Open, 0, None, Some((100, Payment::Whole))),
            (Open, 0, Some(100), Some((100, Payment::Whole))),
            (Open, 0, Some(99), None),
            (Awaiting, 0, Some(101), None),
            (Awaiting, 0, None, Some((100, Payment::Whole))),
            (
                Awaiting,
                100,
                Some(40),
                Some((40, Payment::Part { left: units(60) })),
            ),
            (
                Awaiting,
                60,
                None,
                Some((60, Payment::Part { left: Amount::ZERO })),
            ),
            (Awaiting, 60, Some(61), None),
            (Awaiting, 60, Some(0), None),
            (Awaiting, 60, Some(-1), None),
            (
                Failed,
                10,
                Some(10),
                Some((10, Payment::Part { left: Amount::ZERO })),
            ),
            (Failed, 0, None, None),
            (Cleared, 0, None, None),
            (Cancelled, 0, None, None),
        ] {
            let found = payment(&order(state, 1000, 100, 0, owed), amount.map(units)).ok();
            let expected = expected.map(|(money, then)| (units(money), then));
            assert_eq!(found, expected, "{state} {owed} {amount:?}");
        }
    }

    /// TOK-12: spent tokens stay owed, the others go back; together they are what was owed.
    #[test]
    fn what_goes_back_of_a_failed_order() {
        for (quantity, price, paid, remaining, tokens, money) in [
            // Nothing paid: all that is there goes back.
            (1000, 100, 0, 1000, 1000, 100),
            (1000, 100, 0, 800, 800, 80),
            (1000, 100, 0, 0, 0, 0),
            // Half paid: half of the tokens are the customer's.
            (1000, 100, 50, 800, 500, 50),
            (1000, 100, 50, 200, 200, 20),
            // Odd numbers: money is rounded down, so that nothing spent is let off.
            (3, 100, 0, 1, 1, 33),
            (3, 100, 0, 2, 2, 66),
            (3, 100, 1, 3, 2, 99),
            (1000, 7, 6, 1000, 142, 1),
        ] {
            let order = order(OfflineState::Awaiting, quantity, price, paid, price - paid);
            let back = taken_back(&order, Amount::from_units(remaining)).unwrap();
            let found = (back.tokens.units(), back.money.units());
            assert_eq!(
                found,
                (tokens, money),
                "{quantity} {price} {paid} {remaining}"
            );
        }
    }
}

//! What a visitor of a shop is shown and may do: the four states of browsing (SHP-04, SHP-05).
//!
//! Every page, command, image and address asks here, so that none of them is a way around. Cost
//! pages are for active accounts; ordering begins with T tokens.

use super::{OrderError, Refusal, Result, available, store};
use crate::catalog::{ProductDetail, cheapest};
use crate::customer::{Buyer, State};
use crate::id::CustomerId;
use crate::policy::{BrowsingPolicy, Part, policy};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{Amount, Lot, lots_locked};

/// Where a visitor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody who is signed in.
    Visitor,
    /// An account that is not active yet, or closed.
    Inactive,
    /// An active account with less than T.
    Below,
    /// An active account with T or more.
    Open,
}

/// What a visitor of a shop is shown and may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Where the visitor stands.
    pub standing: Standing,
    /// T.
    pub threshold: Amount,
    hidden: Vec<Part>,
    is_outside: bool,
}

impl Sight {
    /// True when this part of what there is to say about products is shown.
    pub fn sees(&self, part: Part) -> bool {
        !self.hidden.contains(&part)
    }

    /// True when there is an order list and orders are taken.
    pub fn may_order(&self) -> bool {
        self.standing == Standing::Open
    }

    /// True when the vendor lets only those look around who are registered, and this visitor is
    /// not.
    pub fn is_outside(&self) -> bool {
        self.is_outside
    }

    /// What is hidden.
    pub fn hidden(&self) -> &[Part] {
        &self.hidden
    }

    /// Takes from a product what is hidden. Prices and stock stay, because a view needs them to
    /// say anything; it asks [`Sight::sees`].
    pub fn veil(&self, detail: &mut ProductDetail) {
        let product = &mut detail.product;
        if !self.sees(Part::Description) {
            product.description.clear();
        }
        if !self.sees(Part::Images) {
            product.image_url.clear();
        }
        if !self.sees(Part::Manufacturer) {
            product.manufacturer.clear();
        }
        if !self.sees(Part::Download) {
            product.download_kb = 0;
        }
    }
}

/// What someone sees with AT tokens where ordering begins with T. `state` is the account's; `None`
/// for a visitor without one.
pub fn gate(
    state: Option<State>,
    available: Amount,
    threshold: Amount,
    policy: &BrowsingPolicy,
) -> Sight {
    let standing = match state {
        None => Standing::Visitor,
        Some(State::Inactive | State::Closed) => Standing::Inactive,
        Some(State::Active) if available < threshold => Standing::Below,
        Some(State::Active) => Standing::Open,
    };
    let hidden = match standing {
        Standing::Visitor | Standing::Inactive if policy.open_prices => Vec::new(),
        Standing::Visitor | Standing::Inactive => vec![Part::Prices],
        Standing::Below => policy.below.clone(),
        Standing::Open => Vec::new(),
    };
    Sight {
        standing,
        threshold,
        hidden,
        is_outside: policy.register_first && standing == Standing::Visitor,
    }
}

/// T: as the vendor has set it, or the price of the cheapest offer that is sold.
pub fn threshold(tx: &mut dyn Read, book_id: i64, policy: &BrowsingPolicy) -> Result<Amount> {
    match policy.threshold {
        Some(threshold) => Ok(threshold),
        None => Ok(cheapest(tx, book_id)?.unwrap_or(Amount::ZERO)),
    }
}

/// True for the account of a customer of another member of the mall. T is for the shop's own
/// customers: a visitor pays with what it holds elsewhere, which is counted when it orders.
pub fn is_visiting(tx: &mut dyn Read, book_id: i64, customer: CustomerId) -> Result<bool> {
    store::is_visiting(tx, book_id, customer)
}

/// Refuses to put things on the list of an account that may not order yet.
pub(super) fn check_ordering(tx: &mut Tx<'_>, buyer: &Buyer) -> Result<()> {
    let book = buyer.customer.book_id;
    let policy = policy(tx, book)?;
    let threshold = threshold(tx, book, &policy.browsing)?;
    let lots = lots_locked(tx, book, buyer.customer.wallet)?;
    let now = tx.now();
    match refusal(buyer, &lots, now, threshold)? {
        Some(Refusal::BelowThreshold { .. })
            if is_visiting(tx, book, buyer.customer.customer_id)? =>
        {
            Ok(())
        }
        Some(refusal) => Err(OrderError::NotYet(refusal)),
        None => Ok(()),
    }
}

/// Why an account may not order at all.
fn refusal(
    buyer: &Buyer,
    lots: &[Lot],
    now: Timestamp,
    threshold: Amount,
) -> Result<Option<Refusal>> {
    let available = available(lots, now)?;
    Ok(super::account_refusal(buyer).or_else(|| below(buyer, available, threshold)))
}

/// The test before every order (SHP-05).
pub(super) fn below(buyer: &Buyer, available: Amount, threshold: Amount) -> Option<Refusal> {
    (available < threshold).then_some(Refusal::BelowThreshold {
        number: buyer.customer.number,
        threshold,
        available,
    })
}

#[cfg(test)]
mod tests {
    use super::{Standing, gate};
    use crate::customer::State;
    use crate::policy::{BrowsingPolicy, Part};
    use scrip_ledger::Amount;

    /// SHP-04, SHP-05: the four states; AT = T - 1 is blocked, AT = T is not; T may be nothing.
    #[test]
    fn four_states() {
        let policy = BrowsingPolicy::default();
        let of = |state, at, t| {
            let units = Amount::from_units;
            gate(state, units(at), units(t), &policy)
        };
        for (state, at, t, standing, prices, stock) in [
            (None, 0, 10, Standing::Visitor, false, true),
            (
                Some(State::Inactive),
                50,
                10,
                Standing::Inactive,
                false,
                true,
            ),
            (Some(State::Closed), 50, 10, Standing::Inactive, false, true),
            (Some(State::Active), 9, 10, Standing::Below, true, false),
            (Some(State::Active), 10, 10, Standing::Open, true, true),
            (Some(State::Active), 0, 0, Standing::Open, true, true),
        ] {
            let sight = of(state, at, t);
            assert_eq!(sight.standing, standing);
            assert_eq!(sight.sees(Part::Prices), prices, "{standing:?}");
            assert_eq!(sight.sees(Part::Stock), stock, "{standing:?}");
            assert_eq!(sight.may_order(), standing == Standing::Open);
            assert!(!sight.is_outside());
        }
    }

    /// SHP-04: what a vendor decides otherwise.
    #[test]
    fn a_vendor_opens_and_closes() {
        let policy = BrowsingPolicy {
            open_prices: true,
            register_first: true,
            below: Part::ALL.to_vec(),
            ..BrowsingPolicy::default()
        };
        let of = |state, at| {
            gate(
                state,
                Amount::from_units(at),
                Amount::from_units(5),
                &policy,
            )
        };
        assert!(of(None, 0).sees(Part::Prices) && of(None, 0).is_outside());
        assert!(!of(None, 0).may_order(), "seeing is not ordering");
        let inactive = of(Some(State::Inactive), 9);
        assert!(inactive.sees(Part::Prices) && !inactive.is_outside() && !inactive.may_order());
        let below = of(Some(State::Active), 4);
        assert!(Part::ALL.iter().all(|part| !below.sees(*part)));
        let open = of(Some(State::Active), 5);
        assert!(Part::ALL.iter().all(|part| open.sees(*part)));
    }
}

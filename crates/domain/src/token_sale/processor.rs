//! Card processors. Spending never calls one (MIC-04).

use crate::id::TokenOrderId;
use scrip_ledger::{Amount, Asset};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The token order: the processor's idempotency key.
    pub order: TokenOrderId,
    /// How much, in the currency's smallest unit.
    pub amount: Amount,
    /// The currency.
    pub currency: Asset,
    /// The processor's token for the card.
    pub card: String,
}

/// What a processor says of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money comes.
    Approved {
        /// The processor's name for the payment.
        reference: String,
    },
    /// No money comes.
    Declined {
        /// Why, in words for the customer.
        reason: String,
    },
    /// Not known: the answer did not arrive.
    Unknown,
}

/// Whoever charges cards.
pub trait CardProcessor: Send + Sync {
    /// Charges a card. Charging the same order again has no second effect.
    fn charge(&self, charge: &Charge) -> ChargeOutcome;
    /// What became of a charge whose answer did not arrive. A charge that never reached the
    /// processor is declined.
    fn lookup(&self, charge: &Charge) -> ChargeOutcome;
}

/// The built-in test processor: the card alone decides, so it needs no memory.
///
/// | card | charge | lookup |
/// |---|---|---|
/// | `test_ok` | approved | approved |
/// | `test_declined` | declined | declined |
/// | `test_timeout` | no answer | approved |
/// | `test_timeout_lost` | no answer | declined: it never arrived |
/// | `test_timeout_long` | no answer | no answer |
#[derive(Debug, Default)]
pub struct TestCards {
    calls: AtomicU64,
}

impl TestCards {
    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }

    fn approved(charge: &Charge) -> ChargeOutcome {
        ChargeOutcome::Approved {
            reference: format!("test_{}", charge.order),
        }
    }

    fn declined(reason: &str) -> ChargeOutcome {
        ChargeOutcome::Declined {
            reason: reason.to_owned(),
        }
    }
}

impl CardProcessor for TestCards {
    fn charge(&self, charge: &Charge) -> ChargeOutcome {
        self.count();
        match charge.card.as_str() {
            "test_ok" => Self::approved(charge),
            "test_declined" => Self::declined("the card was declined: try another card"),
            card if card.starts_with("test_timeout") => ChargeOutcome::Unknown,
            _ => Self::declined("this is no test card: use test_ok"),
        }
    }

    fn lookup(&self, charge: &Charge) -> ChargeOutcome {
        self.count();
        match charge.card.as_str() {
            "test_ok" | "test_timeout" => Self::approved(charge),
            "test_timeout_long" => ChargeOutcome::Unknown,
            _ => Self::declined("the payment did not reach the processor: try again"),
        }
    }
}

//! Card processors. Spending never calls one (MIC-04).

use crate::card::Looks;
use crate::id::{CustomerId, Payable};
use scrip_ledger::{Amount, Asset};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is to be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The book of the vendor.
    pub book_id: i64,
    /// What is paid; its id is the processor's idempotency key.
    pub order: Payable,
    /// Who pays.
    pub customer: CustomerId,
    /// How much, in the currency's smallest unit.
    pub amount: Amount,
    /// The currency.
    pub currency: Asset,
    /// The processor's token for the card.
    pub card: String,
    /// True when the customer is not there to answer a bank's question.
    pub is_absent: bool,
}

/// Why a processor did not do something other than charging.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProcessorError {
    /// It said no; why, in words for people.
    #[error("{0}")]
    Refused(String),
    /// It gave no answer.
    #[error("the card processor does not answer: try again in a minute")]
    NoAnswer,
}

/// What a page needs to let a browser hand a card to the processor, past this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardEntry {
    /// The processor's secret for this one entry, for the browser of the customer alone.
    pub secret: String,
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

    /// Gives the money of a charge back, all of it. Doing it again has no second effect.
    fn give_back(&self, charge: &Charge, payment: &str) -> Result<(), ProcessorError> {
        let _ = (charge, payment);
        Err(ProcessorError::NoAnswer)
    }

    /// Prepares a browser to enter a card that the customer wants to keep. `None` where cards are
    /// not entered that way.
    fn card_entry(
        &self,
        book_id: i64,
        customer: CustomerId,
    ) -> Result<Option<CardEntry>, ProcessorError> {
        let _ = (book_id, customer);
        Ok(None)
    }

    /// Binds a card to a customer for later, and says how it looks.
    fn card_keep(
        &self,
        book_id: i64,
        customer: CustomerId,
        method: &str,
    ) -> Result<Looks, ProcessorError> {
        let _ = (book_id, customer, method);
        Err(ProcessorError::Refused(
            "cards cannot be kept here".to_owned(),
        ))
    }

    /// Forgets a card that was kept.
    fn card_forget(&self, method: &str) -> Result<(), ProcessorError> {
        let _ = method;
        Ok(())
    }

    /// The processor's secret with which the customer's browser answers the bank's question about
    /// a charge (3-D Secure); `None` where nothing is asked.
    fn question(&self, charge: &Charge) -> Result<Option<String>, ProcessorError> {
        let _ = charge;
        Ok(None)
    }
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

    fn give_back(&self, _: &Charge, _: &str) -> Result<(), ProcessorError> {
        self.count();
        Ok(())
    }

    fn card_keep(&self, _: i64, _: CustomerId, method: &str) -> Result<Looks, ProcessorError> {
        let last_four = match method {
            "test_ok" => "0001",
            "test_declined" => "0002",
            "test_timeout" => "0003",
            _ => {
                let no = "this is no test card: use test_ok";
                return Err(ProcessorError::Refused(no.to_owned()));
            }
        };
        Ok(Looks {
            brand: "Test card".to_owned(),
            last_four: last_four.to_owned(),
            expiry_year: 2099,
            expiry_month: 12,
        })
    }
}

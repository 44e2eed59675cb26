//! Whether a customer may have tokens before paying: the check of the credit status (TOK-13).
//!
//! A check is asked outside transactions, because one that asks an agency may wait. What it was
//! told goes with its verdict, so that a verdict about yesterday's debts is not used today.

use crate::customer::CreditStatus;
use scrip_ledger::Amount;
use serde::{Deserialize, Serialize};

/// What a check is told. Nothing of it is personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the vendor thinks of the customer.
    pub status: CreditStatus,
    /// Money that the customer owes already, in the currency's smallest unit.
    pub owed: Amount,
    /// The part of it that is overdue.
    pub overdue: Amount,
    /// Money that the new order adds.
    pub asked: Amount,
    /// What a customer may owe at most; `None` without a limit.
    pub limit: Option<Amount>,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Verdict {
    /// The customer may have the tokens before paying.
    Approved,
    /// Not before paying; why, in words for people.
    Declined(String),
}

/// Whoever knows whether a customer is good for some money.
pub trait CreditCheck: Send + Sync {
    /// Approves or declines.
    fn check(&self, facts: &Facts) -> Verdict;
}

/// The built-in rule: what the vendor itself knows of the customer.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnBooks;

impl CreditCheck for OwnBooks {
    fn check(&self, facts: &Facts) -> Verdict {
        let declined = |reason: &str| Verdict::Declined(reason.to_owned());
        if facts.status == CreditStatus::Poor {
            return declined("the credit status is poor: payment must come first");
        }
        if facts.overdue.is_positive() {
            return declined("an earlier invoice is overdue: it must be paid first");
        }
        let Some(limit) = facts.limit else {
            return Verdict::Approved;
        };
        match facts.owed.plus(facts.asked) {
            Ok(sum) if sum <= limit => Verdict::Approved,
            _ => declined("the credit limit would be passed: order less, or pay first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CreditCheck, Facts, OwnBooks, Verdict};
    use crate::customer::CreditStatus;
    use scrip_ledger::Amount;

    /// TOK-13: standing, overdue invoices and the limit decide.
    #[test]
    fn the_own_books_approve_and_decline() {
        let all = i64::MAX;
        for (status, owed, overdue, asked, limit, reason) in [
            (CreditStatus::Good, 0, 0, 1, None, ""),
            (CreditStatus::Watch, 0, 0, 1, None, ""),
            (CreditStatus::Poor, 0, 0, 1, None, "status is poor"),
            (CreditStatus::Poor, 0, 0, 1, Some(all), "status is poor"),
            (CreditStatus::Good, 5, 0, 5, Some(10), ""),
            (CreditStatus::Good, 5, 0, 6, Some(10), "limit"),
            (CreditStatus::Good, 0, 0, 1, Some(0), "limit"),
            (CreditStatus::Good, 5, 1, 1, None, "overdue"),
            (CreditStatus::Good, all, 0, 1, Some(all), "limit"),
        ] {
            let facts = Facts {
                status,
                owed: Amount::from_units(owed),
                overdue: Amount::from_units(overdue),
                asked: Amount::from_units(asked),
                limit: limit.map(Amount::from_units),
            };
            match OwnBooks.check(&facts) {
                Verdict::Approved => assert_eq!(reason, "", "{facts:?}"),
                Verdict::Declined(said) => {
                    assert!(
                        !reason.is_empty() && said.contains(reason),
                        "{facts:?} {said}"
                    );
                }
            }
        }
    }
}

//! What an off-line order is, and why nothing was done to one.

use crate::command::CommandError;
use crate::credit::Verdict;
use crate::customer::CustomerError;
use crate::id::{CustomerId, PackId, TokenOrderId};
use crate::policy::{Channel, CreditPoint, Means};
use crate::text::{TextError, named};
use crate::token_sale::{Deal, TokenSaleError};
use crate::vendor::VendorError;
use scrip_engine::{Error as EngineError, Timestamp};
use scrip_ledger::{Amount, Error as LedgerError};

named! {
    /// Where an off-line order stands (TOK-11).
    OfflineState, "the state of the order" {
        /// The vendor has not accepted it yet.
        Open = "open",
        /// Accepted; the money has not come.
        Awaiting = "awaiting",
        /// Paid, and the tokens are credited.
        Cleared = "cleared",
        /// No money came, or the customer's credit was declined.
        Failed = "failed",
        /// Withdrawn before it was accepted.
        Cancelled = "cancelled",
    }
}

/// An off-line order to be opened.
#[derive(Clone, Debug)]
pub struct NewOfflineOrder {
    /// For whom.
    pub customer: CustomerId,
    /// Tokens, in their smallest unit.
    pub quantity: Amount,
    /// The pack that is bought, so often that it makes the quantity; `None` for just tokens.
    pub pack: Option<PackId>,
    /// How it will be paid; never a card.
    pub means: Means,
    /// How it came. A customer's own order is on line.
    pub channel: Channel,
    /// The money that the buyer was told: another price now is refused.
    pub quoted: Option<Amount>,
    /// The customer's number of the payment, where it has one already: of the cheque, of the
    /// purchase order.
    pub payment_reference: String,
}

/// An off-line order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineOrder {
    /// The order.
    pub id: TokenOrderId,
    /// For whom.
    pub customer: CustomerId,
    /// Tokens.
    pub quantity: Amount,
    /// What they cost, in the smallest unit of the vendor's currency.
    pub price: Amount,
    /// On which terms.
    pub deal: Deal,
    /// How it is paid.
    pub means: Means,
    /// How it came.
    pub channel: Channel,
    /// Where it stands.
    pub state: OfflineState,
    /// The name by which people find it: `T-000123`.
    pub reference: String,
    /// The number of the payment: of the cheque, of the purchase order.
    pub payment_reference: String,
    /// When the tokens are credited.
    pub credit_point: CreditPoint,
    /// Who took it: an actor's id.
    pub taken_by: String,
    /// Who accepted it; empty before.
    pub accepted_by: String,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// Who cleared, failed or cancelled it; empty before.
    pub closed_by: String,
    /// When that was.
    pub closed_at: Option<Timestamp>,
    /// By when the money is due.
    pub due_at: Option<Timestamp>,
    /// Money that came.
    pub paid: Amount,
    /// Money that is owed for tokens that were credited before payment.
    pub owed: Amount,
    /// Tokens that were taken back.
    pub taken_back: Amount,
    /// What the check of the customer's credit said; `None` where there was none.
    pub credit: Option<Verdict>,
    /// Why it failed or was cancelled.
    pub reason: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// True when it made the account active.
    pub activated: bool,
    /// The grant of its tokens, once they are credited.
    pub grant: Option<i64>,
    /// The entry that credited them.
    pub entry: Option<i64>,
}

#[cfg(test)]
impl OfflineOrder {
    /// Something to change in tests.
    pub(in crate::token_sale) fn example() -> OfflineOrder {
        OfflineOrder {
            id: TokenOrderId(uuid::Uuid::from_u128(1)),
            customer: CustomerId(uuid::Uuid::from_u128(2)),
            quantity: Amount::ZERO,
            price: Amount::ZERO,
            deal: Deal {
                quantity: Amount::ZERO,
                price: Amount::ZERO,
                list_price: Amount::ZERO,
                discounts: Vec::new(),
                pack: None,
                restriction: None,
                life_days: None,
            },
            means: Means::Check,
            channel: Channel::Staff,
            state: OfflineState::Open,
            reference: String::new(),
            payment_reference: String::new(),
            credit_point: CreditPoint::Receipt,
            taken_by: String::new(),
            accepted_by: String::new(),
            accepted_at: None,
            closed_by: String::new(),
            closed_at: None,
            due_at: None,
            paid: Amount::ZERO,
            owed: Amount::ZERO,
            taken_back: Amount::ZERO,
            credit: None,
            reason: String::new(),
            created_at: Timestamp(0),
            activated: false,
            grant: None,
            entry: None,
        }
    }
}

/// Money that came for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Counts from 1 in its order.
    pub number: i64,
    /// How much, in the smallest unit of the vendor's currency.
    pub amount: Amount,
    /// The number of the payment.
    pub reference: String,
    /// Who entered it.
    pub taken_by: String,
    /// Its entry.
    pub entry: i64,
    /// When it was entered.
    pub at: Timestamp,
}

/// Why nothing was done to an off-line order.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// The vendor does not take this means here.
    #[error("{0} is not taken here: choose another way to pay")]
    MeansNotTaken(Means),
    /// A child's account.
    #[error("a child's account gets no credit: choose a way to pay that comes first")]
    NoCredit,
    /// A customer has many orders open.
    #[error("20 of these orders are open already: cancel one, or wait until they are accepted")]
    TooManyOpen,
    /// It is not open any more.
    #[error("this order is {state} already: look at it again")]
    NotOpen {
        /// Where it stands.
        state: OfflineState,
    },
    /// Nothing can happen to it any more.
    #[error("this order is {state} already, and nothing is owed for it: nothing was changed")]
    Over {
        /// Where it stands.
        state: OfflineState,
    },
    /// What the customer owes changed between the check of the credit and the acceptance.
    #[error("what this customer owes has changed meanwhile: accept the order again")]
    CreditChanged,
    /// No money.
    #[error("the amount that came must be above zero")]
    AmountNotPositive,
    /// More money than is open.
    #[error("this is more than is open of the order: enter what is open, and pay the rest back")]
    TooMuch,
    /// A part of the money, where tokens are credited when all of it is there.
    #[error("enter the payment when all of it has come: nothing is credited for a part of it")]
    NotWhole,
    /// No such order.
    #[error("there is no off-line order {0}")]
    Unknown(TokenOrderId),
    /// Not one's own, or only for the vendor.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// From the sale.
    #[error(transparent)]
    Sale(#[from] TokenSaleError),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

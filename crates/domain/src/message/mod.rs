//! Messages: what customers and vendors' systems are told, and how far each message is.
//!
//! What happens is written to the outbox with the change that causes it. The fan-out turns each
//! row of the outbox into one delivery per receiver, in one transaction with its removal. A delivery
//! carries ids and amounts only: names, addresses and texts are read when a mail is written, and
//! are kept nowhere.

mod delivery;
mod expiry;
mod fan_out;
mod rules;
mod store;

use crate::actor::Actor;
use crate::customer::{Customer, CustomerError};
use crate::id::MessageId;
use crate::mall::MallError;
use crate::order::OrderError;
use crate::text::named;
use crate::token_sale::TokenSaleError;
use crate::vendor::VendorError;
use crate::webhook::WebhookError;
use scrip_engine::{Error as EngineError, Read, Tx};
use scrip_ledger::Error as LedgerError;

pub use crate::policy::Language;
pub use delivery::{
    Claimed, Delivery, DeliveryState, End, LEASE_S, Target, deliveries, deliveries_forget,
    deliveries_lapse, delivery_again, delivery_by_id, delivery_claim, delivery_end,
    delivery_sending, endpoint_delete, endpoint_gone, endpoint_test, targets_due,
};
pub use expiry::lots_notice;
pub use fan_out::{Routes, fan_out};
pub use rules::ATTEMPTS;

named! {
    /// A kind of message to customers.
    Kind, "the kind of message" {
        /// The account is there, and what activates it.
        Registered = "registered",
        /// The account is active.
        Activated = "activated",
        /// An order was paid, or refused.
        Order = "order",
        /// How far an order of tokens is.
        TokenOrder = "token_order",
        /// Tokens came back, or did not.
        Refund = "refund",
        /// The PIN was changed.
        PinChanged = "pin_changed",
        /// Few tokens are left.
        LowBalance = "low_balance",
        /// Tokens are going to expire.
        Expiry = "expiry",
        /// An automatic purchase of tokens did not go through.
        TopUp = "top_up",
    }
}

impl Kind {
    /// The kind of message that a topic causes; `None` for what customers are not told.
    pub fn of_topic(topic: &str) -> Option<Kind> {
        Some(match topic {
            "customer.registered" => Kind::Registered,
            "customer.activated" => Kind::Activated,
            "customer.pin_changed" => Kind::PinChanged,
            "order.completed" | "order.refused" | "order.shipped" | "open_order.completed" => {
                Kind::Order
            }
            "order.refunded" | "refund.declined" => Kind::Refund,
            "token_order.opened"
            | "token_order.awaiting"
            | "token_order.cleared"
            | "token_order.failed" => Kind::TokenOrder,
            "balance.low" => Kind::LowBalance,
            "lot.expiring" => Kind::Expiry,
            "top_up.failed" => Kind::TopUp,
            _ => return None,
        })
    }

    /// True for kinds that a customer may do without. What tells of money, of orders and of the
    /// account's safety is always sent.
    pub fn may_be_declined(self) -> bool {
        matches!(self, Kind::Activated | Kind::LowBalance | Kind::Expiry)
    }
}

/// What a customer chose about messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The language; `None` for the vendor's.
    pub language: Option<Language>,
    /// Kinds that are not sent.
    pub declined: Vec<Kind>,
}

/// Why a command about messages failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// No such message.
    #[error("there is no message {0} at this vendor")]
    Unknown(MessageId),
    /// A kind that is always sent.
    #[error("messages of the kind {0} are always sent: they tell of money or of safety")]
    AlwaysSent(Kind),
    /// It may have arrived.
    #[error("this message may have arrived, so it is not sent again: tell the customer yourself")]
    MayHaveArrived,
    /// It is still on its way.
    #[error("this message is on its way: wait until it has arrived or was given up")]
    OnItsWay,
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From an order.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// From an order of tokens.
    #[error(transparent)]
    TokenSale(#[from] TokenSaleError),
    /// From a webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the mall.
    #[error(transparent)]
    Mall(#[from] MallError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, MessageError>;

/// What a customer chose.
pub fn choice(tx: &mut dyn Read, customer: &Customer) -> Result<Choice> {
    let chosen = store::choice(tx, customer.book_id, customer.customer_id)?;
    Ok(chosen.unwrap_or(Choice {
        language: None,
        declined: Vec::new(),
    }))
}

/// Notes what a customer chose.
pub fn choice_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    customer: &Customer,
    chosen: &Choice,
) -> Result<()> {
    if !actor.may_act_for(customer.customer_id) {
        return Err(MessageError::Forbidden);
    }
    let always = chosen.declined.iter().find(|k| !k.may_be_declined());
    if let Some(kind) = always {
        return Err(MessageError::AlwaysSent(*kind));
    }
    store::set_choice(tx, customer.book_id, customer.customer_id, chosen)?;
    Ok(())
}

//! What becomes of an order: its outcome, why one is refused, and the errors of its commands.

use super::Receipt;
use super::shipment::ShipmentState;
use crate::catalog::CatalogError;
use crate::command::CommandError;
use crate::customer::{AccountNumber, CustomerError};
use crate::family::{FamilyError, Span};
use crate::id::{CardOrderId, KeptListId, OfferId, OrderId};
use crate::promotion::{CouponFault, PromotionError};
use crate::text::TextError;
use crate::token_sale::TokenSaleError;
use crate::vendor::VendorError;
use scrip_engine::Error as EngineError;
use scrip_ledger::{Amount, Error as LedgerError};
use serde::{Deserialize, Serialize};

/// Why a purchase was refused; nothing was debited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// Tokens are short (SHP-14).
    #[error("the order needs more tokens than the account has: remove items or buy tokens")]
    Shortage {
        /// RT.
        required: Amount,
        /// AT.
        available: Amount,
        /// RT - AT.
        short: Amount,
    },
    /// There are enough tokens, but some may not pay for these products (TOK-05).
    #[error(
        "some of these tokens only pay for products on sale: buy ordinary tokens, or choose other items"
    )]
    Restricted {
        /// RT.
        required: Amount,
        /// AT.
        available: Amount,
    },
    /// A price is not the one that was shown.
    #[error("the price of {title} has changed: look at the new quote and confirm again")]
    PriceChanged {
        /// The line.
        title: String,
        /// What was shown.
        quoted: Amount,
        /// What it is now.
        now: Amount,
    },
    /// Too few pieces.
    #[error("of {title} only {on_hand} are left: take fewer")]
    OutOfStock {
        /// The line.
        title: String,
        /// Pieces at hand.
        on_hand: i64,
    },
    /// Enough pieces are there, but others have reserved them.
    #[error(
        "of {title} {free} are free, because others have reserved {reserved}: take fewer, or try \
         again when their time is over"
    )]
    Reserved {
        /// The line.
        title: String,
        /// Pieces that can be had.
        free: i64,
        /// Pieces that others have reserved.
        reserved: i64,
    },
    /// The offer is not sold any more.
    #[error("{title} is not sold any more: remove it")]
    NotForSale {
        /// The line.
        title: String,
    },
    /// The account is not active.
    #[error("account {number} is not active yet: acquire the minimum number of tokens first")]
    Inactive {
        /// The account.
        number: AccountNumber,
    },
    /// The account has less than what ordering begins with (SHP-05).
    #[error("account {number} has fewer tokens than ordering begins with here: buy tokens first")]
    BelowThreshold {
        /// The account.
        number: AccountNumber,
        /// T.
        threshold: Amount,
        /// AT.
        available: Amount,
    },
    /// A child's order that would pass a cap (ADV-02).
    #[error(
        "this order needs {required} units, and of the {cap} that the parent allows for {span} \
         {spent} are spent: take less, wait, or ask the parent"
    )]
    OverCap {
        /// What the cap is for.
        span: Span,
        /// The cap.
        cap: Amount,
        /// What is spent of it.
        spent: Amount,
        /// RT.
        required: Amount,
    },
    /// A child's order of something that the parent did not allow (ADV-01).
    #[error("{title} is not among what the parent allows: remove it, or ask the parent")]
    NotAllowed {
        /// The line.
        title: String,
    },
    /// The coupon is good for nothing (ADV-06).
    #[error("{fault}")]
    Coupon {
        /// Why.
        fault: CouponFault,
    },
    /// Open tokens do not pay all of it (OPN-21). Amounts in the mall's currency.
    #[error(
        "the tokens that are taken here do not pay for all of this: buy more of them, or choose \
         other items"
    )]
    OpenShort {
        /// What the order comes to.
        required: Amount,
        /// What is held that may pay here.
        available: Amount,
    },
    /// The account is closed.
    #[error("account {number} is closed")]
    Closed {
        /// The account.
        number: AccountNumber,
    },
    /// The vendor takes no cards for orders (SHP-17).
    #[error("orders are not paid by card here any more: pay with tokens")]
    CardNotTaken,
    /// What a coupon or a limited promotion takes off counts with tokens alone.
    #[error(
        "a coupon or a limited promotion takes something off this order, and that counts with \
         tokens alone: pay with tokens, or leave the coupon out"
    )]
    TokensOnly,
}

/// How a purchase ended; stored either way (SHP-19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderOutcome {
    /// It went through.
    Completed(Receipt),
    /// It did not; nothing was debited.
    Refused {
        /// The record of it.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
}

/// Why there is no outcome at all.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// Nothing to buy.
    #[error("the order list is empty: put something on it")]
    Empty,
    /// Too many lines.
    #[error("an order has at most {most} lines, this one has {lines}: split it")]
    TooManyLines {
        /// Lines given.
        lines: usize,
        /// Lines that fit.
        most: usize,
    },
    /// The order list is full.
    #[error("an order list has at most {most} lines: order some of them, or take some off")]
    ListFull {
        /// Lines that fit.
        most: usize,
    },
    /// The account may not order yet (SHP-04).
    #[error(transparent)]
    NotYet(Refusal),
    /// Too many lists.
    #[error("at most {most} lists can be kept: forget one that you do not need")]
    TooManyKept {
        /// Lists that can be.
        most: usize,
    },
    /// No such list.
    #[error("there is no list {0}: it was forgotten")]
    KeptUnknown(KeptListId),
    /// A tick for something that is not there.
    #[error("{0} is not on the order list any more: put it on again")]
    NotOnList(OfferId),
    /// More tokens than one order may need.
    #[error("one order is at most 1000000000 tokens: split it")]
    TooLarge,
    /// The reference was used.
    #[error("an order with the reference {0:?} exists already")]
    ReferenceTaken(String),
    /// A price that is not the vendor's to set, or a time.
    #[error("only the vendor's staff may enter prices or earlier times")]
    StaffOnly,
    /// A time to come.
    #[error("an order cannot count from a time that has not come yet")]
    InFuture,
    /// Not one's own account.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// No such order.
    #[error("there is no order {0}, or it did not go through: check the number")]
    Unknown(OrderId),
    /// The refund was asked for before, and declined.
    #[error("a refund of this order was declined: {answer}")]
    RefundDeclined {
        /// What staff said.
        answer: String,
    },
    /// No open request for a refund.
    #[error("no refund of order {0} is asked for, or it was answered already")]
    NotAsked(OrderId),
    /// A refund of more than was bought, or of nothing.
    #[error("line {line} of the order has {left} pieces left to refund, not {asked}")]
    RefundTooLarge {
        /// The line.
        line: i64,
        /// Pieces left.
        left: i64,
        /// Pieces asked for.
        asked: i64,
    },
    /// A tier is refunded whole.
    #[error("line {line} was bought as a tier of {quantity}: refund all of it")]
    TierIsWhole {
        /// The line.
        line: i64,
        /// What was bought.
        quantity: i64,
    },
    /// The account that bought is closed.
    #[error(
        "account {0} is closed, and nothing comes to a closed account: pay the value back in \
         money, or give the person tokens in an account that is open"
    )]
    RefundToClosed(AccountNumber),
    /// The order costs nothing.
    #[error("this order costs no tokens, so there is nothing for a card to pay: place it without")]
    NothingToPay,
    /// The price is not the one that the buyer was told.
    #[error("the price in money has changed: look at the new one and pay again")]
    CardPriceChanged,
    /// No such order by card.
    #[error("there is no order by card {0}: check the number")]
    CardOrderUnknown(CardOrderId),
    /// A part of it, or at another time.
    #[error(
        "a card paid this order, and its money goes back whole and now: leave lines and time out"
    )]
    CardRefundIsWhole,
    /// The processor was first.
    #[error(
        "money of this order went back at the card processor already, or is disputed there: \
         settle the rest there"
    )]
    MoneyWentBack,
    /// Its tokens stand in the mall's book.
    #[error("open tokens paid this order: take its payment back as a whole, through the mall")]
    PaidOpen,
    /// Tokens are not given back for money.
    #[error("a card paid this order: its money goes back by the card processor, not in tokens")]
    PaidByCard,
    /// From the payment.
    #[error(transparent)]
    TokenSale(#[from] TokenSaleError),
    /// Nothing is left to refund.
    #[error("nothing of this order is left to refund")]
    NothingToRefund,
    /// Something is sent, and nobody knows where to.
    #[error("{title} is sent to an address: say where to")]
    AddressMissing {
        /// The first line that is sent.
        title: String,
    },
    /// Nothing of it is sent.
    #[error("nothing of order {0} is sent to an address")]
    NotShipped(OrderId),
    /// The parcel is not in the state any more that it was seen in.
    #[error("somebody moved this parcel meanwhile, it is {now} now: look at it again")]
    ShipmentMoved {
        /// Its state.
        now: ShipmentState,
    },
    /// A state that cannot follow.
    #[error("a parcel that is {from} cannot become {to}")]
    ShipmentStep {
        /// Its state.
        from: ShipmentState,
        /// The state asked for.
        to: ShipmentState,
    },
    /// A day on which it cannot have been sent.
    #[error("a parcel is sent after its order was placed, and not in the future: correct the day")]
    ShippedWhen,
    /// The person was erased before it was sent.
    #[error(
        "the address was erased with the person, so this cannot be sent: give the order back instead"
    )]
    AddressErased,
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the catalogue.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From promotions.
    #[error(transparent)]
    Promotion(#[from] PromotionError),
    /// From the family.
    #[error(transparent)]
    Family(#[from] FamilyError),
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

//! Paying at a member with open tokens (FIG. 18 and 20; OPN-08, OPN-09, OPN-18 to OPN-24).
//!
//! A customer of one member orders at another, or at home, and the tokens that pay stand in the mall's
//! book. What pays for what is decided over the whole order (`rules.rs`); the payment is one part for
//! each debtor, and each part is an event of its own between the debtor, the seller and the mall
//! (`pay.rs`): the debtor owes the price less its service charge, the mall keeps its royalty, the
//! seller is owed the rest. The choice can be changed once afterwards, and a payment can be taken back
//! whole (`back.rs`).
//!
//! The customer sees an order and a confirmation; that vendors and the mall agree on it in between
//! happens in the same transaction.

mod back;
mod pay;
mod rules;
mod store;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests;

use crate::actor::Actor;
use crate::audit;
use crate::command::CommandError;
use crate::customer::{Address, Customer, CustomerError, State, activate_now, buyer};
use crate::exchange::{ExchangeError, visitor};
use crate::gift::gifts_held;
use crate::id::{CustomerId, OrderId};
use crate::mall::{Mall, MallError, Member, MemberState, mall_by_book, membership};
use crate::open_token::{OpenError, OpenKind, holdings};
use crate::order::elsewhere::{lines_priced, order_place_by};
use crate::order::shipment::order_address;
use crate::order::{Extras, OrderError, OrderOutcome, OrderRequest, QuoteLine, Refusal, Wanted};
use crate::promotion::CouponKey;
use crate::text::TextError;
use crate::vault::Vault;
use crate::vendor::{Vendor, VendorError, vendor_by_book};
use pay::OpenPayment;
use scrip_engine::{Error as EngineError, Read, ReadTx, Tx, outbox};
use scrip_ledger::{Amount, CURRENCY_SCALE, Error as LedgerError};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use back::{Reversed, checkout_reverse, checkout_switch};
pub use rules::Pays;
pub use store::{OpenOrder, OpenPart, open_order, open_orders_of};

/// Why nothing was paid.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckoutError {
    /// The account is not active.
    #[error("account {0} is not active: only active accounts pay at other members")]
    NotActive(crate::customer::AccountNumber),
    /// The account belongs to a child.
    #[error("the tokens of account {0} stay with this shop: its parent decides about them")]
    Child(crate::customer::AccountNumber),
    /// Too many lines for the tokens that could pay them.
    #[error("so many lines and kinds of tokens cannot be weighed at once: split the order")]
    TooManyWays,
    /// Another purchase was quicker.
    #[error("a gift certificate was spent meanwhile: look at what is left and order again")]
    GiftGone,
    /// Nothing is worth anything there.
    #[error("the mall has set no value for tokens of {0} yet: it cannot sell for open tokens")]
    NoValue(String),
    /// The order costs nothing.
    #[error("this order costs nothing: place it without open tokens")]
    NothingToPay,
    /// No such order.
    #[error("there is no order {0} that open tokens paid: check the number")]
    Unknown(OrderId),
    /// It was taken back.
    #[error("this payment was taken back already")]
    Reversed,
    /// It was changed before.
    #[error("what pays for this order was changed before: that can be done once, nothing changed")]
    Switched,
    /// The other type cannot pay it.
    #[error("{} cannot pay for all of this order: nothing changed", .0.words())]
    CannotPay(Pays),
    /// Tokens that came of a certificate are spent.
    #[error("universal tokens that a certificate left over were spent: this cannot be taken back")]
    SurplusSpent,
    /// Not one's own.
    #[error("only the customer or the vendor's staff may do this")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the order.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// From the mall.
    #[error(transparent)]
    Mall(#[from] MallError),
    /// From open tokens.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// From opening the account there.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, CheckoutError>;

impl Pays {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Pays::Manufacturer => OpenKind::M1.words(),
            Pays::Group => OpenKind::Group.words(),
            Pays::Gift => OpenKind::Gift.words(),
            Pays::Universal => OpenKind::Universal.words(),
        }
    }
}

/// What is bought, where, and with what.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// The book of the member that sells.
    pub seller_book: i64,
    /// What is bought.
    pub lines: Vec<Wanted>,
    /// A coupon of the seller.
    pub coupon: Option<CouponKey>,
    /// Where goods are sent to; told to the seller for this order alone (GOV-03).
    pub to: Option<Address>,
    /// The one type that is to pay; `None` lets the mall choose (OPN-18).
    pub pays: Option<Pays>,
    /// True at a till: what a certificate leaves over is paid out in cash (OPN-16).
    pub at_till: bool,
}

/// A part of a payment: tokens of one type that one member owes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// What kind.
    pub kind: OpenKind,
    /// The book that owes them.
    pub debtor: i64,
    /// What they pay, in the mall's currency.
    pub amount: Amount,
    /// What a certificate leaves over.
    pub surplus: Amount,
}

/// What is left of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// What kind.
    pub kind: OpenKind,
    /// In the mall's currency.
    pub amount: Amount,
}

/// What an order would come to in open tokens (OPN-18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenQuote {
    /// The lines, priced in the seller's tokens.
    pub lines: Vec<QuoteLine>,
    /// What they come to, in the mall's currency.
    pub price: Amount,
    /// What would pay; empty where nothing that the customer holds can.
    pub split: Vec<Split>,
    /// The types that could pay all of it alone: the customer may choose one.
    pub choices: Vec<Pays>,
    /// Why nothing can pay.
    pub refusal: Option<Refusal>,
}

/// An order that open tokens paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReceipt {
    /// The order, at the seller.
    pub order_id: OrderId,
    /// What was bought.
    pub lines: Vec<QuoteLine>,
    /// What it cost, in the mall's currency.
    pub price: Amount,
    /// What paid (OPN-22).
    pub split: Vec<Split>,
    /// What is left (OPN-22).
    pub left: Vec<Left>,
}

/// How an order ended; it is stored either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CheckoutOutcome {
    /// It went through.
    Paid(OpenReceipt),
    /// It did not; nothing was debited (OPN-21).
    Refused {
        /// The record of it, at the seller.
        order_id: OrderId,
        /// Why.
        refusal: Refusal,
    },
}

/// Who meets in a purchase.
struct Parties {
    mall: Mall,
    home: Member,
    customer: Customer,
    seller: Member,
    seller_vendor: Vendor,
}

fn parties(
    tx: &mut dyn Read,
    actor: Actor,
    home: &Vendor,
    customer: CustomerId,
    seller_book: i64,
) -> Result<Parties> {
    if !actor.may_act_for(customer) {
        return Err(CheckoutError::Forbidden);
    }
    let found = buyer(tx, home.book_id, customer)?;
    let number = found.customer.number;
    if found.customer.state != State::Active {
        return Err(CheckoutError::NotActive(number));
    }
    if found.has_parent && seller_book != home.book_id {
        return Err(CheckoutError::Child(number));
    }
    let seller_vendor = vendor_by_book(tx, seller_book)?;
    let (own, seller) = (membership(tx, home)?, membership(tx, &seller_vendor)?);
    if own.mall_book != seller.mall_book {
        return Err(MallError::Outside.into());
    }
    match seller.state {
        MemberState::Active => {}
        MemberState::Suspended => return Err(MallError::Suspended(seller.name).into()),
        MemberState::Left => return Err(MallError::Left(seller.name).into()),
    }
    if own.state == MemberState::Left {
        return Err(MallError::Left(own.name).into());
    }
    Ok(Parties {
        mall: mall_by_book(tx, own.mall_book)?,
        home: own,
        customer: found.customer,
        seller,
        seller_vendor,
    })
}

/// The customer as the seller knows it: by an account there without personal data (OPN-24), or by
/// its own at home.
fn known_there(tx: &mut Tx<'_>, vault: &Vault, parties: &Parties) -> Result<Customer> {
    if parties.seller.book_id == parties.customer.book_id {
        return Ok(parties.customer.clone());
    }
    let there = visitor(tx, vault, &parties.customer, &parties.seller_vendor)?;
    if there.state == State::Inactive {
        activate_now(tx, &there)?;
    }
    Ok(there)
}

fn request(purchase: &Purchase, there: &Customer) -> OrderRequest {
    OrderRequest {
        customer_id: there.customer_id,
        lines: purchase.lines.clone(),
        reference: String::new(),
        effective_at: None,
        extras: Extras {
            coupon: purchase.coupon.clone(),
            ..Extras::default()
        },
    }
}

/// Says what an order would come to and what would pay it. Nothing moves; the customer is known at
/// the seller from then on.
pub fn checkout_quote(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    home: &Vendor,
    customer: CustomerId,
    purchase: &Purchase,
) -> Result<OpenQuote> {
    let parties = parties(tx, actor, home, customer, purchase.seller_book)?;
    let there = known_there(tx, vault, &parties)?;
    let request = request(purchase, &there);
    let lines = lines_priced(tx, purchase.seller_book, there.customer_id, &request)?;
    let mut payment = OpenPayment::new(&parties, purchase.at_till);
    let mut choices = Vec::new();
    for pays in Pays::ALL {
        payment.pays = Some(*pays);
        if payment.planned(tx, &lines)?.is_none() {
            choices.push(*pays);
        }
    }
    payment.pays = purchase.pays;
    let refusal = payment.planned(tx, &lines)?;
    Ok(OpenQuote {
        price: payment.price,
        split: payment.split(),
        choices,
        refusal,
        lines,
    })
}

/// Places an order at a member that open tokens pay (OPN-20): all of it, or nothing.
pub fn checkout_place(
    tx: &mut Tx<'_>,
    vault: &Vault,
    actor: Actor,
    home: &Vendor,
    customer: CustomerId,
    purchase: &Purchase,
) -> Result<CheckoutOutcome> {
    let parties = parties(tx, actor, home, customer, purchase.seller_book)?;
    let there = known_there(tx, vault, &parties)?;
    let mut request = request(purchase, &there);
    if let Some(to) = &purchase.to {
        let book = purchase.seller_book;
        let sealed = order_address(tx, vault, book, there.customer_id, to)?;
        request.extras.address = Some(sealed);
        disclosed(tx, actor, &parties, &["address"])?;
    }
    let mut payment = OpenPayment::new(&parties, purchase.at_till);
    payment.pays = purchase.pays;
    // The order is the customer's own, whoever asks for it: people and programs of the home act for
    // the customer there, and never for the seller, whose prices they may not enter.
    let by = match (parties.seller.book_id == home.book_id, actor) {
        (true, Actor::Staff(_) | Actor::Key(_) | Actor::System) => actor,
        _ => Actor::Customer(there.customer_id),
    };
    let placed = order_place_by(tx, by, purchase.seller_book, &request, &mut payment)?;
    let receipt = match placed {
        OrderOutcome::Refused { order_id, refusal } => {
            return Ok(CheckoutOutcome::Refused { order_id, refusal });
        }
        OrderOutcome::Completed(receipt) => receipt,
    };
    let receipt = OpenReceipt {
        order_id: receipt.order_id,
        lines: receipt.lines,
        price: payment.price,
        split: payment.split(),
        left: payment.left()?,
    };
    tell(tx, &parties, &receipt)?;
    Ok(CheckoutOutcome::Paid(receipt))
}

/// Notes what the seller was told of a customer (GOV-03).
fn disclosed(tx: &mut Tx<'_>, actor: Actor, parties: &Parties, fields: &[&str]) -> Result<()> {
    if parties.seller.book_id == parties.home.book_id {
        return Ok(());
    }
    let id = parties.customer.customer_id.to_string();
    let detail = json!({"to": parties.seller.slug, "fields": fields});
    let book = parties.home.book_id;
    audit::note_always(tx, book, actor, "customer.disclosed", &id, &detail)?;
    Ok(())
}

/// The customer's home hears of it: ids, types and amounts (OPN-22).
fn tell(tx: &mut Tx<'_>, parties: &Parties, receipt: &OpenReceipt) -> Result<()> {
    let money = |amount: Amount| amount.decimal(CURRENCY_SCALE);
    let split: Vec<_> = receipt
        .split
        .iter()
        .map(|s| json!({"kind": s.kind.name(), "amount": money(s.amount)}))
        .collect();
    let left: Vec<_> = receipt
        .left
        .iter()
        .map(|l| json!({"kind": l.kind.name(), "amount": money(l.amount)}))
        .collect();
    let details = json!({
        "customer_id": parties.customer.customer_id,
        "seller": parties.seller.slug,
        "price": money(receipt.price),
        "paid_with": split,
        "left": left,
    });
    let id = receipt.order_id.to_string();
    let details = details.to_string();
    outbox::add(
        tx,
        parties.home.book_id,
        "open_order.completed",
        &id,
        &details,
    )?;
    Ok(())
}

/// What a customer holds of each kind, what has expired left out (OPN-22).
pub fn open_balance(
    tx: &mut ReadTx<'_>,
    actor: Actor,
    home: &Vendor,
    customer: CustomerId,
) -> Result<Vec<Left>> {
    if !actor.may_act_for(customer) {
        return Err(CheckoutError::Forbidden);
    }
    let member = membership(tx, home)?;
    let mall = mall_by_book(tx, member.mall_book)?;
    let now = tx.now();
    let mut held = Vec::new();
    for holding in holdings(tx, &mall, home.book_id, customer)? {
        held.push((holding.token.kind, holding.usable(now)?));
    }
    for gift in gifts_held(tx, &mall, home.book_id, customer)? {
        held.push((OpenKind::Gift, gift.face));
    }
    pay::summed(&held)
}

//! Money that a card paid for an account which was closed meanwhile is paid back (TOK-08).
//!
//! `token_sale` notes it and books it as owed. Here staff pay it back, once: by the card processor,
//! in two steps (a row before the call, the outcome after it), or in another way, which they note
//! with its number. While the processor was asked and has not answered, no other way is open:
//! the money might go twice. It is asked again until it answers.

mod store;

use crate::actor::Actor;
use crate::books;
use crate::command::CommandError;
use crate::id::{CustomerId, TokenOrderId};
use crate::page::Page;
use crate::text::{self, TextError, named};
use crate::token_sale::{CardProcessor, ProcessorError, TokenSaleError, token_order_charge};
use crate::vendor::Vendor;
use crate::{Node, audit};
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx, outbox};
use scrip_ledger::{AccountKind, Amount, Error as LedgerError, Leg, Posting, entry_post};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The code of the entry by which the money goes back.
pub const PAID: &str = "payback_paid";

named! {
    /// How far a pay-back is.
    PaybackState, "the state of the pay-back" {
        /// Nobody has done anything yet.
        Due = "due",
        /// The processor was asked; its answer is not written.
        Asked = "asked",
        /// The money is back.
        Settled = "settled",
    }
}

named! {
    /// How the money went back.
    Way, "the way of paying back" {
        /// By the card processor, to the card that paid.
        Processor = "processor",
        /// By a transfer, a cheque, in cash.
        Other = "other",
    }
}

/// Money to be paid back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payback {
    /// The token order that the card paid.
    pub order: TokenOrderId,
    /// Who paid.
    pub customer: CustomerId,
    /// How much.
    pub amount: Amount,
    /// The processor's name for the payment.
    pub payment: String,
    /// When it came.
    pub created_at: Timestamp,
    /// How far it is.
    pub state: PaybackState,
    /// How it went back, or is going back.
    pub way: Option<Way>,
    /// The number of the transfer or cheque; empty where the processor paid.
    pub reference: String,
    /// Who asked the processor: an actor's id; empty for nobody.
    pub asked_by: String,
    /// What the processor said when it refused; empty otherwise.
    pub refusal: String,
    /// Who settled it; empty for nobody yet.
    pub settled_by: String,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
    /// The entry that booked its coming; older rows have none before they are settled.
    pub(crate) came_entry: Option<i64>,
    /// The entry that booked its going.
    pub(crate) back_entry: Option<i64>,
}

/// How an attempt to pay back ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Settled {
    /// The money is back.
    Paid,
    /// The processor will not pay it back; another way is open.
    Refused {
        /// Why, in words for people.
        reason: String,
    },
    /// The processor has not answered. It is asked again.
    Asked,
}

/// Why nothing was paid back.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PaybackError {
    /// No money is to be paid back for this order.
    #[error("no money is to be paid back for the token order {0}")]
    Unknown(TokenOrderId),
    /// It was paid back before.
    #[error("this money was paid back before: nothing was paid now")]
    SettledBefore,
    /// Another way, while the processor has not answered.
    #[error(
        "the card processor was asked and has not answered: wait for its answer, or the money goes twice"
    )]
    UnderWay,
    /// Only for the vendor.
    #[error("only the vendor's staff may pay money back")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the token sale.
    #[error(transparent)]
    TokenSale(#[from] TokenSaleError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, PaybackError>;

fn locked(tx: &mut Tx<'_>, actor: Actor, vendor: &Vendor, order: TokenOrderId) -> Result<Payback> {
    if !actor.for_vendor() {
        return Err(PaybackError::Forbidden);
    }
    store::by_order_locked(tx, vendor.book_id, order)?.ok_or(PaybackError::Unknown(order))
}

/// Notes that the processor is going to be asked. Doing it again asks again, which has no second
/// effect there.
pub fn payback_ask(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order: TokenOrderId,
) -> Result<Payback> {
    let mut payback = locked(tx, actor, vendor, order)?;
    match payback.state {
        PaybackState::Settled => return Err(PaybackError::SettledBefore),
        PaybackState::Asked => return Ok(payback),
        PaybackState::Due => {}
    }
    payback.state = PaybackState::Asked;
    payback.way = Some(Way::Processor);
    payback.asked_by = actor.to_string();
    payback.refusal = String::new();
    store::update(tx, vendor.book_id, &payback)?;
    let detail = json!({ "amount": amount(vendor, &payback) });
    let subject = order.to_string();
    audit::note(
        tx,
        vendor.book_id,
        actor,
        "payback.asked",
        &subject,
        &detail,
    )?;
    Ok(payback)
}

fn amount(vendor: &Vendor, payback: &Payback) -> String {
    let number = payback.amount.decimal(vendor.currency.scale);
    format!("{number} {}", vendor.currency.code)
}

/// Writes what the processor said. Saying it again changes nothing.
fn answered(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    order: TokenOrderId,
    said: &std::result::Result<(), ProcessorError>,
) -> Result<Settled> {
    let mut payback = locked(tx, Actor::System, vendor, order)?;
    match (payback.state, said) {
        (PaybackState::Settled, _) => Ok(Settled::Paid),
        (PaybackState::Due, _) => Ok(Settled::Refused {
            reason: payback.refusal,
        }),
        (PaybackState::Asked, Err(ProcessorError::NoAnswer)) => Ok(Settled::Asked),
        (PaybackState::Asked, Err(ProcessorError::Refused(reason))) => {
            payback.state = PaybackState::Due;
            payback.way = None;
            payback.refusal = reason.chars().take(200).collect();
            store::update(tx, vendor.book_id, &payback)?;
            let detail = json!({ "reason": payback.refusal });
            let (book, subject) = (vendor.book_id, order.to_string());
            let by = Actor::System;
            audit::note(tx, book, by, "payback.refused", &subject, &detail)?;
            Ok(Settled::Refused {
                reason: payback.refusal,
            })
        }
        (PaybackState::Asked, Ok(())) => {
            let from = vendor.accounts.processor;
            let by = payback.asked_by.clone();
            settle(tx, vendor, payback, from, (Actor::System, &by))?;
            Ok(Settled::Paid)
        }
    }
}

/// Asks the processor to pay the money back, and writes what it says: staff ask by
/// [`payback_ask`], under the key of their form.
pub fn payback_by_processor(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    order: TokenOrderId,
) -> Result<Settled> {
    let own = vendor.clone();
    let (payback, charge) = node.engine.read(move |tx| {
        let payback =
            store::by_order(tx, own.book_id, order)?.ok_or(PaybackError::Unknown(order))?;
        let (charge, _) = token_order_charge(tx, &own, order)?;
        Ok::<_, PaybackError>((payback, charge))
    })?;
    let said = match payback.state {
        PaybackState::Asked => processor.give_back(&charge, &payback.payment),
        PaybackState::Due | PaybackState::Settled => Err(ProcessorError::NoAnswer),
    };
    let own = vendor.clone();
    node.engine
        .write(move |tx| answered(tx, &own, order, &said))
}

/// Asks the processor again about all that it has not answered; returns how many have an answer
/// now. One that fails does not stop the others; the first failure is returned after them.
pub fn paybacks_resolve(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
) -> Result<usize> {
    let book = vendor.book_id;
    let asked = node.engine.read(move |tx| store::asked(tx, book))?;
    let mut done: usize = 0;
    let mut failed = None;
    for payback in asked {
        match payback_by_processor(node, processor, vendor, payback.order) {
            Ok(Settled::Asked) => {}
            Ok(_) => done = done.saturating_add(1),
            Err(e) => drop(failed.get_or_insert(e)),
        }
    }
    failed.map_or(Ok(done), Err)
}

/// Notes that the money was paid back in another way, under the number of the transfer or cheque.
pub fn payback_note_paid(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    order: TokenOrderId,
    reference: &str,
) -> Result<()> {
    let mut payback = locked(tx, actor, vendor, order)?;
    payback.reference = text::line("the number of the payment", reference, 200)?;
    match payback.state {
        PaybackState::Settled => return Err(PaybackError::SettledBefore),
        PaybackState::Asked => return Err(PaybackError::UnderWay),
        PaybackState::Due => {}
    }
    payback.way = Some(Way::Other);
    let bank = books::account(tx, vendor, AccountKind::Bank)?;
    settle(tx, vendor, payback, bank, (actor, &actor.to_string()))
}

/// Books that the money has gone, out of `from`. `noted` is who does it now, and who wanted it.
fn settle(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    mut payback: Payback,
    from: i64,
    noted: (Actor, &str),
) -> Result<()> {
    let (book, order) = (vendor.book_id, payback.order);
    if payback.came_entry.is_none() {
        // Noted before its coming was booked.
        payback.came_entry = Some(books::payback_came(tx, vendor, order, payback.amount)?);
    }
    let account = books::account(tx, vendor, AccountKind::Payback)?;
    let (now, event_id) = (tx.now(), tx.new_id()?);
    let (actor, wanted_by) = noted;
    let subject = order.to_string();
    let reference = if payback.reference.is_empty() {
        &subject
    } else {
        &payback.reference
    };
    let entry = entry_post(
        tx,
        &Posting {
            book_id: book,
            event_id,
            code: PAID,
            actor: wanted_by,
            reference,
            effective_at: now,
            legs: &[Leg {
                debit: account,
                credit: from,
                amount: payback.amount,
                grant: None,
            }],
        },
    )?;
    payback.back_entry = Some(entry);
    payback.state = PaybackState::Settled;
    payback.settled_by = wanted_by.to_owned();
    payback.settled_at = Some(now);
    store::update(tx, book, &payback)?;
    let detail = json!({
        "amount": amount(vendor, &payback),
        "way": payback.way,
        "reference": payback.reference,
    });
    audit::note(tx, book, actor, "payback.settled", &subject, &detail)?;
    outbox::add(tx, book, "token_order.paid_back", &subject, "{}")?;
    Ok(())
}

/// Money that is to be paid back, oldest first: at most `limit` of it.
pub fn paybacks_due(tx: &mut dyn Read, book_id: i64, limit: usize) -> Result<Vec<Payback>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(store::open(tx, book_id, limit)?)
}

/// Money that was paid back, by when it had come, newest first: `limit` of it, older than `before`.
pub fn paybacks_settled(
    tx: &mut dyn Read,
    book_id: i64,
    before: Option<TokenOrderId>,
    limit: usize,
) -> Result<Page<Payback, TokenOrderId>> {
    let further = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let found = store::settled(tx, book_id, before, further)?;
    Ok(Page::of(found, limit, |payback| payback.order))
}

/// What is to be paid back for an order, if anything is or was.
pub fn payback_of(
    tx: &mut dyn Read,
    book_id: i64,
    order: TokenOrderId,
) -> std::result::Result<Option<Payback>, EngineError> {
    store::by_order(tx, book_id, order)
}

/// All pay-backs of a book, for the check of the books.
pub(crate) fn paybacks_all(
    tx: &mut dyn Read,
    book_id: i64,
) -> std::result::Result<Vec<Payback>, EngineError> {
    store::all(tx, book_id)
}

//! Card payments by Stripe (TOK-08, TOK-09).
//!
//! A charge takes two calls. The first one makes the payment, which takes no money; its name is
//! written down. Only then the second one confirms it, and a payment can succeed once at most. So
//! nothing is guessed later:
//! - no name is written: no money can have moved. That is written down too, so that a charge that
//!   was held up for long finds it and stops;
//! - a name is written: Stripe is asked about that payment. One that is not confirmed is cancelled
//!   before it counts as declined, so that it cannot succeed afterwards.
//!
//! The idempotency keys of both calls come from the id of the token order.

mod keep;
mod peer;
mod signature;
#[cfg(test)]
mod tests;
pub mod webhook;
mod words;

use crate::config::StripeSettings;
use peer::{Deadline, Peer, Refusal, Said};
use scrip_domain::Node;
use scrip_domain::card::Looks;
use scrip_domain::card::{
    CardError, CardState, Payment, PaymentState, card_by_method, minor_units, payment_begin,
    payment_forbid, payment_of, payment_set_state,
};
use scrip_domain::id::CustomerId;
use scrip_domain::token_sale::{
    CardEntry, CardProcessor, Charge, ChargeOutcome, LOOK_UP_AFTER_S, ProcessorError,
};
use serde_json::Value;
use std::time::Duration;

/// Everything about one charge is over by then: half of the time after which it is looked up, and
/// some room for writing.
const CHARGE: Duration = Duration::from_secs(25);
const _: () = assert!(CHARGE.as_secs() < LOOK_UP_AFTER_S.unsigned_abs() / 2);
/// How long the bank's question waits for the customer, in seconds.
const QUESTION_S: i64 = 15 * 60;

/// Stripe as the card processor of a node.
pub struct Stripe {
    node: Node,
    peer: Peer,
}

impl Stripe {
    /// Prepares; nothing is asked yet.
    pub fn new(node: Node, settings: StripeSettings) -> Stripe {
        Stripe {
            node,
            peer: Peer::new(settings),
        }
    }

    fn deadline() -> Deadline {
        Deadline::within(CHARGE)
    }

    fn payment(&self, charge: &Charge) -> Result<Option<Payment>, CardError> {
        let (book, order) = (charge.book_id, charge.order);
        self.node.engine.read(move |tx| payment_of(tx, book, order))
    }

    fn note(&self, charge: &Charge, state: PaymentState) {
        let (book, order) = (charge.book_id, charge.order);
        let noted = self
            .node
            .engine
            .write(move |tx| payment_set_state(tx, book, order, state));
        if let Err(e) = noted {
            tracing::error!(error = %e, "the state of a payment could not be noted");
        }
    }

    /// Makes the payment at Stripe, which takes no money, and writes its name down. What is
    /// returned is the payment to confirm, or how the charge ended without one.
    fn begin(&self, charge: &Charge, deadline: Deadline) -> Result<Payment, ChargeOutcome> {
        let (book, order) = (charge.book_id, charge.order);
        let fields = self.fields(charge, deadline)?;
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let made = self
            .peer
            .post("payment_intents", &order.to_string(), &fields, deadline);
        let name = match made {
            Said::Done(made) => made["id"].as_str().unwrap_or_default().to_owned(),
            Said::Nothing => return Err(ChargeOutcome::Unknown),
            Said::Refused(why) => return Err(refused(&why)),
        };
        self.node
            .engine
            .write(move |tx| payment_begin(tx, book, order, &name))
            .map_err(|e| unknown(&e))
    }

    /// What a new payment is made of.
    fn fields(
        &self,
        charge: &Charge,
        deadline: Deadline,
    ) -> Result<Vec<(&'static str, String)>, ChargeOutcome> {
        let (book, customer, method) = (charge.book_id, charge.customer, charge.card.clone());
        let kept = self
            .node
            .engine
            .read(move |tx| card_by_method(tx, book, customer, &method));
        let kept = match kept {
            Ok(kept) => kept,
            Err(CardError::Engine(e)) => return Err(unknown(&e)),
            Err(e) => return Err(declined(&e.to_string())),
        };
        let Ok(minor) = minor_units(charge.amount, &charge.currency) else {
            return Err(declined(
                "this amount cannot be paid by card: choose another one",
            ));
        };
        let mut fields = vec![
            ("amount", minor.to_string()),
            ("currency", charge.currency.code.to_lowercase()),
            ("payment_method", charge.card.clone()),
            ("payment_method_types[]", "card".to_owned()),
            ("metadata[scrip_order]", charge.order.to_string()),
            ("metadata[scrip_book]", charge.book_id.to_string()),
        ];
        if let Some(card) = kept {
            let holder = self.holder(charge.book_id, charge.customer, deadline);
            match holder {
                Ok(holder) => fields.push(("customer", holder)),
                Err(ProcessorError::NoAnswer) => return Err(ChargeOutcome::Unknown),
                Err(ProcessorError::Refused(why)) => return Err(declined(&why)),
            }
            if card.state == CardState::Wished && self.peer.is_real() {
                fields.push(("setup_future_usage", "off_session".to_owned()));
            }
        }
        Ok(fields)
    }

    fn confirm(&self, charge: &Charge, payment: &Payment, deadline: Deadline) -> ChargeOutcome {
        let path = format!("payment_intents/{}/confirm", payment.name);
        let key = format!("{}:confirm", charge.order);
        let mut fields = Vec::new();
        if self.peer.is_real() {
            fields.push(if charge.is_absent {
                ("off_session", "true")
            } else {
                ("use_stripe_sdk", "true")
            });
        }
        match self.peer.post(&path, &key, &fields, deadline) {
            Said::Done(now) => self.outcome(charge, payment, &now, deadline),
            Said::Nothing => ChargeOutcome::Unknown,
            Said::Refused(why) if why.status == 402 => {
                // The payment stays open for another card; this order is over.
                self.cancel(payment, deadline);
                self.note(charge, PaymentState::Ended);
                declined(words::declined(&why.decline, &why.code))
            }
            // It was confirmed or cancelled before: how it is now decides.
            Said::Refused(_) => self.ask(charge, payment, deadline),
        }
    }

    fn ask(&self, charge: &Charge, payment: &Payment, deadline: Deadline) -> ChargeOutcome {
        match self
            .peer
            .get(&format!("payment_intents/{}", payment.name), deadline)
        {
            Said::Done(now) => self.outcome(charge, payment, &now, deadline),
            Said::Nothing => ChargeOutcome::Unknown,
            Said::Refused(why) => {
                let (status, order) = (why.status, charge.order);
                tracing::error!(status, %order, "stripe does not show the payment of an order");
                ChargeOutcome::Unknown
            }
        }
    }

    /// What a payment as it is now says of the charge. Nothing is declined that could succeed
    /// later.
    fn outcome(
        &self,
        charge: &Charge,
        payment: &Payment,
        now: &Value,
        deadline: Deadline,
    ) -> ChargeOutcome {
        let error = &now["last_payment_error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default();
        match now["status"].as_str().unwrap_or_default() {
            "succeeded" => {
                self.note(charge, PaymentState::Ended);
                self.keep_wished(charge);
                ChargeOutcome::Approved {
                    reference: payment.name.clone(),
                }
            }
            "canceled" => {
                self.note(charge, PaymentState::Ended);
                declined(match text("code") {
                    "" => words::NEVER_ARRIVED,
                    code => words::declined(text("decline_code"), code),
                })
            }
            "requires_action" if !charge.is_absent && self.may_still_ask(payment) => {
                self.note(charge, PaymentState::Action);
                ChargeOutcome::Unknown
            }
            "requires_action" => self.fence(charge, payment, words::NOT_CONFIRMED, deadline),
            "requires_payment_method" => {
                let why = words::declined(text("decline_code"), text("code"));
                self.fence(charge, payment, why, deadline)
            }
            "requires_confirmation" => self.fence(charge, payment, words::NEVER_ARRIVED, deadline),
            _ => ChargeOutcome::Unknown,
        }
    }

    fn may_still_ask(&self, payment: &Payment) -> bool {
        self.node.engine.now() < payment.created_at.plus_seconds(QUESTION_S)
    }

    /// Cancels a payment, and only then calls the charge declined.
    fn fence(
        &self,
        charge: &Charge,
        payment: &Payment,
        why: &str,
        deadline: Deadline,
    ) -> ChargeOutcome {
        if !self.cancel(payment, deadline) {
            return ChargeOutcome::Unknown;
        }
        self.note(charge, PaymentState::Ended);
        declined(why)
    }

    /// True when the payment is cancelled now.
    fn cancel(&self, payment: &Payment, deadline: Deadline) -> bool {
        let path = format!("payment_intents/{}/cancel", payment.name);
        let key = format!("{}:cancel", payment.name);
        matches!(self.peer.post(&path, &key, &[], deadline), Said::Done(now)
            if now["status"] == "canceled")
    }
}

impl CardProcessor for Stripe {
    fn charge(&self, charge: &Charge) -> ChargeOutcome {
        let deadline = Self::deadline();
        let payment = match self.payment(charge) {
            Ok(Some(payment)) => payment,
            Ok(None) => match self.begin(charge, deadline) {
                Ok(payment) => payment,
                Err(ended) => return ended,
            },
            Err(e) => return unknown(&e),
        };
        if payment.is_forbidden() {
            return declined(words::NEVER_ARRIVED);
        }
        match payment.state {
            PaymentState::Begun => self.confirm(charge, &payment, deadline),
            _ => self.ask(charge, &payment, deadline),
        }
    }

    fn lookup(&self, charge: &Charge) -> ChargeOutcome {
        let (book, order) = (charge.book_id, charge.order);
        let payment = self
            .node
            .engine
            .write(move |tx| payment_forbid(tx, book, order));
        match payment {
            Ok(payment) if payment.is_forbidden() => declined(words::NEVER_ARRIVED),
            Ok(payment) => self.ask(charge, &payment, Self::deadline()),
            Err(e) => unknown(&e),
        }
    }

    fn give_back(&self, charge: &Charge, payment: &str) -> Result<(), ProcessorError> {
        let key = format!("{}:return", charge.order);
        let fields = [("payment_intent", payment)];
        match self.peer.post("refunds", &key, &fields, Self::deadline()) {
            Said::Done(made) if made["status"] == "failed" => {
                Err(ProcessorError::Refused(words::NOT_BACK.to_owned()))
            }
            Said::Done(_) => Ok(()),
            Said::Refused(why) if why.code == "charge_already_refunded" => Ok(()),
            Said::Refused(why) => {
                let (status, code, order) = (why.status, &why.code, charge.order);
                tracing::error!(status, code, %order, "stripe does not give money back");
                Err(ProcessorError::Refused(words::not_back(code).to_owned()))
            }
            Said::Nothing => Err(ProcessorError::NoAnswer),
        }
    }

    fn card_entry(
        &self,
        book_id: i64,
        customer: CustomerId,
    ) -> Result<Option<CardEntry>, ProcessorError> {
        self.entry(book_id, customer).map(Some)
    }

    fn card_keep(
        &self,
        book_id: i64,
        customer: CustomerId,
        method: &str,
    ) -> Result<Looks, ProcessorError> {
        self.keep(book_id, customer, method)
    }

    fn card_forget(&self, method: &str) -> Result<(), ProcessorError> {
        self.forget(method)
    }

    fn question(&self, charge: &Charge) -> Result<Option<String>, ProcessorError> {
        let payment = self.payment(charge).map_err(|_| ProcessorError::NoAnswer)?;
        let Some(payment) = payment.filter(|p| p.state == PaymentState::Action) else {
            return Ok(None);
        };
        match self.peer.get(
            &format!("payment_intents/{}", payment.name),
            Self::deadline(),
        ) {
            Said::Done(now) if now["status"] == "requires_action" => {
                Ok(now["client_secret"].as_str().map(str::to_owned))
            }
            Said::Done(_) => Ok(None),
            Said::Refused(_) | Said::Nothing => Err(ProcessorError::NoAnswer),
        }
    }
}

fn declined(reason: &str) -> ChargeOutcome {
    ChargeOutcome::Declined {
        reason: reason.to_owned(),
    }
}

fn unknown(e: &dyn std::fmt::Display) -> ChargeOutcome {
    tracing::error!(error = %e, "a payment could not be noted");
    ChargeOutcome::Unknown
}

/// Why no payment was made: nothing was charged.
fn refused(why: &Refusal) -> ChargeOutcome {
    let (status, code) = (why.status, &why.code);
    match status {
        402 => declined(words::declined(&why.decline, code)),
        404 => declined(words::NO_CARD),
        _ if code == "resource_missing" || code.starts_with("payment_method") => {
            declined(words::NO_CARD)
        }
        _ if code == "amount_too_small" => {
            declined("a card does not pay so little: buy more tokens at once")
        }
        _ if code == "amount_too_large" => {
            declined("a card does not pay so much at once: buy fewer tokens")
        }
        _ => {
            let kind = &why.kind;
            tracing::error!(status, kind, code, "stripe does not make a payment");
            declined(words::NOT_NOW)
        }
    }
}

//! Customers and cards that are kept at Stripe.

use super::peer::{Deadline, Said};
use super::{Stripe, words};
use scrip_domain::Actor;
use scrip_domain::card::{
    CardError, CardState, Looks, card_by_method, card_keep, holder_of, holder_set,
};
use scrip_domain::customer::customer_by_id;
use scrip_domain::id::CustomerId;
use scrip_domain::token_sale::{CardEntry, Charge, ProcessorError};
use serde_json::Value;
use std::time::Duration;

type Result<T> = std::result::Result<T, ProcessorError>;

/// A page waits for it.
const SOON: Duration = Duration::from_secs(10);

fn no_answer<T>(said: Said) -> Result<T> {
    match said {
        Said::Refused(why) if why.status == 402 => Err(ProcessorError::Refused(
            words::declined(&why.decline, &why.code).to_owned(),
        )),
        Said::Refused(why) if matches!(why.status, 400 | 404) => {
            Err(ProcessorError::Refused(words::NO_CARD.to_owned()))
        }
        _ => Err(ProcessorError::NoAnswer),
    }
}

impl Stripe {
    /// What Stripe calls a customer. It is told the customer's id here and nothing else.
    pub(super) fn holder(
        &self,
        book: i64,
        customer: CustomerId,
        deadline: Deadline,
    ) -> Result<String> {
        let known = self
            .node
            .engine
            .read(move |tx| holder_of(tx, book, customer))
            .map_err(|_| ProcessorError::NoAnswer)?;
        if let Some(known) = known {
            return Ok(known);
        }
        let (id, book_text) = (customer.to_string(), book.to_string());
        let fields = [
            ("metadata[scrip_customer]", id.as_str()),
            ("metadata[scrip_book]", book_text.as_str()),
        ];
        let made = match self.peer.post("customers", &id, &fields, deadline) {
            Said::Done(made) => made["id"].as_str().unwrap_or_default().to_owned(),
            other => return no_answer(other),
        };
        self.node
            .engine
            .write(move |tx| holder_set(tx, book, customer, &made))
            .map_err(|_| ProcessorError::NoAnswer)
    }

    /// Prepares a browser to enter a card.
    pub(super) fn entry(&self, book: i64, customer: CustomerId) -> Result<CardEntry> {
        let deadline = Deadline::within(SOON);
        let holder = self.holder(book, customer, deadline)?;
        let key = uuid::Uuid::now_v7().to_string();
        let fields = [
            ("customer", holder.as_str()),
            ("usage", "off_session"),
            ("payment_method_types[]", "card"),
        ];
        match self.peer.post("setup_intents", &key, &fields, deadline) {
            Said::Done(made) => match made["client_secret"].as_str() {
                Some(secret) => Ok(CardEntry {
                    secret: secret.to_owned(),
                }),
                None => Err(ProcessorError::NoAnswer),
            },
            other => no_answer(other),
        }
    }

    /// Binds a card to the customer, and says how it looks. One that another customer has is
    /// refused by Stripe.
    pub(super) fn keep(&self, book: i64, customer: CustomerId, method: &str) -> Result<Looks> {
        let deadline = Deadline::within(SOON);
        let holder = self.holder(book, customer, deadline)?;
        let path = format!("payment_methods/{}", named(method)?);
        let now = match self.peer.get(&path, deadline) {
            Said::Done(now) => now,
            other => return no_answer(other),
        };
        match now["customer"].as_str() {
            Some(own) if own == holder => {}
            Some(_) => return Err(ProcessorError::Refused(CardError::OfAnother.to_string())),
            None => {
                let fields = [("customer", holder.as_str())];
                let path = format!("{path}/attach");
                let key = format!("{method}:{holder}");
                match self.peer.post(&path, &key, &fields, deadline) {
                    Said::Done(_) => {}
                    other => return no_answer(other),
                }
            }
        }
        looks(&now).ok_or_else(|| ProcessorError::Refused(words::NO_CARD.to_owned()))
    }

    /// Forgets a card; one that is forgotten already is no error.
    pub(super) fn forget(&self, method: &str) -> Result<()> {
        let path = format!("payment_methods/{}/detach", named(method)?);
        let key = uuid::Uuid::now_v7().to_string();
        match self.peer.post(&path, &key, &[], Deadline::within(SOON)) {
            Said::Done(_) => Ok(()),
            Said::Refused(why) if matches!(why.status, 400 | 404) => Ok(()),
            _ => Err(ProcessorError::NoAnswer),
        }
    }

    /// After a payment succeeded: the card that was to be kept with it is. When that fails the
    /// payment still stands, and the card is only not on the list.
    pub(super) fn keep_wished(&self, charge: &Charge) {
        let (book, customer, method) = (charge.book_id, charge.customer, charge.card.clone());
        let of = method.clone();
        let wished = self
            .node
            .engine
            .read(move |tx| card_by_method(tx, book, customer, &of));
        if !matches!(&wished, Ok(Some(card)) if card.state == CardState::Wished) {
            return;
        }
        let Ok(looks) = self.keep(book, customer, &method) else {
            tracing::warn!("a card could not be kept after its payment");
            return;
        };
        let kept = self.node.engine.write(move |tx| {
            let owner = customer_by_id(tx, book, customer).map_err(CardError::from)?;
            card_keep(tx, Actor::Customer(customer), &owner, &method, &looks)
        });
        if let Err(e) = kept {
            tracing::warn!(error = %e, "a card could not be kept after its payment");
        }
    }
}

/// A name of Stripe that can stand in an address.
fn named(method: &str) -> Result<&str> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !method.is_empty() && method.len() <= 200 && method.chars().all(letters) {
        Ok(method)
    } else {
        Err(ProcessorError::Refused(words::NO_CARD.to_owned()))
    }
}

/// How a card looks, from Stripe's object for it.
pub fn looks(method: &Value) -> Option<Looks> {
    let card = &method["card"];
    let brand = card["display_brand"].as_str().or(card["brand"].as_str())?;
    let brand = match brand {
        "visa" => "Visa",
        "mastercard" => "Mastercard",
        "amex" | "american_express" => "American Express",
        "discover" => "Discover",
        "diners" | "diners_club" => "Diners Club",
        "jcb" => "JCB",
        "unionpay" => "UnionPay",
        "cartes_bancaires" => "Cartes Bancaires",
        _ => "Card",
    };
    let digits = card["last4"].as_str()?;
    let known = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    Some(Looks {
        brand: brand.to_owned(),
        last_four: known.then(|| digits.to_owned())?,
        expiry_year: card["exp_year"].as_i64()?,
        expiry_month: card["exp_month"].as_i64()?,
    })
}

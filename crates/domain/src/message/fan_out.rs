//! From the outbox to receivers: one delivery for the customer's mail, one for each endpoint that
//! wants the topic.

use super::store::NewDelivery;
use super::{Kind, Result, Target, choice, rules, store};
use crate::actor::Actor;
use crate::customer::{Customer, State, customer_by_id, customer_person};
use crate::id::{CustomerId, EndpointId, MessageId, OrderId, TokenOrderId};
use crate::mirror::mall_hears;
use crate::order::elsewhere::PAID_BY;
use crate::order::order_by_id;
use crate::policy::policy;
use crate::token_sale::token_order_by_id;
use crate::vault::Vault;
use crate::webhook::{Endpoint, TEST_TOPIC, endpoints};
use scrip_engine::Tx;
use scrip_engine::outbox::{self, Message};
use scrip_ledger::{Amount, TOKEN_SCALE};
use serde_json::json;

/// Ways that the node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// True when the operator set up a mail server.
    pub mail: bool,
}

/// Turns messages of one book into deliveries. Doing it again changes nothing.
pub fn fan_out(tx: &mut Tx<'_>, vault: &Vault, routes: Routes, messages: &[Message]) -> Result<()> {
    let Some(first) = messages.first() else {
        return Ok(());
    };
    mall_hears(tx, messages)?;
    let endpoints = endpoints(tx, first.book_id)?;
    let low = policy(tx, first.book_id)?.messages.low_balance;
    for message in messages {
        if let Some(threshold) = low
            && message.topic == "order.completed"
        {
            tell_when_low(tx, message, threshold)?;
        }
        let customer_id = customer_named(message);
        for endpoint in endpoints.iter().filter(|e| is_for(message, e)) {
            let target = Target::Endpoint(endpoint.endpoint_id);
            add(tx, message, target, customer_id)?;
        }
        if routes.mail
            && let Some(kind) = kind_of(message)
            && let Some(customer) = customer_of(tx, message, customer_id)?
            && wants_mail(tx, vault, &customer, kind)?
        {
            add(tx, message, Target::Mail, Some(customer.customer_id))?;
        }
    }
    Ok(())
}

/// The kind of mail that a message causes. An order that open tokens paid is told of by the message
/// that says what they were, once.
fn kind_of(message: &Message) -> Option<Kind> {
    let details: serde_json::Value = serde_json::from_str(&message.payload).unwrap_or_default();
    let is_told = message.topic == "order.completed" && details["paid_by"] == PAID_BY;
    Kind::of_topic(&message.topic).filter(|_| !is_told)
}

/// An order that brings the balance below the vendor's threshold causes a message of its own.
fn tell_when_low(tx: &mut Tx<'_>, message: &Message, threshold: Amount) -> Result<()> {
    let Ok(id) = message.subject.parse::<OrderId>() else {
        return Ok(());
    };
    let order = order_by_id(tx, Actor::System, message.book_id, id)?;
    let Some(after) = order.remaining_after else {
        return Ok(());
    };
    let before = after.plus(order.total)?;
    if rules::has_become_low(before, after, threshold) {
        let customer = order.customer_id.to_string();
        let details = json!({"customer_id": customer, "tokens": after.decimal(TOKEN_SCALE)});
        let details = details.to_string();
        outbox::add(tx, message.book_id, "balance.low", &customer, &details)?;
    }
    Ok(())
}

/// A trial goes to the endpoint that it is about, and to no other.
fn is_for(message: &Message, endpoint: &Endpoint) -> bool {
    if message.topic == TEST_TOPIC {
        return message.subject.parse::<EndpointId>() == Ok(endpoint.endpoint_id);
    }
    endpoint.wants(&message.topic)
}

fn add(
    tx: &mut Tx<'_>,
    message: &Message,
    target: Target,
    customer_id: Option<CustomerId>,
) -> Result<()> {
    let new = NewDelivery {
        message_id: MessageId(tx.new_id()?),
        message,
        target,
        customer_id,
    };
    Ok(store::insert(tx, &new)?)
}

/// The customer whom the details name, or who is the subject.
fn customer_named(message: &Message) -> Option<CustomerId> {
    let details: serde_json::Value = serde_json::from_str(&message.payload).ok()?;
    let named = details.get("customer_id").and_then(|id| id.as_str());
    named.unwrap_or(&message.subject).parse().ok()
}

/// Whom a message is about: its details say so, or the order that is its subject.
fn customer_of(
    tx: &mut Tx<'_>,
    message: &Message,
    named: Option<CustomerId>,
) -> Result<Option<Customer>> {
    let book = message.book_id;
    let id = match named {
        Some(id) => id,
        None => {
            if let Ok(order) = message.subject.parse::<OrderId>() {
                order_by_id(tx, Actor::System, book, order)?.customer_id
            } else if let Ok(order) = message.subject.parse::<TokenOrderId>() {
                token_order_by_id(tx, Actor::System, book, order)?.customer_id
            } else {
                return Ok(None);
            }
        }
    };
    Ok(Some(customer_by_id(tx, book, id)?))
}

/// True when the customer can be written to, and has not declined this kind.
fn wants_mail(tx: &mut Tx<'_>, vault: &Vault, customer: &Customer, kind: Kind) -> Result<bool> {
    if customer.state == State::Closed {
        return Ok(false);
    }
    let person = customer_person(tx, vault, Actor::System, customer)?;
    if person.is_none_or(|p| p.email.trim().is_empty()) {
        return Ok(false);
    }
    let chosen = choice(tx, customer)?;
    Ok(!chosen.declined.contains(&kind))
}

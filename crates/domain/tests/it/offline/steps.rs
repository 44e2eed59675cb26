//! What the tests of orders without a card do and look at.

use crate::support::{World, tokens};
use scrip_domain::credit::{CreditCheck, OwnBooks};
use scrip_domain::id::{CustomerId, TokenOrderId};
use scrip_domain::policy::{Channel, CreditPoint, Means, Policy, policy_set, policy_version};
use scrip_domain::statement::{LotKind, balance};
use scrip_domain::token_sale::offline::{
    NewOfflineOrder, OfflineError, OfflineOrder, offline_credit_facts, offline_order_accept,
    offline_order_fail, offline_order_open, offline_order_pay,
};
use scrip_domain::{Actor, Amount};
use scrip_ledger::{AccountKind, account_balance};

/// Money in the smallest unit.
pub(super) fn pounds(n: i64) -> Amount {
    Amount::from_units(n * 100_000_000)
}

pub(super) fn set(world: &World, change: impl Fn(&mut Policy) + Send + 'static) {
    let vendor = world.vendor.clone();
    world
        .write(move |tx| {
            let held = policy_version(tx, vendor.book_id)?;
            let mut new = held.policy;
            change(&mut new);
            policy_set(tx, Actor::System, &vendor, held.number, &new)
        })
        .unwrap();
}

pub(super) fn on_acceptance(world: &World) {
    set(world, |p| p.sale.credit_point = CreditPoint::Acceptance);
}

pub(super) fn wish(customer: CustomerId, quantity: i64, means: Means) -> NewOfflineOrder {
    NewOfflineOrder {
        customer,
        quantity: tokens(quantity),
        pack: None,
        means,
        channel: Channel::Staff,
        quoted: None,
        payment_reference: String::new(),
    }
}

pub(super) fn open_as(
    world: &World,
    actor: Actor,
    new: NewOfflineOrder,
) -> Result<OfflineOrder, OfflineError> {
    let vendor = world.vendor.clone();
    world.write(move |tx| offline_order_open(tx, actor, &vendor, &new))
}

pub(super) fn open(
    world: &World,
    customer: CustomerId,
    quantity: i64,
    means: Means,
) -> OfflineOrder {
    open_as(world, staff(world), wish(customer, quantity, means)).unwrap()
}

fn staff(_: &World) -> Actor {
    Actor::System
}

pub(super) fn accept_as(
    world: &World,
    actor: Actor,
    id: TokenOrderId,
) -> Result<OfflineOrder, OfflineError> {
    let vendor = world.vendor.clone();
    let facts = world
        .node
        .engine
        .read(|tx| offline_credit_facts(tx, &vendor, id))?;
    let said = facts.map(|facts| (facts, OwnBooks.check(&facts)));
    world.write(move |tx| offline_order_accept(tx, actor, &vendor, id, said.as_ref()))
}

pub(super) fn accept(world: &World, id: TokenOrderId) -> OfflineOrder {
    accept_as(world, staff(world), id).unwrap()
}

pub(super) fn pay(
    world: &World,
    id: TokenOrderId,
    amount: Option<Amount>,
) -> Result<OfflineOrder, OfflineError> {
    let (vendor, actor) = (world.vendor.clone(), staff(world));
    world.write(move |tx| offline_order_pay(tx, actor, &vendor, id, amount, "no 17"))
}

pub(super) fn fail(world: &World, id: TokenOrderId) -> Result<OfflineOrder, OfflineError> {
    let (vendor, actor) = (world.vendor.clone(), staff(world));
    world.write(move |tx| offline_order_fail(tx, actor, &vendor, id, "the cheque bounced"))
}

pub(super) fn books(world: &World, kind: AccountKind) -> Amount {
    let vendor = world.vendor.clone();
    world
        .node
        .engine
        .read(
            |tx| match scrip_domain::books::account_found(tx, &vendor, kind)? {
                Some(account) => account_balance(tx, vendor.book_id, account),
                None => Ok(Amount::ZERO),
            },
        )
        .unwrap()
}

pub(super) fn deferred(world: &World) -> Amount {
    let (book, account) = (world.book(), world.vendor.accounts.deferred);
    let read = world
        .node
        .engine
        .read(|tx| account_balance(tx, book, account));
    read.unwrap()
}

pub(super) fn kinds(world: &World, id: CustomerId) -> Vec<(LotKind, Amount)> {
    let customer = world.customer(id);
    let found = world
        .node
        .engine
        .read(|tx| balance(tx, Actor::System, &customer));
    found.unwrap().by_kind.into_iter().collect()
}

//! The demo's packs, and orders without a card in each state.

use crate::failure::Failure;
use scrip_domain::credit::{CreditCheck, OwnBooks};
use scrip_domain::customer::Customer;
use scrip_domain::policy::{Channel, CreditPoint, Means, policy_set, policy_version};
use scrip_domain::token_sale::offline::{
    NewOfflineOrder, OfflineError, offline_credit_facts, offline_order_accept,
    offline_order_cancel, offline_order_fail, offline_order_open, offline_order_pay,
};
use scrip_domain::token_sale::price::{NewPack, Tier, pack_put, tiers_set};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Amount, Node};
use scrip_engine::Tx;

/// Packs and tiers, and what the shop's policy says of orders without a card.
pub fn prices(node: &Node, vendor: &Vendor) -> Result<(), Failure> {
    let of = vendor.clone();
    node.engine.write(move |tx| {
        let tokens = |text: &str| Amount::parse(text, of.token.scale);
        let pack = |name: &str, size: &str| {
            Ok::<_, Failure>(NewPack {
                change: None,
                name: name.to_owned(),
                tokens: tokens(size)?,
                price: None,
                off: 0,
                restriction: String::new(),
                life_days: None,
                country: String::new(),
                sold_from: None,
                sold_until: None,
            })
        };
        let gold = NewPack {
            price: Some(Amount::parse("0.95", of.currency.scale)?),
            ..pack("Gold", "10")?
        };
        let sets = [("Silver set", "100", 500), ("Gold set", "200", 1000)];
        let season = NewPack {
            off: 2500,
            restriction: "sale".to_owned(),
            life_days: Some(90),
            ..pack("Season tokens", "100")?
        };
        pack_put(tx, Actor::System, &of, &gold)?;
        for (name, size, off) in sets {
            let set = NewPack {
                off,
                ..pack(name, size)?
            };
            pack_put(tx, Actor::System, &of, &set)?;
        }
        pack_put(tx, Actor::System, &of, &season)?;
        let tier = Tier {
            preferred: false,
            from_tokens: tokens("500")?,
            off: 1200,
        };
        tiers_set(tx, Actor::System, &of, &[], &[tier])?;
        policy(tx, &of)
    })
}

fn policy(tx: &mut Tx<'_>, vendor: &Vendor) -> Result<(), Failure> {
    let held = policy_version(tx, vendor.book_id)?;
    let mut new = held.policy;
    new.registration.means_online = vec![Means::Card, Means::Check, Means::BillMe];
    new.sale.credit_point = CreditPoint::Acceptance;
    new.sale.payment_address = "Loom & Lining\n4 Weaver Street\nLeeds".to_owned();
    new.sale.payment_account = "Account 0042-1138".to_owned();
    policy_set(tx, Actor::System, vendor, held.number, &new)?;
    Ok(())
}

/// What becomes of an order of the demo.
enum End {
    Open,
    Awaiting,
    Cleared,
    Failed,
    Cancelled,
}

/// An order in each state.
pub fn orders(node: &Node, vendor: &Vendor, customer: &Customer) -> Result<(), Failure> {
    for (means, channel, tokens, end) in [
        (Means::Check, Channel::Mail, "200", End::Cleared),
        (Means::BillMe, Channel::Phone, "150", End::Awaiting),
        (Means::MoneyOrder, Channel::Mail, "50", End::Failed),
        (Means::PurchaseOrder, Channel::Fax, "30", End::Cancelled),
        (Means::Check, Channel::Email, "100", End::Open),
    ] {
        let (of, id) = (vendor.clone(), customer.customer_id);
        let quantity = Amount::parse(tokens, vendor.token.scale)?;
        node.engine.write(move |tx| {
            let new = NewOfflineOrder {
                customer: id,
                quantity,
                pack: None,
                means,
                channel,
                quoted: None,
                payment_reference: String::new(),
            };
            order(tx, &of, &new, &end)
        })?;
    }
    Ok(())
}

fn order(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    new: &NewOfflineOrder,
    end: &End,
) -> Result<(), Failure> {
    let actor = Actor::System;
    let id = offline_order_open(tx, actor, vendor, new)?.id;
    if matches!(end, End::Awaiting | End::Cleared) {
        let facts = offline_credit_facts(tx, vendor, id)?;
        let said = facts.map(|facts| (facts, OwnBooks.check(&facts)));
        offline_order_accept(tx, actor, vendor, id, said.as_ref())?;
    }
    match end {
        End::Open | End::Awaiting => Ok::<_, OfflineError>(()),
        End::Cleared => offline_order_pay(tx, actor, vendor, id, None, "1042").map(|_| ()),
        End::Failed => {
            let reason = "the money order did not arrive";
            offline_order_fail(tx, actor, vendor, id, reason).map(|_| ())
        }
        End::Cancelled => offline_order_cancel(tx, actor, vendor, id).map(|_| ()),
    }?;
    Ok(())
}

//! A thing of the demo that is sent to an address: one of it is to be packed, one is reserved on an
//! order list.

use crate::failure::Failure;
use scrip_domain::catalog::{Delivery, NewProduct, product_detail, product_put};
use scrip_domain::customer::{Address, Customer};
use scrip_domain::id::OrderId;
use scrip_domain::order::shipment::order_address;
use scrip_domain::order::{
    Extras, OrderOutcome, OrderRequest, Wanted, order_list_set, order_place,
};
use scrip_domain::policy::{policy_set, policy_version};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Actor, Node};

const SENT: &str = "yellow-watering-can";

/// Orders one with an address, and puts another one on the list. Returns the order.
pub fn parcel(node: &Node, vendor: &Vendor, customer: &Customer) -> Result<OrderId, Failure> {
    let (vault, of, id) = (node.vault.clone(), vendor.clone(), customer.customer_id);
    node.engine.write(move |tx| {
        let book = of.book_id;
        let held = policy_version(tx, book)?;
        let mut policy = held.policy;
        policy.checkout.reserve_minutes = 30;
        policy_set(tx, Actor::System, &of, held.number, &policy)?;
        let detail = product_detail(tx, book, SENT)?;
        let product = NewProduct {
            delivery: Delivery::Shipped,
            ..detail.product
        };
        product_put(tx, &of, &product)?;
        let missing = || Failure::Refused(format!("the demo has no {SENT}"));
        let (offer, _) = detail.offers.first().ok_or_else(missing)?;
        let to = Address {
            name: "Nils Berg".into(),
            lines: "17 Harbour Street".into(),
            postal_code: "21 119".into(),
            city: "Malmö".into(),
            country: "Sweden".into(),
        };
        let me = Actor::Customer(id);
        let wanted = Wanted {
            offer_id: offer.offer_id,
            quantity: 1,
            quoted: None,
            entered: None,
        };
        let request = OrderRequest {
            customer_id: id,
            lines: vec![wanted],
            reference: String::new(),
            effective_at: None,
            extras: Extras {
                address: Some(order_address(tx, &vault, book, id, &to)?),
                ..Extras::default()
            },
        };
        let outcome = order_place(tx, me, book, &request)?;
        let OrderOutcome::Completed(receipt) = outcome else {
            return Err(Failure::Refused("the demo's parcel was refused".into()));
        };
        order_list_set(tx, me, book, id, offer.offer_id, 1)?;
        Ok(receipt.order_id)
    })
}

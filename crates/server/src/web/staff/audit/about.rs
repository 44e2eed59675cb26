//! What a line of the trail is about: its name and its page. What is gone, or has no page, keeps
//! its id.

use super::super::super::session::StaffMember;
use super::super::who;
use crate::error::Problem;
use scrip_domain::audit::Noted;
use scrip_domain::catalog::{offers_shown, product_by_id};
use scrip_domain::customer::{CustomerError, customer_by_id};
use scrip_domain::token_sale::offline::offline_order_by_id;
use scrip_domain::vault::Vault;
use scrip_domain::webhook::endpoint_by_id;
use scrip_engine::Read;
use std::collections::BTreeMap;

/// A thing that lines are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its name, or its id.
    pub name: String,
    /// Its page.
    pub href: Option<String>,
}

impl About {
    fn new(name: impl Into<String>, href: String) -> About {
        About {
            name: name.into(),
            href: Some(href),
        }
    }
}

/// The things that some lines are about, by id.
pub struct Things<'a> {
    /// Who looks.
    pub member: &'a StaffMember,
    /// Opens the names of customers.
    pub vault: &'a Vault,
    /// Names of staff and keys by id.
    pub names: &'a BTreeMap<String, String>,
    known: BTreeMap<String, About>,
}

impl<'a> Things<'a> {
    /// Nothing is known yet.
    pub fn new(
        member: &'a StaffMember,
        vault: &'a Vault,
        names: &'a BTreeMap<String, String>,
    ) -> Things<'a> {
        Things {
            member,
            vault,
            names,
            known: BTreeMap::new(),
        }
    }

    /// What a line is about: a gift is about its customer.
    pub fn of(&mut self, tx: &mut dyn Read, noted: &Noted) -> Result<About, Problem> {
        let page = |noun: &str| self.member.shop.at(&format!("/staff/{noun}"));
        match noted.action.split_once('.') {
            Some(("payback", _)) => return Ok(About::new("pay-backs", page("paybacks"))),
            Some(("card", what)) if what.starts_with("dispute") || what == "refund" => {
                return Ok(About::new("disputes", page("disputes")));
            }
            _ => {}
        }
        let customer = noted.detail["customer"].as_str();
        let id = customer.filter(|_| noted.subject.starts_with("gft_"));
        let id = id.unwrap_or(&noted.subject);
        if let Some(known) = self.known.get(id) {
            return Ok(known.clone());
        }
        let about = self.find(tx, id)?;
        self.known.insert(id.to_owned(), about.clone());
        Ok(about)
    }

    fn find(&self, tx: &mut dyn Read, id: &str) -> Result<About, Problem> {
        let shop = &self.member.shop;
        let at = |noun: &str| shop.at(&format!("/staff/{noun}/{id}"));
        let page = |noun: &str| shop.at(&format!("/staff/{noun}"));
        let found = match id.split_once('_').map_or("", |(noun, _)| noun) {
            "cus" => self.customer(tx, id)?,
            "prd" => self.product(tx, id)?,
            "off" => self.offer(tx, id)?,
            "tok" => self.token_order(tx, id)?,
            "whe" => self.webhook(tx, id)?,
            "stf" => self
                .names
                .get(id)
                .map(|name| About::new(name, at("people"))),
            "key" => self
                .names
                .get(id)
                .map(|name| About::new(name, page("keys"))),
            "ord" => Some(About::new("an order", at("orders"))),
            "imp" => Some(About::new("an import", at("imports"))),
            "msg" => Some(About::new("a message", at("messages"))),
            "prm" => Some(About::new("a promotion", at("promotions"))),
            "pck" => Some(About::new("packs", page("prices"))),
            _ => None,
        };
        Ok(found.unwrap_or_else(|| About {
            name: id.to_owned(),
            href: None,
        }))
    }

    fn customer(&self, tx: &mut dyn Read, id: &str) -> Result<Option<About>, Problem> {
        let member = self.member;
        let Ok(id) = id.parse() else { return Ok(None) };
        let customer = match customer_by_id(tx, member.shop.vendor.book_id, id) {
            Ok(customer) => customer,
            Err(CustomerError::Engine(e)) => return Err(e.into()),
            Err(_) => return Ok(None),
        };
        let who = who(tx, self.vault, member.actor(), &member.shop, &customer)?;
        Ok(Some(About::new(who.name, who.href)))
    }

    fn product(&self, tx: &mut dyn Read, id: &str) -> Result<Option<About>, Problem> {
        let shop = &self.member.shop;
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = if_there(product_by_id(tx, shop.vendor.book_id, id).map_err(Into::into))?;
        let href = shop.at(&format!("/staff/products/{id}"));
        Ok(found.map(|found| About::new(found.product.title, href)))
    }

    fn offer(&self, tx: &mut dyn Read, id: &str) -> Result<Option<About>, Problem> {
        let shop = &self.member.shop;
        let Ok(id) = id.parse() else { return Ok(None) };
        let mut found = offers_shown(tx, shop.vendor.book_id, &[id])?;
        Ok(found.pop().map(|shown| {
            let offer = shown.offer;
            let path = format!("/staff/products/{}/offers/{id}", offer.product_id);
            About::new(offer.sku, shop.at(&path))
        }))
    }

    /// Orders by card have no page of their own.
    fn token_order(&self, tx: &mut dyn Read, id: &str) -> Result<Option<About>, Problem> {
        let (shop, actor) = (&self.member.shop, self.member.actor());
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = offline_order_by_id(tx, actor, shop.vendor.book_id, id);
        let found = if_there(found.map_err(Into::into))?;
        let href = shop.at(&format!("/staff/token-orders/{id}"));
        Ok(found.map(|order| About::new(order.reference, href)))
    }

    fn webhook(&self, tx: &mut dyn Read, id: &str) -> Result<Option<About>, Problem> {
        let shop = &self.member.shop;
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = if_there(endpoint_by_id(tx, shop.vendor.book_id, id).map_err(Into::into))?;
        let href = shop.at(&format!("/staff/webhooks/{id}"));
        Ok(found.map(|_| About::new("a webhook", href)))
    }
}

/// What was found; nothing where it is gone.
fn if_there<T>(found: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.code == "not_found" => Ok(None),
        Err(problem) => Err(problem),
    }
}

//! The office of a mall: who owes whom, members, lists, invoices and disputes, for the owners and
//! managers of the vendor that runs it (GOV-01 to GOV-10, GOV-12, MSP-01, MSP-06, MSP-08).
//!
//! Every figure is what the ledgers of the mall and its members say; nothing is kept for these pages.

mod act;
mod clearing;
mod lists;
mod member;
mod members;
mod picture;
mod statements;

use super::super::frame::staff_shell;
use super::super::session::{Shop, StaffMember};
use super::super::view::format::money;
use super::super::view::{Notice, Shell, Tone};
use super::at;
use super::mall::standing;
use crate::error::{Failed, Problem};
use crate::state::App;
use axum::Router;
use axum::routing::{get, post};
use scrip_domain::Amount;
use scrip_domain::mall::{Mall, Member, malls_run_by};
use scrip_domain::vendor::{Hue, Permission, Vendor, storefront};
use scrip_engine::Read;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The routes of this noun.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/office/{mall}"), get(clearing::page_of))
        .route(&at("/office/{mall}/members"), get(members::page_of))
        .route(&at("/office/{mall}/members/{vendor}"), get(member::page_of))
        .route(&at("/office/{mall}/lists"), get(lists::page_of))
        .route(&at("/office/{mall}/statements"), get(statements::page_of))
        .route(&at("/office/{mall}/act"), post(act::act))
}

/// Which mall.
#[derive(Clone, Deserialize)]
pub(super) struct AtMall {
    mall: String,
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    done: Option<String>,
}

/// A page of the office in the row above its pages.
struct Place {
    label: &'static str,
    href: String,
    here: bool,
}

/// What all its pages have.
struct Office {
    name: String,
    places: Vec<Place>,
    action: String,
    may: bool,
    back: String,
}

/// Where a page of the office of a mall stands, by the mall's short name.
pub(super) fn office_at(shop: &Shop, mall: &str, path: &str) -> String {
    shop.at(&format!("/staff/office/{mall}{path}"))
}

fn office(member: &StaffMember, mall: &Mall, here: &'static str) -> Office {
    let shop = &member.shop;
    let places = [
        ("Clearing", ""),
        ("Members", "/members"),
        ("Groups, products, tolls", "/lists"),
        ("Invoices and disputes", "/statements"),
    ];
    Office {
        name: mall.name.clone(),
        places: places
            .map(|(label, path)| Place {
                label,
                href: office_at(shop, &mall.slug, path),
                here: path == here,
            })
            .into(),
        action: office_at(shop, &mall.slug, "/act"),
        may: member.staff.role.may(Permission::Mall),
        back: here.to_owned(),
    }
}

fn shell(member: &StaffMember, mall: &Mall, done: Option<String>) -> Shell {
    let mut shell = staff_shell(member, mall.name.clone(), "/staff/mall");
    shell.notice = done.map(|_| {
        let text = "It holds from the next request on.";
        Notice::new(Tone::Good, "That is done.", text)
    });
    shell
}

/// The mall of a short name that this vendor runs.
fn run_by(tx: &mut dyn Read, vendor: &Vendor, slug: &str) -> std::result::Result<Mall, Failed> {
    let mut malls = malls_run_by(tx, vendor)?.into_iter();
    let found = malls.find(|mall| mall.slug == slug);
    found.ok_or_else(|| Failed::from(Problem::not_found("mall")))
}

/// A member as it is named on the pages.
#[derive(Clone)]
struct Party {
    name: String,
    hue: Hue,
    href: String,
    standing: &'static str,
    class: &'static str,
}

/// How members of a mall look, by book.
fn parties(
    tx: &mut dyn Read,
    shop: &Shop,
    mall: &Mall,
    members: &[Member],
) -> std::result::Result<BTreeMap<i64, Party>, Failed> {
    let mut parties = BTreeMap::new();
    for member in members {
        let (words, class) = standing(member);
        let place = format!("/members/{}", member.slug);
        let party = Party {
            href: office_at(shop, &mall.slug, &place),
            hue: storefront(tx, member.book_id)?.hue,
            name: member.name.clone(),
            standing: words,
            class,
        };
        parties.insert(member.book_id, party);
    }
    Ok(parties)
}

fn cash(mall: &Mall, amount: Amount) -> String {
    money(amount, &mall.currency)
}

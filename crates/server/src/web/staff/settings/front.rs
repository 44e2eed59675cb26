//! How the shop looks, and what its first page says.

use super::super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::{Choice, Field, Notice, Shell, Tone, mark_path};
use super::super::{May, permission, said};
use super::Asked;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::vendor::{Hue, Mark, Permission, Sells, Storefront, storefront, storefront_set};
use serde::Deserialize;

struct Colour {
    hue: Hue,
    on: bool,
}

struct Sign {
    mark: Mark,
    path: String,
    on: bool,
}

#[derive(Template)]
#[template(path = "staff/settings/front.html")]
struct FrontPage {
    shell: Shell,
    colours: Vec<Colour>,
    signs: Vec<Sign>,
    sells: Vec<Choice>,
    headline: Field,
    introduction: Field,
    effect: &'static str,
    may: bool,
    here: String,
    back: String,
    shop: String,
    began: String,
    key: String,
}

/// What was typed; `began` is a digest of what held when the form was drawn.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    hue: String,
    mark: String,
    sells: String,
    headline: String,
    introduction: String,
    began: String,
    key: String,
}

/// The same text for the same storefront.
fn digest(front: &Storefront) -> String {
    let text = format!("{front:?}");
    let bytes = scrip_domain::vault::digest(text.as_bytes());
    bytes.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

fn front_page(member: &StaffMember, front: &Storefront, began: String) -> FrontPage {
    let word = |sells: Sells| match sells {
        Sells::Software => (
            "Software",
            "Programs by the piece, for days, uses or processings",
        ),
        Sells::Goods => ("Goods", "Pieces that are counted and shipped"),
        Sells::Both => ("Both", "Visitors choose which of the two they want to see"),
    };
    let sells = |sells: &Sells| {
        let (label, note) = word(*sells);
        Choice::new("sells", sells.name(), label, *sells == front.sells).note(note)
    };
    FrontPage {
        shell: staff_shell(member, "Storefront", "/staff/settings"),
        colours: Hue::ALL
            .iter()
            .map(|hue| Colour {
                hue: *hue,
                on: *hue == front.hue,
            })
            .collect(),
        signs: Mark::ALL
            .iter()
            .map(|mark| Sign {
                mark: *mark,
                path: mark_path(*mark),
                on: *mark == front.mark,
            })
            .collect(),
        sells: Sells::ALL.iter().map(sells).collect(),
        headline: Field::text("headline", "Headline")
            .optional()
            .max(120)
            .value(&*front.headline)
            .help("One line below the name, also in the directory of shops."),
        introduction: Field::area("introduction", "Introduction")
            .optional()
            .max(4000)
            .value(&*front.introduction),
        effect: if front.introduction.is_empty() {
            "There is no introduction: visitors begin on the shelves."
        } else {
            "Visitors see the introduction first."
        },
        may: member.staff.role.may(Permission::Policy),
        here: member.shop.at("/staff/settings/front"),
        back: member.shop.at("/staff/settings"),
        shop: member.shop.at(""),
        began,
        key: form_key(),
    }
}

/// `GET /shops/{slug}/staff/settings/front`.
pub async fn form(member: StaffMember, Query(asked): Query<Asked>) -> Result<Response> {
    let front = &member.shop.front;
    let mut page_of = front_page(&member, front, digest(front));
    page_of.shell.notice = asked.done.map(|_| {
        let text = "Every page of the shop shows it from now on.";
        Notice::new(Tone::Good, "The storefront is changed.", text)
    });
    page(&page_of)
}

/// `POST /shops/{slug}/staff/settings/front`.
pub async fn save(
    State(app): State<App>,
    May(member, _): May<permission::Policy>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let unknown =
        |e: scrip_domain::text::TextError| Problem::invalid("form_invalid", e.to_string());
    let new = Storefront {
        hue: Hue::parse(&typed.hue).map_err(unknown)?,
        mark: Mark::parse(&typed.mark).map_err(unknown)?,
        sells: Sells::parse(&typed.sells).map_err(unknown)?,
        headline: typed.headline,
        introduction: typed.introduction,
    };
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("front {new:?}").into_bytes();
    let keyed = member.keyed(format!("front-{}", typed.key), request, None);
    let (wanted, began) = (new.clone(), typed.began.clone());
    let done = app.submit(keyed, move |tx| {
        if digest(&storefront(tx, vendor.book_id)?) != began {
            return Err(Failed::from(scrip_domain::vendor::VendorError::Stale));
        }
        storefront_set(tx, actor, &vendor, &wanted)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => see(&link(
            &member.shop.at("/staff/settings/front"),
            &[("done", "yes")],
        )),
        Err(problem) => {
            let is_stale = problem.code == "settings_changed";
            let (status, notice) = said(problem)?;
            let book = member.shop.vendor.book_id;
            let held = app.read(move |tx| storefront(tx, book)).await?;
            let mut page_of = if is_stale {
                front_page(&member, &held, digest(&held))
            } else {
                front_page(&member, &new, typed.began)
            };
            page_of.shell.notice = Some(notice);
            page_with(status, &page_of)
        }
    }
}

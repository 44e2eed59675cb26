//! Packs of tokens among the prices: their rows, their form, what staff do with them.

use super::super::super::buy::{conditions, percent};
use super::super::super::frame::link;
use super::super::super::session::StaffMember;
use super::super::super::view::Field;
use super::super::super::view::format::{money, tokens};
use super::super::{May, at, permission};
use super::{Shown, changed, moment, rate, time_field};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Path};
use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use scrip_domain::Amount;
use scrip_domain::token_sale::price::{NewPack, Pack, pack_put, pack_withdraw};
use scrip_domain::vendor::Vendor;
use scrip_engine::{Timestamp, Tx};
use serde::Deserialize;

/// The routes of packs below `/shops/{slug}/staff`.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route(&at("/prices/packs"), post(put_pack))
        .route(&at("/prices/packs/{id}/withdraw"), post(withdraw))
}

/// A pack.
pub(super) struct PackRow {
    pub(super) name: String,
    pub(super) holds: String,
    pub(super) price: String,
    pub(super) terms: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) change: String,
    pub(super) withdraw: Option<String>,
}

/// The fields of a pack, filled in with the one that is changed.
pub(super) fn pack_fields(pack: Option<&Pack>, vendor: &Vendor) -> Vec<Field> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let until = pack.filter(|p| p.sold_until != Timestamp::NEVER);
    let minute = |at: Timestamp| at.to_string().chars().take(16).collect::<String>();
    vec![
        Field::text("name", "Name")
            .value(text(pack.map(|p| p.name.clone())))
            .max(60),
        Field::number("tokens", "Tokens in it")
            .value(text(pack.map(|p| p.tokens.decimal(vendor.token.scale)))),
        Field::number(
            "pack_price",
            format!("Its own price, in {}", vendor.currency.code),
        )
        .value(text(
            pack.and_then(|p| p.price)
                .map(|p| p.decimal(vendor.currency.scale)),
        ))
        .help("Or leave it empty and give a rate off the price of single tokens.")
        .optional(),
        Field::number("off", "Rate off, in percent")
            .value(text(
                pack.filter(|p| p.off > 0)
                    .map(|p| percent(p.off).trim_end_matches(" %").to_owned()),
            ))
            .optional(),
        Field::text("restriction", "Its tokens pay only for")
            .value(text(pack.and_then(|p| p.restriction.clone())))
            .help("sale for things on sale, or category: and a category. Empty for everything.")
            .max(120)
            .optional(),
        Field::number("life_days", "Days that its tokens live")
            .value(text(pack.and_then(|p| p.life_days).map(|d| d.to_string())))
            .inputmode("numeric")
            .optional(),
        Field::text("pack_country", "Sold in")
            .value(text(pack.map(|p| p.country.clone())))
            .help("Two letters, as DE. Empty for everywhere.")
            .max(2)
            .optional(),
        time_field(
            "sold_from",
            "Sold from, UTC",
            &text(pack.map(|p| minute(p.sold_from))),
        ),
        time_field(
            "sold_until",
            "Sold until, UTC",
            &text(until.map(|p| minute(p.sold_until))),
        ),
    ]
}

/// A pack as a row of the page at `here`.
pub(super) fn pack_row(member: &StaffMember, pack: &Pack, here: &str) -> PackRow {
    let vendor = &member.shop.vendor;
    let now = member.now;
    let (state, class) = if pack.is_sold(now) {
        ("Sold", "status good")
    } else if pack.sold_from > now {
        ("Planned", "status waits")
    } else {
        ("Withdrawn", "status stopped")
    };
    let mut terms = conditions(pack.restriction.as_deref(), pack.life_days);
    if !pack.country.is_empty() {
        terms.push(format!("in {}", pack.country));
    }
    let id = pack.id.to_string();
    PackRow {
        name: pack.name.clone(),
        holds: tokens(pack.tokens).to_string(),
        price: match pack.price {
            Some(price) => money(price, &vendor.currency),
            None => format!("{} off", percent(pack.off)),
        },
        terms: terms.join(", "),
        state,
        class,
        change: link(here, &[("pack", &id)]),
        withdraw: (pack.sold_until > now).then(|| format!("{here}/packs/{id}/withdraw")),
    }
}

/// A pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct PackForm {
    id: String,
    version: String,
    name: String,
    tokens: String,
    pack_price: String,
    off: String,
    restriction: String,
    life_days: String,
    pack_country: String,
    sold_from: String,
    sold_until: String,
    key: String,
}

impl PackForm {
    fn new_pack(&self, vendor: &Vendor) -> Result<NewPack> {
        let number = |text: &str| {
            text.trim()
                .parse::<i64>()
                .map_err(|_| Problem::invalid("price_invalid", "days are a whole number"))
        };
        let change = match self.id.as_str() {
            "" => None,
            id => {
                let id = id.parse().map_err(|_| Problem::not_found("pack"))?;
                Some((id, self.version.parse().unwrap_or(0)))
            }
        };
        Ok(NewPack {
            change,
            name: self.name.clone(),
            tokens: Amount::parse(self.tokens.trim(), vendor.token.scale)?,
            price: match self.pack_price.trim() {
                "" => None,
                price => Some(Amount::parse(price, vendor.currency.scale)?),
            },
            off: rate(&self.off)?,
            restriction: self.restriction.clone(),
            life_days: match self.life_days.trim() {
                "" => None,
                days => Some(number(days)?),
            },
            country: self.pack_country.clone(),
            sold_from: moment(&self.sold_from)?,
            sold_until: moment(&self.sold_until)?,
        })
    }
}

/// `POST /shops/{slug}/staff/prices/packs`.
async fn put_pack(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Form(form): Form<PackForm>,
) -> Result<Response> {
    let run = form.new_pack(&member.shop.vendor).map(|new| {
        let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
        move |tx: &mut Tx<'_>| {
            pack_put(tx, actor, &vendor, &new)?;
            Ok(())
        }
    });
    let shown = Shown {
        pack: Some(form.id.clone()).filter(|id| !id.is_empty()),
        done: None,
    };
    let request = format!(
        "{:?}",
        PackForm {
            key: String::new(),
            ..form.clone()
        }
    );
    changed(&app, &member, form.key, request, "pack", &shown, run).await
}

#[derive(Deserialize)]
struct PackPath {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keyed {
    key: String,
}

/// `POST /shops/{slug}/staff/prices/packs/{id}/withdraw`.
async fn withdraw(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Path(path): Path<PackPath>,
    Form(form): Form<Keyed>,
) -> Result<Response> {
    let id = path.id.parse().map_err(|_| Problem::not_found("pack"))?;
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let run = Ok(move |tx: &mut Tx<'_>| {
        pack_withdraw(tx, actor, &vendor, id)?;
        Ok(())
    });
    let request = format!("withdraw {id}");
    let shown = Shown::default();
    changed(&app, &member, form.key, request, "withdrawn", &shown, run).await
}

//! Prices of tokens: the price of one, packs, tiers, prices by country, with their history
//! (TOK-01 to TOK-05).

mod pack;

use super::super::buy::percent;
use super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::session::StaffMember;
use super::super::view::format::{price_each, tokens};
use super::super::view::{Field, Notice, Shell, Tone, When};
use super::{May, at, permission, said};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use pack::{PackRow, pack_fields, pack_row};
use scrip_domain::Amount;
use scrip_domain::token_sale::price::{
    CountryPrice, Pack, PriceSet, Tier, country_price_set, country_prices, packs, price_change,
    price_history, tiers, tiers_set,
};
use scrip_domain::vendor::{Permission, Vendor};
use scrip_engine::{Timestamp, Tx};
use serde::Deserialize;

/// The routes below `/shops/{slug}/staff`.
pub fn router() -> Router<App> {
    Router::new()
        .route(&at("/prices"), get(prices))
        .route(&at("/prices/token"), post(set_price))
        .route(&at("/prices/country"), post(set_country))
        .route(&at("/prices/tiers"), post(set_tiers))
        .merge(pack::router())
}

/// Prices shown of the history.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "staff/prices.html")]
struct PricesPage {
    shell: Shell,
    here: String,
    now: String,
    history: Vec<Row>,
    countries: Vec<Row>,
    packs: Vec<PackRow>,
    tiers: Vec<TierRow>,
    stacking: bool,
    forms: Option<Forms>,
}

/// A price from a time on.
struct Row {
    /// None for what held from the beginning.
    at: Option<When>,
    what: String,
    price: String,
    is_planned: bool,
}

/// A tier.
struct TierRow {
    from: String,
    off: String,
    whom: &'static str,
}

/// What may be changed, for those who may.
struct Forms {
    price: Vec<Field>,
    country: Vec<Field>,
    tiers: Field,
    tiers_seen: String,
    pack: Vec<Field>,
    pack_title: String,
    /// The pack that is changed, and the version that was seen; empty for a new one.
    pack_id: String,
    pack_version: String,
    key: String,
}

/// Which pack is changed, and what was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    pack: Option<String>,
    done: Option<String>,
}

/// All that stands on the page.
struct Held {
    history: Vec<PriceSet>,
    countries: Vec<CountryPrice>,
    packs: Vec<Pack>,
    tiers: Vec<Tier>,
}

async fn held(app: &App, member: &StaffMember) -> Result<Held> {
    let book = member.shop.vendor.book_id;
    app.read(move |tx| {
        Ok::<_, Failed>(Held {
            history: price_history(tx, book, None, SHOWN)?.items,
            countries: country_prices(tx, book)?,
            packs: packs(tx, book)?,
            tiers: tiers(tx, book)?,
        })
    })
    .await
}

/// Tiers as staff type them, one a line: `500 10`, `preferred 0 2.5`.
fn tier_lines(tiers: &[Tier], vendor: &Vendor) -> String {
    let line = |tier: &Tier| {
        let whom = if tier.preferred { "preferred " } else { "" };
        let from = tier.from_tokens.decimal(vendor.token.scale);
        format!("{whom}{from} {}", percent(tier.off).trim_end_matches(" %"))
    };
    let lines: Vec<String> = tiers.iter().map(line).collect();
    lines.join("\n")
}

/// A rate as typed, in basis points.
fn rate(typed: &str) -> Result<i64> {
    let typed = typed.trim().trim_end_matches('%').trim();
    if typed.is_empty() {
        return Ok(0);
    }
    Ok(Amount::parse(typed, 2)?.units())
}

fn read_tiers(text: &str, vendor: &Vendor) -> Result<Vec<Tier>> {
    let wrong = |line: &str| {
        let line: String = line.chars().take(60).collect();
        let text = format!(
            "{line:?} is no tier: write how many tokens and the rate, as in \"500 10\", or \
             \"preferred 0 2.5\""
        );
        Problem::invalid("price_invalid", text)
    };
    let mut tiers = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let rest = line.strip_prefix("preferred ");
        let words: Vec<&str> = rest.unwrap_or(line).split_whitespace().collect();
        let [from, off] = words[..] else {
            return Err(wrong(line));
        };
        tiers.push(Tier {
            preferred: rest.is_some(),
            from_tokens: Amount::parse(from, vendor.token.scale).map_err(|_| wrong(line))?,
            off: rate(off).map_err(|_| wrong(line))?,
        });
    }
    Ok(tiers)
}

/// A time as a form has it, in UTC: `2026-11-21T14:02`; empty for none.
fn moment(typed: &str) -> Result<Option<Timestamp>> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let seconds = if typed.len() == 16 { ":00" } else { "" };
    let zone = if typed.ends_with('Z') { "" } else { "Z" };
    Timestamp::parse(&format!("{typed}{seconds}{zone}"))
        .map(Some)
        .map_err(|_| {
            let text = format!("{typed:.40?} is no time: write it like 2026-11-21T14:02");
            Problem::invalid("time_invalid", text)
        })
}

fn time_field(name: &'static str, label: &str, value: &str) -> Field {
    Field::text(name, label)
        .kind("datetime-local")
        .value(value)
        .optional()
}

fn forms(member: &StaffMember, held: &Held, shown: &Shown) -> Forms {
    let vendor = &member.shop.vendor;
    let changed = shown
        .pack
        .as_ref()
        .and_then(|id| held.packs.iter().find(|p| p.id.to_string() == *id));
    Forms {
        price: vec![
            Field::number("price", format!("Price of a token, in {}", vendor.currency.code)),
            time_field("from", "From when on, UTC; empty for now", ""),
        ],
        country: vec![
            Field::text("country", "Country")
                .help("Two letters, as CH.")
                .max(2)
                .class("is-short"),
            Field::number(
                "country_price",
                format!("Price there, in {}", vendor.currency.code),
            )
                .help("Empty: the general price holds there again.")
                .optional(),
            time_field("country_from", "From when on, UTC; empty for now", ""),
        ],
        tiers: Field::area("tiers", "Tiers, one a line")
            .value(tier_lines(&held.tiers, vendor))
            .help("How many tokens, and percent off: 500 10. For preferred customers: preferred 0 2.5.")
            .optional(),
        tiers_seen: tier_lines(&held.tiers, vendor),
        pack: pack_fields(changed, vendor),
        pack_title: match changed {
            Some(pack) => format!("Change {}", pack.name),
            None => "A new pack".to_owned(),
        },
        pack_id: changed.map(|p| p.id.to_string()).unwrap_or_default(),
        pack_version: changed.map(|p| p.version.to_string()).unwrap_or_default(),
        key: form_key(),
    }
}

fn drawn(member: &StaffMember, held: &Held, shown: &Shown) -> PricesPage {
    let (vendor, now) = (&member.shop.vendor, member.now);
    let here = member.shop.at("/staff/prices");
    let may = member.staff.role.may(Permission::Prices);
    PricesPage {
        shell: staff_shell(member, "Prices", "/staff/prices"),
        now: price_each(member.shop.token_price, &vendor.currency),
        history: held
            .history
            .iter()
            .map(|set| Row {
                at: (set.effective_at.0 > 0).then(|| When::minute(set.effective_at)),
                what: String::new(),
                price: price_each(set.price, &vendor.currency),
                is_planned: set.effective_at > now,
            })
            .collect(),
        countries: held
            .countries
            .iter()
            .map(|set| Row {
                at: (set.effective_at.0 > 0).then(|| When::minute(set.effective_at)),
                what: set.country.clone(),
                price: match set.price {
                    Some(price) => price_each(price, &vendor.currency),
                    None => "the general price".to_owned(),
                },
                is_planned: set.effective_at > now,
            })
            .collect(),
        packs: held
            .packs
            .iter()
            .map(|p| pack_row(member, p, &here))
            .collect(),
        tiers: held
            .tiers
            .iter()
            .map(|tier| TierRow {
                from: tokens(tier.from_tokens).to_string(),
                off: percent(tier.off),
                whom: if tier.preferred {
                    "preferred customers"
                } else {
                    "everybody"
                },
            })
            .collect(),
        stacking: member.shop.policy.sale.stacking,
        forms: may.then(|| forms(member, held, shown)),
        here,
    }
}

/// `GET /shops/{slug}/staff/prices`.
async fn prices(
    State(app): State<App>,
    member: StaffMember,
    Query(shown): Query<Shown>,
) -> Result<Response> {
    let held = held(&app, &member).await?;
    let mut prices = drawn(&member, &held, &shown);
    prices.shell.notice = match shown.done.as_deref() {
        Some("set") => Some(Notice::new(
            Tone::Good,
            "The price is set.",
            "It holds for later sales; open orders keep theirs.",
        )),
        Some("pack") => Some(Notice::new(Tone::Good, "The pack is kept.", "")),
        Some("withdrawn") => Some(Notice::new(Tone::Good, "The pack is withdrawn.", "")),
        _ => None,
    };
    page(&prices)
}

/// Runs a change under the form's key; the page again with what was refused.
async fn changed<F>(
    app: &App,
    member: &StaffMember,
    key: String,
    request: String,
    done: &'static str,
    shown: &Shown,
    run: Result<F>,
) -> Result<Response>
where
    F: FnMut(&mut Tx<'_>) -> std::result::Result<(), Failed> + Clone + Send + 'static,
{
    let outcome = match run {
        Ok(run) => {
            let keyed = member.keyed(key, request.into_bytes(), None);
            app.submit(keyed, run).await.map(|_| ())
        }
        Err(problem) => Err(problem),
    };
    match outcome {
        Ok(()) => see(&link(&member.shop.at("/staff/prices"), &[("done", done)])),
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let held = held(app, member).await?;
            let mut prices = drawn(member, &held, shown);
            prices.shell.notice = Some(notice);
            page_with(status, &prices)
        }
    }
}

/// A price.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceForm {
    price: String,
    #[serde(default)]
    from: String,
    key: String,
}

/// A price in a country.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountryForm {
    country: String,
    #[serde(default)]
    country_price: String,
    #[serde(default)]
    country_from: String,
    key: String,
}

/// `POST /shops/{slug}/staff/prices/token`.
async fn set_price(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Form(form): Form<PriceForm>,
) -> Result<Response> {
    let run = (|| {
        let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
        let price = Amount::parse(form.price.trim(), vendor.currency.scale)?;
        let from = moment(&form.from)?;
        Ok(move |tx: &mut Tx<'_>| {
            price_change(tx, actor, &vendor, price, from)?;
            Ok(())
        })
    })();
    let request = format!("price {} {}", form.price, form.from);
    changed(
        &app,
        &member,
        form.key,
        request,
        "set",
        &Shown::default(),
        run,
    )
    .await
}

/// `POST /shops/{slug}/staff/prices/country`.
async fn set_country(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Form(form): Form<CountryForm>,
) -> Result<Response> {
    let run = (|| {
        let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
        let price = match form.country_price.trim() {
            "" => None,
            price => Some(Amount::parse(price, vendor.currency.scale)?),
        };
        let (from, country) = (moment(&form.country_from)?, form.country.clone());
        Ok(move |tx: &mut Tx<'_>| {
            country_price_set(tx, actor, &vendor, &country, price, from)?;
            Ok(())
        })
    })();
    let request = format!(
        "country {} {} {}",
        form.country, form.country_price, form.country_from
    );
    changed(
        &app,
        &member,
        form.key,
        request,
        "set",
        &Shown::default(),
        run,
    )
    .await
}

/// Tiers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TierForm {
    #[serde(default)]
    tiers: String,
    #[serde(default)]
    seen: String,
    key: String,
}

/// `POST /shops/{slug}/staff/prices/tiers`.
async fn set_tiers(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Form(form): Form<TierForm>,
) -> Result<Response> {
    let run = (|| {
        let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
        let (seen, new) = (
            read_tiers(&form.seen, &vendor)?,
            read_tiers(&form.tiers, &vendor)?,
        );
        Ok(move |tx: &mut Tx<'_>| Ok(tiers_set(tx, actor, &vendor, &seen, &new)?))
    })();
    let request = format!("tiers {}", form.tiers);
    changed(
        &app,
        &member,
        form.key,
        request,
        "set",
        &Shown::default(),
        run,
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::{moment, rate};
    use scrip_engine::Timestamp;

    #[test]
    fn rates_and_times_as_typed() {
        for (typed, found) in [("", 0), ("5", 500), (" 2.5 % ", 250), ("99.99", 9999)] {
            assert_eq!(rate(typed).unwrap(), found, "{typed}");
        }
        assert!(rate("x").is_err() && rate("0.001").is_err());
        let noon = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        for typed in [
            "2026-11-21T12:00",
            "2026-11-21T12:00:00",
            "2026-11-21T12:00:00Z",
        ] {
            assert_eq!(moment(typed).unwrap(), Some(noon), "{typed}");
        }
        assert_eq!(moment(" ").unwrap(), None);
        assert!(moment("tomorrow").is_err());
    }
}

//! The form of a promotion or a coupon: what was typed, what it would do, keeping it.

use super::super::super::frame::{page, page_with, see};
use super::super::super::session::StaffMember;
use super::super::super::view::format::count;
use super::super::super::view::{Choice, Field, Shown};
use super::*;
use crate::http::body::Form;
use axum::http::StatusCode;
use jiff::civil::DateTime;
use scrip_domain::Amount;
use scrip_domain::promotion::{
    CouponTerms, NewPromotion, Preview, Terms, promotion_by_id, promotion_preview, promotion_put,
    scope_in_words, scope_read,
};
use scrip_engine::{Read, ReadTx};

/// Prices that a preview shows.
const EXAMPLES: usize = 30;

#[derive(Template)]
#[template(path = "staff/promotions/form.html")]
struct FormPage {
    shell: Shell,
    title: String,
    here: String,
    name: Field,
    times: Vec<Field>,
    zone: String,
    cuts: Vec<Choice>,
    value: Field,
    scopes: Vec<Choice>,
    names: Field,
    limits: Vec<Field>,
    coupon: Vec<Field>,
    ticks: Vec<Tick>,
    hidden: Vec<(&'static str, String)>,
    preview: Option<PreviewView>,
}

/// A box to tick.
struct Tick {
    name: &'static str,
    label: &'static str,
    on: bool,
}

/// What it would do.
struct PreviewView {
    said: Vec<String>,
    rows: Vec<Example>,
    is_more: bool,
}

/// A price that it would change.
struct Example {
    title: String,
    sku: String,
    granted: String,
    list: Shown,
    price: Shown,
    note: &'static str,
}

/// What staff typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Typed {
    id: String,
    version: String,
    is_coupon: String,
    name: String,
    begins: String,
    ends: String,
    cut: String,
    value: String,
    scope: String,
    names: String,
    preferred: String,
    per_customer: String,
    in_total: String,
    minimum: String,
    manufacturer: String,
    combinable: String,
    code: String,
    step: String,
    key: String,
}

/// What a blank form begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    coupon: String,
    copy: Option<PromotionId>,
    change: Option<PromotionId>,
}

fn invalid(text: impl Into<String>) -> Problem {
    Problem::invalid("promotion_invalid", text)
}

/// A time as a form has it, in the vendor's time zone: `2026-12-05T18:00`. Where clocks are put
/// back, the first of the two counts; where they are put forward, the hour is skipped.
pub(super) fn moment(typed: &str, zone: &str) -> Result<i64> {
    let typed = typed.trim();
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let plain = typed.get(..10).is_some() && !typed.contains(['Z', '[', '+']);
    let at = typed.parse::<DateTime>().ok().filter(|_| plain);
    let at = at.and_then(|at| at.to_zoned(zone).ok());
    at.map(|at| at.timestamp().as_microsecond()).ok_or_else(|| {
        let typed: String = typed.chars().take(40).collect();
        let text = format!("{typed:?} is no time: write it like 2026-12-05T18:00");
        Problem::invalid("time_invalid", text)
    })
}

/// A time as such a form wants it.
pub(super) fn typed_time(micros: i64, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_microsecond(micros).map_or_else(
        |_| String::new(),
        |at| at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string(),
    )
}

impl Typed {
    fn is_coupon(&self) -> bool {
        !self.is_coupon.is_empty()
    }

    /// What is typed of a promotion that is there.
    fn of(tx: &mut dyn Read, member: &StaffMember, promotion: &Promotion) -> Result<Typed> {
        let (vendor, zone) = (&member.shop.vendor, &member.shop.policy.time_zone);
        let terms = &promotion.terms;
        let tokens = |amount: Amount| amount.decimal(vendor.token.scale);
        let number = |n: i64| if n > 0 { n.to_string() } else { String::new() };
        let flag = |on: bool| if on { "1".to_owned() } else { String::new() };
        let (cut, value) = match terms.cut {
            Cut::Rate(rate) => ("rate", percent(rate).trim_end_matches(" %").to_owned()),
            Cut::Each(off) => ("each", tokens(off)),
            Cut::Price(price) => ("price", tokens(price)),
        };
        let scope = match terms.scope {
            Scope::All => "all",
            Scope::Categories(_) => "categories",
            Scope::Manufacturers(_) => "manufacturers",
            Scope::Chosen { .. } => "chosen",
        };
        let coupon = terms.coupon.clone().unwrap_or_default();
        Ok(Typed {
            is_coupon: flag(promotion.is_coupon()),
            name: terms.name.clone(),
            begins: typed_time(terms.begins_at, zone),
            ends: typed_time(terms.ends_at, zone),
            cut: cut.to_owned(),
            value,
            scope: scope.to_owned(),
            names: scope_in_words(tx, vendor.book_id, &terms.scope)?.join("\n"),
            preferred: flag(terms.preferred_only),
            per_customer: number(terms.per_customer),
            in_total: number(terms.in_total),
            minimum: match terms.minimum.is_zero() {
                true => String::new(),
                false => tokens(terms.minimum),
            },
            manufacturer: coupon.manufacturer,
            combinable: flag(coupon.combinable),
            code: coupon.code,
            ..Typed::default()
        })
    }

    fn names(&self) -> Vec<String> {
        let lines = self.names.lines().map(str::trim);
        lines.filter(|l| !l.is_empty()).map(str::to_owned).collect()
    }

    fn cut(&self, member: &StaffMember) -> Result<Cut> {
        let scale = member.shop.vendor.token.scale;
        let value = self.value.trim().trim_end_matches('%').trim();
        match self.cut.as_str() {
            "rate" => Ok(Cut::Rate(Amount::parse(value, 2)?.units())),
            "each" => Ok(Cut::Each(Amount::parse(value, scale)?)),
            "price" => Ok(Cut::Price(Amount::parse(value, scale)?)),
            _ => Err(invalid("choose what it takes off")),
        }
    }

    /// The terms that were typed; names are looked up.
    fn terms(&self, tx: &mut dyn Read, member: &StaffMember) -> Result<Terms> {
        let (vendor, zone) = (&member.shop.vendor, &member.shop.policy.time_zone);
        let limit = |text: &str| match text.trim() {
            "" => Ok(0),
            text => match text.parse::<i64>() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(invalid(
                    "a limit is a whole number above zero, or empty for none",
                )),
            },
        };
        Ok(Terms {
            name: self.name.clone(),
            begins_at: match self.begins.trim() {
                "" => member.now.0,
                begins => moment(begins, zone)?,
            },
            ends_at: moment(&self.ends, zone)?,
            scope: match self.scope.as_str() {
                "all" => Scope::All,
                "categories" => Scope::Categories(self.names()),
                "manufacturers" => Scope::Manufacturers(self.names()),
                "chosen" => scope_read(tx, vendor.book_id, &self.names())?,
                _ => return Err(invalid("choose which products it is for")),
            },
            cut: self.cut(member)?,
            preferred_only: !self.preferred.is_empty(),
            per_customer: limit(&self.per_customer)?,
            in_total: limit(&self.in_total)?,
            minimum: match self.minimum.trim() {
                "" => Amount::ZERO,
                minimum => Amount::parse(minimum, vendor.token.scale)?,
            },
            coupon: self.is_coupon().then(|| CouponTerms {
                manufacturer: self.manufacturer.clone(),
                combinable: !self.combinable.is_empty(),
                code: self.code.clone(),
            }),
        })
    }

    fn change(&self) -> Result<Option<(PromotionId, i64)>> {
        if self.id.is_empty() {
            return Ok(None);
        }
        let id = self
            .id
            .parse()
            .map_err(|_| Problem::not_found("promotion"))?;
        Ok(Some((id, self.version.parse().unwrap_or(0))))
    }
}

/// `GET /shops/{slug}/staff/promotions/new`: blank, as a copy, or to change one.
pub(super) async fn blank(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let of = member.clone();
    let typed = app.read(move |tx| begun(tx, &of, &asked)).await?;
    page(&form_page(&member, &typed, None))
}

fn begun(tx: &mut ReadTx<'_>, member: &StaffMember, asked: &Asked) -> Result<Typed> {
    let Some(id) = asked.change.or(asked.copy) else {
        return Ok(Typed {
            is_coupon: asked.coupon.clone(),
            cut: "rate".into(),
            scope: "all".into(),
            ..Typed::default()
        });
    };
    let promotion = promotion_by_id(tx, member.shop.vendor.book_id, id)?;
    let mut typed = Typed::of(tx, member, &promotion)?;
    if asked.change.is_some() {
        typed.id = id.to_string();
        typed.version = promotion.version.to_string();
    } else {
        // A copy has times and a code of its own.
        typed.name = format!("{} again", typed.name);
        typed.begins.clear();
        typed.ends.clear();
        typed.code.clear();
    }
    Ok(typed)
}

/// `POST /shops/{slug}/staff/promotions`: shows what it would do, or keeps it.
pub(super) async fn put(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let outcome = match typed.step.as_str() {
        "keep" => kept(&app, &member, &typed).await,
        _ => {
            let (of, asked) = (member.clone(), typed.clone());
            let looked = app.read(move |tx| looked(tx, &of, &asked)).await;
            match looked {
                Ok(preview) => return page(&form_page(&member, &typed, Some(preview))),
                Err(problem) => Err(problem),
            }
        }
    };
    match outcome {
        Ok(id) => {
            let there = member.shop.at(&format!("{PATH}/{id}"));
            see(&link(&there, &[("done", "kept")]))
        }
        Err(problem) => refused(&member, &typed, problem),
    }
}

fn refused(member: &StaffMember, typed: &Typed, problem: Problem) -> Result<Response> {
    let (status, notice) = match problem.status {
        // What a form got wrong is said where it was typed.
        StatusCode::BAD_REQUEST => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Notice::new(Tone::Bad, "This was not done.", problem.sentence()),
        ),
        _ => said(problem)?,
    };
    let mut again = form_page(member, typed, None);
    again.shell.notice = Some(notice);
    page_with(status, &again)
}

fn looked(tx: &mut ReadTx<'_>, member: &StaffMember, typed: &Typed) -> Result<PreviewView> {
    let terms = typed.terms(tx, member)?;
    let id = typed.change()?.map(|change| change.0);
    let book = member.shop.vendor.book_id;
    let preview = promotion_preview(tx, book, &terms, id, EXAMPLES)?;
    Ok(preview_view(&preview))
}

fn preview_view(preview: &Preview) -> PreviewView {
    let mut said = Vec::new();
    let all = match preview.is_all {
        true => String::new(),
        false => " among the first 2,000 products; there are more".to_owned(),
    };
    said.push(match preview.affected {
        0 => format!("It is for no product{all}."),
        n => format!("It is for {} prices{all}.", count(n)),
    });
    if preview.unchanged > 0 {
        let n = count(preview.unchanged);
        said.push(format!(
            "{n} of them would not be lower, and stay as they are."
        ));
    }
    if preview.free > 0 {
        let n = count(preview.free);
        said.push(format!(
            "{n} of them would be free: look whether that is meant."
        ));
    }
    if !preview.beside.is_empty() {
        let names = preview.beside.join(", ");
        said.push(format!("At some of the same time hold: {names}."));
    }
    let rows = preview.examples.iter().map(|example| Example {
        title: example.title.clone(),
        sku: example.sku.clone(),
        granted: match example.granted {
            1 => String::new(),
            granted => format!("for {}", count(granted)),
        },
        list: tokens(example.list),
        price: tokens(example.price),
        note: match example.active {
            true => "",
            false => "not for sale",
        },
    });
    let rows: Vec<Example> = rows.collect();
    PreviewView {
        said,
        is_more: i64::try_from(rows.len()).is_ok_and(|n| n < preview.affected),
        rows,
    }
}

async fn kept(app: &App, member: &StaffMember, typed: &Typed) -> Result<PromotionId> {
    let change = typed.change()?;
    let request = Typed {
        key: String::new(),
        ..typed.clone()
    };
    let request = format!("promotion {request:?}");
    let keyed = member.keyed(typed.key.clone(), request.into_bytes(), None);
    let (of, typed, vault) = (member.clone(), typed.clone(), app.node.vault.clone());
    let done = app.submit(keyed, move |tx| {
        let terms = typed.terms(tx, &of).map_err(Failed::from)?;
        let new = NewPromotion { change, terms };
        let made = promotion_put(tx, &vault, of.actor(), &of.shop.vendor, &new)?;
        Ok::<_, Failed>(made.id)
    });
    Ok(done.await?.value)
}

fn form_page(member: &StaffMember, typed: &Typed, preview: Option<PreviewView>) -> FormPage {
    let is_coupon = typed.is_coupon();
    let noun = if is_coupon { "coupon" } else { "promotion" };
    let title = match typed.id.is_empty() {
        true => format!("A new {noun}"),
        false => format!("Change the {noun}"),
    };
    let cut =
        |value: &'static str, label: &str| Choice::new("cut", value, label, typed.cut == value);
    let scope =
        |value: &'static str, label: &str| Choice::new("scope", value, label, typed.scope == value);
    FormPage {
        here: member.shop.at(PATH),
        name: Field::text("name", "Name")
            .value(typed.name.as_str())
            .help("Customers read it: Autumn sale.")
            .max(60),
        times: vec![
            Field::text("begins", "From")
                .kind("datetime-local")
                .value(typed.begins.as_str())
                .help("Empty for now.")
                .optional(),
            Field::text("ends", "Until")
                .kind("datetime-local")
                .value(typed.ends.as_str()),
        ],
        zone: member.shop.policy.time_zone.clone(),
        cuts: vec![
            cut("rate", "Percent off"),
            cut("each", "Tokens off each piece"),
            cut("price", "A price in tokens for each piece"),
        ],
        value: Field::number("value", "How much")
            .value(typed.value.as_str())
            .help("Percent, as 10 or 2.5, or tokens. Of a quantity tier, each piece that it grants counts."),
        scopes: vec![
            scope("all", "All products"),
            scope("categories", "Products of some categories"),
            scope("manufacturers", "Products of some manufacturers"),
            scope("chosen", "Some products or SKUs"),
        ],
        names: Field::area("names", "Which ones, one a line")
            .value(typed.names.as_str())
            .help("Names of categories or manufacturers, handles of products, or SKUs.")
            .optional(),
        limits: limits(typed),
        coupon: match is_coupon {
            true => coupon_fields(typed),
            false => Vec::new(),
        },
        ticks: ticks(typed),
        hidden: vec![
            ("id", typed.id.clone()),
            ("version", typed.version.clone()),
            ("is_coupon", typed.is_coupon.clone()),
            ("key", form_key()),
        ],
        shell: staff_shell(member, title.as_str(), PATH),
        title,
        preview,
    }
}

fn limits(typed: &Typed) -> Vec<Field> {
    let number = |name, label| {
        Field::number(name, label)
            .inputmode("numeric")
            .help("Empty for any number.")
            .optional()
    };
    vec![
        number("per_customer", "Orders of one customer at most").value(typed.per_customer.as_str()),
        number("in_total", "Orders of all customers at most").value(typed.in_total.as_str()),
        Field::number("minimum", "An order comes to at least, tokens")
            .value(typed.minimum.as_str())
            .help("At the prices without promotions. Empty for anything.")
            .optional(),
    ]
}

fn coupon_fields(typed: &Typed) -> Vec<Field> {
    vec![
        Field::text("code", "One code for everybody")
            .value(typed.code.as_str())
            .help(
                "4 to 24 letters and digits: AUTUMN10. Empty: you issue codes that are good once.",
            )
            .class("is-mid")
            .max(40)
            .optional(),
        Field::text("manufacturer", "Paid for by the manufacturer")
            .value(typed.manufacturer.as_str())
            .help(
                "Then it is good for this manufacturer's products alone, and the reports say what \
                 it owes. Empty for your own coupon.",
            )
            .max(200)
            .optional(),
    ]
}

fn ticks(typed: &Typed) -> Vec<Tick> {
    let mut ticks = vec![Tick {
        name: "preferred",
        label: "For preferred customers only",
        on: !typed.preferred.is_empty(),
    }];
    if typed.is_coupon() {
        ticks.push(Tick {
            name: "combinable",
            label: "It comes off a promotion's price too",
            on: !typed.combinable.is_empty(),
        });
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::{moment, typed_time};

    /// ADV-06: times on pages are those of the vendor's time zone.
    #[test]
    fn times_are_the_vendors() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        for (typed, zone, utc) in [
            ("2026-12-05T18:00", "UTC", "2026-12-05T18:00:00Z"),
            ("2026-12-05T18:00", "Europe/Berlin", "2026-12-05T17:00:00Z"),
            (
                " 2026-07-05T18:00:30 ",
                "Europe/Berlin",
                "2026-07-05T16:00:30Z",
            ),
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00Z"),
            ("2026-12-05T18:00", "Nowhere/At_all", "2026-12-05T18:00:00Z"),
        ] {
            assert_eq!(moment(typed, zone).unwrap(), at(utc), "{typed} {zone}");
        }
        for odd in [
            "",
            "tomorrow",
            "2026-13-01T00:00",
            "2026-12-05T18:00Z",
            "é",
            "99999-01-01T00:00",
        ] {
            assert!(moment(odd, "UTC").is_err(), "{odd}");
        }
        let winter = typed_time(at("2026-12-05T17:00:00Z"), "Europe/Berlin");
        assert_eq!(winter, "2026-12-05T18:00");
    }
}

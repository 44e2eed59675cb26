//! An offer of a product: price, tiers, on sale or off, and its stock.

use super::super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::{Choice, Field, Notice, Shell, Tone, When};
use super::super::said;
use super::Keeper;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path, Query};
use crate::state::App;
use crate::web::shop::words;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::catalog::edit::offer_edit;
use scrip_domain::catalog::sheet::with_point;
use scrip_domain::catalog::{
    Correction, NewOffer, OfferKind, ProductDetail, Tier, product_by_id, stock_correct,
    stock_corrections,
};
use scrip_domain::id::{OfferId, ProductId};
use scrip_domain::vendor::Permission;
use scrip_ledger::Asset;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct At {
    id: ProductId,
    #[serde(default)]
    offer: Option<OfferId>,
}

#[derive(Template)]
#[template(path = "staff/catalogue/offer.html")]
struct OfferPage {
    shell: Shell,
    heading: String,
    product: String,
    product_at: String,
    form_at: String,
    fields: Vec<Field>,
    kinds: Vec<Choice>,
    on_sale: bool,
    active: bool,
    was: String,
    key: String,
    is_new: bool,
    may: bool,
    stock: Option<Stock>,
}

/// The stock of an offer that is there.
struct Stock {
    at: String,
    had: String,
    words: String,
    fields: [Field; 2],
    past: Vec<Past>,
}

/// A correction.
struct Past {
    at: When,
    change: String,
    reason: String,
}

/// What was typed.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    key: String,
    was: String,
    sku: String,
    variant: String,
    values: String,
    kind: String,
    price: String,
    tiers: String,
    stock: String,
    on_sale: String,
    active: String,
}

impl Typed {
    fn of(offer: &NewOffer, token: &Asset) -> Typed {
        let tier = |t: &Tier| format!("{}:{}", t.up_to, t.price.decimal(token.scale));
        Typed {
            sku: offer.sku.clone(),
            variant: offer.variant.clone(),
            values: offer.options.join(", "),
            kind: offer.kind.name().to_owned(),
            price: match offer.tiers.is_empty() {
                true => offer.price.decimal(token.scale),
                false => String::new(),
            },
            tiers: offer.tiers.iter().map(tier).collect::<Vec<_>>().join(" "),
            on_sale: if offer.on_sale { "yes" } else { "" }.to_owned(),
            active: if offer.active { "yes" } else { "" }.to_owned(),
            ..Typed::default()
        }
    }

    fn offer(&self, token: &Asset) -> Result<NewOffer> {
        let invalid = |text: String| Problem::invalid("catalog_invalid", text);
        let price = |text: &str| {
            Amount::parse(&with_point(text.trim()), token.scale).map_err(Problem::from)
        };
        let mut tiers = Vec::new();
        for tier in self.tiers.split_whitespace() {
            let wrong = || {
                invalid(format!(
                    "{tier:.40?} is no tier: write 100:10 for up to 100 at 10 tokens"
                ))
            };
            let (up_to, cost) = tier.split_once(':').ok_or_else(wrong)?;
            tiers.push(Tier {
                up_to: up_to.parse().map_err(|_| wrong())?,
                price: price(cost)?,
            });
        }
        let kind = OfferKind::ALL.into_iter().find(|k| k.name() == self.kind);
        let stock = self.stock.trim();
        let no_count = |_| invalid("the stock is a whole number of pieces, or empty".to_owned());
        let values = self.values.split(',').map(|v| v.trim().to_owned());
        let values: Vec<String> = if self.values.trim().is_empty() {
            Vec::new()
        } else {
            values.collect()
        };
        Ok(NewOffer {
            sku: self.sku.clone(),
            // What buyers chose names the variant.
            variant: match self.variant.trim().is_empty() {
                true => values.join(", "),
                false => self.variant.clone(),
            },
            kind: kind.ok_or_else(|| invalid("choose a kind of sale".to_owned()))?,
            price: match (self.price.trim(), tiers.is_empty()) {
                ("", true) => {
                    return Err(invalid(
                        "the price is empty: write 0 for nothing".to_owned(),
                    ));
                }
                ("", false) => Amount::ZERO,
                (_, false) => {
                    return Err(invalid(
                        "there are tiers and a price: leave one out".to_owned(),
                    ));
                }
                (text, true) => price(text)?,
            },
            on_sale: !self.on_sale.is_empty(),
            active: !self.active.is_empty(),
            stock: if stock.is_empty() {
                None
            } else {
                Some(stock.parse().map_err(no_count)?)
            },
            tiers,
            options: values,
        })
    }

    fn fields(&self, is_new: bool, options: &[String]) -> Vec<Field> {
        let mut fields = Vec::new();
        if is_new {
            let help = "Your number for it; it never changes.";
            fields.push(
                Field::text("sku", "SKU")
                    .value(&*self.sku)
                    .max(200)
                    .help(help),
            );
        }
        if !options.is_empty() {
            let help = format!("{}: with commas between.", options.join(", "));
            let field = Field::text("values", "What is chosen").value(&*self.values);
            fields.push(field.help(help).optional().max(500));
        }
        fields.extend([
            Field::text("variant", "Variant")
                .value(&*self.variant)
                .help("What tells it from the other offers, such as Large.")
                .optional()
                .max(200),
            Field::number("price", "Tokens for one")
                .value(&*self.price)
                .help("0 is allowed: whoever is signed in gets it for nothing.")
                .optional()
                .max(30),
            Field::text("tiers", "Or tiers")
                .value(&*self.tiers)
                .help("100:10 1000:80 means up to 100 for 10 tokens, up to 1,000 for 80.")
                .optional()
                .max(2000),
        ]);
        if is_new {
            let help = "Leave it empty when pieces are not counted.";
            let field = Field::number("stock", "Pieces at hand").value(&*self.stock);
            fields.push(field.help(help).optional().max(15));
        }
        fields
    }
}

/// A product with one of its offers, if that is there already.
struct Found {
    detail: ProductDetail,
    offer: Option<(OfferId, NewOffer, Option<i64>)>,
    past: Vec<Correction>,
}

async fn found(
    app: &App,
    member: &StaffMember,
    id: ProductId,
    offer: Option<OfferId>,
) -> Result<Found> {
    let book = member.shop.vendor.book_id;
    app.read(move |tx| {
        let detail = product_by_id(tx, book, id)?;
        let wanted = |offer: OfferId| {
            let mut all = detail.offers.iter();
            let found = all.find(|(o, _)| o.offer_id == offer);
            found.map(|(o, left)| (offer, NewOffer::of(o), *left))
        };
        let (offer, past) = match offer {
            Some(id) => {
                let found = wanted(id).ok_or_else(|| Problem::not_found("offer"))?;
                (Some(found), stock_corrections(tx, book, id, 20)?)
            }
            None => (None, Vec::new()),
        };
        Ok::<_, Problem>(Found {
            detail,
            offer,
            past,
        })
    })
    .await
}

fn page_of(member: &StaffMember, found: &Found, typed: &Typed, counted: (&str, &str)) -> OfferPage {
    let product = &found.detail.product;
    let product_at = member
        .shop
        .at(&format!("/staff/products/{}", found.detail.product_id));
    let heading = match &found.offer {
        Some((_, offer, _)) => offer.sku.clone(),
        None => "Enter an offer".to_owned(),
    };
    let chosen = OfferKind::ALL.into_iter().find(|k| k.name() == typed.kind);
    let chosen = chosen.unwrap_or(OfferKind::Purchase);
    let kind = |k: OfferKind| Choice::new("kind", k.name(), words::way(k), k == chosen);
    let was = found
        .offer
        .as_ref()
        .and_then(|(_, o, _)| serde_json::to_string(o).ok());
    let stock = found.offer.as_ref().map(|(id, _, left)| Stock {
        at: format!("{product_at}/offers/{id}/stock"),
        had: left.map(|n| n.to_string()).unwrap_or_default(),
        words: match left {
            Some(n) => format!("{n} at hand."),
            None => "Pieces are not counted. Enter how many there are, and they are from now on."
                .to_owned(),
        },
        fields: [
            Field::number("has", "Pieces that are there")
                .value(counted.0)
                .max(15),
            Field::text("reason", "Why")
                .value(counted.1)
                .help("Kept with your name.")
                .max(200),
        ],
        past: found.past.iter().map(past).collect(),
    });
    OfferPage {
        shell: staff_shell(member, heading.clone(), "/staff/products"),
        heading,
        product: product.title.clone(),
        form_at: format!("{product_at}/offers"),
        product_at,
        fields: typed.fields(found.offer.is_none(), &product.options),
        kinds: OfferKind::ALL.map(kind).into(),
        on_sale: !typed.on_sale.is_empty(),
        active: !typed.active.is_empty(),
        was: was.unwrap_or_default(),
        key: form_key(),
        is_new: found.offer.is_none(),
        may: member.staff.role.may(Permission::Catalogue),
        stock,
    }
}

fn past(one: &Correction) -> Past {
    let had = one
        .had
        .map_or_else(|| "not counted".to_owned(), |n| n.to_string());
    Past {
        at: When::minute(one.at),
        change: format!("{had} to {}", one.has),
        reason: one.reason.clone(),
    }
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Done {
    done: String,
}

/// `GET /shops/{slug}/staff/products/{id}/offers/{offer}`.
pub async fn offer(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let found = found(&app, &member, at.id, at.offer).await?;
    let token = &member.shop.vendor.token;
    let typed = found.offer.as_ref().map(|(_, o, _)| Typed::of(o, token));
    let mut shown = page_of(&member, &found, &typed.unwrap_or_default(), ("", ""));
    if done.done == "counted" {
        shown.shell.notice = Some(Notice::new(Tone::Good, "The stock is corrected.", ""));
    }
    page(&shown)
}

/// `GET /shops/{slug}/staff/products/{id}/offers`.
pub async fn new(State(app): State<App>, keeper: Keeper, Path(at): Path<At>) -> Result<Response> {
    let found = found(&app, &keeper.0, at.id, None).await?;
    let typed = Typed {
        active: "yes".to_owned(),
        ..Typed::default()
    };
    page(&page_of(&keeper.0, &found, &typed, ("", "")))
}

/// `POST /shops/{slug}/staff/products/{id}/offers`: enters one, or changes the one of `was`.
pub async fn edit(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<At>,
    Form(mut typed): Form<Typed>,
) -> Result<Response> {
    let member = keeper.0;
    let was: Option<NewOffer> = serde_json::from_str(&typed.was).ok();
    let before = found(&app, &member, at.id, None).await?;
    let mut known = None;
    if let Some(was) = &was {
        typed.sku = was.sku.clone();
        let mut all = before.detail.offers.iter();
        known = all.find(|(o, _)| o.sku == was.sku).map(|(o, _)| o.offer_id);
    }
    let done = match typed.offer(&member.shop.vendor.token) {
        Ok(new) => {
            let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
            let request = format!("{} {was:?} {new:?}", at.id).into_bytes();
            let keyed = member.keyed(typed.key.clone(), request, None);
            app.submit(keyed, move |tx| {
                offer_edit(tx, actor, &vendor, at.id, was.as_ref(), &new)?;
                Ok::<_, Failed>(())
            })
            .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => {
            let path = member.shop.at(&format!("/staff/products/{}", at.id));
            see(&link(&path, &[("done", "offer")]))
        }
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let found = found(&app, &member, at.id, known).await?;
            let mut shown = page_of(&member, &found, &typed, ("", ""));
            shown.shell.notice = Some(notice);
            page_with(status, &shown)
        }
    }
}

/// Pieces that were counted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    key: String,
    had: String,
    has: String,
    reason: String,
}

/// `POST /shops/{slug}/staff/products/{id}/offers/{offer}/stock`.
pub async fn stock(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<At>,
    Form(form): Form<Counted>,
) -> Result<Response> {
    let member = keeper.0;
    let before = found(&app, &member, at.id, at.offer).await?;
    let Some((offer, ..)) = before.offer else {
        return Err(Problem::not_found("offer"));
    };
    let had = form.had.trim().parse::<i64>().ok();
    let no_number = "the pieces that are there are a whole number: count them";
    let done = match form.has.trim().parse::<i64>() {
        Ok(has) => {
            let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
            let request = format!("{offer} {had:?} {has} {}", form.reason).into_bytes();
            let keyed = member.keyed(form.key.clone(), request, None);
            let reason = form.reason.clone();
            app.submit(keyed, move |tx| {
                stock_correct(tx, actor, &vendor, offer, (had, has), &reason)?;
                Ok::<_, Failed>(())
            })
            .await
        }
        Err(_) => Err(Problem::invalid("catalog_invalid", no_number)),
    };
    match done {
        Ok(_) => {
            let path = member
                .shop
                .at(&format!("/staff/products/{}/offers/{offer}", at.id));
            see(&link(&path, &[("done", "counted")]))
        }
        Err(problem) => {
            let (status, notice) = said(problem)?;
            let found = found(&app, &member, at.id, at.offer).await?;
            let token = &member.shop.vendor.token;
            let typed = found.offer.as_ref().map(|(_, o, _)| Typed::of(o, token));
            let counted = (form.has.as_str(), form.reason.as_str());
            let mut shown = page_of(&member, &found, &typed.unwrap_or_default(), counted);
            shown.shell.notice = Some(notice);
            page_with(status, &shown)
        }
    }
}

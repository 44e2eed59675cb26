//! The mall of the demo: Riverside, with the three shops, a manufacturer, and a franchise of two.

use super::{DemoMember, DemoVendor, PLANS};
use crate::failure::Failure;
use scrip_domain::api_key::{NewApiKey, Scope, api_key_create};
use scrip_domain::catalog::{NewOffer, NewProduct, OfferKind, offer_put, product_put};
use scrip_domain::customer::customer_by_id;
use scrip_domain::gift::{NewCertificates, gift_acceptance_set, gift_claim, gift_issue};
use scrip_domain::id::CustomerId;
use scrip_domain::mall::{
    Mall, Member, Terms, Toll, acceptance_set, franchise_join, mall_create, member_join, member_of,
    office_set, terms_set, toll_set,
};
use scrip_domain::open_token::{
    NewOpen, OpenKind, group_create, group_join, open_discount_set, open_issue, product_list,
};
use scrip_domain::vendor::{
    EntityKind, Hue, Mark, NewVendor, Sells, Storefront, Vendor, storefront_set, vendor_by_slug,
    vendor_create,
};
use scrip_domain::{Actor, Amount, Node};
use scrip_engine::{Read, Timestamp, Tx};
use scrip_ledger::{CURRENCY_SCALE, Origin, TOKEN_SCALE};

const US: Actor = Actor::System;

/// A member beside the three shops.
struct More {
    slug: &'static str,
    name: &'static str,
    kind: EntityKind,
    hue: Hue,
    headline: &'static str,
    /// Things that it sells, with their price in tokens.
    sells: &'static [(&'static str, &'static str, &'static str)],
}

const BREAD: &[(&str, &str, &str)] = &[
    ("rye-loaf", "Rye loaf", "42"),
    ("cardamom-bun", "Cardamom bun", "28"),
];

const MORE: [More; 4] = [
    More {
        slug: "kestrel",
        name: "Kestrel Mills",
        kind: EntityKind::Manufacturer,
        hue: Hue::Cobalt,
        headline: "We spin and weave what other shops sell",
        sells: &[],
    },
    More {
        slug: "crumb",
        name: "Crumb",
        kind: EntityKind::Vendor,
        hue: Hue::Plum,
        headline: "Bakeries under one roof",
        sells: &[],
    },
    More {
        slug: "crumb-harbour",
        name: "Crumb at the Harbour",
        kind: EntityKind::Vendor,
        hue: Hue::Plum,
        headline: "Bread from six in the morning",
        sells: BREAD,
    },
    More {
        slug: "crumb-station",
        name: "Crumb at the Station",
        kind: EntityKind::Vendor,
        hue: Hue::Plum,
        headline: "Bread for the train",
        sells: BREAD,
    },
];

fn more(node: &Node, more: &'static More) -> Result<DemoMember, Failure> {
    let vault = node.vault.clone();
    let api_key = node.engine.write(move |tx| {
        let new = NewVendor {
            kind: more.kind,
            slug: more.slug.into(),
            name: more.name.into(),
            currency: "USD".into(),
            token_price: "0.10".into(),
            minimum_tokens: "0".into(),
            declines_allowed: 3,
        };
        let vendor = vendor_create(tx, &vault, &new)?;
        let front = Storefront {
            hue: more.hue,
            mark: Mark::Leaf,
            headline: more.headline.into(),
            introduction: String::new(),
            sells: Sells::Goods,
        };
        storefront_set(tx, US, &vendor, &front)?;
        for (sku, title, price) in more.sells {
            sell(tx, &vendor, (sku, title, price))?;
        }
        let new = NewApiKey {
            name: "Demo".into(),
            scopes: Scope::ALL.to_vec(),
            expires_at: None,
        };
        let (_, text) = api_key_create(tx, US, &vendor, &new)?;
        Ok::<_, Failure>(text)
    })?;
    Ok(DemoMember {
        slug: more.slug.into(),
        api_key,
    })
}

fn sell(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    (sku, title, price): (&str, &str, &str),
) -> Result<(), Failure> {
    let product = NewProduct {
        handle: sku.into(),
        title: title.into(),
        category: "Bread".into(),
        ..NewProduct::default()
    };
    let (product, _) = product_put(tx, vendor, &product)?;
    let offer = NewOffer {
        sku: sku.into(),
        variant: String::new(),
        kind: OfferKind::Purchase,
        price: Amount::parse(price, TOKEN_SCALE)?,
        on_sale: false,
        active: true,
        stock: None,
        tiers: Vec::new(),
        options: Vec::new(),
    };
    offer_put(tx, vendor, product, &offer)?;
    Ok(())
}

fn money(text: &str) -> Result<Amount, Failure> {
    Ok(Amount::parse(text, CURRENCY_SCALE)?)
}

fn joined(tx: &mut Tx<'_>, slug: &str) -> Result<(Vendor, Member), Failure> {
    let vendor = vendor_by_slug(tx, slug)?;
    let member = member_of(tx, vendor.book_id)?;
    let missing = || Failure::Refused(format!("{slug} is no member of the demo's mall"));
    Ok((vendor, member.ok_or_else(missing)?))
}

/// Makes the mall, its members and what their customers hold.
pub fn build(node: &Node, shops: &[DemoVendor]) -> Result<Vec<DemoMember>, Failure> {
    let members = MORE.iter().map(|one| more(node, one));
    let members = members.collect::<Result<Vec<_>, _>>()?;
    node.engine.write(agreements)?;
    for (shop, plan) in shops.iter().zip(&PLANS) {
        let Some(first) = shop.customers.first() else {
            continue;
        };
        let id: CustomerId = first
            .customer_id
            .parse()
            .map_err(|e: scrip_domain::id::IdError| Failure::Refused(e.to_string()))?;
        let vault = node.vault.clone();
        node.engine.write(move |tx| {
            match plan.slug {
                "rasterworks" => issue(tx, plan.slug, plan.slug, id, (OpenKind::Universal, "150"))?,
                "hearth-and-fern" => issue(tx, plan.slug, plan.slug, id, (OpenKind::Group, "120"))?,
                _ => {
                    issue(tx, "kestrel", plan.slug, id, (OpenKind::M1, "90"))?;
                    issue(tx, "kestrel", plan.slug, id, (OpenKind::M2, "30"))?;
                }
            }
            gift(tx, &vault, plan.slug, id)
        })?;
    }
    Ok(members)
}

/// Who takes whose tokens, groups, the franchise, terms and tolls.
fn agreements(tx: &mut Tx<'_>) -> Result<(), Failure> {
    let mall = mall_create(tx, US, "riverside", "Riverside", "USD")?;
    let slugs = PLANS.iter().map(|plan| plan.slug);
    let slugs = slugs.chain(MORE.iter().map(|one| one.slug));
    let terms = Terms {
        service_ppm: 20_000,
        royalty_ppm: 10_000,
        commission_ppm: 50_000,
        ..Terms::default()
    };
    for slug in slugs {
        let vendor = vendor_by_slug(tx, slug)?;
        let member = member_join(tx, US, &mall, &vendor)?;
        terms_set(tx, US, &member, &terms)?;
    }
    // Its people show a newcomer the office.
    let office = vendor_by_slug(tx, PLANS[0].slug)?;
    office_set(tx, US, &mall, Some(&office))?;
    for acceptor in &PLANS {
        let (_, acceptor) = joined(tx, acceptor.slug)?;
        for issuer in &PLANS {
            let (_, issuer) = joined(tx, issuer.slug)?;
            if acceptor.book_id != issuer.book_id {
                acceptance_set(tx, US, &acceptor, &issuer, true)?;
                gift_acceptance_set(tx, US, (&acceptor, &issuer), true)?;
            }
        }
    }
    let group = group_create(tx, US, &mall, ("arcade", "The arcade"))?;
    let span = (tx.now(), Timestamp::NEVER);
    for slug in ["hearth-and-fern", "loom"] {
        let (_, member) = joined(tx, slug)?;
        group_join(tx, US, (&mall, &group), &member, span)?;
    }
    let (_, parent) = joined(tx, "crumb")?;
    for slug in ["crumb-harbour", "crumb-station"] {
        let (_, child) = joined(tx, slug)?;
        franchise_join(tx, US, &parent, &child)?;
    }
    let (vendor, maker) = joined(tx, "kestrel")?;
    let of = (&mall, &maker, &vendor);
    open_discount_set(tx, US, of, (OpenKind::M1, None), 100_000)?;
    product_list(tx, US, of, ("yellow-wool-jumper", 200_000))?;
    toll_set(tx, US, &mall, Toll::Information, money("0.0005")?)?;
    toll_set(tx, US, &mall, Toll::Reimbursement, money("0.001")?)?;
    Ok(())
}

/// Issues tokens that `debtor` owes to a customer of `home`.
fn issue(
    tx: &mut Tx<'_>,
    debtor: &str,
    home: &str,
    id: CustomerId,
    (kind, tokens): (OpenKind, &str),
) -> Result<(), Failure> {
    let (vendor, member) = joined(tx, debtor)?;
    let mall = mall_of(tx, &member)?;
    let home = vendor_by_slug(tx, home)?;
    let customer = customer_by_id(tx, home.book_id, id)?;
    let group = match kind {
        OpenKind::Group => scrip_domain::open_token::groups(tx, &mall)?.pop(),
        _ => None,
    };
    let new = NewOpen {
        kind,
        group,
        tokens: money(tokens)?,
        origin: match kind {
            OpenKind::M2 => Origin::Free,
            _ => Origin::Paid,
        },
        expires_at: Timestamp::NEVER,
    };
    open_issue(tx, US, (&mall, &member, &vendor), &customer, &new)?;
    Ok(())
}

fn mall_of(tx: &mut Tx<'_>, member: &Member) -> Result<Mall, Failure> {
    Ok(scrip_domain::mall::mall_by_book(tx, member.mall_book)?)
}

/// A certificate of Hearth & Fern for a customer of another shop.
fn gift(
    tx: &mut Tx<'_>,
    vault: &scrip_domain::vault::Vault,
    home: &str,
    id: CustomerId,
) -> Result<(), Failure> {
    let (vendor, member) = joined(tx, "hearth-and-fern")?;
    let mall = mall_of(tx, &member)?;
    let home = vendor_by_slug(tx, home)?;
    let customer = customer_by_id(tx, home.book_id, id)?;
    let new = NewCertificates {
        face: money("50")?,
        count: 1,
        origin: Origin::Paid,
        expires_at: Timestamp::NEVER,
    };
    let printed = gift_issue(tx, vault, US, (&mall, &member, &vendor), &new)?;
    for one in printed {
        gift_claim(tx, vault, US, &mall, &customer, &one.code)?;
    }
    Ok(())
}

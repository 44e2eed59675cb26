//! The demo: three shops with something to see at once, and a mall around them.

mod goods;
mod mall;
mod notes;
mod offline;
mod promotions;

use crate::failure::Failure;
use scrip_domain::api_key::{NewApiKey, Scope, api_key_create};
use scrip_domain::catalog::shop_export::{self, Prices};
use scrip_domain::catalog::{
    NewOffer, NewProduct, OfferKind, Tier, offer_by_sku, offer_put, product_put,
};
use scrip_domain::customer::{
    Customer, Details, Person, SecretKind, customer_by_id, customer_register, secret_hash,
};
use scrip_domain::order::order_list_set;
use scrip_domain::policy::{Policy, policy_set};
use scrip_domain::token_sale::{NewTokenOrder, TestCards, payment_session_open, token_buy};
use scrip_domain::vendor::{
    EntityKind, Hue, Mark, NewVendor, Role, Sells, Storefront, Vendor, staff_create,
    staff_secret_set, storefront_set, token_price_at, vendor_create,
};
use scrip_domain::{Actor, Amount, Node};
use scrip_engine::{Read, Tx};
use serde::Deserialize;

pub use notes::{DemoCustomer, DemoMember, DemoNotes, DemoVendor};

/// The PIN of every customer of the demo.
const PIN: &str = "4071";
/// The member of staff of every shop of the demo.
const STAFF: &str = "Priya";
const STAFF_PASSWORD: &str = "open the till";

/// A shop of the demo.
struct Plan {
    slug: &'static str,
    name: &'static str,
    about: &'static str,
    minimum_tokens: &'static str,
    hue: Hue,
    mark: Mark,
    headline: &'static str,
    introduction: &'static str,
    sells: Sells,
    catalogue: Catalogue,
    customers: &'static [PlannedCustomer],
}

enum Catalogue {
    Programs(&'static str),
    Export(&'static [u8]),
}

/// A customer of the demo: with tokens, and an order list of (SKU, quantity).
struct PlannedCustomer {
    name: &'static str,
    about: &'static str,
    tokens: i64,
    list: &'static [(&'static str, i64)],
}

const PLANS: [Plan; 3] = [
    Plan {
        slug: "rasterworks",
        name: "Rasterworks",
        about: "Software to keep, or to rent by time, by uses, by pages processed",
        minimum_tokens: "50",
        hue: Hue::Cobalt,
        mark: Mark::Star,
        headline: "Software that you keep, or rent just as much of as you need",
        introduction: "Rasterworks sells programs for scanned drawings. You pay with our tokens: \
                       buy some once, by card, and spend them whenever you like. No card is asked \
                       for when you buy a program.",
        sells: Sells::Software,
        catalogue: Catalogue::Programs(include_str!("../../../../data/demo/rasterworks.toml")),
        customers: &[
            PlannedCustomer {
                name: "Ana Lind",
                about: "500 tokens, and an order list that needs 180 of them",
                tokens: 500,
                list: &[("software-a", 1), ("software-d", 1000)],
            },
            PlannedCustomer {
                name: "Jonas Lind",
                about: "120 tokens, and an order list that needs more",
                tokens: 120,
                list: &[("software-a", 1), ("software-d", 10_000)],
            },
            PlannedCustomer {
                name: "Mara Okafor",
                about: "registered but not active yet: it takes 50 tokens",
                tokens: 0,
                list: &[],
            },
        ],
    },
    Plan {
        slug: "hearth-and-fern",
        name: "Hearth & Fern",
        about: "Things for home and garden",
        minimum_tokens: "0",
        hue: Hue::Moss,
        mark: Mark::Leaf,
        headline: "For the house and what grows around it",
        introduction: "",
        sells: Sells::Goods,
        catalogue: Catalogue::Export(include_bytes!("../../../../data/demo/home-and-garden.csv")),
        customers: &[
            PlannedCustomer {
                name: "Ana Lind",
                about: "860 tokens",
                tokens: 860,
                list: &[],
            },
            PlannedCustomer {
                name: "Nils Berg",
                about: WITH_PARCEL,
                tokens: 1500,
                list: &[],
            },
        ],
    },
    Plan {
        slug: "loom",
        name: "Loom & Lining",
        about: "Clothes in sizes and colours",
        minimum_tokens: "0",
        hue: Hue::Plum,
        mark: Mark::Diamond,
        headline: "Clothes that last longer than a season",
        introduction: "",
        sells: Sells::Goods,
        catalogue: Catalogue::Export(include_bytes!("../../../../data/demo/apparel.csv")),
        customers: &[
            PlannedCustomer {
                name: "Ana Lind",
                about: "1,200 tokens",
                tokens: 1200,
                list: &[],
            },
            PlannedCustomer {
                name: "Tomas Weil",
                about: WITHOUT_CARD,
                tokens: 0,
                list: &[],
            },
            PlannedCustomer {
                name: "Nora Weil",
                about: "500 tokens, and an order list that a card may pay",
                tokens: 500,
                list: &[("yellow-wool-jumper", 1)],
            },
        ],
    },
];

/// Whoever is told to be this has orders of tokens without a card in each state.
const WITHOUT_CARD: &str = "orders without a card in each state";

/// Whoever is told to be this has an order that is to be packed.
const WITH_PARCEL: &str = "an order that is to be sent, and a list with what is reserved";

/// Fills an empty database.
pub fn build(node: &Node) -> Result<DemoNotes, Failure> {
    let pin = secret_hash(SecretKind::Pin, PIN)?;
    let password = secret_hash(SecretKind::Password, STAFF_PASSWORD)?;
    let vendors = PLANS
        .iter()
        .map(|plan| shop(node, plan, &pin, &password))
        .collect::<Result<Vec<_>, Failure>>()?;
    let members = mall::build(node, &vendors)?;
    Ok(DemoNotes { vendors, members })
}

fn shop(node: &Node, plan: &Plan, pin: &str, password: &str) -> Result<DemoVendor, Failure> {
    let vault = node.vault.clone();
    let new = NewVendor {
        kind: EntityKind::Vendor,
        slug: plan.slug.into(),
        name: plan.name.into(),
        currency: "USD".into(),
        token_price: "0.10".into(),
        minimum_tokens: plan.minimum_tokens.into(),
        declines_allowed: 3,
    };
    let vendor = node
        .engine
        .write(move |tx| vendor_create(tx, &vault, &new))?;
    let front = Storefront {
        hue: plan.hue,
        mark: plan.mark,
        headline: plan.headline.into(),
        introduction: plan.introduction.into(),
        sells: plan.sells,
    };
    let of = vendor.clone();
    node.engine
        .write(move |tx| storefront_set(tx, Actor::System, &of, &front))?;
    // Shops for goods show their prices to everybody; the one for programs does not (SHP-04).
    let of = vendor.clone();
    let mut new = Policy::default();
    new.browsing.open_prices = plan.sells == Sells::Goods;
    // One of them takes cards for orders too (SHP-17).
    new.checkout.card = plan.slug == "loom";
    // And says the tax in its prices.
    if plan.slug == "loom" {
        new.tax.rates = vec!["Sales tax 8.25%".into()];
    }
    node.engine
        .write(move |tx| policy_set(tx, Actor::System, &of, 0, &new))?;
    match plan.catalogue {
        Catalogue::Programs(text) => programs(node, &vendor, text)?,
        Catalogue::Export(bytes) => export(node, &vendor, bytes)?,
    }
    let (of, hash) = (vendor.clone(), password.to_owned());
    let api_key = node.engine.write(move |tx| {
        let staff = staff_create(tx, Actor::System, &of, STAFF, Role::Owner)?;
        staff_secret_set(tx, Actor::System, &of, staff.staff_id, &hash)?;
        let new = NewApiKey {
            name: "Demo".into(),
            scopes: Scope::ALL.to_vec(),
            expires_at: None,
        };
        let (_, text) = api_key_create(tx, Actor::Staff(staff.staff_id), &of, &new)?;
        Ok::<_, Failure>(text)
    })?;
    if plan.slug == promotions::SHOP {
        promotions::plan(node, &vendor)?;
    }
    let customers = plan
        .customers
        .iter()
        .map(|planned| customer(node, &vendor, planned, pin))
        .collect::<Result<_, Failure>>()?;
    Ok(DemoVendor {
        slug: plan.slug.into(),
        name: plan.name.into(),
        about: plan.about.into(),
        customers,
        staff: STAFF.into(),
        staff_password: STAFF_PASSWORD.into(),
        api_key,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Programs {
    product: Vec<Program>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    handle: String,
    title: String,
    category: String,
    description: String,
    download_kb: i64,
    offers: Vec<ProgramOffer>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramOffer {
    kind: OfferKind,
    price: Option<String>,
    #[serde(default)]
    tiers: Vec<(i64, String)>,
}

fn programs(node: &Node, vendor: &Vendor, text: &str) -> Result<(), Failure> {
    let programs: Programs = toml::from_str(text)
        .map_err(|e| Failure::Refused(format!("the demo's list of programs: {e}")))?;
    let of = vendor.clone();
    node.engine.write(move |tx| {
        for program in &programs.product {
            enter(tx, &of, program)?;
        }
        Ok::<_, Failure>(())
    })
}

fn enter(tx: &mut Tx<'_>, vendor: &Vendor, program: &Program) -> Result<(), Failure> {
    let tokens = |text: &str| Amount::parse(text, vendor.token.scale);
    let product = NewProduct {
        handle: program.handle.clone(),
        title: program.title.clone(),
        description: program.description.clone(),
        manufacturer: vendor.name.clone(),
        category: program.category.clone(),
        download_kb: program.download_kb,
        ..NewProduct::default()
    };
    let (product, _) = product_put(tx, vendor, &product)?;
    for offer in &program.offers {
        let tiers = offer
            .tiers
            .iter()
            .map(|(up_to, price)| {
                Ok(Tier {
                    up_to: *up_to,
                    price: tokens(price)?,
                })
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        // The way that a program is sold first has the program's own name for its SKU.
        let first = program.offers.first().is_some_and(|o| o.kind == offer.kind);
        let sku = if first {
            program.handle.clone()
        } else {
            format!("{}-{}", program.handle, offer.kind.name())
        };
        let new = NewOffer {
            sku,
            variant: String::new(),
            kind: offer.kind,
            price: offer.price.as_deref().map_or(Ok(Amount::ZERO), tokens)?,
            on_sale: false,
            active: true,
            stock: None,
            tiers,
            options: Vec::new(),
        };
        offer_put(tx, vendor, product, &new)?;
    }
    Ok(())
}

fn export(node: &Node, vendor: &Vendor, bytes: &[u8]) -> Result<(), Failure> {
    let book = vendor.book_id;
    let token_price = node.engine.read(|tx| {
        let now = tx.now();
        token_price_at(tx, book, now)
    })?;
    let prices = Prices {
        currency: vendor.currency.clone(),
        token: vendor.token.clone(),
        token_price,
    };
    let parsed = shop_export::parse(bytes, &prices).map_err(|e| {
        Failure::Refused(format!(
            "the demo's catalogue, row {}: {}",
            e.row, e.problem
        ))
    })?;
    let of = vendor.clone();
    node.engine.write(move |tx| {
        for draft in &parsed.drafts {
            let (product, _) = product_put(tx, &of, &draft.product)?;
            for offer in &draft.offers {
                offer_put(tx, &of, product, offer)?;
            }
        }
        Ok::<_, Failure>(())
    })
}

fn customer(
    node: &Node,
    vendor: &Vendor,
    planned: &'static PlannedCustomer,
    pin: &str,
) -> Result<DemoCustomer, Failure> {
    let details = Details {
        person: Person {
            name: planned.name.into(),
            ..Person::default()
        },
        pin_hash: Some(pin.to_owned()),
        ..Details::default()
    };
    let (of, vault) = (vendor.clone(), node.vault.clone());
    let registered = node
        .engine
        .write(move |tx| customer_register(tx, &vault, &of, &details))?;
    let (id, book) = (registered.customer_id, vendor.book_id);
    let customer = node.engine.read(|tx| customer_by_id(tx, book, id))?;
    if planned.about == WITHOUT_CARD {
        offline::prices(node, vendor)?;
        offline::orders(node, vendor, &customer)?;
    }
    if planned.tokens > 0 {
        top_up(node, vendor, &customer, planned.tokens)?;
    }
    let parcel = match planned.about == WITH_PARCEL {
        true => Some(goods::parcel(node, vendor, &customer)?.to_string()),
        false => None,
    };
    for (sku, quantity) in planned.list {
        // Each by itself: the list shows them in the order in which they were put on it.
        node.engine.write(move |tx| {
            if let Some(offer) = offer_by_sku(tx, book, sku)? {
                order_list_set(tx, Actor::Customer(id), book, id, offer, *quantity)?;
            }
            Ok::<_, Failure>(())
        })?;
    }
    Ok(DemoCustomer {
        about: format!("{}, {}", planned.name, planned.about),
        number: registered.number.to_string(),
        pin: PIN.into(),
        customer_id: id.to_string(),
        parcel,
    })
}

fn top_up(node: &Node, vendor: &Vendor, customer: &Customer, tokens: i64) -> Result<(), Failure> {
    let quantity = Amount::parse(&tokens.to_string(), vendor.token.scale)?;
    let actor = Actor::Customer(customer.customer_id);
    let of = customer.clone();
    let session = node
        .engine
        .write(move |tx| payment_session_open(tx, actor, &of))?;
    let new = NewTokenOrder {
        customer: customer.customer_id,
        session,
        quantity,
        pack: None,
        card: "test_ok".into(),
        reference: String::new(),
        effective_at: None,
    };
    token_buy(node, &TestCards::default(), actor, vendor, new)?;
    Ok(())
}

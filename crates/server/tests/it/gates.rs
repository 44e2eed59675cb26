//! The gates of a shop: every route of its pages, in each of the four states of browsing (SHP-04,
//! SHP-05). The routes are read from the source, so that none comes without a line here.

use crate::client::{Answered, fresh_key};
use crate::club::{Club, Member};
use crate::visitor::Visitor;
use scrip_domain::catalog::images::{image_add, picture};
use scrip_domain::catalog::{NewProduct, product_put};
use scrip_domain::policy::{BrowsingPolicy, Part, Policy, policy_set, policy_version};
use scrip_domain::vendor::vendor_by_slug;
use scrip_domain::{Actor, Amount};
use scrip_engine::{Engine, Options};
use scrip_testkit::TestDb;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

both!(
    every_route_in_every_state,
    a_vendor_opens_prices,
    a_vendor_asks_to_register_first,
    one_token_opens_the_order_list,
    what_was_open_closes_at_once,
);

/// What is behind a route.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behind {
    /// For everybody; nothing there costs tokens.
    Ordinary,
    /// Products: for everybody, but what the gate hides is not there.
    Products,
    /// What belongs to a customer: others are sent to sign in.
    Own,
    /// The order list and orders: others are sent to sign in, and accounts that may not order yet
    /// are told what is missing.
    Ordering,
}
use Behind::{Ordering, Ordinary, Own, Products};

/// Every route of a shop for customers. A route that is missing here fails the test: say what is
/// behind it.
const ROUTES: &[(&str, Behind)] = &[
    ("", Ordinary),
    ("/", Ordinary),
    ("/account", Own),
    ("/account/cards", Own),
    ("/account/cards/add", Own),
    ("/account/cards/remove", Own),
    ("/account/check", Own),
    ("/account/erase", Own),
    ("/account/export", Own),
    ("/account/family", Own),
    ("/account/family/child", Own),
    ("/account/linked", Own),
    ("/account/mall", Own),
    ("/account/messages", Own),
    ("/account/person", Own),
    ("/account/pin", Own),
    ("/account/second-factor", Own),
    ("/account/statement", Own),
    ("/account/statement.csv", Own),
    ("/account/top-up", Own),
    ("/account/top-up/off", Own),
    ("/buy", Own),
    ("/buy/confirm", Own),
    ("/buy/offline", Own),
    ("/buy/offline/{id}", Own),
    ("/buy/offline/{id}/cancel", Own),
    ("/buy/orders", Own),
    ("/card-orders/{order}", Own),
    ("/confirm", Ordering),
    ("/confirm/card", Ordering),
    ("/confirm/open", Own),
    ("/coupon", Own),
    ("/enter", Ordinary),
    ("/forgot", Ordinary),
    ("/goodbye", Ordinary),
    // Each picture is asked for below.
    ("/images/{id}", Ordinary),
    ("/list", Ordering),
    ("/lists", Own),
    ("/off-line", Own),
    ("/orders", Own),
    ("/orders/{order}", Own),
    ("/orders/{order}/refund-request", Own),
    ("/pay-from", Own),
    ("/quit", Ordinary),
    ("/register", Ordinary),
    ("/register/off-line", Ordinary),
    ("/register/{id}", Ordinary),
    ("/register/{id}/details", Ordinary),
    ("/register/{id}/means", Ordinary),
    ("/shop", Products),
    ("/shop/p/{*handle}", Products),
    ("/sign-in", Ordinary),
    ("/sign-in/code", Ordinary),
];

/// The beginning of every address of a shop, as routers write it.
const SHOP: &str = "/shops/{slug}";

/// Text literals behind each `.route(`, with `at("...")` of the staff's router.
fn routes_of(text: &str, found: &mut BTreeSet<String>) {
    for call in text.split(".route(").skip(1) {
        let call = call.trim_start().trim_start_matches('&');
        let call = call.strip_prefix("super::").unwrap_or(call);
        let (is_staff, call) = match call.strip_prefix("at(") {
            Some(rest) => (true, rest),
            None => (false, call),
        };
        let literal = call
            .strip_prefix('"')
            .and_then(|rest| rest.split('"').next());
        let literal = literal
            .unwrap_or_else(|| panic!("the first argument of a route is a text: {}", &call[..60]));
        found.insert(match is_staff {
            true => format!("{SHOP}/staff{literal}"),
            false => literal.to_owned(),
        });
    }
}

fn all_routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_routes(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            routes_of(&fs::read_to_string(&path).unwrap(), found);
        }
    }
}

/// What the shop's one product says, each in a word that stands nowhere else, with its part. The
/// prices have marks in them that no id and no key can have: digits alone come up in those.
const TOLD: [(Part, &str); 7] = [
    (Part::Prices, "70,717"),
    (Part::Prices, "7,071.70"),
    (Part::Description, "Handthrown"),
    (Part::Manufacturer, "Kilnworks"),
    (Part::Stock, "In stock"),
    (Part::Download, "86 MB"),
    (Part::Images, "/shops/club/images/"),
];

/// An address behind a route, with a handle and ids that can be.
fn address(path: &str) -> String {
    let nobody = "00000000000000000000000000";
    format!("/shops/club{path}")
        .replace("{*handle}", "clay-pot")
        .replace("/register/{id}", &format!("/register/reg_{nobody}"))
        .replace("{order}", &format!("ord_{nobody}"))
        .replace("{id}", &format!("cus_{nobody}"))
}

/// The smallest picture.
const PNG: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0,
    0, 0, 144, 119, 83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 104, 104, 104, 0, 0, 3, 4,
    1, 129, 75, 211, 210, 16, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// The shop with a product and its picture, and its vendor's decision about browsing.
fn club(db: &TestDb, browsing: BrowsingPolicy) -> Club<'_> {
    let mut policy = Policy {
        browsing,
        ..Policy::default()
    };
    // Orders may be paid by card too, which is behind the same gate.
    policy.checkout.card = true;
    let club = Club::start_with(db, || {
        decide(db, policy);
        photograph(db);
    });
    let offer = json!({"kind": "purchase", "price": "70717", "initial_stock": 40});
    let path = "/v1/products/clay-pot/offers/clay-pot";
    club.api.put(path, &offer).expect(201);
    club
}

/// Enters the pot with its picture.
fn photograph(db: &TestDb) {
    let picture = picture(PNG.to_vec()).unwrap();
    let pot = NewProduct {
        handle: "clay-pot".into(),
        title: "Clay pot".into(),
        description: "Handthrown by us.".into(),
        manufacturer: "Kilnworks".into(),
        download_kb: 86_000,
        ..NewProduct::default()
    };
    let entered = engine(db).write(move |tx| {
        let vendor = vendor_by_slug(tx, "club").unwrap();
        let (product, _) = product_put(tx, &vendor, &pot)?;
        image_add(tx, Actor::System, &vendor, product, &picture, "A pot")
    });
    entered.unwrap();
}

fn engine(db: &TestDb) -> Engine {
    db.open_with(&Options {
        memory: scrip_ledger::memory(),
        ..Options::default()
    })
}

/// Sets the policy of the club, before the node has the database for itself.
pub fn decide(db: &TestDb, policy: Policy) {
    let decided = engine(db).write(move |tx| {
        let vendor = vendor_by_slug(tx, "club")?;
        let began = policy_version(tx, vendor.book_id)?.number;
        policy_set(tx, Actor::System, &vendor, began, &policy)
    });
    decided.unwrap();
}

fn tokens(n: i64) -> Option<Amount> {
    Some(Amount::from_units(n * 1_000_000))
}

/// True when an answer tells this.
fn tells(answer: &Answered, word: &str) -> bool {
    answer.text.contains(word)
}

fn is_sent_to(answer: &Answered, page: &str) -> bool {
    answer.status == 303 && answer.see().starts_with(page)
}

const SIGN_IN: &str = "/shops/club/sign-in?next=";

/// One of the four who look, with what is hidden from it.
struct Looker<'a> {
    name: &'a str,
    visitor: &'a Visitor,
    /// Something to order.
    offer: &'a str,
    hidden: &'a [Part],
    has_account: bool,
    may_order: bool,
}

fn check(looker: &Looker<'_>, path: &str, behind: Behind) {
    let place = address(path);
    let answer = looker.visitor.get(&place);
    let case = format!(
        "{} at {place}: {} {}",
        looker.name, answer.status, answer.text
    );
    for (part, word) in TOLD {
        let seen = tells(&answer, word);
        assert!(!seen || behind == Products, "{word}: {case}");
        assert!(!(seen && looker.hidden.contains(&part)), "{word}: {case}");
    }
    match behind {
        Ordinary => assert!(!is_sent_to(&answer, SIGN_IN), "{case}"),
        Products => assert_eq!(answer.status, 200, "{case}"),
        Own | Ordering if !looker.has_account && answer.status != 405 => {
            assert!(is_sent_to(&answer, SIGN_IN), "{case}");
        }
        Own => assert!(!is_sent_to(&answer, SIGN_IN), "{case}"),
        Ordering => {
            let closed = tells(&answer, "Ordering begins with") || tells(&answer, "not active yet");
            assert_eq!(closed, !looker.may_order, "{case}");
        }
    }
    if behind == Ordering {
        let (offer, key) = (looker.offer, fresh_key());
        let fields: &[(&str, &str)] = match path {
            "/confirm" => &[
                ("offer", offer),
                ("quantity", "1"),
                ("price", "70717"),
                ("key", &key),
            ],
            "/confirm/card" => &[
                ("offer", offer),
                ("quantity", "1"),
                ("price", "70717"),
                ("key", &key),
                ("card", "test_declined"),
                ("money", "7071.70"),
            ],
            _ => &[("put", offer)],
        };
        let answer = looker.visitor.post(&place, fields);
        let refused = match (looker.has_account, looker.may_order) {
            (false, _) => is_sent_to(&answer, "/shops/club/sign-in"),
            (true, false) => answer.status == 409,
            (true, true) => answer.status != 409,
        };
        assert!(
            refused,
            "{} posts to {place}: {}",
            looker.name, answer.status
        );
    }
}

/// SHP-04: page by page what the four states allow, hide or send elsewhere, by direct address.
fn every_route_in_every_state(db: &TestDb) {
    let mut found = BTreeSet::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    all_routes(&source, &mut found);
    let of_shop = found.iter().filter_map(|route| route.strip_prefix(SHOP));
    let (staff, shop): (Vec<&str>, Vec<&str>) =
        of_shop.partition(|path| path.split('/').nth(1) == Some("staff"));
    let listed: Vec<&str> = ROUTES.iter().map(|(path, _)| *path).collect();
    assert_eq!(shop, listed, "each route needs its line in ROUTES, sorted");

    let browsing = BrowsingPolicy {
        threshold: tokens(100),
        below: Part::ALL.to_vec(),
        ..BrowsingPolicy::default()
    };
    let club = club(db, browsing);
    let [inactive, below, open] =
        [("Ida", 0), ("Ben", 99), ("Ona", 100)].map(|(name, tokens)| club.member(name, tokens));
    let visitor = club.visitor();
    let offer = crate::market::offer(&club.api, "clay-pot");
    let looker = |name, visitor, hidden, may_order| Looker {
        name,
        visitor,
        offer: &offer,
        hidden,
        has_account: name != "visitor",
        may_order,
    };
    for (path, behind) in ROUTES {
        // Whoever quits is gone.
        if *path == "/quit" {
            continue;
        }
        check(
            &looker("visitor", &visitor, &[Part::Prices], false),
            path,
            *behind,
        );
        let prices = &[Part::Prices];
        check(
            &looker("inactive", &inactive.visitor, prices, false),
            path,
            *behind,
        );
        check(
            &looker("below", &below.visitor, Part::ALL, false),
            path,
            *behind,
        );
        check(&looker("open", &open.visitor, &[], true), path, *behind);
    }
    let at = address("/shop/p/{*handle}");
    for (_, word) in TOLD {
        assert!(
            tells(&open.visitor.get(&at), word),
            "{word} is not shown at all"
        );
    }
    let page = open.visitor.get(&at).text;
    let (_, picture) = page.split_once("/shops/club/images/").unwrap();
    let picture = picture.split('"').next().unwrap();
    let picture = format!("/shops/club/images/{picture}");
    for (visitor, status) in [
        (&visitor, 200),
        (&inactive.visitor, 200),
        (&below.visitor, 404),
        (&open.visitor, 200),
    ] {
        assert_eq!(visitor.get(&picture).status, status);
    }
    staff_stay_among_themselves(&staff, [&visitor, &open.visitor]);
    commands_ask_too(&club, [&inactive, &below, &open]);
}

/// SHP-04: no page of the staff opens for visitors and customers.
fn staff_stay_among_themselves(staff: &[&str], others: [&Visitor; 2]) {
    assert!(staff.len() > 20, "the source is read: {staff:?}");
    let is_entrance = |path: &&&str| path.starts_with("/staff/sign-in");
    for path in staff.iter().filter(|path| !is_entrance(path)) {
        for visitor in others {
            let answer = visitor.get(&address(path));
            let is_kept_out =
                is_sent_to(&answer, "/shops/club/staff/sign-in") || answer.status == 405;
            assert!(is_kept_out, "{path}: {}", answer.status);
        }
    }
}

/// SHP-04: programs that act for a customer meet the same gate.
fn commands_ask_too(club: &Club<'_>, [inactive, below, open]: [&Member; 3]) {
    let offer = club.offer("pen", "Pen", 1, None);
    for (member, code) in [(inactive, "account_inactive"), (below, "below_threshold")] {
        let list = format!("/v1/customers/{}/order-list/{offer}", member.id);
        let put = club.api.put(&list, &json!({"quantity": 1}));
        assert_eq!(put.expect(409)["code"], code);
        let order = json!({"customer_id": member.id, "lines": [{"sku": "pen", "quantity": 1}]});
        let placed = club.api.post("/v1/orders", &order);
        assert_eq!(placed.expect(409)["code"], code);
    }
    club.order(&open.id, &[("pen", 1)]);
}

/// SHP-02, SHP-04: prices for everybody; ordering is not.
fn a_vendor_opens_prices(db: &TestDb) {
    let browsing = BrowsingPolicy {
        open_prices: true,
        ..BrowsingPolicy::default()
    };
    let club = club(db, browsing);
    let visitor = club.visitor();
    let product = address("/shop/p/{*handle}");
    assert!(tells(&visitor.get(&product), "70,717"));
    assert!(
        visitor
            .get("/shops/club/enter")
            .page(200)
            .contains("I only look")
    );
    assert!(is_sent_to(&visitor.get("/shops/club/list"), SIGN_IN));
}

/// SHP-02, SHP-04: a shop that is only for those who are registered.
fn a_vendor_asks_to_register_first(db: &TestDb) {
    let browsing = BrowsingPolicy {
        register_first: true,
        ..BrowsingPolicy::default()
    };
    let club = club(db, browsing);
    let visitor = club.visitor();
    let product = address("/shop/p/{*handle}");
    for place in [product.as_str(), "/shops/club/shop"] {
        assert_eq!(visitor.get(place).see(), "/shops/club/enter");
    }
    let question = visitor.get("/shops/club/enter");
    assert!(!question.page(200).contains("I only look"));
    visitor.get("/shops/club/register").page(200);
    let inactive = club.member("Ida", 0).visitor;
    assert!(inactive.get(&product).page(200).contains("Clay pot"));
}

/// SHP-05: AT = T - 1 is blocked, AT = T is not; T is the cheapest offer's price.
fn one_token_opens_the_order_list(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Pot", 60, None);
    let member = club.member("Ida", 59);
    let list = "/shops/club/list";
    let page = member.visitor.get(list);
    let page = page.page(200);
    assert!(page.contains("Ordering begins with 60 tokens"), "{page}");
    assert!(page.contains("Buy 1 token for $0.10"), "{page}");
    let shelf = member.visitor.get("/shops/club/shop");
    assert!(
        shelf.page(200).contains("<b>60</b>"),
        "what it costs is shown"
    );
    assert!(!shelf.text.contains("name=\"put\""));
    member.visitor.post(list, &[("put", &pot)]).page(409);
    club.sell(&member.id, 1);
    member.visitor.post(list, &[("put", &pot)]).see();
    assert!(
        member
            .visitor
            .get(list)
            .page(200)
            .contains("<bdi>Pot</bdi>")
    );
    let shelf = member.visitor.get("/shops/club/shop");
    assert!(shelf.page(200).contains("name=\"put\""));
}

/// SHP-04: a page that was open does not confirm what may not be ordered any more.
fn what_was_open_closes_at_once(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Pot", 60, None);
    let member = club.member("Ida", 100);
    let list = "/shops/club/list";
    member.visitor.post(list, &[("put", &pot)]).see();
    let page = member
        .visitor
        .get("/shops/club/confirm")
        .page(200)
        .to_owned();
    club.order(&member.id, &[("pot", 1)]);
    let fields: Vec<(&str, &str)> = ["key", "offer", "quantity", "price"]
        .map(|name| (name, crate::market::values(&page, name)[0]))
        .to_vec();
    let answer = member.visitor.post("/shops/club/confirm", &fields);
    assert!(matches!(answer.status, 402 | 409), "{}", answer.text);
    assert_eq!(club.available(&member.id), "40");
    // What was kept is there again with the tokens.
    assert!(
        !member
            .visitor
            .get(list)
            .page(200)
            .contains("<bdi>Pot</bdi>")
    );
    club.sell(&member.id, 20);
    assert!(
        member
            .visitor
            .get(list)
            .page(200)
            .contains("<bdi>Pot</bdi>")
    );
}

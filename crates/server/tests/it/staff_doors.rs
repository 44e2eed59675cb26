//! Every route of the staff's pages with who may come in and what it leaves in the audit trail.
//! The list is compared with the router's source, so that no route comes without its row.

mod rows;

use crate::api_promotions::in_days;
use crate::club::{Club, PASSWORD, PNG};
use crate::program::Program;
use crate::receiver::wait_until;
use crate::visitor::Visitor;
use rows::Door::{Look, Needs, Open};
use rows::Leaves::Line;
use rows::{FORMS, PAGES};
use scrip_domain::vendor::Role;
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

both!(
    every_route_is_open_to_those_it_is_for,
    every_change_leaves_a_line,
);

const STAFF: &str = "/shops/club/staff";

/// Money that came for accounts which were closed, and a dispute: the rules let neither happen here.
const LATE: &str = "
    INSERT INTO payback (book_id, token_order_id, customer_id, amount, processor_reference,
                         created_at)
    SELECT book_id, token_order_id, customer_id, price, 'pi_1', created_at
    FROM token_order WHERE state = 'cleared' AND means = 'card';
    INSERT INTO card_reversal (book_id, reversal, paid_id, kind, amount, reason, state,
                               entry_id, created_at)
    SELECT book_id, 'du_1', token_order_id, 'dispute', price, 'fraudulent', 'open', 1, created_at
    FROM token_order WHERE state = 'cleared' AND quantity = 60000000;";

/// What an address names that is the same in each test.
const NAMES: [(&str, &str); 5] = [
    ("{mall}", "riverside"),
    ("{member}", "club"),
    ("{clearing}", "1"),
    ("{report}", "sales"),
    ("{table}", "periods.csv"),
];

/// A shop with one of everything that an address names.
struct Shop<'a> {
    club: Club<'a>,
    /// Already signed in.
    owner: Visitor,
    ids: Vec<(&'static str, String)>,
}

/// The club in a mall that it runs, whose first clearing is closed.
fn in_a_mall(program: &Program<'_>) {
    for command in [
        "mall create --slug riverside --name Riverside --currency USD",
        "mall join --mall riverside --vendor club",
        "mall office --mall riverside club",
        "mall clear --mall riverside",
    ] {
        program.line(command);
    }
}

impl<'a> Shop<'a> {
    fn new(db: &'a TestDb) -> Shop<'a> {
        let club = Club::start_running(db, in_a_mall);
        let member = club.member("Ida", 500);
        let empty = club.member("Eve", 0);
        let double = club.member("Ida B.", 60);
        let owner = club.staff("owner");
        let offer = club.offer("pot", "Clay pot", 60, Some(9));
        let order = club.order(&member.id, &[("pot", 1)]);
        club.ask_refund(&order, "It broke.");
        let parcel = club.parcel(&member.id, "vase");
        let made = |path: &str, body: Value, name: &str| {
            let made = club.api.post(path, &body);
            made.expect(201)[name].as_str().unwrap().to_owned()
        };
        let product = club.api.get("/v1/products/pot").expect(200)["product_id"].clone();
        let product = product.as_str().unwrap().to_owned();
        let person = json!({"name": "Bob", "role": "owner", "password": PASSWORD});
        let key = json!({"name": "spare", "scopes": ["orders:read"]});
        let pack = json!({"name": "Fifty", "tokens": "50", "price": "4.50"});
        let coupon = json!({
            "name": "Autumn", "ends_at": in_days(3), "rate": 1000, "coupon": {},
        });
        let offline = || {
            let path = format!("/v1/customers/{}/offline-orders", member.id);
            let body = json!({"tokens": "100", "means": "check", "channel": "mail"});
            made(&path, body, "token_order_id")
        };
        let hook = json!({"url": "https://shop.invalid/hook", "topics": []});
        let hook = made("/v1/webhook-endpoints", hook, "endpoint_id");
        let tests = format!("/v1/webhook-endpoints/{hook}/tests");
        club.api.post(&tests, &Value::Null).expect(204);
        let hooks = format!("{STAFF}/webhooks/{hook}");
        let message = wait_until("the trial is listed", || {
            named(&owner.get(&hooks).text, "/staff/messages/")
        });
        let of_product = format!("{STAFF}/products/{product}");
        let pictures = format!("{of_product}/pictures");
        let picture = [("key", "picture"), ("alt", "A pot")];
        owner.upload(&pictures, &picture, "pot.png", PNG).see();
        let image = named(&owner.get(&of_product).text, "/pictures/").unwrap();
        let file = b"handle,title,sku,price\ncup,Cup,cup,2\n";
        let import = owner.upload(&format!("{STAFF}/imports"), &[], "goods.csv", file);
        let import = named(import.see(), "/imports/").unwrap();
        db.run_sql(LATE);
        let bought = |id: &str| {
            let list = club.api.get(&format!("/v1/customers/{id}/token-orders"));
            let order = list.expect(200)["items"][0]["token_order_id"].clone();
            order.as_str().unwrap().to_owned()
        };
        let ids: Vec<(&'static str, String)> = vec![
            ("{by_card}", bought(&member.id)),
            ("{by_bank}", bought(&double.id)),
            ("{person}", made("/v1/staff", person, "staff_id")),
            ("{api_key}", made("/v1/api-keys", key, "key_id")),
            ("{pack}", made("/v1/token-packs", pack, "pack_id")),
            (
                "{promotion}",
                made("/v1/promotions", coupon, "promotion_id"),
            ),
            ("{open}", offline()),
            ("{lost}", offline()),
            ("{dropped}", offline()),
            ("{customer}", member.id.clone()),
            ("{number}", member.number.clone()),
            ("{empty}", empty.id),
            ("{double}", double.id),
            ("{order}", order),
            ("{parcel}", parcel),
            ("{product}", product),
            ("{offer}", offer),
            ("{image}", image),
            ("{import}", import),
            ("{message}", message),
            ("{webhook}", hook),
        ];
        let named = NAMES.iter().map(|(name, id)| (*name, (*id).to_owned()));
        let ids = ids.into_iter().chain(named).collect();
        Shop { club, owner, ids }
    }

    /// A text with the ids that it names.
    fn filled(&self, text: &str) -> String {
        let put = |text: String, (name, id): &(&str, String)| text.replace(name, id);
        self.ids.iter().fold(text.to_owned(), put)
    }

    fn at(&self, path: &str) -> String {
        format!("{STAFF}{}", self.filled(path))
    }
}

/// The id that follows `before` in a page or an address.
fn named(page: &str, before: &str) -> Option<String> {
    let (_, rest) = page.split_once(before)?;
    let is_id = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let id = rest.split(|c| !is_id(c)).next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// (method, path) of every `.route(&at("…"), …)` below `web/staff`, ids as `{}`.
fn routes() -> BTreeSet<(&'static str, String)> {
    fn sources(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, all);
            } else {
                all.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut text = String::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/staff");
    sources(&source, &mut text);
    let mut found = BTreeSet::new();
    for rest in text.split(".route(").skip(1) {
        let path = rest.split('"').nth(1).unwrap();
        let rest = rest.split_once('"').unwrap().1;
        // Up to the end of the call: parentheses opened inside it are closed inside it.
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0 || c == ';'
        });
        let call = &rest[..end.unwrap()];
        for (method, word) in [("GET", "get("), ("POST", "post(")] {
            if call.contains(word) {
                found.insert((method, plain(path)));
            }
        }
    }
    found
}

/// A path with each id as `{}`.
fn plain(path: &str) -> String {
    let part = |part: &str| {
        if part.starts_with('{') {
            "{}".to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The rows are the routes: none is forgotten, none is left over.
#[test]
fn every_route_has_its_row() {
    let pages = PAGES.iter().map(|(path, _)| ("GET", plain(path)));
    let forms = FORMS.iter().map(|(path, ..)| ("POST", plain(path)));
    let listed: BTreeSet<_> = pages.chain(forms).collect();
    let routes = routes();
    assert!(routes.len() > 20, "the source is read: {routes:?}");
    let missing: Vec<_> = routes.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "give these a row in staff_doors.rs: {missing:?}"
    );
    let left_over: Vec<_> = listed.difference(&routes).collect();
    assert!(left_over.is_empty(), "no such routes: {left_over:?}");
}

/// MIC-02, REG-03: each route lets in the roles that it is for, and nobody else.
fn every_route_is_open_to_those_it_is_for(db: &TestDb) {
    let shop = Shop::new(db);
    let stranger = shop.club.visitor();
    let sign_in = "/shops/club/staff/sign-in";
    for role in Role::ALL {
        let made = (*role != Role::Owner).then(|| shop.club.staff(role.name()));
        let visitor = made.as_ref().unwrap_or(&shop.owner);
        let pages = PAGES.iter().map(|(path, door)| ("GET", *path, *door));
        let forms = FORMS.iter().map(|(path, door, ..)| ("POST", *path, *door));
        for (method, path, door) in pages.chain(forms) {
            let path = shop.at(path);
            let ask = |who: &Visitor| match method {
                "GET" => who.get(&path),
                _ => who.post(&path, &[]),
            };
            let sent_away = |answer: &crate::client::Answered| {
                answer.status == 303
                    && answer.headers["location"]
                        .to_str()
                        .unwrap()
                        .starts_with(sign_in)
                    && !path.ends_with("/quit")
            };
            if door != Open {
                let answer = ask(&stranger);
                assert!(
                    sent_away(&answer) || answer.see().starts_with(sign_in),
                    "{method} {path}"
                );
            }
            let answer = ask(visitor);
            let may = match door {
                Open | Look => true,
                Needs(permission) => role.may(permission),
            };
            assert!(!sent_away(&answer), "{method} {path} as {role}");
            assert_eq!(
                answer.status != 403,
                may,
                "{method} {path} as {role}: {}",
                answer.text
            );
            assert!(
                answer.status < 500 && answer.status != 404,
                "{method} {path}: {}",
                answer.text
            );
        }
    }
}

/// REG-03: whatever staff change leaves a line in the audit trail, with who did it.
fn every_change_leaves_a_line(db: &TestDb) {
    let shop = Shop::new(db);
    for (nth, (path, _, fields, leaves)) in FORMS.iter().enumerate() {
        let key = format!("form-{nth}");
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| match (*name, *value) {
                ("key", "") => ("key", key.clone()),
                (name, value) => (name, shop.filled(value)),
            })
            .collect();
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let Line(action) = leaves else { continue };
        let lines = || {
            let trail = shop.club.api.get(&format!("/v1/audit?action={action}"));
            trail.expect(200)["items"].as_array().unwrap().len()
        };
        let before = lines();
        let answer = shop.owner.post(&shop.at(path), &fields);
        assert!(
            matches!(answer.status, 200 | 303),
            "{path}: {}",
            answer.text
        );
        assert_eq!(lines(), before + 1, "{path} leaves {action}");
    }
}

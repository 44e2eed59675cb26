//! Every route of the staff's pages with who may come in and what it leaves in the audit trail.
//! The list is compared with the router's source, so that no route comes without its row.

use crate::club::{Club, PASSWORD};
use scrip_domain::vendor::{Permission, Role};
use scrip_testkit::TestDb;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

both!(
    every_route_is_open_to_those_it_is_for,
    every_change_leaves_a_line,
);

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Door {
    /// Nobody is signed in yet.
    Open,
    /// Every role.
    Look,
    /// The roles with the permission.
    Needs(Permission),
}

/// What a form leaves in the trail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leaves {
    /// A line with this action.
    Line(&'static str),
    /// A line, as the test of its own page shows, because its fields are many.
    Elsewhere,
}

use Door::{Look, Needs, Open};
use Leaves::{Elsewhere, Line};

/// Pages: path and door. `{c}` is a customer, `{o}` an order, `{p}` a person.
pub const PAGES: &[(&str, Door)] = &[
    ("", Look),
    ("/sign-in", Open),
    ("/today", Look),
    ("/requests", Look),
    ("/customers", Look),
    ("/customers/new", Needs(Permission::Customers)),
    ("/customers/{c}", Look),
    ("/orders", Look),
    ("/orders/{o}", Look),
    ("/people", Look),
    ("/people/{p}", Look),
    ("/password", Look),
    ("/keys", Look),
    ("/audit", Look),
    ("/audit.csv", Look),
    ("/settings", Look),
    ("/settings/history", Look),
    ("/settings/limits", Look),
    ("/settings/front", Look),
];

/// Forms: path, door, fields with which an owner can send it, what it leaves. They are sent in
/// this order, each on a shop of `a_shop`. `{k}` is a key; `key` is filled in where it is empty.
type Form = (
    &'static str,
    Door,
    &'static [(&'static str, &'static str)],
    Leaves,
);
pub const FORMS: &[Form] = &[
    (
        "/sign-in",
        Open,
        &[("name", "Ada the owner"), ("password", PASSWORD)],
        Line("staff.signed_in"),
    ),
    (
        "/customers/new",
        Needs(Permission::Customers),
        &[
            ("name", "Eve"),
            ("address", ""),
            ("phone", ""),
            ("email", ""),
            ("login", ""),
            ("reference", ""),
            ("pin", ""),
            ("key", ""),
        ],
        Line("customer.registered"),
    ),
    (
        "/customers/{c}/pin-reset",
        Needs(Permission::Customers),
        &[("key", "")],
        Line("customer.pin_code_made"),
    ),
    (
        "/orders/{o}/decline",
        Needs(Permission::Orders),
        &[("answer", "No.")],
        Line("order.refund_declined"),
    ),
    (
        "/orders/{o}/refund",
        Needs(Permission::Orders),
        &[("what", "whole"), ("key", "")],
        Line("order.refunded"),
    ),
    (
        "/customers/{e}/close",
        Needs(Permission::Customers),
        &[("key", "")],
        Line("customer.closed"),
    ),
    (
        "/people",
        Needs(Permission::Staff),
        &[
            ("name", "Grace"),
            ("role", "owner"),
            ("password", PASSWORD),
            ("key", ""),
        ],
        Line("staff.created"),
    ),
    (
        "/people/{p}/role",
        Needs(Permission::Staff),
        &[("role", "manager"), ("key", "")],
        Line("staff.role_set"),
    ),
    (
        "/people/{p}/password",
        Needs(Permission::Staff),
        &[("password", PASSWORD), ("key", "")],
        Line("staff.password_set"),
    ),
    (
        "/people/{p}/leave",
        Needs(Permission::Staff),
        &[("key", "")],
        Line("staff.ended"),
    ),
    (
        "/people/{p}/return",
        Needs(Permission::Staff),
        &[("key", "")],
        Line("staff.returned"),
    ),
    (
        "/keys",
        Needs(Permission::Staff),
        &[
            ("name", "Shop"),
            ("scope", "orders:read"),
            ("expires", ""),
            ("key", ""),
        ],
        Line("api_key.created"),
    ),
    (
        "/keys/{k}/revoke",
        Needs(Permission::Staff),
        &[("key", "")],
        Line("api_key.revoked"),
    ),
    ("/settings", Needs(Permission::Policy), &[], Elsewhere),
    ("/settings/front", Needs(Permission::Policy), &[], Elsewhere),
    (
        "/settings/limits",
        Needs(Permission::Policy),
        &[
            ("minimum", "40"),
            ("declines", "3"),
            ("grace", "30"),
            ("began", "50000000.3.2592000"),
            ("key", ""),
        ],
        Line("vendor.limits_set"),
    ),
    (
        "/password",
        Look,
        &[
            ("old", PASSWORD),
            ("new", "twelve geese fly"),
            ("again", "twelve geese fly"),
        ],
        Line("staff.password_set"),
    ),
    ("/quit", Look, &[], Line("staff.signed_out")),
];

/// A shop with one of everything that an address names.
struct Shop<'a> {
    club: Club<'a>,
    ids: Vec<(&'static str, String)>,
}

impl<'a> Shop<'a> {
    fn new(db: &'a TestDb) -> Shop<'a> {
        let club = Club::start(db);
        let member = club.member("Ida", 500);
        let empty = club.member("Eve", 0);
        club.offer("pot", "Clay pot", 60, None);
        let order = club.order(&member.id, &[("pot", 1)]);
        club.ask_refund(&order, "It broke.");
        let text = |made: &serde_json::Value, name: &str| made[name].as_str().unwrap().to_owned();
        let person = json!({"name": "Bob", "role": "owner", "password": PASSWORD});
        let person = club.api.post("/v1/staff", &person);
        let person = text(person.expect(201), "staff_id");
        let key = json!({"name": "spare", "scopes": ["orders:read"]});
        let key = text(club.api.post("/v1/api-keys", &key).expect(201), "key_id");
        let ids = vec![
            ("{c}", member.id),
            ("{e}", empty.id),
            ("{o}", order),
            ("{p}", person),
            ("{k}", key),
        ];
        Shop { club, ids }
    }

    fn at(&self, path: &str) -> String {
        let path = self
            .ids
            .iter()
            .fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        format!("/shops/club/staff{path}")
    }
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
        let visitor = shop.club.staff(role.name());
        let pages = PAGES.iter().map(|(path, door)| ("GET", *path, *door));
        let forms = FORMS.iter().map(|(path, door, ..)| ("POST", *path, *door));
        for (method, path, door) in pages.chain(forms) {
            let path = shop.at(path);
            let ask = |who: &crate::visitor::Visitor| match method {
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
            let answer = ask(&visitor);
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
    let visitor = shop.club.staff("owner");
    for (nth, (path, _, fields, leaves)) in FORMS.iter().enumerate() {
        let key = format!("form-{nth}");
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| match (*name, *value) {
                ("key", "") => ("key", key.as_str()),
                field => field,
            })
            .collect();
        let Line(action) = leaves else { continue };
        let lines = || {
            let trail = shop.club.api.get(&format!("/v1/audit?action={action}"));
            trail.expect(200)["items"].as_array().unwrap().len()
        };
        let before = lines();
        let answer = visitor.post(&shop.at(path), &fields);
        assert!(
            matches!(answer.status, 200 | 303),
            "{path}: {}",
            answer.text
        );
        assert_eq!(lines(), before + 1, "{path} leaves {action}");
    }
}

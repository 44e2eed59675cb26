//! Who may do what: every operation of the API by name, with the scope that it needs, an address
//! and a body that work at the vendor `retail`. The list is compared with the document, so that no
//! operation comes without a test of its door.

mod rows;

use crate::api_cards::plant;
use crate::api_customers::{customer, sell};
use crate::api_promotions::in_days;
use crate::client::{ALL_SCOPES, Answered, Api, Served, fresh_key, in_mall};
use crate::club::PNG;
use rows::doors;
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

both!(every_door_is_guarded);

/// What the key of another vendor sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Foreign {
    /// The same 404 as for ids that nobody has.
    NotFound,
    /// Its own things, none of the ids of this vendor.
    Own,
    /// 404 in each result of a batch.
    NotFoundInside,
}

struct Door {
    method: &'static str,
    template: &'static str,
    scope: &'static str,
    /// The address with real ids.
    address: String,
    body: Value,
    foreign: Foreign,
}

/// A vendor with one of everything.
struct World {
    customer: String,
    registration: String,
    staff: String,
    key: String,
    token_order: String,
    card_order: String,
    order: String,
    offer: String,
    endpoint: String,
    promotion: String,
    pack: String,
    exchange: String,
    open_order: String,
    /// The event of a line of the mall's statement.
    event: String,
    card: String,
    image: String,
    /// Orders without a card: to be accepted and paid, failed, cancelled.
    offline: [String; 3],
}

const SKU: &str = "lamp-of-retail";
const DISPUTE: &str = "du_of_retail";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An order that open tokens paid, at home.
fn open_order(api: &Api, customer: &str) -> Answered {
    let tokens = json!({
        "customer_id": customer, "kind": "universal", "tokens": "5", "origin": "paid",
    });
    api.post("/v1/open-tokens", &tokens).expect(201);
    let wanted = json!({"at": "retail", "lines": [{"sku": SKU, "quantity": 1}]});
    api.post(&format!("/v1/customers/{customer}/open-orders"), &wanted)
}

impl World {
    fn new(db: &TestDb, api: &Api) -> World {
        let product = format!("/v1/products/{SKU}");
        let sent = json!({"title": "Lamp", "delivery": "shipped"});
        api.put(&product, &sent).expect(201);
        let offer = json!({"kind": "purchase", "price": "2", "initial_stock": 1000});
        let offer = api.put(&format!("{product}/offers/{SKU}"), &offer);
        let customer = customer(api);
        sell(api, &customer, "500");
        let to = json!({"name": "Ana", "lines": "1 Road", "city": "Town", "country": "Ireland"});
        let lines = json!([{"sku": SKU, "quantity": 9}]);
        let bought = json!({"customer_id": customer, "lines": lines, "delivery_address": to});
        let order = api.post("/v1/orders", &bought);
        let order = text(&order.expect(201)["order_id"]);
        // What else is ordered of it goes nowhere.
        api.put(&product, &json!({"title": "Lamp"})).expect(200);
        let version = api.get("/v1/vendor/policy").expect(200)["version"].clone();
        let policy = json!({"version": version, "policy": {"checkout": {"card": true}}});
        api.put("/v1/vendor/policy", &policy).expect(200);
        let by_card = json!({"customer_id": customer, "card": "test_ok",
            "lines": [{"sku": SKU, "quantity": 1}]});
        let by_card = api.post("/v1/card-orders", &by_card);
        let asked = json!({"reason": "It broke."});
        api.post(&format!("/v1/orders/{order}/refund-requests"), &asked)
            .expect(201);
        let registration = api.post("/v1/registrations", &json!({}));
        let staff = api.post("/v1/staff", &json!({"name": "Grace", "role": "owner"}));
        let key = json!({"name": "spare", "scopes": ["orders:read"]});
        let key = api.post("/v1/api-keys", &key);
        let endpoint = json!({"url": "https://shop.example/hook"});
        let endpoint = api.post("/v1/webhook-endpoints", &endpoint);
        let tokens = api.get(&format!("/v1/customers/{customer}/token-orders"));
        let token_order = text(&tokens.expect(200)["items"][0]["token_order_id"]);
        plant(db, DISPUTE);
        let cards = api.get(&format!("/v1/customers/{customer}/cards"));
        let once = fresh_key();
        let as_file = [
            ("idempotency-key", once.as_str()),
            ("content-type", "application/octet-stream"),
        ];
        let image = api.send("POST", &format!("{product}/images"), &as_file, PNG);
        let pack = json!({"name": "Gold", "tokens": "10", "price": "0.95"});
        let pack = api.post("/v1/token-packs", &pack);
        let coupon = json!({
            "name": "Autumn", "begins_at": in_days(1), "ends_at": in_days(3), "rate": 1000,
            "coupon": {},
        });
        let coupon = api.post("/v1/promotions", &coupon);
        let wanted = json!({"to": "bakery", "tokens": "5"});
        let exchange = api.post(
            &format!("/v1/customers/{customer}/exchange-quotes"),
            &wanted,
        );
        let open = open_order(api, &customer);
        let lines = api.get("/v1/mall/statement");
        let event = text(&lines.expect(200)["items"][0]["event_id"]);
        let offline = || {
            let body = json!({"tokens": "5", "means": "check"});
            let path = format!("/v1/customers/{customer}/offline-orders");
            text(&api.post(&path, &body).expect(201)["token_order_id"])
        };
        World {
            registration: text(&registration.expect(201)["registration_id"]),
            staff: text(&staff.expect(201)["staff_id"]),
            key: text(&key.expect(201)["key_id"]),
            token_order,
            card: text(&cards.expect(200)["items"][0]["card_id"]),
            image: text(&image.expect(201)["image_id"]),
            card_order: text(&by_card.expect(201)["card_order_id"]),
            endpoint: text(&endpoint.expect(201)["endpoint_id"]),
            offer: text(&offer.expect(201)["offer_id"]),
            pack: text(&pack.expect(201)["pack_id"]),
            promotion: text(&coupon.expect(201)["promotion_id"]),
            exchange: text(&exchange.expect(201)["exchange_id"]),
            open_order: text(&open.expect(201)["order_id"]),
            event,
            offline: [offline(), offline(), offline()],
            customer,
            order,
        }
    }

    fn ids(&self) -> [&str; 21] {
        [
            &self.card,
            &self.image,
            DISPUTE,
            &self.promotion,
            &self.exchange,
            &self.open_order,
            &self.event,
            &self.pack,
            &self.offline[0],
            &self.offline[1],
            &self.offline[2],
            &self.customer,
            &self.registration,
            &self.staff,
            &self.key,
            &self.token_order,
            &self.card_order,
            &self.order,
            &self.offer,
            &self.endpoint,
            SKU,
        ]
    }

    /// The same text with ids that nobody has.
    fn nobodys(&self, text: &str) -> String {
        self.ids().iter().fold(text.to_owned(), |text, id| {
            let unknown = match id.split_once('_') {
                Some((kind, rest)) if rest.len() == 26 => {
                    format!("{kind}_01kb3v8z9mfxmr4x1qk2s7b0de")
                }
                Some(_) => "nothing".to_owned(),
                None if uuid::Uuid::parse_str(id).is_ok() => uuid::Uuid::nil().to_string(),
                None => "nothing".to_owned(),
            };
            text.replace(id, &unknown)
        })
    }

    fn is_named_in(&self, text: &str) -> bool {
        self.ids().iter().any(|id| text.contains(id))
    }
}

impl Door {
    fn knock(&self, api: &Api) -> Answered {
        self.knock_at(api, &self.address, &self.body.to_string(), &[])
    }

    fn knock_at(&self, api: &Api, address: &str, body: &str, more: &[(&str, &str)]) -> Answered {
        let key = fresh_key();
        let mut headers = vec![("idempotency-key", key.as_str())];
        headers.extend(more);
        if self.body.is_null() {
            return api.send(self.method, address, &headers, &[]);
        }
        let (media, body) = match serde_json::from_str(body).unwrap() {
            Value::String(file) if file.starts_with("Handle") => ("text/csv", file),
            Value::String(file) => ("application/octet-stream", file),
            _ => ("application/json", body.to_owned()),
        };
        headers.push(("content-type", media));
        api.send(self.method, address, &headers, body.as_bytes())
    }
}

fn documented(served: &Served<'_>) -> BTreeSet<(String, String, String)> {
    let document = served.api.get("/v1/openapi.json");
    let paths = document.expect(200)["paths"].as_object().unwrap();
    let mut all = BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let scope = text(&operation["security"][0]["key"][0]);
            all.insert((method.to_uppercase(), path.clone(), scope));
        }
    }
    all
}

/// A key that was valid and is so no more, for each way in which that comes about.
fn ended_keys(served: &Served<'_>) -> Vec<Api> {
    let scopes: Vec<&str> = ALL_SCOPES.split(',').collect();
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3);
    let at = at.to_string();
    let make = |body: &Value| {
        let made = served.api.post("/v1/api-keys", body);
        let made = made.expect(201);
        (
            served.with_key(made["key"].as_str().unwrap()),
            text(&made["key_id"]),
        )
    };
    let (expired, _) = make(&json!({"name": "short", "scopes": scopes, "expires_at": at}));
    let (revoked, id) = make(&json!({"name": "gone", "scopes": scopes}));
    for key in [&expired, &revoked] {
        key.get("/v1/vendor").expect(200);
    }
    served.api.delete(&format!("/v1/api-keys/{id}")).expect(200);
    revoked.get("/v1/vendor").problem(401, "key_invalid");
    let begun = Instant::now();
    while expired.get("/v1/vendor").status == 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it does not expire"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    vec![expired, revoked]
}

fn every_door_is_guarded(db: &TestDb) {
    let served = Served::start_with(db, in_mall);
    let world = World::new(db, &served.api);
    let doors = doors(&world);
    let listed: BTreeSet<_> = doors
        .iter()
        .map(|d| {
            (
                d.method.to_owned(),
                d.template.to_owned(),
                d.scope.to_owned(),
            )
        })
        .collect();
    assert_eq!(listed.len(), doors.len(), "each once");
    let documented = documented(&served);
    let missing: Vec<_> = documented.difference(&listed).collect();
    let superfluous: Vec<_> = listed.difference(&documented).collect();
    assert!(missing.is_empty(), "not in the list: {missing:?}");
    assert!(
        superfluous.is_empty(),
        "not in the document: {superfluous:?}"
    );

    let scopes: BTreeSet<&str> = ALL_SCOPES.split(',').collect();
    let keys: BTreeMap<&str, (Api, Api)> = doors
        .iter()
        .map(|d| d.scope)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|scope| {
            let others: Vec<&str> = scopes.iter().copied().filter(|s| *s != scope).collect();
            (
                scope,
                (served.with_scopes(&[scope]), served.with_scopes(&others)),
            )
        })
        .collect();
    let ended = ended_keys(&served);
    // Strangers first: what they are refused must still be there afterwards.
    for door in &doors {
        let place = format!("{} {}", door.method, door.template);
        let nobody = door.knock_at(
            &served.api,
            &door.address,
            &door.body.to_string(),
            &[("authorization", "")],
        );
        nobody.problem(401, "key_invalid");
        for key in &ended {
            door.knock(key).problem(401, "key_invalid");
        }
        let lacking = door.knock(&keys[door.scope].1);
        assert!(
            lacking.problem(403, "scope_missing").contains(door.scope),
            "{place}"
        );
        foreign(&served, &world, door, &place);
    }
    for door in &doors {
        let answer = door.knock(&keys[door.scope].0);
        let is_done = (200..300).contains(&answer.status);
        // What needs a PIN, a code or an empty account is refused, but not for want of a scope.
        let is_refused = matches!(answer.status, 409 | 422) || door.template.ends_with("{code}");
        assert!(
            is_done || is_refused,
            "{} {}: {}",
            door.method,
            door.template,
            answer.text
        );
    }
}

fn foreign(served: &Served<'_>, world: &World, door: &Door, place: &str) {
    let answer = door.knock(&served.other);
    match door.foreign {
        Foreign::NotFound => {
            let body = world.nobodys(&door.body.to_string());
            let unknown = door.knock_at(&served.other, &world.nobodys(&door.address), &body, &[]);
            assert_eq!(
                (answer.status, unknown.status),
                (404, 404),
                "{place}: {}",
                answer.text
            );
            assert_eq!(
                answer.text, unknown.text,
                "{place}: the two can be told apart"
            );
        }
        Foreign::Own => {
            // It may be in no position to do this with its own things.
            assert!(
                (200..300).contains(&answer.status) || answer.status == 409,
                "{place}: {}",
                answer.text
            );
            assert!(!world.is_named_in(&answer.text), "{place}: {}", answer.text);
        }
        Foreign::NotFoundInside => {
            assert_eq!(answer.expect(200)["results"][0]["status"], 404, "{place}");
        }
    }
}

//! Who may do what: every operation of the API by name, with the scope that it needs, an address
//! and a body that work at the vendor `retail`. The list is compared with the document, so that no
//! operation comes without a test of its door.

use crate::api_customers::{customer, sell};
use crate::client::{ALL_SCOPES, Answered, Api, Served, fresh_key};
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
    order: String,
    offer: String,
    pack: String,
    /// Orders without a card: to be accepted and paid, failed, cancelled.
    offline: [String; 3],
}

const SKU: &str = "lamp-of-retail";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl World {
    fn new(api: &Api) -> World {
        let product = format!("/v1/products/{SKU}");
        api.put(&product, &json!({"title": "Lamp"})).expect(201);
        let offer = json!({"kind": "purchase", "price": "2", "initial_stock": 1000});
        let offer = api.put(&format!("{product}/offers/{SKU}"), &offer);
        let customer = customer(api);
        sell(api, &customer, "500");
        let bought = json!({"customer_id": customer, "lines": [{"sku": SKU, "quantity": 9}]});
        let order = api.post("/v1/orders", &bought);
        let order = text(&order.expect(201)["order_id"]);
        let asked = json!({"reason": "It broke."});
        api.post(&format!("/v1/orders/{order}/refund-requests"), &asked)
            .expect(201);
        let registration = api.post("/v1/registrations", &json!({}));
        let staff = api.post("/v1/staff", &json!({"name": "Grace", "role": "owner"}));
        let key = json!({"name": "spare", "scopes": ["orders:read"]});
        let key = api.post("/v1/api-keys", &key);
        let tokens = api.get(&format!("/v1/customers/{customer}/token-orders"));
        let pack = json!({"name": "Gold", "tokens": "10", "price": "0.95"});
        let pack = api.post("/v1/token-packs", &pack);
        let offline = || {
            let body = json!({"tokens": "5", "means": "check"});
            let path = format!("/v1/customers/{customer}/offline-orders");
            text(&api.post(&path, &body).expect(201)["token_order_id"])
        };
        World {
            registration: text(&registration.expect(201)["registration_id"]),
            staff: text(&staff.expect(201)["staff_id"]),
            key: text(&key.expect(201)["key_id"]),
            token_order: text(&tokens.expect(200)["items"][0]["token_order_id"]),
            offer: text(&offer.expect(201)["offer_id"]),
            pack: text(&pack.expect(201)["pack_id"]),
            offline: [offline(), offline(), offline()],
            customer,
            order,
        }
    }

    fn ids(&self) -> [&str; 12] {
        [
            &self.pack,
            &self.offline[0],
            &self.offline[1],
            &self.offline[2],
            &self.customer,
            &self.registration,
            &self.staff,
            &self.key,
            &self.token_order,
            &self.order,
            &self.offer,
            SKU,
        ]
    }

    /// The same text with ids that nobody has.
    fn nobodys(&self, text: &str) -> String {
        self.ids().iter().fold(text.to_owned(), |text, id| {
            let unknown = match id.split_once('_') {
                Some((kind, _)) => format!("{kind}_01kb3v8z9mfxmr4x1qk2s7b0de"),
                None => "nothing".to_owned(),
            };
            text.replace(id, &unknown)
        })
    }

    fn is_named_in(&self, text: &str) -> bool {
        self.ids().iter().any(|id| text.contains(id))
    }
}

/// All operations, each as a door to be tried.
struct Doors<'a> {
    world: &'a World,
    all: Vec<Door>,
}

/// Every operation, in an order in which each can be done.
fn doors(world: &World) -> Vec<Door> {
    let mut doors = Doors {
        world,
        all: Vec::new(),
    };
    doors.add_reads();
    doors.add_creations();
    doors.add_settings();
    doors.add_sales();
    doors.add_accounts();
    doors.add_endings();
    let mut doors = doors.all;
    // What these need in their query.
    for (template, query) in [
        ("/v1/ledger/export", "?format=csv"),
        ("/v1/token-price", "?tokens=10"),
    ] {
        for door in doors.iter_mut().filter(|d| d.template == template) {
            door.address.push_str(query);
        }
    }
    doors
}

impl Doors<'_> {
    fn door(
        &mut self,
        method: &'static str,
        template: &'static str,
        scope: &'static str,
        id: &str,
        body: Value,
    ) {
        let address = template.replacen("{id}", id, 1).replacen("{handle}", id, 1);
        let address = address.replace("{sku}", SKU);
        let address = address.replace("{offer_id}", &self.world.offer);
        let is_named =
            self.world.is_named_in(&address) || self.world.is_named_in(&body.to_string());
        self.all.push(Door {
            method,
            template,
            scope,
            address,
            body,
            foreign: match is_named {
                true if template == "/v1/orders:batch" => Foreign::NotFoundInside,
                true => Foreign::NotFound,
                false => Foreign::Own,
            },
        });
    }

    fn add_reads(&mut self) {
        for (template, scope) in [
            ("/v1/api-keys", "keys:write"),
            ("/v1/categories", "catalog:read"),
            ("/v1/customers", "customers:read"),
            ("/v1/ledger/entries", "ledger:read"),
            ("/v1/ledger/export", "ledger:read"),
            ("/v1/ledger/verification", "ledger:read"),
            ("/v1/orders", "orders:read"),
            ("/v1/products", "catalog:read"),
            ("/v1/refund-requests", "orders:read"),
            ("/v1/reports/sales", "reports:read"),
            ("/v1/reports/today", "reports:read"),
            ("/v1/staff", "vendor:read"),
            ("/v1/offline-orders", "customers:read"),
            ("/v1/offline-orders/ageing", "customers:read"),
            ("/v1/token-packs", "vendor:read"),
            ("/v1/token-price", "vendor:read"),
            ("/v1/token-tiers", "vendor:read"),
            ("/v1/vendor/country-prices", "vendor:read"),
            ("/v1/vendor/token-price-history", "vendor:read"),
            ("/v1/vendor", "vendor:read"),
            ("/v1/vendor/storefront", "vendor:read"),
            ("/v1/vendor/token-prices", "vendor:read"),
        ] {
            self.door("GET", template, scope, "", Value::Null);
        }
        let customer = self.world.customer.as_str();
        for (template, scope) in [
            ("/v1/customers/{id}", "customers:read"),
            ("/v1/customers/{id}/balance", "customers:read"),
            ("/v1/customers/{id}/history", "customers:read"),
            ("/v1/customers/{id}/order-list", "orders:read"),
            ("/v1/customers/{id}/orders", "orders:read"),
            ("/v1/customers/{id}/person", "customers:read"),
            ("/v1/customers/{id}/gifts", "customers:read"),
            ("/v1/customers/{id}/offline-orders", "customers:read"),
            ("/v1/customers/{id}/token-orders", "customers:read"),
        ] {
            self.door("GET", template, scope, customer, Value::Null);
        }
        let (registration, order) = (self.world.registration.as_str(), self.world.order.as_str());
        for (template, scope, id) in [
            ("/v1/registrations/{id}", "customers:read", registration),
            ("/v1/orders/{id}", "orders:read", order),
            (
                "/v1/token-orders/{id}",
                "customers:read",
                self.world.token_order.as_str(),
            ),
            (
                "/v1/offline-orders/{id}",
                "customers:read",
                self.world.offline[0].as_str(),
            ),
            ("/v1/products/{handle}", "catalog:read", SKU),
            ("/v1/offers/{sku}", "catalog:read", ""),
        ] {
            self.door("GET", template, scope, id, Value::Null);
        }
    }

    fn add_creations(&mut self) {
        let customer = self.world.customer.as_str();
        let bought = json!({"customer_id": customer, "lines": [{"sku": SKU, "quantity": 1}]});
        let returned = json!({"customer_id": customer, "reference": "CN-1",
            "goods": [{"sku": SKU, "unit_price": "2", "quantity": 1}]});
        for (template, scope, body) in [
            (
                "/v1/api-keys",
                "keys:write",
                json!({"name": "more", "scopes": ["keys:write"]}),
            ),
            ("/v1/customers", "customers:write", json!({})),
            ("/v1/goods-returns", "refunds:write", returned),
            ("/v1/orders", "orders:write", bought.clone()),
            (
                "/v1/orders:batch",
                "orders:write",
                json!({"orders": [&bought]}),
            ),
            (
                "/v1/products:import",
                "catalog:write",
                json!("Handle,Title,Variant Price\na,A,1\n"),
            ),
            ("/v1/quotes", "orders:read", bought),
            ("/v1/registrations", "customers:write", Value::Null),
            (
                "/v1/staff",
                "vendor:write",
                json!({"name": "Ada", "role": "auditor"}),
            ),
            ("/v1/token-orders:resolve", "tokens:write", Value::Null),
            (
                "/v1/token-packs",
                "vendor:write",
                json!({"name": "Silver set", "tokens": "100", "off": 500}),
            ),
            (
                "/v1/vendor/country-prices",
                "vendor:write",
                json!({"country": "CH", "price": "0.02"}),
            ),
            (
                "/v1/vendor/token-prices",
                "vendor:write",
                json!({"price": "0.02"}),
            ),
        ] {
            self.door("POST", template, scope, "", body);
        }
    }

    fn add_settings(&mut self) {
        let customer = self.world.customer.as_str();
        let storefront = json!({"hue": "moss", "mark": "leaf", "sells": "goods"});
        self.door(
            "PUT",
            "/v1/vendor/storefront",
            "vendor:write",
            "",
            storefront,
        );
        let line = json!({"quantity": 1});
        self.door(
            "PUT",
            "/v1/customers/{id}/order-list/{offer_id}",
            "orders:write",
            customer,
            line,
        );
        self.door(
            "DELETE",
            "/v1/customers/{id}/order-list/{offer_id}",
            "orders:write",
            customer,
            Value::Null,
        );
        self.door(
            "PUT",
            "/v1/products/{handle}",
            "catalog:write",
            "another",
            json!({"title": "Lamp"}),
        );
        let offer = json!({"kind": "purchase", "price": "2"});
        self.door(
            "PUT",
            "/v1/products/{handle}/offers/{sku}",
            "catalog:write",
            SKU,
            offer,
        );
        self.door(
            "POST",
            "/v1/offers/{sku}/stock",
            "catalog:write",
            "",
            json!({"add": 1}),
        );
    }

    fn add_sales(&mut self) {
        let (world, tiers) = (self.world, json!({"seen": [], "tiers": []}));
        let pack = json!({"version": 1, "pack": {"name": "Gold", "tokens": "10", "off": 500}});
        self.door("PUT", "/v1/token-tiers", "vendor:write", "", tiers);
        self.door(
            "PUT",
            "/v1/token-packs/{id}",
            "vendor:write",
            &world.pack,
            pack,
        );
        let [first, second, third] = &world.offline;
        let ordered = json!({"tokens": "5", "means": "check"});
        for (template, scope, id, body) in [
            (
                "/v1/token-packs/{id}/withdraw",
                "vendor:write",
                &world.pack,
                Value::Null,
            ),
            (
                "/v1/customers/{id}/gifts",
                "tokens:write",
                &world.customer,
                json!({"tokens": "5", "route": "contest", "reason": "First prize"}),
            ),
            (
                "/v1/customers/{id}/offline-orders",
                "tokens:write",
                &world.customer,
                ordered,
            ),
            (
                "/v1/offline-orders/{id}/accept",
                "tokens:write",
                first,
                Value::Null,
            ),
            (
                "/v1/offline-orders/{id}/payments",
                "tokens:write",
                first,
                json!({}),
            ),
            (
                "/v1/offline-orders/{id}/fail",
                "tokens:write",
                second,
                json!({"reason": "No money."}),
            ),
            (
                "/v1/offline-orders/{id}/cancel",
                "tokens:write",
                third,
                Value::Null,
            ),
        ] {
            self.door("POST", template, scope, id, body);
        }
    }

    fn add_accounts(&mut self) {
        let customer = self.world.customer.as_str();
        let pin = json!({"pin": "4719"});
        let change = json!({"old_pin": "4719", "pin": "8305"});
        let code = json!({"code": "7Q2XK-M4T9A", "pin": "8305"});
        self.door(
            "PUT",
            "/v1/customers/{id}/pin",
            "customers:write",
            customer,
            pin.clone(),
        );
        for (template, scope, body) in [
            ("/v1/customers/{id}/pin-changes", "customers:write", change),
            (
                "/v1/customers/{id}/pin-resets",
                "customers:write",
                Value::Null,
            ),
            (
                "/v1/customers/{id}/pin-resets:finish",
                "customers:write",
                code,
            ),
            ("/v1/customers/{id}/verifications", "customers:read", pin),
            (
                "/v1/customers/{id}/payment-sessions",
                "tokens:write",
                Value::Null,
            ),
            (
                "/v1/customers/{id}/token-orders",
                "tokens:write",
                json!({"tokens": "5", "card": "test_ok"}),
            ),
        ] {
            self.door("POST", template, scope, customer, body);
        }
    }

    fn add_endings(&mut self) {
        let customer = self.world.customer.as_str();
        let (registration, order) = (self.world.registration.as_str(), self.world.order.as_str());
        let reference = json!({"reference": "crm-1042"});
        self.door(
            "PUT",
            "/v1/customers/{id}/reference",
            "customers:write",
            customer,
            reference,
        );
        self.door(
            "PUT",
            "/v1/registrations/{id}/details",
            "customers:write",
            registration,
            json!({}),
        );
        self.door(
            "POST",
            "/v1/registrations/{id}/account",
            "customers:write",
            registration,
            json!({"means": "card"}),
        );
        self.door(
            "PUT",
            "/v1/staff/{id}/password",
            "vendor:write",
            &self.world.staff,
            json!({"password": "a long pass phrase"}),
        );
        self.door(
            "POST",
            "/v1/orders/{id}/refund-requests",
            "orders:write",
            order,
            json!({"reason": "It broke."}),
        );
        self.door(
            "POST",
            "/v1/orders/{id}/refund-requests/decline",
            "refunds:write",
            order,
            json!({"answer": "No."}),
        );
        self.door(
            "POST",
            "/v1/orders/{id}/refunds",
            "refunds:write",
            order,
            json!({}),
        );
        self.door(
            "POST",
            "/v1/customers/{id}/close",
            "customers:write",
            customer,
            Value::Null,
        );
        self.door(
            "DELETE",
            "/v1/api-keys/{id}",
            "keys:write",
            &self.world.key,
            Value::Null,
        );
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
            Value::String(file) => ("text/csv", file),
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
    let served = Served::start(db);
    let world = World::new(&served.api);
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
        let is_refused = matches!(answer.status, 409 | 422);
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
            assert!(
                (200..300).contains(&answer.status),
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

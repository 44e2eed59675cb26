//! The shop `club` of the tests of pages: its token costs 10 cents, 50 of them make an account
//! active, three declined cards end a payment. Customers and staff of it, signed in.

use crate::client::{Answered, Api, Served};
use crate::program::Program;
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::{Value, json};

/// A picture of one pixel.
pub const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53,
    0xde, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00,
    0x00, 0x03, 0x01, 0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

pub const PIN: &str = "40712";
pub const PASSWORD: &str = "eleven geese fly";

/// A node with the vendor `club` beside `retail` and `other`.
pub struct Club<'a> {
    pub served: Served<'a>,
    /// A client with a key of the club.
    pub api: Api,
}

/// A customer who is signed in.
pub struct Member {
    pub id: String,
    pub number: String,
    pub visitor: Visitor,
}

impl<'a> Club<'a> {
    pub fn start(db: &'a TestDb) -> Club<'a> {
        Club::start_with(db, || {})
    }

    /// `prepare` works on the database before the node has it for itself.
    pub fn start_with(db: &'a TestDb, prepare: impl FnOnce()) -> Club<'a> {
        Club::start_taking(db, &[], |_| prepare())
    }

    /// With more settings of the node, as environment variables.
    pub fn start_env(db: &'a TestDb, settings: &[(&str, &str)]) -> Club<'a> {
        Club::start_taking(db, settings, |_| {})
    }

    /// `prepare` runs commands of the program before the node has the database for itself.
    pub fn start_running(db: &'a TestDb, prepare: impl FnOnce(&Program<'_>)) -> Club<'a> {
        Club::start_taking(db, &[], prepare)
    }

    fn start_taking(
        db: &'a TestDb,
        settings: &[(&str, &str)],
        prepare: impl FnOnce(&Program<'_>),
    ) -> Club<'a> {
        let mut key = String::new();
        let served = Served::start_taking(db, &["--cards", "test"], settings, |program| {
            let club = ["vendor", "create", "--name", "Club", "--slug", "club"];
            let price = ["--token-price", "0.10", "--minimum-tokens", "50"];
            program.ok(&[club.as_slice(), &price].concat());
            key = program.key("club");
            prepare(program);
        });
        let api = served.with_key(&key);
        Club { served, api }
    }

    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.served)
    }

    /// A customer with so many tokens, signed in.
    pub fn member(&self, name: &str, tokens: i64) -> Member {
        let body = json!({"person": {"name": name}, "pin": PIN});
        let made = self.api.post("/v1/customers", &body);
        let made = made.expect(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (id, number) = (text("customer_id"), text("number"));
        if tokens > 0 {
            self.sell(&id, tokens);
        }
        let visitor = self.signed_in(&number);
        Member {
            id,
            number,
            visitor,
        }
    }

    /// A browser in which a customer is signed in.
    pub fn signed_in(&self, number: &str) -> Visitor {
        let visitor = self.visitor();
        let fields = [("name", number), ("secret", PIN)];
        visitor.post("/shops/club/sign-in", &fields).see();
        visitor
    }

    pub fn sell(&self, id: &str, tokens: i64) {
        let body = json!({"tokens": tokens.to_string(), "card": "test_ok"});
        let path = format!("/v1/customers/{id}/token-orders");
        self.api.post(&path, &body).expect(201);
    }

    pub fn available(&self, id: &str) -> String {
        let balance = self.api.get(&format!("/v1/customers/{id}/balance"));
        let amount = &balance.expect(200)["available"]["amount"];
        amount.as_str().unwrap().to_owned()
    }

    /// The orders of tokens of a customer, newest first: tokens and state.
    pub fn token_orders(&self, id: &str) -> Vec<(String, String)> {
        let list = self.api.get(&format!("/v1/customers/{id}/token-orders"));
        let items = list.expect(200)["items"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        items
            .iter()
            .map(|order| (text(&order["tokens"]["amount"]), text(&order["state"])))
            .collect()
    }

    /// Puts something on the shelves; pieces are counted where a number is given.
    pub fn offer(&self, sku: &str, title: &str, tokens: i64, pieces: Option<i64>) -> String {
        let product = format!("/v1/products/{sku}");
        self.api.put(&product, &json!({"title": title})).expect(201);
        let body = json!({
            "kind": "purchase", "price": tokens.to_string(), "initial_stock": pieces,
        });
        let made = self.api.put(&format!("{product}/offers/{sku}"), &body);
        made.expect(201)["offer_id"].as_str().unwrap().to_owned()
    }

    /// Gives a customer universal tokens that are paid for.
    pub fn issue_open(&self, customer: &str, tokens: &str) {
        let body = json!({
            "customer_id": customer, "kind": "universal", "tokens": tokens, "origin": "paid",
        });
        self.api.post("/v1/open-tokens", &body).expect(201);
    }

    /// Buys one thing of a member of the mall with open tokens.
    pub fn buy_open(&self, customer: &str, at: &str, sku: &str) -> Answered {
        let body = json!({"at": at, "lines": [{"sku": sku, "quantity": 1}]});
        let orders = format!("/v1/customers/{customer}/open-orders");
        self.api.post(&orders, &body)
    }

    pub fn on_hand(&self, sku: &str) -> i64 {
        let offer = self.api.get(&format!("/v1/offers/{sku}"));
        offer.expect(200)["on_hand"].as_i64().unwrap()
    }

    /// Places an order of (SKU, pieces); its id.
    pub fn order(&self, customer: &str, lines: &[(&str, i64)]) -> String {
        let line = |(sku, quantity): &(&str, i64)| json!({"sku": sku, "quantity": quantity});
        let lines: Vec<Value> = lines.iter().map(line).collect();
        let body = json!({"customer_id": customer, "lines": lines});
        let placed = self.api.post("/v1/orders", &body);
        placed.expect(201)["order_id"].as_str().unwrap().to_owned()
    }

    /// Puts a product on the shelves that is sent to an address.
    pub fn shipped_offer(&self, sku: &str, title: &str, tokens: i64) -> String {
        let id = self.offer(sku, title, tokens, None);
        let body = json!({"title": title, "delivery": "shipped"});
        self.api
            .put(&format!("/v1/products/{sku}"), &body)
            .expect(200);
        id
    }

    /// Places an order of a new product that is sent to an address; its id.
    pub fn parcel(&self, customer: &str, sku: &str) -> String {
        self.shipped_offer(sku, sku, 10);
        let to = json!({
            "name": "Wilma Quack", "lines": "17 Unusual Street\nFlat 2", "postal_code": "OD1 7XX",
            "city": "Oddtown", "country": "Ireland",
        });
        let lines = json!([{"sku": sku, "quantity": 1}]);
        let body = json!({"customer_id": customer, "lines": lines, "delivery_address": to});
        let placed = self.api.post("/v1/orders", &body);
        placed.expect(201)["order_id"].as_str().unwrap().to_owned()
    }

    pub fn ask_refund(&self, order: &str, reason: &str) {
        let path = format!("/v1/orders/{order}/refund-requests");
        self.api.post(&path, &json!({"reason": reason})).expect(201);
    }

    /// A browser in which a member of the club's staff with this role is signed in.
    pub fn staff(&self, role: &str) -> Visitor {
        self.staff_of(&self.api, "club", role)
    }

    /// The same at another shop.
    pub fn staff_of(&self, api: &Api, slug: &str, role: &str) -> Visitor {
        let name = format!("Ada the {role}");
        let body = json!({"name": name, "role": role, "password": PASSWORD});
        api.post("/v1/staff", &body).expect(201);
        let visitor = self.visitor();
        let fields = [("name", name.as_str()), ("password", PASSWORD)];
        let answer = visitor.post(&format!("/shops/{slug}/staff/sign-in"), &fields);
        assert_eq!(answer.see(), format!("/shops/{slug}/staff/today"));
        visitor
    }
}

/// The value of a hidden field of a page: the first of that name.
pub fn hidden(page: &str, name: &str) -> String {
    let begin = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let (_, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no hidden {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A page says all of these.
pub fn says(answer: &Answered, status: u16, words: &[&str]) -> String {
    let page = answer.page(status);
    for said in words {
        assert!(page.contains(said), "{said:?} is not in {page}");
    }
    page.to_owned()
}

//! The API for promotions and coupons (ADV-06): made, changed, stopped; on quotes and orders; in
//! the report.

use crate::api_catalog::{offer, tiered};
use crate::api_customers::{customer, sell};
use crate::api_orders::order_body;
use crate::client::{Api, Served, fresh_key};
use scrip_engine::{Clock, SystemClock};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    promotions_are_made_changed_and_stopped,
    what_no_promotion_can_be_is_refused,
    quotes_and_orders_have_the_reduced_price,
    a_coupon_is_named_on_quotes_and_orders,
    codes_are_told_once_and_good_once,
    the_report_says_what_was_taken_off,
);

/// A time so many days from now.
pub fn in_days(days: i64) -> String {
    SystemClock.now().plus_seconds(days * 24 * 3600).to_string()
}

fn make(api: &Api, more: &Value) -> Value {
    let mut body = json!({"name": "Autumn sale", "ends_at": in_days(10)});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    api.post("/v1/promotions", &body).expect(201).clone()
}

fn rich(api: &Api) -> String {
    let id = customer(api);
    sell(api, &id, "500");
    id
}

fn quote(api: &Api, body: &Value) -> Value {
    let json = [("content-type", "application/json")];
    let quote = api.send("POST", "/v1/quotes", &json, body.to_string().as_bytes());
    quote.expect(200).clone()
}

fn with_coupon(customer: &str, lines: &[(&str, i64)], code: &str) -> Value {
    let mut body = order_body(customer, lines);
    body["coupon"] = json!(code);
    body
}

/// ADV-06: a promotion is made, changed before it begins, and stopped; of two who change it the
/// second is told.
fn promotions_are_made_changed_and_stopped(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    let planned = json!({"begins_at": in_days(1), "rate": 1000, "products": ["a"]});
    let made = make(api, &planned);
    let id = made["promotion_id"].as_str().unwrap();
    assert_eq!(
        (&made["state"], &made["products"]),
        (&json!("planned"), &json!(["a"]))
    );
    assert_eq!((&made["rate"], &made["each"]), (&json!(1000), &Value::Null));
    let path = format!("/v1/promotions/{id}");
    let change = |version: i64, each: &str| {
        json!({"version": version, "promotion": {
            "name": "Winter sale", "begins_at": in_days(1), "ends_at": in_days(2), "each": each,
        }})
    };
    let changed = api.put(&path, &change(1, "5"));
    assert_eq!(changed.expect(200)["each"]["amount"], "5");
    api.put(&path, &change(1, "6"))
        .problem(409, "changed_meanwhile");
    assert_eq!(api.get(&path).expect(200)["name"], "Winter sale");
    let stop = format!("{path}/stop");
    assert_eq!(
        api.post(&stop, &Value::Null).expect(200)["state"],
        "stopped"
    );
    api.put(&path, &change(3, "6"))
        .problem(409, "promotion_begun");
    let all = api.get("/v1/promotions?limit=1");
    assert_eq!(all.expect(200)["items"][0]["promotion_id"], id);
    let running = make(api, &json!({"rate": 1000}));
    let path = format!(
        "/v1/promotions/{}",
        running["promotion_id"].as_str().unwrap()
    );
    api.put(&path, &change(1, "5"))
        .problem(409, "promotion_begun");
}

/// ADV-06: dates, rates, prices, names and codes that cannot be.
fn what_no_promotion_can_be_is_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let body = |more: Value| {
        let mut body = json!({"name": "Sale", "ends_at": in_days(1), "rate": 1000});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for more in [
        json!({"ends_at": in_days(-1)}),
        json!({"begins_at": in_days(2)}),
        json!({"ends_at": in_days(4_000)}),
        json!({"each": "5"}),
        json!({"rate": null}),
        json!({"rate": null, "each": "0"}),
        json!({"categories": ["A"], "products": ["a"]}),
        json!({"products": ["nothing"]}),
        json!({"coupon": {"code": "abc"}}),
        json!({"coupon": {"code": "ÄÖÜ%"}}),
    ] {
        api.post("/v1/promotions", &body(more))
            .problem(422, "promotion_invalid");
    }
    for more in [
        json!({"rate": 10_001}),
        json!({"name": ""}),
        json!({"per_customer": 0}),
        json!({"rate": null, "price": "-1"}),
    ] {
        let status = api.post("/v1/promotions", &body(more)).status;
        assert!(matches!(status, 400 | 422), "{status}");
    }
    make(api, &json!({"rate": 1000, "coupon": {"code": "AUTUMN"}}));
    let taken = body(json!({"coupon": {"code": "autumn"}}));
    api.post("/v1/promotions", &taken)
        .problem(409, "coupon_code_taken");
    make(api, &json!({"price": "0"}));
}

/// ADV-06, SHP-13: what is quoted is what is paid; a promotion that was stopped in between is told
/// as a changed price; the order says list price and reduction.
fn quotes_and_orders_have_the_reduced_price(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    tiered(api, "d", &[(100, "10"), (1000, "80")]);
    let id = rich(api);
    let sale = make(api, &json!({"rate": 1000}));
    let seen = quote(api, &order_body(&id, &[("a", 2), ("d", 500)]));
    assert_eq!(seen["required"]["amount"], "252");
    let line = &seen["lines"][0];
    assert_eq!(line["unit_price"]["amount"], "90");
    assert_eq!(line["list_price"]["amount"], "100");
    assert_eq!(line["off"][0]["amount"]["amount"], "20");
    assert_eq!(seen["lines"][1]["unit_price"]["amount"], "72");
    let placed = api.post("/v1/orders", &order_body(&id, &[("a", 1)]));
    let placed = placed.expect(201);
    assert_eq!(placed["total"]["amount"], "90");
    let order = placed["order_id"].as_str().unwrap();
    let kept = api.get(&format!("/v1/orders/{order}"));
    let line = &kept.expect(200)["lines"][0];
    assert_eq!(line["list_price"]["amount"], "100");
    assert_eq!(line["off"][0]["promotion_id"], sale["promotion_id"]);
    let stop = sale["promotion_id"].as_str().unwrap();
    let stop = format!("/v1/promotions/{stop}/stop");
    api.post(&stop, &Value::Null).expect(200);
    let mut late = order_body(&id, &[("a", 1)]);
    late["lines"][0]["quoted"] = json!("90");
    let refused = api.post("/v1/orders", &late);
    refused.problem(409, "price_changed");
    assert_eq!(refused.json["now"]["amount"], "100");
    let back = json!({"lines": [{"line_no": 1, "quantity": 1}]});
    let back = api.post(&format!("/v1/orders/{order}/refunds"), &back);
    assert_eq!(back.expect(201)["amount"]["amount"], "90");
}

/// ADV-06: a coupon on a quote says what it takes off or why nothing; an order with a bad one is
/// refused and says why; wrong codes are counted by account in both.
fn a_coupon_is_named_on_quotes_and_orders(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    let id = rich(api);
    make(
        api,
        &json!({"rate": 1000, "coupon": {"code": "AUTUMN10"}, "per_customer": 1}),
    );
    let seen = quote(api, &with_coupon(&id, &[("a", 1)], " autumn-10"));
    assert_eq!(seen["required"]["amount"], "90");
    assert_eq!(seen["coupon"]["off"]["amount"], "10");
    assert_eq!(seen["coupon"]["why"], Value::Null);
    assert_eq!(
        quote(api, &order_body(&id, &[("a", 1)]))["coupon"],
        Value::Null
    );
    let order = with_coupon(&id, &[("a", 1)], "AUTUMN10");
    let key = fresh_key();
    for replayed in [false, true] {
        let placed = api.post_under(&key, "/v1/orders", &order);
        assert_eq!(placed.expect(201)["total"]["amount"], "90");
        assert_eq!(placed.replayed(), replayed);
    }
    let again = api.post("/v1/orders", &order);
    again.problem(409, "coupon_refused");
    assert_eq!(again.json["why"], "used_by_you");
    let seen = quote(api, &order);
    assert_eq!(seen["coupon"]["why"], "used_by_you");
    assert_eq!(seen["required"]["amount"], "100");
    for _ in 0..3 {
        let seen = quote(api, &with_coupon(&id, &[("a", 1)], "GUESS"));
        assert_eq!(seen["coupon"]["why"], "unknown");
        assert_eq!(seen["coupon"]["name"], "");
    }
    for _ in 0..2 {
        let wrong = api.post("/v1/orders", &with_coupon(&id, &[("a", 1)], "GUESS"));
        wrong.problem(409, "coupon_refused");
    }
    assert_eq!(quote(api, &order)["coupon"]["why"], "too_many");
    let other = rich(api);
    let seen = quote(api, &with_coupon(&other, &[("a", 1)], "AUTUMN10"));
    assert_eq!(seen["coupon"]["why"], Value::Null, "another account");
}

/// ADV-06: issued codes are answered once, or again under the same key, and are good for one order.
fn codes_are_told_once_and_good_once(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    let id = rich(api);
    let coupon = make(api, &json!({"each": "25", "coupon": {}}));
    let path = format!(
        "/v1/promotions/{}",
        coupon["promotion_id"].as_str().unwrap()
    );
    let (codes, key) = (format!("{path}/codes"), fresh_key());
    let first = api.post_under(&key, &codes, &json!({"count": 2}));
    let first = first.expect(201)["codes"].clone();
    let again = api.post_under(&key, &codes, &json!({"count": 2}));
    assert_eq!(again.expect(201)["codes"], first);
    let code = first[0].as_str().unwrap();
    let order = with_coupon(&id, &[("a", 1)], &code.to_lowercase());
    assert_eq!(
        api.post("/v1/orders", &order).expect(201)["total"]["amount"],
        "75"
    );
    let used = api.post("/v1/orders", &order);
    used.problem(409, "coupon_refused");
    assert_eq!(used.json["why"], "used_up");
    let seen = api.get(&path);
    let seen = &seen.expect(200)["coupon"];
    assert_eq!(
        (&seen["codes_issued"], &seen["codes_used"]),
        (&json!(2), &json!(1))
    );
    let shared = make(api, &json!({"rate": 1, "coupon": {"code": "SHARED"}}));
    let shared = shared["promotion_id"].as_str().unwrap();
    let codes = format!("/v1/promotions/{shared}/codes");
    api.post(&codes, &json!({"count": 1}))
        .problem(409, "coupon_without_codes");
}

/// ADV-06, ADV-08: what was taken off, what of it went back, and what a manufacturer owes.
fn the_report_says_what_was_taken_off(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    let product = json!({"title": "a", "manufacturer": "Acme"});
    api.put("/v1/products/a", &product).expect(200);
    let id = rich(api);
    let coupon = json!({"code": "ACME20", "manufacturer": "Acme"});
    make(
        api,
        &json!({"name": "Acme 20", "rate": 2000, "coupon": coupon}),
    );
    let placed = api.post("/v1/orders", &with_coupon(&id, &[("a", 3)], "ACME20"));
    let placed = placed.expect(201);
    assert_eq!(placed["total"]["amount"], "240");
    let order = placed["order_id"].as_str().unwrap();
    let back = json!({"lines": [{"line_no": 1, "quantity": 1}]});
    let path = format!("/v1/orders/{order}/refunds");
    assert_eq!(api.post(&path, &back).expect(201)["amount"]["amount"], "80");
    let report = api.get("/v1/reports/figures/promotions");
    let tables = &report.expect(200)["tables"];
    let cells = |table: usize| tables[table]["rows"][0]["cells"].clone();
    assert_eq!(cells(0), json!(["Coupon", "1", "60", "20", "40"]));
    assert_eq!(tables[1]["rows"][0]["key"], "Acme");
    let owed = cells(1);
    assert_eq!(owed.as_array().unwrap()[1..], ["1", "60", "20", "40"]);
}

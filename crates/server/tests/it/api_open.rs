//! Open tokens and gift certificates over HTTP.

use crate::api_customers::{customer, sell};
use crate::client::{Api, Served, in_mall};
use crate::program::Program;
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::cell::RefCell;

both!(
    a_customer_of_one_buys_at_another,
    certificates_are_printed_claimed_and_spent,
    what_pays_is_changed_once_and_an_order_goes_back,
    a_manufacturer_lists_what_its_tokens_buy,
    bad_input_is_refused_and_nothing_moves,
);

/// Retail, other, bakery in a mall with terms, and a lamp for 10 at `other`.
fn arcade(program: &Program<'_>) {
    in_mall(program);
    program.ok(&["mall", "terms", "--vendor", "retail", "--service", "2"]);
    program.ok(&["mall", "terms", "--vendor", "other", "--royalty", "1"]);
}

fn lamp(api: &Api, tokens: &str, stock: i64) {
    api.put("/v1/products/lamp", &json!({"title": "Lamp"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": tokens, "initial_stock": stock});
    api.put("/v1/products/lamp/offers/lamp", &offer).expect(201);
}

/// A customer of retail who is active, with open tokens.
fn holder(api: &Api, universal: &str) -> String {
    let id = customer(api);
    sell(api, &id, "100");
    let body = json!({
        "customer_id": id, "kind": "universal", "tokens": universal, "origin": "paid",
    });
    let issued = api.post("/v1/open-tokens", &body);
    assert_eq!(issued.expect(201)["price"]["amount"], universal);
    id
}

fn order(at: &str) -> Value {
    json!({"at": at, "lines": [{"sku": "lamp", "quantity": 1}]})
}

fn owes(api: &Api) -> Value {
    api.get("/v1/mall").expect(200)["owes"]["amount"].clone()
}

/// MSP-08, GOV-04, GOV-13, OPN-08, OPN-09, OPN-22, OPN-24: the customer sees a price, an order and a confirmation; the same
/// key orders once.
fn a_customer_of_one_buys_at_another(db: &TestDb) {
    let served = Served::start_with(db, arcade);
    let api = &served.api;
    lamp(&served.other, "1000", 3);
    let id = holder(api, "25");
    let quote = api.post(&format!("/v1/customers/{id}/open-quotes"), &order("other"));
    let quote = quote.expect(201).clone();
    assert_eq!(quote["price"], json!({"amount": "10", "asset": "GBP"}));
    assert_eq!(quote["choices"], json!(["universal"]));
    assert_eq!(quote["problem"], Value::Null);
    let path = format!("/v1/customers/{id}/open-orders");
    let first = api.post_under("o1", &path, &order("other"));
    let again = api.post_under("o1", &path, &order("other"));
    assert_eq!(first.expect(201), again.expect(201));
    assert!(again.replayed());
    let receipt = &first.json;
    assert_eq!(receipt["paid_with"][0]["kind"], "universal");
    assert_eq!(receipt["paid_with"][0]["debtor"], "retail");
    assert_eq!(
        receipt["left"],
        json!([{"kind": "universal", "amount": {"amount": "15", "asset": "GBP"}}])
    );
    assert_eq!(
        (owes(api), owes(&served.other)),
        (json!("9.8"), json!("-9.7"))
    );
    let statement = api.get("/v1/mall/statement").expect(200).clone();
    let line = &statement["items"][0];
    assert_eq!(line["kind"], "sale");
    assert_eq!(
        (&line["royalty"]["amount"], &line["kept"]["amount"]),
        (&json!("0.1"), &json!("0.2"))
    );
    let held = api.get(&format!("/v1/customers/{id}/open-tokens"));
    let held = held.expect(200)["tokens"][0].clone();
    assert_eq!(
        (&held["available"]["amount"], &held["paid"]["amount"]),
        (&json!("15"), &json!("15"))
    );
    let sold = served.other.get("/v1/orders").expect(200).clone();
    assert_eq!(sold["items"][0]["order_id"], receipt["order_id"]);
    let mall = api.get("/v1/mall/open-tokens").expect(200).clone();
    assert_eq!(mall["tokens"][0]["outstanding"]["amount"], "15");
    // Its own tokens were not touched.
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    assert_eq!(balance.expect(200)["available"]["amount"], "100");
}

/// MSP-08, OPN-21, OPN-15, OPN-16, GOV-07: issued in bulk, claimed by code, honoured where that was agreed.
fn certificates_are_printed_claimed_and_spent(db: &TestDb) {
    let served = Served::start_with(db, arcade);
    let api = &served.api;
    lamp(&served.other, "3200", 9);
    let id = customer(api);
    sell(api, &id, "1");
    let body = json!({"face": "50", "count": 3, "origin": "paid"});
    let printed = api.post("/v1/gift-certificates", &body);
    let printed = printed.expect(201)["items"].as_array().unwrap().clone();
    assert_eq!(printed.len(), 3);
    let claims = format!("/v1/customers/{id}/gift-certificates");
    let code = printed[0]["code"].as_str().unwrap().to_lowercase();
    let claim = api.post(&claims, &json!({"code": code}));
    assert_eq!(claim.expect(201)["face"]["amount"], "50");
    api.post(&claims, &json!({"code": "00000-00000"}))
        .problem(409, "gift_code_unknown");
    let orders = format!("/v1/customers/{id}/open-orders");
    api.post(&orders, &order("other"))
        .problem(402, "open_tokens_short");
    let takes = "/v1/mall/gift-acceptance/retail";
    served.other.put(takes, &Value::Null);
    let headers = [("idempotency-key", "honours")];
    let honours = served.other.send("PUT", takes, &headers, &[]);
    assert_eq!(honours.status, 204, "{}", honours.text);
    let paid = api.post(&orders, &order("other"));
    let part = paid.expect(201)["paid_with"][0].clone();
    assert_eq!(
        (&part["amount"]["amount"], &part["surplus"]["amount"]),
        (&json!("32"), &json!("18"))
    );
    let held = api.get(&format!("/v1/customers/{id}/open-tokens"));
    let held = held.expect(200).clone();
    assert_eq!(held["gifts"], json!([]));
    assert_eq!(held["tokens"][0]["available"]["amount"], "18");
    let mine = api.get("/v1/gift-certificates").expect(200).clone();
    let states: Vec<&str> = mine["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["issued", "issued", "spent"]);
    let text = mine.to_string();
    assert!(!text.contains(printed[1]["code"].as_str().unwrap()));
}

/// OPN-23: another kind pays, once; then the seller gives the order back.
fn what_pays_is_changed_once_and_an_order_goes_back(db: &TestDb) {
    let served = Served::start_with(db, arcade);
    let api = &served.api;
    lamp(&served.other, "1000", 3);
    let id = holder(api, "10");
    let paid = api.post(&format!("/v1/customers/{id}/open-orders"), &order("other"));
    let bought = paid.expect(201)["order_id"].as_str().unwrap().to_owned();
    let change = |with: &str| {
        let body = json!({"at": "other", "pay_with": with});
        api.put(
            &format!("/v1/customers/{id}/open-orders/{bought}/payment"),
            &body,
        )
    };
    change("group").problem(409, "type_cannot_pay");
    let body = json!({"face": "10", "count": 1, "origin": "paid"});
    let printed = served.other.post("/v1/gift-certificates", &body);
    let code = printed.expect(201)["items"][0]["code"].clone();
    let claims = format!("/v1/customers/{id}/gift-certificates");
    api.post(&claims, &json!({"code": code})).expect(201);
    let anew = change("gift");
    assert_eq!(anew.expect(200)["paid_with"][0]["kind"], "gift");
    assert_eq!(owes(api), "0", "its tokens came back");
    change("universal").problem(409, "payment_switched");
    let refund = json!({"order_id": bought});
    served
        .other
        .post(&format!("/v1/orders/{bought}/refunds"), &refund);
    let back = format!("/v1/orders/{bought}/open-reversal");
    api.post(&back, &json!({})).problem(404, "not_found");
    let done = served.other.post(&back, &json!({"restock": true}));
    assert_eq!(done.expect(201)["price"]["amount"], "10");
    served
        .other
        .post(&back, &json!({}))
        .problem(409, "payment_taken_back");
    assert_eq!((owes(api), owes(&served.other)), (json!("0"), json!("0")));
}

/// MSP-08, OPN-11, GOV-05: M1 tokens of a manufacturer with a key of its own.
fn a_manufacturer_lists_what_its_tokens_buy(db: &TestDb) {
    let key = RefCell::new(String::new());
    let served = Served::start_with(db, |program| {
        arcade(program);
        let maker = ["vendor", "create", "--name", "Maker", "--slug", "maker"];
        let kind = ["--currency", "GBP", "--kind", "manufacturer"];
        program.ok(&[&maker[..], &kind[..]].concat());
        program.ok(&["mall", "join", "--mall", "riverside", "--vendor", "maker"]);
        let create = ["api-key", "create", "--vendor", "maker", "--name", "tests"];
        let scope = ["--scope", "tokens:write,vendor:write,vendor:read"];
        let made = program.json(&[&create[..], &scope[..]].concat());
        *key.borrow_mut() = made["key"].as_str().unwrap().to_owned();
    });
    let api = &served.api;
    let maker = served.with_key(&key.borrow());
    lamp(&served.other, "1000", 3);
    let id = customer(api);
    sell(api, &id, "1");
    let percent = json!({"kind": "m1", "percent": "10"});
    assert_eq!(maker.put("/v1/open-tokens/discount", &percent).status, 204);
    let body = json!({
        "customer_id": id, "home": "retail", "kind": "m1", "tokens": "20", "origin": "paid",
    });
    let issued = maker.post("/v1/open-tokens", &body);
    assert_eq!(issued.expect(201)["price"]["amount"], "18");
    api.post("/v1/open-tokens", &body)
        .problem(409, "no_manufacturer");
    let orders = format!("/v1/customers/{id}/open-orders");
    api.post(&orders, &order("other"))
        .problem(402, "open_tokens_short");
    let listed = "/v1/mall/products/lamp";
    let cap = json!({"cap_percent": "20"});
    assert_eq!(maker.put(listed, &cap).status, 204);
    api.put(listed, &cap).problem(409, "no_manufacturer");
    let paid = api.post(&orders, &order("other"));
    assert_eq!(paid.expect(201)["paid_with"][0]["debtor"], "maker");
    assert_eq!(owes(&maker), "10");
    let shown = maker.get("/v1/mall/open-tokens").expect(200).clone();
    assert_eq!(
        shown["products"][0],
        json!({"sku": "lamp", "maker": "maker", "cap_percent": "20"})
    );
    assert_eq!(maker.delete(listed).status, 204);
    api.post(&orders, &order("other"))
        .problem(402, "open_tokens_short");
    maker.delete(listed).problem(404, "not_found");
}

/// What people and programs send by mistake or on purpose.
fn bad_input_is_refused_and_nothing_moves(db: &TestDb) {
    let served = Served::start_with(db, arcade);
    let api = &served.api;
    lamp(&served.other, "1000", 3);
    let id = holder(api, "25");
    let orders = format!("/v1/customers/{id}/open-orders");
    let entered = json!({"at": "other",
        "lines": [{"sku": "lamp", "quantity": 1, "entered": "0.01"}]});
    api.post(&orders, &entered).problem(422, "line_invalid");
    let quoted = json!({"at": "other",
        "lines": [{"sku": "lamp", "quantity": 1, "quoted": "999"}]});
    api.post(&orders, &quoted).problem(409, "price_changed");
    let many = json!({"at": "other", "lines": [{"sku": "lamp", "quantity": 2}]});
    let all = json!({"at": "other", "lines": [{"sku": "lamp", "quantity": 4}]});
    api.post(&orders, &all).problem(402, "open_tokens_short");
    api.post(&orders, &many).expect(201);
    let body = |tokens: &str, origin: &str| json!({"customer_id": id, "kind": "universal", "tokens": tokens, "origin": origin});
    for (tokens, code) in [
        ("0", "open_token_invalid"),
        ("1000001", "open_token_invalid"),
        ("-5", "field_invalid"),
        ("1e3", "field_invalid"),
        ("0.000000001", "amount_invalid"),
    ] {
        let refused = api.post("/v1/open-tokens", &body(tokens, "paid"));
        assert_eq!(refused.status, 422, "{tokens} {code}: {}", refused.text);
    }
    api.post("/v1/open-tokens", &body("5", "stolen"))
        .problem(422, "field_invalid");
    let group = json!({"customer_id": id, "kind": "group", "group": "none", "tokens": "5",
        "origin": "paid"});
    api.post("/v1/open-tokens", &group)
        .problem(404, "not_found");
    let nowhere = order("nowhere");
    api.post(&orders, &nowhere).problem(404, "not_found");
    // A guesser is stopped, with right codes too.
    let claims = format!("/v1/customers/{id}/gift-certificates");
    let mut last = 409;
    for guess in 0..40 {
        let code = format!("{:05}-{:05}", 11_111 + guess, 99_999 - guess);
        let refused = api.post(&claims, &json!({"code": code}));
        assert!(matches!(refused.status, 409 | 429), "{}", refused.text);
        last = refused.status;
    }
    assert_eq!(last, 429);
    let held = api.get(&format!("/v1/customers/{id}/open-tokens"));
    assert_eq!(
        held.expect(200)["tokens"][0]["available"]["amount"],
        "5",
        "25 less the two that were bought"
    );
}

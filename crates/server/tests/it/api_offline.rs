//! Packs, tiers and orders without a card over the API.

use crate::api_customers::customer;
use crate::client::{Api, Served};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    a_quote_tells_which_discount_counts,
    an_order_goes_from_open_to_cleared,
    what_ends_an_order_ends_it_once,
);

fn post(api: &Api, path: &str, body: &Value, status: u16) -> Value {
    api.post(path, body).expect(status).clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn balance(api: &Api, id: &str) -> String {
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    text(&balance.expect(200)["available"]["amount"])
}

/// TOK-02, TOK-03, TOK-04: a quote tells which discount counts; gold costs its own price.
fn a_quote_tells_which_discount_counts(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    post(
        api,
        "/v1/vendor/token-prices",
        &json!({"price": "0.10"}),
        201,
    );
    let gold = json!({"name": "Gold", "tokens": "10", "price": "0.95"});
    let gold = post(api, "/v1/token-packs", &gold, 201);
    let set = json!({"name": "Silver set", "tokens": "100", "off": 500});
    post(api, "/v1/token-packs", &set, 201);
    let tier = json!({"preferred": false, "from_tokens": "500", "off": 1200});
    let tiers = json!({"seen": [], "tiers": [tier]});
    api.put("/v1/token-tiers", &tiers).expect(200);
    for (query, price, list, kind) in [
        ("tokens=1", "0.1", "0.1", Value::Null),
        ("tokens=100", "9.5", "10", json!("pack")),
        ("tokens=500", "44", "50", json!("volume")),
    ] {
        let quote = api.get(&format!("/v1/token-price?{query}"));
        let quote = quote.expect(200);
        assert_eq!(quote["price"]["amount"], price, "{query}");
        assert_eq!(quote["list_price"]["amount"], list, "{query}");
        assert_eq!(quote["discounts"][0]["kind"], kind, "{query}");
    }
    let id = customer(api);
    let pack = text(&gold["pack_id"]);
    let buy = format!("/v1/customers/{id}/token-orders");
    let body = json!({"tokens": "30", "pack": pack, "card": "test_ok"});
    assert_eq!(post(api, &buy, &body, 201)["price"]["amount"], "2.85");
    assert_eq!(balance(api, &id), "30");
    // A change is refused to whoever saw an older version, an order of a withdrawn pack too.
    let change = json!({"version": 1, "pack": {"name": "Gold", "tokens": "10", "price": "0.9"}});
    let path = format!("/v1/token-packs/{pack}");
    assert_eq!(api.put(&path, &change).expect(200)["version"], 2);
    api.put(&path, &change).problem(409, "stale");
    post(api, &format!("{path}/withdraw"), &Value::Null, 200);
    api.post(&buy, &body).problem(404, "not_found");
    let history = api.get("/v1/vendor/token-price-history");
    assert_eq!(history.expect(200)["items"][0]["price"]["amount"], "0.1");
}

/// TOK-10, TOK-11: an order goes from open over awaiting to cleared, once.
fn an_order_goes_from_open_to_cleared(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let path = format!("/v1/customers/{id}/offline-orders");
    let body = json!({"tokens": "100", "means": "money_order", "channel": "mail"});
    let order = post(api, &path, &body, 201);
    assert_eq!(order["state"], "open");
    assert_eq!(order["channel"], "mail");
    let here = format!("/v1/offline-orders/{}", text(&order["token_order_id"]));
    assert_eq!(balance(api, &id), "0");
    let accepted = post(api, &format!("{here}/accept"), &Value::Null, 200);
    assert_eq!(accepted["state"], "awaiting");
    let payments = format!("{here}/payments");
    post(api, &payments, &json!({"amount": "0.5"}), 422);
    let whole = json!({"payment_reference": "17"});
    let paid = post(api, &payments, &whole, 200);
    assert_eq!(paid["state"], "cleared");
    assert_eq!(paid["payment_reference"], "17");
    assert_eq!(balance(api, &id), "100");
    api.post(&payments, &whole).problem(409, "token_order_over");
    assert_eq!(balance(api, &id), "100", "once");
    let reference = text(&order["reference"]);
    let found = api.get(&format!("/v1/offline-orders?reference={reference}"));
    assert_eq!(found.expect(200)["items"][0]["state"], "cleared");
    let open = api.get("/v1/offline-orders?state=open");
    assert_eq!(open.expect(200)["items"], json!([]));
    let ageing = api.get("/v1/offline-orders/ageing");
    assert_eq!(ageing.expect(200)["total"]["amount"], "0");
}

/// TOK-11: a failure needs a reason, and what is over stays as it is.
fn what_ends_an_order_ends_it_once(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let path = format!("/v1/customers/{id}/offline-orders");
    post(api, &path, &json!({"tokens": "100", "means": "card"}), 422);
    let body = json!({"tokens": "100", "means": "check"});
    let order = post(api, &path, &body, 201);
    let here = format!("/v1/offline-orders/{}", text(&order["token_order_id"]));
    post(api, &format!("{here}/fail"), &json!({}), 422);
    let reason = json!({"reason": "Lost in the post."});
    let failed = post(api, &format!("{here}/fail"), &reason, 200);
    assert_eq!(failed["reason"], "Lost in the post.");
    for end in ["accept", "cancel"] {
        let again = api.post(&format!("{here}/{end}"), &Value::Null);
        again.problem(409, "token_order_over");
    }
    assert_eq!(balance(api, &id), "0");
    let list = api.get(&path);
    assert_eq!(list.expect(200)["items"][0]["state"], "failed");
}

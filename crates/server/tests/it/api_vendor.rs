//! The API for the vendor's settings, staff and keys, and what every operation asks of its caller.

use crate::access::signs_in;
use crate::client::Served;
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    the_storefront_is_set_as_a_whole,
    prices_hold_from_a_time_on,
    staff_are_added_and_sign_in,
    a_key_is_shown_once_and_gives_what_it_has,
    every_operation_asks_for_a_key_and_its_scope,
    every_write_asks_for_an_idempotency_key,
);

fn the_storefront_is_set_as_a_whole(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let at = "/v1/vendor/storefront";
    let vendor = api.get("/v1/vendor");
    let vendor = vendor.expect(200);
    assert_eq!(
        (&vendor["slug"], &vendor["name"]),
        (&json!("retail"), &json!("Retail"))
    );
    assert_eq!(
        vendor["token"],
        json!({"code": "RETAIL.TOKEN", "decimals": 6})
    );
    assert_eq!(
        vendor["token_price"],
        json!({"amount": "0.01", "asset": "GBP"})
    );
    let before = api.get(at).expect(200).clone();
    let new = json!({"hue": "moss", "mark": "leaf", "sells": "software",
        "headline": " \u{202e}Tea ", "introduction": "One.\n\nTwo. "});
    let set = api.put(at, &new);
    let shown = json!({"hue": "moss", "mark": "leaf", "sells": "software",
        "headline": "\u{202e}Tea", "introduction": "One.\n\nTwo."});
    assert_eq!(set.expect(200), &shown);
    assert_eq!(api.get(at).expect(200), &shown);
    assert_eq!(
        served.other.get(at).expect(200),
        &before,
        "another vendor's is its own"
    );
    api.put(at, &json!({"hue": "ink", "mark": "star", "sells": "goods"}))
        .expect(200);
    assert_eq!(api.get(at).expect(200)["headline"], "");
    for (field, bad) in [
        ("hue", json!("red")),
        ("hue", json!("Moss")),
        ("hue", json!(null)),
        ("mark", json!(3)),
        ("headline", json!("x".repeat(121))),
        ("headline", json!("a\nb")),
        ("introduction", json!("x".repeat(4001))),
        ("introduction", json!("\u{0}")),
        ("colour", json!("red")),
    ] {
        let mut body = new.clone();
        body[field] = bad;
        let refused = api.put(at, &body);
        assert!(
            refused.problem(422, "field_invalid").contains(field),
            "{}",
            refused.text
        );
    }
    assert_eq!(api.get(at).expect(200)["hue"], "ink");
    api.put(at, &json!({"hue": "ink", "mark": "star"}))
        .problem(422, "field_invalid");
}

/// TOK-01: earlier prices are kept, later ones can be set ahead.
fn prices_hold_from_a_time_on(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let price = |at: &str| {
        let told = api.get(&format!("/v1/vendor/token-prices{at}"));
        told.expect(200)["price"]["amount"].clone()
    };
    let set = |body: &Value| api.post("/v1/vendor/token-prices", body);
    let ahead = set(&json!({"price": "0.5", "effective_at": "2999-01-01T00:00:00Z"}));
    assert_eq!(ahead.expect(201)["effective_at"], "2999-01-01T00:00:00Z");
    assert_eq!(price(""), "0.01");
    assert_eq!(price("?at=2999-01-01T00:00:00Z"), "0.5");
    assert_eq!(price("?at=2998-12-31T23:59:59.999999Z"), "0.01");
    let now = set(&json!({"price": "0.00000001"}));
    assert_eq!(
        now.expect(201)["price"],
        json!({"amount": "0.00000001", "asset": "GBP"})
    );
    assert_eq!(
        price(""),
        "0.00000001",
        "at once, although vendors are remembered for a second"
    );
    assert_eq!(price("?at=1970-01-01T00:00:00Z"), "0.01");
    for body in [
        json!({"price": "0"}),
        json!({"price": "-1"}),
        json!({"price": 1}),
        json!({"price": "1", "effective_at": "2020-01-01T00:00:00Z"}),
        json!({"price": "1", "effective_at": "tomorrow"}),
        json!({"price": "9999999999999"}),
        json!({}),
    ] {
        let refused = set(&body);
        assert_eq!(refused.status, 422, "{body}: {}", refused.text);
    }
    for at in ["1969-12-31T23:59:59Z", "x", "", "2020-01-01"] {
        let refused = api.get(&format!("/v1/vendor/token-prices?at={at}"));
        assert_eq!(refused.status, 422, "{at}: {}", refused.text);
    }
    assert_eq!(price(""), "0.00000001");
}

fn staff_are_added_and_sign_in(db: &TestDb) {
    let mut served = Served::start(db);
    let api = served.api.clone();
    let ada = json!({"name": " Ada ", "role": "owner", "password": "pass phrase 猫"});
    let first = api.post_under("a", "/v1/staff", &ada);
    let again = api.post_under("a", "/v1/staff", &ada);
    assert_eq!(first.expect(201), again.expect(201));
    assert!(again.replayed());
    assert_eq!(
        (&first.json["name"], &first.json["role"]),
        (&json!("Ada"), &json!("owner"))
    );
    api.post("/v1/staff", &ada).problem(409, "name_taken");
    let bob = api.post("/v1/staff", &json!({"name": "Bob", "role": "cashier"}));
    let bob = bob.expect(201)["staff_id"].as_str().unwrap().to_owned();
    for body in [
        json!({"name": "Cy", "role": "king"}),
        json!({"name": "Cy", "role": "x".repeat(10_000)}),
        json!({"name": "Cy", "role": "owner", "x".repeat(10_000): 1}),
        json!({"name": "Cy"}),
        json!({"name": "", "role": "owner"}),
        json!({"name": "x".repeat(10_000), "role": "owner"}),
        json!({"name": "Cy", "role": "owner", "password": "short"}),
        json!({"name": "Cy", "role": "owner", "pin": "4719"}),
    ] {
        let refused = api.post("/v1/staff", &body);
        assert_eq!(refused.status, 422, "{body:.60}");
        assert!(refused.text.len() < 1_000, "{}", refused.text);
    }
    let set = |path: &str| format!("/v1/staff/{path}/password");
    let new = json!({"password": "another phrase"});
    served.other.put(&set(&bob), &new).problem(404, "not_found");
    api.put(&set("stf_01h455vb4pex5vsknk084sn02q"), &new)
        .problem(404, "not_found");
    api.put(&set(&bob), &json!({"password": "short"}))
        .problem(422, "field_invalid");
    api.put(&set(&bob), &new).expect(200);
    let all = api.get("/v1/staff").expect(200).clone();
    let names: Vec<_> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["name"])
        .collect();
    assert_eq!(
        (json!(names), &all["next"]),
        (json!(["Ada", "Bob"]), &Value::Null)
    );
    assert_eq!(
        served.other.get("/v1/staff").expect(200)["items"],
        json!([])
    );
    let log = served.log();
    assert!(!log.contains("phrase"), "{log}");
    served.stop();
    assert!(signs_in(&served.program, "Ada", "pass phrase 猫"));
    assert!(signs_in(&served.program, "Bob", "another phrase"));
}

fn a_key_is_shown_once_and_gives_what_it_has(db: &TestDb) {
    let mut served = Served::start(db);
    let api = served.api.clone();
    let body = json!({"name": "till", "scopes": ["orders:write", "keys:write", "orders:write"]});
    let first = api.post_under("a", "/v1/api-keys", &body);
    let whole = first.expect(201)["key"].as_str().unwrap().to_owned();
    let id = first.json["key_id"].as_str().unwrap().to_owned();
    assert_eq!(first.json["scopes"], json!(["orders:write", "keys:write"]));
    let again = api.post_under("a", "/v1/api-keys", &body);
    assert!(again.replayed());
    assert_eq!(again.expect(201)["key_id"], json!(id));
    assert_eq!(again.json["key"], Value::Null);
    assert!(again.json["note"].as_str().unwrap().contains("revoke it"));

    let till = served.with_key(&whole);
    let missing = till.post(
        "/v1/api-keys",
        &json!({"name": "x", "scopes": ["vendor:write"]}),
    );
    missing.problem(403, "scope_missing");
    till.get("/v1/vendor").problem(403, "scope_missing");
    let list = till.get("/v1/api-keys?limit=1");
    let next = list.expect(200)["next"].as_str().unwrap();
    let rest = till.get(&format!("/v1/api-keys?cursor={next}"));
    assert_eq!(rest.expect(200)["items"][0]["key_id"], json!(id));
    assert!(!list.text.contains(&whole) && !rest.text.contains(&whole));
    let foreign = served.other.delete(&format!("/v1/api-keys/{id}"));
    let unknown = served
        .other
        .delete("/v1/api-keys/key_01h455vb4pex5vsknk084sn02q");
    foreign.problem(404, "not_found");
    assert_eq!(foreign.text, unknown.text);

    let revoked = api.delete(&format!("/v1/api-keys/{id}"));
    assert!(revoked.expect(200)["revoked_at"].is_string());
    till.get("/v1/api-keys").problem(401, "key_invalid");
    let again = api.delete(&format!("/v1/api-keys/{id}"));
    assert_eq!(again.expect(200), revoked.expect(200));
    for body in [
        json!({"name": "x", "scopes": []}),
        json!({"name": "x", "scopes": ["orders:delete"]}),
        json!({"name": "x", "scopes": "orders:read"}),
        json!({"name": "", "scopes": ["orders:read"]}),
        json!({"name": "x\u{7}", "scopes": ["orders:read"]}),
        json!({"name": "x", "scopes": ["orders:read"], "expires_at": "2001-01-01T00:00:00Z"}),
        json!({"scopes": ["orders:read"]}),
    ] {
        assert_eq!(api.post("/v1/api-keys", &body).status, 422, "{body}");
    }
    served.stop();
    let secret = &whole[whole.len() - 43..];
    assert!(!served.log().contains(secret));
    if let Some(path) = served.program.database().strip_prefix("sqlite:") {
        let file = std::fs::read(path).unwrap();
        assert!(!file.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }
}

/// The operations of the document: method, address, scope.
fn operations(served: &Served<'_>) -> Vec<(String, String, String)> {
    let document = served.api.get("/v1/openapi.json").expect(200).clone();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scope = operation["security"][0]["key"][0]
                .as_str()
                .unwrap_or_default();
            let unknown = "x_01h455vb4pex5vsknk084sn02q";
            let address = path
                .split('/')
                .map(|part| if part.starts_with('{') { unknown } else { part })
                .collect::<Vec<_>>()
                .join("/");
            all.push((method.to_uppercase(), address, scope.to_owned()));
        }
    }
    assert!(all.len() > 30, "{all:?}");
    all
}

/// Who has no key, or one without the scope of an operation, learns nothing, whatever is asked for.
fn every_operation_asks_for_a_key_and_its_scope(db: &TestDb) {
    let served = Served::start(db);
    let keys: Vec<(String, _)> = crate::client::ALL_SCOPES
        .split(',')
        .map(|held| (held.to_owned(), served.with_scopes(&[held])))
        .collect();
    for (method, address, scope) in operations(&served) {
        let call = format!("{method} {address}");
        assert!(!scope.is_empty(), "{call}: the document names no scope");
        for wrong in ["", "Bearer", "Bearer x", "Basic eDp4", "Bearer scrip_1_x_y"] {
            let refused = served
                .api
                .send(&method, &address, &[("authorization", wrong)], &[]);
            refused.problem(401, "key_invalid");
            assert!(refused.headers.contains_key("www-authenticate"), "{call}");
        }
        for (held, api) in &keys {
            let answer = api.send(&method, &address, &[], &[]);
            if *held == scope {
                assert!(
                    !matches!(answer.status, 401 | 403),
                    "{call} with {held}: {answer:?}"
                );
            } else {
                assert_eq!(answer.status, 403, "{call} with {held}");
            }
            assert!(answer.status < 500, "{call}: {answer:?}");
        }
    }
}

/// ARC-08.
fn every_write_asks_for_an_idempotency_key(db: &TestDb) {
    let served = Served::start(db);
    for (method, address, _) in operations(&served) {
        // A quote is a question in a body, and changes nothing.
        if method == "GET" || address == "/v1/quotes" {
            continue;
        }
        let json = [("content-type", "application/json")];
        let refused = served.api.send(&method, &address, &json, b"{}");
        refused.problem(400, "idempotency_key_missing");
    }
}

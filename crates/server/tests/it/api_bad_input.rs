//! Requests that no program of good will sends.

use crate::api_catalog::offer;
use crate::api_customers::{customer, sell};
use crate::api_orders::order_body;
use crate::client::{Answered, Api, Served, fresh_key};
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

both!(
    bodies_are_read_strictly,
    lines_are_checked_one_by_one,
    orders_are_checked_as_a_whole,
    keys_of_requests_are_checked,
    addresses_and_queries_are_checked,
);

fn send(api: &Api, address: &str, body: &[u8]) -> Answered {
    let key = fresh_key();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    api.send("POST", address, &headers, body)
}

/// Bodies with the status and the code of what is wrong with them.
fn bad_bodies(id: &str, good: &str) -> Vec<(Vec<u8>, u16, &'static str)> {
    let with = |more: &str| good.replacen('{', &format!("{{{more},"), 1).into_bytes();
    let deep = format!(
        "{{\"customer_id\":{}{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    vec![
        (b"".to_vec(), 400, "json_invalid"),
        (b" ".to_vec(), 400, "json_invalid"),
        (b"hello".to_vec(), 400, "json_invalid"),
        (b"\xff\xfe\x00".to_vec(), 400, "json_invalid"),
        (b"\xef\xbb\xbf{}".to_vec(), 400, "json_invalid"),
        (good[..good.len() - 1].into(), 400, "json_invalid"),
        (format!("{good}{good}").into_bytes(), 400, "json_invalid"),
        (format!("{good} x").into_bytes(), 400, "json_invalid"),
        (good.replace('"', "'").into_bytes(), 400, "json_invalid"),
        (with("/* no */"), 400, "json_invalid"),
        (with("\"reference\": \"\\ud800\""), 400, "json_invalid"),
        (with("\"reference\": \"a\nb\""), 400, "json_invalid"),
        (
            [with("\"reference\": \"").as_slice(), b"\xff\"}"].concat(),
            400,
            "json_invalid",
        ),
        (
            good.replace(":1,", ":NaN,").into_bytes(),
            400,
            "json_invalid",
        ),
        (deep.into_bytes(), 422, "field_invalid"),
        (b"null".to_vec(), 422, "field_invalid"),
        (b"[]".to_vec(), 422, "field_invalid"),
        (b"\"{}\"".to_vec(), 422, "field_invalid"),
        (b"{}".to_vec(), 422, "field_invalid"),
        (format!("[\"{id}\", []]").into_bytes(), 422, "field_invalid"),
        (
            with(&format!("\"customer_id\": \"{id}\"")),
            422,
            "field_invalid",
        ),
        (
            with("\"reference\": \"a\", \"reference\": \"b\""),
            422,
            "field_invalid",
        ),
        (with("\"comment\": \"x\""), 422, "field_invalid"),
        (with("\"Reference\": \"x\""), 422, "field_invalid"),
        (vec![b' '; 8 * 1024 * 1024 + 1], 413, "body_too_large"),
    ]
}

fn bodies_are_read_strictly(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "1", None);
    let id = customer(api);
    sell(api, &id, "10");
    let good = order_body(&id, &[("a", 1)]).to_string();
    for (body, status, code) in bad_bodies(&id, &good) {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = send(api, "/v1/orders", &body);
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (status, &json!(code)),
            "{shown}"
        );
    }
    let ordinary = vec![b' '; 256 * 1024 + 1];
    send(api, "/v1/customers", &ordinary).problem(413, "body_too_large");
    // 10,000 lines are more than an ordinary body holds.
    let many: Vec<(&str, i64)> = (0..10_000).map(|_| ("a", 1)).collect();
    let many = send(
        api,
        "/v1/orders",
        order_body(&id, &many).to_string().as_bytes(),
    );
    many.problem(402, "tokens_short");

    let good = good.as_bytes();
    for media in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ] {
        let headers = [("content-type", media), ("idempotency-key", "m")];
        api.send("POST", "/v1/orders", &headers, good)
            .problem(415, "media_type_unsupported");
    }
    let charset = [
        ("content-type", "application/json; charset=utf-8"),
        ("idempotency-key", "m"),
    ];
    api.send("POST", "/v1/orders", &charset, good).expect(201);
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    assert_eq!(
        balance.expect(200)["available"]["amount"],
        "9",
        "one order was good"
    );
}

fn line(body: &mut Value, field: &str, value: Value) {
    body["lines"][0][field] = value;
}

fn lines_are_checked_one_by_one(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let by_id = offer(api, "a", "1", None);
    let id = customer(api);
    sell(api, &id, "10");
    let good = order_body(&id, &[("a", 1)]);
    for (field, bad) in [
        ("quantity", json!(0)),
        ("quantity", json!(-1)),
        ("quantity", json!(1_000_000_001_i64)),
        ("quantity", json!(1.5)),
        ("quantity", json!("1")),
        ("quantity", json!(null)),
        ("quantity", json!(u64::MAX)),
        ("sku", json!("")),
        ("sku", json!("s".repeat(201))),
        ("sku", json!("nul\u{0}")),
        ("sku", json!(1)),
        ("offer_id", json!("off_x")),
        ("offer_id", json!(id)),
        ("offer_id", json!(by_id.to_uppercase())),
        ("quoted", json!(1)),
        ("quoted", json!("-1")),
        ("quoted", json!("1e3")),
        ("quoted", json!("١")),
        ("entered", json!("")),
        ("entered", json!("12345678901234")),
        ("entered", json!({"amount": "1", "asset": "RETAIL.TOKEN"})),
        ("colour", json!("red")),
    ] {
        let mut body = good.clone();
        line(&mut body, field, bad.clone());
        let answer = api.post("/v1/orders", &body);
        let told = answer.problem(422, "field_invalid");
        assert!(told.contains("lines[0]"), "{field} {bad}: {told}");
    }
}

fn orders_are_checked_as_a_whole(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let by_id = offer(api, "a", "1", None);
    let id = customer(api);
    sell(api, &id, "10");
    let good = order_body(&id, &[("a", 1)]);
    for (field, bad) in [
        ("customer_id", json!("")),
        ("customer_id", json!("cus_é")),
        ("customer_id", json!(by_id)),
        ("reference", json!("r".repeat(201))),
        ("reference", json!("two\nlines")),
        ("effective_at", json!("2026-11-21")),
        ("effective_at", json!("2026-11-21T14:02:00")),
        ("effective_at", json!("2026-02-30T00:00:00Z")),
        ("effective_at", json!(1_700_000_000)),
        ("lines", json!({})),
        ("lines", json!(null)),
        ("lines", json!([null])),
        ("lines", json!([[]])),
    ] {
        let mut body = good.clone();
        body[field] = bad.clone();
        let answer = api.post("/v1/orders", &body);
        let told = answer.problem(422, "field_invalid");
        assert!(told.contains(field), "{field} {bad}: {told}");
        assert!(told.len() < 500, "{told}");
    }
    let mut both = good.clone();
    line(&mut both, "offer_id", json!(by_id));
    api.post("/v1/orders", &both).problem(422, "line_invalid");
    let neither = json!({"customer_id": id, "lines": [{"quantity": 1}]});
    api.post("/v1/orders", &neither)
        .problem(422, "line_invalid");
    let mut future = good.clone();
    future["effective_at"] = json!("2999-01-01T00:00:00Z");
    api.post("/v1/orders", &future)
        .problem(422, "order_invalid");
    let mut empty = good.clone();
    empty["lines"] = json!([]);
    api.post("/v1/orders", &empty).problem(422, "field_invalid");
    let mut fine = good.clone();
    line(&mut fine, "quoted", json!("1.000000"));
    line(&mut fine, "entered", json!(null));
    fine["reference"] = json!("<b>\u{202e}7</b> & \"quotes\"");
    let placed = api.post("/v1/orders", &fine);
    let order = placed.expect(201)["order_id"].as_str().unwrap();
    let seen = api.get(&format!("/v1/orders/{order}"));
    assert_eq!(seen.expect(200)["reference"], fine["reference"]);
}

/// ARC-08: a key is the caller's own, and one request's.
fn keys_of_requests_are_checked(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let body = json!({"title": "Lamp"});
    let put = |api: &Api, headers: &[(&str, &str)]| {
        let json = ("content-type", "application/json");
        let headers = [headers, &[json]].concat();
        api.send(
            "PUT",
            "/v1/products/lamp",
            &headers,
            body.to_string().as_bytes(),
        )
    };
    put(api, &[]).problem(400, "idempotency_key_missing");
    let long = "k".repeat(256);
    for bad in ["", " ", "two words", "tab\there", "ключ", long.as_str()] {
        put(api, &[("idempotency-key", bad)]).problem(400, "idempotency_key_invalid");
    }
    let file = [
        ("content-type", "text/csv"),
        ("idempotency-key", "two words"),
    ];
    let import = "/v1/products:import?dry_run=true";
    api.send("POST", import, &file, b"Handle,Title,Variant Price\n")
        .problem(400, "idempotency_key_invalid");
    let longest = "k".repeat(255);
    put(api, &[("idempotency-key", &longest)]).expect(201);
    let again = put(api, &[("idempotency-key", &longest)]);
    assert_eq!(
        (again.status, again.replayed()),
        (201, true),
        "as it was answered first"
    );
    let other_key = served.with_scopes(&["catalog:write"]);
    let apart = put(&other_key, &[("idempotency-key", &longest)]);
    assert_eq!(
        (apart.status, apart.replayed()),
        (200, false),
        "keys of others are apart"
    );
    put(&served.other, &[("idempotency-key", &longest)]).expect(201);
    // What was refused by its form is not kept: the key is still free.
    let wrong = json!({"title": ""});
    api.write("PUT", "again", "/v1/products/pen", &wrong)
        .problem(422, "field_invalid");
    api.write("PUT", "again", "/v1/products/pen", &body)
        .expect(201);
}

fn addresses_and_queries_are_checked(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    for (method, address, status, code) in [
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/orders/", 404, "not_found"),
        ("GET", "/v1/orders/ord_x", 404, "not_found"),
        ("GET", "/v1/orders/%FF", 404, "not_found"),
        ("GET", "/v1/orders/..%2Fcustomers", 404, "not_found"),
        ("PATCH", "/v1/orders", 405, "method_not_allowed"),
        ("DELETE", "/v1/orders", 405, "method_not_allowed"),
        ("POST", "/v1/ledger/entries", 405, "method_not_allowed"),
        ("GET", "/v1/quotes", 405, "method_not_allowed"),
        ("GET", "/v1/categories?x=1", 422, "query_invalid"),
        ("POST", "/v1/orders?dry_run=true", 422, "query_invalid"),
        ("PUT", "/v1/products/a?force", 422, "query_invalid"),
        ("GET", "/v1/orders?limit=1;drop", 422, "query_invalid"),
        (
            "GET",
            "/v1/orders?limit=99999999999999999999",
            422,
            "query_invalid",
        ),
        ("GET", "/v1/orders?limit=", 422, "query_invalid"),
        ("GET", "/v1/orders?=1", 422, "query_invalid"),
    ] {
        let answer = api.send(method, address, &[("idempotency-key", "k")], &[]);
        let told = (answer.status, &answer.json["code"]);
        assert_eq!(
            told,
            (status, &json!(code)),
            "{method} {address}: {}",
            answer.text
        );
        assert_eq!(
            answer.headers.contains_key("allow"),
            status == 405,
            "{method} {address}"
        );
    }
    api.get("/v1/categories?").expect(200);
    let head = api.send("HEAD", &format!("/v1/customers/{id}"), &[], &[]);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

/// Sends bytes, then says no more.
fn raw(served: &Served<'_>, bytes: &[u8], half_close: bool) -> String {
    let address = served.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    if half_close {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// A body that stops half-way is given up in time, and the next one is served meanwhile.
#[test]
fn bodies_arrive_whole_and_in_time() {
    let db = TestDb::sqlite();
    let served = Served::start(&db);
    let head = |length: &str| {
        format!(
            "POST /v1/orders HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             idempotency-key: {}\r\ncontent-type: application/json\r\n{length}\r\n\r\n{{\"cus",
            served.api.key(),
            fresh_key(),
        )
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| raw(&served, head("content-length: 100").as_bytes(), false));
        customer(&served.api);
        assert!(begun.elapsed() < Duration::from_secs(10));
        let answer = slow.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("body_too_slow"), "{answer}");
    });
    let took = begun.elapsed();
    assert!((14..25).contains(&took.as_secs()), "{took:?}");
    // A peer that has hung up cannot be told; one that only stopped sending can.
    let cut = raw(&served, head("content-length: 100").as_bytes(), true);
    assert!(cut.is_empty() || cut.starts_with("HTTP/1.1 400"), "{cut}");
    let chunked = head("transfer-encoding: chunked").replace("{\"cus", "zz\r\n{\"cus");
    let cut = raw(&served, chunked.as_bytes(), false);
    assert!(cut.starts_with("HTTP/1.1 400"), "{cut}");
    assert!(cut.contains("body_truncated"), "{cut}");
    assert_eq!(served.api.get("/v1/orders").expect(200)["items"], json!([]));
}

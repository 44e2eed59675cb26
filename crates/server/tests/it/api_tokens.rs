//! The API that sells tokens for money.

use crate::api_customers::customer;
use crate::client::{Answered, Api, Served};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    a_sale_is_charged_and_credited_once,
    declines_end_a_session,
    a_silent_processor_leaves_an_order_awaiting,
    the_price_is_told_and_held_to,
    an_earlier_time_has_its_price,
    eight_requests_at_once_are_one_sale,
    what_cannot_be_bought_is_refused,
);

fn buy_under(api: &Api, key: &str, id: &str, body: &Value) -> Answered {
    api.post_under(key, &format!("/v1/customers/{id}/token-orders"), body)
}

fn buy(api: &Api, id: &str, body: &Value) -> Answered {
    buy_under(api, &crate::client::fresh_key(), id, body)
}

fn available(api: &Api, id: &str) -> Value {
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    balance.expect(200)["available"]["amount"].clone()
}

fn orders(api: &Api, id: &str) -> Vec<Value> {
    let list = api.get(&format!("/v1/customers/{id}/token-orders"));
    list.expect(200)["items"].as_array().unwrap().clone()
}

/// TOK-08, ARC-08: approved tokens are in the account, once, whenever the request is repeated.
fn a_sale_is_charged_and_credited_once(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let body = json!({"tokens": "120.5", "card": "test_ok", "reference": " web 17 "});
    let first = buy_under(api, "a", &id, &body);
    let order = first.expect(201);
    assert_eq!(
        (&order["state"], &order["activated"]),
        (&json!("cleared"), &json!(false))
    );
    assert_eq!(
        order["tokens"],
        json!({"amount": "120.5", "asset": "RETAIL.TOKEN"})
    );
    assert_eq!(
        order["price"],
        json!({"amount": "1.21", "asset": "GBP"}),
        "whole cents, up"
    );
    assert_eq!(
        (&order["reference"], &order["customer_id"]),
        (&json!("web 17"), &json!(id))
    );
    for _ in 0..2 {
        let again = buy_under(api, "a", &id, &body);
        assert!(again.replayed());
        assert_eq!(again.expect(201), order);
    }
    let mut other = body.clone();
    other["tokens"] = json!("120.6");
    buy_under(api, "a", &id, &other).problem(422, "idempotency_key_reused");
    assert_eq!(available(api, &id), "120.5");
    assert_eq!(orders(api, &id), std::slice::from_ref(order));
    let at = format!(
        "/v1/token-orders/{}",
        order["token_order_id"].as_str().unwrap()
    );
    assert_eq!(api.get(&at).expect(200), order);
    served.other.get(&at).problem(404, "not_found");
    assert!(
        !served.api.get(&at).text.contains("test_ok"),
        "the card is shown to nobody"
    );
}

/// REG-09, TOK-09: three declined cards end a session, a fourth attempt needs another one.
fn declines_end_a_session(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, other) = (customer(api), customer(api));
    let session = api.post(&format!("/v1/customers/{id}/payment-sessions"), &json!({}));
    let session = session.expect(201)["session"].clone();
    let body = |card: &str| json!({"tokens": "10", "card": card, "session": session});
    for left in [2, 1, 0] {
        let key = format!("d{left}");
        for again in [false, true] {
            let declined = buy_under(api, &key, &id, &body("test_declined"));
            let text = declined.problem(402, "card_declined");
            assert_eq!(text.contains("begin a new one"), left == 0, "{text}");
            assert_eq!(
                (&declined.json["attempts_left"], declined.replayed()),
                (&json!(left), again)
            );
            assert_eq!(declined.json["session"], session);
            let order = declined.json["token_order_id"].as_str().unwrap();
            let order = api.get(&format!("/v1/token-orders/{order}"));
            assert_eq!(order.expect(200)["state"], "declined");
            assert!(order.json["reason"].as_str().unwrap().contains("declined"));
        }
    }
    buy(api, &id, &body("test_ok")).problem(409, "payment_session_over");
    buy(api, &other, &body("test_ok")).problem(404, "not_found");
    assert_eq!(available(api, &id), "0");
    let fresh = json!({"tokens": "10", "card": "test_ok"});
    buy(api, &id, &fresh).expect(201);
    assert_eq!(available(api, &id), "10");
    let session = format!("/v1/customers/{id}/payment-sessions");
    served
        .other
        .post(&session, &json!({}))
        .problem(404, "not_found");
}

/// An order that the processor does not answer credits nothing, and is neither guessed nor charged
/// again.
fn a_silent_processor_leaves_an_order_awaiting(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let body = json!({"tokens": "10", "card": "test_timeout"});
    let first = buy_under(api, "a", &id, &body);
    let order = first.expect(202);
    assert_eq!(
        (&order["state"], &order["closed_at"]),
        (&json!("awaiting"), &Value::Null)
    );
    let again = buy_under(api, "a", &id, &body);
    assert!(again.replayed());
    assert_eq!(again.expect(202), order);
    // Too young to be asked about; and another attempt of the session waits for it.
    for again in [false, true] {
        let resolved = api.post_under("r", "/v1/token-orders:resolve", &json!({}));
        assert_eq!(resolved.expect(200), &json!({"resolved": 0}));
        assert_eq!(resolved.replayed(), again);
    }
    let next = json!({"tokens": "10", "card": "test_ok", "session": order["session"]});
    let refused = buy(api, &id, &next);
    refused.problem(409, "payment_under_way");
    assert_eq!(refused.headers["retry-after"], "5");
    assert_eq!(available(api, &id), "0");

    // A minute later it is asked about, and has arrived.
    db.run_sql("UPDATE token_order SET created_at = created_at - 61000000");
    let resolved = api.post("/v1/token-orders:resolve", &json!({}));
    assert_eq!(resolved.expect(200), &json!({"resolved": 1}));
    assert_eq!(available(api, &id), "10");
    let cleared = buy_under(api, "a", &id, &body);
    assert!(cleared.replayed());
    assert_eq!(cleared.expect(201)["state"], "cleared");
}

/// TOK-01: the vendor changes the price at any time; who was told another one is not charged.
fn the_price_is_told_and_held_to(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let quote = |tokens: &str| api.get(&format!("/v1/token-price?tokens={tokens}"));
    let told = quote("500");
    let told = told.expect(200);
    assert_eq!(
        told["tokens"],
        json!({"amount": "500", "asset": "RETAIL.TOKEN"})
    );
    assert_eq!(told["price"], json!({"amount": "5", "asset": "GBP"}));
    let body = json!({"tokens": "500", "card": "test_ok", "quoted": "5.00"});
    api.post("/v1/vendor/token-prices", &json!({"price": "0.0123"}))
        .expect(201);
    let changed = buy_under(api, "a", &id, &body);
    assert!(
        changed
            .problem(409, "price_changed")
            .contains("look at the new one")
    );
    assert_eq!(orders(api, &id), [Value::Null; 0], "nothing was opened");
    assert_eq!(quote("500").expect(200)["price"]["amount"], "6.15");
    let body = json!({"tokens": "500", "card": "test_ok", "quoted": "6.15"});
    // What was refused without being kept leaves its key free.
    buy_under(api, "a", &id, &body).expect(201);
    assert_eq!(quote("0.000001").expect(200)["price"]["amount"], "0.01");
    for odd in [
        "0",
        "-1",
        "+1",
        "1e3",
        ".5",
        "",
        "x",
        "1000000000.000001",
        "99999999999999",
        "1&tokens=2",
        "%D9%A1",
    ] {
        let refused = quote(odd);
        assert_eq!(refused.status, 422, "{odd}: {}", refused.text);
    }
    assert_eq!(api.get("/v1/token-price").status, 422);
}

fn an_earlier_time_has_its_price(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    api.post("/v1/vendor/token-prices", &json!({"price": "3"}))
        .expect(201);
    let at = |time: &str| {
        let body = json!({"tokens": "10", "card": "test_ok", "effective_at": time});
        buy(api, &id, &body)
    };
    let early = at("2020-02-29T12:00:00+05:30");
    assert_eq!(early.expect(201)["price"]["amount"], "0.1");
    assert_eq!(early.json["effective_at"], "2020-02-29T06:30:00Z");
    let history = api.get(&format!("/v1/customers/{id}/history"));
    assert_eq!(
        history.expect(200)["items"][0]["at"],
        "2020-02-29T06:30:00Z"
    );
    at("2999-01-01T00:00:00Z").problem(422, "token_order_invalid");
    at("1969-12-31T23:59:59Z").problem(422, "token_order_invalid");
    for odd in [
        "2020-02-30T00:00:00Z",
        "2020-02-29",
        "2020-02-29T12:00:00",
        "now",
        "",
    ] {
        at(odd).problem(422, "field_invalid");
    }
}

/// ARC-08.
fn eight_requests_at_once_are_one_sale(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let body = json!({"tokens": "7", "card": "test_ok"});
    let answers: Vec<Answered> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| buy_under(api, "a", &id, &body)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let order = &answers[0].json["token_order_id"];
    for answer in &answers {
        assert!(matches!(answer.status, 201 | 202), "{answer:?}");
        assert_eq!(&answer.json["token_order_id"], order);
    }
    assert_eq!(answers.iter().filter(|a| !a.replayed()).count(), 1);
    assert_eq!(available(api, &id), "7");
    assert_eq!(orders(api, &id).len(), 1);
}

fn what_cannot_be_bought_is_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = customer(api);
    let long = "x".repeat(10_000);
    for body in [
        json!({"tokens": "0", "card": "test_ok"}),
        json!({"tokens": "-5", "card": "test_ok"}),
        json!({"tokens": 5, "card": "test_ok"}),
        json!({"tokens": "5", "card": ""}),
        json!({"tokens": "5", "card": " "}),
        json!({"tokens": "5", "card": long}),
        json!({"tokens": "5", "card": "test\u{0}ok"}),
        json!({"tokens": "5"}),
        json!({"tokens": "0.0000001", "card": "test_ok"}),
        json!({"tokens": "1000000001", "card": "test_ok"}),
        json!({"tokens": "9999999999999", "card": "test_ok"}),
        json!({"tokens": "5", "card": "test_ok", "reference": long}),
        json!({"tokens": "5", "card": "test_ok", "session": "pay_1"}),
        json!({"tokens": "5", "card": "test_ok", "session": id}),
        json!({"tokens": "5", "card": "test_ok", "quoted": "five"}),
        json!({"tokens": "5", "card": "test_ok", "cvc": "123"}),
        json!(["5", "test_ok"]),
    ] {
        let refused = buy(api, &id, &body);
        assert_eq!(refused.status, 422, "{body:.80}: {}", refused.text);
        assert!(refused.text.len() < 1_000);
    }
    assert_eq!(orders(api, &id), [Value::Null; 0]);
    let nobody = "cus_01h455vb4pex5vsknk084sn02q";
    let body = json!({"tokens": "5", "card": "test_ok"});
    let unknown = buy(api, nobody, &body);
    let foreign = buy(&served.other, &id, &body);
    unknown.problem(404, "not_found");
    assert_eq!(unknown.text, foreign.text);
    // Pages.
    for _ in 0..3 {
        buy(api, &id, &body).expect(201);
    }
    let list = format!("/v1/customers/{id}/token-orders");
    let page = api.get(&format!("{list}?limit=2"));
    let next = page.expect(200)["next"].as_str().unwrap();
    let rest = api.get(&format!("{list}?limit=2&cursor={next}"));
    assert_eq!(rest.expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest.json["next"], Value::Null);
    api.get(&format!("{list}?cursor={id}"))
        .problem(422, "cursor_invalid");
    assert!(!served.log().contains("ERROR"), "{}", served.log());
}

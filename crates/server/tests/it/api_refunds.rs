//! The API for refunds, requests for them and goods that come back.

use crate::api_catalog::{offer, tiered};
use crate::api_customers::{customer, sell};
use crate::api_orders::order;
use crate::client::{Api, Served};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    tokens_come_back_once,
    customers_ask_and_staff_answer,
    bad_requests_for_refunds_are_refused,
    goods_come_back_without_an_order_number,
    bad_refunds_are_refused,
);

fn tokens(amount: &str) -> Value {
    json!({"amount": amount, "asset": "RETAIL.TOKEN"})
}

fn available(api: &Api, id: &str) -> Value {
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    balance.expect(200)["available"]["amount"].clone()
}

/// A vendor with pens and a tiered service, and a customer who bought of both; customer and order.
fn bought(api: &Api) -> (String, String) {
    offer(api, "pen", "2.5", Some(10));
    tiered(api, "scan", &[(100, "10"), (1000, "80")]);
    let id = customer(api);
    sell(api, &id, "100");
    let order = order(api, &id, &[("pen", 4), ("scan", 50)]);
    (id, order)
}

fn tokens_come_back_once(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, order) = bought(api);
    assert_eq!(available(api, &id), "80");
    let at = format!("/v1/orders/{order}/refunds");
    let pens = json!({"lines": [{"line_no": 1, "quantity": 3}], "restock": true,
        "reference": "CN-1"});
    let first = api.post_under("r1", &at, &pens);
    let made = json!({"order_id": order, "refund_no": 1, "amount": tokens("7.5")});
    assert_eq!(first.expect(201), &made);
    let again = api.post_under("r1", &at, &pens);
    assert_eq!((again.expect(201), again.replayed()), (&made, true));
    assert_eq!(available(api, &id), "87.5");
    assert_eq!(api.get("/v1/offers/pen").expect(200)["on_hand"], 9);
    api.post(&at, &pens).problem(409, "refund_too_large");
    let part = json!({"lines": [{"line_no": 2, "quantity": 10}]});
    let whole = api.post(&at, &part);
    assert!(whole.problem(422, "order_invalid").contains("tier"));
    let rest = api.post(&at, &json!({}));
    assert_eq!(rest.expect(201)["amount"], tokens("12.5"));
    assert_eq!(available(api, &id), "100");
    assert_eq!(
        api.get("/v1/offers/pen").expect(200)["on_hand"],
        9,
        "not put back"
    );
    api.post(&at, &json!({})).problem(409, "nothing_to_refund");
    let seen = api.get(&format!("/v1/orders/{order}"));
    let seen = seen.expect(200);
    assert_eq!(
        (&seen["total"], &seen["refunded"]),
        (&tokens("20"), &tokens("20"))
    );
    assert_eq!(seen["lines"][0]["refunded_quantity"], 4);
    assert_eq!(seen["lines"][1]["refunded"], tokens("10"));
}

fn customers_ask_and_staff_answer(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, first) = bought(api);
    let others: Vec<String> = (0..4).map(|_| order(api, &id, &[("pen", 1)])).collect();
    let ask = |order: &str, reason: &str| {
        let at = format!("/v1/orders/{order}/refund-requests");
        api.post(&at, &json!({"reason": reason}))
    };
    let reason = "<script>alert(1)</script>\n\u{202e}It broke.";
    let asked = ask(&first, "At first.");
    asked.expect(201);
    let asked = ask(&first, reason);
    let request = asked.expect(201).clone();
    assert_eq!(
        (&request["reason"], &request["state"]),
        (&json!(reason), &json!("open"))
    );
    assert_eq!(
        (&request["order_id"], &request["customer_id"]),
        (&json!(first), &json!(id))
    );
    for order in &others {
        ask(order, "No.").expect(201);
    }
    let all = || {
        let items = api.all("/v1/refund-requests?", 2);
        let order = |request: &Value| request["order_id"].as_str().unwrap().to_owned();
        items.iter().map(order).collect::<Vec<_>>()
    };
    let mut expected = vec![first.clone()];
    expected.extend(others.clone());
    assert_eq!(all(), expected, "oldest first, each once");
    assert_eq!(
        served.other.get("/v1/refund-requests").expect(200)["items"],
        json!([])
    );

    let decline = |order: &str| {
        let at = format!("/v1/orders/{order}/refund-requests/decline");
        api.post(&at, &json!({"answer": "It was used."}))
    };
    decline(&others[0]).expect(204);
    decline(&others[0]).problem(404, "not_found");
    let again = ask(&others[0], "But.");
    assert!(
        again
            .problem(409, "refund_declined")
            .contains("It was used.")
    );
    let seen = api.get(&format!("/v1/orders/{}", others[0]));
    let request = &seen.expect(200)["refund_request"];
    assert_eq!(
        (&request["state"], &request["answer"]),
        (&json!("declined"), &json!("It was used."))
    );
    assert!(request["closed_by"].as_str().unwrap().starts_with("key_"));
    // A refund closes the request; with nothing left there is nothing to ask for.
    api.post(&format!("/v1/orders/{first}/refunds"), &json!({}))
        .expect(201);
    let seen = api.get(&format!("/v1/orders/{first}"));
    assert_eq!(seen.expect(200)["refund_request"]["state"], "refunded");
    ask(&first, "More.").problem(409, "nothing_to_refund");
    assert_eq!(all(), others[1..]);
}

fn bad_requests_for_refunds_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (_, order) = bought(api);
    let at = format!("/v1/orders/{order}/refund-requests");
    for bad in [
        json!({}),
        json!({"reason": ""}),
        json!({"reason": "r".repeat(1001)}),
        json!({"reason": "nul\u{0}"}),
        json!({"reason": null}),
        json!({"reason": "x", "y": 1}),
    ] {
        api.post(&at, &bad).problem(422, "field_invalid");
    }
    let blank = json!({"reason": " \n "});
    api.post(&at, &blank).problem(422, "order_invalid");
    assert_eq!(
        api.get("/v1/refund-requests").expect(200)["items"],
        json!([])
    );
}

/// Goods without an order number are refunded from the last purchases of the same price.
fn goods_come_back_without_an_order_number(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, _) = bought(api);
    order(api, &id, &[("pen", 2)]);
    let goods = |reference: &str, customer: Value, price: &str, quantity: i64| {
        json!({"customer_id": customer, "reference": reference,
            "goods": [{"sku": "pen", "unit_price": price, "quantity": quantity},
                      {"sku": "unheard of", "unit_price": "1", "quantity": 1}]})
    };
    let body = goods("CN-1", json!(id), "2.50", 3);
    let back = api.post_under("g1", "/v1/goods-returns", &body);
    let line = |sku: &str, quantity: i64, amount: &str| json!({"sku": sku, "quantity": quantity, "amount": tokens(amount)});
    let expected = json!({"goods": [line("pen", 3, "7.5"), line("unheard of", 0, "0")],
        "amount": tokens("7.5")});
    assert_eq!(back.expect(201), &expected);
    let again = api.post_under("g1", "/v1/goods-returns", &body);
    assert_eq!((again.expect(201), again.replayed()), (&expected, true));
    assert_eq!(available(api, &id), "82.5");
    assert_eq!(
        api.get("/v1/offers/pen").expect(200)["on_hand"],
        4,
        "stock stays"
    );
    api.post("/v1/goods-returns", &body)
        .problem(409, "reference_taken");
    let none = api.post("/v1/goods-returns", &goods("CN-2", json!(id), "2", 3));
    assert_eq!(
        none.expect(201)["amount"],
        tokens("0"),
        "nothing was sold for that price"
    );
    let none = api.post("/v1/goods-returns", &goods("CN-3", Value::Null, "2.5", 3));
    assert_eq!(none.expect(201)["amount"], tokens("0"), "nobody is known");
    let all = api.post("/v1/goods-returns", &goods("CN-4", json!(id), "2.5", 9));
    assert_eq!(
        all.expect(201)["goods"][0]["quantity"],
        3,
        "what is left of six"
    );

    let mut later = goods("CN-5", json!(id), "2.5", 1);
    later["effective_at"] = json!("2999-01-01T00:00:00Z");
    for customer in [json!(id), Value::Null] {
        later["customer_id"] = customer;
        api.post("/v1/goods-returns", &later)
            .problem(422, "order_invalid");
    }
    let foreign = goods("CN-6", json!(customer(&served.other)), "2.5", 1);
    api.post("/v1/goods-returns", &foreign)
        .problem(404, "not_found");
    let mut bad = goods("CN-7", json!(id), "2.5", 1);
    for (field, value) in [
        ("quantity", json!(0)),
        ("quantity", json!(-1)),
        ("unit_price", json!("-2.5")),
        ("unit_price", json!(2.5)),
        ("sku", json!("")),
    ] {
        bad["goods"][1] = bad["goods"][0].clone();
        bad["goods"][1][field] = value;
        let told = api.post("/v1/goods-returns", &bad);
        assert!(
            told.problem(422, "field_invalid")
                .contains(&format!("goods[1].{field}"))
        );
    }
    for goods in [json!([]), json!(null), json!({})] {
        bad["goods"] = goods;
        api.post("/v1/goods-returns", &bad)
            .problem(422, "field_invalid");
    }
}

fn bad_refunds_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, order) = bought(api);
    let at = format!("/v1/orders/{order}/refunds");
    let line = |line_no: i64, quantity: i64| json!({"lines": [{"line_no": line_no, "quantity": quantity}]});
    for (body, status, code) in [
        (line(3, 1), 409, "refund_too_large"),
        (line(1, 5), 409, "refund_too_large"),
        (line(0, 1), 422, "field_invalid"),
        (line(1, 0), 422, "field_invalid"),
        (line(1, -1), 422, "field_invalid"),
        (line(10_001, 1), 422, "field_invalid"),
        (json!({"lines": []}), 422, "field_invalid"),
        (json!({"lines": [{"line_no": 1}]}), 422, "field_invalid"),
        (json!({"lines": [[1, 1]]}), 422, "field_invalid"),
        (json!({"restock": "yes"}), 422, "field_invalid"),
        (json!({"reference": "r".repeat(201)}), 422, "field_invalid"),
        (
            json!({"effective_at": "2999-01-01T00:00:00Z"}),
            422,
            "order_invalid",
        ),
        (json!({"effective_at": "soon"}), 422, "field_invalid"),
        (json!({"amount": "1"}), 422, "field_invalid"),
    ] {
        api.post(&at, &body).problem(status, code);
    }
    let two = json!({"lines": [{"line_no": 1, "quantity": 3}, {"line_no": 1, "quantity": 2}]});
    api.post(&at, &two).problem(409, "refund_too_large");
    assert_eq!(available(api, &id), "80", "nothing moved");
    let free = api.post(
        "/v1/orders",
        &json!({"customer_id": id,
        "lines": [{"sku": "pen", "quantity": 1, "entered": "0"}]}),
    );
    let free = free.expect(201)["order_id"].as_str().unwrap().to_owned();
    let nothing = api.post(
        &format!("/v1/orders/{free}/refund-requests"),
        &json!({"reason": "x"}),
    );
    nothing.problem(409, "nothing_to_refund");
    for unknown in ["ord_01kb3v8z9mfxmr4x1qk2s7b0de", "ord_x", id.as_str()] {
        api.post(&format!("/v1/orders/{unknown}/refunds"), &json!({}))
            .problem(404, "not_found");
    }
}

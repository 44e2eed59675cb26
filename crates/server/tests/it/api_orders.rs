//! The API for quotes, order lists and orders: priced, placed once, looked at afterwards.

use crate::api_catalog::{offer, tiered};
use crate::api_customers::{customer, sell};
use crate::client::{Answered, Api, Served, fresh_key};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    a_quote_tells_what_to_change,
    an_order_list_is_kept_and_priced,
    what_cannot_be_listed_is_refused,
    an_order_is_paid_once,
    refusals_say_why_and_are_kept,
    a_batch_does_each_order_by_itself,
    orders_are_listed_and_found,
    equal_requests_at_once_are_one_order,
);

pub fn order_body(customer: &str, lines: &[(&str, i64)]) -> Value {
    let line = |(sku, quantity): &(&str, i64)| json!({"sku": sku, "quantity": quantity});
    let lines: Vec<Value> = lines.iter().map(line).collect();
    json!({"customer_id": customer, "lines": lines})
}

/// Places an order; its id.
pub fn order(api: &Api, customer: &str, lines: &[(&str, i64)]) -> String {
    let placed = api.post("/v1/orders", &order_body(customer, lines));
    placed.expect(201)["order_id"].as_str().unwrap().to_owned()
}

fn tokens(amount: &str) -> Value {
    json!({"amount": amount, "asset": "RETAIL.TOKEN"})
}

/// A customer with so many tokens.
fn rich(api: &Api, amount: &str) -> String {
    let id = customer(api);
    sell(api, &id, amount);
    id
}

/// SHP-12, SHP-14: Required, Available, Remaining, and what makes a short order fit.
fn a_quote_tells_what_to_change(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    tiered(api, "d", &[(100, "10"), (1000, "80"), (10_000, "600")]);
    let id = rich(api, "500");
    let ask = |body: &Value| api.send("POST", "/v1/quotes", &JSON, body.to_string().as_bytes());
    let quote = ask(&order_body(&id, &[("a", 1), ("d", 500)]));
    let quote = quote.expect(200);
    let [required, available, remaining] =
        ["required", "available", "remaining"].map(|n| quote[n].clone());
    assert_eq!(
        [required, available, remaining],
        ["180", "500", "320"].map(tokens)
    );
    assert_eq!(
        (&quote["short"], &quote["fits"]["single"]),
        (&Value::Null, &json!([]))
    );
    let line = &quote["lines"][1];
    assert_eq!(
        (&line["quantity"], &line["granted"]),
        (&json!(500), &json!(1000))
    );

    let short = ask(&order_body(&id, &[("a", 3), ("d", 5000)]));
    let short = short.expect(200);
    assert_eq!(
        (&short["remaining"], &short["short"]),
        (&tokens("-400"), &tokens("400"))
    );
    let fits: Vec<_> = short["fits"]["single"].as_array().unwrap().iter().collect();
    let fit = |n: usize| (fits[n]["quantity"].clone(), fits[n]["remaining"].clone());
    assert_eq!(fits.len(), 2);
    assert_eq!(fit(0), (json!(1000), tokens("120")), "the tier below");
    assert_eq!(fit(1), (json!(0), tokens("200")), "without it");

    // A price entered for a tier holds for that tier alone: only leaving it out is suggested.
    let mut entered = order_body(&id, &[("a", 1), ("d", 5000)]);
    entered["lines"][1]["entered"] = json!("550");
    let entered = ask(&entered);
    let fits = entered.expect(200)["fits"]["single"]
        .as_array()
        .unwrap()
        .clone();
    assert!(fits.iter().all(|f| f["quantity"] == 0), "{fits:?}");
    assert_eq!(fits.len(), 1);
    assert_eq!(
        api.get("/v1/orders").expect(200)["items"],
        json!([]),
        "nothing is kept"
    );

    ask(&json!({"customer_id": id, "lines": []})).problem(422, "field_invalid");
    ask(&order_body(&id, &[("nothing", 1)])).problem(404, "not_found");
    ask(&order_body(&id, &[("d", 10_001)])).problem(422, "quantity_invalid");
    ask(&order_body(&id, &[("a", 1_000_000_000)])).problem(422, "order_invalid");
    let many: Vec<_> = (0..10_001).map(|_| ("a", 1)).collect();
    ask(&order_body(&id, &many)).problem(422, "field_invalid");
    let other = customer(&served.other);
    ask(&order_body(&other, &[("a", 1)])).problem(404, "not_found");
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// SHP-10, SHP-11: lines are put on, ticked, taken off; what is ticked is added up.
fn an_order_list_is_kept_and_priced(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let a = offer(api, "a", "100", Some(2));
    let d = tiered(api, "d", &[(100, "10"), (1000, "80")]);
    let id = rich(api, "150");
    let list = format!("/v1/customers/{id}/order-list");
    let at = |offer: &str| format!("{list}/{offer}");
    let seen = || api.get(&list).expect(200).clone();
    assert_eq!(
        (&seen()["lines"], &seen()["required"]),
        (&json!([]), &tokens("0"))
    );

    let put = api.put(&at(&a), &json!({"quantity": 1}));
    assert_eq!((put.status, put.text.as_str()), (204, ""));
    api.put(&at(&d), &json!({"quantity": 500})).expect(204);
    let now = seen();
    assert_eq!(
        (&now["required"], &now["short"]),
        (&tokens("180"), &tokens("30"))
    );
    assert_eq!(now["lines"][0]["on_hand"], 2);
    assert_eq!(now["lines"][1]["granted"], 1000);
    assert_eq!(now["lines"][1]["tiers"][0]["price"], tokens("10"));
    assert_eq!(now["fits"]["single"][0]["quantity"], 100);
    assert_eq!(now["account_active"], true);
    api.put(&at(&d), &json!({"quantity": 500, "selected": false}))
        .expect(204);
    let now = seen();
    assert_eq!(
        (&now["required"], &now["remaining"]),
        (&tokens("100"), &tokens("50"))
    );
    assert_eq!(now["lines"][1]["selected"], false);

    let key = fresh_key();
    let headers = [("idempotency-key", key.as_str())];
    for again in [false, true] {
        let gone = api.send("DELETE", &at(&d), &headers, &[]);
        assert_eq!((gone.status, gone.replayed()), (204, again));
    }
    api.delete(&at(&d)).expect(204);
    assert_eq!(seen()["lines"].as_array().unwrap().len(), 1);

    // An offer that is not sold any more stays, with the reason, and is not counted.
    let body = json!({"kind": "purchase", "price": "100", "active": false});
    api.put("/v1/products/a/offers/a", &body).expect(200);
    let now = seen();
    assert_eq!(now["required"], tokens("0"));
    let problem = now["lines"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("not sold any more"), "{problem}");
}

fn what_cannot_be_listed_is_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let a = offer(api, "a", "100", None);
    let d = tiered(api, "d", &[(100, "10"), (1000, "80")]);
    let foreign = offer(&served.other, "a", "1", None);
    let id = customer(api);
    sell(api, &id, "500");
    let list = format!("/v1/customers/{id}/order-list");
    let at = |offer: &str| format!("{list}/{offer}");
    for bad in [
        json!({"quantity": 0}),
        json!({"quantity": -1}),
        json!({"quantity": "1"}),
        json!({"quantity": 1, "selected": 1}),
        json!({}),
        json!([1, true]),
        json!({"n": 1}),
    ] {
        api.put(&at(&a), &bad).problem(422, "field_invalid");
    }
    api.put(&at(&d), &json!({"quantity": 1001}))
        .problem(422, "quantity_invalid");
    let one = json!({"quantity": 1});
    for unknown in [
        foreign.as_str(),
        "off_01kb3v8z9mfxmr4x1qk2s7b0de",
        "off_x",
        "x",
        &id,
    ] {
        api.put(&at(unknown), &one).problem(404, "not_found");
        api.delete(&at(unknown)).problem(404, "not_found");
    }
    served.other.get(&list).problem(404, "not_found");
    served.other.put(&at(&a), &one).problem(404, "not_found");
    assert_eq!(api.get(&list).expect(200)["lines"], json!([]));
}

/// SHP-13, ARC-08: a repeated order is the same order, with the same answer.
fn an_order_is_paid_once(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let by_id = offer(api, "a", "100", Some(5));
    tiered(api, "d", &[(100, "10"), (1000, "80")]);
    let id = rich(api, "500");
    let body = json!({
        "customer_id": id, "reference": " INV-1 ", "effective_at": "2020-02-29T23:59:59+01:00",
        "lines": [{"offer_id": by_id, "quantity": 2, "quoted": "100.00"},
                  {"sku": "d", "quantity": 101, "entered": "70.5"}],
    });
    let first = api.post_under("o1", "/v1/orders", &body);
    let paid = first.expect(201).clone();
    assert_eq!(
        (&paid["total"], &paid["remaining"]),
        (&tokens("270.5"), &tokens("229.5"))
    );
    assert_eq!(paid["state"], "completed");
    let line = &paid["lines"][1];
    assert_eq!(
        (&line["granted"], &line["amount"]),
        (&json!(1000), &tokens("70.5"))
    );
    for _ in 0..2 {
        let again = api.post_under("o1", "/v1/orders", &body);
        assert_eq!((again.expect(201), again.replayed()), (&paid, true));
    }
    assert!(!first.replayed());
    let mut changed = body.clone();
    changed["lines"][0]["quantity"] = json!(1);
    for other in [&changed, &order_body(&id, &[("a", 1)])] {
        api.post_under("o1", "/v1/orders", other)
            .problem(422, "idempotency_key_reused");
    }
    api.write("PUT", "o1", "/v1/products/b", &json!({"title": "B"}))
        .problem(422, "idempotency_key_reused");
    api.post("/v1/orders", &body)
        .problem(409, "reference_taken");
    // Another vendor's keys are apart.
    let foreign = served.other.post_under("o1", "/v1/orders", &body);
    foreign.problem(404, "not_found");

    let order = paid["order_id"].as_str().unwrap();
    let seen = api.get(&format!("/v1/orders/{order}"));
    let seen = seen.expect(200);
    assert_eq!(seen["reference"], "INV-1");
    assert_eq!(seen["effective_at"], "2020-02-29T22:59:59Z");
    assert_ne!(seen["recorded_at"], seen["effective_at"]);
    assert_eq!(seen["remaining_after"], tokens("229.5"));
    assert!(seen["placed_by"].as_str().unwrap().starts_with("key_"));
    assert_eq!(api.get("/v1/offers/a").expect(200)["on_hand"], 3);
}

/// SHP-14, SHP-19: nothing is debited, the reason has a code and figures, and both are kept.
fn refusals_say_why_and_are_kept(db: &TestDb) {
    let served = Served::start_with(db, |program| {
        let create = ["vendor", "create", "--name", "Club", "--slug", "club"];
        program.ok(&[&create[..], &["--minimum-tokens", "50"]].concat());
    });
    let api = &served.api;
    offer(api, "a", "100", None);
    offer(api, "few", "1", Some(2));
    offer(api, "gone", "1", None);
    let body = json!({"kind": "purchase", "price": "1", "active": false});
    api.put("/v1/products/gone/offers/gone", &body).expect(200);
    let id = rich(api, "150");
    let refused = |body: &Value, status: u16, code: &str| -> Answered {
        let first = api.post_under(code, "/v1/orders", body);
        first.problem(status, code);
        let again = api.post_under(code, "/v1/orders", body);
        assert_eq!((&again.json, again.replayed()), (&first.json, true));
        let order = first.json["order_id"].as_str().unwrap();
        let kept = api.get(&format!("/v1/orders/{order}"));
        let kept = kept.expect(200);
        assert_eq!(
            (&kept["state"], &kept["reason"]),
            (&json!("refused"), &json!(code))
        );
        assert_eq!(kept["remaining_after"], Value::Null);
        first
    };
    let mut short = order_body(&id, &[("a", 2)]);
    short["reference"] = json!("INV-7");
    let told = refused(&short, 402, "tokens_short").json;
    let figures = ["required", "available", "short"].map(|n| told[n].clone());
    assert_eq!(figures, ["200", "150", "50"].map(tokens));
    let mut dearer = order_body(&id, &[("a", 1)]);
    dearer["lines"][0]["quoted"] = json!("90");
    let told = refused(&dearer, 409, "price_changed").json;
    assert_eq!(
        (&told["quoted"], &told["now"]),
        (&tokens("90"), &tokens("100"))
    );
    let told = refused(&order_body(&id, &[("few", 3)]), 409, "out_of_stock").json;
    assert_eq!(told["on_hand"], 2);
    refused(&order_body(&id, &[("gone", 1)]), 409, "not_for_sale");
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    assert_eq!(balance.expect(200)["available"], tokens("150"));
    // A refused order gives its reference back.
    let mut fits = order_body(&id, &[("a", 1)]);
    fits["reference"] = json!("INV-7");
    api.post("/v1/orders", &fits).expect(201);
    let left = rich(api, "1");
    let order = order_body(&left, &[("few", 1)]);
    api.post("/v1/orders", &order).expect(201);
    api.post(&format!("/v1/customers/{left}/close"), &json!({}))
        .expect(200);
    refused(&order, 409, "account_closed");
}

/// Each order of a batch is paid, refused or invalid by itself; repeated, each is what it was.
fn a_batch_does_each_order_by_itself(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    let (id, poor) = (rich(api, "250"), customer(api));
    let nobody = "cus_01kb3v8z9mfxmr4x1qk2s7b0de";
    let foreign = customer(&served.other);
    let mut tight = order_body(&id, &[("a", 1)]);
    tight["lines"][0]["quoted"] = json!("100.0000001");
    let batch = json!({"orders": [
        order_body(&id, &[("a", 1)]), order_body(&poor, &[("a", 1)]),
        order_body(nobody, &[("a", 1)]), order_body(&foreign, &[("a", 1)]),
        order_body(&id, &[("a", 1_000_000_000)]), order_body(&id, &[("nothing", 1)]), tight,
        order_body(&id, &[("a", 1)]), order_body(&id, &[("a", 1)]),
    ]});
    let send = |batch: &Value| api.post_under("batch", "/v1/orders:batch", batch);
    let first = send(&batch);
    let results = first.expect(200)["results"].as_array().unwrap().clone();
    let outcome = |result: &Value| {
        let code = result["problem"]["code"]
            .as_str()
            .unwrap_or("paid")
            .to_owned();
        (result["status"].as_i64().unwrap(), code)
    };
    let outcomes: Vec<_> = results.iter().map(outcome).collect();
    let expected = [
        (402, "tokens_short"),
        (404, "not_found"),
        (404, "not_found"),
        (422, "order_invalid"),
        (404, "not_found"),
        (422, "amount_invalid"),
    ];
    assert_eq!(outcomes[1..7], expected.map(|(s, c)| (s, c.to_owned())));
    // The three that compete for 250 tokens run at once: two are paid, whichever.
    let mut rest: Vec<_> = [0, 7, 8].map(|n| outcomes[n].0).into();
    rest.sort_unstable();
    assert_eq!(rest, [201, 201, 402]);
    assert!(results.iter().all(|r| r["replayed"] == false));
    assert!(
        results
            .iter()
            .all(|r| r["order"].is_null() != r["problem"].is_null())
    );

    let again = send(&batch);
    let repeated = again.expect(200)["results"].as_array().unwrap().clone();
    for (first, again) in results.iter().zip(&repeated) {
        assert_eq!(
            (&first["order"], outcome(first)),
            (&again["order"], outcome(again))
        );
        let kept = matches!(outcome(first).0, 201 | 402);
        assert_eq!(again["replayed"], kept);
    }
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    assert_eq!(balance.expect(200)["available"], tokens("50"));

    // A body that cannot be read does nothing at all.
    let mut broken = batch.clone();
    broken["orders"][8]["lines"][0]["quantity"] = json!("one");
    let refused = api.post("/v1/orders:batch", &broken);
    let told = refused.problem(422, "field_invalid");
    assert!(told.contains("orders[8].lines[0].quantity"), "{told}");
    let too_many = json!({"orders": vec![order_body(&poor, &[("a", 1)]); 1001]});
    for (bad, code) in [
        (json!({"orders": []}), "batch_size"),
        (too_many, "batch_size"),
        (json!({"orders": [], "all": true}), "field_invalid"),
        (json!([]), "field_invalid"),
    ] {
        api.post("/v1/orders:batch", &bad).problem(422, code);
    }
    api.post_under(&"k".repeat(241), "/v1/orders:batch", &batch)
        .problem(400, "idempotency_key_invalid");
    let most = json!({"orders": vec![order_body(&poor, &[("a", 1)]); 1000]});
    let most = api.post_under(&"k".repeat(240), "/v1/orders:batch", &most);
    assert_eq!(most.expect(200)["results"].as_array().unwrap().len(), 1000);
}

/// SHP-19: every order is found again, newest first, by its reference, by its time, by its buyer.
fn orders_are_listed_and_found(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "1", None);
    let (id, other) = (rich(api, "100"), rich(api, "100"));
    let mut placed: Vec<String> = (0..7).map(|_| order(api, &id, &[("a", 1)])).collect();
    placed.push(order(api, &other, &[("a", 1)]));
    let refused = api.post("/v1/orders", &order_body(&id, &[("a", 1000)]));
    refused.problem(402, "tokens_short");
    placed.push(refused.json["order_id"].as_str().unwrap().to_owned());
    placed.reverse();
    let all = |address: &str| {
        let order = |order: &Value| order["order_id"].as_str().unwrap().to_owned();
        api.all(address, 3).iter().map(order).collect::<Vec<_>>()
    };
    assert_eq!(all("/v1/orders?"), placed);
    assert_eq!(all(&format!("/v1/customers/{id}/orders?")), placed[2..]);
    let middle = api.get(&format!("/v1/orders/{}", placed[4]));
    let middle = middle.expect(200)["recorded_at"].as_str().unwrap();
    assert_eq!(all(&format!("/v1/orders?from={middle}&")), placed[..5]);
    assert_eq!(all(&format!("/v1/orders?to={middle}&")), placed[5..]);
    assert_eq!(
        all(&format!("/v1/orders?from={middle}&to={middle}&")),
        Vec::<String>::new()
    );

    let mut named = order_body(&id, &[("a", 2)]);
    named["reference"] = json!("INV/7 ü");
    api.post("/v1/orders", &named).expect(201);
    let found = api.get("/v1/orders?reference=INV%2F7%20%C3%BC");
    let found = found.expect(200);
    assert_eq!(found["items"][0]["total"], tokens("2"));
    assert_eq!(found["items"][0]["lines"], 1);
    assert_eq!(
        api.get("/v1/orders?reference=INV").expect(200)["items"],
        json!([])
    );
    for (query, code) in [
        (
            "reference=x&cursor=ord_01kb3v8z9mfxmr4x1qk2s7b0de",
            "query_invalid",
        ),
        ("reference=", "query_invalid"),
        ("cursor=x", "cursor_invalid"),
        ("from=yesterday", "query_invalid"),
        ("from=2026-11-21", "query_invalid"),
        ("limit=201", "limit_invalid"),
        ("customer=x", "query_invalid"),
    ] {
        api.get(&format!("/v1/orders?{query}")).problem(422, code);
    }
    let of_other = format!("/v1/customers/{other}/orders");
    let theirs = api.get(&format!("/v1/customers/{id}/orders?limit=1"));
    let cursor = theirs.expect(200)["next"].as_str().unwrap().to_owned();
    api.get(&format!("{of_other}?cursor={cursor}"))
        .problem(422, "cursor_invalid");
    api.get(&format!("{of_other}?cursor=-1"))
        .problem(422, "cursor_invalid");
    assert_eq!(
        served.other.get("/v1/orders").expect(200)["items"],
        json!([])
    );
    for id in [placed[0].as_str(), "ord_01kb3v8z9mfxmr4x1qk2s7b0de"] {
        served
            .other
            .get(&format!("/v1/orders/{id}"))
            .problem(404, "not_found");
    }
}

/// ARC-08: eight of the same at once are one order, and all get its answer.
fn equal_requests_at_once_are_one_order(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    offer(api, "a", "100", None);
    let id = rich(api, "1000");
    let mut body = order_body(&id, &[("a", 1)]);
    body["reference"] = json!("INV-9");
    let answers: Vec<Answered> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| api.post_under("same", "/v1/orders", &body)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let first = answers.iter().filter(|a| !a.replayed()).count();
    assert_eq!(first, 1);
    for answer in &answers {
        assert_eq!(answer.expect(201), &answers[0].json);
    }
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    assert_eq!(balance.expect(200)["available"], tokens("900"));
}

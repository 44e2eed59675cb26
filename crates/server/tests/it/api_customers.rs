//! The API for registrations and customers: good requests, and bad ones.

use crate::client::{Api, Served, fresh_key};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    a_registration_goes_stage_by_stage,
    staff_register_at_once,
    customers_are_listed_page_by_page,
    customers_are_looked_up,
    a_customer_is_found_under_its_references,
    the_account_tells_what_it_holds_and_how_it_came_to_that,
    an_empty_account_closes_for_good,
    a_repeated_registration_makes_one_customer,
    bad_details_are_refused,
    bad_requests_are_refused,
);

/// A fresh customer; its id.
pub fn customer(api: &Api) -> String {
    let made = api.post("/v1/customers", &json!({}));
    made.expect(201)["customer_id"].as_str().unwrap().to_owned()
}

/// Sells a customer tokens.
pub fn sell(api: &Api, id: &str, tokens: &str) {
    let body = json!({"tokens": tokens, "card": "test_ok"});
    api.post(&format!("/v1/customers/{id}/token-orders"), &body)
        .expect(201);
}

const DETAILS: &str = r#"{
    "person": {"name": "Ada Byron \u202e猫", "address": "12 St James's Square\nLondon"},
    "login": "ada@example.org", "pin": "4719", "password": "correct horse battery"
}"#;

fn details() -> Value {
    serde_json::from_str(DETAILS).unwrap()
}

/// REG-02, REG-06: no stage is skipped or repeated, and the customer ends inactive with a number.
fn a_registration_goes_stage_by_stage(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let begun = api.post("/v1/registrations", &json!({}));
    let begun = begun.expect(201);
    assert_eq!(
        begun["minimum_tokens"],
        json!({"amount": "0", "asset": "RETAIL.TOKEN"})
    );
    assert_eq!(begun["means"], json!(["card"]));
    let id = begun["registration_id"].as_str().unwrap();
    let at = |stage: &str| format!("/v1/registrations/{id}{stage}");
    let is_at = |stage: &str| assert_eq!(api.get(&at("")).expect(200)["stage"], stage);
    let means = json!({"means": "card"});

    is_at("informed");
    api.post(&at("/account"), &means)
        .problem(409, "wrong_stage");
    is_at("informed");
    api.put(&at("/details"), &details()).expect(200);
    api.put(&at("/details"), &details())
        .problem(409, "wrong_stage");
    is_at("details");
    api.post(&at("/account"), &json!({"means": "gold"}))
        .problem(422, "field_invalid");
    // What belongs to another vendor does not exist.
    served
        .other
        .get(&at(""))
        .problem(404, "registration_lapsed");
    served
        .other
        .post(&at("/account"), &means)
        .problem(404, "registration_lapsed");
    let made = api.post(&at("/account"), &means);
    let made = made.expect(201);
    api.post(&at("/account"), &means)
        .problem(409, "wrong_stage");
    is_at("account");
    assert_eq!(api.get(&at("")).json["customer_id"], made["customer_id"]);

    let customer = made["customer_id"].as_str().unwrap();
    let seen = api.get(&format!("/v1/customers/{customer}"));
    let seen = seen.expect(200);
    assert_eq!(
        (&seen["number"], &seen["channel"]),
        (&made["number"], &json!("online"))
    );
    assert_eq!(
        seen["state"], "active",
        "nothing need be acquired at this vendor"
    );
    assert!(!seen.to_string().contains("Ada"), "personal data is apart");
    let person = api.get(&format!("/v1/customers/{customer}/person"));
    assert_eq!(person.expect(200)["person"]["name"], "Ada Byron \u{202e}猫");
    assert_eq!(person.json["person"]["email"], "");
    served.log_holds_none_of(&[
        "4719",
        "correct horse",
        "Ada",
        "ada@example.org",
        customer,
        id,
    ]);
}

/// REG-03, REG-13: staff enter the same at once; a customer may stay without a name.
fn staff_register_at_once(db: &TestDb) {
    let served = Served::start_with(db, |program| {
        let create = ["vendor", "create", "--name", "Club", "--slug", "club"];
        program.ok(&[&create[..], &["--minimum-tokens", "50"]].concat());
        let create = [
            "api-key", "create", "--vendor", "club", "--name", "tests", "--json",
        ];
        let scopes = ["--scope", "customers:read,customers:write,tokens:write"];
        let made = program.ok(&[&create[..], &scopes].concat());
        program.file("club", made.as_bytes());
    });
    let key = std::fs::read(served.program.path("club")).unwrap();
    let key: Value = serde_json::from_slice(&key).unwrap();
    let club = served.with_key(key["key"].as_str().unwrap());
    let made = club.post("/v1/customers", &details());
    let made = made.expect(201);
    assert_eq!(made["state"], "inactive");
    assert_eq!(made["tokens_to_activate"]["amount"], "50");
    club.post("/v1/customers", &details())
        .problem(409, "login_taken");
    let id = made["customer_id"].as_str().unwrap();
    let seen = || club.get(&format!("/v1/customers/{id}")).expect(200).clone();
    assert_eq!(seen()["channel"], "staff");
    // REG-07: on the way to the minimum, and there.
    sell(&club, id, "49.5");
    let missing = seen();
    assert_eq!(
        (&missing["state"], &missing["balance"]["amount"]),
        (&json!("inactive"), &json!("49.5"))
    );
    assert_eq!(missing["tokens_to_activate"]["amount"], "0.5");
    sell(&club, id, "0.5");
    let active = seen();
    assert_eq!(
        (&active["state"], &active["tokens_to_activate"]["amount"]),
        (&json!("active"), &json!("0"))
    );
    assert!(active["activated_at"].is_string());

    let nobody = customer(&club);
    let person = club.get(&format!("/v1/customers/{nobody}/person"));
    assert_eq!(person.expect(200)["person"], Value::Null);
    // The first letters of a number say the vendor: this one does not know it.
    let foreign = served.api.get(&format!(
        "/v1/customers?number={}",
        made["number"].as_str().unwrap()
    ));
    assert_eq!(foreign.expect(200)["items"], json!([]));
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|i| i["customer_id"].as_str().unwrap().to_owned())
        .collect()
}

fn customers_are_listed_page_by_page(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let mut made: Vec<String> = (0..7).map(|_| customer(api)).collect();
    made.sort();
    let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = api.get(&format!("/v1/customers?limit=3{next}"));
        let page = page.expect(200);
        seen.extend(ids(page));
        pages += 1;
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!((seen, pages), (made, 3));
    assert_eq!(
        served.other.get("/v1/customers").expect(200)["items"],
        json!([])
    );
}

fn customers_are_looked_up(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    customer(api);
    let ada = api.post("/v1/customers", &details()).expect(201).clone();
    let found = |query: &str| ids(api.get(&format!("/v1/customers?{query}")).expect(200));
    let id = ada["customer_id"].as_str().unwrap();
    let number = ada["number"].as_str().unwrap();
    for query in [
        &format!("number={number}"),
        &format!("number={}", number.replace('-', "+")),
        &format!("number={}", number.replace('-', "")),
        "login=ada@example.org",
        "login=+ADA%40Example.org",
    ] {
        assert_eq!(found(query), [id], "{query}");
    }
    for query in [
        "login=eve@example.org",
        "reference=ada@example.org",
        "login=%E7%8C%AB",
    ] {
        assert_eq!(found(query), [""; 0], "{query}");
    }
    let foreign = |query: &str| {
        ids(served
            .other
            .get(&format!("/v1/customers?{query}"))
            .expect(200))
    };
    assert_eq!(
        foreign("login=ada@example.org"),
        [""; 0],
        "a name of another vendor's customer"
    );
    assert_eq!(foreign(&format!("number={number}")), [""; 0]);

    let last = number.bytes().last().unwrap();
    let wrong = if last == b'0' { "1" } else { "0" };
    let wrong = format!("number={}{wrong}", &number[..number.len() - 1]);
    let told = api.get(&format!("/v1/customers?{wrong}"));
    assert!(
        told.problem(422, "customer_invalid")
            .contains("wrong digit")
    );
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "cursor=x",
        "cursor=",
        "login=",
        "login=a&number=1",
        "login=a&cursor=1",
        "unknown=1",
        "limit=1.5",
        "limit=99999999999999999999",
        "login=%FF",
        "login=%00",
        "login=a%0Ab",
    ] {
        let refused = api.get(&format!("/v1/customers?{query}"));
        assert!((400..423).contains(&refused.status), "{query}: {refused:?}");
    }
}

fn a_customer_is_found_under_its_references(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (a, b) = (customer(api), customer(api));
    let put = |id: &str, reference: &str| {
        let path = format!("/v1/customers/{id}/reference");
        api.put(&path, &json!({ "reference": reference }))
    };
    assert_eq!(put(&a, " crm 7 ").expect(200)["reference"], "crm 7");
    put(&a, "crm 7").expect(200);
    put(&a, "old-7").expect(200);
    assert!(
        put(&b, "crm 7")
            .problem(409, "reference_taken")
            .contains("crm 7")
    );
    for reference in ["crm+7", "old-7"] {
        let found = api.get(&format!("/v1/customers?reference={reference}"));
        assert_eq!(ids(found.expect(200)), [a.as_str()]);
    }
    put(&b, "   ").problem(422, "customer_invalid");
    put(&b, "").problem(422, "field_invalid");
    put(&b, &"x".repeat(201)).problem(422, "field_invalid");
    let path = format!("/v1/customers/{a}/reference");
    let foreign = served.other.put(&path, &json!({"reference": "mine"}));
    foreign.problem(404, "not_found");
    // Another vendor's names are its own.
    let theirs = customer(&served.other);
    let path = format!("/v1/customers/{theirs}/reference");
    served
        .other
        .put(&path, &json!({"reference": "crm 7"}))
        .expect(200);
}

/// MIC-05: each movement with its date, its amount and the balance after it.
fn the_account_tells_what_it_holds_and_how_it_came_to_that(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, other) = (customer(api), customer(api));
    for tokens in ["5", "0.25", "1000"] {
        sell(api, &id, tokens);
        sell(api, &other, "1");
    }
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    let balance = balance.expect(200);
    assert_eq!(
        balance["available"],
        json!({"amount": "1005.25", "asset": "RETAIL.TOKEN"})
    );
    assert_eq!(
        (&balance["held"]["amount"], &balance["total"]["amount"]),
        (&json!("0"), &json!("1005.25"))
    );
    assert_eq!(balance["by_kind"].as_array().unwrap().len(), 1);
    assert_eq!(balance["by_kind"][0]["kind"], "paid");
    assert_eq!(balance["lots"].as_array().unwrap().len(), 3);

    let history = format!("/v1/customers/{id}/history");
    let page = api.get(&format!("{history}?limit=2"));
    let page = page.expect(200);
    let amounts = |page: &Value| -> Vec<(String, String)> {
        let text = |v: &Value| v["amount"].as_str().unwrap().to_owned();
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|m| (text(&m["amount"]), text(&m["balance"])))
            .collect()
    };
    let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    assert_eq!(
        amounts(page),
        pairs(&[("1000", "1005.25"), ("0.25", "5.25")])
    );
    assert_eq!(page["items"][0]["code"], "token_sale");
    let rest = api.get(&format!(
        "{history}?cursor={}",
        page["next"].as_str().unwrap()
    ));
    assert_eq!(amounts(rest.expect(200)), pairs(&[("5", "5")]));
    assert_eq!(rest.json["next"], Value::Null);

    // A cursor of another account shows nothing of it.
    let theirs = api.get(&format!("/v1/customers/{other}/history?limit=1"));
    let cursor = theirs.expect(200)["next"].as_str().unwrap().to_owned();
    for cursor in [
        cursor.as_str(),
        "-1",
        "99999",
        "9223372036854775807",
        "x",
        "",
    ] {
        let refused = api.get(&format!("{history}?cursor={cursor}"));
        refused.problem(422, "cursor_invalid");
    }
    for path in ["", "/person", "/balance", "/history", "/token-orders"] {
        let foreign = served.other.get(&format!("/v1/customers/{id}{path}"));
        let unknown = served.other.get(&format!(
            "/v1/customers/cus_01h455vb4pex5vsknk084sn02q{path}"
        ));
        foreign.problem(404, "not_found");
        assert_eq!(
            foreign.text, unknown.text,
            "{path}: it does not tell that the customer exists"
        );
    }
}

fn an_empty_account_closes_for_good(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let (id, full) = (customer(api), customer(api));
    sell(api, &full, "1");
    let close = |api: &Api, id: &str, key: &str| {
        api.post_under(key, &format!("/v1/customers/{id}/close"), &json!({}))
    };
    close(api, &full, "f").problem(409, "account_not_empty");
    close(&served.other, &id, "o").problem(404, "not_found");
    assert_eq!(close(api, &id, "a").expect(200)["state"], "closed");
    let again = close(api, &id, "a");
    assert!(again.replayed());
    assert_eq!(again.expect(200)["state"], "closed");
    close(api, &id, "b").problem(409, "account_closed");
    let seen = api.get(&format!("/v1/customers/{id}"));
    assert_eq!(seen.expect(200)["state"], "closed");
    let path = format!("/v1/customers/{id}/token-orders");
    let sold = api.post(&path, &json!({"tokens": "1", "card": "test_ok"}));
    sold.problem(409, "account_closed");
    let path = format!("/v1/customers/{id}/pin");
    api.put(&path, &json!({"pin": "4719"}))
        .problem(409, "account_closed");
}

/// ARC-08: the same request under the same key is done once; another one is refused.
fn a_repeated_registration_makes_one_customer(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let first = api.post_under("a", "/v1/customers", &details());
    let again = api.post_under("a", "/v1/customers", &details());
    assert!(!first.replayed() && again.replayed());
    assert_eq!(first.expect(201), again.expect(201));
    // A secret is part of the request, although it is kept nowhere.
    for (field, other) in [
        ("pin", "8305"),
        ("password", "another horse"),
        ("login", "b@b"),
    ] {
        let mut body = details();
        body[field] = json!(other);
        api.post_under("a", "/v1/customers", &body)
            .problem(422, "idempotency_key_reused");
    }
    api.post_under("a", "/v1/registrations", &json!({}))
        .problem(422, "idempotency_key_reused");
    assert_eq!(ids(api.get("/v1/customers").expect(200)).len(), 1);
    // Keys are of their own for each program.
    let narrow = served.with_scopes(&["customers:write"]);
    let mut body = details();
    body["login"] = json!("grace@example.org");
    assert!(!narrow.post_under("a", "/v1/customers", &body).replayed());

    // Eight at once have one effect.
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| api.post_under("b", "/v1/customers", &json!({"pin": "8305"}))))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let first = answers[0].expect(201);
    assert!(answers.iter().all(|a| a.expect(201) == first));
    assert_eq!(answers.iter().filter(|a| !a.replayed()).count(), 1);
    assert_eq!(ids(api.get("/v1/customers").expect(200)).len(), 3);
}

fn bad_details_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let long = "x".repeat(10_000);
    let refused = [
        json!({"name": "Ada"}),
        json!({"person": {"nickname": "Ada"}}),
        json!({"person": {"name": long}}),
        json!({"person": {"name": "a\u{0}b"}}),
        json!({"person": {"name": "a\nb"}}),
        json!({"person": {"address": "a\u{1b}[31mb"}}),
        json!({"person": {"name": 7}}),
        json!({"person": null}),
        json!({"person": []}),
        json!({"login": ""}),
        json!({"login": "   "}),
        json!({"login": long}),
        json!({"login": "001-4827-1003-86"}),
        json!({"pin": "123"}),
        json!({"pin": "123456789"}),
        json!({"pin": "1234"}),
        json!({"pin": "0000"}),
        json!({"pin": "12a4"}),
        json!({"pin": "٤٧١٩"}),
        json!({"pin": 4719}),
        json!({"password": "too short"}),
        json!({"password": "x".repeat(201)}),
        json!([]),
        json!("{}"),
        json!(null),
    ];
    for body in &refused {
        let answer = api.post("/v1/customers", body);
        assert!(matches!(answer.status, 409 | 422), "{body:.60}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.text.len() < 1_000, "{}", answer.text);
    }
    let secret = api.post("/v1/customers", &json!({"pin": 90876}));
    assert!(!secret.text.contains("90876"), "{}", secret.text);
    assert_eq!(api.get("/v1/customers").expect(200)["items"], json!([]));
    let taken = [
        json!({"person": {"name": "\u{200f}\u{202e}عمر", "address": "a\r\n\tb"}}),
        json!({"person": {"name": "é".repeat(200)}, "login": "猫".repeat(200)}),
        json!({"pin": null, "login": null, "password": "x".repeat(200)}),
    ];
    for body in &taken {
        api.post("/v1/customers", body).expect(201);
    }
    assert!(!served.log().contains("ERROR"), "{}", served.log());
}

fn bad_requests_are_refused(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let post = |headers: &[(&str, &str)], body: &[u8]| {
        let key = fresh_key();
        let mut all = vec![("idempotency-key", key.as_str())];
        all.extend_from_slice(headers);
        api.send("POST", "/v1/customers", &all, body)
    };
    let json = [("content-type", "application/json")];
    let bodies: [(&[u8], u16, &str); 9] = [
        (b"{\"login\":\"a\",\"login\":\"b\"}", 422, "field_invalid"),
        (
            b"{\"person\":{\"name\":\"a\",\"name\":\"b\"}}",
            422,
            "field_invalid",
        ),
        (b"{\"login\":\"\xff\xfe\"}", 400, "json_invalid"),
        (b"{\"login\":\"\\ud800\"}", 400, "json_invalid"),
        (b"{\"login\":\"a\"", 400, "json_invalid"),
        (b"{\"login\":\"a\"} {}", 400, "json_invalid"),
        (b"{'login':'a'}", 400, "json_invalid"),
        (b"\xef\xbb\xbf{}", 400, "json_invalid"),
        (b"", 400, "json_invalid"),
    ];
    for (body, status, code) in bodies {
        post(&json, body).problem(status, code);
    }
    let deep = "[".repeat(100_000);
    post(&json, deep.as_bytes()).problem(422, "field_invalid");
    // A list is no structure, although it has all fields in their order.
    post(&json, b"[{},null,null,null]").problem(422, "field_invalid");
    let huge = format!("{{\"login\":\"{}\"}}", "x".repeat(300_000));
    post(&json, huge.as_bytes()).problem(413, "body_too_large");
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ] {
        post(&[("content-type", kind)], b"{}").problem(415, "media_type_unsupported");
    }
    let with_key = |key: &str| {
        let headers = [json[0], ("idempotency-key", key)];
        api.send("POST", "/v1/customers", &headers, b"{}")
    };
    with_key("a b").problem(400, "idempotency_key_invalid");
    with_key("").problem(400, "idempotency_key_invalid");
    with_key(&"k".repeat(256)).problem(400, "idempotency_key_invalid");
    let without = api.send("POST", "/v1/customers", &json, b"{}");
    without.problem(400, "idempotency_key_missing");
    assert_eq!(api.get("/v1/customers").expect(200)["items"], json!([]));
    with_key(&"k".repeat(255)).expect(201);

    for id in [
        "cus_01h455vb4pex5vsknk084sn02",
        "cus_81h455vb4pex5vsknk084sn02q",
        "ord_01h455vb4pex5vsknk084sn02q",
        "CUS_01H455VB4PEX5VSKNK084SN02Q",
        "1",
        "%00",
        "%ff",
        "%e7%8c%ab",
        "cus_",
        &format!("x{}_01h455vb4pex5vsknk084sn02q", "%c3%a9".repeat(40)),
        &"c".repeat(10_000),
    ] {
        api.get(&format!("/v1/customers/{id}"))
            .problem(404, "not_found");
    }
    assert_eq!(api.send("PATCH", "/v1/customers", &[], &[]).status, 405);
    assert!(!served.log().contains("ERROR"), "{}", served.log());
}

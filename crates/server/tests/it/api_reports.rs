//! The API for figures and for the ledger; the readable form of the document.

use crate::api_catalog::offer;
use crate::api_customers::{customer, sell};
use crate::api_orders::{order, order_body};
use crate::client::{Api, Served};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    turnover_is_told_by_day_and_customer,
    the_day_is_told_by_the_hour,
    entries_are_listed_with_their_accounts,
    exports_are_those_of_the_command_line,
    verification_finds_changed_rows,
    examples_of_the_document_can_be_read,
);

fn tokens(amount: &str) -> Value {
    json!({"amount": amount, "asset": "RETAIL.TOKEN"})
}

/// A customer who is called `crm-1`, who bought for 30 tokens on two days and gave 5 back.
fn trade(api: &Api) -> String {
    offer(api, "pen", "5", None);
    let id = customer(api);
    let called = json!({"reference": "crm-1"});
    api.put(&format!("/v1/customers/{id}/reference"), &called)
        .expect(200);
    sell(api, &id, "100");
    let mut early = order_body(&id, &[("pen", 4)]);
    early["effective_at"] = json!("2026-01-31T23:59:59.5Z");
    api.post("/v1/orders", &early).expect(201);
    let late = order(api, &id, &[("pen", 2)]);
    let one = json!({"lines": [{"line_no": 1, "quantity": 1}]});
    api.post(&format!("/v1/orders/{late}/refunds"), &one)
        .expect(201);
    api.post("/v1/orders", &order_body(&id, &[("pen", 1000)]))
        .problem(402, "tokens_short");
    id
}

fn turnover_is_told_by_day_and_customer(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    trade(api);
    let someone = customer(api);
    sell(api, &someone, "5");
    order(api, &someone, &[("pen", 1)]);
    let all = api.get("/v1/reports/sales");
    let all = all.expect(200);
    let none = json!({"amount": "0", "asset": "GBP"});
    let total =
        json!({"orders": 3, "sales": tokens("35"), "refunds": tokens("5"), "by_card": none});
    assert_eq!((&all["total"], &all["customers"]), (&total, &Value::Null));
    let days = all["days"].as_array().unwrap();
    assert_eq!((days.len(), &days[0]["day"]), (2, &json!("2026-01-31")));
    assert_eq!(
        (&days[0]["sales"], &days[1]["refunds"]),
        (&tokens("20"), &tokens("5"))
    );
    let with = api.get("/v1/reports/sales?customers=true");
    let customers = with.expect(200)["customers"].as_array().unwrap().clone();
    let names: Vec<_> = customers
        .iter()
        .map(|c| c["customer"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["crm-1", someone.as_str()]);
    assert_eq!(
        (&customers[0]["orders"], &customers[0]["sales"]),
        (&json!(2), &tokens("30"))
    );
    let until = |query: &str| {
        let part = api.get(&format!("/v1/reports/sales?{query}"));
        part.expect(200)["total"]["sales"]["amount"].clone()
    };
    assert_eq!(until("to=2026-02-01T00:00:00Z"), "20");
    assert_eq!(until("from=2026-02-01T00:00:00Z"), "15");
    assert_eq!(until("from=2026-02-01T00:00:00%2B01:00"), "35");
    assert_eq!(
        until("from=2026-01-31T23:59:59.5Z&to=2026-01-31T23:59:59.500001Z"),
        "20"
    );
    assert_eq!(until("to=2026-01-31T23:59:59.5Z"), "0");
    assert_eq!(
        until("from=2026-03-01T00:00:00Z&to=2026-02-01T00:00:00Z"),
        "0"
    );
    let theirs = served.other.get("/v1/reports/sales?customers=true");
    assert_eq!(theirs.expect(200)["total"]["orders"], 0);
    assert_eq!(theirs.json["customers"], json!([]));
    for bad in [
        "from=now",
        "from=2026-01-31",
        "to=",
        "customers=1",
        "by=day",
    ] {
        api.get(&format!("/v1/reports/sales?{bad}"))
            .problem(422, "query_invalid");
    }
}

fn the_day_is_told_by_the_hour(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    trade(api);
    let now = jiff::Timestamp::now();
    let ago = |hours: i64| (now - jiff::SignedDuration::from_hours(hours)).to_string();
    // Midnight may have passed since the trade: the last 23 hours and a bit.
    let address = format!("/v1/reports/today?from={}", ago(23));
    let day = api.get(&address);
    let day = day.expect(200);
    for (name, expected) in [
        ("tokens_sold", tokens("100")),
        ("money_received", json!({"amount": "1", "asset": "GBP"})),
        ("tokens_spent", tokens("30")),
        ("orders", json!(2)),
        ("refunds", json!(1)),
        ("refunded", tokens("5")),
        ("new_customers", json!(1)),
        ("outstanding", tokens("75")),
    ] {
        assert_eq!(day[name], expected, "{name}");
    }
    let hours = day["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 24);
    assert_eq!(hours[22]["sales"], tokens("30"), "whenever it counts");
    let today = api.get("/v1/reports/today");
    let begin = today.expect(200)["from"].as_str().unwrap();
    assert!(begin.ends_with("T00:00:00Z"), "{begin}");
    let past = api.get(&format!(
        "/v1/reports/today?from={}&to={}",
        ago(48),
        ago(24)
    ));
    assert_eq!(past.expect(200)["orders"], 0);
    for (from, to) in [(ago(24), ago(25)), (ago(24 * 8), ago(0))] {
        api.get(&format!("/v1/reports/today?from={from}&to={to}"))
            .problem(422, "span_invalid");
    }
    let theirs = served.other.get("/v1/reports/today");
    assert_eq!(theirs.expect(200)["outstanding"]["amount"], "0");
}

/// MIC-07: every movement is told with its accounts, and the sum over all is nothing.
fn entries_are_listed_with_their_accounts(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let id = trade(api);
    let number = api.get(&format!("/v1/customers/{id}"));
    let number = number.expect(200)["number"].as_str().unwrap();
    let entries = api.all("/v1/ledger/entries?", 2);
    let codes: Vec<_> = entries
        .iter()
        .map(|e| e["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["refund", "order", "order", "token_sale"],
        "newest first"
    );
    let refund = &entries[0]["transfers"][0];
    assert_eq!(refund["amount"], tokens("5"));
    assert_eq!(refund["debit"]["kind"], "spent");
    assert_eq!(
        (&refund["credit"]["kind"], &refund["credit"]["label"]),
        (&json!("wallet"), &json!(number))
    );
    assert_eq!(entries[2]["effective_at"], "2026-01-31T23:59:59.5Z");
    let sale = entries[3]["transfers"].as_array().unwrap();
    let assets: Vec<_> = sale
        .iter()
        .map(|t| t["amount"]["asset"].as_str().unwrap())
        .collect();
    assert_eq!(assets, ["RETAIL.TOKEN", "GBP"]);
    assert_eq!(sale[1]["grant_id"], Value::Null);
    for entry in &entries {
        let digest = entry["digest"].as_str().unwrap();
        assert!(digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    assert_eq!(
        served.other.get("/v1/ledger/entries").expect(200)["items"],
        json!([])
    );
    api.get("/v1/ledger/entries?cursor=x")
        .problem(422, "cursor_invalid");
    for odd in ["0", "-1", "9223372036854775807"] {
        api.get(&format!("/v1/ledger/entries?cursor={odd}"))
            .expect(200);
    }
}

fn exports_are_those_of_the_command_line(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    trade(api);
    let shown = served.program.exports();
    for ((format, kind, name), expected) in [
        ("beancount", "text/plain", "retail.beancount"),
        ("hledger", "text/plain", "retail.journal"),
        ("csv", "text/csv", "retail.csv"),
    ]
    .into_iter()
    .zip(shown)
    {
        let file = api.get(&format!("/v1/ledger/export?format={format}"));
        file.expect(200);
        assert_eq!(file.text.trim_end(), expected.trim_end(), "{format}");
        assert_eq!(
            file.headers["content-type"],
            format!("{kind}; charset=utf-8")
        );
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(file.headers["content-disposition"], disposition);
    }
    let theirs = served.other.get("/v1/ledger/export?format=csv");
    theirs.expect(200);
    assert_eq!(theirs.text.lines().count(), 1, "the header alone");
    for bad in [
        "",
        "?format=",
        "?format=pdf",
        "?format=CSV",
        "?format=csv&format=csv",
        "?format=csv&vendor=other",
    ] {
        api.get(&format!("/v1/ledger/export{bad}"))
            .problem(422, "query_invalid");
    }
}

fn verification_finds_changed_rows(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    trade(api);
    let verify = |api: &Api| {
        let report = api.get("/v1/ledger/verification");
        report.expect(200).clone()
    };
    let sound = verify(api);
    assert_eq!(
        (&sound["sound"], &sound["findings"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        (&sound["entries"], &sound["transfers"]),
        (&json!(4), &json!(5))
    );
    db.run_sql("UPDATE orders SET total = total + 1 WHERE state = 'completed'");
    let changed = verify(api);
    assert_eq!(changed["sound"], false);
    let findings = changed["findings"].as_array().unwrap();
    assert_eq!(changed["findings_total"], findings.len());
    assert!(
        findings.iter().any(|f| f["table"] == "orders"),
        "{findings:?}"
    );
    assert_eq!(
        verify(&served.other)["sound"],
        true,
        "another book is another matter"
    );
}

/// What the document gives as an example can be read, and the page shows it.
fn examples_of_the_document_can_be_read(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let page = api.get("/docs");
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let unreadable = [
        "json_invalid",
        "field_invalid",
        "query_invalid",
        "media_type_unsupported",
        "idempotency_key_missing",
        "idempotency_key_invalid",
        "not_utf8",
        "line_invalid",
        "key_invalid",
        "method_not_allowed",
    ];
    let mut tried = 0;
    for example in page.text.split("<pre class=\"mono\">").skip(1) {
        let example = unescaped(example.split("</pre>").next().unwrap());
        let answer = run(api, &example);
        let code = answer.json["code"].as_str().unwrap_or("done");
        assert!(!unreadable.contains(&code), "{example}\n{}", answer.text);
        assert!(answer.status < 500, "{example}\n{}", answer.text);
        tried += 1;
    }
    let document = api.get("/v1/openapi.json");
    let paths = document.expect(200)["paths"].as_object().unwrap();
    let operations: usize = paths
        .values()
        .map(|item| item.as_object().unwrap().len())
        .sum();
    assert_eq!(tried, operations);
    assert!(operations > 50);
}

fn unescaped(html: &str) -> String {
    let entities = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    entities
        .iter()
        .fold(html.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

/// Does what the shell would do with a command line of the page.
fn run(api: &Api, example: &str) -> crate::client::Answered {
    let (head, body) = match example.split_once("--data-binary '") {
        Some((head, body)) => (head, body.strip_suffix('\'').unwrap().replace("'\\''", "'")),
        None => (example, String::new()),
    };
    let method = head
        .split_once("-X ")
        .map_or("GET", |(_, rest)| rest.split(' ').next().unwrap());
    let address = head
        .split_once("\"$SCRIP")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let fresh = crate::client::fresh_key();
    let mut headers = Vec::new();
    for header in head.split("-H \"").skip(1) {
        let (name, value) = header.split('"').next().unwrap().split_once(": ").unwrap();
        match value {
            "Bearer $KEY" => {}
            "$(uuidgen)" => headers.push((name, fresh.as_str())),
            value => headers.push((name, value)),
        }
    }
    api.send(method, address, &headers, body.as_bytes())
}

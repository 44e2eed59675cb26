//! The mall over HTTP and by the command line.

use crate::api_customers::{customer, sell};
use crate::client::{Served, in_mall};
use crate::program::Program;
use scrip_testkit::TestDb;
use serde_json::json;
use std::time::{Duration, Instant};

both!(
    tokens_are_exchanged_once_under_a_key,
    bad_exchanges_are_refused,
    the_operator_runs_a_mall,
);

/// OPN-01, OPN-02, ARC-08: a quote, the exchange, and again under the same key.
fn tokens_are_exchanged_once_under_a_key(db: &TestDb) {
    let served = Served::start_with(db, in_mall);
    let api = &served.api;
    let id = customer(api);
    sell(api, &id, "100");
    let wanted = json!({"to": "bakery", "tokens": "40"});
    let quote = api.post(&format!("/v1/customers/{id}/exchange-quotes"), &wanted);
    let quote = quote.expect(201);
    assert_eq!(
        quote["gives"],
        json!({"amount": "40", "asset": "RETAIL.TOKEN"})
    );
    assert_eq!(
        quote["receives"],
        json!({"amount": "40", "asset": "BAKERY.TOKEN"})
    );
    let taken = json!({"exchange_id": quote["exchange_id"]});
    let first = api.post_under("x1", "/v1/exchanges", &taken);
    let again = api.post_under("x1", "/v1/exchanges", &taken);
    assert_eq!(first.expect(201), again.expect(201));
    assert!(again.replayed());
    assert_eq!(first.json["left"]["amount"], "60");
    let used = api.post("/v1/exchanges", &taken);
    used.problem(409, "quote_used");
    let mall = api.get("/v1/mall");
    let mall = mall.expect(200);
    assert_eq!(mall["owes"], json!({"amount": "0.4", "asset": "GBP"}));
    let mut members = mall["members"].as_array().unwrap().iter();
    let bakery = members.find(|m| m["vendor"] == "bakery").unwrap();
    assert_eq!(
        (&bakery["takes_ours"], &bakery["we_take_theirs"]),
        (&json!(true), &json!(false))
    );
}

/// OPN-05, GOV-11: each refusal says what to do, and nothing moves.
fn bad_exchanges_are_refused(db: &TestDb) {
    let served = Served::start_with(db, in_mall);
    let api = &served.api;
    let id = customer(api);
    sell(api, &id, "100");
    let ask = |to: &str, tokens: &str| {
        let wanted = json!({"to": to, "tokens": tokens});
        api.post(&format!("/v1/customers/{id}/exchange-quotes"), &wanted)
    };
    ask("bakery", "101").problem(409, "too_few_tokens");
    ask("bakery", "0").problem(422, "exchange_invalid");
    ask("bakery", "-1").problem(422, "field_invalid");
    ask("retail", "1").problem(422, "mall_invalid");
    ask("nobody", "1").problem(404, "not_found");
    ask("other", "1").problem(409, "tokens_do_not_pass");
    let acceptance = "/v1/mall/acceptance/retail";
    let headers = [("idempotency-key", "takes-retail")];
    let takes = served.other.send("PUT", acceptance, &headers, &[]);
    assert_eq!(takes.status, 204, "{}", takes.text);
    ask("other", "1").expect(201);
    let unknown = json!({"exchange_id": "exc_01kb3v8z9mfxmr4x1qk2s7b0de"});
    api.post("/v1/exchanges", &unknown)
        .problem(404, "not_found");
    let balance = api.get(&format!("/v1/customers/{id}/balance"));
    assert_eq!(balance.expect(200)["available"]["amount"], "100");
}

/// MSP-10: a moment later, of the registration and of the issue.
fn the_mall_hears(served: &Served<'_>) {
    let begun = Instant::now();
    loop {
        let heard = served.api.get("/v1/mall/uses").expect(200).clone();
        let items = heard["items"].as_array().unwrap();
        let of = |what: &str| items.iter().any(|one| one["what"] == what);
        if of("customer.registered") && of("token_order.cleared") && of("exchange.done") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{heard}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// GOV-06: a member reads its own lines.
fn statements_are_read(served: &Served<'_>) {
    let statement = served.api.get("/v1/mall/statement").expect(200).clone();
    let line = &statement["items"][0];
    assert_eq!(
        (&line["debtor"], &line["creditor"]),
        (&json!("retail"), &json!("bakery"))
    );
    assert_eq!(
        (&line["owed"]["amount"], &statement["owes"]["amount"]),
        (&json!("0.4"), &json!("0.4"))
    );
    let theirs = served.other.get("/v1/mall/statement").expect(200).clone();
    assert_eq!(theirs["items"], json!([]));
    let long = "/v1/mall/statement?from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z";
    served.api.get(long).problem(422, "span_invalid");
    let future = "/v1/mall/statement?to=2999-01-01T00:00:00Z";
    served.api.get(future).problem(422, "mall_invalid");
}

/// Each change that the operator makes, and what is said of it.
fn changes_are_said(program: &Program<'_>) {
    for (change, says) in [
        ("value --vendor retail 0.02", "0.02"),
        (
            "terms --vendor retail --charge 0.1 --charge-percent 0.5 --service 2",
            "costs 0.1 and 0.5 percent; it keeps 2 percent",
        ),
        ("quota --vendor retail 1000", "issued 0 of 1000 tokens"),
        ("quota --vendor bakery --none", "without a limit"),
        (
            "interval --mall riverside month",
            "clears by itself after each month",
        ),
        ("bar --vendor retail", "stay at home"),
        ("bar --vendor retail --lift", "may leave"),
        (
            "group create --mall riverside --slug arcade --name Arcade",
            "group arcade made",
        ),
        (
            "group join --mall riverside --group arcade --vendor retail",
            "belongs to Arcade",
        ),
        ("group list --mall riverside", "retail"),
        (
            "deposit --vendor retail 25 --low 5",
            "a deposit of 25, and is warned below 5",
        ),
        ("royalty --vendor retail deposit", "taken from its deposit"),
        (
            "toll --mall riverside customer 0.0005",
            "each customer costs 0.0005",
        ),
        (
            "mirror --vendor retail tokens",
            "what customers of Retail hold",
        ),
        ("uses --vendor retail", "customer.registered"),
        (
            "group leave --mall riverside --group arcade --vendor retail",
            "has left Arcade",
        ),
        (
            "rules --mall riverside --combine false",
            "may not pay for one thing together",
        ),
        ("standing --vendor retail suspended", "is suspended"),
        ("accept --vendor bakery --issuer retail --stop", "takes no"),
    ] {
        let change: Vec<&str> = change.split(' ').collect();
        let said = program.ok(&[&["mall"], &change[..]].concat());
        assert!(said.contains(says), "{said}");
    }
}

/// MSP-05, MSP-10, GOV-01, GOV-06, GOV-09, GOV-10, GOV-12: the commands of the operator, with words for people and JSON.
fn the_operator_runs_a_mall(db: &TestDb) {
    let mut served = Served::start_with(db, in_mall);
    let id = customer(&served.api);
    sell(&served.api, &id, "100");
    let wanted = json!({"to": "bakery", "tokens": "40"});
    let quotes = format!("/v1/customers/{id}/exchange-quotes");
    let quote = served.api.post(&quotes, &wanted);
    let taken = json!({"exchange_id": quote.expect(201)["exchange_id"]});
    served.api.post("/v1/exchanges", &taken).expect(201);
    statements_are_read(&served);
    the_mall_hears(&served);
    served.stop();
    let program = &served.program;
    let shown = program.ok(&["mall", "show", "--mall", "riverside"]);
    assert!(
        shown.contains("owes 0.4 GBP") && shown.contains("is owed 0.4 GBP"),
        "{shown}"
    );
    let cleared = program.json(&["mall", "clear", "--mall", "riverside"]);
    assert_eq!(cleared["positions"][0]["paid"], "0.4");
    changes_are_said(program);
    let statement = [
        "mall",
        "statement",
        "--vendor",
        "retail",
        "--from",
        "2026-01-01",
    ];
    let file = program.ok(&statement);
    let lines: Vec<&str> = file.lines().collect();
    assert!(
        lines[1].contains(",exchange,retail,bakery,0.4,0.4,"),
        "{file}"
    );
    assert_eq!(lines[2..], ["total,,,,,0.4,0.4,0,0,0,,0,0.4", "lines,1"]);
    let wrong = program.run(&["mall", "interval", "--mall", "riverside", "year"]);
    assert_eq!(wrong.code, 2);
    let wrong = program.run(&["mall", "value", "--vendor", "retail", "0"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("worth more than nothing"), "{wrong:?}");
    let twice = program.run(&["mall", "join", "--mall", "riverside", "--vendor", "retail"]);
    assert!(twice.err.contains("belongs to a mall already"), "{twice:?}");
    program.ok(&["verify"]);
}

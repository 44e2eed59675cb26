//! The mall over HTTP and by the command line.

use crate::api_customers::{customer, sell};
use crate::client::{Served, in_mall};
use scrip_testkit::TestDb;
use serde_json::json;

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

/// GOV-01, GOV-09, GOV-10, GOV-12: the commands of the operator, with words for people and JSON.
fn the_operator_runs_a_mall(db: &TestDb) {
    let mut served = Served::start_with(db, in_mall);
    let id = customer(&served.api);
    sell(&served.api, &id, "100");
    let wanted = json!({"to": "bakery", "tokens": "40"});
    let quotes = format!("/v1/customers/{id}/exchange-quotes");
    let quote = served.api.post(&quotes, &wanted);
    let taken = json!({"exchange_id": quote.expect(201)["exchange_id"]});
    served.api.post("/v1/exchanges", &taken).expect(201);
    served.stop();
    let program = &served.program;
    let shown = program.ok(&["mall", "show", "--mall", "riverside"]);
    assert!(
        shown.contains("owes 0.4 GBP") && shown.contains("is owed 0.4 GBP"),
        "{shown}"
    );
    let cleared = program.json(&["mall", "clear", "--mall", "riverside"]);
    assert_eq!(cleared["positions"][0]["paid"], "0.4");
    for (change, says) in [
        (&["value", "--vendor", "retail", "0.02"][..], "0.02"),
        (
            &[
                "charge",
                "--vendor",
                "retail",
                "--flat",
                "0.1",
                "--percent",
                "0.5",
            ],
            "0.5 percent",
        ),
        (&["bar", "--vendor", "retail"], "stay at home"),
        (&["bar", "--vendor", "retail", "--lift"], "may leave"),
        (
            &["standing", "--vendor", "retail", "suspended"],
            "is suspended",
        ),
        (
            &[
                "accept", "--vendor", "bakery", "--issuer", "retail", "--stop",
            ],
            "takes no",
        ),
    ] {
        let said = program.ok(&[&["mall"], change].concat());
        assert!(said.contains(says), "{said}");
    }
    let wrong = program.run(&["mall", "value", "--vendor", "retail", "0"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("worth more than nothing"), "{wrong:?}");
    let twice = program.run(&["mall", "join", "--mall", "riverside", "--vendor", "retail"]);
    assert!(twice.err.contains("belongs to a mall already"), "{twice:?}");
    program.ok(&["verify"]);
}

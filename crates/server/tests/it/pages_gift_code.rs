//! A customer's tokens of the mall, and the code of a gift certificate, on the pages.

use crate::club::{Club, hidden, says};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    a_code_is_entered_once_and_what_is_held_is_told,
    codes_cannot_be_guessed,
);

const PAGE: &str = "/shops/club/account/mall";

fn club(db: &TestDb) -> Club<'_> {
    Club::start_running(db, |program| {
        for command in [
            "mall create --slug riverside --name Riverside --currency USD",
            "mall join --mall riverside --vendor club",
        ] {
            program.line(command);
        }
    })
}

/// OPN-15, GOV-13: a code is taken once, however it is typed; tokens are told by kind and origin; another
/// customer gets the sentence of a wrong code.
fn a_code_is_entered_once_and_what_is_held_is_told(db: &TestDb) {
    let club = club(db);
    let (ana, bob) = (club.member("Ana", 100), club.member("Bob", 100));
    says(
        &ana.visitor.get("/shops/club/account"),
        200,
        &["Tokens of the mall", PAGE],
    );
    says(
        &ana.visitor.get(PAGE),
        200,
        &["Nothing yet", "You hold $0.00 in all"],
    );
    for (origin, tokens) in [("paid", "12"), ("free", "3")] {
        let new = json!({
            "customer_id": ana.id, "kind": "universal", "tokens": tokens, "origin": origin,
        });
        club.api.post("/v1/open-tokens", &new).expect(201);
    }
    let words = [
        "universal tokens",
        "$15.00",
        "$12.00 paid for",
        "$3.00 given",
    ];
    let page = says(&ana.visitor.get(PAGE), 200, &words);
    let printed = json!({"face": "50", "count": 1, "origin": "paid"});
    let printed = club.api.post("/v1/gift-certificates", &printed);
    let code = printed.expect(201)["items"][0]["code"].as_str().unwrap();
    let key = hidden(&page, "key");
    let typed = code.to_lowercase().replace('-', " ");
    let fields = [("code", typed.as_str()), ("key", key.as_str())];
    for _ in 0..2 {
        let sent = ana.visitor.post(PAGE, &fields);
        assert_eq!(sent.see(), format!("{PAGE}?done=held"));
    }
    let words = [
        "The gift certificate is yours",
        "You hold $65.00 in all",
        "$50.00",
    ];
    says(&ana.visitor.get(&format!("{PAGE}?done=held")), 200, &words);
    let wrong = "No gift certificate with this code can be entered";
    for (who, code, key) in [
        (&bob, code, "b1"),
        (&bob, "00000-00000", "b2"),
        (&bob, "", "b3"),
    ] {
        let fields = [("code", code), ("key", key)];
        says(&who.visitor.post(PAGE, &fields), 422, &[wrong]);
    }
    assert_ne!(club.visitor().get(PAGE).status, 200, "signed in only");
}

/// OPN-15: after a few wrong codes even the right one is not looked at for a while.
fn codes_cannot_be_guessed(db: &TestDb) {
    let club = club(db);
    let ana = club.member("Ana", 100);
    let printed = json!({"face": "50", "count": 1, "origin": "paid"});
    let printed = club.api.post("/v1/gift-certificates", &printed);
    let code = printed.expect(201)["items"][0]["code"].as_str().unwrap();
    let mut last = 0;
    for n in 0..20 {
        let key = format!("g{n}");
        let fields = [("code", "00000-00000"), ("key", key.as_str())];
        last = ana.visitor.post(PAGE, &fields).status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    let fields = [("code", code), ("key", "right")];
    assert_eq!(ana.visitor.post(PAGE, &fields).status, 429);
}

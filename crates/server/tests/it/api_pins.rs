//! The API for PINs and passwords.

use crate::client::{Answered, Api, Served};
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::fs;

both!(
    a_page_of_the_vendor_asks_for_account_and_pin,
    wrong_pins_lock_and_a_new_one_unlocks,
    a_customer_changes_the_pin,
    a_code_is_shown_once_and_sets_a_pin_once,
);

/// A customer with the PIN 4719 and a password; the address of its things.
fn customer(api: &Api) -> String {
    let body = json!({"pin": "4719", "password": "correct horse battery"});
    let made = api.post("/v1/customers", &body);
    let id = made.expect(201)["customer_id"].as_str().unwrap().to_owned();
    format!("/v1/customers/{id}")
}

fn verify(api: &Api, at: &str, key: &str, body: &Value) -> Answered {
    api.post_under(key, &format!("{at}/verifications"), body)
}

/// ARC-04, ARC-08: right, wrong, and the same request again without a second attempt.
fn a_page_of_the_vendor_asks_for_account_and_pin(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.with_scopes(&["customers:read"]);
    let at = customer(&served.api);
    for (key, body, outcome) in [
        ("a", json!({"pin": "4719"}), "proven"),
        ("b", json!({"password": "correct horse battery"}), "proven"),
        ("c", json!({"pin": "4718"}), "wrong"),
        ("d", json!({"pin": "correct horse battery"}), "wrong"),
        ("e", json!({"password": "4719"}), "wrong"),
        ("f", json!({"pin": "٤٧١٩"}), "wrong"),
    ] {
        for again in [false, true] {
            let answer = verify(api, &at, key, &body);
            assert_eq!(
                answer.expect(200),
                &json!({"outcome": outcome, "until": null}),
                "{body}"
            );
            assert_eq!(answer.replayed(), again);
        }
    }
    let other = verify(api, &at, "a", &json!({"pin": "4718"}));
    other.problem(422, "idempotency_key_reused");
    for body in [
        json!({}),
        json!({"pin": null}),
        json!({"pin": "4719", "password": "correct horse battery"}),
    ] {
        verify(api, &at, "z", &body).problem(422, "secret_invalid");
    }
    for body in [
        json!({"pin": ""}),
        json!({"pin": "x".repeat(201)}),
        json!({"pin": 4719}),
        json!(["4719", null]),
    ] {
        let refused = verify(api, &at, "z", &body);
        assert!(!refused.problem(422, "field_invalid").contains("4719"));
    }
    let foreign = verify(&served.other, &at, "z", &json!({"pin": "4719"}));
    foreign.problem(404, "not_found");
    let nobody = "/v1/customers/cus_01h455vb4pex5vsknk084sn02q";
    verify(api, nobody, "y", &json!({"pin": "4719"})).problem(404, "not_found");
    // Whoever may only look changes nothing.
    api.put(&format!("{at}/pin"), &json!({"pin": "8305"}))
        .problem(403, "scope_missing");
}

/// SHP-03: five wrong ones in a row lock, and staff who know the customer set a new PIN.
fn wrong_pins_lock_and_a_new_one_unlocks(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let at = customer(api);
    let try_it = |key: &str, pin: &str| verify(api, &at, key, &json!({ "pin": pin }));
    for n in 0..5 {
        assert_eq!(
            try_it(&format!("w{n}"), "0000").expect(200)["outcome"],
            "wrong"
        );
    }
    let locked = try_it("r", "4719");
    assert_eq!(locked.expect(200)["outcome"], "locked");
    let until = locked.json["until"].as_str().unwrap();
    assert!(until.ends_with('Z') && until.len() >= 20, "{until}");
    // The password has a lock of its own.
    let password = verify(api, &at, "p", &json!({"password": "correct horse battery"}));
    assert_eq!(password.expect(200)["outcome"], "proven");

    let put = |pin: &str| api.put(&format!("{at}/pin"), &json!({ "pin": pin }));
    put("1234").problem(422, "secret_invalid");
    put("12").problem(422, "field_invalid");
    put("8305").expect(200);
    assert_eq!(try_it("n", "8305").expect(200)["outcome"], "proven");
    assert_eq!(try_it("o", "4719").expect(200)["outcome"], "wrong");
    let foreign = served
        .other
        .put(&format!("{at}/pin"), &json!({"pin": "8305"}));
    foreign.problem(404, "not_found");
    let log = served.log();
    for secret in ["4719", "8305", "correct horse"] {
        assert!(!log.contains(&format!("\"{secret}")), "{log}");
    }
}

/// REG-11.
fn a_customer_changes_the_pin(db: &TestDb) {
    let served = Served::start(db);
    let api = &served.api;
    let at = customer(api);
    let change = |key: &str, old: &str, new: &str| {
        let body = json!({"old_pin": old, "pin": new});
        api.post_under(key, &format!("{at}/pin-changes"), &body)
    };
    let right = |pin: &str| {
        let answer = api.post(&format!("{at}/verifications"), &json!({ "pin": pin }));
        answer.expect(200)["outcome"] == "proven"
    };
    assert_eq!(change("a", "4718", "8305").expect(200)["outcome"], "wrong");
    change("b", "4719", "1111").problem(422, "secret_invalid");
    assert!(right("4719"));
    assert_eq!(change("c", "4719", "8305").expect(200)["outcome"], "done");
    let again = change("c", "4719", "8305");
    assert!(again.replayed());
    assert_eq!(again.expect(200)["outcome"], "done");
    change("c", "4719", "8306").problem(422, "idempotency_key_reused");
    assert!(right("8305") && !right("4719"));
    for n in 0..4 {
        assert_eq!(
            change(&format!("w{n}"), "0000", "4719").expect(200)["outcome"],
            "wrong"
        );
    }
    let locked = change("l", "8305", "4719");
    assert_eq!(locked.expect(200)["outcome"], "locked");
    assert!(locked.json["until"].is_string());
}

fn a_code_is_shown_once_and_sets_a_pin_once(db: &TestDb) {
    let mut served = Served::start(db);
    let api = served.api.clone();
    let at = customer(&api);
    let start = |key: &str| api.post_under(key, &format!("{at}/pin-resets"), &json!({}));
    let finish = |code: &str, pin: &str| {
        let body = json!({"code": code, "pin": pin});
        api.post(&format!("{at}/pin-resets:finish"), &body)
    };
    assert_eq!(
        finish("7Q2XK-M4T9A", "8305").expect(200)["outcome"],
        "expired"
    );
    let first = start("a");
    let code = first.expect(201)["code"].as_str().unwrap().to_owned();
    assert_eq!((code.len(), &first.json["note"]), (11, &Value::Null));
    let again = start("a");
    assert!(again.replayed());
    assert_eq!(again.expect(201)["code"], Value::Null);
    assert!(
        again.json["note"]
            .as_str()
            .unwrap()
            .contains("fresh Idempotency-Key")
    );
    // A new one takes the place of the old one.
    let second = start("b");
    let second = second.expect(201)["code"].as_str().unwrap();
    let wrong = finish(&code, "8305");
    assert_eq!(
        wrong.expect(200),
        &json!({"outcome": "wrong", "attempts_left": 4})
    );
    finish(second, "4321").problem(422, "secret_invalid");
    let lower = second.to_lowercase().replace('-', " ");
    assert_eq!(finish(&lower, "8305").expect(200)["outcome"], "done");
    assert_eq!(finish(second, "9027").expect(200)["outcome"], "expired");
    let right = api.post(&format!("{at}/verifications"), &json!({"pin": "8305"}));
    assert_eq!(right.expect(200)["outcome"], "proven");
    for _ in 0..6 {
        finish("7Q2XK-M4T9A", "8305").expect(200);
    }
    served
        .other
        .post(&format!("{at}/pin-resets"), &json!({}))
        .problem(404, "not_found");

    // Neither the log nor the database has a code or a PIN.
    served.stop();
    let log = served.log();
    for secret in [code.as_str(), second, "8305"] {
        assert!(!log.contains(secret), "{log}");
    }
    if let Some(path) = served.program.database().strip_prefix("sqlite:") {
        let file = fs::read(path).unwrap();
        for secret in [code.as_str(), second, &code.replace('-', "")] {
            assert!(!file.windows(secret.len()).any(|w| w == secret.as_bytes()));
        }
    }
}

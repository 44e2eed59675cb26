//! A vendor that asks for PIN and password, and one-time codes in the API (SHP-03).

use crate::client::{Answered, fresh_key};
use crate::club::{Club, PASSWORD, PIN, hidden, says};
use crate::pages_second_factor::{app, turn_on};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    a_shop_asks_for_pin_and_password,
    who_has_no_password_is_led_to_one,
    programs_send_what_the_policy_asks_for,
    programs_send_a_code_where_it_is_on,
);

const SIGN_IN: &str = "/shops/club/sign-in";

fn asks(club: &Club<'_>, secrets: &str) {
    let held = club.api.get("/v1/vendor/policy");
    let version = held.expect(200)["version"].clone();
    let policy = json!({"version": version, "policy": {"sign_in": {"secrets": secrets}}});
    club.api.put("/v1/vendor/policy", &policy).expect(200);
}

fn sign_in(club: &Club<'_>, name: &str, pin: &str, password: &str) -> Answered {
    let fields = [("name", name), ("secret", pin), ("password", password)];
    club.visitor().post(SIGN_IN, &fields)
}

/// SHP-03: who registers chooses both; only both open a session, and what is wrong is not said.
fn a_shop_asks_for_pin_and_password(db: &TestDb) {
    let club = Club::start(db);
    asks(&club, "both");
    let visitor = club.visitor();
    let begun = visitor.post("/shops/club/register", &[]).see().to_owned();
    let page = visitor.get(&begun);
    says(&page, 200, &["The same password again"]);
    let details = format!("{begun}/details");
    let send = |password: &str, again: &str| {
        let fields = [
            ("name", "Wren"),
            ("login", "wren"),
            ("pin", PIN),
            ("pin_again", PIN),
            ("password", password),
            ("password_again", again),
        ];
        visitor.post(&details, &fields)
    };
    says(&send("", ""), 422, &["Choose a password"]);
    says(&send("short", "short"), 422, &["10 to 200 characters"]);
    says(
        &send(PASSWORD, "another one here"),
        422,
        &["passwords differ"],
    );
    assert_eq!(send(PASSWORD, PASSWORD).see(), begun);
    visitor
        .post(&format!("{begun}/means"), &[("means", "card")])
        .see();

    let page = club.visitor().get(SIGN_IN);
    says(
        &page,
        200,
        &[
            "name=\"secret\"",
            "name=\"password\"",
            "I forgot my PIN or password",
        ],
    );
    assert_eq!(
        sign_in(&club, "wren", PIN, PASSWORD).see(),
        "/shops/club/shop"
    );
    let mut answers = Vec::new();
    for (name, pin, password) in [
        ("wren", PIN, "nine geese walk"),
        ("wren", "83051", PASSWORD),
        ("nobody", PIN, PASSWORD),
    ] {
        let refused = sign_in(&club, name, pin, password);
        let page = says(
            &refused,
            401,
            &["The account and the PIN and password do not match"],
        );
        assert!(!refused.headers.contains_key("set-cookie"), "no session");
        answers.push(page.replace("nobody", "wren"));
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "one answer for all"
    );
    says(
        &sign_in(&club, "wren", PIN, ""),
        422,
        &["Type your password."],
    );
    let staff = club.staff("manager");
    let settings = staff.get("/shops/club/staff/settings");
    says(
        &settings,
        200,
        &[
            "Customers show who they are with",
            "the PIN and the password",
        ],
    );
}

/// SHP-03: a customer of before has a PIN alone; staff's code leads to a password.
fn who_has_no_password_is_led_to_one(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    asks(&club, "password");
    let refused = club
        .visitor()
        .post(SIGN_IN, &[("name", &member.number), ("secret", PIN)]);
    let words = [
        "choose one with a code from the shop",
        "I forgot my PIN or password",
    ];
    says(&refused, 401, &words);
    let made = club.api.post(
        &format!("/v1/customers/{}/pin-resets", member.id),
        &json!({}),
    );
    let code = made.expect(201)["code"].as_str().unwrap().to_owned();
    let visitor = club.visitor();
    says(
        &visitor.get("/shops/club/forgot"),
        200,
        &["A new PIN and password"],
    );
    let send = |password: &str| {
        let fields = [
            ("name", member.number.as_str()),
            ("code", &code),
            ("pin", "83051"),
            ("pin_again", "83051"),
            ("password", password),
            ("password_again", password),
        ];
        visitor.post("/shops/club/forgot", &fields)
    };
    says(&send(""), 422, &["Choose a password"]);
    assert!(send(PASSWORD).see().contains("done=pin"));
    let fields = [("name", member.number.as_str()), ("secret", PASSWORD)];
    assert_eq!(
        club.visitor().post(SIGN_IN, &fields).see(),
        "/shops/club/shop"
    );
}

fn verify(club: &Club<'_>, id: &str, body: &Value) -> Answered {
    let path = format!("/v1/customers/{id}/verifications");
    club.api.post_under(&fresh_key(), &path, body)
}

/// SHP-03, ARC-04: the policy holds for programs, too.
fn programs_send_what_the_policy_asks_for(db: &TestDb) {
    let club = Club::start(db);
    let body = json!({"pin": PIN, "password": PASSWORD});
    let made = club.api.post("/v1/customers", &body);
    let id = made.expect(201)["customer_id"].as_str().unwrap().to_owned();
    asks(&club, "both");
    for one in [json!({"pin": PIN}), json!({"password": PASSWORD})] {
        let refused = verify(&club, &id, &one);
        let told = refused.problem(422, "secret_invalid").to_string();
        assert!(told.contains("asks for the PIN and the password"), "{told}");
    }
    let outcome = |body: &Value| verify(&club, &id, body).expect(200)["outcome"].clone();
    assert_eq!(outcome(&body), "proven");
    assert_eq!(
        outcome(&json!({"pin": PIN, "password": "nine geese walk"})),
        "wrong"
    );
    assert_eq!(
        outcome(&json!({"pin": "83051", "password": PASSWORD})),
        "wrong"
    );
    asks(&club, "pin");
    assert_eq!(outcome(&json!({"pin": PIN})), "proven");
    verify(&club, &id, &body).problem(422, "secret_invalid");
}

/// SHP-03: a PIN alone says nothing of one who has codes on, at a vendor's own page neither.
fn programs_send_a_code_where_it_is_on(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let (secret, recovery) = turn_on(&member.visitor, "/shops/club/account/second-factor");
    let with = |pin: &str, code: &str| json!({"pin": pin, "code": code});
    verify(&club, &member.id, &json!({"pin": PIN})).problem(422, "code_needed");
    let outcome = |body: &Value| verify(&club, &member.id, body).expect(200)["outcome"].clone();
    assert_eq!(outcome(&with(PIN, "000000")), "wrong");
    assert_eq!(outcome(&with("83051", &app(&secret, 1))), "wrong");
    let code = app(&secret, 1);
    let (key, body) = (fresh_key(), with(PIN, &code));
    let path = format!("/v1/customers/{}/verifications", member.id);
    for again in [false, true] {
        let answer = club.api.post_under(&key, &path, &body);
        assert_eq!(answer.expect(200)["outcome"], "proven");
        assert_eq!(answer.replayed(), again);
    }
    assert_eq!(outcome(&with(PIN, &code)), "wrong", "each code once");
    let change = format!("/v1/customers/{}/pin-changes", member.id);
    let body = json!({"old_pin": PIN, "pin": "83051"});
    club.api.post(&change, &body).problem(422, "code_needed");
    let body = json!({"old_pin": PIN, "pin": "83051", "code": recovery[0]});
    assert_eq!(club.api.post(&change, &body).expect(200)["outcome"], "done");
    assert_eq!(outcome(&with("83051", &recovery[1])), "proven");
    // Who has no codes sends none.
    let other = club.member("Ben", 0);
    let answer = verify(&club, &other.id, &json!({"pin": PIN}));
    assert_eq!(answer.expect(200)["outcome"], "proven");
    let page = other.visitor.get("/shops/club/account/second-factor").text;
    assert!(!hidden(&page, "act").is_empty());
}

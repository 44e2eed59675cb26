//! The vendor's question when staff or programs act for a customer (REG-05).

use crate::club::{Club, Member, hidden, says};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    staff_ask_before_what_is_sensitive,
    programs_are_told_what_to_send,
);

const QUESTION: &str = "First school?";

/// The club asks its question before everything that can be sensitive; Ida answered it.
fn asked<'a>(db: &'a TestDb, step_up: &Value) -> (Club<'a>, Member) {
    let club = Club::start(db);
    let registration = json!({"questions": [QUESTION], "step_up": step_up});
    let policy = json!({"version": 0, "policy": {"registration": registration}});
    club.api.put("/v1/vendor/policy", &policy).expect(200);
    let body = json!({
        "person": {"name": "Ida Berg"}, "pin": crate::club::PIN,
        "answers": [{"question": QUESTION, "answer": "Oak Lane"}],
    });
    let made = club.api.post("/v1/customers", &body);
    let made = made.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let member = Member {
        id: text("customer_id"),
        number: text("number"),
        visitor: club.visitor(),
    };
    (club, member)
}

/// REG-05: a code for a new PIN needs the caller's answer; a wrong one opens nothing and counts,
/// and five lock it. A right one holds for a few minutes.
fn staff_ask_before_what_is_sensitive(db: &TestDb) {
    let (club, ida) = asked(db, &json!(["pin_change", "closing"]));
    let cashier = club.staff("cashier");
    let here = format!("/shops/club/staff/customers/{}", ida.id);
    let check = format!("{here}/check");
    let key = [("key", "one")];
    for sensitive in ["pin-reset", "close"] {
        let sent = cashier.post(&format!("{here}/{sensitive}"), &key);
        assert!(
            sent.see().starts_with(&check),
            "{sensitive}: {}",
            sent.see()
        );
    }
    let page = cashier.get(&format!("{check}?next={here}"));
    let page = says(&page, 200, &["Is it the customer?", "Ida Berg", QUESTION]);
    assert_eq!(hidden(&page, "next"), here);
    let answer = |answer: &str| {
        let fields = [("answer_1", answer), ("next", here.as_str())];
        cashier.post(&check, &fields)
    };
    says(
        &answer("Elm Road"),
        422,
        &["not what the customer answered"],
    );
    assert!(
        cashier
            .post(&format!("{here}/pin-reset"), &key)
            .see()
            .starts_with(&check)
    );
    assert_eq!(answer("oak  LANE").see(), here);
    says(
        &cashier.post(&format!("{here}/pin-reset"), &key),
        200,
        &["A code for a new PIN"],
    );
    let trail = club.api.get("/v1/audit?action=customer.checked");
    assert_eq!(trail.expect(200)["items"].as_array().unwrap().len(), 1);
    // The answer was given to the cashier, and to nobody else.
    let manager = club.staff("manager");
    assert!(
        manager
            .post(&format!("{here}/close"), &key)
            .see()
            .starts_with(&check)
    );
    let wrong = [("answer_1", "Elm Road"), ("next", "https://evil.example")];
    for _ in 0..5 {
        says(&manager.post(&check, &wrong), 422, &[&here]);
    }
    says(
        &manager.post(&check, &wrong),
        429,
        &["Too many wrong answers"],
    );
    // Who never answered is asked nothing that nobody knows: staff take the answer down first.
    let body = json!({"person": {"name": "Ben"}, "pin": crate::club::PIN});
    let ben = club.api.post("/v1/customers", &body);
    let ben = ben.expect(201)["customer_id"].as_str().unwrap().to_owned();
    let here = format!("/shops/club/staff/customers/{ben}");
    let check = format!("{here}/check");
    let sent = cashier.post(&format!("{here}/close"), &key);
    says(&cashier.get(sent.see()), 200, &["never answered", QUESTION]);
    let fields = [("answer_1", "Mill"), ("next", here.as_str())];
    assert_eq!(cashier.post(&check, &fields).see(), here);
    let page = cashier.get(&check);
    says(&page, 200, &["Ask this question", QUESTION]);
    assert_eq!(cashier.post(&check, &fields).see(), here);
    let closed = cashier.post(&format!("{here}/close"), &key);
    says(&cashier.get(closed.see()), 200, &["The account is closed."]);
}

/// REG-05: a program is refused with a code that says what to send, asks, and goes on.
fn programs_are_told_what_to_send(db: &TestDb) {
    let (club, ida) = asked(db, &json!(["pin_change"]));
    let of = |path: &str| format!("/v1/customers/{}/{path}", ida.id);
    let pin = json!({"pin": "83051"});
    let refused = club.api.put(&of("pin"), &pin);
    refused.problem(403, "identity_check_needed");
    let send = refused.json["send"].as_str().unwrap();
    assert!(
        send.contains("POST /v1/customers/{id}/identity-checks"),
        "{send}"
    );
    let need = club.api.get(&of("identity-check"));
    let need = need.expect(200);
    assert_eq!(
        (&need["free"], &need["question"]),
        (&json!(false), &json!(QUESTION))
    );
    let check = |answer: &str| {
        let body = json!({"question": QUESTION, "answer": answer});
        let checked = club.api.post(&of("identity-checks"), &body);
        checked.expect(200)["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(check("Elm Road"), "wrong");
    club.api
        .put(&of("pin"), &pin)
        .problem(403, "identity_check_needed");
    assert_eq!(check("Oak Lane"), "proven");
    assert_eq!(
        club.api.get(&of("identity-check")).expect(200)["free"],
        true
    );
    club.api.put(&of("pin"), &pin).expect(200);
    let answers = json!({"answers": [{"question": QUESTION, "answer": "Elm"}]});
    club.api
        .put(&of("identity-answers"), &answers)
        .problem(409, "answered_before");
}

//! Kept cards, buying by itself, disputes, pay-backs, pictures of products, by programs.

use crate::client::{Answered, fresh_key};
use crate::club::{Club, PNG};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    kept_cards_and_rules_are_seen_and_ended,
    disputes_are_decided_once,
    money_is_paid_back_once,
    pictures_are_added_changed_and_removed,
);

/// A kept card, a pay-back and a dispute for each payment of tokens by card: the rules do not make
/// them without a processor that tells of them.
pub fn plant(db: &TestDb, dispute: &str) {
    db.run_sql(&format!(
        "INSERT INTO saved_card (book_id, card_id, customer_id, method, brand, last_four,
                                 expiry_year, expiry_month, state, created_at)
         SELECT book_id, token_order_id, customer_id, 'pm_1', 'Visa', '4242', 2040, 12, 'usable',
                created_at
         FROM token_order WHERE state = 'cleared' AND means = 'card';
         INSERT INTO payback (book_id, token_order_id, customer_id, amount, processor_reference,
                              created_at)
         SELECT book_id, token_order_id, customer_id, price, 'pi_1', created_at
         FROM token_order WHERE state = 'cleared' AND means = 'card';
         INSERT INTO card_reversal (book_id, reversal, paid_id, kind, amount, reason, state,
                                    entry_id, created_at)
         SELECT book_id, '{dispute}', token_order_id, 'dispute', price, 'fraudulent', 'open', 1,
                created_at
         FROM token_order WHERE state = 'cleared' AND means = 'card'"
    ));
}

/// TOK-08: cards are told apart without their numbers; a rule is set, seen, refused where it cannot
/// be, and stops with its card.
fn kept_cards_and_rules_are_seen_and_ended(db: &TestDb) {
    let club = Club::start(db);
    let (ida, eve) = (club.member("Ida", 60), club.member("Eve", 0));
    plant(db, "du_1");
    let of = |id: &str, what: &str| format!("/v1/customers/{id}/{what}");
    let cards = club.api.get(&of(&ida.id, "cards")).expect(200)["items"].clone();
    let looks = json!({"brand": "Visa", "last_four": "4242", "expiry_year": 2040,
        "expiry_month": 12, "state": "usable", "card_id": cards[0]["card_id"]});
    assert_eq!(cards, json!([looks]));
    let card = cards[0]["card_id"].as_str().unwrap();
    let rule = of(&ida.id, "top-up");
    assert_eq!(club.api.get(&rule).expect(200)["rule"], Value::Null);
    for (wrong, code) in [
        (json!({"card_id": card, "tokens": "10"}), "top_up_invalid"),
        (
            json!({"card_id": card, "below": "5", "every_days": 7, "tokens": "10"}),
            "top_up_invalid",
        ),
        (json!({"card_id": card, "below": "5"}), "top_up_invalid"),
        (
            json!({"card_id": card, "below": "5", "up_to": "4"}),
            "top_up_invalid",
        ),
        (
            json!({"card_id": card, "every_days": 0, "up_to": "5"}),
            "field_invalid",
        ),
    ] {
        let refused = club.api.put(&rule, &wrong);
        assert!(
            [400, 422].contains(&refused.status),
            "{wrong}: {}",
            refused.text
        );
        assert!(refused.text.contains(code), "{wrong}: {}", refused.text);
    }
    let wanted = json!({"card_id": card, "below": "5", "up_to": "100"});
    let of_eve = club.api.put(&of(&eve.id, "top-up"), &wanted);
    assert_eq!(of_eve.status, 404, "another one's card: {}", of_eve.text);
    club.api.put(&rule, &wanted).expect(204);
    let held = club.api.get(&rule).expect(200)["rule"].clone();
    assert_eq!(
        (&held["below"]["amount"], &held["up_to"]["amount"]),
        (&json!("5"), &json!("100"))
    );
    assert_eq!(
        (&held["every_days"], &held["stopped"]),
        (&Value::Null, &Value::Null)
    );
    let gone = of(&ida.id, &format!("cards/{card}"));
    club.api.delete(&gone).expect(204);
    assert_eq!(
        club.api.get(&of(&ida.id, "cards")).expect(200)["items"],
        json!([])
    );
    let stopped = club.api.get(&rule).expect(200)["rule"]["stopped"].clone();
    assert!(stopped.as_str().unwrap().contains("withdrawn"), "{stopped}");
    assert_eq!(club.api.delete(&gone).status, 404);
    club.api.delete(&rule).expect(204);
    assert_eq!(club.api.get(&rule).expect(200)["rule"], Value::Null);
}

/// TOK-09: a program sees what was disputed and says once what becomes of the tokens.
fn disputes_are_decided_once(db: &TestDb) {
    let club = Club::start(db);
    let ida = club.member("Ida", 60);
    plant(db, "du_1");
    let found = club.api.get("/v1/disputes").expect(200)["items"][0].clone();
    for (name, value) in [
        ("dispute", json!("du_1")),
        ("state", json!("open")),
        ("reason", json!("fraudulent")),
        ("amount", json!({"amount": "6", "asset": "USD"})),
        ("decision", Value::Null),
        ("card_order_id", Value::Null),
    ] {
        assert_eq!(found[name], value, "{name}");
    }
    let at = "/v1/disputes/du_1/decision";
    let take = json!({"decision": "take", "reason": "The card was stolen"});
    assert_eq!(
        club.api.post("/v1/disputes/du_2/decision", &take).status,
        404
    );
    assert_eq!(
        club.api
            .post(at, &json!({"decision": "take", "reason": ""}))
            .status,
        422
    );
    club.api.post(at, &take).expect(204);
    assert_eq!(club.available(&ida.id), "0");
    assert_eq!(club.api.post(at, &take).status, 409, "decided before");
    let found = club.api.get("/v1/disputes").expect(200)["items"][0].clone();
    assert_eq!(
        (&found["decision"], &found["taken"]["amount"]),
        (&json!("take"), &json!("60"))
    );
}

/// TOK-08: money of a closed account goes back once, by the processor or as noted.
fn money_is_paid_back_once(db: &TestDb) {
    let club = Club::start(db);
    let (_ida, _eve) = (club.member("Ida", 60), club.member("Eve", 70));
    db.run_sql(
        "INSERT INTO payback (book_id, token_order_id, customer_id, amount, processor_reference,
                              created_at)
         SELECT book_id, token_order_id, customer_id, price, 'pi_1', created_at
         FROM token_order WHERE state = 'cleared' AND means = 'card'",
    );
    let due = club.api.get("/v1/paybacks").expect(200)["items"].clone();
    let order = |i: usize| due[i]["token_order_id"].as_str().unwrap().to_owned();
    let amount = |i: usize| due[i]["amount"]["amount"].clone();
    assert_eq!((amount(0), amount(1)), (json!("6"), json!("7")));
    let settle = |order: &str, body: &Value| -> Answered {
        club.api
            .post(&format!("/v1/paybacks/{order}/settlement"), body)
    };
    let paid = settle(&order(0), &json!({}));
    assert_eq!(paid.expect(200)["outcome"], "paid");
    let noted = settle(&order(1), &json!({"reference": "TR 77"}));
    assert_eq!(noted.expect(200)["outcome"], "paid");
    for i in [0, 1] {
        assert_eq!(
            settle(&order(i), &json!({"reference": "TR 78"})).status,
            409
        );
        assert_eq!(settle(&order(i), &json!({})).status, 409);
    }
    assert_eq!(club.api.get("/v1/paybacks").expect(200)["items"], json!([]));
    let first = club
        .api
        .get("/v1/paybacks?settled=true&limit=1")
        .expect(200)
        .clone();
    assert_eq!(first["items"][0]["reference"], "TR 77");
    let next = first["next"].as_str().unwrap();
    let second = club
        .api
        .get(&format!("/v1/paybacks?settled=true&limit=1&cursor={next}"));
    assert_eq!(second.expect(200)["items"][0]["way"], "processor");
}

/// SHP-09: a picture is taken by what it is; what is none is refused.
fn pictures_are_added_changed_and_removed(db: &TestDb) {
    let club = Club::start(db);
    club.offer("pot", "Clay pot", 10, None);
    let at = "/v1/products/pot/images";
    let add = |path: &str, media: &str, bytes: &[u8]| {
        let key = fresh_key();
        let headers = [("idempotency-key", key.as_str()), ("content-type", media)];
        club.api.send("POST", path, &headers, bytes)
    };
    let file = "application/octet-stream";
    assert_eq!(add(at, "image/png", PNG).status, 415);
    assert_eq!(add(at, file, b"<svg onload=alert(1)>").status, 422);
    assert_eq!(add("/v1/products/none/images", file, PNG).status, 404);
    let made = add(&format!("{at}?alt=A%20pot"), file, PNG)
        .expect(201)
        .clone();
    assert_eq!((&made["alt"], &made["width"]), (&json!("A pot"), &json!(1)));
    let id = made["image_id"].as_str().unwrap();
    let shown = club.visitor().get(&format!("/shops/club/images/{id}"));
    assert_eq!(shown.status, 200);
    let second = add(at, file, PNG).expect(201).clone();
    let second = format!("{at}/{}", second["image_id"].as_str().unwrap());
    club.api
        .put(&second, &json!({"alt": "Its back", "first": true}))
        .expect(204);
    let list = club.api.get(at).expect(200)["items"].clone();
    let alts: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["alt"].as_str().unwrap())
        .collect();
    assert_eq!(alts, ["Its back", "A pot"]);
    club.offer("cup", "Cup", 10, None);
    let of_another = format!("/v1/products/cup/images/{id}");
    assert_eq!(club.api.delete(&of_another).status, 404);
    club.api.delete(&format!("{at}/{id}")).expect(204);
    assert_eq!(
        club.visitor()
            .get(&format!("/shops/club/images/{id}"))
            .status,
        404
    );
}

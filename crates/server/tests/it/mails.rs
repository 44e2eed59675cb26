//! Mails to customers: what they say, how they travel, and mail servers that misbehave.

use crate::client::{Served, in_mall};
use crate::mail_server::{Aiosmtpd, BadMail, Fault, PASSWORD, Stage, USER};
use crate::receiver::wait_until;
use scrip_domain::message::{Delivery, DeliveryState, Target, deliveries};
use scrip_domain::vendor::vendor_by_slug;
use scrip_engine::Options;
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    mails_arrive_over_starttls,
    mails_arrive_over_tls,
    a_server_without_starttls_gets_nothing,
    none_is_lost_and_none_is_sent_twice,
    a_mail_tells_which_tokens_paid,
);

fn customer(served: &Served<'_>, name: &str) -> String {
    let person = json!({"name": name, "email": "ada@example.org"});
    let made = served.api.post("/v1/customers", &json!({"person": person}));
    made.expect(201)["customer_id"].as_str().unwrap().to_owned()
}

fn log(db: &TestDb) -> Vec<Delivery> {
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    let engine = db.open_with(&options);
    let found = engine.read(|tx| {
        let book = vendor_by_slug(tx, "retail").unwrap().book_id;
        deliveries(tx, book, Target::Mail, None, None, 100)
    });
    found.unwrap().items
}

/// A customer who buys tokens, then something, then more than the account has; then something that
/// is sent to an address.
fn shop(served: &Served<'_>) {
    let id = customer(served, "Ada <b>Lovelace</b>\u{202e}");
    let sold = json!({"tokens": "1234.5", "card": "test_ok"});
    let path = format!("/v1/customers/{id}/token-orders");
    served.api.post(&path, &sold).expect(201);
    served
        .api
        .put("/v1/products/lamp", &json!({"title": "Lamp & shade"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": "200.25", "initial_stock": 10});
    served
        .api
        .put("/v1/products/lamp/offers/lamp", &offer)
        .expect(201);
    let order = |quantity: i64| {
        let lines = json!([{"sku": "lamp", "quantity": quantity}]);
        let order = json!({"customer_id": id, "lines": lines});
        served.api.post("/v1/orders", &order)
    };
    order(2).expect(201);
    assert_eq!(order(9).status, 402);
    parcel(served, &id);
    // A customer without an address gets none.
    served.api.post("/v1/customers", &json!({})).expect(201);
}

/// An order that is sent, and on its way.
fn parcel(served: &Served<'_>, id: &str) {
    let vase = json!({"title": "Vase", "delivery": "shipped"});
    served.api.put("/v1/products/vase", &vase).expect(201);
    let offer = json!({"kind": "purchase", "price": "7"});
    let offers = "/v1/products/vase/offers/vase";
    served.api.put(offers, &offer).expect(201);
    let to =
        json!({"name": "Ada", "lines": "17 Unusual Street", "city": "Town", "country": "Ireland"});
    let lines = json!([{"sku": "vase", "quantity": 1}]);
    let body = json!({"customer_id": id, "lines": lines, "delivery_address": to});
    let placed = served.api.post("/v1/orders", &body);
    let order = placed.expect(201)["order_id"].as_str().unwrap().to_owned();
    let step = json!({
        "from": "to_pack", "state": "shipped", "carrier": "Post", "tracking_number": "1Z 9",
    });
    let path = format!("/v1/orders/{order}/shipment");
    served.api.put(&path, &step).expect(200);
}

fn settings<'a>(server: &'a Aiosmtpd, mode: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("SCRIP_MAIL_HOST", "localhost"),
        ("SCRIP_MAIL_PORT", &server.port),
        ("SCRIP_MAIL_SECURITY", mode),
        ("SCRIP_MAIL_USER", USER),
        ("SCRIP_MAIL_PASSWORD", PASSWORD),
        ("SCRIP_MAIL_FROM", "tokens@scrip.example"),
        ("SCRIP_MAIL_CA_FILE", &server.certificate),
    ]
}

/// OPN-22: an order that open tokens paid is told of once, with the account, the kinds that paid and
/// what is left of each.
fn a_mail_tells_which_tokens_paid(db: &TestDb) {
    let files = tempfile::tempdir().unwrap();
    let server = Aiosmtpd::start("starttls", files.path());
    let cards = ["--cards", "test"];
    let all = settings(&server, "starttls");
    let served = Served::start_taking(db, &cards, &all, in_mall);
    let id = customer(&served, "Ada");
    let sold = json!({"tokens": "100", "card": "test_ok"});
    let path = format!("/v1/customers/{id}/token-orders");
    served.api.post(&path, &sold).expect(201);
    let tokens = json!({
        "customer_id": id, "kind": "universal", "tokens": "25", "origin": "paid",
    });
    served.api.post("/v1/open-tokens", &tokens).expect(201);
    served
        .other
        .put("/v1/products/lamp", &json!({"title": "Lamp"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": "1000"});
    served
        .other
        .put("/v1/products/lamp/offers/lamp", &offer)
        .expect(201);
    let wanted = json!({"at": "other", "lines": [{"sku": "lamp", "quantity": 1}]});
    let orders = format!("/v1/customers/{id}/open-orders");
    served.api.post(&orders, &wanted).expect(201);
    // Registered, tokens bought, ordered.
    let mails = server.wait_for(3);
    let of = |mail: &&Value| mail["subject"].as_str().unwrap().contains("order at other");
    let told: Vec<&Value> = mails.iter().filter(of).collect();
    assert_eq!(told.len(), 1, "{mails:#?}");
    let text = told[0]["text"].as_str().unwrap();
    for words in [
        "Open tokens paid GBP 10.00 for it",
        "Paid with universal tokens: GBP 10.00",
        "Left of universal tokens: GBP 15.00",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

fn arrives(db: &TestDb, mode: &str) {
    let files = tempfile::tempdir().unwrap();
    let server = Aiosmtpd::start(mode, files.path());
    let served = Served::start_env(db, &settings(&server, mode));
    shop(&served);
    let mails = server.wait_for(6);
    let by = |words: &str| {
        let found = mails
            .iter()
            .find(|m| m["subject"].as_str().unwrap().contains(words));
        found
            .unwrap_or_else(|| panic!("{words}: {mails:#?}"))
            .clone()
    };
    let text = |mail: &Value, part: &str| mail[part].as_str().unwrap().to_owned();
    let registered = by("Your account");
    assert_eq!(registered["from"], "Retail <tokens@scrip.example>");
    assert_eq!(registered["envelope_to"], json!(["ada@example.org"]));
    assert_eq!(
        (&registered["login"], &registered["auto"]),
        (&json!(true), &json!("auto-generated"))
    );
    assert!(text(&registered, "text").starts_with("Hello Ada <b>Lovelace</b>"));
    assert!(text(&registered, "html").contains("Ada &#60;b&#62;Lovelace&#60;/b&#62;"));
    let bought = text(&by("1,234.5 tokens for your account"), "text");
    assert!(bought.contains("Price: GBP 12.35"), "{bought}");
    let receipt = by("Your order at Retail: 400.5 tokens");
    for words in [
        "2 × Lamp & shade: 400.5 tokens",
        "Paid: 400.5 tokens",
        "Left in your account: 834 tokens",
    ] {
        assert!(
            text(&receipt, "text").contains(words),
            "{words}: {receipt:#}"
        );
    }
    assert!(text(&receipt, "html").contains("Lamp &#38; shade"));
    let refused = text(&by("was not carried out"), "text");
    assert!(
        refused.contains("more tokens than your account has"),
        "{refused}"
    );
    let sent = text(&by("Your order at Retail is on its way"), "text");
    for words in ["Sent with: Post", "Tracking number: 1Z 9"] {
        assert!(sent.contains(words), "{words}: {sent}");
    }
    assert!(!served.log().contains("Unusual Street"), "{}", served.log());
    let done = wait_until("all done", || {
        let log = log(db);
        let done = log
            .iter()
            .filter(|d| d.state == DeliveryState::Done)
            .count();
        (done == mails.len()).then_some(log)
    });
    for delivery in &done {
        let id = format!("<{}@scrip.example>", delivery.message_id);
        assert!(mails.iter().any(|m| m["id"] == json!(id)), "{delivery:?}");
        assert!(!format!("{delivery:?}").to_lowercase().contains("ada@"));
    }
    assert!(!served.log().contains("ada@"), "{}", served.log());
}

/// REG-02, SHP-13: mails in text and HTML by SMTP, against aiosmtpd; what is sent is told with its
/// carrier and number, and no address stands in the log.
fn mails_arrive_over_starttls(db: &TestDb) {
    arrives(db, "starttls");
}

fn mails_arrive_over_tls(db: &TestDb) {
    arrives(db, "tls");
}

fn start_bad<'a>(db: &'a TestDb, server: &BadMail, security: &str) -> Served<'a> {
    Served::start_env(
        db,
        &[
            ("SCRIP_MAIL_HOST", "127.0.0.1"),
            ("SCRIP_MAIL_PORT", &server.port),
            ("SCRIP_MAIL_SECURITY", security),
            ("SCRIP_MAIL_FROM", "tokens@scrip.example"),
            ("SCRIP_MAIL_TIMEOUT", "1"),
        ],
    )
}

/// Addresses never go out in the clear because a server forgot its TLS.
fn a_server_without_starttls_gets_nothing(db: &TestDb) {
    let server = BadMail::start();
    let served = start_bad(db, &server, "starttls");
    customer(&served, "Ada");
    let tried = wait_until("a try", || {
        log(db).into_iter().find(|d| !d.answer.is_empty())
    });
    assert!(tried.answer.starts_with("STARTTLS"), "{tried:?}");
    assert_eq!(server.texts(), Vec::<String>::new());
}

/// Retried through the outbox, never twice.
fn none_is_lost_and_none_is_sent_twice(db: &TestDb) {
    let server = BadMail::start();
    let served = start_bad(db, &server, "none");
    let newest = || log(db).into_iter().next();
    let settled = |states: &[DeliveryState], number: usize| {
        wait_until("an end", || {
            let at = log(db).len() == number;
            newest().filter(|d| at && d.attempts > 0 && states.contains(&d.state))
        })
    };
    let mut number = 0;
    let mut sent = 0;
    for (stage, fault) in [
        (Stage::Greeting, Fault::Hangs),
        (Stage::Greeting, Fault::Says(554)),
        (Stage::Hello, Fault::Closes),
        (Stage::Sender, Fault::Says(451)),
        (Stage::Receiver, Fault::Says(450)),
        (Stage::Receiver, Fault::Hangs),
        (Stage::Data, Fault::Hangs),
        (Stage::Data, Fault::Closes),
        (Stage::Text, Fault::Says(451)),
    ] {
        number += 1;
        server.set(Some((stage, fault)));
        // A mail server that hangs delays nothing else.
        customer(&served, "Ada");
        let waits = settled(&[DeliveryState::Waiting], number);
        assert!(!waits.answer.contains("ada"), "{waits:?}");
        server.set(None);
        let done = settled(&[DeliveryState::Done], number);
        assert!(done.attempts > 1, "{stage:?} {fault:?}: {done:?}");
        // A text that was refused was not taken.
        sent += 1 + usize::from(stage == Stage::Text) * usize::try_from(done.attempts - 1).unwrap();
        assert_eq!(server.texts().len(), sent, "{stage:?} {fault:?}");
    }
    for (stage, fault, state) in [
        (Stage::Receiver, Fault::Says(550), DeliveryState::Parked),
        (Stage::Text, Fault::Says(554), DeliveryState::Parked),
        (Stage::Text, Fault::Closes, DeliveryState::Uncertain),
        (Stage::Text, Fault::Hangs, DeliveryState::Uncertain),
    ] {
        number += 1;
        server.set(Some((stage, fault)));
        customer(&served, "Ada");
        let ended = settled(&[state], number);
        assert_eq!(ended.attempts, 1, "{ended:?}");
        assert!(!ended.answer.contains("ada"), "{ended:?}");
        sent += usize::from(stage == Stage::Text);
    }
    server.set(None);
    number += 1;
    customer(&served, "Ada");
    settled(&[DeliveryState::Done], number);
    assert_eq!(
        server.texts().len(),
        sent + 1,
        "what ended was not tried again"
    );
}

//! Webhooks over HTTP: endpoints, signatures that the specification's own package accepts, and
//! receivers that misbehave.

use crate::api_customers::customer;
use crate::client::{Served, fresh_key};
use crate::receiver::{Answer, Call, Receiver, wait_until};
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

both!(
    an_event_arrives_signed,
    a_rotated_secret_signs_beside_the_old_one,
    endpoints_are_guarded,
    a_receiver_that_fails_holds_up_no_other,
);

const ANYWHERE: &[(&str, &str)] = &[("SCRIP_WEBHOOKS_ANYWHERE", "true")];

fn endpoint(served: &Served<'_>, url: &str, topics: &[&str]) -> (String, String) {
    let body = json!({"url": url, "topics": topics});
    let made = served
        .api
        .post("/v1/webhook-endpoints", &body)
        .expect(201)
        .clone();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("endpoint_id"), text("secret"))
}

/// What the package `standardwebhooks` says of a call.
fn verified(secret: &str, call: &Call) -> bool {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut child = Command::new(format!("{root}/target/tools/venv/bin/python"))
        .args(["-B", &format!("{root}/tests/messages/verify_webhook.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("scripts/install-test-tools installs it");
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: Value = names.iter().map(|n| (*n, call.header(n))).collect();
    let input = json!({"secret": secret, "headers": headers, "body": call.body});
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input.to_string().as_bytes()).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim() == "right"
}

/// Issue 4, item 5: Standard Webhooks, checked by its own package.
fn an_event_arrives_signed(db: &TestDb) {
    let served = Served::start_env(db, ANYWHERE);
    let receiver = Receiver::start(Answer::status(200));
    let (id, secret) = endpoint(&served, &receiver.url, &["customer.registered"]);
    let customer = customer(&served.api);
    let calls = receiver.wait_for(1);
    let call = &calls[0];
    assert!(verified(&secret, call), "{call:?}");
    let mut changed = call.clone();
    changed.body.push(' ');
    assert!(!verified(&secret, &changed));
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(body["type"], "customer.registered");
    assert_eq!(
        body["data"],
        json!({"id": customer, "customer_id": customer})
    );
    assert!(call.header("webhook-id").starts_with("msg_"));
    // A trial comes although the topic is not asked for.
    let test = format!("/v1/webhook-endpoints/{id}/tests");
    served.api.post(&test, &Value::Null).expect(204);
    let calls = receiver.wait_for(2);
    assert!(calls[1].body.contains("webhook.test") && verified(&secret, &calls[1]));
    served
        .api
        .delete(&format!("/v1/webhook-endpoints/{id}"))
        .expect(200);
    served.api.post(&test, &Value::Null).expect(404);
}

fn a_rotated_secret_signs_beside_the_old_one(db: &TestDb) {
    let served = Served::start_env(db, ANYWHERE);
    let receiver = Receiver::start(Answer::status(204));
    let (id, old) = endpoint(&served, &receiver.url, &[]);
    let key = fresh_key();
    let rotate = format!("/v1/webhook-endpoints/{id}/secrets");
    let rotated = served
        .api
        .post_under(&key, &rotate, &Value::Null)
        .expect(201)
        .clone();
    let new = rotated["secret"].as_str().unwrap();
    assert!(new.starts_with("whsec_") && new != old);
    // Shown once.
    let again = served
        .api
        .post_under(&key, &rotate, &Value::Null)
        .expect(201)
        .clone();
    assert_eq!(again["secret"], Value::Null);
    customer(&served.api);
    let calls = receiver.wait_for(1);
    assert!(verified(&old, &calls[0]) && verified(new, &calls[0]));
    let listed = served.api.get("/v1/webhook-endpoints");
    assert!(!listed.text.contains("whsec_"));
}

/// Addresses inside the operator's network are not called, and another vendor's ids lead nowhere.
fn endpoints_are_guarded(db: &TestDb) {
    let served = Served::start(db);
    let receiver = Receiver::start(Answer::status(200));
    for bad in [
        receiver.url.as_str(),
        "ftp://shop.example/",
        "https://user:secret@shop.example/",
        "https://",
        "<script>",
        "https://shop.example/#a",
    ] {
        let body = json!({"url": bad});
        let answer = served.api.post("/v1/webhook-endpoints", &body);
        assert_eq!(answer.status, 422, "{bad}: {answer:?}");
    }
    let body = json!({"url": "https://shop.example/", "topics": ["no.such"]});
    served.api.post("/v1/webhook-endpoints", &body).expect(422);
    // A name that leads to this machine: found out when it is called.
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    let (id, _) = endpoint(&served, &format!("https://localhost:{port}"), &[]);
    customer(&served.api);
    wait_until("refused try", || {
        let listed = served.api.get("/v1/webhook-endpoints").expect(200).clone();
        (listed["items"][0]["failures"].as_i64() > Some(0)).then_some(())
    });
    assert!(receiver.calls().is_empty());
    let path = format!("/v1/webhook-endpoints/{id}");
    served.other.delete(&path).expect(404);
    let rotate = format!("{path}/secrets");
    served.other.post(&rotate, &Value::Null).expect(404);
}

/// One that hangs, one that fails, one that redirects, one that floods: each is tried again under
/// the same id, and the one that works hears of everything meanwhile. One that is gone is disabled.
fn a_receiver_that_fails_holds_up_no_other(db: &TestDb) {
    let served = Served::start_env(db, ANYWHERE);
    let good = Receiver::start(Answer::status(200));
    let location = format!("location: {}\r\n", good.url);
    let bad = [
        Answer::Silence,
        Answer::Status(500, String::new(), "<b>no</b>".into()),
        Answer::Status(307, location, String::new()),
        Answer::Flood(503),
    ]
    .map(Receiver::start);
    let topics = ["customer.registered"];
    for receiver in &bad {
        endpoint(&served, &receiver.url, &topics);
    }
    let flood = Receiver::start(Answer::Flood(200));
    endpoint(&served, &flood.url, &topics);
    endpoint(&served, &good.url, &topics);
    let gone = Receiver::start(Answer::status(410));
    endpoint(&served, &gone.url, &topics);
    customer(&served.api);
    good.wait_for(1);
    for receiver in &bad {
        let calls = receiver.wait_for(2);
        receiver.answers(Answer::status(200));
        assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
        assert_eq!(calls[0].body, calls[1].body);
    }
    customer(&served.api);
    customer(&served.api);
    good.wait_for(3);
    // Each of them hears of all three in the end.
    for receiver in bad.iter().chain([&flood]) {
        wait_until("all three", || {
            let calls = receiver.calls();
            let ids = calls.iter().map(|c| c.header("webhook-id").to_owned());
            let ids: std::collections::BTreeSet<String> = ids.collect();
            (ids.len() == 3).then_some(())
        });
    }
    let ids = |receiver: &Receiver| receiver.calls().len();
    assert_eq!(
        (ids(&good), ids(&flood)),
        (3, 3),
        "what was taken is not sent again"
    );
    let listed = served.api.get("/v1/webhook-endpoints").expect(200).clone();
    let last = listed["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["state"].as_str(), ids(&gone)), (Some("disabled"), 1));
}

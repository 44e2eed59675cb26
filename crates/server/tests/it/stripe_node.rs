//! A node whose cards are charged by Stripe: what its pages load, and who may tell it something.

use crate::client::Served;
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

const SECRET: &str = "sk_test_this_stays_secret";

/// A node with a peer that nobody listens at.
fn start(db: &TestDb) -> Served<'_> {
    let flags = [
        "--cards",
        "stripe",
        "--stripe-url",
        "http://127.0.0.1:9",
        "--stripe-script",
        "http://127.0.0.1:9/js.stripe.com/v3/",
        "--stripe-publishable-key",
        "pk_test_12345",
    ];
    let variables = [
        ("SCRIP_STRIPE_SECRET_KEY", SECRET),
        ("SCRIP_STRIPE_WEBHOOK_SECRET", "whsec_old,whsec_vector"),
    ];
    Served::start_taking(db, &flags, &variables, |_| {})
}

/// TOK-08: the number of a card never comes here. The page that sells tokens, and no other, loads
/// the processor's script; without script it says how else to pay; no secret leaves the node.
#[test]
fn only_the_page_that_takes_a_card_loads_the_script() {
    let db = TestDb::sqlite();
    let served = start(&db);
    let body = json!({"person": {"name": "Ana"}, "pin": "40712"});
    let made = served.api.post("/v1/customers", &body).expect(201).clone();
    let visitor = Visitor::new(&served);
    let number = made["number"].as_str().unwrap();
    let fields = [("name", number), ("secret", "40712")];
    visitor.post("/shops/retail/sign-in", &fields).see();
    for (path, loads) in [
        ("/shops/retail/buy", true),
        ("/shops/retail/account", false),
        ("/shops/retail/account/cards", false),
    ] {
        let answer = visitor.get(path);
        let policy = answer.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(policy.contains("127.0.0.1:9"), loads, "{path}: {policy}");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        let page = answer.page(200).to_owned();
        assert_eq!(page.contains("js.stripe.com/v3/"), loads, "{path}");
        assert_eq!(page.contains("pk_test_12345"), loads, "{path}");
        assert!(!page.contains(SECRET));
        if loads {
            assert!(page.contains("<noscript>") && page.contains("needs JavaScript"));
        }
    }
    for method in ["", "4242424242424242", "pm_4242 4242", "pm_<b>", "tok_1"] {
        let page = visitor
            .get("/shops/retail/buy?tokens=60")
            .page(200)
            .to_owned();
        let key = crate::club::hidden(&page, "key");
        let fields = [
            ("tokens", "60"),
            ("card", "new"),
            ("method", method),
            ("key", &key),
        ];
        let page = visitor
            .post("/shops/retail/buy", &fields)
            .page(422)
            .to_owned();
        assert!(page.contains("Enter the card."), "{method}");
        assert!(!page.contains("4242"), "{method}");
    }
    assert!(!served.log().contains(SECRET));
    assert!(!served.log().contains("4242"));
}

/// A message counts when Stripe signed it just now; nobody else is believed, and no shop is told
/// what concerns another.
#[test]
fn only_signed_messages_are_taken() {
    let db = TestDb::sqlite();
    let served = start(&db);
    let body = r#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#;
    // Made by `openssl dgst -sha256 -hmac whsec_vector`, for a time that is long ago.
    let old = "t=1700000000,v1=95e12fa364fb1d1e7cef03128d5b5bdecf3962cf88cbbcd726a1fb2eb3b9ea84";
    for header in ["", "t=1,v1=00", old] {
        let headers = [("stripe-signature", header)];
        let told = served
            .api
            .send("POST", "/webhooks/stripe/retail", &headers, body.as_bytes());
        told.problem(400, "signature_wrong");
    }
    let told = |slug: &str, secret: &str, body: &str| {
        let header = signed(secret, body);
        let headers = [("stripe-signature", header.as_str()), ("authorization", "")];
        let path = format!("/webhooks/stripe/{slug}");
        served
            .api
            .send("POST", &path, &headers, body.as_bytes())
            .status
    };
    let event = |id: &str| {
        json!({"id": id, "type": "payment_intent.succeeded",
               "data": {"object": {"id": "pi_nobodys"}}})
        .to_string()
    };
    for secret in ["whsec_vector", "whsec_old"] {
        assert_eq!(told("retail", secret, &event("evt_1")), 200);
    }
    assert_eq!(told("retail", "whsec_other", &event("evt_1")), 400);
    assert_eq!(told("nobody", "whsec_vector", &event("evt_1")), 404);
    assert_eq!(told("retail", "whsec_vector", "no json"), 400);
    assert_eq!(told("retail", "whsec_vector", &event("")), 400);
    let unknown = json!({"id": "evt_2", "type": "invoice.paid"}).to_string();
    assert_eq!(told("retail", "whsec_vector", &unknown), 200);
    let large = "x".repeat(300_000);
    assert_eq!(told("retail", "whsec_vector", &large), 413);
}

/// A header as Stripe makes it now, by a program that is not ours.
fn signed(secret: &str, body: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let script = "import hmac, hashlib, sys; print(hmac.new(sys.argv[1].encode(), \
                  sys.stdin.buffer.read(), hashlib.sha256).hexdigest())";
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", script, secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(format!("{now}.{body}").as_bytes()).unwrap();
    drop(pipe);
    let made = child.wait_with_output().unwrap();
    format!(
        "t={now},v1={}",
        String::from_utf8(made.stdout).unwrap().trim()
    )
}

/// A node without the keys that it needs says which, and does not start.
#[test]
fn missing_keys_are_named() {
    let db = TestDb::sqlite();
    let program = crate::program::Program::with_vendor(&db);
    let start = |flags: &[&str], variables: &[(&str, &str)]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--cards", "stripe"];
        let ran = program
            .command(&serve)
            .args(flags)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(2));
        String::from_utf8(ran.stderr).unwrap()
    };
    assert!(start(&[], &[]).contains("SCRIP_STRIPE_SECRET_KEY"));
    let secret = [("SCRIP_STRIPE_SECRET_KEY", SECRET)];
    let told = start(&[], &secret);
    assert!(told.contains("--stripe-publishable-key") && !told.contains(SECRET));
    let told = start(&["--stripe-publishable-key", SECRET], &secret);
    assert!(told.contains("begins with pk_") && !told.contains(SECRET));
    let odd = [
        "--stripe-publishable-key",
        "pk_1",
        "--stripe-url",
        "ftp://x",
    ];
    assert!(start(&odd, &secret).contains("--stripe-url"));
}

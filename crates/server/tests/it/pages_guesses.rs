//! Wrong guesses by where they come from, over HTTP (SHP-03). The limiter itself, with a million
//! of them, is tested beside it.

use crate::client::fresh_key;
use crate::club::{Club, PASSWORD, PIN, says};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    an_address_that_guesses_wrong_waits,
    others_and_those_who_are_in_go_on,
    programs_say_for_whom_they_ask,
);

const SIGN_IN: &str = "/shops/club/sign-in";

/// As a proxy before the node passes it on.
fn sign_in(club: &Club<'_>, from: &str, name: &str, secret: &str) -> crate::client::Answered {
    let headers = [("x-forwarded-for", from)];
    let fields = [("name", name), ("secret", secret)];
    club.visitor().post_with(SIGN_IN, &headers, &fields)
}

/// Wrong ones, each at another account so that no lock of an account has to do with it, until one
/// is refused: twenty, or a few more where the machine is slow and time frees some.
fn guess_until_refused(club: &Club<'_>, from: &str) {
    for n in 0..60 {
        let answer = sign_in(club, from, &format!("nobody {n}"), "99999");
        if answer.status == 429 {
            assert!(n >= 20, "{n}");
            return;
        }
        assert_eq!(answer.status, 401, "{n}: {}", answer.text);
    }
    panic!("nothing was refused");
}

/// SHP-03: who guessed wrong twenty times is told when to try again, at every place that asks for
/// a secret, whatever the secret; the figures count it. The header is believed from nobody here.
fn an_address_that_guesses_wrong_waits(db: &TestDb) {
    let club = Club::start(db);
    let (member, staff_in) = (club.member("Ida", 0), club.staff("manager"));
    guess_until_refused(&club, "203.0.113.1");
    let refused = sign_in(&club, "203.0.113.2", &member.number, PIN);
    says(
        &refused,
        429,
        &["Too many tries in a row.", "Try again in", "seconds"],
    );
    let wait = refused.headers["retry-after"].to_str().unwrap();
    assert!((1..=30).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    let staff = [("name", "Ada"), ("password", PASSWORD)];
    let code = [
        ("name", member.number.as_str()),
        ("code", "7Q2XK-M4T9A"),
        ("pin", "83051"),
        ("pin_again", "83051"),
    ];
    let pin = [
        ("old", "1"),
        ("new", "83051"),
        ("again", "83051"),
        ("key", "x"),
    ];
    let link = [("act", "link"), ("name", "x"), ("secret", "99999")];
    for (path, fields) in [
        ("/shops/club/staff/sign-in", staff.as_slice()),
        ("/shops/club/forgot", &code),
        ("/shops/club/account/pin", &pin),
        ("/shops/club/account/linked", &link),
    ] {
        assert_eq!(member.visitor.post(path, fields).status, 429, "{path}");
    }
    let own = [
        ("old", PASSWORD),
        ("new", "nine geese walk"),
        ("again", "nine geese walk"),
    ];
    let order = [
        ("account", member.number.as_str()),
        ("pin", PIN),
        ("tokens", "10"),
        ("pack", ""),
        ("means", "check"),
        ("channel", "phone"),
        ("payment", ""),
        ("key", "order"),
    ];
    for (path, fields) in [
        ("/shops/club/staff/password", own.as_slice()),
        ("/shops/club/staff/token-orders/new", &order),
    ] {
        assert_eq!(staff_in.post(path, fields).status, 429, "{path}");
    }
    let figures = club.visitor().get("/metrics").text;
    assert!(
        figures.contains("scrip_guesses_refused_total 8"),
        "{figures}"
    );
    // The visit goes on.
    says(&member.visitor.get("/shops/club/account"), 200, &["Ida"]);
}

/// SHP-03: behind a proxy that is trusted each client has its own; nobody is kept out by another one.
fn others_and_those_who_are_in_go_on(db: &TestDb) {
    let club = Club::start_env(db, &[("SCRIP_TRUSTED_PROXIES", "127.0.0.0/8,::1")]);
    let member = club.member("Ida", 0);
    guess_until_refused(&club, "203.0.113.1");
    assert_eq!(
        sign_in(&club, "203.0.113.1", &member.number, PIN).status,
        429
    );
    // What a client writes itself is not believed.
    let forged = "198.51.100.3, 203.0.113.1";
    assert_eq!(sign_in(&club, forged, &member.number, PIN).status, 429);
    for _ in 0..30 {
        let other = sign_in(&club, "203.0.113.2", &member.number, PIN);
        assert_eq!(
            other.see(),
            "/shops/club/shop",
            "what is right costs nothing"
        );
    }
    says(&member.visitor.get("/shops/club/account"), 200, &["Ida"]);
}

/// ARC-04: a vendor's own page passes on who asks; without it the key is counted, and has more.
fn programs_say_for_whom_they_ask(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let verify = |from: Option<&str>, pin: &str| {
        let path = format!("/v1/customers/{}/verifications", member.id);
        let headers = from.map(|from| ("scrip-client-address", from));
        let key = fresh_key();
        let mut all = vec![
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        all.extend(headers);
        let body = json!({"pin": pin}).to_string();
        club.api.send("POST", &path, &all, body.as_bytes())
    };
    // The account's own lock answers after five; each of them is a guess all the same.
    for _ in 0..20 {
        verify(Some("203.0.113.1"), "99999").expect(200);
    }
    let refused = verify(Some("203.0.113.1"), PIN);
    assert_eq!(refused.expect(429)["code"], "too_many_attempts");
    assert!(refused.headers.contains_key("retry-after"));
    verify(Some("203.0.113.2"), PIN).expect(200);
    for from in [None, Some("no address")] {
        verify(from, PIN).expect(200);
    }
}

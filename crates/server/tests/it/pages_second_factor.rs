//! One-time codes at sign-in, over HTTP, without script (SHP-03).

use crate::club::{Club, PASSWORD, PIN, says};
use crate::visitor::Visitor;
use hmac::{Hmac, KeyInit, Mac};
use scrip_testkit::TestDb;
use sha1::Sha1;
use std::time::{SystemTime, UNIX_EPOCH};

both!(
    a_customer_turns_codes_on_and_signs_in_with_one,
    staff_turn_codes_on_and_sign_in_with_one,
);

/// What an app shows, so many half minutes from now.
pub fn app(secret: &str, steps: u64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut key, mut value, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in secret.chars().filter(|c| *c != ' ') {
        value = value << 5 | LETTERS.find(letter).unwrap() as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push((value >> bits & 255) as u8);
        }
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&key).unwrap();
    mac.update(&(now / 30 + steps).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let from = usize::from(hash[19] & 15);
    let four: [u8; 4] = hash[from..from + 4].try_into().unwrap();
    format!(
        "{:06}",
        (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000
    )
}

/// Turns the codes on at this address; the secret and the recovery codes.
pub fn turn_on(visitor: &Visitor, path: &str) -> (String, Vec<String>) {
    assert_eq!(visitor.post(path, &[("act", "begin")]).see(), path);
    let page = says(
        &visitor.get(path),
        200,
        &["Tell the app", "<svg class=\"qr\""],
    );
    let mono = page.split("<p class=\"mono\">").nth(1).unwrap();
    let secret = mono.split('<').next().unwrap().to_owned();
    assert_eq!(secret.len(), 39, "32 letters in groups of four: {secret}");
    let confirm = |code: &str| visitor.post(path, &[("act", "confirm"), ("code", code)]);
    says(
        &confirm("1"),
        422,
        &["This code is not right", "Tell the app"],
    );
    let done = confirm(&app(&secret, 0));
    let page = says(&done, 200, &["One-time codes are on.", "Recovery codes"]);
    let codes = page.split("<li class=\"mono\">").skip(1);
    let codes: Vec<_> = codes
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    assert_eq!(codes.len(), 10);
    let later = says(&visitor.get(path), 200, &["10 recovery codes left"]);
    assert!(
        !later.contains(&codes[0]) && !later.contains(&secret),
        "shown once"
    );
    (secret, codes)
}

/// SHP-03: PIN and code together are a session, and the PIN alone opens nothing. A used code does
/// not work again; staff lift it for one who lost the app.
fn a_customer_turns_codes_on_and_signs_in_with_one(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida Berg", 0);
    let (secret, codes) = turn_on(&member.visitor, "/shops/club/account/second-factor");
    let begin = || {
        let visitor = club.visitor();
        let fields = [
            ("name", member.number.as_str()),
            ("secret", PIN),
            ("next", "/shops/club/orders"),
        ];
        let half = visitor.post("/shops/club/sign-in", &fields);
        assert!(half.see().starts_with("/shops/club/sign-in/code?next="));
        says(&visitor.get(half.see()), 200, &["One code more"]);
        assert!(
            visitor
                .get("/shops/club/account")
                .see()
                .contains("/sign-in"),
            "not in yet"
        );
        visitor
    };
    let finish = |visitor: &Visitor, code: &str| {
        let fields = [("code", code), ("next", "/shops/club/orders")];
        visitor.post("/shops/club/sign-in/code", &fields)
    };
    let visitor = begin();
    says(
        &finish(&visitor, "nonsense"),
        401,
        &["This code is not right"],
    );
    let code = app(&secret, 1);
    assert_eq!(finish(&visitor, &code).see(), "/shops/club/orders");
    says(&visitor.get("/shops/club/account"), 200, &["Ida Berg"]);
    let visitor = begin();
    says(&finish(&visitor, &code), 401, &["was used before"]);
    assert_eq!(finish(&visitor, &codes[0]).see(), "/shops/club/orders");
    // Without the first half there is no second.
    let stranger = club.visitor();
    assert_eq!(finish(&stranger, &codes[1]).see(), "/shops/club/sign-in");
    assert_eq!(
        stranger.get("/shops/club/sign-in/code").see(),
        "/shops/club/sign-in"
    );
    let cashier = club.staff("cashier");
    let here = format!("/shops/club/staff/customers/{}", member.id);
    says(&cashier.get(&here), 200, &["Turn one-time codes off"]);
    let off = cashier.post(&format!("{here}/second-factor-off"), &[("key", "off")]);
    says(&cashier.get(off.see()), 200, &["One-time codes are off."]);
    club.signed_in(&member.number);
    let trail = club.api.get("/v1/audit?action=second_factor.lifted");
    assert_eq!(trail.expect(200)["items"].as_array().unwrap().len(), 1);
}

/// SHP-03: the same for staff; a password that the owner sets anew lifts it.
fn staff_turn_codes_on_and_sign_in_with_one(db: &TestDb) {
    let club = Club::start(db);
    let auditor = club.staff("auditor");
    let (secret, _) = turn_on(&auditor, "/shops/club/staff/second-factor");
    let begin = |visitor: &Visitor, password: &str| {
        let fields = [("name", "Ada the auditor"), ("password", password)];
        visitor
            .post("/shops/club/staff/sign-in", &fields)
            .see()
            .to_owned()
    };
    let visitor = club.visitor();
    let half = begin(&visitor, PASSWORD);
    assert!(
        half.starts_with("/shops/club/staff/sign-in/code?next="),
        "{half}"
    );
    says(&visitor.get(&half), 200, &["One code more"]);
    assert!(
        visitor
            .get("/shops/club/staff/today")
            .see()
            .contains("/staff/sign-in")
    );
    let code = app(&secret, 1);
    let fields = [
        ("code", code.as_str()),
        ("next", "/shops/club/staff/orders"),
    ];
    let open = visitor.post("/shops/club/staff/sign-in/code", &fields);
    assert_eq!(open.see(), "/shops/club/staff/orders");
    assert_eq!(visitor.get("/shops/club/staff/orders").status, 200);
    let staff = club.api.get("/v1/staff");
    let id = staff.expect(200)["items"][0]["staff_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let anew = serde_json::json!({"password": "twelve geese fly"});
    let set = club.api.put(&format!("/v1/staff/{id}/password"), &anew);
    assert!(set.status < 300, "{}", set.text);
    let next = begin(&club.visitor(), "twelve geese fly");
    assert_eq!(next, "/shops/club/staff/today");
}

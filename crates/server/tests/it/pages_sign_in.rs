//! Signing in, leaving, and a forgotten PIN, over HTTP, without script.

use crate::client::{Api, Served};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    the_right_secret_opens_a_session,
    wrong_unknown_and_locked_are_answered_alike,
    a_closed_account_says_so_to_its_owner,
    nobody_is_sent_out_of_the_shop,
    sessions_change_with_each_sign_in,
    an_expired_session_leads_back,
    quitting_ends_the_session_and_costs_nothing,
    pages_of_other_sites_can_post_nothing,
    a_code_from_staff_sets_a_new_pin,
    codes_that_do_not_work_are_answered_alike,
    awkward_texts_are_answered,
);

const SIGN_IN: &str = "/shops/retail/sign-in";
const FORGOT: &str = "/shops/retail/forgot";
const QUIT: &str = "/shops/retail/quit";
const COOKIE: &str = "__Host-customer-retail";
const PIN: &str = "40712";
const PASSWORD: &str = "eleven geese fly";

/// A customer, registered by a program: id and account number.
fn customer(api: &Api, login: &str) -> (String, String) {
    let body = json!({
        "person": {"name": "Ida Berg"}, "login": login, "pin": PIN, "password": PASSWORD,
    });
    let made = api.post("/v1/customers", &body);
    let made = made.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("customer_id"), text("number"))
}

fn signs_in(visitor: &Visitor, name: &str, secret: &str) -> bool {
    let answer = visitor.post(SIGN_IN, &[("name", name), ("secret", secret)]);
    let is_in = answer.status == 303;
    assert_eq!(is_in, answer.headers.contains_key("set-cookie"));
    if !is_in {
        answer.page(401);
    }
    is_in
}

/// True when pages know the visitor as a customer.
fn is_in(visitor: &Visitor) -> bool {
    visitor.get("/shops/retail/account").status == 200
}

/// SHP-03: account number or sign-in name, with PIN or password in one field.
fn the_right_secret_opens_a_session(db: &TestDb) {
    let served = Served::start(db);
    let (_, number) = customer(&served.api, "wren");
    for name in [&number, &number.replace('-', " "), "wren", " WREN"] {
        for secret in [PIN, " 40712 ", PASSWORD] {
            let visitor = Visitor::new(&served);
            assert!(!is_in(&visitor));
            assert!(signs_in(&visitor, name, secret), "{name} {secret}");
            assert!(is_in(&visitor), "{name} {secret}");
        }
    }
    let visitor = Visitor::new(&served);
    let answer = visitor.get(SIGN_IN);
    let page = answer.page(200);
    assert!(page.contains("autocomplete=\"current-password\""), "{page}");
    assert_eq!(page.matches(" autofocus").count(), 1, "the first field");
    assert!(!page.contains("demo"), "{page}");
    signs_in(&visitor, "wren", PIN);
    assert_eq!(
        visitor.get(SIGN_IN).see(),
        "/shops/retail/shop",
        "signed in already"
    );
}

/// SHP-03: a wrong PIN, an account that nobody has, one of another shop and a locked one get the
/// same page and no session, even with the right PIN.
fn wrong_unknown_and_locked_are_answered_alike(db: &TestDb) {
    let served = Served::start(db);
    let (_, number) = customer(&served.api, "wren");
    let (_, foreign) = customer(&served.other, "other-wren");
    let visitor = Visitor::new(&served);
    let refused = |name: &str, secret: &str| {
        let answer = visitor.post(SIGN_IN, &[("name", name), ("secret", secret)]);
        assert!(
            !answer.headers.contains_key("set-cookie"),
            "{name} {secret}"
        );
        let page = answer.page(401);
        assert!(!page.contains(secret), "the secret is shown: {page}");
        let value = format!("value=\"{name}\"");
        assert!(page.contains(&value), "{value} is kept: {page}");
        page.replace(&value, "")
    };
    let wrong = refused(&number, "77991");
    assert!(wrong.contains("role=\"alert\"") && wrong.contains("aria-invalid=\"true\""));
    assert!(
        wrong.contains("aria-describedby=\"secret-error\""),
        "{wrong}"
    );
    assert_eq!(wrong.matches(" autofocus").count(), 1, "{wrong}");
    assert_eq!(refused("nobody", PIN), wrong, "unknown");
    assert_eq!(refused(&foreign, PIN), wrong, "of another shop");
    assert_eq!(refused("other-wren", PIN), wrong, "of another shop");
    assert_eq!(refused(&number, "wrong password"), wrong);
    for _ in 0..4 {
        refused(&number, "77991");
    }
    assert_eq!(refused(&number, PIN), wrong, "locked");
    assert_eq!(refused("wren", PIN), wrong, "locked by its other name");
    assert!(visitor.cookie(COOKIE).is_none() && !is_in(&visitor));
    assert!(
        signs_in(&visitor, &number, PASSWORD),
        "the password is not locked"
    );
    // A slip in the number is told whoever has it: that depends on its digits alone.
    let slip = refused("001-8271-0007-43", PIN);
    assert!(slip.contains("has a wrong digit"), "{slip}");
}

/// SHP-03: whoever knows the secret of a closed account is told; others learn nothing.
fn a_closed_account_says_so_to_its_owner(db: &TestDb) {
    let served = Served::start(db);
    let (id, number) = customer(&served.api, "wren");
    let visitor = Visitor::new(&served);
    assert!(signs_in(&visitor, "wren", PIN));
    let closed = served
        .api
        .post(&format!("/v1/customers/{id}/close"), &json!({}));
    closed.expect(200);
    assert!(!is_in(&visitor), "open sessions end with the account");
    let answer = visitor.post(SIGN_IN, &[("name", "wren"), ("secret", PIN)]);
    let page = answer.page(409);
    assert!(
        page.contains("This account is closed") && page.contains(&number),
        "{page}"
    );
    assert!(!answer.headers.contains_key("set-cookie"));
    assert!(!signs_in(&Visitor::new(&served), "wren", "77991"));
}

/// SHP-03: after signing in one comes to the page that one wanted, if it is of this shop.
fn nobody_is_sent_out_of_the_shop(db: &TestDb) {
    let served = Served::start(db);
    customer(&served.api, "wren");
    let inside = [
        "/shops/retail/account",
        "/shops/retail/shop?category=A%20B",
        "/shops/retail",
    ];
    let outside = [
        "https://evil.example/shops/retail/",
        "//evil.example/shops/retail/",
        "/\\evil.example",
        "/shops/other/shop",
        "/shops/retail-2/shop",
        "/shops/retail/\r\nSet-Cookie: a=b",
        "/shops/retail/\"><script>",
        "javascript:alert(1)",
        "",
    ];
    let typed = [("name", "wren"), ("secret", PIN)];
    for (next, place) in inside
        .map(|next| (next, next))
        .into_iter()
        .chain(outside.map(|next| (next, "/shops/retail/shop")))
    {
        let visitor = Visitor::new(&served);
        let asked = serde_html_form::to_string([("next", next)]).unwrap();
        let page = visitor.get(&format!("{SIGN_IN}?{asked}")).text;
        let hidden = page.contains("name=\"next\"");
        assert_eq!(hidden, place == next, "{next}: {page}");
        // Kept over a wrong try, and not let in there either.
        let fields = [("name", "wren"), ("secret", "77991"), ("next", next)];
        let page = visitor.post(SIGN_IN, &fields).text;
        assert_eq!(
            page.contains("name=\"next\""),
            place == next,
            "{next}: {page}"
        );
        let answer = visitor.post(SIGN_IN, &[&typed[..], &[("next", next)]].concat());
        assert_eq!(answer.see(), place, "{next}");
        let again = visitor.get(&format!("{SIGN_IN}?{asked}"));
        assert_eq!(again.see(), place, "{next}, signed in already");
    }
}

/// SHP-03: each sign-in makes a fresh session and ends the one before; a token that a stranger has
/// planted becomes nobody's session.
fn sessions_change_with_each_sign_in(db: &TestDb) {
    let served = Served::start(db);
    customer(&served.api, "wren");
    let (visitor, thief) = (Visitor::new(&served), Visitor::new(&served));
    let planted = "A".repeat(43);
    visitor.take_cookie(COOKIE, &planted);
    assert!(signs_in(&visitor, "wren", PIN));
    let first = visitor.cookie(COOKIE).unwrap();
    assert_ne!(first, planted);
    thief.take_cookie(COOKIE, &planted);
    assert!(!is_in(&thief));
    thief.take_cookie(COOKIE, &first);
    assert!(is_in(&thief), "the token is all that counts");
    assert!(signs_in(&visitor, "wren", PIN));
    assert_ne!(visitor.cookie(COOKIE), Some(first));
    assert!(
        is_in(&visitor) && !is_in(&thief),
        "the earlier session has ended"
    );
    let answer = visitor.post(SIGN_IN, &[("name", "wren"), ("secret", PIN)]);
    let set = answer.headers["set-cookie"].to_str().unwrap();
    let token = visitor.cookie(COOKIE).unwrap();
    assert_eq!(
        set,
        format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax")
    );
    // A wrong try leaves the session that is there.
    assert!(!signs_in(&visitor, "wren", "77991"));
    assert!(is_in(&visitor));
}

/// SHP-03, SHP-16: whoever stood idle too long signs in and is back, and is told that the order
/// list is kept.
fn an_expired_session_leads_back(db: &TestDb) {
    let served = Served::start(db);
    customer(&served.api, "wren");
    let visitor = Visitor::new(&served);
    let fresh = visitor.get("/shops/retail/account?before=7");
    let place = fresh.headers["location"].to_str().unwrap();
    assert_eq!(
        place,
        "/shops/retail/sign-in?next=%2Fshops%2Fretail%2Faccount%3Fbefore%3D7"
    );
    assert!(
        visitor
            .get(place)
            .page(200)
            .contains("This page is for customers.")
    );
    assert!(signs_in(&visitor, "wren", PIN));
    db.run_sql("UPDATE session SET seen_at = 1");
    let expired = visitor.get("/shops/retail/account?before=7");
    assert_eq!(expired.headers["location"], place);
    let page = visitor.get(place).text;
    assert!(page.contains("Your order list is kept"), "{page}");
    let fields = [
        ("name", "wren"),
        ("secret", PIN),
        ("next", "/shops/retail/account?before=7"),
    ];
    assert_eq!(
        visitor.post(SIGN_IN, &fields).see(),
        "/shops/retail/account?before=7"
    );
    assert!(is_in(&visitor));
}

/// SHP-16: Quit ends the session here and nowhere else, and spends nothing.
fn quitting_ends_the_session_and_costs_nothing(db: &TestDb) {
    let served = Served::start(db);
    let (id, _) = customer(&served.api, "wren");
    customer(&served.other, "other-wren");
    let (visitor, elsewhere) = (Visitor::new(&served), Visitor::new(&served));
    for visitor in [&visitor, &elsewhere] {
        assert!(signs_in(visitor, "wren", PIN));
    }
    let other = [("name", "other-wren"), ("secret", PIN)];
    visitor.post("/shops/other/sign-in", &other).see();
    let balance = format!("/v1/customers/{id}/balance");
    let before = served.api.get(&balance).expect(200).clone();
    let token = visitor.cookie(COOKIE).unwrap();
    let answer = visitor.post(QUIT, &[]);
    assert_eq!(answer.see(), "/shops/retail/goodbye");
    assert_eq!(
        answer.headers["set-cookie"],
        format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
    );
    let page = visitor.get(answer.see()).text;
    assert!(
        page.contains("no token was spent") && page.contains("is kept"),
        "{page}"
    );
    assert!(!is_in(&visitor) && is_in(&elsewhere));
    assert_eq!(visitor.get("/shops/other/account").status, 200);
    // The token itself is dead, not only forgotten here.
    visitor.take_cookie(COOKIE, &token);
    assert!(!is_in(&visitor));
    assert_eq!(served.api.get(&balance).expect(200), &before);
    let stranger = Visitor::new(&served);
    assert_eq!(stranger.post(QUIT, &[]).see(), "/shops/retail/goodbye");
}

/// SHP-03: what a browser sends from a page of another site is refused and does nothing.
fn pages_of_other_sites_can_post_nothing(db: &TestDb) {
    let served = Served::start(db);
    let (id, number) = customer(&served.api, "wren");
    let code = code_for(&served.api, &id);
    let visitor = Visitor::new(&served);
    assert!(signs_in(&visitor, "wren", PIN));
    let token = visitor.cookie(COOKIE);
    let own = served.url.clone();
    let host = own.strip_prefix("http://").unwrap();
    let forms: [(&str, Vec<(&str, &str)>); 4] = [
        (SIGN_IN, vec![("name", "wren"), ("secret", PIN)]),
        (QUIT, vec![]),
        ("/shops/retail/register", vec![]),
        (
            FORGOT,
            vec![
                ("name", &number),
                ("code", &code),
                ("pin", "90871"),
                ("pin_again", "90871"),
            ],
        ),
    ];
    for (path, fields) in &forms {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ] {
            let answer = visitor.post_with(path, headers, fields);
            assert_eq!(answer.status, 403, "{path} {headers:?}: {}", answer.text);
            assert!(!answer.headers.contains_key("set-cookie"));
            assert_eq!(visitor.cookie(COOKIE), token);
        }
    }
    assert!(is_in(&visitor) && signs_in(&Visitor::new(&served), "wren", PIN));
    for (path, fields) in &forms {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("origin", own.as_str()),
            ("host", host),
        ];
        let answer = visitor.post_with(path, &headers, fields);
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
    }
    assert!(signs_in(&Visitor::new(&served), "wren", "90871"));
}

/// A code as staff give it.
fn code_for(api: &Api, id: &str) -> String {
    let made = api.post(&format!("/v1/customers/{id}/pin-resets"), &json!({}));
    let made = made.expect(201);
    made["code"].as_str().expect("a code").to_owned()
}

fn forgot(visitor: &Visitor, name: &str, code: &str, pins: [&str; 2]) -> crate::client::Answered {
    let [pin, again] = pins;
    let fields = [
        ("name", name),
        ("code", code),
        ("pin", pin),
        ("pin_again", again),
    ];
    visitor.post(FORGOT, &fields)
}

/// SHP-03: with a code from staff a new PIN is set; the old one and open sessions end.
fn a_code_from_staff_sets_a_new_pin(db: &TestDb) {
    let served = Served::start(db);
    let (id, number) = customer(&served.api, "wren");
    let (visitor, before) = (Visitor::new(&served), Visitor::new(&served));
    assert!(
        visitor
            .get(FORGOT)
            .page(200)
            .contains("Ask the shop's staff for a code")
    );
    for (name, pin) in [(number.as_str(), "90871"), (" Wren ", "55512")] {
        let code = code_for(&served.api, &id);
        assert!(signs_in(&before, "wren", PASSWORD));
        for (pins, said) in [
            (["1234", "1234"], "This PIN is among the first"),
            ([pin, "90872"], "The two PINs differ"),
            (["", ""], "Choose a PIN"),
        ] {
            let answer = forgot(&visitor, name, &code, pins);
            let page = answer.page(422);
            assert!(page.contains(said), "{said} is not in {page}");
            assert!(!page.contains(&code) && !page.contains(pin), "{page}");
            assert!(page.contains(&format!("value=\"{name}\"")), "{page}");
        }
        let typed = code.to_lowercase().replace('-', " ");
        let answer = forgot(&visitor, name, &typed, [pin, pin]);
        let place = answer.see();
        assert!(
            !answer.headers.contains_key("set-cookie"),
            "it signs nobody in"
        );
        assert!(
            visitor
                .get(place)
                .page(200)
                .contains("Your new PIN is set.")
        );
        assert!(!is_in(&before), "sessions have ended");
        assert!(signs_in(&Visitor::new(&served), "wren", pin));
        assert!(!signs_in(&Visitor::new(&served), "wren", PIN));
    }
    served.log_holds_none_of(&[PIN, "90871", "55512", PASSWORD, &number]);
}

/// SHP-03: a wrong code, none, one that expired or was used, and an unknown account are answered
/// with the same page; five wrong tries kill a code.
fn codes_that_do_not_work_are_answered_alike(db: &TestDb) {
    let served = Served::start(db);
    let (id, number) = customer(&served.api, "wren");
    let (_, foreign) = customer(&served.other, "other-wren");
    let visitor = Visitor::new(&served);
    let refused = |name: &str, code: &str| {
        let answer = forgot(&visitor, name, code, ["90871", "90871"]);
        let page = answer.page(422);
        assert!(!page.contains(code), "{page}");
        page.replace(&format!("value=\"{name}\""), "")
    };
    let none = refused(&number, "ZK2MD-0QX9A");
    assert!(none.contains("This code does not work for this account.") && none.contains("alert"));
    let code = code_for(&served.api, &id);
    assert_eq!(refused(&number, "00000-00001"), none, "wrong");
    assert_eq!(refused(&number, "not a code at all"), none);
    for unknown in ["nobody", &foreign, "other-wren"] {
        assert_eq!(refused(unknown, &code), none, "{unknown}");
    }
    db.run_sql("UPDATE pin_reset SET expires_at = 1");
    assert_eq!(refused(&number, &code), none, "expired");
    let code = code_for(&served.api, &id);
    for _ in 0..5 {
        refused(&number, "00000-00001");
    }
    assert_eq!(refused(&number, &code), none, "dead");
    assert!(signs_in(&visitor, "wren", PIN), "the PIN is as it was");
    let code = code_for(&served.api, &id);
    forgot(&visitor, "wren", &code, ["90871", "90871"]).see();
    assert_eq!(refused_once(&served, &number, &code), none, "used");
}

/// As a stranger sees it.
fn refused_once(served: &Served<'_>, name: &str, code: &str) -> String {
    let visitor = Visitor::new(served);
    let answer = forgot(&visitor, name, code, ["90871", "90871"]);
    answer.page(422).replace(&format!("value=\"{name}\""), "")
}

/// HTML, marks that turn the writing, 10,000 characters, empty and unknown fields.
fn awkward_texts_are_answered(db: &TestDb) {
    let served = Served::start(db);
    customer(&served.api, "wren");
    let visitor = Visitor::new(&served);
    let long = "x".repeat(10_000);
    for awkward in [
        "<script>alert(1)</script>",
        "\u{202e}\u{2066}\"'",
        "a\u{0}b",
        "a\nb",
        &long,
    ] {
        let shown = awkward
            .replace('<', "&#60;")
            .replace('>', "&#62;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;");
        let answer = visitor.post(SIGN_IN, &[("name", awkward), ("secret", PIN)]);
        let page = answer.page(401);
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(page.contains(&format!("value=\"{shown}\"")), "{page}");
        let answer = visitor.post(SIGN_IN, &[("name", "wren"), ("secret", awkward)]);
        assert!(!answer.page(401).contains(&shown), "secrets are not shown");
        for fields in [
            [("name", awkward), ("code", "ZK2MD-0QX9A")],
            [("name", "wren"), ("code", awkward)],
        ] {
            let pins = [("pin", "90871"), ("pin_again", "90871")];
            let answer = visitor.post(FORGOT, &[fields, pins].concat());
            assert!(!answer.page(422).contains("<script>alert"));
        }
    }
    for (fields, wrong) in [
        (&[][..], 2),
        (&[("name", " "), ("secret", "")], 2),
        (&[("name", "wren")], 1),
        (&[("secret", PIN)], 1),
    ] {
        let answer = visitor.post(SIGN_IN, fields);
        let page = answer.page(422);
        assert_eq!(page.matches("aria-invalid").count(), wrong, "{page}");
        assert_eq!(page.matches(" autofocus").count(), 1, "{page}");
    }
    let page = visitor.post(FORGOT, &[]).text;
    assert_eq!(
        page.matches("aria-invalid").count(),
        3,
        "name, code, PIN: {page}"
    );
    visitor
        .post(SIGN_IN, &[("name", "wren"), ("role", "owner")])
        .page(422);
    visitor
        .get(&format!("{SIGN_IN}?next=/shops/retail/shop&next=//x"))
        .page(422);
    assert!(visitor.cookie(COOKIE).is_none());
}

//! The pages of staff, over HTTP, without script.

use crate::club::{Club, PASSWORD, hidden, says};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    staff_sign_in_and_out,
    staff_of_one_shop_never_reach_another,
    auditors_look_and_change_nothing,
    the_day_is_told_in_figures_and_by_hour,
    staff_register_whoever_calls,
    awkward_details_are_refused_and_kept,
    customers_are_found_by_what_they_are_called,
    long_lists_come_in_parts,
    a_code_sets_a_new_pin,
    only_empty_accounts_close,
);

const STAFF: &str = "/shops/club/staff";
const COOKIE: &str = "__Host-staff-club";

fn at(path: &str) -> String {
    format!("{STAFF}{path}")
}

/// SHP-03: no session after a failure; whoever signs in comes to the page that was wanted, of
/// staff and of this shop only; quitting ends the session.
fn staff_sign_in_and_out(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("owner");
    let stranger = club.visitor();
    assert_eq!(visitor.get(STAFF).see(), at("/today"));
    let today = at("/today");
    let asked = stranger.get(&today).see().to_owned();
    assert_eq!(asked, at("/sign-in?next=%2Fshops%2Fclub%2Fstaff%2Ftoday"));
    says(
        &stranger.get(&asked),
        200,
        &["value=\"/shops/club/staff/today\""],
    );
    let name = "Ada the owner";
    for (name, password) in [
        (name, "eleven geese swim"),
        ("Nobody", PASSWORD),
        (name, ""),
        ("<b>\u{202e}", PASSWORD),
        (&"x".repeat(10_000), PASSWORD),
    ] {
        let fields = [("name", name), ("password", password)];
        let answer = stranger.post(&at("/sign-in"), &fields);
        assert!(!answer.headers.contains_key("set-cookie"));
        let page = says(
            &answer,
            401,
            &["do not belong together", "You are not signed in."],
        );
        assert!(!page.contains("<b>\u{202e}") && !page.contains(PASSWORD));
    }
    for (next, place) in [
        ("/shops/club/staff/orders?before=x", at("/orders?before=x")),
        ("https://evil.example/shops/club/staff", at("/today")),
        ("/shops/retail/staff/today", at("/today")),
        ("/shops/club/shop", at("/today")),
        ("/shops/club/staff/sign-in", at("/today")),
    ] {
        let fields = [("name", name), ("password", PASSWORD), ("next", next)];
        let answer = club.visitor().post(&at("/sign-in"), &fields);
        assert_eq!(answer.see(), place, "{next}");
    }
    let token = visitor.cookie(COOKIE).unwrap();
    assert_eq!(visitor.post(&at("/quit"), &[]).see(), at("/sign-in"));
    assert!(visitor.cookie(COOKIE).is_none());
    stranger.take_cookie(COOKIE, &token);
    assert_eq!(stranger.get(&today).see(), asked, "the session is over");
    for _ in 0..5 {
        let fields = [("name", name), ("password", "eleven geese swim")];
        club.visitor().post(&at("/sign-in"), &fields);
    }
    let fields = [("name", name), ("password", PASSWORD)];
    let locked = club.visitor().post(&at("/sign-in"), &fields);
    says(&locked, 429, &["Too many wrong tries in a row."]);
    assert!(!locked.headers.contains_key("set-cookie"));
}

/// Every page and every form of staff: path, fields. `{c}` is a customer, `{o}` an order.
const PAGES: [&str; 8] = [
    "/today",
    "/requests",
    "/customers",
    "/customers?q=abc",
    "/customers/{c}",
    "/orders",
    "/orders/{o}",
    "/customers/new",
];
const FORMS: [(&str, &[(&str, &str)]); 5] = [
    ("/customers/new", &[("name", "Eve"), ("key", "k1")]),
    ("/customers/{c}/pin-reset", &[("key", "k2")]),
    ("/customers/{c}/close", &[("key", "k3")]),
    ("/orders/{o}/refund", &[("key", "k4"), ("what", "whole")]),
    ("/orders/{o}/decline", &[("answer", "No")]),
];

fn filled(path: &str, customer: &str, order: &str) -> String {
    at(&path.replace("{c}", customer).replace("{o}", order))
}

/// MIC-02: neither the session, nor ids of another shop, nor a customer's session open anything.
fn staff_of_one_shop_never_reach_another(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 500);
    club.offer("pot", "Clay pot", 60, None);
    let order = club.order(&member.id, &[("pot", 1)]);
    club.ask_refund(&order, "It broke.");
    let foreign = club.staff_of(&club.served.api, "retail", "owner");
    let token = foreign.cookie("__Host-staff-retail").unwrap();
    let customer_token = member.visitor.cookie("__Host-customer-club").unwrap();
    // The cookies of others, under the name of this shop's staff.
    for token in [&token, &customer_token] {
        let visitor = club.visitor();
        visitor.take_cookie(COOKIE, token);
        for page in PAGES {
            let answer = visitor.get(&filled(page, &member.id, &order));
            assert!(answer.see().starts_with(&at("/sign-in?next=")), "{page}");
        }
        for (form, fields) in FORMS {
            let answer = visitor.post(&filled(form, &member.id, &order), fields);
            assert!(answer.see().starts_with(&at("/sign-in?next=")), "{form}");
        }
    }
    // The ids of this shop, on the pages of the other.
    let there = |path: &str| filled(path, &member.id, &order).replace("club", "retail");
    for page in ["/customers/{c}", "/orders/{o}"] {
        foreign.get(&there(page)).page(404);
    }
    for (form, fields) in &FORMS[1..] {
        let answer = foreign.post(&there(form), fields);
        assert!(
            matches!(answer.status, 404 | 409 | 422),
            "{form}: {}",
            answer.text
        );
    }
    for query in [&member.number, &member.id, &order] {
        let found = foreign.get(&there(&format!("/customers?q={query}")));
        says(&found, 200, &["Nobody is found by that"]);
    }
    for page in ["/today", "/requests", "/customers", "/orders"] {
        let shown = foreign.get(&there(page)).page(200).to_owned();
        for own in [&member.id, &order, "Ida", "It broke."] {
            assert!(!shown.contains(own), "{own} of another shop on {page}");
        }
    }
    // Nothing moved, and the customer's PIN still opens the account.
    assert_eq!(club.available(&member.id), "440");
    club.signed_in(&member.number);
    let asked = club.api.get("/v1/refund-requests");
    assert_eq!(asked.expect(200)["items"].as_array().unwrap().len(), 1);
}

/// MIC-02: an auditor sees all pages and is refused every form; cashiers and managers may do what
/// belongs to customers and orders.
fn auditors_look_and_change_nothing(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 500);
    club.offer("pot", "Clay pot", 60, None);
    let order = club.order(&member.id, &[("pot", 2)]);
    club.ask_refund(&order, "It broke.");
    let auditor = club.staff("auditor");
    for page in &PAGES[..7] {
        let answer = auditor.get(&filled(page, &member.id, &order));
        let shown = says(&answer, 200, &["Ada the auditor, auditor"]);
        let main = shown.split("<main").nth(1).unwrap();
        let main = main.split("</main>").next().unwrap();
        assert!(
            !main.contains("method=\"post\""),
            "a form on {page}: {main}"
        );
    }
    says(
        &auditor.get(&at("/customers/new")),
        403,
        &["This is not open to you."],
    );
    for (form, fields) in FORMS {
        let answer = auditor.post(&filled(form, &member.id, &order), fields);
        says(
            &answer,
            403,
            &["Your role is auditor", "Nothing was changed."],
        );
    }
    assert_eq!(club.available(&member.id), "380");
    club.signed_in(&member.number);
    for role in ["cashier", "manager"] {
        let visitor = club.staff(role);
        visitor.get(&at("/customers/new")).page(200);
        let fields = [
            ("key", role),
            ("what", "lines"),
            ("line", "1"),
            ("pieces", "1"),
        ];
        let done = visitor.post(&at(&format!("/orders/{order}/refund")), &fields);
        assert_eq!(done.see(), at(&format!("/orders/{order}?done=refunded")));
    }
    assert_eq!(club.available(&member.id), "500");
}

/// MIC-05: what was sold, spent and given back today, what is outstanding, and the hours as bars
/// and as a table.
fn the_day_is_told_in_figures_and_by_hour(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("cashier");
    says(
        &visitor.get(&at("/today")),
        200,
        &[
            "No tokens moved",
            "Nobody waits for an answer.",
            "No orders yet",
        ],
    );
    let member = club.member("Ida <b>Berg", 500);
    club.offer("pot", "Clay pot", 60, None);
    let order = club.order(&member.id, &[("pot", 3)]);
    club.order(&member.id, &[("pot", 1)]);
    let refund = json!({"lines": [{"line_no": 1, "quantity": 1}]});
    club.api
        .post(&format!("/v1/orders/{order}/refunds"), &refund);
    club.ask_refund(&order, "It <i>broke</i>.\u{202e}");
    let page = says(
        &visitor.get(&at("/today")),
        200,
        &[
            "<b>500</b><span class=\"vh\"> tokens</span></span><span class=\"sub\">tokens, for $50.00",
            "<b>240</b><span class=\"vh\"> tokens</span></span><span class=\"sub\">tokens, in 2 orders",
            "<b>60</b><span class=\"vh\"> tokens</span></span><span class=\"sub\">tokens, in 1 refund",
            "<b>320</b><span class=\"vh\"> tokens</span></span><span class=\"sub\">tokens, $32.00",
            "<dt>New accounts</dt><dd>1<span class=\"sub\">1 became active",
            "<title id=\"by-hour\">Tokens spent and given back by hour: 2 orders",
            "The same as a table",
            "Ida &#60;b&#62;Berg</bdi> asks for a refund.",
            "It &#60;i&#62;broke&#60;/i&#62;.",
            "60 tokens given back",
        ],
    );
    let bars: Vec<&str> = page.split("<rect class=\"solid\" ").skip(1).collect();
    assert!(bars.len() == 1 || bars.len() == 2, "at most two hours");
    for bar in bars {
        let bar = bar.split('>').next().unwrap();
        for attribute in ["x=\"", "y=\"", "width=\"12\"", "height=\""] {
            assert!(bar.contains(attribute), "{attribute} is not in {bar}");
        }
    }
    let quiet = says(
        &visitor.get(&at("/today?day=2020-02-29")),
        200,
        &[
            "Saturday 29 February 2020",
            "No tokens moved",
            "day=2020-02-28",
            "day=2020-03-01",
        ],
    );
    assert!(quiet.contains("<b>320</b>"), "outstanding is now: {quiet}");
    for odd in ["abc", "2026-02-30", "", "-9999-01-01", "9999-12-31"] {
        let answer = visitor.get(&at(&format!("/today?day={odd}")));
        assert!(
            matches!(answer.status, 200 | 422),
            "{odd}: {}",
            answer.status
        );
        answer.page(answer.status);
    }
}

fn key_of(visitor: &Visitor, path: &str) -> String {
    hidden(visitor.get(path).page(200), "key")
}

/// REG-03, REG-06: the same states as on line, the channel recorded; the form sent twice registers
/// once; the PIN opens the account.
fn staff_register_whoever_calls(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("cashier");
    let key = key_of(&visitor, &at("/customers/new"));
    let fields = [
        ("name", "Ida \"<b>\" \u{202e}Berg"),
        ("address", "Street 1\r\nTown"),
        ("phone", "+46 8 1"),
        ("email", "ida@example.com"),
        ("login", "ida.berg"),
        ("reference", "CRM 7/8"),
        ("pin", "83105"),
        ("key", key.as_str()),
    ];
    let place = visitor.post(&at("/customers/new"), &fields);
    let place = place.see().to_owned();
    assert_eq!(visitor.post(&at("/customers/new"), &fields).see(), place);
    let listed = club.api.get("/v1/customers");
    let listed = &listed.expect(200)["items"];
    assert_eq!(listed.as_array().unwrap().len(), 1, "registered once");
    assert_eq!(listed[0]["channel"], "staff");
    assert_eq!(listed[0]["state"], "inactive");
    let number = listed[0]["number"].as_str().unwrap();
    let page = says(
        &visitor.get(&place),
        200,
        &[
            "The account is open.",
            &format!("Tell the customer the account number: {number}. It becomes active with 50"),
            "Ida \"&#60;b&#62;\" \u{202e}Berg</bdi>"
                .replace('"', "&#34;")
                .as_str(),
            "Street 1\r\nTown",
            "Not active yet",
            "Registered by staff",
            "50 tokens short of the 50 tokens",
        ],
    );
    assert!(!page.contains("83105"));
    let fields = [("name", "ida.berg"), ("secret", "83105")];
    club.visitor().post("/shops/club/sign-in", &fields).see();
    // All of it may stay empty.
    let key = key_of(&visitor, &at("/customers/new"));
    let nobody = visitor.post(&at("/customers/new"), &[("key", &key)]);
    says(
        &visitor.get(nobody.see()),
        200,
        &["No personal data is kept."],
    );
}

/// REG-03: a clear error at the field, and nothing lost but the PIN.
fn awkward_details_are_refused_and_kept(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("cashier");
    let register = |changed: &[(&str, &str)]| {
        let key = key_of(&visitor, &at("/customers/new"));
        let mut fields = vec![
            ("name", "Ida"),
            ("address", "Street 1"),
            ("phone", "1"),
            ("email", "a@b"),
            ("login", ""),
            ("reference", ""),
            ("pin", ""),
        ];
        for field in &mut fields {
            if let Some((_, value)) = changed.iter().find(|(name, _)| *name == field.0) {
                field.1 = value;
            }
        }
        fields.push(("key", &key));
        visitor.post(&at("/customers/new"), &fields)
    };
    register(&[("login", "ida"), ("reference", "R1")]).see();
    let long = "<b>".repeat(3_334);
    for (field, value, status) in [
        ("name", long.as_str(), 422),
        ("name", "a\u{0}b", 422),
        ("address", long.as_str(), 422),
        ("phone", long.as_str(), 422),
        ("email", long.as_str(), 422),
        ("login", long.as_str(), 422),
        ("login", " IDA ", 409),
        ("reference", long.as_str(), 422),
        ("reference", "R1", 409),
        ("pin", "1234", 422),
        ("pin", long.as_str(), 422),
    ] {
        let answer = register(&[(field, value)]);
        let kept = if field == "name" {
            "value=\"a@b\""
        } else {
            "value=\"Ida\""
        };
        let page = says(
            &answer,
            status,
            &[
                "The customer is not registered yet.",
                &format!("id=\"{field}-error\""),
                kept,
            ],
        );
        assert_eq!(page.matches("aria-invalid").count(), 1, "{field}");
        assert!(!page.contains("<b><b>"), "{field} is not escaped");
        if field != "pin" && value == long {
            assert_eq!(
                page.matches("&#60;b&#62;").count(),
                3_334,
                "{field} is kept"
            );
        }
        assert!(!page.contains("1234") || field != "pin", "the PIN is shown");
    }
    let listed = club.api.get("/v1/customers");
    let listed = listed.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(listed, 1, "nobody was registered half");
}

/// Number, sign-in name, reference, an order's number; the whole of it.
fn customers_are_found_by_what_they_are_called(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("auditor");
    let body = json!({"person": {"name": "Ida Berg"}, "login": "ida.berg"});
    let made = club.api.post("/v1/customers", &body);
    let id = made.expect(201)["customer_id"].as_str().unwrap().to_owned();
    let number = made.json["number"].as_str().unwrap().to_owned();
    let path = format!("/v1/customers/{id}/reference");
    let named = club.api.put(&path, &json!({"reference": "CRM 7"}));
    assert!(named.status < 300, "{}", named.text);
    club.sell(&id, 100);
    club.offer("pot", "Clay pot", 60, None);
    let order = club.order(&id, &[("pot", 1)]);
    club.member("Bo", 0);
    let find = |typed: &str| {
        let query = serde_html_form::to_string([("q", typed)]).unwrap();
        visitor.get(&at(&format!("/customers?{query}")))
    };
    let spaced = number.replace('-', " ");
    for typed in [
        &number,
        &spaced,
        &format!(" {number} "),
        "IDA.berg",
        "CRM 7",
        &id,
        &order,
    ] {
        let page = says(
            &find(typed),
            200,
            &["Ida Berg", &number, &at(&format!("/customers/{id}"))],
        );
        assert!(!page.contains("<bdi>Bo</bdi>"), "{typed}");
    }
    let long = "x".repeat(10_000);
    for typed in [
        "Ida Berg",
        "CRM",
        "001",
        "<script>alert(1)</script>",
        "\u{202e}",
        &long,
    ] {
        let page = says(
            &find(typed),
            200,
            &["Nobody is found by that", "All customers"],
        );
        assert!(!page.contains("<script>alert"), "{typed}");
    }
    says(&find("  "), 200, &["Ida Berg", "Bo", "Customers"]);
}

/// SHP-19: lists of more than twenty come in parts that leave nothing out.
fn long_lists_come_in_parts(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("auditor");
    let member = club.member("Ida", 1000);
    club.offer("pot", "Clay pot", 10, None);
    let orders: Vec<String> = (0..23)
        .map(|_| club.order(&member.id, &[("pot", 1)]))
        .collect();
    let customers: Vec<String> = (0..22)
        .map(|n| club.member(&format!("C{n}"), 0).id)
        .collect();
    for (list, ids) in [("/orders", orders), ("/customers", customers)] {
        let mut path = at(list);
        let mut shown = String::new();
        let mut parts = 0;
        loop {
            let page = visitor.get(&path).page(200).to_owned();
            shown.push_str(&page);
            parts += 1;
            let Some((_, rest)) = page.split_once("rel=\"next\" href=\"") else {
                break;
            };
            path = rest.split('"').next().unwrap().to_owned();
        }
        assert_eq!(parts, 2, "{list}");
        for id in ids {
            let link = format!("href=\"{}\"", at(&format!("{list}/{id}")));
            assert_eq!(shown.matches(&link).count(), 1, "{id} on {list}");
        }
    }
    for odd in [
        "/orders?before=x",
        "/requests?after=x",
        "/customers?after=x",
        "/orders?x=1",
    ] {
        let answer = visitor.get(&at(odd));
        assert!(matches!(answer.status, 404 | 422), "{odd}");
        answer.page(answer.status);
    }
    let lost = visitor.get(&at("/orders/ord_1"));
    let lost = says(
        &lost,
        404,
        &["This page is not here.", "href=\"/shops/club/staff\""],
    );
    assert!(
        !lost.contains("/register"),
        "staff are no customers: {lost}"
    );
    visitor.get(&at("/customers/%3Cb%3E")).page(404);
}

/// REG-11: the code is shown once, and sets a new PIN; sending the form again shows none.
fn a_code_sets_a_new_pin(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("cashier");
    let member = club.member("Ida", 0);
    let page = at(&format!("/customers/{}", member.id));
    let key = key_of(&visitor, &page);
    let make = |key: &str| visitor.post(&format!("{page}/pin-reset"), &[("key", key)]);
    let shown = says(
        &make(&key),
        200,
        &["A code for <bdi>Ida</bdi>", "only once"],
    );
    let (_, code) = shown.split_once("<p class=\"code\">").unwrap();
    let code = code.split('<').next().unwrap();
    let again = says(&make(&key), 200, &["This code was shown already"]);
    assert!(!again.contains(code));
    assert!(!club.served.log().contains(code));
    let set = |code: &str| {
        let fields = [
            ("name", member.number.as_str()),
            ("code", code),
            ("pin", "83105"),
            ("pin_again", "83105"),
        ];
        club.visitor().post("/shops/club/forgot", &fields).status
    };
    assert_eq!(set("AAAAA-AAAAA"), 422);
    assert_eq!(set(code), 303);
    let fields = [("name", member.number.as_str()), ("secret", "83105")];
    club.visitor().post("/shops/club/sign-in", &fields).see();
    // A second code ends the first.
    let codes = ["x", "y"].map(|key| {
        let shown = make(key).page(200).to_owned();
        let (_, code) = shown.split_once("<p class=\"code\">").unwrap();
        code.split('<').next().unwrap().to_owned()
    });
    assert_eq!(set(&codes[0]), 422);
    assert_eq!(set(&codes[1]), 303);
}

/// An account with tokens stays open; a closed one is closed for good.
fn only_empty_accounts_close(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("manager");
    let (rich, poor) = (club.member("Ida", 60), club.member("Bo", 0));
    let close = |id: &str, key: &str| {
        let path = at(&format!("/customers/{id}/close"));
        visitor.post(&path, &[("key", key)])
    };
    let refused = close(&rich.id, "a");
    says(&refused, 409, &["This was not done.", "still has tokens"]);
    rich.visitor.get("/shops/club/account").page(200);
    for _ in 0..2 {
        let done = close(&poor.id, "b");
        let page = visitor.get(done.see());
        let page = says(
            &page,
            200,
            &["The account is closed.", "status stopped\">Closed"],
        );
        assert!(!page.contains("/close\""), "{page}");
    }
    says(&close(&poor.id, "c"), 409, &["is closed"]);
    let code = visitor.post(
        &at(&format!("/customers/{}/pin-reset", poor.id)),
        &[("key", "d")],
    );
    says(&code, 409, &["This was not done.", "is closed"]);
    assert_eq!(poor.visitor.get("/shops/club/account").status, 303);
}

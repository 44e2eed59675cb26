//! The pages on the way into a shop and those of a registration, over HTTP, without script.

use crate::client::{ALL_SCOPES, Api, Served};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    the_introduction_tells_what_tokens_are,
    the_question_has_three_exits,
    a_registration_ends_with_a_number_and_a_session,
    without_a_minimum_the_account_is_active_at_once,
    no_stage_is_skipped_or_repeated,
    eight_posts_at_once_make_one_account,
    a_second_account_ends_the_session_of_the_first,
    a_registration_that_lapsed_says_so,
    wrong_details_are_shown_with_what_was_typed,
    a_sign_in_name_is_taken_once,
);

/// The shop of most tests: 50 tokens make an account active.
const CLUB: &str = "/shops/club";

/// A node with the vendor `club`, whose token costs 10 cents, and a client with its key.
fn served(db: &TestDb) -> (Served<'_>, Api) {
    let mut key = String::new();
    let served = Served::start_with(db, |program| {
        let club = ["vendor", "create", "--name", "Club <b>&", "--slug", "club"];
        let price = ["--token-price", "0.10", "--minimum-tokens", "50"];
        program.ok(&[club.as_slice(), &price].concat());
        let create = ["api-key", "create", "--vendor", "club", "--name", "tests"];
        let made = program.json(&[create.as_slice(), &["--scope", ALL_SCOPES]].concat());
        made["key"].as_str().unwrap().clone_into(&mut key);
    });
    let api = served.with_key(&key);
    (served, api)
}

const COOKIE: &str = "__Host-customer-club";

/// Begins a registration; its address.
fn begin(visitor: &Visitor) -> String {
    let answer = visitor.post(&format!("{CLUB}/register"), &[]);
    let place = answer.see().to_owned();
    assert!(
        place.starts_with(&format!("{CLUB}/register/reg_")),
        "{place}"
    );
    place
}

/// Details as a person enters them.
fn details(pin: &str) -> [(&'static str, &str); 7] {
    [
        ("name", "Ida Berg"),
        ("email", "ida@example.com"),
        ("phone", "+46 8 1"),
        ("address", "Street 1\r\nTown"),
        ("login", ""),
        ("pin", pin),
        ("pin_again", pin),
    ]
}

/// The whole registration; the account number.
fn register(visitor: &Visitor, pin: &str, login: &str) -> String {
    let place = begin(visitor);
    let mut fields = details(pin);
    fields[4].1 = login;
    visitor.post(&format!("{place}/details"), &fields).see();
    visitor
        .post(&format!("{place}/means"), &[("means", "card")])
        .see();
    number_on(visitor.get(&place).page(200))
}

/// The account number on a page.
fn number_on(page: &str) -> String {
    let (_, rest) = page.split_once("class=\"code large\">").expect(page);
    rest.split('<').next().unwrap().to_owned()
}

fn customers(api: &Api) -> usize {
    let listed = api.get("/v1/customers");
    listed.expect(200)["items"].as_array().unwrap().len()
}

/// SHP-01: what is sold, that tokens are the money, the price of one, what activates an account;
/// ways on and out. A vendor without an introduction has no such page.
fn the_introduction_tells_what_tokens_are(db: &TestDb) {
    let (served, api) = served(db);
    let visitor = Visitor::new(&served);
    for path in [CLUB, "/shops/club/"] {
        let answer = visitor.get(path);
        assert_eq!(
            answer.see(),
            "/shops/club/shop",
            "{path}: there is no introduction"
        );
    }
    let front = json!({
        "hue": "moss", "mark": "leaf", "sells": "goods", "headline": "All <i>for</i> tokens",
        "introduction": "First\u{202e} <script>alert(1)</script>\n\nSecond & last",
    });
    api.put("/v1/vendor/storefront", &front).expect(200);
    for path in [CLUB, "/shops/club/"] {
        let answer = visitor.get(path);
        let page = answer.page(200);
        for said in [
            "All &#60;i&#62;for&#60;/i&#62; tokens",
            "First\u{202e} &#60;script&#62;alert(1)&#60;/script&#62;\n\nSecond &#38; last</bdi>",
            "10 ¢<span class=\"sub\">tokens are the money here",
            "<b>50</b> <span>tokens</span>",
            "by card",
            "href=\"/shops/club/enter\">Proceed</a>",
            "<form method=\"post\" action=\"/shops/club/quit\"><button class=\"btn plain\" \
             type=\"submit\">Quit</button>",
        ] {
            assert!(page.contains(said), "{said} is not in {page}");
        }
        assert!(!page.contains("demo"), "{page}");
    }
    let nowhere = visitor.get("/shops/nobody");
    assert!(nowhere.page(404).contains("This page is not here."));
}

/// SHP-02: sign in, register on line or off line, or look around; whoever is signed in is asked
/// nothing.
fn the_question_has_three_exits(db: &TestDb) {
    let (served, _) = served(db);
    let visitor = Visitor::new(&served);
    let answer = visitor.get("/shops/club/enter");
    let page = answer.page(200);
    for exit in ["/sign-in", "/register", "/register/off-line", "/shop"] {
        let href = format!("href=\"{CLUB}{exit}\"");
        assert!(page.contains(&href), "{href} is not in {page}");
    }
    assert_eq!(page.matches("btn main").count(), 1);
    for exit in ["/sign-in", "/register", "/register/off-line"] {
        visitor.get(&format!("{CLUB}{exit}")).page(200);
    }
    let off_line = visitor.get("/shops/club/register/off-line").text;
    assert!(off_line.contains("50 tokens") && off_line.contains("/shops/club/forgot"));
    register(&visitor, "40712", "");
    assert_eq!(visitor.get("/shops/club/enter").see(), "/shops/club/shop");
    // Elsewhere the same browser is a stranger.
    visitor.get("/shops/other/enter").page(200);
}

/// REG-02, REG-06, SHP-03: information, details, means, number; then the account is inactive, says
/// what activates it, and its owner is signed in.
fn a_registration_ends_with_a_number_and_a_session(db: &TestDb) {
    let (served, api) = served(db);
    let visitor = Visitor::new(&served);
    let product = json!({"title": "Pen", "category": "Desk <b>"});
    api.put("/v1/products/pen", &product).expect(201);
    let offer = json!({"kind": "purchase", "price": "5"});
    api.put("/v1/products/pen/offers/pen", &offer).expect(201);
    let information = visitor.get("/shops/club/register");
    let page = information.page(200);
    for said in [
        "Desk &#60;b&#62;",
        "1 product<",
        "10 ¢",
        "By card",
        "50 tokens, bought",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    assert!(visitor.cookie(COOKIE).is_none());

    let place = begin(&visitor);
    assert!(visitor.get(&place).page(200).contains("Who are you?"));
    let pin = "90210457";
    let after = visitor.post(&format!("{place}/details"), &details(pin));
    assert_eq!(after.see(), place);
    let page = visitor.get(&place).text;
    assert!(page.contains("How will you pay for tokens?"), "{page}");
    assert_eq!(customers(&api), 0, "nobody is made before the last stage");

    let after = visitor.post(&format!("{place}/means"), &[("means", "card")]);
    assert_eq!(after.see(), place);
    let set = after.headers["set-cookie"].to_str().unwrap();
    let token = visitor.cookie(COOKIE).unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(
        set,
        format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax")
    );
    let answer = visitor.get(&place);
    let page = answer.page(200);
    let number = number_on(page);
    assert!(page.contains("Buy 50 tokens, $5.00"), "{page}");
    assert!(page.contains("/shops/club/buy?tokens=50"), "{page}");
    for page in [&information.text, &answer.text] {
        assert!(!page.contains(pin), "the PIN is shown");
    }

    let listed = api.get("/v1/customers");
    let made = &listed.expect(200)["items"][0];
    assert_eq!(made["number"], number.as_str(), "{made}");
    assert_eq!(made["state"], "inactive");
    let id = made["customer_id"].as_str().unwrap();
    let person = api.get(&format!("/v1/customers/{id}/person"));
    assert_eq!(person.expect(200)["person"]["name"], "Ida Berg");
    // The session is the customer's.
    assert!(
        visitor
            .get("/shops/club/account")
            .page(200)
            .contains("Ida Berg")
    );
    let again = Visitor::new(&served);
    let typed = [("name", number.as_str()), ("secret", pin)];
    assert_eq!(
        again.post("/shops/club/sign-in", &typed).see(),
        "/shops/club/shop"
    );
    served.log_holds_none_of(&[pin, &token, "Ida", &number]);
}

/// REG-02, REG-13: where nothing need be acquired the account is active at once; a customer may
/// say nothing about themselves.
fn without_a_minimum_the_account_is_active_at_once(db: &TestDb) {
    let (served, _) = served(db);
    let visitor = Visitor::new(&served);
    let begun = visitor.post("/shops/other/register", &[]);
    let place = begun.see();
    let pins = [("pin", "4071"), ("pin_again", "4071")];
    visitor.post(&format!("{place}/details"), &pins).see();
    visitor
        .post(&format!("{place}/means"), &[("means", "card")])
        .see();
    let page = visitor.get(place).text;
    assert!(page.contains("Your account is active"), "{page}");
    assert!(
        page.contains("href=\"/shops/other/shop\">Go to the shop"),
        "{page}"
    );
    let listed = served.other.get("/v1/customers");
    assert_eq!(listed.expect(200)["items"][0]["state"], "active");
}

/// REG-02: a stage that is skipped is refused with the page of the one that is due; one that is
/// repeated changes nothing, and says so.
fn no_stage_is_skipped_or_repeated(db: &TestDb) {
    let (served, api) = served(db);
    let visitor = Visitor::new(&served);
    let card = [("means", "card")];
    let place = begin(&visitor);
    let (to_details, to_means) = (format!("{place}/details"), format!("{place}/means"));

    let skipped = visitor.post(&to_means, &card);
    let page = skipped.page(409);
    assert!(page.contains("Your details come first.") && page.contains("Who are you?"));
    assert_eq!(customers(&api), 0);
    assert!(visitor.cookie(COOKIE).is_none());

    visitor.post(&to_details, &details("40712")).see();
    let mut other = details("90909");
    other[0].1 = "Somebody Else";
    let repeated = visitor.post(&to_details, &other);
    let page = repeated.page(409);
    assert!(page.contains("Your details are here already.") && page.contains("By card"));

    for wrong in [&[][..], &[("means", "")], &[("means", "gold")]] {
        let page = visitor.post(&to_means, wrong).text;
        assert!(page.contains("Choose one of the ways to pay"), "{page}");
    }
    let odd = visitor.post(&to_means, &[("means", "card"), ("state", "active")]);
    odd.page(422);
    assert_eq!(customers(&api), 0);

    visitor.post(&to_means, &card).see();
    let session = visitor.cookie(COOKIE).unwrap();
    let repeated = visitor.post(&to_means, &card);
    assert_eq!(repeated.see(), place);
    assert!(!repeated.headers.contains_key("set-cookie"), "one session");
    assert_eq!(visitor.cookie(COOKIE), Some(session));
    let late = visitor.post(&to_details, &other);
    assert!(late.page(409).contains("This registration is finished."));
    assert_eq!(customers(&api), 1);
    let listed = api.get("/v1/customers");
    let id = listed.json["items"][0]["customer_id"].as_str().unwrap();
    let person = api.get(&format!("/v1/customers/{id}/person"));
    assert_eq!(
        person.expect(200)["person"]["name"],
        "Ida Berg",
        "the first counts"
    );

    // Whoever has only the address sees the number, and must know the PIN.
    let stranger = Visitor::new(&served);
    let page = stranger.get(&place).text;
    assert_eq!(number_on(&page), number_on(&visitor.get(&place).text));
    assert!(page.contains("Sign in with it to go on.") && !page.contains("Buy 50"));
    assert!(stranger.cookie(COOKIE).is_none());
}

/// REG-02: the last form, posted eight times at once, makes one account and one session.
fn eight_posts_at_once_make_one_account(db: &TestDb) {
    let (served, api) = served(db);
    for round in 1..=5 {
        let visitor = Visitor::new(&served);
        let place = begin(&visitor);
        visitor
            .post(&format!("{place}/details"), &details("40712"))
            .see();
        let sessions: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let (served, place) = (&served, &place);
                    scope.spawn(move || {
                        let path = format!("{place}/means");
                        let answer = Visitor::new(served).post(&path, &[("means", "card")]);
                        assert_eq!(answer.see(), place);
                        usize::from(answer.headers.contains_key("set-cookie"))
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!((sessions, customers(&api)), (1, round));
    }
}

/// REG-02, SHP-03: who registers again is told of the account that is signed in, whose session then
/// ends.
fn a_second_account_ends_the_session_of_the_first(db: &TestDb) {
    let (served, _) = served(db);
    let (visitor, thief) = (Visitor::new(&served), Visitor::new(&served));
    let first = register(&visitor, "40712", "");
    let token = visitor.cookie(COOKIE).unwrap();
    let page = visitor.get("/shops/club/register").text;
    assert!(page.contains("You have an account already."), "{page}");
    assert_ne!(register(&visitor, "40712", ""), first);
    assert_ne!(visitor.cookie(COOKIE).as_ref(), Some(&token));
    assert_eq!(visitor.get("/shops/club/account").status, 200);
    thief.take_cookie(COOKIE, &token);
    assert_eq!(thief.get("/shops/club/account").status, 303);
}

/// REG-02, REG-10: after an hour nothing is left of a registration but a page that says so; the same for
/// addresses that never were one, and for those of another shop.
fn a_registration_that_lapsed_says_so(db: &TestDb) {
    let (served, api) = served(db);
    let visitor = Visitor::new(&served);
    let over = |path: &str, fields: Option<&[(&str, &str)]>| {
        let answer = match fields {
            Some(fields) => visitor.post(path, fields),
            None => visitor.get(path),
        };
        let page = answer.page(404);
        assert!(
            page.contains("This registration is over."),
            "{path}: {page}"
        );
        assert!(page.contains("/register\">Begin again"), "{path}: {page}");
    };
    let informed = begin(&visitor);
    let elsewhere = informed.replace("club", "other");
    over(&elsewhere, None);
    over(&format!("{elsewhere}/details"), Some(&details("40712")));
    let detailed = begin(&visitor);
    visitor
        .post(&format!("{detailed}/details"), &details("40712"))
        .see();
    db.run_sql("UPDATE registration SET expires_at = 1");
    for place in [&informed, &detailed] {
        over(place, None);
        over(&format!("{place}/details"), Some(&details("40712")));
        over(&format!("{place}/means"), Some(&[("means", "card")]));
    }
    let whole = "reg_01h455vb4pex5vsknk084sn02q";
    for odd in [whole, &whole[..20], "x", "%C3%A9%00", &"9".repeat(5000)] {
        over(&format!("{CLUB}/register/{odd}"), None);
        over(
            &format!("{CLUB}/register/{odd}/means"),
            Some(&[("means", "card")]),
        );
    }
    assert_eq!(customers(&api), 0);
}

/// REG-02, REG-04: HTML, marks that turn the writing and texts without end are shown again as they
/// were typed, with what is wrong at the field; PINs never.
fn wrong_details_are_shown_with_what_was_typed(db: &TestDb) {
    let (served, api) = served(db);
    let visitor = Visitor::new(&served);
    let place = begin(&visitor);
    let send = |fields: &[(&str, &str)]| visitor.post(&format!("{place}/details"), fields);
    let long = "x".repeat(10_000);
    for field in ["name", "email", "phone", "address", "login"] {
        let pins = [("pin", "40712"), ("pin_again", "40712")];
        let answer = send(&[&[(field, long.as_str())], &pins[..]].concat());
        let page = answer.page(422);
        assert!(
            page.contains("One field needs another look."),
            "{field}: {page}"
        );
        assert!(page.contains("has 10000 characters"), "{field}");
        assert!(page.contains(&long), "{field}: what was typed is kept");
        assert_eq!(page.matches(" aria-invalid=\"true\"").count(), 1, "{field}");
        assert_eq!(page.matches(" autofocus").count(), 1, "{field}");
        let described = format!("id=\"{field}-error\"");
        assert!(page.contains(&described), "{field}: {page}");
        assert!(!page.contains("40712"), "{field}: the PIN is shown");
        let control = send(&[&[(field, "a\u{1b}[31mb")], &pins[..]].concat());
        assert!(
            control.page(422).contains("control character U+001B"),
            "{field}"
        );
    }
    let turned = "\u{202e}\"><script>alert(1)</script>\u{2066}";
    let awkward: Vec<_> = ["name", "email", "phone", "address", "login"]
        .map(|field| (field, turned))
        .to_vec();
    let answer = send(&awkward);
    let page = answer.page(422);
    assert!(
        page.contains("One field needs another look."),
        "no PIN: {page}"
    );
    assert!(!page.contains("<script>alert"), "{page}");
    let shown = "\u{202e}&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;\u{2066}";
    assert_eq!(page.matches(shown).count(), 5, "{page}");
    for (pin, again, said) in [
        ("", "", "Choose a PIN"),
        ("407", "407", "A PIN has 4 to 8 digits."),
        ("1234", "1234", "This PIN is among the first"),
        ("40712", "", "Type the PIN a second time."),
        ("40712", "40713", "The two PINs differ"),
        (long.as_str(), long.as_str(), "A PIN has 4 to 8 digits."),
        ("<b>4071", "<b>4071", "A PIN has 4 to 8 digits."),
    ] {
        let answer = send(&[("name", "Ida"), ("pin", pin), ("pin_again", again)]);
        let page = answer.page(422);
        assert!(page.contains(said), "{said} is not in {page}");
        assert!(page.contains("value=\"Ida\""), "{page}");
        assert!(
            !page.contains("<b>4071") && !page.contains("40712"),
            "{page}"
        );
    }
    send(&[("nickname", "I")]).page(422);
    // All that was refused left the registration where it was; awkward is not wrong.
    let good = [&awkward[..], &[("pin", "40712"), ("pin_again", "40712")]].concat();
    assert_eq!(send(&good).see(), place);
    visitor
        .post(&format!("{place}/means"), &[("means", "card")])
        .see();
    let listed = api.get("/v1/customers");
    let id = listed.json["items"][0]["customer_id"].as_str().unwrap();
    let person = api.get(&format!("/v1/customers/{id}/person"));
    assert_eq!(person.expect(200)["person"]["name"], turned);
}

/// REG-02, SHP-03: a sign-in name that is taken can be changed; one that is taken between details
/// and account ends the registration without an account.
fn a_sign_in_name_is_taken_once(db: &TestDb) {
    let (served, api) = served(db);
    let [first, second] = [Visitor::new(&served), Visitor::new(&served)];
    let login = |place: &str, visitor: &Visitor, name: &'static str| {
        let mut fields = details("40712");
        fields[4].1 = name;
        visitor.post(&format!("{place}/details"), &fields)
    };
    let early = begin(&second);
    login(&early, &second, "wren").see();
    let number = register(&first, "40712", "Wren");
    let late = begin(&second);
    let answer = login(&late, &second, "WREN ");
    let page = answer.page(422);
    assert!(
        page.contains("This sign-in name is taken: choose another."),
        "{page}"
    );
    assert!(page.contains("value=\"WREN \""), "{page}");
    assert!(page.contains("value=\"Ida Berg\""), "{page}");
    login(&late, &second, "wren-2").see();
    let lost = second.post(&format!("{early}/means"), &[("means", "card")]);
    assert!(
        lost.page(409)
            .contains("Somebody else took your sign-in name.")
    );
    assert!(second.cookie(COOKIE).is_none());
    assert_eq!(customers(&api), 1);
    // An account number is nobody's name.
    let other = begin(&second);
    let mut fields = details("40712");
    fields[4].1 = &number;
    let answer = second.post(&format!("{other}/details"), &fields);
    assert!(answer.page(422).contains("This sign-in name is taken"));
    let typed = [("name", " wReN "), ("secret", "40712")];
    assert_eq!(
        second.post("/shops/club/sign-in", &typed).see(),
        "/shops/club/shop"
    );
}

//! A customer's account, its PIN, and buying tokens, over HTTP, without script.

use crate::client::Answered;
use crate::club::{Club, Member, PIN, hidden, says};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    an_inactive_account_says_what_is_missing,
    the_account_shows_what_moved,
    long_histories_come_in_parts,
    orders_are_shown_to_their_customer_alone,
    the_pin_changes_for_whoever_knows_it,
    a_pin_that_cannot_be_is_refused_at_its_field,
    a_top_up_returns_to_where_one_was,
    one_form_buys_once,
    declined_cards_end_the_payment,
    a_silent_card_is_told_as_such,
    a_price_that_changed_is_not_taken_silently,
    awkward_numbers_and_cards_are_refused,
    strangers_sign_in_first,
);

const ACCOUNT: &str = "/shops/club/account";
const BUY: &str = "/shops/club/buy";
const COOKIE: &str = "__Host-customer-club";
const PIN_PAGE: &str = "/shops/club/account/pin";

/// The form to buy so many tokens, and the same posted with a card.
fn form_of(member: &Member, tokens: &str, back: &str) -> String {
    let path = format!("{BUY}?tokens={tokens}&return={back}");
    member.visitor.get(&path).page(200).to_owned()
}

fn post(member: &Member, form: &str, card: &str) -> Answered {
    let [tokens, price, back, key, session] =
        ["tokens", "price", "return", "key", "session"].map(|name| hidden(form, name));
    let fields = [
        ("tokens", tokens.as_str()),
        ("price", &price),
        ("return", &back),
        ("key", &key),
        ("session", &session),
        ("card", card),
    ];
    member.visitor.post(BUY, &fields)
}

/// REG-06, REG-07, SHP-11: no AT before the account is active; what is missing and what it costs,
/// and that number is offered first. Reaching it activates the account and says so.
fn an_inactive_account_says_what_is_missing(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida Berg", 0);
    club.sell(&member.id, 20);
    let page = says(
        &member.visitor.get(ACCOUNT),
        200,
        &[
            "Your account is not active yet.",
            "<b class=\"num\">20</b> of 50 tokens",
            "with 30 tokens more, for $3.00",
            "/shops/club/buy?tokens=30&#38;return=%2Fshops%2Fclub%2Faccount",
            &member.number,
        ],
    );
    assert!(!page.contains("amt huge"), "AT is not shown: {page}");
    let offered = says(
        &member.visitor.get(BUY),
        200,
        &[
            "You have 20 tokens. Your account becomes active with 50 tokens.",
            "aria-current=\"true\"><bdi>30 tokens for $3.00: make your account active</bdi>",
            "Buy 30 tokens for $3.00",
        ],
    );
    let place = post(&member, &offered, "test_ok");
    let place = place.see();
    let active = member.visitor.get(place);
    says(
        &active,
        200,
        &[
            "30 tokens were bought.",
            "Your account is active now. You have 50 tokens.",
            "<b>50</b> <span>tokens</span>",
            "$5.00 at 10 ¢ a token.",
        ],
    );
}

/// MIC-05: every movement with its sign, what it was for, and what was left after it.
fn the_account_shows_what_moved(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida <b>&\u{202e} Berg", 500);
    club.offer("pot", "Clay <i>pot</i>", 60, None);
    club.offer("lamp", "Lamp", 40, None);
    let order = club.order(&member.id, &[("pot", 2), ("lamp", 1)]);
    let refund = json!({"lines": [{"line_no": 2, "quantity": 1}]});
    let back = club
        .api
        .post(&format!("/v1/orders/{order}/refunds"), &refund);
    assert!(back.status < 300, "{}", back.text);
    let page = says(
        &member.visitor.get(ACCOUNT),
        200,
        &[
            "Account of <bdi>Ida &#60;b&#62;&#38;\u{202e} Berg</bdi>",
            "<b>380</b> <span>tokens</span>",
            "Paid <span class=\"muted small\">bought and settled",
            &format!(
                "href=\"/shops/club/orders/{order}\"><bdi>Clay &#60;i&#62;pot&#60;/i&#62;, \
                 2 pieces and 1 more</bdi>"
            ),
            "given back",
            "for $50.00",
        ],
    );
    let (changes, balances) = (numbers(&page, "n"), numbers(&page, "n good"));
    assert_eq!(balances, ["+40", "+500"]);
    assert_eq!(changes, ["\u{2212}160"], "spending is not an error: {page}");
    for (newer, older) in [("+40", "\u{2212}160"), ("\u{2212}160", "+500")] {
        assert!(page.find(newer) < page.find(older), "newest first");
    }
    for left in ["</span>380<", "</span>340<", "</span>500<"] {
        assert!(page.contains(left), "{left} is not in {page}");
    }
}

/// The numbers of the cells of a class.
fn numbers(page: &str, class: &str) -> Vec<String> {
    let begin = format!("<td class=\"{class}\">");
    let cells = page.split(begin.as_str()).skip(1);
    cells
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .filter(|number| !number.is_empty())
        .collect()
}

/// MIC-05: twenty movements at a time; the parts do not overlap and leave nothing out.
fn long_histories_come_in_parts(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    for tokens in 1..=23 {
        club.sell(&member.id, tokens);
    }
    let mut all = Vec::new();
    let mut path = ACCOUNT.to_owned();
    for size in [20, 3] {
        let page = member.visitor.get(&path).page(200).to_owned();
        let some = numbers(&page, "n good");
        assert_eq!(some.len(), size, "{page}");
        all.extend(some);
        assert_eq!(page.contains("rel=\"prev\""), size == 3);
        if let Some((_, rest)) = page.split_once("rel=\"next\" href=\"") {
            rest.split('"').next().unwrap().clone_into(&mut path);
        }
    }
    let wanted: Vec<String> = (1..=23).rev().map(|n| format!("+{n}")).collect();
    assert_eq!(all, wanted);
    let orders = member.visitor.get("/shops/club/buy/orders");
    let orders = orders.page(200);
    assert_eq!(orders.matches("status good").count(), 20);
    assert!(orders.contains("rel=\"next\""));
    for odd in ["before=abc", "before=-1", "before=9999999", "x=1"] {
        let answer = member.visitor.get(&format!("{ACCOUNT}?{odd}"));
        assert!(answer.status == 422 || answer.status == 200, "{odd}");
        answer.page(answer.status);
    }
}

/// SHP-19: one's own orders, each with the way to its receipt.
fn orders_are_shown_to_their_customer_alone(db: &TestDb) {
    let club = Club::start(db);
    let (ida, bo) = (club.member("Ida", 1000), club.member("Bo", 100));
    club.offer("pot", "Clay pot", 10, None);
    let own: Vec<String> = (0..21)
        .map(|_| club.order(&ida.id, &[("pot", 1)]))
        .collect();
    let page = ida.visitor.get("/shops/club/orders").page(200).to_owned();
    for order in &own[1..] {
        assert!(page.contains(&format!("/shops/club/orders/{order}\"")));
    }
    assert!(!page.contains(&own[0]) && page.contains("rel=\"next\""));
    says(
        &bo.visitor.get("/shops/club/orders"),
        200,
        &["No orders yet", "To the shop"],
    );
    assert_eq!(bo.visitor.get("/shops/club/orders?x=1").status, 422);
}

fn change(member: &Member, key: &str, old: &str, new: &str, again: &str) -> Answered {
    let fields = [("old", old), ("new", new), ("again", again), ("key", key)];
    member.visitor.post(PIN_PAGE, &fields)
}

fn pin_key(member: &Member) -> String {
    hidden(member.visitor.get(PIN_PAGE).page(200), "key")
}

/// REG-11: the old PIN fails, the new one works; one stays signed in here, and nowhere else. A
/// form that is sent twice changes the PIN once and says the same.
fn the_pin_changes_for_whoever_knows_it(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 100);
    let elsewhere = club.signed_in(&member.number);
    let key = pin_key(&member);
    for _ in 0..2 {
        let done = change(&member, &key, PIN, "83105", "83105");
        assert_eq!(done.see(), "/shops/club/account?done=pin");
    }
    says(
        &member.visitor.get("/shops/club/account?done=pin"),
        200,
        &["Your PIN is changed."],
    );
    assert_eq!(elsewhere.get(ACCOUNT).status, 303, "ended elsewhere");
    let signs_in = |pin: &str| {
        let fields = [("name", member.number.as_str()), ("secret", pin)];
        let answer = club.visitor().post("/shops/club/sign-in", &fields);
        answer.status == 303
    };
    assert!(signs_in("83105") && !signs_in(PIN));
    // Back in the browser, with other digits in the same form.
    let other = change(&member, &key, "83105", "40417", "40417");
    says(&other, 422, &["This form was sent before"]);
    assert!(signs_in("83105"));
}

/// REG-11, SHP-03: each mistake is told at its field, nothing typed is shown, and wrong old PINs
/// lock like wrong sign-ins.
fn a_pin_that_cannot_be_is_refused_at_its_field(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let long = "7".repeat(10_000);
    for (old, new, again, field) in [
        (PIN, "83105", "83106", "again-error"),
        (PIN, "1234", "1234", "new-error"),
        (PIN, "12", "12", "new-error"),
        (PIN, "", "", "new-error"),
        (PIN, "\u{202e}831", "\u{202e}831", "new-error"),
        (PIN, &long, &long, "new-error"),
        ("99999", "83105", "83105", "old-error"),
        (&long, "83105", "83105", "old-error"),
    ] {
        let answer = change(&member, &pin_key(&member), old, new, again);
        let page = says(&answer, 422, &[&format!("id=\"{field}\"")]);
        assert_eq!(page.matches("aria-invalid").count(), 1, "{page}");
        for secret in [old, new, again] {
            let shown = format!("value=\"{secret}\"");
            assert!(secret.is_empty() || !page.contains(&shown), "{page}");
        }
    }
    for _ in 0..3 {
        change(&member, &pin_key(&member), "99999", "83105", "83105").page(422);
    }
    let locked = change(&member, &pin_key(&member), PIN, "83105", "83105");
    says(&locked, 429, &["Too many wrong tries in a row."]);
    member.visitor.get(ACCOUNT).page(200);
}

/// TOK-08, TOK-14: the same page with the same lines and RT, and the new AT. What the address tells
/// is shown to nobody else.
fn a_top_up_returns_to_where_one_was(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 500);
    let offer = club.offer("pot", "Clay pot", 700, None);
    club.offer("pen", "Pen", 1, None);
    let line = format!("/v1/customers/{}/order-list/{offer}", member.id);
    assert_eq!(club.api.put(&line, &json!({"quantity": 1})).status, 204);
    let list = "/shops/club/list";
    let before = member.visitor.get(list).page(200).to_owned();
    let form = form_of(&member, "200", list);
    says(
        &member.visitor.get(BUY),
        200,
        &["200 tokens for $20.00: what your order list lacks"],
    );
    let bought = post(&member, &form, "test_ok");
    let place = bought.see().to_owned();
    assert!(place.starts_with(&format!("{list}?bought=tok_")), "{place}");
    let after = says(
        &member.visitor.get(&place),
        200,
        &["200 tokens were bought.", "You now have 700 tokens."],
    );
    assert!(before.contains("Short by"), "{before}");
    assert!(after.contains("Remaining") && !after.contains("Short by"));
    for page in [&before, &after] {
        assert!(page.contains("Clay pot") && page.contains("700"), "{page}");
    }
    assert!(!member.visitor.get(list).text.contains("were bought"));
    let bo = club.member("Bo", 0);
    assert!(!bo.visitor.get(&place).text.contains("were bought"));
    club.visitor().get("/shops/club/shop?bought=x").page(200);
    assert_eq!(club.available(&member.id), "700");
    // Nobody is sent elsewhere, and the page before is where one returns to.
    for (said, referer, wanted) in [
        ("https://evil.example/", "", ACCOUNT),
        ("/shops/other/shop", "", ACCOUNT),
        (
            "",
            "https://shop.example/shops/club/shop?page=2",
            "/shops/club/shop?page=2&",
        ),
        ("", "https://shop.example/shops/club/buy?tokens=5", ACCOUNT),
        (
            "",
            "https://shop.example/shops/club/shop?bought=tok_1",
            "/shops/club/shop?",
        ),
    ] {
        let key = uuid();
        let fields = [
            ("tokens", "1"),
            ("card", "test_ok"),
            ("key", &key),
            ("return", said),
        ];
        let headers = [("referer", referer)];
        let answer = member.visitor.post_with(BUY, &headers, &fields);
        let wanted = wanted.trim_end_matches(['&', '?']);
        assert!(answer.see().starts_with(wanted), "{said} {referer}");
    }
}

fn uuid() -> String {
    crate::client::fresh_key()
}

/// TOK-08, ARC-08: sent twice, gone back to and sent again: one purchase, and the same answer. A
/// form that was changed since is told as such.
fn one_form_buys_once(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let form = form_of(&member, "60", ACCOUNT);
    let first = post(&member, &form, "test_ok").see().to_owned();
    for _ in 0..2 {
        assert_eq!(post(&member, &form, "test_ok").see(), first);
    }
    assert_eq!(club.available(&member.id), "60");
    let changed = post(&member, &form, "test_timeout");
    let page = says(
        &changed,
        422,
        &[
            "This form was sent before.",
            "nothing was bought now",
            "Buy 60 tokens for $6.00",
        ],
    );
    assert_ne!(hidden(&page, "key"), hidden(&form, "key"));
    assert_eq!(club.token_orders(&member.id).len(), 1);
    let token = member.visitor.cookie(COOKIE).unwrap();
    let key = hidden(&page, "key");
    let places: Vec<String> = std::thread::scope(|scope| {
        let click = || {
            let visitor = club.visitor();
            visitor.take_cookie(COOKIE, &token);
            let fields = [("tokens", "60"), ("card", "test_ok"), ("key", &key)];
            visitor.post(BUY, &fields).see().to_owned()
        };
        let clicks: Vec<_> = (0..6).map(|_| scope.spawn(click)).collect();
        clicks.into_iter().map(|c| c.join().unwrap()).collect()
    });
    assert!(places.iter().all(|p| *p == places[0]), "{places:?}");
    assert_eq!(club.available(&member.id), "120", "six clicks at once");
}

/// REG-09, TOK-09: each decline says what was not touched and how many tries are left; the third
/// ends the payment, and a fourth card needs a new one. The account stays inactive.
fn declined_cards_end_the_payment(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let first = form_of(&member, "60", "/shops/club/shop");
    let mut form = first.clone();
    let mut third = String::new();
    for left in ["2 tries are left.", "1 try is left.", ""] {
        third.clone_from(&form);
        let answer = post(&member, &form, "test_declined");
        let words = [
            "declined",
            "nothing was charged",
            "your order list is kept",
            left,
        ];
        form = says(&answer, 422, &words);
    }
    for said in [
        "This payment is over.",
        "3 cards in a row",
        "not active yet",
    ] {
        assert!(form.contains(said), "{said} is not in {form}");
    }
    assert!(!form.contains("name=\"card\""), "no fourth card: {form}");
    assert!(form.contains("href=\"/shops/club/shop\""), "{form}");
    // The third form again says the same; with another card in a form of its own it is over, too.
    says(
        &post(&member, &third, "test_declined"),
        422,
        &["This payment is over."],
    );
    let fourth = third.replace(&hidden(&third, "key"), &uuid());
    says(
        &post(&member, &fourth, "test_ok"),
        422,
        &["This payment is over."],
    );
    assert_eq!(club.token_orders(&member.id).len(), 3, "three cards asked");
    assert_eq!(club.available(&member.id), "0");
    says(&member.visitor.get(ACCOUNT), 200, &["not active yet"]);
    let anew = form_of(&member, "60", "/shops/club/shop");
    assert!(
        post(&member, &anew, "test_ok")
            .see()
            .starts_with("/shops/club/shop?bought=")
    );
    assert_eq!(club.available(&member.id), "60");
}

/// TOK-08: nothing is credited or guessed; it is said where the state shows, and the same form
/// orders nothing more.
fn a_silent_card_is_told_as_such(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 100);
    let form = form_of(&member, "60", "/shops/club/shop");
    let place = post(&member, &form, "test_timeout").see().to_owned();
    assert!(
        place.starts_with("/shops/club/buy/orders?order=tok_"),
        "{place}"
    );
    assert_eq!(post(&member, &form, "test_timeout").see(), place);
    let page = says(
        &member.visitor.get(&place),
        200,
        &[
            "The card has not answered yet.",
            "You ordered 60 tokens for $6.00.",
            "Nothing is charged twice.",
            "Look again",
            "href=\"/shops/club/shop\">Back to where you were</a>",
            "status waits",
        ],
    );
    assert_eq!(page.matches("<td class=\"n\">$6.00").count(), 1, "{page}");
    assert_eq!(club.available(&member.id), "100");
    let orders = club.token_orders(&member.id);
    assert_eq!(orders[0], ("60".to_owned(), "awaiting".to_owned()));
    // Somebody else's order says nothing.
    let bo = club.member("Bo", 0);
    let strange = bo.visitor.get(&place);
    assert!(!strange.page(200).contains("60 tokens"));
}

/// TOK-01, TOK-08: the price that the form showed is the price, or nothing is charged.
fn a_price_that_changed_is_not_taken_silently(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let form = form_of(&member, "60", ACCOUNT);
    club.api
        .post("/v1/vendor/token-prices", &json!({"price": "0.11"}))
        .expect(201);
    let refused = post(&member, &form, "test_ok");
    let page = says(
        &refused,
        422,
        &[
            "The price has changed.",
            "Nothing was charged.",
            "Buy 60 tokens for $6.60",
        ],
    );
    assert_eq!(club.token_orders(&member.id), []);
    post(&member, &page, "test_ok").see();
    assert_eq!(club.available(&member.id), "60");
}

/// TOK-08, MIC-06: what is no number of tokens, or too many; and the number of a real card is not
/// even stored.
fn awkward_numbers_and_cards_are_refused(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    let long = "9".repeat(10_000);
    let awkward = [
        "",
        "0",
        "-5",
        "abc",
        "1e3",
        "0.0000001",
        "<script>alert(1)</script>",
        "\u{202e}5",
        &long,
        "1000000001",
        "1,000",
    ];
    for tokens in awkward {
        let query = serde_html_form::to_string([("tokens", tokens)]).unwrap();
        let page = member.visitor.get(&format!("{BUY}?{query}"));
        let shown = says(
            &page,
            422,
            &["aria-invalid=\"true\"", "id=\"tokens-error\""],
        );
        assert!(!shown.contains("<script>alert"), "{shown}");
        assert!(!shown.contains("name=\"card\""), "nothing to pay: {shown}");
        let fields = [("tokens", tokens), ("card", "test_ok"), ("key", &uuid())];
        let page = member.visitor.post(BUY, &fields);
        says(&page, 422, &["aria-invalid=\"true\"", "Nothing was"]);
    }
    for card in ["4242424242424242", "4242 4242 4242 4242", "", "test", &long] {
        let fields = [("tokens", "60"), ("card", card), ("key", &uuid())];
        let answer = member.visitor.post(BUY, &fields);
        let page = says(
            &answer,
            422,
            &["Choose one of these cards.", "Buy 60 tokens"],
        );
        assert!(card.is_empty() || !page.contains(&format!("\"{card}\"")));
    }
    for (name, value) in [("session", "pay_1"), ("price", "cheap"), ("key", "")] {
        let mut fields = vec![("tokens", "60"), ("card", "test_ok")];
        fields.push((name, value));
        if name != "key" {
            fields.push(("key", "a"));
        }
        let answer = member.visitor.post(BUY, &fields);
        assert!(matches!(answer.status, 400 | 422), "{name}");
        answer.page(answer.status);
    }
    assert_eq!(club.token_orders(&member.id), []);
    club.served.log_holds_none_of(&["4242"]);
}

/// SHP-03: whoever is not signed in is asked to, and comes back.
fn strangers_sign_in_first(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.visitor();
    for page in [
        "/account",
        "/orders",
        "/account/pin",
        "/buy?tokens=5",
        "/buy/orders",
    ] {
        let path = format!("/shops/club{page}");
        let answer = visitor.get(&path);
        let next = serde_html_form::to_string([("next", &path)]).unwrap();
        assert_eq!(answer.see(), format!("/shops/club/sign-in?{next}"));
    }
    let fields = [("tokens", "60"), ("card", "test_ok"), ("key", "k")];
    assert!(
        visitor
            .post(BUY, &fields)
            .see()
            .starts_with("/shops/club/sign-in?")
    );
    // A session of one shop is none at another.
    let member = club.member("Ida", 0);
    let token = member.visitor.cookie(COOKIE).unwrap();
    visitor.take_cookie("__Host-customer-retail", &token);
    assert!(
        visitor
            .get("/shops/retail/account")
            .see()
            .contains("sign-in")
    );
}

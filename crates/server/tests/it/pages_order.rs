//! Confirming an order, and what is short, over HTTP, without script.

use crate::client::{Answered, fresh_key};
use crate::club::{Club, Member};
use crate::market::{figures, values};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    looking_debits_nothing,
    what_was_shown_is_bought_once,
    all_tokens_can_be_spent,
    two_tabs_buy_what_each_showed,
    a_new_price_is_asked_about,
    what_is_gone_is_said,
    a_shortage_is_named_with_ways_on,
    tokens_bought_lead_back_to_the_order,
    nothing_and_nobody_yet,
    awkward_confirmations_are_answered,
);

pub const CONFIRM: &str = "/shops/club/confirm";
pub const LIST: &str = "/shops/club/list";

pub fn put(visitor: &Visitor, offer: &str, quantity: i64) {
    let quantity = quantity.to_string();
    let fields = [
        ("line", offer),
        ("had", "1"),
        ("quantity", &quantity),
        ("put", offer),
    ];
    visitor.post(LIST, &fields).see();
}

/// The fields of the form that confirms, as they stand on a page.
pub fn form(page: &str) -> Vec<(String, String)> {
    let form = page.split("action=\"/shops/club/confirm\"").nth(1).unwrap();
    let form = form.split("</form>").next().unwrap();
    let mut fields = Vec::new();
    for name in ["offer", "quantity", "price", "key"] {
        for value in values(form, name) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields
}

pub fn confirm(visitor: &Visitor, fields: &[(String, String)]) -> Answered {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    visitor.post(CONFIRM, &fields)
}

/// Buys what is on the list; the receipt's address.
pub fn buy(visitor: &Visitor) -> String {
    let page = visitor.get(CONFIRM);
    let fields = form(page.page(200));
    confirm(visitor, &fields).see().to_owned()
}

/// The orders of the club, newest first: state and total.
pub fn orders(club: &Club<'_>) -> Vec<(String, String)> {
    let list = club.api.get("/v1/orders");
    let items = list.expect(200)["items"].as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    items
        .iter()
        .map(|order| (text(&order["state"]), text(&order["total"]["amount"])))
        .collect()
}

fn price(club: &Club<'_>, sku: &str, price: &str) {
    let body = json!({"kind": "purchase", "price": price});
    let path = format!("/v1/products/{sku}/offers/{sku}");
    club.api.put(&path, &body).expect(200);
}

/// A member with 500 tokens, and two things at 100 and 80 of them, one of each on the list.
pub fn ana(club: &Club<'_>) -> (Member, String, String) {
    let member = club.member("Ana Lind", 500);
    let a = club.offer("a", "Thing A", 100, None);
    let d = club.offer("d", "Thing D", 80, None);
    put(&member.visitor, &a, 1);
    put(&member.visitor, &d, 1);
    (member, a, d)
}

/// SHP-12: products, tokens each, RT, AT and the new balance; looking debits nothing.
fn looking_debits_nothing(db: &TestDb) {
    let club = Club::start(db);
    let (ana, ..) = ana(&club);
    for _ in 0..3 {
        let answer = ana.visitor.get(CONFIRM);
        let page = answer.page(200);
        for words in [
            "Thing A",
            "Thing D",
            "<b>100</b> <span>tokens",
            "<b>80</b> <span>tokens",
            "<b>500</b> <span>tokens",
            "<b>\u{2212}180</b> <span>tokens",
            "<b>320</b> <span>tokens",
            "$18.00",
            "Confirm: pay 180 tokens",
            "Ana Lind",
            &ana.number,
            "formaction=\"/shops/club/quit\"",
            "Nothing has been taken yet.",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
    assert_eq!(club.available(&ana.id), "500");
    // Quit ends the visit and costs nothing (SHP-16).
    let page = ana.visitor.get(CONFIRM);
    let fields = form(page.page(200));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
    ana.visitor.post("/shops/club/quit", &fields).see();
    assert_eq!(club.available(&ana.id), "500");
    assert_eq!(orders(&club), []);
}

/// SHP-13: the order is debited and stored, what was bought leaves the list, a double click and a
/// reload do nothing more, and the customer is thanked.
fn what_was_shown_is_bought_once(db: &TestDb) {
    let club = Club::start(db);
    let (ana, ..) = ana(&club);
    let other = club.offer("x", "Thing X", 5, None);
    put(&ana.visitor, &other, 1);
    ana.visitor.post(LIST, &[("was_on", &other)]).see();
    let page = ana.visitor.get(CONFIRM);
    let fields = form(page.page(200));
    assert_eq!(fields.len(), 7, "two lines and a key: {fields:?}");
    let receipt = confirm(&ana.visitor, &fields).see().to_owned();
    assert_eq!(
        confirm(&ana.visitor, &fields).see(),
        receipt,
        "a double click"
    );
    assert_eq!(club.available(&ana.id), "320");
    assert_eq!(orders(&club), [("completed".into(), "180".into())]);
    let answer = ana.visitor.get(&receipt);
    let page = answer.page(200);
    for words in [
        "Thank you, Ana Lind.",
        "Paid 180 tokens",
        "Thing A",
        "Thing D",
        "<b>320</b>",
        receipt.rsplit('/').next().unwrap(),
        "Back to the shop",
        "class=\"list receipt\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let list = ana.visitor.get(LIST);
    let list = list.page(200);
    assert!(
        !list.contains("Thing A") && list.contains("Thing X"),
        "{list}"
    );
    assert_eq!(
        figures(list),
        ["Required 0", "Available 320", "Remaining 320"]
    );
    assert!(
        ana.visitor
            .get("/shops/club/orders")
            .page(200)
            .contains(&receipt)
    );
}

/// SHP-13: AT = RT goes through and leaves nothing.
fn all_tokens_can_be_spent(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Bo", 180);
    let thing = club.offer("t", "Thing", 60, None);
    put(&member.visitor, &thing, 3);
    let receipt = buy(&member.visitor);
    assert!(
        member
            .visitor
            .get(&receipt)
            .page(200)
            .contains("3 pieces at 60 tokens")
    );
    assert_eq!(club.available(&member.id), "0");
}

/// SHP-13: a page that was open before buys what it showed, whatever the list says now.
fn two_tabs_buy_what_each_showed(db: &TestDb) {
    let club = Club::start(db);
    let (ana, _, d) = ana(&club);
    let first = form(ana.visitor.get(CONFIRM).page(200));
    ana.visitor.post(LIST, &[("was_on", &d)]).see();
    let second = form(ana.visitor.get(CONFIRM).page(200));
    let second = confirm(&ana.visitor, &second).see().to_owned();
    let first = confirm(&ana.visitor, &first).see().to_owned();
    assert!(
        ana.visitor
            .get(&second)
            .page(200)
            .contains("Paid 100 tokens")
    );
    assert!(
        ana.visitor
            .get(&first)
            .page(200)
            .contains("Paid 180 tokens")
    );
    assert_eq!(club.available(&ana.id), "220");
    let list = ana.visitor.get(LIST);
    assert!(list.page(200).contains("Nothing on it yet"));
    // Both at once under different keys, and one of them twice.
    let e = club.offer("e", "Thing E", 10, None);
    put(&ana.visitor, &e, 1);
    let forms = [(); 2].map(|()| form(ana.visitor.get(CONFIRM).page(200)));
    std::thread::scope(|scope| {
        for n in 0..6 {
            let visitor = club.signed_in(&ana.number);
            let fields = &forms[n % 2];
            scope.spawn(move || confirm(&visitor, fields).see().to_owned());
        }
    });
    assert_eq!(club.available(&ana.id), "200");
}

/// SHP-13: a price that is not the one shown takes nothing and is asked about, old and new.
fn a_new_price_is_asked_about(db: &TestDb) {
    let club = Club::start(db);
    let (ana, ..) = ana(&club);
    let old = form(ana.visitor.get(CONFIRM).page(200));
    price(&club, "a", "120");
    let answer = confirm(&ana.visitor, &old);
    let page = answer.page(409);
    assert!(
        page.contains("Nothing was taken: the order has changed."),
        "{page}"
    );
    assert!(
        page.contains("Thing A was 100 tokens and is 120 tokens now."),
        "{page}"
    );
    assert!(page.contains("Confirm: pay 200 tokens"));
    assert_eq!(club.available(&ana.id), "500");
    let new = form(page);
    assert_ne!(new.last(), old.last(), "a new key");
    // The old form again is the same refusal, not a purchase.
    confirm(&ana.visitor, &old).page(409);
    confirm(&ana.visitor, &new).see();
    assert_eq!(club.available(&ana.id), "300");
}

/// SHP-13, SHP-19: out of stock, not sold any more.
fn what_is_gone_is_said(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Bo", 500);
    let few = club.offer("few", "Few", 10, Some(5));
    let old = club.offer("old", "Old", 20, None);
    put(&member.visitor, &few, 5);
    put(&member.visitor, &old, 1);
    let shown = form(member.visitor.get(CONFIRM).page(200));
    let rival = club.member("Rival", 100);
    club.order(&rival.id, &[("few", 2)]);
    let answer = confirm(&member.visitor, &shown);
    let page = answer.page(409);
    assert!(
        page.contains("Only 3 of Few are left, so the order takes 3."),
        "{page}"
    );
    assert!(page.contains("Confirm: pay 50 tokens"), "{page}");
    let retired = json!({"kind": "purchase", "price": "20", "active": false});
    club.api
        .put("/v1/products/old/offers/old", &retired)
        .expect(200);
    let answer = confirm(&member.visitor, &form(page));
    let page = answer.page(409);
    assert!(
        page.contains("Old is not sold any more and was left out."),
        "{page}"
    );
    assert_eq!(club.available(&member.id), "500");
    // The same is said before anything is confirmed.
    let answer = member.visitor.get(CONFIRM);
    assert!(
        answer
            .page(200)
            .contains("The order is not quite what your list says.")
    );
    confirm(&member.visitor, &form(page)).see();
    assert_eq!(club.available(&member.id), "470");
    assert_eq!(club.on_hand("few"), 0);
    // Nothing is left of an order: that is said too.
    put(&member.visitor, &few, 1);
    let answer = member.visitor.get(CONFIRM);
    let page = answer.page(200);
    assert!(
        page.contains("Few is out of stock and was left out."),
        "{page}"
    );
    assert!(page.contains("To the shop") && !page.contains("Confirm: pay"));
}

/// SHP-14: RT - AT is named, nothing is debited, and each suggestion makes the order fit.
fn a_shortage_is_named_with_ways_on(db: &TestDb) {
    let club = Club::start(db);
    let (ana, a, d) = ana(&club);
    let shown = form(ana.visitor.get(CONFIRM).page(200));
    put(&ana.visitor, &d, 5);
    put(&ana.visitor, &a, 3);
    let answer = ana.visitor.get(CONFIRM);
    let page = answer.page(200);
    for words in [
        "You are 200 tokens short.",
        "The order needs 700 tokens and you have 500 tokens.",
        "Nothing has been taken",
        "2 pieces of <bdi>Thing D</bdi>, not 5.",
        "<bdi>Thing D</bdi> alone.",
        "Buy 200 tokens for $20.00",
        "500 tokens for $50.00",
        &ana.number,
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(
        figures(page),
        ["Required 700", "Available 500", "Short by 200"]
    );
    // Every suggestion, tried: the page that follows asks to confirm.
    let forms: Vec<&str> = page.split("<form class=\"row apart\"").skip(1).collect();
    assert!(forms.len() >= 2, "{page}");
    for suggestion in forms {
        let suggestion = suggestion.split("</form>").next().unwrap();
        let fields: Vec<(&str, &str)> = ["line", "had", "quantity", "was_on"]
            .iter()
            .flat_map(|name| values(suggestion, name).into_iter().map(|v| (*name, v)))
            .collect();
        let from = [("referer", "http://localhost/shops/club/confirm")];
        let back = ana.visitor.post_with(LIST, &from, &fields);
        assert_eq!(back.see(), CONFIRM);
        assert!(
            ana.visitor
                .get(CONFIRM)
                .page(200)
                .contains("Is this right?"),
            "{fields:?}"
        );
        put(&ana.visitor, &d, 5);
        put(&ana.visitor, &a, 3);
    }
    // An order that fitted when it was shown, and does not any more.
    club.order(&ana.id, &[("a", 4)]);
    let answer = confirm(&ana.visitor, &shown);
    assert!(
        answer.page(402).contains("You are 80 tokens short."),
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("role=\"status\""), "{}", answer.text);
    assert_eq!(club.available(&ana.id), "100");
    // The refusal stands under its key; with tokens enough the page asks again under a new one.
    club.sell(&ana.id, 100);
    let answer = confirm(&ana.visitor, &shown);
    let page = answer.page(402);
    assert!(
        page.contains("It can be placed as it stands here."),
        "{page}"
    );
    assert_eq!(club.available(&ana.id), "200");
    confirm(&ana.visitor, &form(page)).see();
    assert_eq!(club.available(&ana.id), "20");
}

/// SHP-14, TOK-14: tokens bought on the page about a shortage lead back to the order.
fn tokens_bought_lead_back_to_the_order(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Bo", 50);
    let thing = club.offer("t", "Thing", 60, None);
    club.offer("pen", "Pen", 1, None);
    put(&member.visitor, &thing, 1);
    let answer = member.visitor.get(CONFIRM);
    let page = answer.page(200);
    assert!(page.contains("You are 10 tokens short."));
    assert!(page.contains("No smaller order"), "{page}");
    let buy = page.split("action=\"/shops/club/buy\"").nth(1).unwrap();
    let fields: Vec<(&str, &str)> = ["tokens", "price", "return", "key"]
        .map(|name| (name, values(buy, name)[0]))
        .to_vec();
    let declined = [&fields[..], &[("card", "test_declined")]].concat();
    member.visitor.post("/shops/club/buy", &declined).page(422);
    let paid: Vec<_> = fields
        .iter()
        .filter(|(name, _)| *name != "key")
        .copied()
        .collect();
    let key = fresh_key();
    let paid = [&paid[..], &[("card", "test_ok"), ("key", &key)]].concat();
    let back = member.visitor.post("/shops/club/buy", &paid);
    assert!(back.see().starts_with(CONFIRM), "{}", back.see());
    let page = member.visitor.get(back.see());
    assert!(page.page(200).contains("Confirm: pay 60 tokens"));
    assert!(page.page(200).contains("10 tokens were bought."));
}

/// SHP-04, SHP-12, REG-07: an account that is not active, an empty list, nothing ticked.
fn nothing_and_nobody_yet(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Bo", 20);
    let thing = club.offer("t", "Thing", 10, None);
    for place in [LIST, CONFIRM] {
        let answer = member.visitor.get(place);
        let page = answer.page(200);
        for words in [
            "Your account is not active yet.",
            "It becomes active with 50 tokens; you have 20 tokens.",
            "Buy 30 tokens for $3.00",
            "tokens=30&#38;return=%2Fshops%2Fclub%2Flist",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
    let refused = member.visitor.post(LIST, &[("put", &thing)]);
    assert!(
        refused
            .page(409)
            .contains("Your account is not active yet.")
    );
    let fields = [
        ("offer", thing.as_str()),
        ("quantity", "1"),
        ("price", "10"),
        ("key", "k-1"),
    ];
    let forged = member.visitor.post(CONFIRM, &fields);
    assert!(forged.page(409).contains("Your account is not active yet."));
    assert_eq!(club.available(&member.id), "20");
    club.sell(&member.id, 30);
    let empty = member.visitor.get(CONFIRM);
    assert!(empty.page(200).contains("Your order list is empty."));
    put(&member.visitor, &thing, 1);
    member.visitor.post(LIST, &[("was_on", &thing)]).see();
    let answer = member.visitor.get(CONFIRM);
    assert!(answer.page(200).contains("Nothing on your list is ticked."));
    assert!(answer.page(200).contains("href=\"/shops/club/list\""));
    assert_eq!(club.available(&member.id), "50");
}

fn line<'a>(
    offer: &'a str,
    quantity: &'a str,
    price: &'a str,
    key: &'a str,
) -> [(&'a str, &'a str); 4] {
    [
        ("offer", offer),
        ("quantity", quantity),
        ("price", price),
        ("key", key),
    ]
}

fn awkward_confirmations_are_answered(db: &TestDb) {
    let club = Club::start(db);
    let (ana, a, d) = ana(&club);
    let long = "k".repeat(10_000);
    for (fields, status) in [
        (&line(&a, "1", "cheap", "k1")[..], 422),
        (&line(&a, "x", "100", "k2"), 422),
        (&line("off_1", "1", "100", "k3"), 422),
        (
            &line("off_01h455vb4pex5vsknk084sn02q", "1", "100", "k4"),
            404,
        ),
        (&line(&a, "0", "100", "k5"), 422),
        (&line(&a, "-1", "100", "k6"), 422),
        (&line(&a, "9223372036854775807", "100", "k7"), 422),
        (&line(&a, "1", "100", ""), 400),
        (&line(&a, "1", "100", "two words"), 400),
        (&line(&a, "1", "100", &long), 400),
        (&[("key", "k8")], 422),
        (&[("key", "k9"), ("offer", &a)], 422),
        (&[], 422),
        (&line(&a, "1", "1", "k10"), 409),
        (
            &[
                ("offer", &a),
                ("offer", &a),
                ("quantity", "1"),
                ("key", "k11"),
            ],
            422,
        ),
    ] {
        let answer = ana.visitor.post(CONFIRM, fields);
        answer.page(status);
    }
    assert_eq!(club.available(&ana.id), "500");
    // A key that was used for another order buys nothing.
    let first = line(&a, "1", "100", "used");
    ana.visitor.post(CONFIRM, &first).see();
    ana.visitor
        .post(CONFIRM, &line(&d, "1", "80", "used"))
        .page(422);
    assert_eq!(club.available(&ana.id), "400");
    // More than one order may be: said, and the list is kept.
    for sku in ["much", "more"] {
        let offer = club.offer(sku, sku, 600_000_000, None);
        put(&ana.visitor, &offer, 1);
    }
    let answer = ana.visitor.get(CONFIRM);
    let most = "One order is at most 1,000,000,000 tokens.";
    assert!(answer.page(200).contains(most), "{}", answer.text);
    assert!(answer.text.contains("href=\"/shops/club/list\""));
    let list = ana.visitor.get(LIST);
    assert_eq!(figures(list.page(200))[0], "Required 1,200,000,080");
    // Another customer's key of the same text is another key.
    let eve = club.member("Eve", 200);
    eve.visitor.post(CONFIRM, &first).see();
    assert_eq!(club.available(&eve.id), "100");
}

//! Receipts, asking for a refund, and orders that were refused, over HTTP, without script.

use crate::club::Club;
use crate::pages_order::{CONFIRM, ana, buy, orders};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    receipts_are_for_their_customers,
    a_refund_is_asked_for_and_answered,
    refused_orders_are_kept_and_told,
);

/// SHP-19: another customer's receipt is not there, nor is one of another shop.
fn receipts_are_for_their_customers(db: &TestDb) {
    let club = Club::start(db);
    let (ana, ..) = ana(&club);
    let receipt = buy(&ana.visitor);
    let order = receipt.rsplit('/').next().unwrap();
    let eve = club.member("Eve", 50);
    let asked = format!("{receipt}/refund-request");
    for path in [
        receipt.as_str(),
        "/shops/club/orders/ord_01h455vb4pex5vsknk084sn02q",
        "/shops/club/orders/none",
        "/shops/club/orders/%3Cb%3E",
    ] {
        eve.visitor.get(path).page(404);
    }
    eve.visitor
        .post(&asked, &[("reason", "mine now")])
        .page(404);
    let guest = club.visitor();
    let next = guest.get(&receipt);
    assert_eq!(
        next.see(),
        format!("/shops/club/sign-in?next=%2Fshops%2Fclub%2Forders%2F{order}")
    );
    guest.get(&format!("/shops/retail/orders/{order}")).see();
}

/// SHP-19: asking, changing the words, an answer, and tokens given back.
fn a_refund_is_asked_for_and_answered(db: &TestDb) {
    let club = Club::start(db);
    let (ana, ..) = ana(&club);
    let receipt = buy(&ana.visitor);
    let order = receipt.rsplit('/').next().unwrap().to_owned();
    let asked = format!("{receipt}/refund-request");
    let ask = |reason: &str| ana.visitor.post(&asked, &[("reason", reason)]);
    for (odd, says) in [
        ("", "The reason is empty: fill it in."),
        (
            &*"x".repeat(10_000),
            "has 10000 characters, at most 1000 fit",
        ),
        ("a\u{1b}b", "control character U+001B"),
    ] {
        let answer = ask(odd);
        let page = answer.page(422);
        assert!(page.contains(says), "{page}");
        assert!(page.contains(odd) && page.contains("<details class=\"no-print\" open>"));
    }
    assert_eq!(ask("Broken <b>lid</b>\r\n\u{202e}it leaks").see(), receipt);
    let answer = ana.visitor.get(&receipt);
    let page = answer.page(200);
    assert!(page.contains("You asked for a refund on"), "{page}");
    assert!(page.contains("Broken &#60;b&#62;lid&#60;/b&#62;") && !page.contains("<b>lid"));
    assert!(page.contains("Change what you wrote"));
    ask("Not needed").see();
    let requests = club.api.get("/v1/refund-requests");
    assert_eq!(requests.expect(200)["items"][0]["reason"], "Not needed");
    assert_eq!(requests.json["items"].as_array().unwrap().len(), 1);
    let lines = json!({"lines": [{"line_no": 1, "quantity": 1}], "restock": false});
    let refunds = format!("/v1/orders/{order}/refunds");
    club.api.post(&refunds, &lines).expect(201);
    let answer = ana.visitor.get(&receipt);
    let page = answer.page(200);
    assert!(page.contains("Tokens were given back on"), "{page}");
    assert!(page.contains("Given back: 1, ") && page.contains("Given back since"));
    ask("The rest, too").see();
    let decline = format!("/v1/orders/{order}/refund-requests/decline");
    let declined = club
        .api
        .post(&decline, &json!({"answer": "It was <used>."}));
    assert!(declined.status < 300, "{}", declined.text);
    let answer = ana.visitor.get(&receipt);
    let page = answer.page(200);
    assert!(page.contains("The shop declined a refund") && page.contains("It was &#60;used&#62;."));
    assert!(
        !page.contains("<textarea"),
        "what was declined stays declined"
    );
    let again = ask("Once more");
    assert!(again.page(422).contains("No refund was asked for."));
    club.api
        .post(&refunds, &json!({"restock": false}))
        .expect(201);
    let page = ana.visitor.get(&receipt);
    assert!(page.page(200).contains("Given back since, all of it"));
    assert_eq!(club.available(&ana.id), "500");
}

/// SHP-19: a refusal is stored, and its page says why.
fn refused_orders_are_kept_and_told(db: &TestDb) {
    let club = Club::start(db);
    let (ana, a, _) = ana(&club);
    let fields = [
        ("offer", a.as_str()),
        ("quantity", "9"),
        ("price", "100"),
        ("key", "k-9"),
    ];
    let answer = ana.visitor.post(CONFIRM, &fields);
    let page = answer.page(402);
    assert!(page.contains("You are 400 tokens short."), "{page}");
    assert!(
        page.contains("as it is now, it fits"),
        "the list is another one: {page}"
    );
    assert_eq!(orders(&club), [("refused".into(), "900".into())]);
    let list = club.api.get("/v1/orders");
    let order = list.expect(200)["items"][0]["order_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let receipt = format!("/shops/club/orders/{order}");
    let answer = ana.visitor.get(&receipt);
    let page = answer.page(200);
    for words in [
        "This order was not approved.",
        "Not paid",
        "Nothing was taken.",
        "It needed more tokens than you had.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Thank you") && !page.contains("<textarea"));
    let asked = format!("{receipt}/refund-request");
    ana.visitor.post(&asked, &[("reason", "why not")]).page(404);
    assert_eq!(club.available(&ana.id), "500");
}

//! The mall on a member's pages.

use crate::club::{Club, PIN, hidden, says};
use crate::program::Program;
use scrip_testkit::TestDb;
use serde_json::json;
use std::cell::RefCell;

both!(
    a_member_sees_its_mall_and_says_whose_tokens_it_takes,
    a_shop_on_its_own_is_told_so,
    open_tokens_pay_on_the_page_that_asks_to_confirm,
    a_customer_of_another_member_signs_in_and_buys,
);

const MALL: &str = "/shops/club/staff/mall";

/// The club and a bakery in a mall; the club keeps 2 percent, the bakery leaves 1 percent.
fn riverside(program: &Program<'_>) {
    let create = ["vendor", "create", "--name", "Bakery", "--slug", "bakery"];
    program.ok(&create);
    let made = "mall create --slug riverside --name Riverside --currency USD";
    for command in [
        made,
        "mall join --mall riverside --vendor club",
        "mall join --mall riverside --vendor bakery",
        "mall terms --vendor club --service 2 --royalty 1",
        "mall deposit --vendor club 3 --low 5",
    ] {
        program.line(command);
    }
}

/// OPN-05, GOV-02, GOV-06, GOV-07, ADV-08: the figures are those of the API; who may change the policy
/// says whose tokens and certificates are taken.
fn a_member_sees_its_mall_and_says_whose_tokens_it_takes(db: &TestDb) {
    let club = Club::start_running(db, riverside);
    let ana = club.member("Ana", 100);
    club.issue_open(&ana.id, "25");
    club.offer("lamp", "Lamp", 100, None);
    club.buy_open(&ana.id, "club", "lamp").expect(201);
    let owner = club.staff("owner");
    let owes = club.api.get("/v1/mall").expect(200)["owes"]["amount"].clone();
    assert_eq!(owes, "0.1");
    let page = says(
        &owner.get(MALL),
        200,
        &[
            "Riverside",
            "You owe the mall",
            "$0.10",
            "Bakery",
            "Your universal tokens",
            "$15.00",
            "$3.00, below $5.00",
            "Your service charge",
            "All of the 31 days",
        ],
    );
    let accept = |what: &str, takes: &str, key: &str| {
        let fields = [
            ("vendor", "bakery"),
            ("what", what),
            ("takes", takes),
            ("key", key),
        ];
        owner.post(&format!("{MALL}/accept"), &fields)
    };
    let key = hidden(&page, "key");
    for _ in 0..2 {
        assert_eq!(
            accept("tokens", "yes", &key).see(),
            format!("{MALL}?done=noted")
        );
    }
    accept("gifts", "yes", "g1").see();
    says(&owner.get(MALL), 200, &["value=\"no\""]);
    let shown = club.api.get("/v1/mall").expect(200).clone();
    assert_eq!(shown["members"][0]["we_take_theirs"], true);
    accept("tokens", "no", "t2").see();
    let shown = club.api.get("/v1/mall").expect(200).clone();
    assert_eq!(shown["members"][0]["we_take_theirs"], false);
    assert_eq!(accept("everything", "yes", "x1").status, 422);
    assert_eq!(accept("tokens", "maybe", "x2").status, 422);
    let cashier = club.staff("cashier");
    let looked = says(&cashier.get(MALL), 200, &["Bakery"]);
    assert!(
        !looked.contains("/mall/accept\""),
        "who may not is not asked"
    );
    let fields = [
        ("vendor", "bakery"),
        ("what", "tokens"),
        ("takes", "yes"),
        ("key", "c"),
    ];
    assert_eq!(cashier.post(&format!("{MALL}/accept"), &fields).status, 403);
    says(
        &owner.get("/shops/club/staff/audit"),
        200,
        &["gift certificates are taken"],
    );
}

fn a_shop_on_its_own_is_told_so(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    says(&owner.get(MALL), 200, &["This shop stands on its own"]);
    let fields = [
        ("vendor", "retail"),
        ("what", "tokens"),
        ("takes", "yes"),
        ("key", "c"),
    ];
    let refused = owner.post(&format!("{MALL}/accept"), &fields);
    assert_eq!(refused.status, 409, "{}", refused.text);
}

/// OPN-18, OPN-22: the customer sees what would pay before confirming, chooses, and the receipt says what
/// was used; the shop's own tokens stay, and a reload buys once.
fn open_tokens_pay_on_the_page_that_asks_to_confirm(db: &TestDb) {
    let club = Club::start_running(db, riverside);
    let ana = club.member("Ana", 60);
    club.api
        .put("/v1/products/lamp", &json!({"title": "Lamp"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": "100"});
    let offer = club.api.put("/v1/products/lamp/offers/lamp", &offer);
    let offer = offer.expect(201)["offer_id"].as_str().unwrap().to_owned();
    let line = json!({"quantity": 1});
    let list = format!("/v1/customers/{}/order-list/{offer}", ana.id);
    // Ordering begins with the cheapest price.
    let bulb = json!({"kind": "purchase", "price": "10"});
    club.api
        .put("/v1/products/bulb", &json!({"title": "Bulb"}))
        .expect(201);
    club.api
        .put("/v1/products/bulb/offers/bulb", &bulb)
        .expect(201);
    let put = club.api.put(&list, &line);
    assert!(put.status < 300, "{}", put.text);
    // 100 are required and 60 there: without open tokens it is short.
    let confirm = "/shops/club/confirm";
    let short = ana.visitor.get(confirm);
    assert!(!short.text.contains("with open tokens"), "{}", short.text);
    club.issue_open(&ana.id, "25");
    let page = says(
        &ana.visitor.get(confirm),
        200,
        &["Pay $10.00 with open tokens", "universal tokens"],
    );
    let fields = |key: &str, pay_with: &str| {
        let all = [
            ("offer", offer.clone()),
            ("quantity", "1".to_owned()),
            ("price", "100".to_owned()),
            ("supply", String::new()),
            ("key", key.to_owned()),
            ("pay_with", pay_with.to_owned()),
        ];
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        ana.visitor.post("/shops/club/confirm/open", &all)
    };
    says(&fields("wrong", "gold"), 422, &[]);
    says(
        &fields("gift", "gift"),
        402,
        &["These tokens do not pay for all of it."],
    );
    let key = hidden(&page, "key");
    let first = fields(&key, "").see().to_owned();
    assert_eq!(fields(&key, "").see(), first, "a reload buys once");
    says(
        &ana.visitor.get(&first),
        200,
        &["Paid with universal tokens", "$10.00", "as they were"],
    );
    assert_eq!(club.available(&ana.id), "60");
    let held = club
        .api
        .get(&format!("/v1/customers/{}/open-tokens", ana.id));
    assert_eq!(held.expect(200)["tokens"][0]["available"]["amount"], "15");
}

/// OPN-24: one registration serves all members: a customer of the bakery signs in at the club with its
/// own number and PIN, is known there without personal data, and its tokens pay; a wrong PIN counts at
/// home, and who uses one-time codes there is told so.
fn a_customer_of_another_member_signs_in_and_buys(db: &TestDb) {
    let key = RefCell::new(String::new());
    let club = Club::start_running(db, |program| {
        riverside(program);
        *key.borrow_mut() = program.key("bakery");
    });
    let bakery = club.served.with_key(&key.borrow());
    let person = json!({"person": {"name": "Eva Baker"}, "pin": PIN});
    let made = bakery.post("/v1/customers", &person).expect(201).clone();
    let (id, number) = (made["customer_id"].clone(), made["number"].clone());
    let (id, number) = (id.as_str().unwrap(), number.as_str().unwrap());
    let enter = |secret: &str| {
        let visitor = club.visitor();
        let fields = [("name", number), ("secret", secret)];
        let answer = visitor.post("/shops/club/sign-in", &fields);
        (visitor, answer)
    };
    let bought = json!({"tokens": "1", "card": "test_ok"});
    bakery
        .post(&format!("/v1/customers/{id}/token-orders"), &bought)
        .expect(201);
    says(&enter("9999").1, 401, &["You are not signed in."]);
    let tokens = json!({
        "customer_id": id, "kind": "universal", "tokens": "25", "origin": "paid",
    });
    bakery.post("/v1/open-tokens", &tokens).expect(201);
    let (visitor, entered) = enter(PIN);
    entered.see();
    let account = says(&visitor.get("/shops/club/account"), 200, &[]);
    assert!(!account.contains("Eva"), "nothing of the person is told");
    club.api
        .put("/v1/products/lamp", &json!({"title": "Lamp"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": "100"});
    let offer = club.api.put("/v1/products/lamp/offers/lamp", &offer);
    let offer = offer.expect(201)["offer_id"].as_str().unwrap().to_owned();
    let all = club.api.get("/v1/customers").expect(200).clone();
    let there = all["items"][0]["customer_id"].as_str().unwrap().to_owned();
    let list = format!("/v1/customers/{there}/order-list/{offer}");
    let put = club.api.put(&list, &json!({"quantity": 1}));
    assert!(put.status < 300, "{}", put.text);
    let words = ["Pay $10.00 with open tokens"];
    let page = says(&visitor.get("/shops/club/confirm"), 200, &words);
    let fields = [
        ("offer", offer.as_str()),
        ("quantity", "1"),
        ("price", "100"),
        ("supply", ""),
        ("key", &hidden(&page, "key")),
        ("pay_with", ""),
    ];
    let receipt = visitor.post("/shops/club/confirm/open", &fields);
    let receipt = receipt.see().to_owned();
    let words = ["Paid with universal tokens"];
    says(&visitor.get(&receipt), 200, &words);
    let held = bakery.get(&format!("/v1/customers/{id}/open-tokens"));
    assert_eq!(held.expect(200)["tokens"][0]["available"]["amount"], "15");
    assert_eq!(bakery.get("/v1/mall").expect(200)["owes"]["amount"], "10");
}

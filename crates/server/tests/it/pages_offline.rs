//! Packs, orders without a card and prices, over HTTP, without script.

use crate::club::{Club, hidden, says};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    staff_take_accept_and_clear_an_order,
    a_wrong_pin_stops_an_order,
    a_customer_orders_on_the_web_and_cancels,
    packs_are_offered_and_explained,
    prices_are_set_by_those_who_may,
    managers_give_tokens,
);

fn at(path: &str) -> String {
    format!("/shops/club/staff{path}")
}

/// Customers may choose cheques on the web, and are told where to send them.
fn cheques_on_the_web(db: &TestDb) {
    let body = json!({
        "registration": {"means_online": ["card", "check"]},
        "sale": {"payment_address": "1 Mill Lane\nYork", "payment_account": "12-34 <b>"},
    });
    let sql = format!(
        "INSERT INTO policy (book_id, version, body, changed_at, changed_by)
         SELECT book_id, 1, '{body}', 0, 'test' FROM vendor"
    );
    db.run_sql(&sql);
}

/// Takes an order as staff; the answer to the form.
fn take(staff: &Visitor, account: &str, pin: &str, accept: bool) -> crate::client::Answered {
    let page = staff.get(&at(&format!("/token-orders/new?account={account}")));
    let shown = says(&page, 200, &["PIN of the customer", "By cheque"]);
    let key = hidden(&shown, "key");
    let mut fields = vec![
        ("account", account),
        ("pin", pin),
        ("tokens", "100"),
        ("means", "check"),
        ("channel", "phone"),
        ("payment", "1042"),
        ("key", &*key),
    ];
    if accept {
        fields.push(("accept", "yes"));
    }
    staff.post(&at("/token-orders/new"), &fields)
}

/// TOK-10, FIG. 4: name and number, PIN, how many, how it is paid; then the money comes.
fn staff_take_accept_and_clear_an_order(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("cashier");
    let member = club.member("Ida <i>", 50);
    let account = member.number.clone();
    let found = staff.get(&at(&format!("/token-orders/new?account={account}")));
    says(&found, 200, &["Ida &#60;i&#62;", "By telephone"]);
    let taken = take(&staff, &account, crate::club::PIN, true);
    let order = taken.see().to_owned();
    assert!(order.ends_with("?done=accepted"), "{order}");
    let order = order.split('?').next().unwrap().to_owned();
    let words = [
        "T-000001",
        "Waits for your payment",
        "1042",
        "Enter the payment",
    ];
    let shown = says(&staff.get(&order), 200, &words);
    assert_eq!(club.available(&member.id), "50", "nothing before the money");
    let pay = |key: &str, amount: &str| {
        let fields = [("amount", amount), ("payment", "1042"), ("key", key)];
        staff.post(&format!("{order}/pay"), &fields)
    };
    let part = pay("part", "1");
    says(&part, 422, &["This was not done.", "all of it has come"]);
    let key = hidden(&shown, "key");
    for _ in 0..3 {
        assert_eq!(pay(&key, "10").see(), format!("{order}?done=paid"));
    }
    assert_eq!(club.available(&member.id), "150");
    // A colleague, who looked at it before.
    let late = pay("colleague", "10");
    says(&late, 409, &["cleared already", "nothing was changed"]);
    assert_eq!(club.available(&member.id), "150");
    let list = staff.get(&at("/token-orders?q=T-000001"));
    says(&list, 200, &["T-000001", "Ida", "Paid"]);
    says(
        &staff.get(&at("/token-orders?q=T-999999")),
        200,
        &["No order has this number"],
    );
    let owed = staff.get(&at("/token-orders/owed"));
    says(&owed, 200, &["Nobody owes anything", "All of it"]);
    let csv = staff.get(&at("/token-orders/owed.csv"));
    assert_eq!(csv.status, 200);
    assert!(csv.text.starts_with("reference,account,"), "{}", csv.text);
    let auditor = club.staff("auditor");
    let looked = says(&auditor.get(&order), 200, &["T-000001"]);
    assert!(
        !looked.contains(&format!("action=\"{order}")),
        "auditors look: {looked}"
    );
    let fields = [("reason", "x"), ("key", "k")];
    assert_eq!(auditor.post(&format!("{order}/fail"), &fields).status, 403);
}

/// TOK-10: a wrong PIN stops the order.
fn a_wrong_pin_stops_an_order(db: &TestDb) {
    let club = Club::start(db);
    let staff = club.staff("cashier");
    let member = club.member("Ida", 50);
    let account = member.number.clone();
    let wrong = take(&staff, &account, "8888", true);
    let shown = says(
        &wrong,
        422,
        &["The order is not taken.", "not the customer"],
    );
    assert!(!shown.contains("8888"), "no PIN is printed");
    let none = staff.get(&at("/token-orders"));
    says(&none, 200, &["No orders here"]);
    let strange = staff.get(&at("/token-orders/new?account=12345678"));
    assert_eq!(strange.status, 422);
}

/// TOK-11: ordered on the web, with instructions to be printed, and cancelled.
fn a_customer_orders_on_the_web_and_cancels(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 50);
    let closed = member.visitor.get("/shops/club/buy/offline");
    assert_eq!(closed.status, 404, "the vendor takes cards only");
    cheques_on_the_web(db);
    let buy = member.visitor.get("/shops/club/buy?tokens=100");
    says(&buy, 200, &["Pay without a card"]);
    let page = member.visitor.get("/shops/club/buy/offline?tokens=100");
    let shown = says(&page, 200, &["By cheque", "Order 100 tokens for $10.00"]);
    assert!(!shown.contains("In cash"));
    let key = hidden(&shown, "key");
    let send = |key: &str, means: &str, price: &str| {
        let fields = [
            ("tokens", "100"),
            ("means", means),
            ("price", price),
            ("key", key),
        ];
        member.visitor.post("/shops/club/buy/offline", &fields)
    };
    says(&send("a", "cash", "10"), 422, &["Nothing was ordered."]);
    says(&send("b", "check", "9"), 422, &["The price has changed."]);
    let order = send(&key, "check", "10").see().to_owned();
    assert_eq!(
        send(&key, "check", "10").see(),
        order,
        "a double click is one order"
    );
    let words = [
        "Make out a cheque for $10.00 to Club.",
        "T-000001",
        "1 Mill Lane",
        "12-34 &#60;b&#62;",
        "Waits for the shop",
    ];
    let shown = says(&member.visitor.get(&order), 200, &words);
    let orders = member.visitor.get("/shops/club/buy/orders");
    says(&orders, 200, &["T-000001", "Waits for the shop"]);
    let other = club.member("Eve", 50);
    assert_eq!(other.visitor.get(&order).status, 404, "not hers");
    let cancel = format!("{order}/cancel");
    let key = hidden(&shown, "key");
    assert_eq!(member.visitor.post(&cancel, &[("key", &key)]).see(), order);
    says(&member.visitor.get(&order), 200, &["Cancelled"]);
    let late = member.visitor.post(&cancel, &[("key", "other")]);
    says(&late, 409, &["The order was not cancelled."]);
}

/// TOK-02 to TOK-05: packs on the page where tokens are bought, with why they cost what they do.
fn packs_are_offered_and_explained(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 50);
    let gold = json!({"name": "Gold <b>", "tokens": "10", "price": "0.95"});
    let gold = club.api.post("/v1/token-packs", &gold);
    let gold = gold.expect(201)["pack_id"].as_str().unwrap().to_owned();
    let sale = json!({"name": "Sale", "tokens": "10", "off": 5000, "restriction": "sale"});
    club.api.post("/v1/token-packs", &sale).expect(201);
    let page = member.visitor.get("/shops/club/buy");
    let words = [
        "Packs",
        "Gold &#60;b&#62;",
        "for things on sale only",
        "instead of $1.00",
    ];
    says(&page, 200, &words);
    let chosen = format!("/shops/club/buy?tokens=30&pack={gold}");
    let words = ["Buy 30 tokens for $2.85", "Without discount", "$3.00"];
    let shown = says(&member.visitor.get(&chosen), 200, &words);
    let part = format!("/shops/club/buy?tokens=15&pack={gold}");
    says(&member.visitor.get(&part), 422, &["sold whole"]);
    let odd = member.visitor.get("/shops/club/buy?tokens=10&pack=x");
    assert_eq!(odd.status, 422);
    let fields = [
        ("tokens", "30"),
        ("pack", &*gold),
        ("card", "test_ok"),
        ("price", "2.85"),
        ("return", ""),
        ("key", &*hidden(&shown, "key")),
    ];
    member.visitor.post("/shops/club/buy", &fields).see();
    assert_eq!(club.available(&member.id), "80");
}

/// TOK-01: prices are the vendor's, kept and shown; cashiers and auditors look.
fn prices_are_set_by_those_who_may(db: &TestDb) {
    let club = Club::start(db);
    let manager = club.staff("manager");
    let page = at("/prices");
    let shown = says(
        &manager.get(&page),
        200,
        &["10 ¢ now", "No packs yet", "No tiers yet"],
    );
    let key = hidden(&shown, "key");
    let price = [("price", "0.12"), ("from", ""), ("key", &*key)];
    for _ in 0..2 {
        let set = manager.post(&at("/prices/token"), &price);
        assert_eq!(set.see(), format!("{page}?done=set"));
    }
    says(&manager.get(&page), 200, &["12 ¢ now", "10 ¢"]);
    let past = [
        ("price", "0.11"),
        ("from", "2020-01-01T00:00"),
        ("key", "p"),
    ];
    says(
        &manager.post(&at("/prices/token"), &past),
        422,
        &["Prices that held"],
    );
    let pack = [
        ("name", "Gold"),
        ("tokens", "10"),
        ("pack_price", "0.95"),
        ("key", "g"),
    ];
    let kept = manager.post(&at("/prices/packs"), &pack);
    assert_eq!(kept.see(), format!("{page}?done=pack"));
    let free = [
        ("name", "Gift"),
        ("tokens", "10"),
        ("pack_price", "0"),
        ("key", "f"),
    ];
    says(
        &manager.post(&at("/prices/packs"), &free),
        422,
        &["above zero"],
    );
    let tiers = [
        ("seen", ""),
        ("tiers", "500 10\npreferred 0 2.5"),
        ("key", "t"),
    ];
    let set = manager.post(&at("/prices/tiers"), &tiers);
    assert_eq!(set.see(), format!("{page}?done=set"));
    let stale = [("seen", ""), ("tiers", "1 1"), ("key", "u")];
    says(
        &manager.post(&at("/prices/tiers"), &stale),
        409,
        &["meanwhile"],
    );
    let country = [("country", "ch"), ("country_price", "0.2"), ("key", "c")];
    let set = manager.post(&at("/prices/country"), &country);
    assert_eq!(set.see(), format!("{page}?done=set"));
    let words = ["Gold", "10 %", "2.5 %", "preferred customers", "CH", "20 ¢"];
    says(&manager.get(&page), 200, &words);
    for role in ["cashier", "auditor"] {
        let other = club.staff(role);
        let looked = says(&other.get(&page), 200, &["Gold"]);
        assert!(!looked.contains("Set the price"), "{role}");
        let refused = other.post(&at("/prices/token"), &[("price", "1"), ("key", "x")]);
        assert_eq!(refused.status, 403, "{role}");
    }
}

/// TOK-06: a manager gives tokens for a contest, once; a cashier only looks.
fn managers_give_tokens(db: &TestDb) {
    let club = Club::start(db);
    let manager = club.staff("manager");
    let member = club.member("Ida", 50);
    let page = at("/gifts");
    let shown = says(
        &manager.get(&page),
        200,
        &["Nothing given yet", "Give the tokens"],
    );
    let key = hidden(&shown, "key");
    let give = |account: &str, tokens: &str, key: &str| {
        let fields = [
            ("account", account),
            ("tokens", tokens),
            ("route", "contest"),
            ("reason", "First <prize>"),
            ("once", "spring draw"),
            ("key", key),
        ];
        manager.post(&page, &fields)
    };
    for _ in 0..2 {
        let given = give(&member.number, "15", &key);
        assert_eq!(given.see(), format!("{page}?done=given"));
    }
    assert_eq!(club.available(&member.id), "65");
    let words = ["Won in a contest", "First &#60;prize&#62;", "Ida"];
    says(&manager.get(&page), 200, &words);
    says(&give(&member.number, "15", "x"), 409, &["it is given once"]);
    says(&give(&member.number, "0", "y"), 422, &["more than nothing"]);
    assert_eq!(give("12345678", "5", "z").status, 422);
    assert_eq!(club.available(&member.id), "65");
    let cashier = club.staff("cashier");
    let looked = says(&cashier.get(&page), 200, &["Won in a contest"]);
    assert!(!looked.contains("Give the tokens"), "{looked}");
    let account = member.visitor.get("/shops/club/account");
    says(&account, 200, &["Gift", "+15"]);
}

//! Choosing the account that pays, over HTTP, without script (TOK-15).

use crate::club::{Club, Member, PIN, hidden, says};
use scrip_testkit::TestDb;

both!(
    the_account_that_was_chosen_pays_alone,
    a_page_of_another_account_takes_nothing,
    a_wrong_pin_links_nothing,
    a_link_opens_neither_pin_nor_person,
);

const LINKED: &str = "/shops/club/account/linked";
const PAY_FROM: &str = "/shops/club/pay-from";

fn link(member: &Member, other: &Member, pin: &str) -> crate::client::Answered {
    let fields = [
        ("act", "link"),
        ("name", other.number.as_str()),
        ("secret", pin),
    ];
    member.visitor.post(LINKED, &fields)
}

fn choose(member: &Member, payer: &Member) {
    let fields = [("account", payer.id.as_str()), ("next", "/shops/club/shop")];
    let chosen = member.visitor.post(PAY_FROM, &fields);
    assert_eq!(chosen.see(), "/shops/club/shop");
}

/// Two linked accounts with 100 and 500 tokens, signed in to the first.
fn two(club: &Club<'_>) -> (Member, Member) {
    let (private, business) = (club.member("Ida Berg", 100), club.member("Berg Ltd", 500));
    let done = link(&private, &business, PIN);
    assert_eq!(done.see(), format!("{LINKED}?done=linked"));
    says(
        &private.visitor.get(LINKED),
        200,
        &[&business.number, "End this link"],
    );
    (private, business)
}

/// TOK-15: the user with two accounts picks one before goods are chosen, sees its AT, and only it
/// is debited; the gates go by it, orders and receipt name it.
fn the_account_that_was_chosen_pays_alone(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Clay pot", 120, None);
    let (private, business) = two(&club);
    let shop = says(
        &private.visitor.get("/shops/club/shop"),
        200,
        &[
            "Pay from",
            "Ida Berg",
            "Berg Ltd",
            "100 tokens",
            "500 tokens",
            "Add tokens",
        ],
    );
    assert!(shop.contains(&format!("<option value=\"{}\" selected>", private.id)));
    // 100 tokens are fewer than the cheapest offer: ordering is closed, until the other one pays.
    says(
        &private.visitor.get("/shops/club/list"),
        200,
        &["Ordering begins with"],
    );
    choose(&private, &business);
    private
        .visitor
        .post("/shops/club/list", &[("put", &pot)])
        .see();
    let list = says(
        &private.visitor.get("/shops/club/list"),
        200,
        &["Clay pot", "380"],
    );
    assert!(list.contains(&format!("<option value=\"{}\" selected>", business.id)));
    let page = private.visitor.get("/shops/club/confirm");
    let page = says(&page, 200, &["Berg Ltd", &business.number]);
    let fields = [
        ("offer", pot.as_str()),
        ("quantity", "1"),
        ("price", "120"),
        ("account", &hidden(&page, "account")),
        ("key", &hidden(&page, "key")),
    ];
    let receipt = private.visitor.post("/shops/club/confirm", &fields);
    let from = format!("From account {}", business.number);
    says(
        &private.visitor.get(receipt.see()),
        200,
        &["Clay pot", &from],
    );
    assert_eq!(club.available(&business.id), "380");
    assert_eq!(club.available(&private.id), "100");
    says(
        &private.visitor.get("/shops/club/orders"),
        200,
        &["Paid from account", "120"],
    );
    choose(&private, &private);
    let own = says(
        &private.visitor.get("/shops/club/orders"),
        200,
        &["No orders yet"],
    );
    assert!(own.contains(&private.number), "{own}");
    // The account was chosen in one visit; the other account's own visit is not touched.
    says(&business.visitor.get("/shops/club/account"), 200, &["380"]);
}

/// TOK-15: of two tabs, what was drawn for one account is not taken from another.
fn a_page_of_another_account_takes_nothing(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Clay pot", 60, None);
    let (private, business) = two(&club);
    private
        .visitor
        .post("/shops/club/list", &[("put", &pot)])
        .see();
    let page = private
        .visitor
        .get("/shops/club/confirm")
        .page(200)
        .to_owned();
    choose(&private, &business);
    for account in [hidden(&page, "account"), String::new()] {
        let fields = [
            ("offer", pot.as_str()),
            ("quantity", "1"),
            ("price", "60"),
            ("account", &account),
            ("key", "tab-one"),
        ];
        let refused = private.visitor.post("/shops/club/confirm", &fields);
        says(&refused, 409, &["nothing was taken"]);
    }
    // Nor is a card charged for an order that was drawn for another account.
    crate::pages_by_card::allow(&club, true);
    for account in [hidden(&page, "account"), String::new()] {
        let fields = [
            ("offer", pot.as_str()),
            ("quantity", "1"),
            ("price", "60"),
            ("account", &account),
            ("card", "test_ok"),
            ("money", "6.00"),
            ("session", ""),
            ("key", "tab-two"),
        ];
        let refused = private.visitor.post("/shops/club/confirm/card", &fields);
        says(&refused, 409, &["nothing was taken"]);
    }
    let orders = club.api.get("/v1/orders");
    assert_eq!(orders.expect(200)["items"].as_array().unwrap().len(), 0);
    // The list went along.
    says(
        &private.visitor.get("/shops/club/list"),
        200,
        &["Clay pot", "440"],
    );
    assert_eq!(club.available(&business.id), "500");
    assert_eq!(club.available(&private.id), "100");
    let buying = private.visitor.get("/shops/club/buy").page(200).to_owned();
    choose(&private, &private);
    let account = hidden(&buying, "account");
    let fields = [
        ("tokens", "50"),
        ("card", "test_ok"),
        ("account", &account),
        ("key", "buy"),
    ];
    says(
        &private.visitor.post("/shops/club/buy", &fields),
        409,
        &["nothing was taken"],
    );
    assert_eq!(club.available(&private.id), "100");
}

/// TOK-15: attempts at the other account count as at its sign-in: five, and it is locked here and there.
fn a_wrong_pin_links_nothing(db: &TestDb) {
    let club = Club::start(db);
    let (own, other) = (club.member("Ida", 100), club.member("Ben", 100));
    for _ in 0..5 {
        says(
            &link(&own, &other, "99999"),
            422,
            &["The accounts are not linked."],
        );
    }
    says(&link(&own, &other, PIN), 422, &["locked"]);
    let fields = [("name", other.number.as_str()), ("secret", PIN)];
    assert_eq!(
        club.visitor().post("/shops/club/sign-in", &fields).status,
        401
    );
    let fields = [("account", other.id.as_str()), ("next", "")];
    let refused = own.visitor.post(PAY_FROM, &fields);
    says(&refused, 409, &["not linked with yours"]);
    let unseen = own.visitor.get("/shops/club/shop").page(200).to_owned();
    assert!(!unseen.contains("Pay from"), "one account is no choice");
    says(&link(&own, &own, PIN), 409, &["cannot pay for each other"]);
}

/// PIN, personal data and family stay those of the account that was signed in to; a new PIN of
/// the other one ends the link.
fn a_link_opens_neither_pin_nor_person(db: &TestDb) {
    let club = Club::start(db);
    let (private, business) = two(&club);
    choose(&private, &business);
    let person = private.visitor.get("/shops/club/account/person");
    let person = says(&person, 200, &["Ida Berg"]);
    assert!(!person.contains("Berg Ltd"), "{person}");
    let account = private.visitor.get("/shops/club/account");
    let account = says(&account, 200, &["Berg Ltd", "This account pays for you."]);
    assert!(!account.contains("Change the PIN"), "{account}");
    let path = format!("/v1/customers/{}/pin", business.id);
    club.api
        .put(&path, &serde_json::json!({"pin": "83051"}))
        .expect(200);
    let shop = private.visitor.get("/shops/club/shop").page(200).to_owned();
    assert!(!shop.contains("Pay from"), "{shop}");
    says(
        &private.visitor.get("/shops/club/account"),
        200,
        &["Ida Berg", "Change the PIN"],
    );
}

//! Orders that a card pays, over HTTP (SHP-17): pages without script, staff, the API.

use crate::client::{Answered, fresh_key};
use crate::club::{Club, Member, hidden, says};
use crate::pages_order::{CONFIRM, LIST, form, orders, put};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    a_card_pays_on_the_page,
    the_option_hides,
    what_is_withdrawn_is_told_and_not_charged,
    a_declined_card_is_told_and_the_third_ends_it,
    a_shortage_offers_the_card,
    a_silent_card_is_waited_for,
    staff_give_the_money_back,
    programs_pay_by_card,
);

const BY_CARD: &str = "/shops/club/confirm/card";

/// The vendor takes cards for orders, or no longer.
pub fn allow(club: &Club<'_>, card: bool) {
    let held = club.api.get("/v1/vendor/policy");
    let version = held.expect(200)["version"].clone();
    let body = json!({"version": version, "policy": {"checkout": {"card": card}}});
    club.api.put("/v1/vendor/policy", &body).expect(200);
}

/// A shop that takes cards, with a pot at 60 tokens of which there are 5, and a member with tokens
/// and some pots on the list.
fn shop<'a>(db: &'a TestDb, tokens: i64, pots: i64) -> (Club<'a>, Member) {
    let club = Club::start(db);
    allow(&club, true);
    let pot = club.offer("pot", "Clay pot", 60, Some(5));
    let member = club.member("Ida", tokens);
    put(&member.visitor, &pot, pots);
    (club, member)
}

/// The fields of the form with a card.
fn with_card(page: &str, card: &str) -> Vec<(String, String)> {
    let mut fields = form(page);
    for name in ["money", "session"] {
        fields.push((name.to_owned(), hidden(page, name)));
    }
    fields.push(("card".to_owned(), card.to_owned()));
    fields
}

fn pay(member: &Member, fields: &[(String, String)]) -> Answered {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
    member.visitor.post(BY_CARD, &fields)
}

/// SHP-17, SHP-18: beside the tokens stands the card with its price; AT is as it was; the receipt
/// and the list say how it was paid. Sent twice, it is bought once.
fn a_card_pays_on_the_page(db: &TestDb) {
    let (club, member) = shop(db, 500, 3);
    let page = member.visitor.get(CONFIRM);
    let words = [
        "Confirm: pay 180 tokens",
        "Pay $18.00 by card instead",
        "Your tokens stay as they are: you have 500 tokens.",
    ];
    let page = says(&page, 200, &words);
    assert_eq!(page.matches("btn main").count(), 1, "{page}");
    let fields = with_card(&page, "test_ok");
    let receipt = pay(&member, &fields).see().to_owned();
    assert!(receipt.starts_with("/shops/club/orders/ord_"), "{receipt}");
    assert_eq!(pay(&member, &fields).see(), receipt);
    assert_eq!(
        (&*club.available(&member.id), club.on_hand("pot")),
        ("500", 2)
    );
    let shown = says(
        &member.visitor.get(&receipt),
        200,
        &["Paid $18.00", "Paid by card", "as they were", "$18.00"],
    );
    assert!(!shown.contains("<strong>Left</strong>"), "{shown}");
    assert!(shown.contains("Why do you want your money back?"));
    let list = member.visitor.get("/shops/club/orders");
    says(&list, 200, &["Clay pot, 3 pieces", "$18.00 by card"]);
    let left = member.visitor.get(LIST);
    assert!(!left.page(200).contains("Clay pot"), "it left the list");
    let orders = club.api.get("/v1/orders");
    let order = &orders.expect(200)["items"][0];
    let money = json!({"amount": "18", "asset": "USD"});
    assert_eq!(order["card"]["price"], money);
    let day = club.api.get("/v1/reports/today");
    let day = day.expect(200);
    assert_eq!(day["goods_by_card"], money);
    assert_eq!(
        (&day["tokens_spent"]["amount"], &day["orders"]),
        (&json!("0"), &json!(1))
    );
    let sales = club.api.get("/v1/reports/sales");
    let total = &sales.expect(200)["total"];
    assert_eq!(
        (&total["by_card"], &total["sales"]["amount"]),
        (&money, &json!("0"))
    );
}

/// SHP-17: where the vendor takes no cards for orders nothing of it is to be seen.
fn the_option_hides(db: &TestDb) {
    let (club, member) = shop(db, 500, 3);
    allow(&club, false);
    for place in [CONFIRM, BY_CARD] {
        let page = member.visitor.get(place);
        let page = page.page(200);
        assert!(page.contains("Confirm: pay 180 tokens"), "{page}");
        assert!(
            !page.contains("by card") && !page.contains(BY_CARD),
            "{page}"
        );
    }
    let short = club.member("Jo", 60);
    let pot = crate::market::offer(&club.api, "pot");
    put(&short.visitor, &pot, 3);
    let page = short.visitor.get(CONFIRM);
    let page = says(&page, 200, &["You are 120 tokens short.", "Three ways on"]);
    assert!(!page.contains(BY_CARD), "{page}");
}

/// SHP-17: who is in the middle of the page is told, and nothing is charged.
fn what_is_withdrawn_is_told_and_not_charged(db: &TestDb) {
    let (club, member) = shop(db, 500, 1);
    let page = member.visitor.get(CONFIRM);
    let fields = with_card(page.page(200), "test_ok");
    allow(&club, false);
    let told = pay(&member, &fields);
    let words = [
        "Orders are not paid by card here any more.",
        "Nothing was charged and nothing was taken.",
        "Confirm: pay 60 tokens",
    ];
    let shown = says(&told, 409, &words);
    assert!(!shown.contains(BY_CARD), "{shown}");
    assert_eq!(club.on_hand("pot"), 5);
    assert_eq!(orders(&club), [("refused".to_owned(), "60".to_owned())]);
    // Also where tokens are short, so that the card was the only way.
    allow(&club, true);
    let short = club.member("Jo", 60);
    let pot = crate::market::offer(&club.api, "pot");
    put(&short.visitor, &pot, 3);
    let page = short.visitor.get(BY_CARD);
    let fields = with_card(page.page(200), "test_ok");
    allow(&club, false);
    let words = [
        "Orders are not paid by card here any more.",
        "120 tokens short",
    ];
    says(&pay(&short, &fields), 402, &words);
}

/// SHP-17, SHP-19, REG-09, TOK-09
fn a_declined_card_is_told_and_the_third_ends_it(db: &TestDb) {
    let (club, member) = shop(db, 500, 1);
    let page = member.visitor.get(BY_CARD);
    let mut page = page.page(200).to_owned();
    assert!(page.contains("<details open>"), "{page}");
    for left in ["2 tries are", "1 try is"] {
        let declined = pay(&member, &with_card(&page, "test_declined"));
        let said = format!("{left} left.");
        let words = ["The card was declined.", "The order was not placed", &said];
        page = says(&declined, 422, &words);
        assert!(!hidden(&page, "session").is_empty());
    }
    let over = pay(&member, &with_card(&page, "test_declined"));
    says(
        &over,
        422,
        &["This payment is over.", "nothing was charged"],
    );
    let mut late = with_card(&page, "test_ok");
    late.retain(|(name, _)| name != "key");
    late.push(("key".to_owned(), fresh_key()));
    let after = pay(&member, &late);
    says(&after, 422, &["This payment is over."]);
    assert_eq!(
        (&*club.available(&member.id), club.on_hand("pot")),
        ("500", 5)
    );
    let refused = orders(&club);
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(refused.iter().all(|(state, _)| state == "refused"));
    let found = club.api.get("/v1/orders");
    let newest = found.expect(200)["items"][0].clone();
    assert_eq!(newest["reason"], "card_declined");
    let id = newest["order_id"].as_str().unwrap();
    let receipt = member.visitor.get(&format!("/shops/club/orders/{id}"));
    says(
        &receipt,
        200,
        &["This order was not approved.", "The card was declined."],
    );
    // No card at all, and a page that was changed by hand.
    let page = member.visitor.get(CONFIRM);
    let nothing = pay(&member, &with_card(page.page(200), "4242424242424242"));
    says(
        &nothing,
        422,
        &["No card was chosen.", "Choose one of these cards."],
    );
    let mut odd = with_card(page.page(200), "test_ok");
    odd.retain(|(name, _)| name != "money");
    pay(&member, &odd).page(422);
}

/// SHP-14, SHP-17: tokens are short, a card pays all of it.
fn a_shortage_offers_the_card(db: &TestDb) {
    let (club, member) = shop(db, 100, 3);
    let short = member.visitor.get(CONFIRM);
    let words = [
        "You are 80 tokens short.",
        "Four ways on",
        "Pay $18.00 by card",
    ];
    let short = says(&short, 200, &words);
    assert!(short.contains(&format!("href=\"{BY_CARD}\"")), "{short}");
    let page = member.visitor.get(BY_CARD);
    let page = says(
        &page,
        200,
        &["Your tokens do not cover this order", "<details open>"],
    );
    assert!(!page.contains("Confirm: pay"), "{page}");
    pay(&member, &with_card(&page, "test_ok")).see();
    assert_eq!(
        (&*club.available(&member.id), club.on_hand("pot")),
        ("100", 2)
    );
}

/// SHP-17: an answer that does not come is waited for, and told.
fn a_silent_card_is_waited_for(db: &TestDb) {
    let (club, member) = shop(db, 500, 1);
    let page = member.visitor.get(CONFIRM);
    let sent = pay(&member, &with_card(page.page(200), "test_timeout"));
    let at = sent.see().to_owned();
    assert!(at.starts_with("/shops/club/card-orders/cor_"), "{at}");
    let words = ["The card has not answered yet.", "$6.00 were asked of it"];
    says(&member.visitor.get(&at), 200, &words);
    // Nobody was asked by a bank here: coming from there changes nothing.
    assert_eq!(member.visitor.post(&at, &[]).see(), at);
    assert_eq!(club.on_hand("pot"), 4, "set aside");
    let own = member.visitor.get("/shops/club/orders");
    says(
        &own,
        200,
        &["A card has not answered yet.", "$6.00 for an order"],
    );
    let staff = club.staff("cashier").get("/shops/club/staff/orders");
    says(&staff, 200, &["Cards have not answered", "$6.00"]);
    let other = club.member("Jo", 60);
    assert_eq!(other.visitor.get(&at).status, 404);
}

/// SHP-17: staff see how it was paid, and give the money back, whole and once; no token moves.
fn staff_give_the_money_back(db: &TestDb) {
    let (club, member) = shop(db, 500, 2);
    let page = member.visitor.get(CONFIRM);
    let receipt = pay(&member, &with_card(page.page(200), "test_ok"));
    let order = receipt.see().rsplit('/').next().unwrap().to_owned();
    let staff = club.staff("manager");
    let list = staff.get("/shops/club/staff/orders");
    says(&list, 200, &["Paid $12.00 by card"]);
    says(
        &staff.get("/shops/club/staff/today"),
        200,
        &["$12.00 by card"],
    );
    let at = format!("/shops/club/staff/orders/{order}");
    let words = ["Paid by card", "Give the money back", "Refund $12.00"];
    let shown = says(&staff.get(&at), 200, &words);
    assert!(!shown.contains("Only a part of it"), "{shown}");
    let key = hidden(&shown, "key");
    let fields = [("key", &*key), ("what", "whole"), ("restock", "yes")];
    for _ in 0..2 {
        let done = staff.post(&format!("{at}/refund"), &fields);
        assert_eq!(done.see(), format!("{at}?done=refunded"));
    }
    let words = ["The money went back.", "Given back to the card"];
    says(&staff.get(&format!("{at}?done=refunded")), 200, &words);
    let again = [("key", "another"), ("what", "whole")];
    says(
        &staff.post(&format!("{at}/refund"), &again),
        409,
        &["Nothing of this order is left to refund."],
    );
    assert_eq!(
        (&*club.available(&member.id), club.on_hand("pot")),
        ("500", 5)
    );
    let shown = member.visitor.get(&format!("/shops/club/orders/{order}"));
    says(&shown, 200, &["Given back to the card"]);
}

/// SHP-17: programs place such orders, look at them and give money back.
fn programs_pay_by_card(db: &TestDb) {
    let (club, member) = shop(db, 500, 1);
    let body = |card: &str| {
        json!({
            "customer_id": member.id, "card": card, "quoted": "6.00",
            "lines": [{"sku": "pot", "quantity": 1}],
        })
    };
    let key = fresh_key();
    let placed = club
        .api
        .post_under(&key, "/v1/card-orders", &body("test_ok"));
    let made = placed.expect(201).clone();
    assert_eq!(made["state"], "completed");
    assert_eq!(made["price"], json!({"amount": "6", "asset": "USD"}));
    let again = club
        .api
        .post_under(&key, "/v1/card-orders", &body("test_ok"));
    assert_eq!((again.expect(201), again.replayed()), (&made, true));
    club.api
        .post_under(&key, "/v1/card-orders", &body("test_declined"))
        .problem(422, "idempotency_key_reused");
    let declined = club.api.post("/v1/card-orders", &body("test_declined"));
    declined.problem(402, "card_declined");
    let silent = club.api.post("/v1/card-orders", &body("test_timeout"));
    let silent = silent.expect(202).clone();
    assert_eq!(
        (&silent["state"], &silent["order_id"]),
        (&json!("awaiting"), &Value::Null)
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let at = format!("/v1/card-orders/{}", text(&silent["card_order_id"]));
    assert_eq!(club.api.get(&at).expect(200), &silent);
    let dear = json!({
        "customer_id": member.id, "card": "test_ok", "quoted": "5.99",
        "lines": [{"sku": "pot", "quantity": 1}],
    });
    club.api
        .post("/v1/card-orders", &dear)
        .problem(409, "price_changed");
    let order = text(&made["order_id"]);
    let detail = club.api.get(&format!("/v1/orders/{order}"));
    let detail = detail.expect(200);
    assert_eq!(detail["card"]["card_order_id"], made["card_order_id"]);
    assert_eq!(detail["remaining_after"], Value::Null);
    let refunds = format!("/v1/orders/{order}/refunds");
    let part = json!({"lines": [{"line_no": 1, "quantity": 1}]});
    club.api.post(&refunds, &part).problem(422, "order_invalid");
    let back = club.api.post(&refunds, &json!({"restock": true}));
    assert_eq!(
        back.expect(201)["amount"],
        json!({"amount": "6", "asset": "USD"})
    );
    club.api
        .post(&refunds, &json!({}))
        .problem(409, "nothing_to_refund");
    allow(&club, false);
    club.api
        .post("/v1/card-orders", &body("test_ok"))
        .problem(409, "card_not_taken");
    assert_eq!(
        (&*club.available(&member.id), club.on_hand("pot")),
        ("500", 4)
    );
}

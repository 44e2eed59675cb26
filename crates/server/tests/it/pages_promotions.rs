//! Promotions and coupons on pages, without script (ADV-06): staff plan them, customers see what
//! they take off from the shop to the receipt.

use crate::api_promotions::in_days;
use crate::client::fresh_key;
use crate::club::{Club, says};
use crate::market::values;
use crate::pages_order::{CONFIRM, LIST, put};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    staff_look_before_they_keep,
    what_staff_get_wrong_is_said,
    reduced_prices_are_seen_from_shop_to_receipt,
    a_coupon_is_entered_seen_and_taken_off,
    codes_come_as_a_file,
);

const STAFF: &str = "/shops/club/staff/promotions";

/// A time so many days from now as a form has it, in UTC.
fn typed(days: i64) -> String {
    in_days(days).chars().take(16).collect()
}

fn fields<'a>(ends: &'a str, key: &'a str, step: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("name", "Autumn sale"),
        ("begins", ""),
        ("ends", ends),
        ("cut", "rate"),
        ("value", "10"),
        ("scope", "all"),
        ("key", key),
        ("step", step),
    ]
}

fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let others = fields.iter().filter(|f| more.iter().all(|m| m.0 != f.0));
    others.chain(more).copied().collect()
}

/// The fields of the form that confirms, with the coupon, as they stand on a page.
fn confirm(visitor: &Visitor, page: &str) -> crate::client::Answered {
    let form = page.split("action=\"/shops/club/confirm\"").nth(1).unwrap();
    let form = form.split("</form>").next().unwrap();
    let names = ["offer", "quantity", "price", "key", "coupon"];
    let mut fields: Vec<(&str, &str)> = Vec::new();
    for name in names {
        fields.extend(values(form, name).into_iter().map(|value| (name, value)));
    }
    visitor.post(CONFIRM, &fields)
}

/// ADV-06: staff see old and new prices before anything is kept, change it before it begins, make a
/// copy, and stop it.
fn staff_look_before_they_keep(db: &TestDb) {
    let club = Club::start(db);
    club.offer("pot", "Clay pot", 60, None);
    let owner = club.staff("owner");
    says(&owner.get(STAFF), 200, &["No promotions yet", "New coupon"]);
    says(
        &owner.get(&format!("{STAFF}/new")),
        200,
        &["A new promotion", "Times are those of UTC."],
    );
    let (ends, begins, key) = (typed(9), typed(2), fresh_key());
    let look = fields(&ends, &key, "look");
    says(
        &owner.post(STAFF, &look),
        200,
        &["What it does", "Clay pot", ">60<", ">54<", "Keep it"],
    );
    assert_eq!(
        club.api.get("/v1/promotions").expect(200)["items"],
        json!([])
    );
    let keep = with(&fields(&ends, &key, "keep"), &[("begins", &begins)]);
    let there = owner.post(STAFF, &keep).see().to_owned();
    assert_eq!(
        owner.post(STAFF, &keep).see(),
        there,
        "a double click keeps one"
    );
    let page = says(
        &owner.get(&there),
        200,
        &["It is kept.", "Planned", "10 % off"],
    );
    let id = there.split("/promotions/").nth(1).unwrap();
    let id = id.split('?').next().unwrap();
    assert!(page.contains(&format!("/new?change={id}")));
    let change = owner.get(&format!("{STAFF}/new?change={id}"));
    says(&change, 200, &["Change the promotion", &begins]);
    let change_key = fresh_key();
    let changed = with(
        &keep,
        &[
            ("id", id),
            ("version", "1"),
            ("value", "12.5"),
            ("key", &change_key),
        ],
    );
    says(
        &owner.get(owner.post(STAFF, &changed).see()),
        200,
        &["12.5 % off"],
    );
    let copy = owner.get(&format!("{STAFF}/new?copy={id}"));
    says(
        &copy,
        200,
        &["A new promotion", "Autumn sale again", "12.5"],
    );
    let stop = format!("{STAFF}/{id}/stop");
    let stopped = owner.post(&stop, &[("key", &fresh_key())]).see().to_owned();
    says(&owner.get(&stopped), 200, &["It is stopped.", "Stopped"]);
    says(&owner.get(STAFF), 200, &["Autumn sale", "Stopped"]);
    let trail = club.api.get(&format!("/v1/audit?subject={id}"));
    let trail = trail.expect(200)["items"].as_array().unwrap().clone();
    let actions: Vec<&str> = trail.iter().filter_map(|n| n["action"].as_str()).collect();
    let expected = [
        "promotion.stopped",
        "promotion.changed",
        "promotion.created",
    ];
    assert_eq!(actions, expected);
}

/// ADV-06: each thing that cannot be says so, and what was typed stays.
fn what_staff_get_wrong_is_said(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let (ends, past, far) = (typed(9), typed(-1), typed(4_000));
    for (name, value, said) in [
        ("ends", "", "is no time"),
        ("ends", past.as_str(), "ends later than it begins"),
        ("ends", far.as_str(), "within five years"),
        ("begins", far.as_str(), "ends later than it begins"),
        ("value", "110", "0.01 to 100 %"),
        ("value", "x", "This was not done"),
        ("cut", "", "choose what it takes off"),
        ("scope", "chosen", "say which products"),
        ("name", " ", "the name is empty"),
        ("in_total", "0", "a limit is a whole number"),
    ] {
        for step in ["look", "keep"] {
            let key = fresh_key();
            let wrong = with(&fields(&ends, &key, step), &[(name, value)]);
            let answer = owner.post(STAFF, &wrong);
            let page = answer.page(422).to_lowercase();
            assert!(
                page.contains(&said.to_lowercase()),
                "{name} {value}: {page}"
            );
        }
    }
    let key = fresh_key();
    let none = with(
        &fields(&ends, &key, "keep"),
        &[("scope", "chosen"), ("names", "shed")],
    );
    says(&owner.post(STAFF, &none), 422, &["shed"]);
    assert_eq!(
        club.api.get("/v1/promotions").expect(200)["items"],
        json!([])
    );
}

fn sale(club: &Club<'_>, more: Value) -> String {
    let mut body = json!({"name": "Autumn sale", "ends_at": in_days(9), "rate": 1000});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = club.api.post("/v1/promotions", &body);
    made.expect(201)["promotion_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// ADV-06, SHP-13: the old price struck through, in words for readers, with the promotion and its
/// end, in the shop, on the product, the list, the confirmation and the receipt; stopped before it
/// was confirmed, the new price is asked about.
fn reduced_prices_are_seen_from_shop_to_receipt(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Clay pot", 60, None);
    let member = club.member("Ida", 500);
    let visitor = &member.visitor;
    let id = sale(&club, json!({}));
    let struck = "<span class=\"vh\">was </span>60<span class=\"vh\"> tokens, is now</span>";
    let shop = says(&visitor.get("/shops/club/shop"), 200, &[struck, ">54<"]);
    assert!(shop.contains("Autumn sale, until "));
    says(
        &visitor.get("/shops/club/shop/p/pot"),
        200,
        &[struck, ">54<", "Autumn sale, until "],
    );
    let stranger = club.visitor().get("/shops/club/shop");
    let stranger = stranger.page(200);
    assert!(
        !stranger.contains(">54<") && !stranger.contains(">60<"),
        "no prices for visitors"
    );
    put(visitor, &pot, 2);
    says(
        &visitor.get(LIST),
        200,
        &["120<span", ">108<", "Autumn sale: 12 tokens off"],
    );
    let page = visitor.get(CONFIRM);
    let page = says(
        &page,
        200,
        &["120<span", ">108<", "Taken off, in the prices above"],
    );
    let receipt = confirm(visitor, &page).see().to_owned();
    says(
        &visitor.get(&receipt),
        200,
        &["Paid 108 tokens", "120<span", "Autumn sale: 12 tokens off"],
    );
    assert_eq!(club.available(&member.id), "392");

    put(visitor, &pot, 1);
    let page = visitor.get(CONFIRM).page(200).to_owned();
    let stop = format!("/v1/promotions/{id}/stop");
    club.api.post(&stop, &Value::Null).expect(200);
    let asked = confirm(visitor, &page);
    let asked = says(
        &asked,
        409,
        &["Clay pot was 54 tokens and is 60 tokens now."],
    );
    assert_eq!(club.available(&member.id), "392", "nothing was taken");
    confirm(visitor, &asked).see();
    assert_eq!(club.available(&member.id), "332");
}

/// ADV-06: a coupon is entered on the list or where the order is confirmed, seen line by line, taken
/// off again; what is wrong with one is said plainly; it leaves the list with its order.
fn a_coupon_is_entered_seen_and_taken_off(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Clay pot", 60, None);
    let member = club.member("Ida", 500);
    let visitor = &member.visitor;
    let once = json!({"coupon": {"code": "AUTUMN10"}, "name": "Ten off", "per_customer": 1});
    let id = sale(&club, once);
    sale(
        &club,
        json!({"coupon": {"code": "LATER"}, "begins_at": in_days(1), "name": "Later"}),
    );
    sale(
        &club,
        json!({"coupon": {"code": "LARGE"}, "minimum": "200", "name": "Large"}),
    );
    put(visitor, &pot, 1);
    let enter = |code: &str, back: &str| {
        visitor.post("/shops/club/coupon", &[("code", code), ("back", back)])
    };
    for (code, said) in [
        ("", "Type the code of the coupon."),
        ("NOTHING", "No coupon has this code"),
        ("LATER", "not good yet"),
    ] {
        says(&enter(code, "list"), 422, &[said, "Use the coupon"]);
    }
    says(
        &enter("<b>", "confirm"),
        422,
        &["Is this right?", "No coupon has this code"],
    );
    assert_eq!(enter("large", "list").see(), LIST);
    says(
        &visitor.get(LIST),
        200,
        &["This coupon is for orders of 200 tokens or more."],
    );
    assert_eq!(enter(" autumn 10", "confirm").see(), CONFIRM);
    let page = visitor.get(CONFIRM);
    says(
        &page,
        200,
        &[
            "Ten off",
            "It takes off 6 tokens.",
            "Ten off: 6 tokens off",
            ">54<",
        ],
    );
    let off = visitor.post(
        "/shops/club/coupon",
        &[("remove", "1"), ("back", "confirm")],
    );
    assert_eq!(off.see(), CONFIRM);
    assert!(!visitor.get(CONFIRM).page(200).contains("Ten off"));
    enter("AUTUMN10", "list").see();
    let page = visitor.get(CONFIRM).page(200).to_owned();
    let receipt = confirm(visitor, &page).see().to_owned();
    says(
        &visitor.get(&receipt),
        200,
        &["Paid 54 tokens", "Ten off: 6 tokens off"],
    );
    assert!(
        !visitor.get(LIST).page(200).contains("Ten off"),
        "it went with its order"
    );
    put(visitor, &pot, 1);
    let again = enter("AUTUMN10", "list");
    says(&again, 422, &["as often as one customer may"]);
    a_coupon_that_is_stopped_is_told(&club, &id, &pot);
}

/// Entered, and stopped before it was confirmed.
fn a_coupon_that_is_stopped_is_told(club: &Club<'_>, id: &str, pot: &str) {
    let other = club.member("Ben", 500);
    put(&other.visitor, pot, 1);
    let code = [("code", "AUTUMN10"), ("back", "confirm")];
    other.visitor.post("/shops/club/coupon", &code).see();
    let page = other.visitor.get(CONFIRM).page(200).to_owned();
    let stop = format!("/v1/promotions/{id}/stop");
    club.api.post(&stop, &Value::Null).expect(200);
    let refused = confirm(&other.visitor, &page);
    let refused = says(
        &refused,
        409,
        &["This coupon is over", "Nothing was taken", ">60<"],
    );
    confirm(&other.visitor, &refused).see();
    assert_eq!(club.available(&other.id), "440");
}

/// ADV-06: codes come as a file, the same one again by a reload, and each is good once.
fn codes_come_as_a_file(db: &TestDb) {
    let club = Club::start(db);
    let pot = club.offer("pot", "Clay pot", 60, None);
    let owner = club.staff("owner");
    let id = sale(&club, json!({"coupon": {}}));
    let (path, key) = (format!("{STAFF}/{id}/codes"), fresh_key());
    let form = [("count", "3"), ("key", key.as_str())];
    let file = owner.post(&path, &form);
    assert_eq!(file.status, 200, "{}", file.text);
    assert!(
        file.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/csv")
    );
    let codes: Vec<&str> = file.text.lines().collect();
    assert_eq!((codes.len(), codes[0]), (4, "code"));
    assert_eq!(
        owner.post(&path, &form).text,
        file.text,
        "a reload makes no others"
    );
    says(
        &owner.get(&format!("{STAFF}/{id}")),
        200,
        &["3 issued, 0 of them used"],
    );
    says(
        &owner.post(&path, &[("count", "0"), ("key", &fresh_key())]),
        422,
        &["1 to 5000 codes"],
    );
    let member = club.member("Ida", 200);
    put(&member.visitor, &pot, 1);
    let code = [("code", codes[1]), ("back", "list")];
    member.visitor.post("/shops/club/coupon", &code).see();
    let page = member.visitor.get(CONFIRM).page(200).to_owned();
    confirm(&member.visitor, &page).see();
    assert_eq!(club.available(&member.id), "146");
    put(&member.visitor, &pot, 1);
    says(
        &member.visitor.post("/shops/club/coupon", &code),
        422,
        &["used up"],
    );
    let cashier = club.staff("cashier");
    assert_eq!(cashier.post(&path, &form).status, 403);
}

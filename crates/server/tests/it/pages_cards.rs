//! The pages of kept cards and of buying tokens by itself.

use crate::client::ALL_SCOPES;
use crate::club::{Club, Member, hidden};
use scrip_testkit::TestDb;
use serde_json::json;

const CARDS: &str = "/shops/club/account/cards";

/// The id of the first kept card on a page.
fn first_card(page: &str) -> String {
    let (_, rest) = page.split_once("crd_").unwrap();
    let id: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    format!("crd_{id}")
}

fn buy(member: &Member, card: &str, keep: bool) -> crate::client::Answered {
    let page = member
        .visitor
        .get("/shops/club/buy?tokens=60")
        .page(200)
        .to_owned();
    let key = hidden(&page, "key");
    let mut fields = vec![("tokens", "60"), ("card", card), ("key", key.as_str())];
    if keep {
        fields.push(("keep", "yes"));
    }
    member.visitor.post("/shops/club/buy", &fields)
}

/// TOK-08: a card that is kept with a purchase is on the list, pays the next purchase, and is gone
/// when it is removed; nobody else can use it.
#[test]
fn a_card_is_kept_used_and_removed() {
    let db = TestDb::sqlite();
    let club = Club::start(&db);
    let ana = club.member("Ana", 60);
    buy(&ana, "test_ok", false).see();
    assert!(ana.visitor.get(CARDS).page(200).contains("No card is kept"));
    buy(&ana, "test_declined", true).page(422);
    assert!(ana.visitor.get(CARDS).page(200).contains("No card is kept"));
    buy(&ana, "test_ok", true).see();
    let page = ana.visitor.get(CARDS).page(200).to_owned();
    assert!(page.contains("Test card, ends in 0001"), "{page}");
    let card = first_card(&page);
    let offered = ana
        .visitor
        .get("/shops/club/buy?tokens=60")
        .page(200)
        .to_owned();
    assert!(offered.contains(&card), "{offered}");
    buy(&ana, &card, false).see();
    assert_eq!(club.available(&ana.id), "240");

    let bo = club.member("Bo", 60);
    let refused = buy(&bo, &card, false).page(422).to_owned();
    assert!(refused.contains("There is no such card"), "{refused}");
    let key = hidden(bo.visitor.get("/shops/club/buy").page(200), "key");
    let fields = [("card", card.as_str()), ("key", key.as_str())];
    let remove = format!("{CARDS}/remove");
    assert_eq!(bo.visitor.post(&remove, &fields).status, 404);
    assert_eq!(
        ana.visitor.post(&remove, &fields).see(),
        format!("{CARDS}?done=removed")
    );
    let again = ana.visitor.post(&remove, &fields).see().to_owned();
    assert_eq!(
        again,
        format!("{CARDS}?done=removed"),
        "the same form again"
    );
    let refused = buy(&ana, &card, false).page(422).to_owned();
    assert!(refused.contains("There is no such card"), "{refused}");
    assert_eq!(club.available(&ana.id), "240");
}

/// A rule is set, shown, refused where it cannot be, stopped with its card, and taken away.
#[test]
fn a_rule_is_set_and_stops_with_its_card() {
    let db = TestDb::sqlite();
    let club = Club::start(&db);
    let ana = club.member("Ana", 60);
    let at = "/shops/club/account/top-up";
    assert!(ana.visitor.get(at).page(200).contains("Add a card first"));
    let add = format!("{CARDS}/add");
    let key = hidden(ana.visitor.get(&add).page(200), "key");
    let refused = ana.visitor.post(&add, &[("card", "4242"), ("key", &key)]);
    assert!(refused.page(422).contains("no test card"));
    let added = ana
        .visitor
        .post(&add, &[("card", "test_ok"), ("key", &key)]);
    assert_eq!(added.see(), format!("{CARDS}?done=added"));
    let card = first_card(ana.visitor.get(CARDS).page(200));
    let set = |when: &str, below: &str, days: &str, many: &str, number: &str| {
        let key = hidden(ana.visitor.get(at).page(200), "key");
        let fields = [
            ("card", card.as_str()),
            ("when", when),
            ("below", below),
            ("days", days),
            ("many", many),
            ("number", number),
            ("key", key.as_str()),
        ];
        ana.visitor.post(at, &fields)
    };
    for (when, below, days, many, number) in [
        ("below", "", "", "fixed", "10"),
        ("below", "0", "", "fixed", "10"),
        ("below", "-5", "", "fixed", "10"),
        ("below", "10", "", "fixed", "<b>"),
        ("below", "10", "", "target", "9"),
        ("below", "99999999999999999999", "", "fixed", "10"),
        ("days", "", "", "fixed", "10"),
        ("days", "", "0", "fixed", "10"),
        ("days", "", "9223372036854775807", "fixed", "10"),
    ] {
        let page = set(when, below, days, many, number).page(422).to_owned();
        assert!(
            page.contains("Nothing was changed."),
            "{when} {below} {days} {number}"
        );
        assert!(!page.contains("<b>\""), "typed text is text");
    }
    assert_eq!(
        set("days", "", "7", "fixed", "25").see(),
        format!("{CARDS}?done=set")
    );
    let page = ana.visitor.get(CARDS).page(200).to_owned();
    assert!(
        page.contains("Every 7 days, 25 tokens are bought with Test card"),
        "{page}"
    );
    let key = hidden(&page, "key");
    let fields = [("card", card.as_str()), ("key", key.as_str())];
    ana.visitor.post(&format!("{CARDS}/remove"), &fields).see();
    let page = ana.visitor.get(CARDS).page(200).to_owned();
    assert!(
        page.contains("This has stopped.") && page.contains("withdrawn"),
        "{page}"
    );
    let key = hidden(&page, "key");
    ana.visitor
        .post(&format!("{at}/off"), &[("key", &key)])
        .see();
    assert!(ana.visitor.get(CARDS).page(200).contains("Set it up"));
}

/// A kept card by its id, and nobody else's, at the API.
#[test]
fn the_api_takes_a_kept_card() {
    let db = TestDb::sqlite();
    let club = Club::start(&db);
    assert!(ALL_SCOPES.contains("tokens:write"));
    let (ana, bo) = (club.member("Ana", 60), club.member("Bo", 60));
    buy(&ana, "test_ok", true).see();
    let card = first_card(ana.visitor.get(CARDS).page(200));
    let body = json!({"tokens": "40", "card": card});
    let path = |id: &str| format!("/v1/customers/{id}/token-orders");
    club.api.post(&path(&ana.id), &body).expect(201);
    club.api
        .post(&path(&bo.id), &body)
        .problem(404, "not_found");
    assert_eq!(
        (club.available(&ana.id), club.available(&bo.id)),
        ("160".into(), "60".into())
    );
}

//! Refunds by staff, and answers to customers who ask for them, over HTTP, without script.

use crate::client::Answered;
use crate::club::{Club, hidden, says};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;

both!(
    a_refund_is_made_once,
    clicks_at_once_are_one_refund,
    parts_of_an_order_go_back,
    a_request_is_answered,
);

const COOKIE: &str = "__Host-staff-club";

fn at(path: &str) -> String {
    format!("/shops/club/staff{path}")
}

fn refund(visitor: &Visitor, order: &str, key: &str, more: &[(&str, &str)]) -> Answered {
    let mut fields = vec![("key", key)];
    fields.extend(more);
    visitor.post(&at(&format!("/orders/{order}/refund")), &fields)
}

/// Sent twice, or gone back to: one refund. Nothing is left afterwards.
fn a_refund_is_made_once(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("manager");
    let member = club.member("Ida", 500);
    club.offer("pot", "Clay <i>pot</i>", 60, Some(10));
    let order = club.order(&member.id, &[("pot", 3)]);
    let page = at(&format!("/orders/{order}"));
    let shown = says(
        &visitor.get(&page),
        200,
        &[
            "Clay &#60;i&#62;pot&#60;/i&#62;, 3 pieces",
            "Refund 180 tokens",
            "The whole order",
        ],
    );
    assert_eq!(shown.matches("btn main").count(), 1, "{shown}");
    let key = hidden(&shown, "key");
    let whole = [("what", "whole"), ("restock", "yes")];
    for _ in 0..3 {
        let done = refund(&visitor, &order, &key, &whole);
        assert_eq!(done.see(), format!("{page}?done=refunded"));
    }
    assert_eq!(
        (club.available(&member.id).as_str(), club.on_hand("pot")),
        ("500", 10)
    );
    let after = says(
        &visitor.get(&format!("{page}?done=refunded")),
        200,
        &[
            "Tokens were given back.",
            "180 tokens of this order are back",
            "all given back",
        ],
    );
    assert!(!after.contains("/refund\""), "nothing is left: {after}");
    // Another form that was open meanwhile, and this one with something else in it.
    let again = refund(&visitor, &order, "another", &whole);
    says(
        &again,
        409,
        &[
            "This was not done.",
            "Nothing of this order is left to refund.",
        ],
    );
    let lines = [("what", "lines"), ("line", "1"), ("pieces", "1")];
    says(
        &refund(&visitor, &order, &key, &lines),
        422,
        &["This form was sent before, with something else in it."],
    );
    assert_eq!(club.available(&member.id), "500");
    says(
        &visitor.get(&at(&format!("/customers/{}", member.id))),
        200,
        &["+180", "given back"],
    );
}

/// ARC-08: the same form six times at the same time.
fn clicks_at_once_are_one_refund(db: &TestDb) {
    let club = Club::start(db);
    let token = club.staff("cashier").cookie(COOKIE).unwrap();
    let member = club.member("Ida", 500);
    club.offer("pot", "Clay pot", 60, Some(10));
    let order = club.order(&member.id, &[("pot", 5)]);
    let places: Vec<String> = std::thread::scope(|scope| {
        let click = || {
            let visitor = club.visitor();
            visitor.take_cookie(COOKIE, &token);
            let lines = [("what", "lines"), ("line", "1"), ("pieces", "1")];
            let shelved = [&lines[..], &[("restock", "yes")]].concat();
            refund(&visitor, &order, "k", &shelved).see().to_owned()
        };
        let clicks: Vec<_> = (0..6).map(|_| scope.spawn(click)).collect();
        clicks.into_iter().map(|c| c.join().unwrap()).collect()
    });
    let done = at(&format!("/orders/{order}?done=refunded"));
    assert!(places.iter().all(|place| *place == done), "{places:?}");
    let after = (club.available(&member.id), club.on_hand("pot"));
    assert_eq!(after, ("260".to_owned(), 6));
}

/// Pieces of some lines, on the shelf or not; no more than were sold.
fn parts_of_an_order_go_back(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("cashier");
    let member = club.member("Ida", 500);
    club.offer("pot", "Clay pot", 60, Some(10));
    club.offer("lamp", "Lamp", 40, Some(10));
    let order = club.order(&member.id, &[("pot", 3), ("lamp", 1)]);
    let some = |pots, lamps| {
        [
            ("what", "lines"),
            ("line", "1"),
            ("pieces", pots),
            ("line", "2"),
            ("pieces", lamps),
        ]
    };
    let page = visitor
        .get(&at(&format!("/orders/{order}")))
        .page(200)
        .to_owned();
    for choice in [
        "<option value=\"3\">all 3</option>",
        "<option value=\"0\">none</option>",
    ] {
        assert!(page.contains(choice), "{page}");
    }
    refund(&visitor, &order, "a", &some("1", "0")).see();
    assert_eq!(
        (club.available(&member.id).as_str(), club.on_hand("pot")),
        ("340", 7)
    );
    let mut shelved = some("1", "1").to_vec();
    shelved.push(("restock", "yes"));
    refund(&visitor, &order, "b", &shelved).see();
    assert_eq!(
        (club.available(&member.id).as_str(), club.on_hand("pot")),
        ("440", 8)
    );
    assert_eq!(club.on_hand("lamp"), 10);
    for (key, pots, lamps, status, words) in [
        ("c", "2", "0", 409, "has 1 pieces left to refund, not 2"),
        ("d", "0", "1", 409, "has 0 pieces left"),
        (
            "e",
            "0",
            "0",
            422,
            "Choose how many pieces of a line go back.",
        ),
        ("f", "-1", "0", 409, "not -1"),
    ] {
        says(
            &refund(&visitor, &order, key, &some(pots, lamps)),
            status,
            &[words],
        );
    }
    for odd in [
        &[("what", "lines"), ("line", "1"), ("pieces", "abc")][..],
        &[("what", "lines"), ("line", "1")],
        &[("what", "all")],
        &[],
    ] {
        let answer = refund(&visitor, &order, "g", odd);
        assert_eq!(answer.status, 422, "{odd:?}");
        answer.page(422);
    }
    assert_eq!(club.available(&member.id), "440");
    says(
        &visitor.get(&at(&format!("/orders/{order}"))),
        200,
        &[
            "Refund 60 tokens",
            "All that is left",
            "2 pieces given back",
        ],
    );
}

/// A request stands among what needs a person until it is declined with an answer, or refunded.
fn a_request_is_answered(db: &TestDb) {
    let club = Club::start(db);
    let visitor = club.staff("cashier");
    let member = club.member("Ida", 500);
    club.offer("pot", "Clay pot", 60, None);
    let [first, second] = [1, 2].map(|pieces| club.order(&member.id, &[("pot", pieces)]));
    club.ask_refund(&first, "It broke.");
    club.ask_refund(&second, "Too many.");
    says(
        &visitor.get(&at("/today")),
        200,
        &["It broke.", "Too many."],
    );
    let all = visitor.get(&at("/requests")).page(200).to_owned();
    assert!(
        all.find("It broke.") < all.find("Too many."),
        "oldest first"
    );
    let decline = |answer: &str| {
        let path = at(&format!("/orders/{first}/decline"));
        visitor.post(&path, &[("answer", answer)])
    };
    says(&decline(" "), 422, &["The answer is empty: fill it in."]);
    let long = "<b>".repeat(3_334);
    let refused = says(
        &decline(&long),
        422,
        &["id=\"answer-error\"", "at most 1000 fit"],
    );
    assert_eq!(
        refused.matches("&#60;b&#62;").count(),
        3_334,
        "what was typed is kept"
    );
    let done = decline("Clay breaks when it falls. <b>Sorry</b>");
    let place = done.see().to_owned();
    says(
        &visitor.get(&place),
        200,
        &[
            "The refund is declined.",
            "Clay breaks when it falls. &#60;b&#62;Sorry",
        ],
    );
    says(&decline("Once more"), 409, &["This was answered already."]);
    says(
        &member.visitor.get(&format!("/shops/club/orders/{first}")),
        200,
        &["Clay breaks when it falls."],
    );
    refund(&visitor, &second, "k", &[("what", "whole")]).see();
    says(
        &visitor.get(&at("/requests")),
        200,
        &["Nobody waits for an answer"],
    );
    assert_eq!(club.available(&member.id), "440");
}

//! Staff's pages of money that comes and goes past the shop: pay-backs and disputes; and tokens
//! that are given in one place and taken back in another.

use crate::club::{Club, Member, hidden, says};
use scrip_testkit::TestDb;

both!(
    late_money_is_paid_back_once,
    disputes_are_shown_and_decided,
    tokens_are_given_in_one_place,
);

const PAYBACKS: &str = "/shops/club/staff/paybacks";
const DISPUTES: &str = "/shops/club/staff/disputes";

fn token_order(club: &Club<'_>, member: &Member) -> String {
    let list = club
        .api
        .get(&format!("/v1/customers/{}/token-orders", member.id));
    let order = list.expect(200)["items"][0]["token_order_id"].clone();
    order.as_str().unwrap().to_owned()
}

/// TOK-08: staff see what is to be paid back, of whom and since when; it goes back to the card or
/// another way, once; only who keeps the books may.
fn late_money_is_paid_back_once(db: &TestDb) {
    let club = Club::start(db);
    let (ida, eve) = (club.member("Ida", 60), club.member("Eve", 70));
    // The rules do not let cards pay for closed accounts; a copy of an older database might.
    db.run_sql(
        "INSERT INTO payback (book_id, token_order_id, customer_id, amount, processor_reference,
                              created_at)
         SELECT book_id, token_order_id, customer_id, price, 'pi_1', created_at
         FROM token_order WHERE state = 'cleared' AND means = 'card'",
    );
    let cashier = club.staff("cashier");
    let today = "/shops/club/staff/today";
    let words = ["2 pay-backs are due", "/shops/club/staff/paybacks"];
    let day = says(&cashier.get(today), 200, &words);
    assert!(!day.contains("Nobody waits for an answer."), "{day}");
    let looked = says(&cashier.get(PAYBACKS), 200, &["$6.00", "Ida", "today"]);
    assert!(!looked.contains("back to the card</button>"), "{looked}");
    let manager = club.staff("manager");
    let page = says(
        &manager.get(PAYBACKS),
        200,
        &["Pay $6.00 back to the card", "Note that $7.00 was paid"],
    );
    let key = hidden(&page, "key");
    let at =
        |member: &Member, way: &str| format!("{PAYBACKS}/{}/{way}", token_order(&club, member));
    for _ in 0..2 {
        let paid = manager.post(&at(&ida, "processor"), &[("key", &key)]);
        assert_eq!(paid.see(), format!("{PAYBACKS}?done=paid"));
    }
    let other = |reference: &str, key: &str| {
        let fields = [("reference", reference), ("key", key)];
        manager.post(&at(&eve, "other"), &fields)
    };
    says(&other(" ", "a"), 422, &["This was not done."]);
    assert_eq!(
        other("TR <77>", "b").see(),
        format!("{PAYBACKS}?done=noted")
    );
    says(&other("TR 78", "c"), 409, &["paid back before"]);
    let again = manager.post(&at(&eve, "processor"), &[("key", "d")]);
    says(&again, 409, &["paid back before"]);
    let words = [
        "Nothing is to be paid back.",
        "Back to the card",
        "Paid another way: TR &#60;77&#62;",
    ];
    says(&manager.get(PAYBACKS), 200, &words);
    let unknown = format!("{PAYBACKS}/tok_01h455vb4pex5vsknk084sn02q/processor");
    assert_eq!(manager.post(&unknown, &[("key", "e")]).status, 404);
    let trail = says(
        &manager.get("/shops/club/staff/audit?action=payback.settled"),
        200,
        &[
            "Paid 6 USD back to the card",
            "Noted that 7 USD was paid back",
        ],
    );
    assert!(!trail.contains("{&#34;"), "no JSON: {trail}");
}

/// An open, a won and a lost dispute, and a refund at the processor, of payments for 60, 61, 62 and 63
/// tokens.
fn plant_disputes(db: &TestDb) {
    for (nth, kind, state) in [
        (0, "dispute", "open"),
        (1, "dispute", "won"),
        (2, "dispute", "lost"),
        (3, "refund", "lost"),
    ] {
        let sql = format!(
            "INSERT INTO card_reversal (book_id, reversal, paid_id, kind, amount, reason,
                                        state, entry_id, created_at)
             SELECT book_id, 'du_{nth}', token_order_id, '{kind}', price, 'product_not_received',
                    '{state}', 1, created_at
             FROM token_order WHERE state = 'cleared' AND quantity = {}",
            (60 + nth) * 1_000_000
        );
        db.run_sql(&sql);
    }
}

/// TOK-09: an open, a won and a lost dispute, and a refund at the processor, each in words; tokens
/// are taken back where there are some and the money is gone, or left, with a reason.
fn disputes_are_shown_and_decided(db: &TestDb) {
    let club = Club::start(db);
    let members: Vec<Member> = [("Ida", 60), ("Eve", 61), ("Uli", 62), ("Oda", 63)]
        .into_iter()
        .map(|(name, tokens)| club.member(name, tokens))
        .collect();
    plant_disputes(db);
    let manager = club.staff("manager");
    let page = says(
        &manager.get(DISPUTES),
        200,
        &[
            "Dispute; the money is gone meanwhile",
            "Dispute; the money is back",
            "Dispute; the money is gone;",
            ">Won</span>",
            "Nothing to decide",
            "Refund at the processor: $6.30",
            "product not received",
            "Take back 60 tokens",
        ],
    );
    assert!(!page.contains("Take back 61 tokens"), "the money came back");
    let words = [
        "3 disputes wait for a decision",
        "/shops/club/staff/disputes",
    ];
    says(&manager.get("/shops/club/staff/today"), 200, &words);
    let decide = |reversal: &str, decision: &str, reason: &str| {
        let key = format!("{reversal}{decision}{}", reason.len());
        let fields = [
            ("reversal", reversal),
            ("decision", decision),
            ("reason", reason),
            ("key", key.as_str()),
        ];
        manager.post(DISPUTES, &fields)
    };
    let untold = says(
        &decide("du_0", "", "Stolen <card>"),
        422,
        &["say what becomes"],
    );
    assert!(
        untold.contains("Stolen &#60;card&#62;"),
        "what was typed stays"
    );
    says(&decide("du_0", "take", ""), 422, &["This was not done."]);
    says(&decide("du_1", "take", "x"), 409, &["money came back"]);
    assert_eq!(decide("du_9", "take", "x").status, 404);
    let done = decide("du_0", "take", "Stolen card");
    assert_eq!(done.see(), format!("{DISPUTES}?done=take"));
    decide("du_2", "leave", "A good customer").see();
    says(&decide("du_0", "leave", "x"), 409, &["decided before"]);
    assert_eq!(club.available(&members[0].id), "0");
    assert_eq!(club.available(&members[2].id), "62");
    let words = ["60 tokens taken back", "Stolen card", "The tokens stay"];
    says(&manager.get(DISPUTES), 200, &words);
    let account = members[0].visitor.get("/shops/club/account");
    says(
        &account,
        200,
        &["the payment was taken back", "Stolen card"],
    );
    let cashier = club.staff("cashier");
    let looked = says(&cashier.get(DISPUTES), 200, &["Nobody has decided"]);
    assert!(!looked.contains("Note the decision"));
}

/// TOK-06: a customer's page leads to the gifts with the account filled in, and takes tokens back;
/// the customer reads why.
fn tokens_are_given_in_one_place(db: &TestDb) {
    let club = Club::start(db);
    let ida = club.member("Ida", 60);
    let manager = club.staff("manager");
    let here = format!("/shops/club/staff/customers/{}", ida.id);
    let page = says(
        &manager.get(&here),
        200,
        &["Give tokens", "Take tokens back"],
    );
    let gifts = page.split("/staff/gifts?").nth(1).unwrap();
    let gifts = gifts.split('"').next().unwrap();
    let gifts = format!("/shops/club/staff/gifts?{gifts}");
    let form = says(&manager.get(&gifts), 200, &["To make something good"]);
    assert!(
        form.contains(&format!("value=\"{}\"", ida.number)),
        "{form}"
    );
    let fields = [
        ("account", ida.number.as_str()),
        ("tokens", "5"),
        ("route", "goodwill"),
        ("reason", "The parcel was late."),
        ("once", ""),
        ("key", "a"),
    ];
    manager.post("/shops/club/staff/gifts", &fields).see();
    assert_eq!(club.available(&ida.id), "65");
    let take = |tokens: &str, key: &str| {
        let fields = [("tokens", tokens), ("reason", "Twice."), ("key", key)];
        manager.post(&format!("{here}/adjust"), &fields)
    };
    assert_eq!(take("7", "b").see(), format!("{here}?done=adjusted"));
    for (tokens, key) in [("-7", "c"), ("0", "d"), ("1000", "e"), ("x", "f")] {
        assert!(matches!(take(tokens, key).status, 409 | 422), "{tokens}");
    }
    assert_eq!(club.available(&ida.id), "58");
    let account = ida.visitor.get("/shops/club/account");
    says(&account, 200, &["Gift", "The parcel was late.", "Twice."]);
}

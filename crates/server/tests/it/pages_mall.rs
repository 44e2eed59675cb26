//! The mall on a member's pages.

use crate::club::{Club, hidden, says};
use crate::program::Program;
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    a_member_sees_its_mall_and_says_whose_tokens_it_takes,
    a_shop_on_its_own_is_told_so,
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
        let words: Vec<&str> = command.split(' ').collect();
        program.ok(&words);
    }
}

/// OPN-05, GOV-02, GOV-06, GOV-07, ADV-08: the figures are those of the API; who may change the policy
/// says whose tokens and certificates are taken.
fn a_member_sees_its_mall_and_says_whose_tokens_it_takes(db: &TestDb) {
    let club = Club::start_running(db, riverside);
    let ana = club.member("Ana", 100);
    let tokens = json!({
        "customer_id": ana.id, "kind": "universal", "tokens": "25", "origin": "paid",
    });
    club.api.post("/v1/open-tokens", &tokens).expect(201);
    club.api
        .put("/v1/products/lamp", &json!({"title": "Lamp"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": "100"});
    club.api
        .put("/v1/products/lamp/offers/lamp", &offer)
        .expect(201);
    let wanted = json!({"at": "club", "lines": [{"sku": "lamp", "quantity": 1}]});
    let orders = format!("/v1/customers/{}/open-orders", ana.id);
    club.api.post(&orders, &wanted).expect(201);
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

//! The taxes in prices on pages, in files and in the API.

use crate::club::{Club, says};
use crate::pages_order::{CONFIRM, put};
use scrip_testkit::TestDb;
use serde_json::json;

both!(
    a_rate_is_shown_wherever_something_is_paid,
    the_page_of_settings_says_what_a_rate_does,
);

/// The vendor's rates, by the API.
fn rates(club: &Club<'_>, rates: &[&str]) {
    let held = club.api.get("/v1/vendor/policy");
    let version = held.expect(200)["version"].clone();
    let body = json!({"version": version, "policy": {"tax": {"rates": rates}}});
    club.api.put("/v1/vendor/policy", &body).expect(200);
}

/// Nothing without a rate; with one the confirmation, the receipt, staff, the quote, the order, the
/// report and its file say it.
fn a_rate_is_shown_wherever_something_is_paid(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 500);
    let pot = club.offer("pot", "Clay pot", 119, None);
    put(&member.visitor, &pot, 2);
    let page = says(&member.visitor.get(CONFIRM), 200, &["238 tokens"]);
    assert!(!page.contains("In it"), "{page}");
    rates(&club, &["VAT 19%"]);
    let words = ["In it: <bdi>VAT 19%</bdi>", "$3.80", "<b>38</b>"];
    says(&member.visitor.get(CONFIRM), 200, &words);

    let lines = json!([{"sku": "pot", "quantity": 2}]);
    let wanted = json!({"customer_id": member.id, "lines": lines});
    let quote = club.api.post("/v1/quotes", &wanted).expect(200).clone();
    assert_eq!(quote["taxes"][0]["tax"]["amount"], "38");
    assert_eq!(quote["lines"][0]["tax"]["basis_points"], 1900);

    let order = club.order(&member.id, &[("pot", 2)]);
    let receipt = format!("/shops/club/orders/{order}");
    says(&member.visitor.get(&receipt), 200, &words);
    let owner = club.staff("owner");
    let of_staff = format!("/shops/club/staff/orders/{order}");
    says(&owner.get(&of_staff), 200, &words);

    let one = json!({"lines": [{"line_no": 1, "quantity": 1}]});
    club.api
        .post(&format!("/v1/orders/{order}/refunds"), &one)
        .expect(201);
    let found = club
        .api
        .get(&format!("/v1/orders/{order}"))
        .expect(200)
        .clone();
    let tax = &found["taxes"][0];
    assert_eq!(
        (&tax["name"], &tax["tax"]["amount"]),
        (&json!("VAT"), &json!("38"))
    );
    assert_eq!(tax["tax_money"], json!({"amount": "3.8", "asset": "USD"}));
    assert_eq!(tax["refunded_tax"]["amount"], "19");
    assert_eq!(found["lines"][0]["refunded_tax"]["amount"], "19");

    let report = "/shops/club/staff/reports/taxes";
    says(
        &owner.get(report),
        200,
        &["VAT 19%", "$11.90", "$1.90", "$10.00"],
    );
    let file = owner.get(&format!("{report}/rates.csv")).text;
    let line = "VAT 19%,23.8,11.9,11.9,10,1.9,119,19";
    assert!(file.contains(line), "{file}");
}

/// A rate that cannot be is said at the field's page; one that can, with what it does.
fn the_page_of_settings_says_what_a_rate_does(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let page = "/shops/club/staff/settings";
    says(
        &owner.get(page),
        200,
        &[
            "Rates of the taxes in your prices",
            "No tax is shown anywhere.",
        ],
    );
    rates(&club, &["VAT 19%", "VAT 7%: Books"]);
    let words = [
        "VAT 19%\nVAT 7%: Books",
        "Of 100 tokens, 15.97 tokens are VAT 19%.",
    ];
    says(&owner.get(page), 200, &words);
    let held = club.api.get("/v1/vendor/policy").expect(200)["version"].clone();
    let body = json!({"version": held, "policy": {"tax": {"rates": ["VAT 19"]}}});
    let refused = club.api.put("/v1/vendor/policy", &body);
    let said = refused.expect(422)["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("write a name and a percentage"), "{said}");
}

//! In which time zone pages say times.

use crate::club::{Club, says};
use crate::pages_order::{buy, put};
use scrip_testkit::TestDb;
use serde_json::json;

both!(times_are_in_the_zone_of_who_reads);

const MESSAGES: &str = "/shops/club/account/messages";

/// SHP-19: the customer's choice, else the browser's zone, else the shop's; a statement stays in the
/// shop's and says so; a zone that nobody knows is refused, and what was typed stays.
fn times_are_in_the_zone_of_who_reads(db: &TestDb) {
    let club = Club::start(db);
    let held = club.api.get("/v1/vendor/policy").expect(200)["version"].clone();
    // No part of the year is told apart by these: they have one time all year.
    let body = json!({"version": held, "policy": {"time_zone": "Africa/Nairobi"}});
    club.api.put("/v1/vendor/policy", &body).expect(200);
    let ana = club.member("Ana", 500);
    let pen = club.offer("pen", "Pen", 5, None);
    put(&ana.visitor, &pen, 1);
    let receipt = buy(&ana.visitor);
    let zone_of = |page: &str| {
        let known = ["EAT", "JST", "MST", "UTC"].into_iter();
        let said: Vec<_> = known
            .filter(|zone| page.contains(&format!(" {zone}<")))
            .collect();
        said.join(" ")
    };
    let said = || zone_of(ana.visitor.get(&receipt).page(200));
    assert_eq!(said(), "EAT", "the shop's");
    ana.visitor.take_cookie("zone", "America%2FPhoenix");
    assert_eq!(said(), "MST", "the browser's");
    let page = ana.visitor.get(MESSAGES);
    says(
        &page,
        200,
        &["Time zone", "or the shop&#39;s, Africa/Nairobi"],
    );
    let choose = |zone: &str, key: &str| {
        let fields = [("language", ""), ("zone", zone), ("key", key)];
        ana.visitor.post(MESSAGES, &fields)
    };
    let told = choose("Asia/Atlantis", "one");
    says(&told, 422, &["No time zone", "value=\"Asia/Atlantis\""]);
    assert_eq!(said(), "MST");
    choose("asia/tokyo", "two").see();
    assert_eq!(said(), "JST", "the customer's");
    says(&ana.visitor.get(MESSAGES), 200, &["value=\"Asia/Tokyo\""]);
    let statement = ana.visitor.get("/shops/club/account/statement");
    let statement = says(&statement, 200, &["days of Africa/Nairobi"]);
    assert!(!statement.contains("JST"), "a statement is the shop's");
    // A form of before knows no zone and leaves it.
    let fields = [("language", "de"), ("key", "three")];
    ana.visitor.post(MESSAGES, &fields).see();
    assert_eq!(said(), "JST");
    choose("", "four").see();
    assert_eq!(said(), "MST", "the browser's again");
    for odd in ["No%2FWhere", "..%2F..%2Fetc%2Fpasswd", "%00", "a=b"] {
        ana.visitor.take_cookie("zone", odd);
        assert_eq!(said(), "EAT", "{odd}");
    }
    let cashier = club.staff("cashier");
    cashier.take_cookie("zone", "America%2FPhoenix");
    let order = receipt.rsplit('/').next().unwrap();
    let page = cashier.get(&format!("/shops/club/staff/orders/{order}"));
    assert_eq!(zone_of(page.page(200)), "EAT", "staff work in the shop's");
}

//! Reports of staff: who may look, what they show, the files, the booking of revenue.

use crate::club::{Club, hidden, says};
use scrip_testkit::TestDb;
use serde_json::{Value, json};

both!(
    reports_say_what_was_sold,
    files_have_sums_and_no_formulas,
    days_that_cannot_be_are_said,
    revenue_is_booked_by_who_may,
    the_api_has_the_same_tables,
    a_statement_is_the_customers_own,
);

const PATH: &str = "/shops/club/staff/reports";
const REPORTS: [&str; 6] = [
    "sales",
    "products",
    "preferences",
    "liability",
    "breakage",
    "revenue",
];
/// Around today and the day on which the club sold.
const YEAR: &str = "from=2026-01-01&to=2026-12-31&by=month";

/// A member who bought 100 tokens for 10 and spent 30 on three pots, of which one came back; all
/// of it counts in January.
fn trade(club: &Club<'_>, title: &str) {
    let member = club.member("Ida", 0);
    club.offer("pot", title, 10, None);
    let at = |day: &str| json!(format!("2026-01-{day}T12:00:00Z"));
    let bought = json!({"tokens": "100", "card": "test_ok", "effective_at": at("10")});
    let path = format!("/v1/customers/{}/token-orders", member.id);
    club.api.post(&path, &bought).expect(201);
    let order = json!({
        "customer_id": member.id, "lines": [{"sku": "pot", "quantity": 3}],
        "effective_at": at("11"),
    });
    let placed = club.api.post("/v1/orders", &order);
    let order = placed.expect(201)["order_id"].as_str().unwrap().to_owned();
    let one = json!({"lines": [{"line_no": 1, "quantity": 1}], "effective_at": at("12")});
    let refunds = format!("/v1/orders/{order}/refunds");
    club.api.post(&refunds, &one).expect(201);
}

/// ADV-08: all staff see all reports with their charts, auditors too; strangers see none.
fn reports_say_what_was_sold(db: &TestDb) {
    let club = Club::start(db);
    trade(&club, "Clay <i>pot</i>");
    let auditor = club.staff("auditor");
    let index = says(&auditor.get(PATH), 200, &["Reports"]);
    for report in REPORTS {
        assert!(index.contains(&format!("{PATH}/{report}\"")), "{report}");
        let page = format!("{PATH}/{report}?{YEAR}");
        let shown = says(&auditor.get(&page), 200, &["CSV", "<table class=\"data\">"]);
        assert!(!shown.contains("<i>pot"), "{report}");
        assert!(shown.contains("class=\"chart\""), "{report}");
        club.visitor().get(&page).see();
        let file = club.visitor().get(&format!("{PATH}/{report}/periods.csv"));
        assert!(file.see().starts_with("/shops/club/staff/sign-in"));
    }
    let sales = format!("{PATH}/sales?{YEAR}");
    let words = [
        "January 2026",
        "December 2026",
        "All together: Spent, tokens 30",
    ];
    says(&auditor.get(&sales), 200, &words);
    let products = format!("{PATH}/products?{YEAR}");
    says(&auditor.get(&products), 200, &["Clay &#60;i&#62;pot"]);
    let liability = format!("{PATH}/liability");
    says(
        &auditor.get(&liability),
        200,
        &["come to 80 tokens", "$8.00"],
    );
    let receivables = format!("{PATH}/receivables");
    says(
        &auditor.get(&receivables),
        200,
        &["Not due yet", "comes to $0.00"],
    );
    auditor.get(&format!("{PATH}/nonsense")).page(404);
    let elsewhere = club.staff_of(&club.served.other, "other", "manager");
    elsewhere.get(&sales).see();
}

/// ADV-08: a file has the lines, their sums and their number; nothing in it is a formula.
fn files_have_sums_and_no_formulas(db: &TestDb) {
    let club = Club::start(db);
    trade(&club, "=cmd|' /C calc'!A0, \"best\"");
    let auditor = club.staff("auditor");
    let file = |path: &str| {
        let answer = auditor.get(&format!("{PATH}/{path}.csv?{YEAR}"));
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
        answer
            .text
            .lines()
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    let periods = file("sales/periods");
    assert_eq!(periods.len(), 15, "{periods:?}");
    assert_eq!(periods[0], "from,orders,spent,refunds,given_back,net,money");
    assert_eq!(periods[1], "2026-01-01,1,30,1,10,20,0");
    assert_eq!(periods[13], "total,1,30,1,10,20,0");
    assert_eq!(periods[14], "lines,12");
    let articles = file("products/articles");
    assert_eq!(
        articles[1],
        "pot,\"'=cmd|' /C calc'!A0, \"\"best\"\"\",,,3,30,1,10,20"
    );
    let revenue = file("revenue/periods");
    assert_eq!(
        revenue[0],
        "from,opening,received,spent,owed_again,earned,breakage,paid_back,closing"
    );
    assert_eq!(revenue[1], "2026-01-01,0,10,3,1,2,0,0,8");
    assert_eq!(revenue[2], "2026-02-01,8,0,0,0,0,0,0,8");
    auditor.get(&format!("{PATH}/sales/nonsense.csv")).page(404);
    auditor.get(&format!("{PATH}/sales/periods")).page(404);
}

/// ADV-08: days that are none, the wrong way round or too many are said on a page that works.
fn days_that_cannot_be_are_said(db: &TestDb) {
    let club = Club::start(db);
    let auditor = club.staff("auditor");
    for (query, said) in [
        ("from=yesterday", "his is no day"),
        ("from=2026-02-02&to=2026-01-01", "before the first"),
        (
            "from=1990-01-01&to=2026-01-01&by=day",
            "more than 400 periods",
        ),
        ("by=%3Cb%3Efortnight", "day, week, month, quarter or year"),
    ] {
        let shown = auditor.get(&format!("{PATH}/sales?{query}"));
        says(&shown, 422, &["These days cannot be shown", said]);
        auditor
            .get(&format!("{PATH}/sales/periods.csv?{query}"))
            .page(422);
    }
    auditor.get(&format!("{PATH}/sales?nonsense=1")).page(400);
}

/// ADV-08: managers book what was earned until a day that has passed, once; cashiers and auditors
/// do not.
fn revenue_is_booked_by_who_may(db: &TestDb) {
    let club = Club::start(db);
    trade(&club, "Pot");
    let page = format!("{PATH}/revenue");
    let book = format!("{page}/book");
    for role in ["cashier", "auditor"] {
        let visitor = club.staff(role);
        let shown = says(&visitor.get(&page), 200, &["Deferred"]);
        assert!(!shown.contains("Book revenue"), "{role}");
        let fields = [("key", "one"), ("last", "2026-01-31")];
        visitor.post(&book, &fields).page(403);
    }
    let manager = club.staff("manager");
    let key = hidden(&says(&manager.get(&page), 200, &["Book revenue"]), "key");
    for _ in 0..2 {
        let fields = [("key", key.as_str()), ("last", "2026-01-31")];
        let done = manager.post(&book, &fields);
        assert_eq!(done.see(), format!("{page}?done=booked"));
    }
    let words = ["Revenue is booked.", "31 Jan 2026"];
    let shown = says(&manager.get(&format!("{page}?done=booked")), 200, &words);
    assert_eq!(shown.matches("31 Jan 2026").count(), 1, "{shown}");
    for (last, said) in [
        ("2999-01-01", "not over"),
        ("2026-01-30", "booked already"),
        ("never", "his is no day"),
    ] {
        let fields = [("key", last), ("last", last)];
        let refused = manager.post(&book, &fields);
        assert!([409, 422].contains(&refused.status), "{last}");
        says(&refused, refused.status, &[said]);
    }
    let entries = club.api.get("/v1/ledger/entries");
    let entries = entries.expect(200)["items"].as_array().unwrap().clone();
    let booked = entries.iter().filter(|e| e["code"] == "recognition");
    assert_eq!(booked.count(), 1);
    let verified = club.api.get("/v1/ledger/verification");
    assert_eq!(verified.expect(200)["sound"], true);
}

/// ADV-08: programs get the same tables, of their own vendor alone.
fn the_api_has_the_same_tables(db: &TestDb) {
    let club = Club::start(db);
    trade(&club, "Pot");
    let figures = |report: &str| -> Value {
        let path = format!("/v1/reports/figures/{report}?{YEAR}");
        club.api.get(&path).expect(200).clone()
    };
    let sales = figures("sales");
    assert_eq!(sales["time_zone"], "UTC");
    let periods = &sales["tables"][0];
    assert_eq!(
        periods["columns"][1],
        json!({"name": "spent", "unit": "CLUB.TOKEN"})
    );
    let expected = json!({"key": "2026-01-01", "cells": ["1", "30", "1", "10", "20", "0"]});
    assert_eq!(periods["rows"][0], expected);
    assert_eq!(periods["total"], json!(["1", "30", "1", "10", "20", "0"]));
    for report in REPORTS {
        assert!(figures(report)["tables"][0]["rows"].is_array(), "{report}");
    }
    let theirs = club
        .served
        .other
        .get(&format!("/v1/reports/figures/sales?{YEAR}"));
    assert_eq!(theirs.expect(200)["tables"][0]["total"][1], "0");
    club.api
        .get("/v1/reports/figures/sales?from=2026-13-01")
        .problem(422, "day_invalid");
    club.api.get("/v1/reports/figures/nonsense");
}

/// MIC-05: the customer and staff see the same statement, on a page and as a file; others do not.
fn a_statement_is_the_customers_own(db: &TestDb) {
    let club = Club::start(db);
    let member = club.member("Ida", 0);
    club.offer("pot", "Pot", 10, None);
    let at = |day: &str| json!(format!("2026-01-{day}T12:00:00Z"));
    let bought = json!({"tokens": "100", "card": "test_ok", "effective_at": at("10")});
    let path = format!("/v1/customers/{}/token-orders", member.id);
    club.api.post(&path, &bought).expect(201);
    let order = json!({
        "customer_id": member.id, "lines": [{"sku": "pot", "quantity": 3}],
        "effective_at": at("11"), "reference": "=2+3",
    });
    club.api.post("/v1/orders", &order).expect(201);
    let own = "/shops/club/account/statement";
    let days = "from=2026-01-11&to=2026-01-31";
    let staff = club.staff("auditor");
    let theirs = format!("/shops/club/staff/customers/{}/statement", member.id);
    for (visitor, page) in [(&member.visitor, own), (&staff, theirs.as_str())] {
        let words = ["Opening balance", "Closing balance", "Ida"];
        let shown = says(&visitor.get(&format!("{page}?{days}")), 200, &words);
        for number in ["<b>100</b>", "<b>70</b>"] {
            assert!(shown.contains(number), "{number} in {shown}");
        }
        let file = visitor.get(&format!("{page}.csv?{days}"));
        assert_eq!(file.status, 200);
        let lines: Vec<&str> = file.text.lines().collect();
        let expected = [
            "date,what,reference,tokens,balance",
            "2026-01-11,opening,,,100",
            "2026-01-11T12:00:00Z,order,'=2+3,-30,70",
            "2026-01-31,closing,,,70",
            ",lines,,1,",
        ];
        assert_eq!(lines, expected);
        visitor.get(&format!("{page}?from=2026-02-30")).page(422);
    }
    let stranger = club.member("Eve", 60);
    stranger.visitor.get(&theirs).see();
    club.visitor().get(own).see();
    let elsewhere = club.staff_of(&club.served.other, "other", "manager");
    let page = theirs.replace("/club/", "/other/");
    elsewhere.get(&page).page(404);
}

//! A member's account with its mall: statement, invoices, disputes, on pages, in the API and by the
//! operator.

use crate::club::{Club, hidden, says};
use crate::program::Program;
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::json;
use std::cell::RefCell;

both!(
    a_statement_prints_and_a_line_is_disputed,
    an_invoice_is_paid_once,
    how_a_member_settles_is_shown,
    a_deposit_that_is_short_is_told,
    the_operator_is_told_what_to_do,
);

const MALL: &str = "/shops/club/staff/mall";

/// The club and a bakery in a mall; the club keeps 2 percent and leaves 1 percent.
fn riverside(program: &Program<'_>) {
    program.ok(&["vendor", "create", "--name", "Bakery", "--slug", "bakery"]);
    for command in [
        "mall create --slug riverside --name Riverside --currency USD",
        "mall join --mall riverside --vendor club",
        "mall join --mall riverside --vendor bakery",
        "mall terms --vendor club --service 2 --royalty 1",
    ] {
        program.line(command);
    }
}

/// A lamp for 10.00 that universal tokens paid at home: the mall is owed 0.10.
fn a_sale(club: &Club<'_>) -> String {
    let ana = club.member("Ana", 100);
    club.issue_open(&ana.id, "25");
    club.offer("lamp", "Lamp", 100, None);
    club.buy_open(&ana.id, "club", "lamp").expect(201);
    ana.id
}

/// MIC-05, GOV-06: lines and totals are those of the API; a line is disputed by those who keep the
/// books, once; the operator answers, and money passes by a line of its own.
fn a_statement_prints_and_a_line_is_disputed(db: &TestDb) {
    let mut club = Club::start_running(db, riverside);
    a_sale(&club);
    let owner = club.staff("owner");
    let statement = format!("{MALL}/statement");
    let words = [
        "Statement of the mall",
        "until now",
        "Sale",
        "$0.10",
        "In all",
        "Tell the mall",
    ];
    let page = says(&owner.get(&statement), 200, &words);
    let shown = club.api.get("/v1/mall/statement");
    let event = shown.expect(200)["items"][0]["event_id"].as_str().unwrap();
    let file = owner.get(&format!("{statement}.csv"));
    assert_eq!(file.status, 200);
    let totals = "\r\ntotal,,,,,10,9.9,0,0.1,0,,0,0.1\r\nlines,1\r\n";
    assert!(
        file.text.contains(event) && file.text.contains(totals),
        "{}",
        file.text
    );
    let key = hidden(&page, "key");
    let fields = |event: &str, key: &str| {
        [
            ("event", event.to_owned()),
            ("reason", "The lamp came back".to_owned()),
            ("from", "2026-01-01".to_owned()),
            ("to", "2026-01-31".to_owned()),
            ("key", key.to_owned()),
        ]
    };
    let action = format!("{MALL}/disputes");
    let send = |who: &Visitor, event: &str, key: &str| {
        let fields = fields(event, key);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        who.post(&action, &fields)
    };
    for _ in 0..2 {
        assert!(send(&owner, event, &key).see().contains("done=disputed"));
    }
    assert_eq!(send(&owner, event, "another").status, 409);
    assert_eq!(send(&owner, "nonsense", "third").status, 404);
    assert_eq!(send(&club.staff("cashier"), event, "c").status, 403);
    says(&owner.get(&statement), 200, &["in dispute"]);
    says(&owner.get(MALL), 200, &["Disputes", "The lamp came back"]);
    let again = json!({"event_id": event, "reason": "again"});
    club.api.post("/v1/mall/disputes", &again).expect(409);
    club.served.between(|program| {
        let listed = program.line("mall dispute list --mall riverside");
        assert!(listed.contains("The lamp came back"), "{listed}");
        let close = "mall dispute close --mall riverside 1 --answer Right";
        fails(program, &format!("{close} --adjust 11"), "at most 10");
        program.line(&format!("{close} --adjust 0.04"));
        fails(program, &format!("{close} --reject"), "answered already");
    });
    answered(&club, &owner, event);
}

/// What the answer to the dispute left, and that the line may be disputed again.
fn answered(club: &Club<'_>, owner: &Visitor, event: &str) {
    let owes = club.api.get("/v1/mall");
    assert_eq!(owes.expect(200)["owes"]["amount"], "0.06");
    let disputes = club.api.get("/v1/mall/disputes");
    let first = &disputes.expect(200)["items"][0];
    assert_eq!(
        (&first["state"], &first["answer"]),
        (&json!("adjusted"), &json!("Right"))
    );
    let statement = format!("{MALL}/statement");
    says(&owner.get(&statement), 200, &["Adjustment", "$0.06"]);
    let again = json!({"event_id": event, "reason": "again"});
    let opened = club.api.post("/v1/mall/disputes", &again);
    let opened = opened.expect(201);
    assert_eq!(
        (&opened["dispute"], &opened["state"]),
        (&json!(2), &json!("open"))
    );
    for (event, status) in [
        ("0198b2c4-7d10-7a3e-9c55-2f6d0e1b4a77", 404),
        (&"x".repeat(36), 422),
    ] {
        let unknown = json!({"event_id": event, "reason": "x"});
        club.api.post("/v1/mall/disputes", &unknown).expect(status);
    }
}

fn fails(program: &Program<'_>, command: &str, says: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let ran = program.run(&words);
    assert!(
        ran.code != 0 && ran.err.contains(says),
        "{command}: {ran:?}"
    );
}

/// GOV-09, MIC-03, OPN-20: as the page, the API and the operator see it.
fn an_invoice_is_paid_once(db: &TestDb) {
    let mut club = Club::start_running(db, riverside);
    a_sale(&club);
    let owner = club.staff("owner");
    let printed = format!("{MALL}/invoices/1");
    assert_eq!(owner.get(&printed).status, 404);
    club.served.between(|program| {
        program.line("mall clear --mall riverside");
    });
    says(&owner.get(MALL), 200, &["Invoices", "not paid yet"]);
    let words = ["Invoice 1", "$0.10", "not paid yet", "You pay"];
    says(&owner.get(&printed), 200, &words);
    club.served.between(|program| {
        let pay = "mall pay --mall riverside --vendor club 1 --reference SEPA-7";
        let said = program.line(pay);
        assert!(
            said.contains("club") && said.contains("pays 0.1;"),
            "{said}"
        );
        fails(program, pay, "was paid on");
        let open = program.line("mall invoices --mall riverside --open");
        assert!(open.contains("no invoices"), "{open}");
        let all = program.line("mall invoices --mall riverside");
        assert!(
            all.contains("SEPA-7") && all.contains("nothing to pay"),
            "{all}"
        );
        program.ok(&["verify"]);
    });
    says(&owner.get(&printed), 200, &["paid", "SEPA-7"]);
    let invoices = club.api.get("/v1/mall/invoices");
    let first = &invoices.expect(200)["items"][0];
    assert_eq!(first["due"]["amount"], "0.1");
    assert_eq!(first["reference"], "SEPA-7");
    assert_eq!(club.api.get("/v1/mall").expect(200)["owes"]["amount"], "0");
}

/// OPN-20: who settles how is shown; at home nothing is transferred.
fn how_a_member_settles_is_shown(db: &TestDb) {
    let mut club = Club::start_running(db, |program| {
        riverside(program);
        program.line("mall settling --vendor club transfer");
        program.line("mall settling --vendor bakery deposit");
    });
    a_sale(&club);
    let owner = club.staff("owner");
    says(&owner.get(MALL), 200, &["at once, by a transfer"]);
    club.served.between(|program| {
        let listed = "mall transfers --mall riverside --from 2020-01-01T00:00:00Z";
        let listed = program.line(listed);
        assert!(listed.contains("event,time,payer,amount"), "{listed}");
        assert!(listed.contains("lines,0"), "{listed}");
    });
}

/// OPN-20: the seller is told that these tokens cannot pay now; with a deposit they do.
fn a_deposit_that_is_short_is_told(db: &TestDb) {
    let key = RefCell::new(String::new());
    let mut club = Club::start_running(db, |program| {
        riverside(program);
        program.line("mall settling --vendor club deposit");
        *key.borrow_mut() = program.key("bakery");
    });
    let customer = a_sale(&club);
    let bakery = club.served.with_key(&key.borrow());
    bakery
        .put("/v1/products/bun", &json!({"title": "Bun"}))
        .expect(201);
    let offer = json!({"kind": "purchase", "price": "100"});
    bakery
        .put("/v1/products/bun/offers/bun", &offer)
        .expect(201);
    let refused = club.buy_open(&customer, "bakery", "bun");
    let said = refused.problem(409, "deposit_short");
    assert!(said.contains("pay with other tokens"), "{said}");
    club.served.between(|program| {
        program.line("mall deposit --vendor club 50 --low 5");
    });
    club.buy_open(&customer, "bakery", "bun").expect(201);
    let owner = club.staff("owner");
    says(
        &owner.get(MALL),
        200,
        &["at once, from your deposit", "$49.02"],
    );
    club.served.between(|program| {
        program.ok(&["verify"]);
    });
}

/// MSP-01, GOV-06: bad input is told; a quota is sold at a rate.
fn the_operator_is_told_what_to_do(db: &TestDb) {
    let mut club = Club::start_running(db, riverside);
    club.served.between(|program| {
        for (command, says) in [
            (
                "mall pay --mall riverside --vendor club 9",
                "nothing to pay",
            ),
            ("mall quota --vendor club 5 --rate=-1", "rate"),
            ("mall settling --vendor club cash", "settles"),
            (
                "mall adjust --mall riverside 1 --reason x",
                "from one to another",
            ),
            (
                "mall adjust --mall riverside --from club 0 --reason x",
                "more than nothing",
            ),
            (
                "mall dispute close --mall riverside 4 --answer no --reject",
                "no dispute 4",
            ),
        ] {
            fails(program, command, says);
        }
        let sold = program.line("mall quota --vendor club 500 --rate 0.01");
        assert!(sold.contains("owes 5 for it"), "{sold}");
        program.line("mall adjust --mall riverside --to club 1.25 --reason agreed");
        program.ok(&["verify"]);
    });
    assert_eq!(
        club.api.get("/v1/mall").expect(200)["owes"]["amount"],
        "3.75"
    );
}

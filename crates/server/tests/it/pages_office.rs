//! The office of a mall: its pages say what the journals say, and its people run the mall.

use crate::client::{Answered, Api};
use crate::club::{Club, hidden, says};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::cell::RefCell;

both!(
    figures_are_those_of_the_journal,
    the_office_runs_the_mall,
    others_are_kept_out,
);

const OFFICE: &str = "/shops/club/staff/office/riverside";

/// The club and a bakery in a mall that the club runs. A customer of the club has bought a bun for
/// 1.00 at the bakery and a lamp for 10.00 at home, with universal tokens.
struct Run<'a> {
    club: Club<'a>,
    bakery: Api,
    customer: String,
}

impl<'a> Run<'a> {
    fn new(db: &'a TestDb) -> Run<'a> {
        let key = RefCell::new(String::new());
        let club = Club::start_running(db, |program| {
            program.ok(&["vendor", "create", "--name", "Bakery", "--slug", "bakery"]);
            for command in [
                "mall create --slug riverside --name Riverside --currency USD",
                "mall join --mall riverside --vendor club",
                "mall join --mall riverside --vendor bakery",
                "mall office --mall riverside club",
                "mall terms --vendor club --service 2 --royalty 1",
                "mall terms --vendor bakery --royalty 3",
                "mall toll --mall riverside information 0.005",
                "mall deposit --vendor bakery 3 --low 5",
                "mall quota --vendor bakery 900",
                "mall group create --mall riverside --slug arcade --name Arcade",
                "mall group join --mall riverside --group arcade --vendor bakery",
            ] {
                program.line(command);
            }
            *key.borrow_mut() = program.key("bakery");
        });
        let bakery = club.served.with_key(&key.borrow());
        let customer = club.member("Ana", 100).id;
        club.issue_open(&customer, "25");
        club.offer("lamp", "Lamp", 100, None);
        let product = json!({"title": "Bun"});
        bakery.put("/v1/products/bun", &product).expect(201);
        let offer = json!({"kind": "purchase", "price": "100"});
        let offers = "/v1/products/bun/offers/bun";
        bakery.put(offers, &offer).expect(201);
        for (at, sku) in [("club", "lamp"), ("bakery", "bun")] {
            club.buy_open(&customer, at, sku).expect(201);
        }
        Run {
            club,
            bakery,
            customer,
        }
    }

    /// Waits until the mall has heard of both sales, each of which costs its seller a toll.
    fn heard(&self) {
        for _ in 0..100 {
            if (self.owes(&self.bakery), self.owes(&self.club.api))
                == ("-0.945".to_owned(), "1.085".to_owned())
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the toll is not there: {}", self.owes(&self.bakery));
    }

    fn owes(&self, api: &Api) -> String {
        let mall = api.get("/v1/mall");
        mall.expect(200)["owes"]["amount"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn act(&self, who: &Visitor, fields: &[(&str, &str)]) -> Answered {
        who.post(&format!("{OFFICE}/act"), fields)
    }
}

/// An amount of the API as pages write it.
fn cash(amount: &str) -> String {
    let (sign, digits) = match amount.strip_prefix('-') {
        Some(digits) => ("−", digits),
        None => ("", amount),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    format!("{sign}${whole}.{part:0<2}")
}

/// The sum of a field over lines, in units of 1e-8.
fn sum(lines: &[Value], field: &str) -> i64 {
    let units = |line: &Value| {
        let text = line[field]["amount"].as_str().unwrap();
        let amount = scrip_domain::Amount::parse(text, 8).unwrap();
        amount.units()
    };
    lines.iter().map(units).sum()
}

fn decimal(units: i64) -> String {
    scrip_domain::Amount::from_units(units).decimal(8)
}

/// The text of each cell of the table row that begins with a name.
fn cells(page: &str, name: &str) -> Vec<String> {
    let row = page
        .split("<tr>")
        .find(|row| {
            row.contains("<th scope=\"row\">") && row.contains(&format!("<bdi>{name}</bdi>"))
        })
        .unwrap_or_else(|| panic!("no row of {name} in {page}"));
    let row = row.split("</tr>").next().unwrap();
    let texts = row.split("<td").skip(1).map(|cell| {
        let inner = cell.split_once('>').unwrap().1;
        let inner = inner.split("</td>").next().unwrap();
        let (mut text, mut is_tag) = (String::new(), false);
        for c in inner.chars() {
            match c {
                '<' => is_tag = true,
                '>' => is_tag = false,
                c if !is_tag => text.push(c),
                _ => {}
            }
        }
        text
    });
    texts.collect()
}

/// The lines of both statements.
struct Passed {
    away: Vec<Value>,
    home: Vec<Value>,
    toll: Vec<Value>,
    our_toll: Vec<Value>,
}

impl Passed {
    fn new(run: &Run<'_>) -> Passed {
        let lines = |api: &Api| {
            let statement = api.get("/v1/mall/statement");
            statement.expect(200)["items"].as_array().unwrap().clone()
        };
        let (ours, theirs) = (lines(&run.club.api), lines(&run.bakery));
        let between = |creditor: &str| -> Vec<Value> {
            let fits = |l: &&Value| l["debtor"] == "club" && l["creditor"] == creditor;
            ours.iter().filter(fits).cloned().collect()
        };
        let tolls = |of: &[Value]| -> Vec<Value> {
            of.iter().filter(|l| l["kind"] == "toll").cloned().collect()
        };
        let passed = Passed {
            away: between("bakery"),
            home: between("club"),
            toll: tolls(&theirs),
            our_toll: tolls(&ours),
        };
        for one in [&passed.away, &passed.home, &passed.toll, &passed.our_toll] {
            assert_eq!(one.len(), 1);
        }
        passed
    }
}

/// GOV-01, GOV-06, GOV-09, GOV-14, MSP-01, MSP-06: each figure of the pages against the lines of both
/// statements and the accounts of both books.
fn figures_are_those_of_the_journal(db: &TestDb) {
    let run = Run::new(db);
    run.heard();
    let club = &run.club;
    let owner = club.staff("owner");
    let passed = Passed::new(&run);
    let (away, home, toll, our_toll) = (&passed.away, &passed.home, &passed.toll, &passed.our_toll);
    let page = says(
        &owner.get(OFFICE),
        200,
        &[
            "Who owes whom",
            "What will move",
            "through the mall",
            "Close the clearing",
        ],
    );
    let kept = |lines: &[Value]| sum(lines, "owed") - sum(lines, "received");
    // In the row of the club: itself, the bakery, the mall, all, net.
    let pays = sum(away, "owed") + sum(home, "owed") + sum(our_toll, "owed");
    let net = sum(home, "received") - pays;
    let expected = [
        sum(home, "received"),
        sum(away, "received"),
        kept(away) + kept(home) + sum(our_toll, "owed"),
        pays,
        net,
    ];
    assert_eq!(
        cells(&page, "Club")[..5],
        expected.map(|u| cash(&decimal(u)))
    );
    let bakery = [
        0,
        0,
        sum(toll, "owed"),
        sum(toll, "owed"),
        sum(away, "received") - sum(toll, "owed"),
    ];
    assert_eq!(
        cells(&page, "Bakery")[..5],
        bakery.map(|u| cash(&decimal(u)))
    );
    // Net is what the accounts say, turned round.
    assert_eq!(cash(&decimal(-net)), cash(&run.owes(&club.api)));
    assert_eq!(cash(&decimal(-bakery[4])), cash(&run.owes(&run.bakery)));
    // All that is owed and not received is the mall's, and everything comes to nothing.
    let all_kept = kept(away) + kept(home) + sum(toll, "owed") + sum(our_toll, "owed");
    assert!(page.contains(&format!(
        "the mall has kept {} in all",
        cash(&decimal(all_kept))
    )));
    assert!(page.contains("<td class=\"n nowrap\">$0.00</td></tr></tfoot>"));
    let royalties = page.split("Royalties,").nth(1).unwrap();
    let royalty = sum(home, "royalty") + sum(away, "royalty");
    assert!(royalties.starts_with(&format!(" {} in these days", cash(&decimal(royalty)))));
    let of_bakery = cells(royalties, "Bakery");
    assert_eq!(of_bakery[0], "1");
    assert_eq!(of_bakery[1], "3 %");
    assert_eq!(of_bakery[2], cash(&decimal(sum(away, "royalty"))));
    assert_eq!(of_bakery[3], cash(&decimal(sum(toll, "owed"))));
    assert!(of_bakery[4].contains("$3.00 left, low"), "{of_bakery:?}");
    lists_of_the_office(&run, &owner);
}

/// The members, one of them, the lists, other days.
fn lists_of_the_office(run: &Run<'_>, owner: &Visitor) {
    let members = says(&owner.get(&format!("{OFFICE}/members")), 200, &["Members"]);
    let row = cells(&members, "Bakery");
    let owes = cash(&run.owes(&run.bakery));
    assert_eq!(
        row,
        ["1 ¢", "900", "0", "900", "$0.00", &owes, "$3.00, low"]
    );
    let row = cells(&members, "Club");
    assert_eq!(row[4], "$14.00", "25 less 1 and 10");
    let words = [
        "Bakery",
        "Owes the mall",
        &owes,
        "Arcade",
        "What the mall heard",
    ];
    says(&owner.get(&format!("{OFFICE}/members/bakery")), 200, &words);
    let words = ["open_order.completed", "customer.known_at"];
    says(&owner.get(&format!("{OFFICE}/members/club")), 200, &words);
    let words = ["Arcade", "They brought, by 2 events", "$0.01"];
    says(&owner.get(&format!("{OFFICE}/lists")), 200, &words);
    let other = format!("{OFFICE}?from=2020-01-01&to=2020-01-31");
    says(&owner.get(&other), 200, &["Nothing passed"]);
    says(
        &owner.get("/shops/club/staff/mall"),
        200,
        &["You run", OFFICE],
    );
}

/// GOV-09, GOV-10, GOV-12, MIC-03, OPN-20: each form has its effect with the next request, once, and the
/// office's trail names who did it.
fn the_office_runs_the_mall(db: &TestDb) {
    let run = Run::new(db);
    run.heard();
    let club = &run.club;
    let manager = club.staff("manager");
    let page = says(&manager.get(OFFICE), 200, &["Clear now"]);
    let key = hidden(&page, "key");
    for _ in 0..2 {
        let sent = run.act(
            &manager,
            &[("act", "clear"), ("back", "/statements"), ("key", &key)],
        );
        assert_eq!(sent.see(), format!("{OFFICE}/statements?done=done"));
    }
    let invoices = run.bakery.get("/v1/mall/invoices");
    let invoices = invoices.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(invoices, 1, "the form sent twice closed one clearing");
    says(
        &manager.get(&format!("{OFFICE}/statements")),
        200,
        &["Not paid yet", "$0.94"],
    );
    let pay = [
        ("act", "pay"),
        ("vendor", "bakery"),
        ("number", "1"),
        ("text", "SEPA-9"),
        ("key", "p"),
    ];
    run.act(&manager, &pay).see();
    let again = [
        ("act", "pay"),
        ("vendor", "bakery"),
        ("number", "1"),
        ("text", ""),
        ("key", "p2"),
    ];
    assert_eq!(run.act(&manager, &again).status, 409);
    assert_eq!(run.owes(&run.bakery), "-0.005", "the fraction is carried");
    says(
        &manager.get(&format!("{OFFICE}/statements")),
        200,
        &["SEPA-9"],
    );
    answers_a_dispute(&run, &manager);
    for (act, vendor, status) in [
        ("suspend", "bakery", 409),
        ("reinstate", "bakery", 201),
        ("bar", "club", 402),
        ("unbar", "club", 201),
    ] {
        let fields = [("act", act), ("vendor", vendor), ("key", act)];
        run.act(&manager, &fields).see();
        club.buy_open(&run.customer, "bakery", "bun").expect(status);
    }
    changes_a_member(&run, &manager);
    let trail = says(
        &club.staff("owner").get("/shops/club/staff/audit"),
        200,
        &["Ada the manager"],
    );
    assert!(trail.contains("standing of a member"), "{trail}");
}

fn answers_a_dispute(run: &Run<'_>, manager: &Visitor) {
    let club = &run.club;
    let line = club.api.get("/v1/mall/statement");
    let event = line.expect(200)["items"][0]["event_id"].as_str().unwrap();
    let wrong = json!({"event_id": event, "reason": "Never came"});
    club.api.post("/v1/mall/disputes", &wrong).expect(201);
    let adjust = |amount: &'static str, key: &'static str| {
        [
            ("act", "adjust"),
            ("number", "1"),
            ("amount", amount),
            ("text", "Agreed"),
            ("key", key),
        ]
    };
    assert_eq!(run.act(manager, &adjust("999", "a")).status, 422);
    assert_eq!(run.act(manager, &adjust("nonsense", "b")).status, 422);
    let before = run.owes(&club.api);
    run.act(manager, &adjust("0.01", "c")).see();
    assert_ne!(run.owes(&club.api), before);
}

fn changes_a_member(run: &Run<'_>, manager: &Visitor) {
    let value = [
        ("act", "value"),
        ("vendor", "bakery"),
        ("amount", "0.02"),
        ("back", "/members/bakery"),
        ("key", "v"),
    ];
    assert_eq!(
        run.act(manager, &value).see(),
        format!("{OFFICE}/members/bakery?done=done")
    );
    says(
        &manager.get(&format!("{OFFICE}/members/bakery")),
        200,
        &["2 ¢", "each change as a bar"],
    );
    for (act, amount) in [("quota", "50"), ("deposit", "20")] {
        let fields = [
            ("act", act),
            ("vendor", "bakery"),
            ("amount", amount),
            ("key", act),
        ];
        run.act(manager, &fields).see();
    }
    let settles = [
        ("act", "settles"),
        ("vendor", "bakery"),
        ("text", "deposit"),
        ("key", "s"),
    ];
    run.act(manager, &settles).see();
    let words = ["at once, from its deposit", "$23.00", "of 50"];
    says(
        &manager.get(&format!("{OFFICE}/members/bakery")),
        200,
        &words,
    );
    for fields in [
        [("act", "dance"), ("vendor", "bakery"), ("key", "x1")],
        [("act", "value"), ("vendor", "bakery"), ("key", "x2")],
    ] {
        assert_eq!(run.act(manager, &fields).status, 422, "{fields:?}");
    }
    let nobody = [("act", "bar"), ("vendor", "nobody"), ("key", "x3")];
    assert_eq!(run.act(manager, &nobody).status, 404);
}

/// GOV-10: who looks may not act; other shops' people and other malls are not there.
fn others_are_kept_out(db: &TestDb) {
    let mut run = Run::new(db);
    for role in ["cashier", "auditor"] {
        let who = run.club.staff(role);
        let page = says(&who.get(OFFICE), 200, &["Who owes whom"]);
        assert!(!page.contains("Clear now"), "{role}");
        let fields = [("act", "clear"), ("key", role)];
        assert_eq!(run.act(&who, &fields).status, 403);
    }
    let baker = run.club.staff_of(&run.bakery, "bakery", "owner");
    let gone = run.club.staff("owner");
    for place in ["", "/members", "/members/club", "/lists", "/statements"] {
        let theirs = format!("/shops/bakery/staff/office/riverside{place}");
        assert_eq!(baker.get(&theirs).status, 404, "{place}");
        let nowhere = format!("/shops/club/staff/office/nowhere{place}");
        assert_eq!(gone.get(&nowhere).status, 404, "{place}");
    }
    let act = "/shops/bakery/staff/office/riverside/act";
    let fields = [("act", "clear"), ("key", "b")];
    assert_eq!(baker.post(act, &fields).status, 404);
    assert_ne!(run.club.visitor().get(OFFICE).status, 200);
    run.club.served.between(|program| {
        program.ok(&["mall", "office", "--mall", "riverside", "--none"]);
        program.ok(&["verify"]);
    });
    assert_eq!(gone.get(OFFICE).status, 404, "the command line alone");
}

//! The pages of settings: every field is there, effects are told in figures, stale forms are
//! refused, two owners do not overwrite each other.

use crate::client::Answered;
use crate::club::{Club, hidden, says};
use crate::visitor::Visitor;
use scrip_domain::policy::Policy;
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

both!(
    every_setting_is_on_the_page,
    settings_change_after_a_preview,
    stale_settings_are_shown_what_holds,
    awkward_settings_are_refused,
    a_lowered_minimum_activates,
    a_country_has_its_own_minimum,
    the_storefront_is_set_and_seen,
    contact_is_shown_to_customers,
    programs_read_and_change_settings,
);

fn at(path: &str) -> String {
    format!("/shops/club/staff/settings{path}")
}

/// The leaves of the policy, as names.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                paths(value, &format!("{path}{dot}{name}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// The fields of a form as a browser sends them unchanged.
fn fields(page: &str) -> Vec<(String, String)> {
    let main = page.split("<main").nth(1).unwrap();
    let plain = |text: &str| {
        let text = text.replace("&#34;", "\"").replace("&#39;", "'");
        text.replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&")
    };
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(plain(rest.split('"').next().unwrap()))
    };
    let mut found = Vec::new();
    for piece in main.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').unwrap();
        let name = attribute(tag, "name");
        if tag.starts_with("input") {
            let is_off = tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"");
            if is_off && !tag.contains(" checked") {
                continue;
            }
            found.push((name.unwrap(), attribute(tag, "value").unwrap_or_default()));
        } else if tag.starts_with("textarea") {
            found.push((name.unwrap(), plain(after.trim_start_matches('\n'))));
        } else if tag.starts_with("select") {
            found.push((name.unwrap(), String::new()));
        } else if tag.starts_with("option") && tag.contains(" selected") {
            found.last_mut().unwrap().1 = attribute(tag, "value").unwrap();
        }
    }
    found
}

fn with(mut fields: Vec<(String, String)>, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in changes {
        match fields.iter_mut().find(|(n, _)| n == name) {
            Some(field) => field.1 = (*value).to_owned(),
            None => fields.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    fields
}

fn send(visitor: &Visitor, path: &str, fields: &[(String, String)]) -> Answered {
    let fields: Vec<_> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    visitor.post(&at(path), &fields)
}

/// Changes settings as a person does: form, preview, yes.
fn change(visitor: &Visitor, changes: &[(&str, &str)]) -> Answered {
    let form = visitor.get(&at(""));
    let preview = send(visitor, "", &with(fields(form.page(200)), changes));
    let sure = with(fields(preview.page(200)), &[("step", "save")]);
    send(visitor, "", &sure)
}

/// REG-04, REG-05, REG-08, REG-12, TOK-10, SHP-05, SHP-17: no field of the policy is forgotten.
fn every_setting_is_on_the_page(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let page = says(
        &owner.get(&at("")),
        200,
        &["<h1 class=\"big\">Settings</h1>"],
    );
    let mut names = Vec::new();
    paths(&json!(Policy::default()), "", &mut names);
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let is_here =
            page.contains(&format!("name=\"{name}\"")) || page.contains(&format!("id=\"{name}\""));
        assert!(
            is_here || page.contains(&format!("data-path=\"{name}\"")),
            "{name} is not on the page"
        );
    }
    // An auditor sees the same and has no form.
    let auditor = club.staff("auditor");
    let page = says(
        &auditor.get(&at("")),
        200,
        &["The owner changes settings.", "Time zone"],
    );
    assert!(!page.split("<main").nth(1).unwrap().contains("<form class"));
}

/// SHP-05, SHP-17: what would change is shown with its effect in figures, then changed; the
/// history and the trail tell by whom; the form sent twice changes once.
fn settings_change_after_a_preview(db: &TestDb) {
    let club = Club::start(db);
    club.member("Ida", 500);
    club.member("Eve", 0);
    let owner = club.staff("owner");
    let form = owner.get(&at(""));
    let typed = with(
        fields(form.page(200)),
        &[("browsing.threshold", "100"), ("gifts.interest_rate", "50")],
    );
    let preview = send(&owner, "", &typed);
    let page = says(
        &preview,
        200,
        &[
            "Nothing is changed yet.",
            "<b>100 tokens</b>",
            "1 of 2 customers have fewer now and cannot order.",
            "1,000 tokens that lie idle earn 5 tokens every 30 days.",
        ],
    );
    let held = club.api.get("/v1/vendor/policy");
    assert_eq!(held.expect(200)["version"], 0, "a preview changes nothing");
    let sure = with(fields(&page), &[("step", "save")]);
    assert_eq!(send(&owner, "", &sure).see(), at("?done=yes"));
    assert_eq!(
        send(&owner, "", &sure).status,
        409,
        "it began with what held before"
    );
    let held = club.api.get("/v1/vendor/policy");
    assert_eq!(held.expect(200)["version"], 1);
    assert_eq!(held.expect(200)["policy"]["browsing"]["threshold"], "100");
    says(
        &owner.get(&at("/history")),
        200,
        &[
            "Version 1",
            "Ada the owner",
            "Tokens with which ordering begins",
            "100 tokens",
        ],
    );
    let trail = club.api.get("/v1/audit?action=policy.changed");
    let detail = &trail.expect(200)["items"][0]["detail"];
    assert_eq!(detail["gifts.interest_rate"], json!({"from": 0, "to": 50}));
    // Nothing typed, nothing changed.
    let same = owner.get(&at(""));
    let same = send(&owner, "", &fields(same.page(200)));
    says(&same, 200, &["Nothing would change"]);
}

/// A form that began before another person's change is refused and shown what holds now.
fn stale_settings_are_shown_what_holds(db: &TestDb) {
    let club = Club::start(db);
    let (ada, bob) = (club.staff("owner"), club.visitor());
    bob.take_cookie(
        "__Host-staff-club",
        &ada.cookie("__Host-staff-club").unwrap(),
    );
    let early = fields(ada.get(&at("")).page(200));
    change(&bob, &[("sale.life_days", "30")]).see();
    let late = with(early, &[("sale.life_days", "60"), ("step", "save")]);
    let page = says(
        &send(&ada, "", &late),
        409,
        &[
            "Somebody changed the settings meanwhile",
            "Life of bought tokens: 60 days",
        ],
    );
    assert!(page.contains("value=\"30\""), "what holds now stands there");
    let held = club.api.get("/v1/vendor/policy");
    assert_eq!(held.expect(200)["policy"]["sale"]["life_days"], 30);
    // The limits likewise.
    let limits = fields(ada.get(&at("/limits")).page(200));
    send(
        &bob,
        "/limits",
        &with(limits.clone(), &[("minimum", "20"), ("key", "b")]),
    )
    .see();
    let stale = send(&ada, "/limits", &with(limits, &[("minimum", "30")]));
    says(
        &stale,
        409,
        &["Somebody changed this meanwhile", "value=\"20\""],
    );
    let front = fields(ada.get(&at("/front")).page(200));
    send(
        &bob,
        "/front",
        &with(front.clone(), &[("hue", "moss"), ("key", "b")]),
    )
    .see();
    says(
        &send(&ada, "/front", &with(front, &[("hue", "plum")])),
        409,
        &["Somebody changed this meanwhile"],
    );
}

/// Empty, huge, HTML, RTL marks, negative, overflow: refused with what to do, nothing changed.
fn awkward_settings_are_refused(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let form = fields(owner.get(&at("")).page(200));
    let long = "x".repeat(5_000);
    for (name, value) in [
        ("browsing.threshold", "-1"),
        ("browsing.threshold", "99999999999999999999"),
        ("browsing.threshold", "<b>"),
        ("browsing.threshold", "1e3"),
        ("sale.life_days", "0"),
        ("sale.life_days", "\u{202e}3"),
        ("registration.unfinished_s", ""),
        ("registration.unfinished_s", "5"),
        ("registration.fields.name", "never"),
        ("registration.opening_fee", "5"),
        ("registration.questions", &long),
        ("contact.email", "nowhere"),
        ("contact.address", &long),
        ("time_zone", "a\u{0}b"),
    ] {
        let answer = send(&owner, "", &with(form.clone(), &[(name, value)]));
        let page = says(&answer, 422, &["Nothing was changed."]);
        assert!(!page.contains("<b>\""), "{name}");
    }
    let no_means: Vec<_> = form
        .iter()
        .filter(|(name, _)| name != "registration.means_online")
        .cloned()
        .collect();
    says(&send(&owner, "", &no_means), 422, &["allow at least one"]);
    let limits = fields(owner.get(&at("/limits")).page(200));
    for (name, value) in [
        ("minimum", "-5"),
        ("minimum", ""),
        ("minimum", "9999999999999"),
        ("declines", "0"),
        ("declines", "x"),
        ("declines", "1000000"),
        ("grace", "-1"),
        ("grace", "99999999999999"),
    ] {
        let typed = with(
            limits.clone(),
            &[(name, value), ("key", &format!("{name}{value}"))],
        );
        let answer = send(&owner, "/limits", &typed);
        assert_eq!(answer.status, 422, "{name} {value}: {}", answer.text);
    }
    let front = fields(owner.get(&at("/front")).page(200));
    let front = with(front, &[("headline", &"h".repeat(200)), ("key", "f")]);
    assert_eq!(send(&owner, "/front", &front).status, 422);
    let held = club.api.get("/v1/vendor/policy");
    assert_eq!(held.expect(200)["version"], 0);
    let vendor = club.api.get("/v1/vendor");
    assert_eq!(vendor.expect(200)["declines_allowed"], 3);
}

/// REG-06: a lowered minimum makes those active who have enough; a raised one takes nothing away.
fn a_lowered_minimum_activates(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let raised = fields(owner.get(&at("/limits")).page(200));
    send(&owner, "/limits", &with(raised, &[("minimum", "100")])).see();
    let (some, none) = (club.member("Ida", 60), club.member("Eve", 0));
    let state = |id: &str| {
        let found = club.api.get(&format!("/v1/customers/{id}"));
        found.expect(200)["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&some.id), "inactive");
    let page = says(
        &owner.get(&at("/limits")),
        200,
        &["2 of 2 customers have fewer than 100 tokens now."],
    );
    send(
        &owner,
        "/limits",
        &with(fields(&page), &[("minimum", "60")]),
    )
    .see();
    let limit = Instant::now() + Duration::from_secs(60);
    while state(&some.id) != "active" {
        assert!(
            Instant::now() < limit,
            "the account with enough becomes active"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(state(&none.id), "inactive");
    let page = owner.get(&at("/limits"));
    send(
        &owner,
        "/limits",
        &with(fields(page.page(200)), &[("minimum", "1000")]),
    )
    .see();
    assert_eq!(state(&some.id), "active", "who is active stays so");
}

/// TOK-01: what a country needs is set by the owner, told to who registers, and read by programs.
fn a_country_has_its_own_minimum(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let form = fields(owner.get(&at("/limits")).page(200));
    let wrong = with(form.clone(), &[("minimums", "DE 100\nGermany 5")]);
    let page = says(
        &send(&owner, "/limits", &wrong),
        422,
        &["is no minimum of a country"],
    );
    assert!(page.contains("DE 100\nGermany 5"), "{page}");
    send(
        &owner,
        "/limits",
        &with(form.clone(), &[("minimums", "de 100")]),
    )
    .see();
    let again = with(form, &[("minimums", "GB 7"), ("key", "other")]);
    says(
        &send(&owner, "/limits", &again),
        409,
        &["Somebody changed this meanwhile", "DE 100"],
    );
    let words = [
        "50 tokens, bought or given",
        "another number is needed: DE: 100 tokens",
    ];
    says(&club.visitor().get("/shops/club/register"), 200, &words);
    let vendor = club.api.get("/v1/vendor");
    assert_eq!(
        vendor.expect(200)["minimums"],
        json!([{"country": "DE", "minimum_tokens": {"amount": "100", "asset": "CLUB.TOKEN"}}])
    );
    let body = json!({"pin": "40712", "country": "DE"});
    let made = club.api.post("/v1/customers", &body).expect(201).clone();
    assert_eq!(made["tokens_to_activate"]["amount"], "100");
    let visitor = club.signed_in(made["number"].as_str().unwrap());
    says(&visitor.get("/shops/club/account"), 200, &["of 100 tokens"]);
}

/// The storefront changes what visitors see; the trail has what it was.
fn the_storefront_is_set_and_seen(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let form = fields(owner.get(&at("/front")).page(200));
    let typed = with(
        form,
        &[
            ("hue", "plum"),
            ("mark", "leaf"),
            ("headline", "All <b>new"),
            ("introduction", "Come in."),
        ],
    );
    send(&owner, "/front", &typed).see();
    says(
        &club.visitor().get("/shops/club"),
        200,
        &["data-hue=\"plum\"", "All &#60;b&#62;new", "Come in."],
    );
    let trail = club.api.get("/v1/audit?action=storefront.set");
    assert_eq!(trail.expect(200)["items"][0]["detail"]["to"]["hue"], "plum");
}

/// REG-03: how the shop is reached stands at the foot and where registering off line is explained.
fn contact_is_shown_to_customers(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let changes = [
        ("contact.email", "shop@example.com"),
        ("contact.phone", "+46 8 123"),
        ("contact.address", "Street 1\r\n<b>Town"),
    ];
    change(&owner, &changes).see();
    let shown = [
        "href=\"mailto:shop@example.com\"",
        "href=\"tel:+468123\"",
        "Street 1\n&#60;b&#62;Town",
    ];
    let page = says(
        &club.visitor().get("/shops/club/register/off-line"),
        200,
        &shown,
    );
    assert_eq!(
        page.matches("mailto:").count(),
        2,
        "in the text and at the foot"
    );
    says(&club.visitor().get("/shops/club/sign-in"), 200, &shown);
    let staff = owner.get("/shops/club/staff/today");
    assert!(!staff.page(200).contains("mailto:"));
}

/// Programs have the same settings, with a version against overwriting.
fn programs_read_and_change_settings(db: &TestDb) {
    let club = Club::start(db);
    let path = "/v1/vendor/policy";
    let body = json!({"version": 0, "policy": {"browsing": {"threshold": "2.5"}, "sale": {"stacking": true}}});
    let set = club.api.put(path, &body);
    assert_eq!(set.expect(200)["version"], 1);
    assert_eq!(set.expect(200)["policy"]["browsing"]["threshold"], "2.5");
    let stale = club.api.put(path, &body);
    assert_eq!(stale.expect(409)["code"], "settings_changed");
    assert_eq!(stale.expect(409)["version"], 1);
    for (wrong, code) in [
        (
            json!({"version": 1, "policy": {"nonsense": true}}),
            "policy_invalid",
        ),
        (
            json!({"version": 1, "policy": {"sale": {"life_days": 0}}}),
            "policy_invalid",
        ),
        (
            json!({"version": 1, "policy": {"browsing": {"threshold": 2}}}),
            "policy_invalid",
        ),
        (json!({"version": 1}), "field_invalid"),
    ] {
        assert_eq!(
            club.api.put(path, &wrong).expect(422)["code"],
            code,
            "{wrong}"
        );
    }
    let held = club.api.get(path);
    assert_eq!(held.expect(200)["version"], 1);
    assert_eq!(held.expect(200)["policy"]["sale"]["stacking"], true);
    // A hidden field of the page names the same version.
    let owner = club.staff("owner");
    assert_eq!(hidden(owner.get(&at("")).page(200), "began"), "1");
}

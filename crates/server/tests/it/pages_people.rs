//! The pages of people, keys and the audit trail.

use crate::club::{Club, PASSWORD, hidden, says};
use crate::visitor::Visitor;
use scrip_testkit::TestDb;
use serde_json::Value;
use std::time::{Duration, Instant};

both!(
    people_are_added_and_given_roles,
    who_leaves_is_out_at_once,
    the_last_owner_stays,
    everybody_changes_the_own_password,
    keys_are_made_once_and_revoked,
    the_trail_is_searched_and_taken_along,
);

const PEOPLE: &str = "/shops/club/staff/people";

fn form_key(visitor: &Visitor, path: &str) -> String {
    hidden(visitor.get(path).page(200), "key")
}

/// The page of a person, by name.
fn person(club: &Club<'_>, name: &str) -> String {
    let all = club.api.get("/v1/staff");
    let all = all.expect(200)["items"].as_array().unwrap().clone();
    let found = all.iter().find(|s| s["name"] == name).unwrap();
    format!("{PEOPLE}/{}", found["staff_id"].as_str().unwrap())
}

fn sign_in(club: &Club<'_>, name: &str, password: &str) -> (Visitor, u16) {
    let visitor = club.visitor();
    let fields = [("name", name), ("password", password)];
    let status = visitor.post("/shops/club/staff/sign-in", &fields).status;
    (visitor, status)
}

/// REG-03: a person signs in with what the owner set; the role holds from the next click on.
fn people_are_added_and_given_roles(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let key = form_key(&owner, PEOPLE);
    let fields = [
        ("name", "Bob <b>"),
        ("role", "cashier"),
        ("password", PASSWORD),
        ("key", key.as_str()),
    ];
    let place = owner.post(PEOPLE, &fields).see().to_owned();
    assert_eq!(owner.post(PEOPLE, &fields).see(), place, "added once");
    let page = says(
        &owner.get(&place),
        200,
        &["The person can sign in now.", "Bob &#60;b&#62;"],
    );
    assert!(!page.contains(PASSWORD));
    let (bob, _) = sign_in(&club, "Bob <b>", PASSWORD);
    bob.get("/shops/club/staff/customers/new").page(200);
    bob.post(PEOPLE, &[]).page(403);
    let here = person(&club, "Bob <b>");
    let key = form_key(&owner, &here);
    owner
        .post(
            &format!("{here}/role"),
            &[("role", "auditor"), ("key", &key)],
        )
        .see();
    bob.get("/shops/club/staff/customers/new").page(403);
    let key = form_key(&owner, &here);
    owner
        .post(
            &format!("{here}/password"),
            &[("password", "thirteen geese fly"), ("key", &key)],
        )
        .see();
    assert_eq!(
        bob.get(PEOPLE).status,
        303,
        "signed out by the new password"
    );
    assert_eq!(sign_in(&club, "Bob <b>", PASSWORD).1, 401);
    assert_eq!(sign_in(&club, "Bob <b>", "thirteen geese fly").1, 303);
    for (name, role, password, status) in [
        ("Bob <b>", "cashier", PASSWORD, 409),
        ("", "cashier", PASSWORD, 422),
        ("Eve", "cashier", "short", 422),
        ("Eve", "boss", PASSWORD, 422),
        (&"x".repeat(300), "cashier", PASSWORD, 422),
    ] {
        let key = form_key(&owner, PEOPLE);
        let fields = [
            ("name", name),
            ("role", role),
            ("password", password),
            ("key", &key),
        ];
        let answer = owner.post(PEOPLE, &fields);
        assert_eq!(answer.status, status, "{name} {role}: {}", answer.text);
    }
}

/// REG-03: sessions end at once, the password is gone, the name stays taken; the person can come
/// back with a new password.
fn who_leaves_is_out_at_once(db: &TestDb) {
    let club = Club::start(db);
    let (owner, bob) = (club.staff("owner"), club.staff("cashier"));
    let here = person(&club, "Ada the cashier");
    let key = form_key(&owner, &here);
    owner.post(&format!("{here}/leave"), &[("key", &key)]).see();
    assert_eq!(bob.get("/shops/club/staff/today").status, 303);
    assert_eq!(sign_in(&club, "Ada the cashier", PASSWORD).1, 401);
    says(&owner.get(PEOPLE), 200, &["left"]);
    for (form, fields) in [
        ("role", [("role", "owner"), ("key", "a")].as_slice()),
        (
            "password",
            [("password", PASSWORD), ("key", "b")].as_slice(),
        ),
        ("leave", [("key", "c")].as_slice()),
    ] {
        let answer = owner.post(&format!("{here}/{form}"), fields);
        says(&answer, 409, &["does not work here any more"]);
    }
    let key = form_key(&owner, &here);
    owner
        .post(&format!("{here}/return"), &[("key", &key)])
        .see();
    assert_eq!(
        sign_in(&club, "Ada the cashier", PASSWORD).1,
        401,
        "the old password is gone"
    );
    let key = form_key(&owner, &here);
    owner
        .post(
            &format!("{here}/password"),
            &[("password", PASSWORD), ("key", &key)],
        )
        .see();
    assert_eq!(sign_in(&club, "Ada the cashier", PASSWORD).1, 303);
    // Another shop's owner finds nobody here.
    let foreign = club.staff_of(&club.served.api, "retail", "owner");
    foreign.get(&here.replace("club", "retail")).page(404);
}

/// REG-03: somebody can always let people in.
fn the_last_owner_stays(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let here = person(&club, "Ada the owner");
    for (form, fields) in [
        ("role", [("role", "manager"), ("key", "a")].as_slice()),
        ("leave", [("key", "b")].as_slice()),
    ] {
        let answer = owner.post(&format!("{here}/{form}"), fields);
        says(&answer, 409, &["is the last owner who can sign in"]);
    }
    club.staff("manager");
    let other = person(&club, "Ada the manager");
    owner
        .post(&format!("{other}/role"), &[("role", "owner"), ("key", "c")])
        .see();
    owner
        .post(
            &format!("{here}/role"),
            &[("role", "manager"), ("key", "d")],
        )
        .see();
    owner.post(PEOPLE, &[]).page(403);
}

/// SHP-03: with the old one; other sessions end, this one goes on.
fn everybody_changes_the_own_password(db: &TestDb) {
    let club = Club::start(db);
    let auditor = club.staff("auditor");
    let (elsewhere, _) = sign_in(&club, "Ada the auditor", PASSWORD);
    let path = "/shops/club/staff/password";
    let change = |old: &str, new: &str, again: &str| {
        auditor.post(path, &[("old", old), ("new", new), ("again", again)])
    };
    let new = "fourteen geese fly";
    says(
        &change("wrong geese fly", new, new),
        422,
        &["This is not your password."],
    );
    says(&change(PASSWORD, new, "x"), 422, &["type both again"]);
    says(&change(PASSWORD, "short", "short"), 422, &["10 to 200"]);
    change(PASSWORD, new, new).see();
    auditor.get("/shops/club/staff/today").page(200);
    assert_eq!(elsewhere.get("/shops/club/staff/today").status, 303);
    assert_eq!(sign_in(&club, "Ada the auditor", new).1, 303);
}

/// MIC-02: shown once, with its scopes; revoked for good.
fn keys_are_made_once_and_revoked(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let path = "/shops/club/staff/keys";
    let key = form_key(&owner, path);
    let fields = [
        ("name", "Web <b>shop"),
        ("scope", "vendor:read"),
        ("scope", "orders:read"),
        ("expires", "2099-12-31"),
        ("key", key.as_str()),
    ];
    let page = says(
        &owner.post(path, &fields),
        200,
        &["only once", "Web &#60;b&#62;shop"],
    );
    let whole = page.split("scrip_").nth(1).unwrap();
    let whole = format!("scrip_{}", whole.split('<').next().unwrap());
    let again = says(&owner.post(path, &fields), 200, &["was shown already"]);
    assert!(!again.contains(&whole));
    let program = club.served.with_key(&whole);
    program.get("/v1/vendor").expect(200);
    program.get("/v1/customers").expect(403);
    let list = says(
        &owner.get(path),
        200,
        &["1 Jan 2100 00:00 UTC", "orders:read, vendor:read"],
    );
    assert!(!list.contains(&whole));
    for (name, value) in [
        ("expires", "2001-01-01"),
        ("expires", "soon"),
        ("name", ""),
        ("scope", ""),
    ] {
        let mut fields = vec![("name", "x"), ("expires", ""), ("key", "other")];
        if name != "scope" {
            fields.push(("scope", "orders:read"));
        }
        for field in fields.iter_mut().filter(|(n, _)| *n == name) {
            field.1 = value;
        }
        says(&owner.post(path, &fields), 422, &["No key was made."]);
    }
    let made = list.split("Web &#60;b&#62;shop").nth(1).unwrap();
    let id = made.split("key_").nth(1).unwrap();
    let id = format!("key_{}", id.split('<').next().unwrap());
    owner
        .post(&format!("{path}/{id}/revoke"), &[("key", "r")])
        .see();
    let limit = Instant::now() + Duration::from_secs(30);
    while program.get("/v1/vendor").status != 401 {
        assert!(Instant::now() < limit, "the key is refused");
    }
    club.staff("manager")
        .post(&format!("{path}/{id}/revoke"), &[])
        .page(403);
}

/// REG-03: the file has the head and all lines, of the days that are asked for.
fn the_file_has_the_days_that_are_asked_for(owner: &Visitor) {
    let file = owner.get("/shops/club/staff/audit.csv?action=customer.pin_code_made");
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.text.lines().count(), 61, "the head and all lines");
    assert!(
        file.text
            .starts_with("id,at,actor,name,action,subject,what,detail")
    );
    let today = file.text.lines().nth(1).unwrap().split(',').nth(1).unwrap()[..10].to_owned();
    let lines = |span: &str| {
        let path = format!("/shops/club/staff/audit.csv?action=customer.pin_code_made&{span}");
        owner.get(&path).text.lines().count() - 1
    };
    assert_eq!(lines(&format!("from={today}")), 60);
    assert_eq!(lines(&format!("from={today}&to=9000-01-01")), 60);
    assert_eq!(lines("to=2020-12-31"), 0);
    assert_eq!(lines("from=9000-01-01"), 0);
}

/// REG-03: by person, by subject, by what was done; previous and next; a CSV file in which nothing
/// is a formula. Failed tries are there too, of those who work here.
fn the_trail_is_searched_and_taken_along(db: &TestDb) {
    let club = Club::start(db);
    let owner = club.staff("owner");
    let member = club.member("Ida", 0);
    let path = "/shops/club/staff/audit";
    let code = format!("/shops/club/staff/customers/{}/pin-reset", member.id);
    for nth in 0..60 {
        owner.post(&code, &[("key", &nth.to_string())]).page(200);
    }
    sign_in(&club, "Ada the owner", "wrong geese fly");
    sign_in(&club, "Nobody", "wrong geese fly");
    let limit = Instant::now() + Duration::from_secs(30);
    let failed = || {
        let found = club.api.get("/v1/audit?action=staff.sign_in_failed");
        found.expect(200)["items"].as_array().unwrap().len()
    };
    while failed() == 0 {
        assert!(Instant::now() < limit, "the failed try is noted");
    }
    assert_eq!(failed(), 1, "names that nobody has fill nothing");
    let page = says(
        &owner.get(&format!("{path}?subject={}", member.id)),
        200,
        &[
            "customer.pin_code_made",
            "Made a code for a new PIN",
            ">Ida</bdi></a>",
            "Ada the owner",
            "Next: older lines",
        ],
    );
    let next = page.split("rel=\"next\" href=\"").nth(1).unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = says(
        &owner.get(&next),
        200,
        &["Previous: newer lines", "The last page"],
    );
    let back = second.split("rel=\"prev\" href=\"").nth(1).unwrap();
    let back = back.split('"').next().unwrap().replace("&#38;", "&");
    says(
        &owner.get(&back),
        200,
        &["The first page", "Next: older lines"],
    );
    let both = format!(
        "{path}?subject={}&action=customer.registered&actor=system",
        member.id
    );
    says(&owner.get(&both), 200, &["Nothing is noted"]);
    for odd in [
        "actor=%00",
        "subject=%27%3B--",
        "action=%E2%80%AE",
        "before=x",
        "before=",
    ] {
        let answer = owner.get(&format!("{path}?{odd}"));
        assert!(matches!(answer.status, 200 | 422), "{odd}: {}", answer.text);
    }
    the_file_has_the_days_that_are_asked_for(&owner);
    for odd in ["from=yesterday", "to=2026-02-30", "from=%00"] {
        let answer = owner.get(&format!("{path}?{odd}"));
        assert_eq!(answer.status, 422, "{odd}");
    }
    let told: Value = club.api.get("/v1/audit?limit=1").expect(200).clone();
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
    assert!(told["next"].is_string());
}

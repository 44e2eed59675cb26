//! `scrip staff` with passwords, and `scrip api-key`.

use crate::program::{Program, Ran};
use scrip_domain::Node;
use scrip_domain::api_key::{ApiKey, api_key_find};
use scrip_domain::vault::{SecretKey, Vault};
use scrip_domain::vendor::{StaffSignIn, staff_sign_in, vendor_by_slug};
use scrip_engine::Options;
use scrip_testkit::TestDb;
use std::io::Write;
use std::process::Stdio;

both!(
    staff_with_a_password_can_sign_in,
    keys_are_made_listed_and_revoked,
    keys_that_cannot_be_are_refused,
);

fn typed(program: &Program<'_>, args: &[&str], input: &str) -> Ran {
    let mut command = program.command(args);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments may close its end first.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The program's database, as another part of the program uses it.
fn node(program: &Program<'_>) -> Node {
    let engine = scrip_ledger::open(program.db.url(), Options::default()).unwrap();
    let hex = std::fs::read_to_string(program.path("key")).unwrap();
    let mut key = [0; 32];
    for (byte, digits) in key.iter_mut().zip(hex.trim().as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    }
    Node::new(engine, Vault::new(SecretKey::new(key))).unwrap()
}

pub fn signs_in(program: &Program<'_>, name: &str, password: &str) -> bool {
    let node = node(program);
    let vendor = node.engine.read(|tx| vendor_by_slug(tx, "retail")).unwrap();
    let outcome = staff_sign_in(&node, &vendor, name, password).unwrap();
    matches!(outcome, StaffSignIn::Proven(staff) if staff.name == name)
}

/// SHP-03: the password is read from standard input, and signs the person in; it can be replaced.
fn staff_with_a_password_can_sign_in(db: &TestDb) {
    let program = Program::with_vendor(db);
    let create = |name| {
        let args = ["staff", "create", "--vendor", "retail", "--role", "owner"];
        [&args[..], &["--name", name]].concat()
    };
    let with = |name| [&create(name)[..], &["--password-stdin", "--json"]].concat();
    let made = typed(&program, &with("Ada"), "pass phrase 猫\nrest\n");
    assert_eq!(made.code, 0, "{made:?}");
    let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!(made["password"], true);
    assert!(signs_in(&program, "Ada", "pass phrase 猫"));
    assert!(!signs_in(&program, "Ada", "pass phrase 猫\nrest"));
    for short in ["", "\n", "too short\r\n"] {
        let refused = typed(&program, &with("Bob"), short);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("10 to 200 characters"), "{refused:?}");
    }
    // Nothing was kept of Bob, who comes without one. Nobody is asked without a terminal.
    let told = program.ok(&create("Bob"));
    assert!(told.contains("scrip staff password"), "{told}");
    assert!(!signs_in(&program, "Bob", ""));
    let set = ["staff", "password", "--vendor", "retail", "--name"];
    let set = |name| [&set[..], &[name, "--password-stdin"]].concat();
    for name in ["Ada", "Bob"] {
        let done = typed(&program, &set(name), "another one\r\n");
        assert_eq!(done.code, 0, "{done:?}");
        assert!(signs_in(&program, name, "another one"));
    }
    assert!(!signs_in(&program, "Ada", "pass phrase 猫"));
    let nobody = typed(&program, &set("Carl"), "another one\n");
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("no member of staff"), "{nobody:?}");
    program.fails(1, &set("Ada")[..6], &["--password-stdin"]);
}

fn found(program: &Program<'_>, key: &str) -> Option<ApiKey> {
    let node = node(program);
    node.engine.read(|tx| api_key_find(tx, key)).unwrap()
}

const CREATE: [&str; 6] = [
    "api-key", "create", "--vendor", "retail", "--name", "Till 猫",
];
const LIST: [&str; 4] = ["api-key", "list", "--vendor", "retail"];

fn keys_are_made_listed_and_revoked(db: &TestDb) {
    let program = Program::with_vendor(db);
    assert!(program.ok(&LIST).contains("scrip api-key create"));
    let scopes = [
        "--scope",
        "orders:write,orders:read",
        "--scope",
        "keys:write",
    ];
    let until = ["--expires", "2999-01-01"];
    let made = program.json(&[&CREATE[..], &scopes, &until].concat());
    assert_eq!(made["name"], "Till 猫");
    let names = ["orders:read", "orders:write", "keys:write"];
    assert_eq!(made["scopes"], serde_json::json!(names));
    assert_eq!(made["expires_at"], "2999-01-01T00:00:00Z");
    assert_eq!(made["created_by"], "system");
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!(found(&program, key).unwrap().key_id.to_string(), id);
    let told = program.ok(&[&CREATE[..], &["--scope", "ledger:read"]].concat());
    let shown = told.lines().nth(1).unwrap();
    assert!(found(&program, shown).unwrap().expires_at.is_none());

    let listed = program.json(&LIST);
    let listed = listed.as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["id"]), (2, &made["id"]));
    assert!(listed[0]["key"].is_null() && listed[0]["revoked_at"].is_null());
    let text = program.ok(&LIST);
    assert_eq!(text.matches("usable").count(), 2, "{text}");
    let secret = &key[key.len() - 43..];
    assert!(!text.contains(secret), "secrets are shown once: {text}");

    let revoke = ["api-key", "revoke", "--vendor", "retail", id];
    let revoked = program.json(&revoke);
    assert!(revoked["revoked_at"].is_string());
    assert_eq!(program.json(&revoke), revoked, "again: no change");
    assert!(found(&program, key).is_none());
    assert!(program.ok(&LIST).contains("revoked 2"));
    program.ok(&["vendor", "create", "--name", "Other", "--slug", "other"]);
    let foreign = ["api-key", "revoke", "--vendor", "other", id];
    program.fails(1, &foreign, &["there is no key", id]);
}

fn keys_that_cannot_be_are_refused(db: &TestDb) {
    let program = Program::with_vendor(db);
    let scope = ["--scope", "orders:read"];
    let cases: [(i32, &[&str], &str); 8] = [
        (2, &[], "--scope"),
        (2, &["--scope", ""], "is not known"),
        (2, &["--scope", "orders:delete"], "keys:write"),
        (2, &["--scope", "orders:read,Orders:read"], "is not known"),
        (
            2,
            &["--scope", "keys:write", "--expires", "soon"],
            "2027-01-01",
        ),
        (
            2,
            &["--scope", "keys:write", "--expires", "2027-13-01"],
            "2027-01-01",
        ),
        (
            1,
            &["--scope", "keys:write", "--expires", "2001-01-01"],
            "has passed",
        ),
        (
            1,
            &["--scope", "keys:write", "--expires", "2001-01-01T00:00:00Z"],
            "has passed",
        ),
    ];
    for (code, args, says) in cases {
        program.fails(code, &[&CREATE[..], args].concat(), &[says]);
    }
    let named = |name| ["api-key", "create", "--vendor", "retail", "--name", name];
    program.fails(1, &[&named("")[..], &scope].concat(), &["is empty"]);
    let mut nobody = CREATE;
    nobody[3] = "nobody";
    program.fails(1, &[&nobody[..], &scope].concat(), &["no vendor"]);
    let odd = ["api-key", "revoke", "--vendor", "retail", "stf_1"];
    program.fails(2, &odd, &["is no key id"]);
    assert!(program.ok(&LIST).contains("no keys"));
}

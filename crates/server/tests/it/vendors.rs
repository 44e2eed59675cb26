//! `scrip vendor`, `scrip staff`, `scrip account`, and the key file.

use crate::program::{Program, sample};
use scrip_testkit::TestDb;

both!(
    vendors_are_created_once_and_listed,
    vendors_that_cannot_be_are_refused,
    staff_are_added_once,
    accounts_are_shown_by_number,
    another_key_is_refused
);

/// REG-01: a vendor by its short name, of the kind of business that was said.
fn vendors_are_created_once_and_listed(db: &TestDb) {
    let program = Program::new(db);
    let create = [
        "vendor",
        "create",
        "--name",
        "Café 猫",
        "--slug",
        "cafe-1",
        "--currency",
        "EUR",
    ];
    let made = program.json(&create);
    assert_eq!(made["slug"], "cafe-1");
    assert_eq!(made["currency"], "EUR");
    program.fails(1, &create, &["\"cafe-1\" is taken", "choose another"]);
    let listed = program.json(&["vendor", "list"]);
    assert_eq!(listed.as_array().unwrap().as_slice(), [made]);
    assert!(program.ok(&["vendor", "list"]).contains("Café 猫"));
    let mut bank = create.to_vec();
    bank[5] = "bank";
    let made = program.json(&[bank.as_slice(), &["--kind", "credit_institution"]].concat());
    assert_eq!(made["kind"], "credit_institution");
    bank[5] = "other";
    let wrong = [bank.as_slice(), &["--kind", "bank"]].concat();
    program.fails(2, &wrong, &["credit_institution"]);
}

fn vendors_that_cannot_be_are_refused(db: &TestDb) {
    let program = Program::with_vendor(db);
    let long = "x".repeat(10_000);
    let cases: [(&[&str], &str); 15] = [
        (&["--slug", "Bad Slug"], "is no short name"),
        (&["--slug", "ü"], "is no short name"),
        (&["--slug", ""], "is no short name"),
        (&["--slug", &long], "is no short name"),
        (&["--name", ""], "is empty"),
        (&["--name", &long], "10000 characters"),
        (&["--name", "a\u{7}b"], "control character U+0007"),
        (&["--currency", "XXXX"], "is no currency code"),
        (&["--currency", "gbp"], "is no currency code"),
        (&["--token-price", "abc"], "is no amount"),
        (&["--token-price", "0"], "above zero"),
        (&["--token-price=-1"], "above zero"),
        (&["--token-price", "0.000000001"], "at most 8 decimals"),
        (&["--token-price", "99999999999999999999"], "too large"),
        (&["--minimum-tokens=-5"], "above zero"),
    ];
    for (args, says) in cases {
        let mut all = vec!["vendor", "create"];
        for (option, value) in [("--slug", "a-shop"), ("--name", "A")] {
            if !args.contains(&option) {
                all.extend([option, value]);
            }
        }
        program.fails(1, &[&all, args].concat(), &[says]);
    }
    assert_eq!(
        program.json(&["vendor", "list"]).as_array().unwrap().len(),
        1
    );
}

fn staff_are_added_once(db: &TestDb) {
    let program = Program::with_vendor(db);
    let add = [
        "staff", "create", "--vendor", "retail", "--name", "Ada 猫", "--role", "cashier",
    ];
    let made = program.json(&add);
    assert_eq!(
        (&made["name"], &made["role"]),
        (&"Ada 猫".into(), &"cashier".into())
    );
    assert!(made["id"].as_str().unwrap().starts_with("stf_"));
    program.fails(1, &add, &["is called \"Ada 猫\" already"]);
    let elsewhere = [
        "staff", "create", "--vendor", "nobody", "--name", "Ada", "--role", "owner",
    ];
    program.fails(
        1,
        &elsewhere,
        &["no vendor is called \"nobody\"", "scrip vendor list"],
    );
}

/// REG-06: an account is found by its number, and by no other.
fn accounts_are_shown_by_number(db: &TestDb) {
    let program = Program::with_vendor(db);
    program.ok(&["vendor", "create", "--name", "Other", "--slug", "other"]);
    program.ok(&["replay", "--vendor", "retail", &sample()]);
    let show = ["account", "show", "--vendor", "retail"];
    let by_reference = program.json(&[&show[..], &["--reference", "17850"]].concat());
    let number = by_reference["number"].as_str().unwrap().to_owned();
    let shown = program.json(&[&show[..], &[&number]].concat());
    assert_eq!(shown, by_reference);
    assert_eq!(shown["state"], "active");
    let history = shown["history"].as_array().unwrap();
    assert_eq!(history[0]["after"], shown["balance"], "newest first");
    let text = program.ok(&[&show[..], &[&number, "--history", "1"]].concat());
    assert!(text.contains("RETAIL.TOKEN"), "{text}");
    assert_eq!(text.matches("2010-12-").count(), 1, "{text}");
    // As people type it.
    let typed = number.replace('-', " ");
    assert_eq!(program.json(&[&show[..], &[&typed]].concat()), shown);

    let last = number.pop_digit();
    let long = "9".repeat(10_000);
    let wrong: [(&str, &str); 6] = [
        (&last, "wrong digit"),
        ("12345", "is no account number"),
        ("猫猫猫", "is no account number"),
        ("", "is no account number"),
        (&long, "account"),
        ("001-0000-0000-00", "account"),
    ];
    for (number, says) in wrong {
        program.fails(1, &[&show[..], &[number]].concat(), &[says]);
    }
    // Another vendor's customer is unknown here.
    let foreign = ["account", "show", "--vendor", "other", &number];
    program.fails(1, &foreign, &["there is no account", &number]);
    let unknown = [
        "account",
        "show",
        "--vendor",
        "other",
        "--reference",
        "17850",
    ];
    program.fails(1, &unknown, &["there is no account 17850"]);
}

trait WithoutItsCheck {
    fn pop_digit(&self) -> String;
}

impl WithoutItsCheck for String {
    /// The same number with another last digit, which is a check digit.
    fn pop_digit(&self) -> String {
        let (head, last) = self.split_at(self.len() - 1);
        let other = (last.parse::<u8>().unwrap() + 1) % 10;
        format!("{head}{other}")
    }
}

/// REG-13: the database is bound to its key; without it, or with another, nothing is written.
fn another_key_is_refused(db: &TestDb) {
    let program = Program::with_vendor(db);
    let add = |key: &str| {
        let args = [
            "staff", "create", "--vendor", "retail", "--name", "Ada", "--role", "owner",
        ];
        [&args[..], &["--key-file", key]]
            .concat()
            .iter()
            .map(|a| a.to_string())
            .collect()
    };
    let fails = |key: &str, says: &str| {
        let args: Vec<String> = add(key);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        program.fails(1, &args, &[says]);
    };
    let missing = program.named("missing");
    fails(&missing, "is missing");
    assert!(!program.path("missing").exists(), "another key was made");
    fails(
        &program.file("other", "ab".repeat(32).as_bytes()),
        "give the right file",
    );
    fails(&program.file("short", b"abcd"), "64 hexadecimal digits");
    fails(
        &program.file("words", "xy".repeat(32).as_bytes()),
        "64 hexadecimal digits",
    );
    fails(&program.file("bytes", &[0xff; 64]), "bytes");
    let args: Vec<String> = add(&program.named("key"));
    program.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(program.path("key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "only its owner reads the key");
    }
}

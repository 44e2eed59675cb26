//! Help that says what a person needs, and exit codes that a script can use.

use crate::program::Program;
use scrip_engine::Options;
use scrip_testkit::TestDb;

both!(a_newer_database_exits_with_3);

#[test]
fn help_says_what_a_person_needs() {
    let db = TestDb::sqlite();
    let program = Program::new(&db);
    let database = [
        "--database",
        "sqlite:PATH",
        "postgres://",
        "SCRIP_DATABASE",
        "--key-file",
    ];
    let cases: [(&[&str], &[&str]); 9] = [
        (
            &["vendor", "create"],
            &[
                "--slug",
                "2 to 40",
                "--currency",
                "ISO 4217",
                "--token-price",
                "--json",
            ],
        ),
        (&["vendor", "list"], &["--json"]),
        (
            &["staff", "create"],
            &["--role", "cashier", "auditor", "Only look", "unique"],
        ),
        (
            &["import", "catalog"],
            &[
                "--dry-run",
                "change nothing",
                "--skip-errors",
                "Variant Price",
                "<FILE>",
            ],
        ),
        (
            &["replay"],
            &["InvoiceNo", "gzip", "again", "changes nothing", "--json"],
        ),
        (
            &["account", "show"],
            &["account number", "--reference", "--history"],
        ),
        (
            &["verify"],
            &["name each row that is wrong", "Exit code 1", "--json"],
        ),
        (&["backup"], &["either engine", "key", "--to"]),
        (&["restore"], &["empty database", "checked first", "--from"]),
    ];
    for (command, says) in cases {
        let help = program.ok(&[command, &["--help"]].concat());
        for words in database.iter().chain(says) {
            assert!(
                help.contains(words),
                "{command:?} does not say {words:?}: {help}"
            );
        }
        assert!(help.lines().all(|l| l.chars().count() <= 100), "{help}");
    }
    let help = program.ok(&["--help"]);
    for words in [
        "Exit codes: 0 done; 1 refused",
        "2 wrong usage",
        "3 the database",
        "export",
    ] {
        assert!(help.contains(words), "{words:?}: {help}");
    }
    assert!(program.ok(&["--version"]).starts_with("scrip "));
}

#[test]
fn wrong_usage_exits_with_2() {
    let db = TestDb::sqlite();
    let program = Program::new(&db);
    let wrong: [&[&str]; 7] = [
        &[],
        &["sell"],
        &["verify", "--database", "mysql://somewhere/x"],
        &["verify", "--database", "sqlite:"],
        &["vendor", "create", "--slug", "a-shop"],
        &[
            "staff", "create", "--vendor", "v", "--name", "Ada", "--role", "king",
        ],
        &["export", "--vendor", "v", "--format", "pdf"],
    ];
    for args in wrong {
        program.fails(2, args, &[]);
    }
    // A password does not go into messages.
    let ran = program.fails(
        2,
        &["verify", "--database", "mysql://me:secret@host/x"],
        &["mysql"],
    );
    assert!(!ran.err.contains("secret"), "{ran:?}");
}

#[test]
fn a_database_that_cannot_serve_exits_with_3() {
    let db = TestDb::sqlite();
    let program = Program::new(&db);
    program.fails(3, &["verify"], &["there is no database", "vendor create"]);
    program.fails(
        3,
        &["vendor", "list", "--database", "sqlite:/nowhere/at/all.db"],
        &["no database"],
    );
    let closed = "postgres://me:secret@127.0.0.1:1/none";
    let ran = program.fails(3, &["vendor", "list", "--database", closed], &["connect"]);
    assert!(!ran.err.contains("secret"), "{ran:?}");
    let name = ["--name", "A", "--slug", "a-shop"];
    let args = [
        &[
            "vendor",
            "create",
            "--database",
            "sqlite:/nowhere/at/all.db",
        ][..],
        &name,
    ]
    .concat();
    program.fails(3, &args, &["/nowhere/at/all.db"]);
}

#[test]
fn a_second_process_on_the_same_file_exits_with_3() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let holder = scrip_ledger::open(db.url(), Options::default()).unwrap();
    let add = [
        "staff", "create", "--vendor", "retail", "--name", "Ada", "--role", "owner",
    ];
    program.fails(3, &add, &["in use by another scrip process"]);
    program.fails(
        3,
        &["replay", "--vendor", "retail", &crate::program::sample()],
        &["in use"],
    );
    // What only reads works beside it.
    assert_eq!(
        program.json(&["vendor", "list"]).as_array().unwrap().len(),
        1
    );
    program.ok(&["verify"]);
    program.ok(&["backup", "--to", &program.named("backup")]);
    drop(holder);
    program.ok(&add);
}

fn a_newer_database_exits_with_3(db: &TestDb) {
    let program = Program::with_vendor(db);
    let checksum = if db.is_sqlite() { "x'00'" } else { "'\\x00'" };
    db.run_sql(&format!(
        "INSERT INTO schema_migration (number, checksum, applied_at) VALUES (999, {checksum}, 0)"
    ));
    for args in [
        &["verify"][..],
        &["vendor", "list"],
        &["vendor", "create", "--name", "B", "--slug", "b-shop"],
        &["backup", "--to", "never"],
    ] {
        program.fails(3, args, &["version 999", "use a newer scrip"]);
    }
}

/// Nothing stays in a log beside the file when the program has ended, so that a copy of the file
/// alone is a copy of the database.
#[test]
fn the_file_alone_is_the_database_when_nobody_uses_it() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let log = db.directory().unwrap().join("test.db-wal");
    assert!(!log.exists());
    program.ok(&["replay", "--vendor", "retail", &crate::program::sample()]);
    assert!(!log.exists());
}

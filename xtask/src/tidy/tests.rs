//! One table per check: the file, and the lines on which it must find something.

use super::*;

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// `path:line: first words` of what is found, module docs taken as given.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> = files.iter().map(|(path, text)| file(path, text)).collect();
    let mut findings = check_files(&files);
    findings.sort();
    findings.iter().map(ToString::to_string).collect()
}

/// Lines found in one Rust file that begins with its module doc on line 1.
fn lines(path: &str, code: &str) -> Vec<usize> {
    let text = format!("//! Doc.\n{code}\n");
    let mut findings = check_files(&[file(path, &text)]);
    findings.sort();
    findings.into_iter().map(|finding| finding.line).collect()
}

#[test]
fn code_rules() {
    let ledger = "crates/ledger/src/a.rs";
    let domain = "crates/domain/src/order/rules.rs";
    let server = "crates/server/src/a.rs";
    let cases: &[(&str, &str, &[usize])] = &[
        (server, "unsafe fn a() {}", &[2]),
        ("crates/testkit/src/vfs.rs", "unsafe fn a() {}", &[]),
        (
            server,
            "#![forbid(unsafe_code)] // unsafe \"unsafe\"\nconst A: &str = \"unsafe\";",
            &[],
        ),
        (ledger, "fn a() { Instant::now(); }", &[2]),
        (
            domain,
            "use std::time::SystemTime;\nfn a() { SystemTime::now(); jiff::Timestamp::now(); }",
            &[3, 3],
        ),
        (server, "fn a() { Zoned::now(); }", &[]),
        (ledger, "fn a(x: f64) { 1_0f32; 1.5f64; }", &[2, 2, 2]),
        (ledger, "fn a(half64: u8) { xf64(); 0x1f; }", &[]),
        (server, "fn a(x: f64) {}", &[]),
        (
            server,
            "fn a() {\nb.unwrap();\nc.unwrap_or(1); d.expect(\"why\");\ntodo!();\ndbg!(1);\nunimplemented!() }",
            &[3, 5, 6, 7],
        ),
        (
            server,
            "#[cfg(test)]\nmod tests {\nfn a() { b.unwrap() }\n}\nfn c() { d.unwrap() }",
            &[6],
        ),
        (
            "crates/server/tests/it/main.rs",
            "fn a() { b.unwrap() }",
            &[],
        ),
        (
            "crates/server/src/till/tests.rs",
            "fn a() { b.unwrap() }",
            &[],
        ),
        ("crates/testkit/src/a.rs", "fn a() { b.unwrap() }", &[]),
        (
            domain,
            "const A: &str = \"SELECT 1\";\nconst B: &str = \"\n  UPDATE\n x\";",
            &[2, 3],
        ),
        (
            domain,
            "const A: &str = \"INSERT INTO x\";\nconst B: &str = \"DELETE FROM x\";",
            &[2, 3],
        ),
        (
            domain,
            "const A: &str = \"SELECTED\";\nconst B: &str = \"Update your card\";",
            &[],
        ),
        (
            domain,
            "#[cfg(test)]\nmod t { const A: &str = \"SELECT 1\"; }",
            &[],
        ),
        (
            "crates/domain/src/order/store.rs",
            "const A: &str = \"SELECT 1\";",
            &[],
        ),
        (ledger, "const A: &str = \"SELECT 1\";", &[]),
    ];
    for (path, code, expected) in cases {
        assert_eq!(lines(path, code), *expected, "{path}\n{code}");
    }
}

#[test]
fn module_docs_are_asked_for_in_crates() {
    assert_eq!(found(&[("crates/a/src/b.rs", "\n//! Doc.\n")]), [""; 0]);
    assert_eq!(
        found(&[("crates/a/build.rs", "// Not a doc.\n")]),
        ["crates/a/build.rs:1: no module doc; begin with //! and say what the module is for"]
    );
}

#[test]
fn domain_modules_use_only_what_is_below() {
    let order = "crates/domain/src/order/rules.rs";
    let vendor = "crates/domain/src/vendor/mod.rs";
    let cases: &[(&str, &str, &[usize])] = &[
        (
            order,
            "use crate::customer::Id;\nuse crate::{money::Amount, catalog};",
            &[],
        ),
        (vendor, "use crate::order::Order;", &[2]),
        (vendor, "use crate::vendor::order::X;", &[]),
        (
            vendor,
            "use crate::{\n  text::{Slug, order},\n  order,\n};",
            &[2],
        ),
        (vendor, "fn a(b: super::order::Order) {}", &[2]),
        (
            order,
            "use super::till::X; use super::super::till::X;",
            &[2],
        ),
        (
            vendor,
            "#[cfg(test)]\nmod t { use crate::order::Order; }",
            &[],
        ),
        (
            "crates/domain/src/vendor/tests.rs",
            "use crate::order::Order;",
            &[],
        ),
        (
            "crates/domain/src/error.rs",
            "use crate::vendor::Error;",
            &[2],
        ),
        (
            "crates/domain/src/lib.rs",
            "pub use crate::order::Order;",
            &[],
        ),
        ("crates/domain/src/nonsense.rs", "fn a() {}", &[1]),
        (
            "crates/ledger/src/vendor.rs",
            "use crate::order::Order;",
            &[],
        ),
    ];
    for (path, code, expected) in cases {
        assert_eq!(lines(path, code), *expected, "{path}\n{code}");
    }
}

fn long_function(name: &str, lines: usize) -> String {
    format!("fn {name}() {{\n{}}}\n", "    a();\n".repeat(lines - 2))
}

#[test]
fn long_files_and_functions_need_an_exception() {
    let file_600 = format!("//! Doc.\n{}", "use a;\n".repeat(599));
    assert_eq!(found(&[("crates/a/src/b.rs", &file_600)]), [""; 0]);
    let file_601 = format!("{file_600}use a;\n");
    assert_eq!(
        found(&[("crates/a/src/b.rs", &file_601)]),
        [
            "crates/a/src/b.rs:1: file of 601 lines, allowed are 600; split it by what belongs together"
        ]
    );
    let functions = format!(
        "//! Doc.\n{}{}",
        long_function("fits", 80),
        long_function("long", 81)
    );
    assert_eq!(
        found(&[("crates/a/src/b.rs", &functions)]),
        ["crates/a/src/b.rs:82: function long of 81 lines, allowed are 80; split it"]
    );
}

#[test]
fn exceptions_only_shrink() {
    let list = length::EXCEPTIONS;
    let text = format!(
        "//! Doc.\n{}{}",
        long_function("fits", 80),
        long_function("long", 90)
    );
    let path = "crates/a/src/b.rs";
    assert_eq!(
        found(&[(path, &text), (list, "crates/a/src/b.rs:long 90 # why\n")]),
        [""; 0]
    );
    assert_eq!(
        found(&[(path, &text), (list, "# list\ncrates/a/src/b.rs:long 89\n")]),
        ["crates/a/src/b.rs:82: function long of 90 lines, allowed are 89; split it"]
    );
    let stale =
        "crates/a/src/b.rs:long 90\ncrates/a/src/b.rs:fits 90\ncrates/gone.rs 700\nnonsense\n";
    assert_eq!(
        found(&[(path, &text), (list, stale)]),
        [
            "xtask/tidy-exceptions.txt:2: exception for crates/a/src/b.rs:fits is no longer needed; remove the line",
            "xtask/tidy-exceptions.txt:3: exception for crates/gone.rs is no longer needed; remove the line",
            "xtask/tidy-exceptions.txt:4: not `path[:function] limit`; correct the line",
        ]
    );
}

#[test]
fn migrations_come_in_pairs() {
    let pair = [
        ("migrations/0001_book.sqlite.sql", "--\n"),
        ("migrations/0001_book.postgres.sql", "--\n"),
    ];
    assert_eq!(found(&pair), [""; 0]);
    assert_eq!(
        found(&[
            ("migrations/0001_book.sqlite.sql", "--\n"),
            ("migrations/0001_book.postgres.sql", "--\n"),
            ("migrations/0001_entry.sqlite.sql", "--\n"),
            ("migrations/0001_entry.postgres.sql", "--\n"),
            ("migrations/0002_hold.postgres.sql", "--\n"),
            ("migrations/3_seal.sqlite.sql", "--\n"),
            ("migrations/0004_seal.sql", "--\n"),
        ]),
        [
            "migrations/0001_entry.sqlite.sql:1: number 0001 is taken; take the next",
            "migrations/0002_hold.postgres.sql:1: no migrations/0002_hold.sqlite.sql; write it",
            "migrations/0004_seal.sql:1: migration not named 0001_noun.sqlite.sql or 0001_noun.postgres.sql; rename it",
            "migrations/3_seal.sqlite.sql:1: migration not named 0001_noun.sqlite.sql or 0001_noun.postgres.sql; rename it",
        ]
    );
}

#[test]
fn white_space_is_plain() {
    assert_eq!(
        found(&[
            ("a.md", "one \n\ttwo\nthree"),
            ("b.csv", "x \n\t"),
            ("empty.md", "")
        ]),
        [
            "a.md:1: white space at the end; remove it",
            "a.md:2: tab; use spaces",
            "a.md:3: no newline at the end; add one",
        ]
    );
}

#[test]
fn paths_of_one_machine_are_found() {
    let text = concat!(
        "cd /wo",
        "rk/main\nsrc/wo",
        "rk/a ../ro",
        "ot/b\n\"/ro",
        "ot/.cargo\"\n"
    );
    let found = found(&[("a.md", text)]);
    let starts: Vec<_> = found.iter().map(|line| &line[..7]).collect();
    assert_eq!(starts, ["a.md:1:", "a.md:3:"]);
}

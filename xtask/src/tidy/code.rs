//! What may not stand in code: unsafe, the wall clock and floats where money
//! is decided, panics by habit, SQL outside a store.

use super::RustFile;
use crate::finding::Finding;

const LEDGER: &str = "crates/ledger";
const DOMAIN: &str = "crates/domain";
const TESTKIT: &str = "crates/testkit";
const CHECKED: [&str; 4] = ["crates/engine", LEDGER, DOMAIN, "crates/server"];

const CLOCKS: [&str; 4] = [
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
];
const SQL_STARTS: [&str; 4] = ["SELECT", "INSERT INTO", "UPDATE", "DELETE FROM"];

/// All findings of this group in one file.
pub fn check(file: &RustFile<'_>) -> Vec<Finding> {
    let mut findings = check_unsafe(file);
    if file.is_in(LEDGER) || file.is_in(DOMAIN) {
        findings.extend(check_clock(file));
        findings.extend(check_floats(file));
    }
    if CHECKED.iter().any(|folder| file.is_in(folder)) {
        findings.extend(check_panics(file));
    }
    if file.is_in(DOMAIN) && file.file.name() != "store.rs" {
        findings.extend(check_sql(file));
    }
    findings.extend(check_module_doc(file));
    findings
}

fn check_unsafe(file: &RustFile<'_>) -> Vec<Finding> {
    if file.is_in(TESTKIT) {
        return Vec::new();
    }
    let words = file.source.words();
    let found = words.iter().filter(|word| word.text == "unsafe");
    found
        .map(|word| {
            let line = file.source.line_of(word.at);
            file.finding(
                line,
                "unsafe code; only crates/testkit may have it, find a safe way",
            )
        })
        .collect()
}

fn check_clock(file: &RustFile<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for clock in CLOCKS {
        for line in file.source.lines_with(clock) {
            let message =
                format!("{clock} reads the wall clock; take the time from the transaction");
            findings.push(file.finding(line, message));
        }
    }
    findings
}

fn check_floats(file: &RustFile<'_>) -> Vec<Finding> {
    let is_float = |text: &str| {
        // The type itself, or a number with it as suffix.
        let head = text
            .strip_suffix("f32")
            .or_else(|| text.strip_suffix("f64"));
        head.is_some_and(|head| head.bytes().all(|b| b.is_ascii_digit() || b == b'_'))
    };
    let words = file.source.words();
    let found = words.iter().filter(|word| is_float(word.text));
    found
        .map(|word| {
            let message = format!("floating point ({}); use Amount or an integer", word.text);
            file.finding(file.source.line_of(word.at), message)
        })
        .collect()
}

fn check_panics(file: &RustFile<'_>) -> Vec<Finding> {
    const PANICS: [(&str, &str); 4] = [
        (
            ".unwrap()",
            "return the error, or say with expect why it cannot happen",
        ),
        ("todo!", "finish it or leave it out"),
        ("unimplemented!", "finish it or leave it out"),
        ("dbg!", "remove it"),
    ];
    let mut findings = Vec::new();
    for (pattern, advice) in PANICS {
        for line in file.source.lines_with(pattern) {
            if !file.is_test(line) {
                findings.push(file.finding(line, format!("{pattern} outside tests; {advice}")));
            }
        }
    }
    findings
}

fn check_sql(file: &RustFile<'_>) -> Vec<Finding> {
    let is_sql = |text: &str| {
        let text = text.trim_start();
        SQL_STARTS.iter().any(|start| {
            text.strip_prefix(start)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace()))
        })
    };
    let literals = file.source.literals.iter();
    literals
        .filter(|literal| is_sql(&literal.text) && !file.is_test(literal.line))
        .map(|literal| {
            file.finding(
                literal.line,
                "SQL outside a store; move it to the noun's store.rs",
            )
        })
        .collect()
}

fn check_module_doc(file: &RustFile<'_>) -> Option<Finding> {
    let is_checked = file.path().starts_with("crates/") || file.path().starts_with("xtask/");
    let first = file.file.text.lines().find(|line| !line.trim().is_empty());
    let has_doc = first.is_some_and(|line| line.starts_with("//!"));
    (is_checked && !has_doc).then(|| {
        file.finding(
            1,
            "no module doc; begin with //! and say what the module is for",
        )
    })
}

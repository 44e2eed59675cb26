//! Rows and what must be said about them.

use super::*;

const SOURCE: &str = "//! Doc.\n
/// REG-07: below the minimum it stays inactive.\n#[test]\nfn activates_at_minimum() {\n    check();\n}\n
#[test]\nfn inside() {\n    // TOK-08, TOK-09\n}\n
fn other() {}\n";

/// Findings for a table in which `rows` replace those of the same ID.
fn found(rows: &[&str]) -> Vec<String> {
    let replaced: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.split('|').nth(1))
        .map(str::trim)
        .collect();
    let mut text = "| ID | Rule | State | Proof |\n|---|:--|---|---|\n".to_owned();
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    for id in all_ids().filter(|id| !replaced.contains(&id.as_str())) {
        text.push_str(&format!("| {id} | rule | open | - |\n"));
    }
    let files = [
        (TABLE, text.as_str()),
        ("crates/domain/src/a.rs", SOURCE),
        ("scripts/prove", "# ARC-08\n"),
    ]
    .map(|(path, text)| File {
        path: path.to_owned(),
        text: text.to_owned(),
    });
    check_files(&files)
        .0
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn rows_that_are_true_pass() {
    let rows = [
        "| REG-07 | rule | done | `domain::customer::tests::activates_at_minimum` |",
        "| TOK-08 | rule. Missing: receipts | partial | `domain::a::inside`, `scripts/prove2` |",
        "| TOK-09 | rule | done | `domain::a::inside` and more |",
        "| ARC-08 | rule | done | `scripts/prove` |",
        "| MIC-01 | rule | open | |",
    ];
    assert_eq!(
        found(&rows),
        ["docs/requirements.md:4: TOK-08: no file scripts/prove2; correct the path"]
    );
}

#[test]
fn rows_that_are_not_true_are_found() {
    let cases = [
        (
            "| REG-07 | r | done | |",
            "REG-07: done without a proof; name a test or script in backticks",
        ),
        (
            "| REG-07 | r | open | `domain::a::inside` |",
            "REG-07: open, yet it has a proof; set the state or clear the proof",
        ),
        (
            "| REG-07 | r | works | |",
            "REG-07: state \"works\"; use done, partial or open",
        ),
        (
            "| REG-07 | r | partial | `domain::a::inside` |",
            "REG-07: partial; say after `Missing:` in the rule what is missing",
        ),
        (
            "| REG-07 | r Missing: x | done | `domain::a::inside` |",
            "REG-07: done, yet something is missing; make it partial",
        ),
        (
            "| REG-07 | r | done | `domain::a::inside` |",
            "REG-07: fn inside does not name REG-07; say in its comment that it proves it",
        ),
        (
            "| REG-07 | r | done | `domain::a::other` |",
            "REG-07: fn other does not name REG-07; say in its comment that it proves it",
        ),
        (
            "| REG-07 | r | done | `domain::a::nothing` |",
            "REG-07: no fn nothing under crates/domain/; correct the name",
        ),
        (
            "| REG-07 | r | done | `ledger::a::b` |",
            "REG-07: no source in crates/ledger/; ledger::a::b begins with the crate's folder",
        ),
        (
            "| REG-07 | r | done | `scripts/prove` |",
            "REG-07: scripts/prove does not name REG-07; say there what it proves",
        ),
    ];
    for (row, message) in cases {
        assert_eq!(
            found(&[row]),
            [format!("docs/requirements.md:3: {message}")],
            "{row}"
        );
    }
}

#[test]
fn every_requirement_stands_once() {
    assert_eq!(all_ids().count(), 165);
    let rows = [
        "| REG-07 | r | open | |",
        "| REG-07 | r | open | |",
        "| REG-15 | r | open | |",
        "| REG-01 | r |",
    ];
    assert_eq!(
        found(&rows),
        [
            "docs/requirements.md:6: 2 cells; a row is | ID | rule | state | proof |",
            "docs/requirements.md:4: REG-07 stands on line 3 already; keep one row",
            "docs/requirements.md:5: REG-15 is no requirement; correct the ID",
            "docs/requirements.md:169: REG-01 is missing; add its row",
        ]
    );
}

#[test]
fn a_longer_id_is_another_one() {
    assert!(names("proves OPN-01.", "OPN-01"));
    assert!(!names("proves OPN-010", "OPN-01"));
    assert!(!names("proves XOPN-01", "OPN-01"));
}

//! `cargo xtask requirements`: `docs/requirements.md` lists every requirement
//! once, and what it says about proofs is true.
//!
//! A row is `| ID | rule | state | proof |`. `done` and `partial` name, in
//! backticks, at least one test (`crate::module::test_fn`; the function, or
//! the comment right above it, names the ID) or a script (its path; the file
//! names the ID). `partial` says after `Missing:` in the rule what is missing.
//! `open` has no proof.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::files::{self, File};
use crate::finding::Finding;
use crate::scan::Source;

const TABLE: &str = "docs/requirements.md";

/// Every requirement: prefix and how many.
const GROUPS: [(&str, usize); 13] = [
    ("REG", 14),
    ("TOK", 15),
    ("SHP", 19),
    ("LIC", 15),
    ("TRF", 9),
    ("AUC", 11),
    ("POS", 10),
    ("MSP", 10),
    ("OPN", 24),
    ("GOV", 15),
    ("ARC", 8),
    ("MIC", 7),
    ("ADV", 8),
];

/// Checks the table of the repository.
pub fn check(root: &Path) -> io::Result<(Vec<Finding>, String)> {
    let files = files::text_files(root)?;
    Ok(check_files(&files))
}

struct Row<'a> {
    line: usize,
    id: &'a str,
    rule: &'a str,
    state: &'a str,
    proof: &'a str,
}

fn check_files(files: &[File]) -> (Vec<Finding>, String) {
    let Some(table) = files.iter().find(|file| file.path == TABLE) else {
        return (
            vec![Finding::new(TABLE, 1, "missing; write the table")],
            String::new(),
        );
    };
    let mut findings = Vec::new();
    let rows = parse(&table.text, &mut findings);
    check_ids(&rows, table.text.lines().count(), &mut findings);
    let mut states = BTreeMap::new();
    for row in &rows {
        *states.entry(row.state).or_insert(0_usize) += 1;
        let wrong = row_errors(row, files);
        findings.extend(
            wrong
                .into_iter()
                .map(|message| Finding::new(TABLE, row.line, format!("{}: {message}", row.id))),
        );
    }
    let count = |state| states.get(state).copied().unwrap_or(0);
    let summary = format!(
        "requirements: {} done, {} partial, {} open, and the table is true",
        count("done"),
        count("partial"),
        count("open")
    );
    (findings, summary)
}

fn parse<'a>(text: &'a str, findings: &mut Vec<Finding>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(inner) = line.trim().strip_prefix('|') else {
            continue;
        };
        let cells: Vec<&str> = inner
            .strip_suffix('|')
            .unwrap_or(inner)
            .split('|')
            .map(str::trim)
            .collect();
        let is_rule = cells
            .iter()
            .all(|cell| !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':')));
        if is_rule || cells.first() == Some(&"ID") {
            continue;
        }
        let &[id, rule, state, proof] = cells.as_slice() else {
            let message = format!(
                "{} cells; a row is | ID | rule | state | proof |",
                cells.len()
            );
            findings.push(Finding::new(TABLE, index + 1, message));
            continue;
        };
        rows.push(Row {
            line: index + 1,
            id,
            rule,
            state,
            proof,
        });
    }
    rows
}

fn check_ids(rows: &[Row<'_>], last_line: usize, findings: &mut Vec<Finding>) {
    let mut first_lines: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        if !is_known(row.id) {
            let message = format!("{} is no requirement; correct the ID", row.id);
            findings.push(Finding::new(TABLE, row.line, message));
        }
        if let Some(first) = first_lines.get(row.id) {
            let message = format!("{} stands on line {first} already; keep one row", row.id);
            findings.push(Finding::new(TABLE, row.line, message));
        } else {
            first_lines.insert(row.id, row.line);
        }
    }
    for id in all_ids().filter(|id| !first_lines.contains_key(id.as_str())) {
        findings.push(Finding::new(
            TABLE,
            last_line.max(1),
            format!("{id} is missing; add its row"),
        ));
    }
}

fn all_ids() -> impl Iterator<Item = String> {
    GROUPS
        .iter()
        .flat_map(|(prefix, count)| (1..=*count).map(move |number| format!("{prefix}-{number:02}")))
}

fn is_known(id: &str) -> bool {
    all_ids().any(|known| known == id)
}

fn row_errors(row: &Row<'_>, files: &[File]) -> Vec<String> {
    let missing = row
        .rule
        .split_once("Missing:")
        .map(|(_, missing)| missing.trim());
    let is_empty_proof = matches!(row.proof, "" | "-");
    match row.state {
        "open" if !is_empty_proof => {
            vec!["open, yet it has a proof; set the state or clear the proof".to_owned()]
        }
        "open" => Vec::new(),
        "done" if missing.is_some() => {
            vec!["done, yet something is missing; make it partial".to_owned()]
        }
        "partial" if missing.is_none_or(str::is_empty) => {
            vec!["partial; say after `Missing:` in the rule what is missing".to_owned()]
        }
        "done" | "partial" => proof_errors(row, files),
        other => vec![format!("state {other:?}; use done, partial or open")],
    }
}

fn proof_errors(row: &Row<'_>, files: &[File]) -> Vec<String> {
    let proofs: Vec<&str> = row.proof.split('`').skip(1).step_by(2).collect();
    if proofs.is_empty() {
        return vec![format!(
            "{} without a proof; name a test or script in backticks",
            row.state
        )];
    }
    proofs
        .iter()
        .filter_map(|proof| proof_error(row.id, proof, files))
        .collect()
}

fn proof_error(id: &str, proof: &str, files: &[File]) -> Option<String> {
    if proof.contains("::") {
        return test_error(id, proof, files);
    }
    match files.iter().find(|file| file.path == proof) {
        None => Some(format!("no file {proof}; correct the path")),
        Some(file) if !names(&file.text, id) => Some(format!(
            "{proof} does not name {id}; say there what it proves"
        )),
        Some(_) => None,
    }
}

fn test_error(id: &str, proof: &str, files: &[File]) -> Option<String> {
    let krate = proof.split("::").next().unwrap_or("");
    let test = proof.rsplit("::").next().unwrap_or("");
    let folder = match krate {
        "xtask" => "xtask/".to_owned(),
        _ => format!("crates/{krate}/"),
    };
    let mut sources = files
        .iter()
        .filter(|file| file.is_rust() && file.path.starts_with(&folder))
        .peekable();
    if sources.peek().is_none() {
        return Some(format!(
            "no source in {folder}; {proof} begins with the crate's folder"
        ));
    }
    let texts: Vec<String> = sources
        .flat_map(|file| function_texts(file, test))
        .collect();
    if texts.is_empty() {
        return Some(format!("no fn {test} under {folder}; correct the name"));
    }
    let is_named = texts.iter().any(|text| names(text, id));
    (!is_named)
        .then(|| format!("fn {test} does not name {id}; say in its comment that it proves it"))
}

/// The text of each function of that name, with the comments and attributes
/// right above it.
fn function_texts(file: &File, name: &str) -> Vec<String> {
    if !file.text.contains(name) {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let functions = Source::new(&file.text).functions().into_iter();
    functions
        .filter(|function| function.name == name)
        .map(|function| {
            let above = lines[..function.lines.start() - 1].iter().rev();
            let count = above.take_while(|line| is_above(line.trim())).count();
            lines[function.lines.start() - 1 - count..*function.lines.end()].join("\n")
        })
        .collect()
}

fn is_above(line: &str) -> bool {
    line.starts_with("//") || line.starts_with("#[")
}

/// Whether the text names the ID, and not only a longer one.
fn names(text: &str, id: &str) -> bool {
    text.match_indices(id).any(|(at, _)| {
        let after = text[at + id.len()..].chars().next();
        let before = text[..at].chars().next_back();
        !after.is_some_and(|c| c.is_ascii_digit())
            && !before.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
#[path = "requirements/tests.rs"]
mod tests;

//! What holds for files as such: paired migrations, plain text, no paths of
//! one machine.

use std::collections::BTreeMap;

use crate::files::File;
use crate::finding::Finding;

const ENGINES: [&str; 2] = [".sqlite.sql", ".postgres.sql"];
/// Put together here so that this file passes its own check.
const MACHINE_FOLDERS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// All findings of this group.
pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = check_migrations(files);
    for file in files {
        findings.extend(check_white_space(file));
        findings.extend(check_machine_paths(file));
    }
    findings
}

/// Every number has one name, and that name a file for each engine.
fn check_migrations(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut by_number: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    let is_migration = |file: &&File| {
        file.path.ends_with(".sql") && file.folders().any(|folder| folder == "migrations")
    };
    for file in files.iter().filter(is_migration) {
        let engine = ENGINES.iter().find(|engine| file.path.ends_with(*engine));
        let stem = engine.and_then(|engine| file.path.strip_suffix(engine));
        let number = file.name().split('_').next().unwrap_or("");
        let is_number = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
        match (engine, stem) {
            (Some(engine), Some(stem)) if is_number => {
                by_number
                    .entry(number)
                    .or_default()
                    .entry(stem)
                    .or_default()
                    .push(engine);
            }
            _ => findings.push(Finding::new(
                &file.path,
                1,
                "migration not named 0001_noun.sqlite.sql or 0001_noun.postgres.sql; rename it",
            )),
        }
    }
    for (number, stems) in by_number {
        for (index, (stem, engines)) in stems.iter().enumerate() {
            let missing = ENGINES.iter().find(|engine| !engines.contains(engine));
            if let Some(missing) = missing {
                let path = format!("{stem}{}", engines[0]);
                findings.push(Finding::new(
                    &path,
                    1,
                    format!("no {stem}{missing}; write it"),
                ));
            }
            if index > 0 {
                let path = format!("{stem}{}", engines[0]);
                findings.push(Finding::new(
                    &path,
                    1,
                    format!("number {number} is taken; take the next"),
                ));
            }
        }
    }
    findings
}

/// Data and recorded output are what they are.
fn is_verbatim(file: &File) -> bool {
    const ENDINGS: [&str; 3] = [".csv", ".snap", ".snap.new"];
    ENDINGS.iter().any(|ending| file.path.ends_with(ending))
}

fn check_white_space(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    if is_verbatim(file) || file.text.is_empty() {
        return findings;
    }
    for (index, line) in file.text.split('\n').enumerate() {
        if line.contains('\t') {
            findings.push(Finding::new(&file.path, index + 1, "tab; use spaces"));
        }
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::new(
                &file.path,
                index + 1,
                "white space at the end; remove it",
            ));
        }
    }
    if !file.text.ends_with('\n') {
        let last = file.text.lines().count();
        findings.push(Finding::new(
            &file.path,
            last,
            "no newline at the end; add one",
        ));
    }
    findings
}

fn check_machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for folder in MACHINE_FOLDERS {
            if line
                .match_indices(folder)
                .any(|(at, _)| is_absolute(line, at))
            {
                let message =
                    format!("path of one machine ({folder}); use one relative to the repository");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// Whether a path begins at `at`, rather than going on: `src/root/x` does not.
fn is_absolute(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    !before.is_some_and(|c| {
        c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '/' | '}' | ')')
    })
}

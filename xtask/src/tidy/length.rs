//! Files and functions that fit a head and a screen, with a list of
//! exceptions that only shrinks.

use std::collections::BTreeMap;

use super::RustFile;
use crate::files::File;
use crate::finding::Finding;

/// Where the exceptions stand: `path limit` or `path:function limit`, one a
/// line, `#` begins a comment.
pub const EXCEPTIONS: &str = "xtask/tidy-exceptions.txt";
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 80;

struct Exception {
    line: usize,
    limit: usize,
    is_needed: bool,
}

/// Too long files and functions, and exceptions that are wrong or not needed.
pub fn check(files: &[File], rust: &[RustFile<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let list = files.iter().find(|file| file.path == EXCEPTIONS);
    let mut exceptions = parse(list.map_or("", |file| &file.text), &mut findings);
    for file in rust {
        let lines = file.file.text.lines().count();
        if let Some(limit) = exceeds(file.path(), lines, FILE_LINES, &mut exceptions) {
            let message = format!(
                "file of {lines} lines, allowed are {limit}; split it by what belongs together"
            );
            findings.push(file.finding(1, message));
        }
        for (name, (lines, line)) in longest_functions(file) {
            let key = format!("{}:{name}", file.path());
            if let Some(limit) = exceeds(&key, lines, FUNCTION_LINES, &mut exceptions) {
                let message =
                    format!("function {name} of {lines} lines, allowed are {limit}; split it");
                findings.push(file.finding(line, message));
            }
        }
    }
    for (key, exception) in exceptions
        .iter()
        .filter(|(_, exception)| !exception.is_needed)
    {
        let message = format!("exception for {key} is no longer needed; remove the line");
        findings.push(Finding::new(EXCEPTIONS, exception.line, message));
    }
    findings
}

/// The limit that `lines` is over, if any; marks the exception that was needed.
fn exceeds(
    key: &str,
    lines: usize,
    limit: usize,
    exceptions: &mut BTreeMap<String, Exception>,
) -> Option<usize> {
    if lines <= limit {
        return None;
    }
    let Some(exception) = exceptions.get_mut(key) else {
        return Some(limit);
    };
    exception.is_needed = true;
    (lines > exception.limit).then_some(exception.limit)
}

/// Of functions with one name in a file, the longest: (lines, first line).
fn longest_functions(file: &RustFile<'_>) -> BTreeMap<String, (usize, usize)> {
    let mut longest = BTreeMap::new();
    for function in file.source.functions() {
        let found = (function.length(), *function.lines.start());
        let kept = longest.entry(function.name).or_insert(found);
        *kept = (*kept).max(found);
    }
    longest
}

fn parse(text: &str, findings: &mut Vec<Finding>) -> BTreeMap<String, Exception> {
    let mut exceptions = BTreeMap::new();
    for (index, row) in text.lines().enumerate() {
        let row = row.split('#').next().unwrap_or("").trim();
        if row.is_empty() {
            continue;
        }
        let line = index + 1;
        let parsed = row
            .split_once(' ')
            .and_then(|(key, limit)| Some((key, limit.trim().parse::<usize>().ok()?)));
        let Some((key, limit)) = parsed else {
            findings.push(Finding::new(
                EXCEPTIONS,
                line,
                "not `path[:function] limit`; correct the line",
            ));
            continue;
        };
        let exception = Exception {
            line,
            limit,
            is_needed: false,
        };
        if exceptions.insert(key.to_owned(), exception).is_some() {
            findings.push(Finding::new(
                EXCEPTIONS,
                line,
                format!("{key} stands twice; keep one line"),
            ));
        }
    }
    exceptions
}

//! `cargo xtask tidy`: style as a test. Each module is one group of checks;
//! a check reads the files that it is given and returns findings.

mod code;
mod layout;
mod length;
mod modules;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use crate::files::{self, File};
use crate::finding::Finding;
use crate::scan::Source;

/// Runs every check on the repository.
pub fn check(root: &Path) -> io::Result<(Vec<Finding>, String)> {
    let files = files::text_files(root)?;
    let mut findings = check_files(&files);
    for folder in files::empty_folders(root)? {
        findings.push(Finding::new(
            &folder,
            1,
            "empty folder; remove it or put something in it",
        ));
    }
    Ok((
        findings,
        format!("tidy: {} files are in order", files.len()),
    ))
}

fn check_files(files: &[File]) -> Vec<Finding> {
    let rust: Vec<RustFile<'_>> = files
        .iter()
        .filter(|file| file.is_rust())
        .map(RustFile::new)
        .collect();
    let mut findings = length::check(files, &rust);
    for file in &rust {
        findings.extend(code::check(file));
        findings.extend(modules::check(file));
    }
    findings.extend(layout::check(files));
    findings
}

/// A scanned source file and which of its lines are tests.
struct RustFile<'a> {
    file: &'a File,
    source: Source,
    test_lines: Vec<std::ops::RangeInclusive<usize>>,
    is_test_file: bool,
}

impl<'a> RustFile<'a> {
    fn new(file: &'a File) -> Self {
        let source = Source::new(&file.text);
        let is_test_file = file.name() == "tests.rs"
            || file.folders().any(|folder| folder == "tests")
            || !source.lines_with("#![cfg(test)]").is_empty();
        Self {
            file,
            test_lines: source.test_lines(),
            source,
            is_test_file,
        }
    }

    fn path(&self) -> &str {
        &self.file.path
    }

    fn is_in(&self, folder: &str) -> bool {
        self.path()
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    fn is_test(&self, line: usize) -> bool {
        self.is_test_file || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding::new(self.path(), line, message)
    }
}

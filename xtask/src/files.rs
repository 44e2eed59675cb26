//! The files that are checked: everything that git tracks or would track, or,
//! without git, everything outside `target` and hidden folders.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
pub struct File {
    /// Path from the root, with `/`.
    pub path: String,
    /// The whole content.
    pub text: String,
}

impl File {
    /// Whether this is Rust source.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folders above the file, from the root.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let count = self.path.matches('/').count();
        self.path.split('/').take(count)
    }
}

/// Every text file, by path. Files that are not UTF-8 or hold a NUL are binary
/// and left out.
pub fn text_files(root: &Path) -> io::Result<Vec<File>> {
    let mut paths = match paths_by_git(root) {
        Some(paths) => paths,
        None => paths_by_walking(root)?,
    };
    paths.sort();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let full = root.join(&path);
        // A deleted file that is still in the index, or a link.
        if !full.symlink_metadata().is_ok_and(|found| found.is_file()) {
            continue;
        }
        if let Ok(text) = String::from_utf8(std::fs::read(&full)?)
            && !text.contains('\0')
        {
            files.push(File { path, text });
        }
    }
    Ok(files)
}

fn paths_by_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let listing = String::from_utf8(output.stdout).ok()?;
    Some(
        listing
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn paths_by_walking(root: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    for folder in folders(root)? {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_file() {
                paths.push(relative(root, &path));
            }
        }
    }
    Ok(paths)
}

/// Folders with nothing in them, not even a folder. Git does not see these.
pub fn empty_folders(root: &Path) -> io::Result<Vec<String>> {
    let mut empty = Vec::new();
    for folder in folders(root)? {
        if std::fs::read_dir(&folder)?.next().is_none() {
            empty.push(relative(root, &folder));
        }
    }
    Ok(empty)
}

/// The root and all folders below, without those that hold no source.
fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "__pycache__"];
    let mut found = vec![root.to_owned()];
    let mut next = 0;
    while next < found.len() {
        for entry in std::fs::read_dir(&found[next])? {
            let entry = entry?;
            let is_skipped = entry
                .file_name()
                .to_str()
                .is_none_or(|name| SKIPPED.contains(&name));
            if entry.file_type()?.is_dir() && !is_skipped {
                found.push(entry.path());
            }
        }
        next += 1;
    }
    Ok(found)
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

//! Dependencies between the modules of `crates/domain` point down. Cargo
//! enforces this between crates; inside the crate this list does.

use super::RustFile;
use crate::finding::Finding;

const DOMAIN_SOURCE: &str = "crates/domain/src";

/// Modules that every noun may use. They use no noun.
const BASE: [&str; 12] = [
    "actor", "audit", "command", "error", "id", "money", "node", "page", "secret", "tax", "text",
    "vault",
];

/// The nouns from the bottom up: each may use those before it.
const NOUNS: &[&str] = &[
    "vendor",
    "policy",
    "books",
    "customer",
    "session",
    "adjustment",
    "api_key",
    "credit",
    "family",
    "card",
    "token_sale",
    "payback",
    "expiry",
    "top_up",
    "gift_tokens",
    "catalog",
    "promotion",
    "delivery",
    "order",
    "card_event",
    "statement",
    "license",
    "transfer",
    "listing",
    "auction",
    "redemption",
    "till",
    "mall",
    "open_token",
    "gift",
    "exchange",
    "checkout",
    "closing",
    "webhook",
    "mirror",
    "message",
    "report",
    "revenue",
    "replay",
    "verify",
];

/// Height of a module: base modules at 0, nouns above in their order.
fn height(module: &str) -> Option<usize> {
    if BASE.contains(&module) {
        return Some(0);
    }
    NOUNS
        .iter()
        .position(|noun| *noun == module)
        .map(|position| position + 1)
}

/// Uses that point up, and modules that have no place yet. Tests may look
/// wherever they like, and `lib.rs` names everything.
pub fn check(file: &RustFile<'_>) -> Vec<Finding> {
    let Some(below) = file
        .path()
        .strip_prefix(DOMAIN_SOURCE)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return Vec::new();
    };
    let path = module_path(below);
    let Some(module) = path.first() else {
        return Vec::new();
    };
    let Some(own) = height(module) else {
        let message = format!(
            "module {module} has no place; add it to the list in xtask/src/tidy/modules.rs"
        );
        return vec![file.finding(1, message)];
    };
    let mut findings = Vec::new();
    for (line, used) in uses(file, path.len()) {
        let is_up = used != *module && height(&used).is_some_and(|used| used > own);
        if is_up && !file.is_test(line) {
            let message =
                format!("{module} uses {used}, which stands above it; turn the dependency round");
            findings.push(file.finding(line, message));
        }
    }
    findings
}

/// `order/rules.rs` is `[order, rules]`, `order/mod.rs` is `[order]`, `lib.rs`
/// is the root.
fn module_path(below: &str) -> Vec<&str> {
    let stem = below.strip_suffix(".rs").unwrap_or(below);
    let mut path: Vec<&str> = stem.split('/').collect();
    if matches!(path.last(), Some(&("mod" | "lib" | "main"))) {
        path.pop();
    }
    path
}

/// Top modules of the crate that the file names, with the line: after
/// `crate::`, or after as many `super::` as lead to the root.
fn uses(file: &RustFile<'_>, depth: usize) -> Vec<(usize, String)> {
    let source = &file.source;
    let words = source.words();
    let mut found = Vec::new();
    let mut supers = 0;
    for word in &words {
        let after = word.at + word.text.len();
        let continues = source.code[after..].starts_with(b"::");
        supers = if word.text == "super" && continues {
            supers + 1
        } else {
            0
        };
        let is_root = continues && (word.text == "crate" || (supers > 0 && supers == depth));
        if is_root {
            for name in names_after(&source.code[after + 2..]) {
                found.push((source.line_of(word.at), name));
            }
        }
    }
    found
}

/// `order::Order` gives `order`; `{order, vendor::{Id, Slug}}` gives both heads.
fn names_after(code: &[u8]) -> Vec<String> {
    let Some(b'{') = code.first() else {
        return head(code).into_iter().collect();
    };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(byte, b'{' | b',') {
            names.extend(head(&code[at + 1..]));
        }
    }
    names
}

/// The identifier at the start, after white space.
fn head(code: &[u8]) -> Option<String> {
    let code = code.trim_ascii_start();
    let length = code
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
        .unwrap_or(code.len());
    let name = str::from_utf8(&code[..length]).ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

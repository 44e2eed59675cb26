//! Several buffered writes as one statement (PostgreSQL).
//!
//! Each statement costs the server and the client a message, a wake-up and an answer. Writes whose
//! answers nobody needs are therefore put together: `WITH c0 AS (INSERT …), c1 AS (…) INSERT …`.
//! The parts of such a statement do not see each other, so only those go together that could run
//! in any order: any number of plain inserts, and a change of a table that no other part touches.

use std::collections::HashMap;

/// Parts of one statement at most.
const PARTS: usize = 16;

/// What a write does to its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Adds a row.
    Insert(&'static str),
    /// Changes or removes rows, or adds one unless it is there.
    Change(&'static str),
    /// Anything else; it goes alone.
    Other,
}

fn effect(sql: &'static str) -> Effect {
    let mut words = sql.split_whitespace();
    let rest = sql.get(6..).unwrap_or_default();
    if rest.contains("SELECT") || rest.contains("RETURNING") {
        return Effect::Other;
    }
    match (words.next(), words.next(), words.next()) {
        (Some("INSERT"), Some("INTO"), Some(table)) if !sql.contains("ON CONFLICT") => {
            Effect::Insert(table)
        }
        (Some("INSERT"), Some("INTO"), Some(table)) => Effect::Change(table),
        (Some("UPDATE"), Some(table), _) => Effect::Change(table),
        (Some("DELETE"), Some("FROM"), Some(table)) => Effect::Change(table),
        _ => Effect::Other,
    }
}

/// The lengths of the runs of statements that can go together, in their order.
pub(crate) fn runs(statements: &[&'static str]) -> Vec<usize> {
    let mut runs = Vec::new();
    let mut length = 0;
    // table -> whether the run only inserts into it.
    let mut tables: HashMap<&'static str, bool> = HashMap::new();
    for sql in statements {
        let effect = effect(sql);
        let fits = match effect {
            Effect::Insert(table) => tables.get(table).copied().unwrap_or(true),
            Effect::Change(table) => !tables.contains_key(table),
            Effect::Other => false,
        };
        if length > 0 && (!fits || length == PARTS) {
            runs.push(length);
            length = 0;
            tables.clear();
        }
        length += 1;
        match effect {
            Effect::Insert(table) => drop(tables.insert(table, true)),
            Effect::Change(table) => drop(tables.insert(table, false)),
            Effect::Other => {
                runs.push(length);
                length = 0;
            }
        }
    }
    if length > 0 {
        runs.push(length);
    }
    runs
}

/// One statement of several, their parameters numbered on.
pub(crate) fn statement(parts: &[(&'static str, usize)]) -> String {
    let mut text = String::new();
    let mut before = 0;
    let last = parts.len().saturating_sub(1);
    for (i, (sql, params)) in parts.iter().enumerate() {
        let sql = renumbered(sql, before);
        before += params;
        match i {
            _ if i == last => text += &sql,
            0 => text += &format!("WITH c0 AS ({sql})"),
            _ => text += &format!(", c{i} AS ({sql})"),
        }
        if i + 1 == last || (last == 0 && i == 0) {
            text.push(' ');
        }
    }
    text
}

/// `$1` becomes `$(1 + before)`, and so on.
fn renumbered(sql: &str, before: usize) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut parts = sql.split('$');
    out += parts.next().unwrap_or_default();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        let number: usize = number.parse().unwrap_or_default();
        out += &format!("${}{rest}", number + before);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "INSERT INTO entry (a, b) VALUES ($1, $2)";
    const LINE: &str = "INSERT INTO line (a) VALUES ($1)";
    const HEAD: &str = "UPDATE head SET b = $2 WHERE a = $1";
    const OPEN: &str = "INSERT INTO head (a, b) VALUES ($1, $2)";
    const LOT: &str = "INSERT INTO lot (a) VALUES ($1) ON CONFLICT (a) DO NOTHING";
    const COPY: &str = "INSERT INTO line SELECT a FROM entry";

    #[test]
    fn only_what_can_run_in_any_order_goes_together() {
        assert_eq!(runs(&["BEGIN", ENTRY, LINE, LINE, HEAD, LOT]), [1, 5]);
        assert_eq!(runs(&[OPEN, HEAD]), [1, 1], "the update must see the row");
        assert_eq!(runs(&[HEAD, HEAD]), [1, 1], "one row is not changed twice");
        assert_eq!(runs(&[LOT, LOT]), [1, 1]);
        assert_eq!(runs(&[ENTRY, COPY, LINE]), [1, 1, 1]);
        assert_eq!(runs(&[ENTRY; 40]), [16, 16, 8]);
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn parameters_are_numbered_on() {
        assert_eq!(
            statement(&[(ENTRY, 2), (LINE, 1), (HEAD, 2)]),
            "WITH c0 AS (INSERT INTO entry (a, b) VALUES ($1, $2)), \
             c1 AS (INSERT INTO line (a) VALUES ($3)) UPDATE head SET b = $5 WHERE a = $4"
        );
    }
}

//! CHECK constraints of both engines in one form.
//!
//! SQLite keeps the text that was written; PostgreSQL prints what it understood: `IN` becomes
//! `= ANY (ARRAY[…])`, `BETWEEN` two comparisons, literals get casts, everything gets brackets.
//! Both are brought to words without brackets and casts, with `in` for lists and two comparisons
//! for ranges. Brackets carry meaning, so two CHECKs that differ only in them look alike here:
//! the checks of the migrations are kept too simple for that.

/// The CHECKs within the text of a table, or of a constraint.
pub(super) fn in_create_table(sql: &str) -> Vec<String> {
    let words = words(sql);
    let mut checks = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at] == "check" && words.get(at + 1).is_some_and(|w| w == "(") {
            let end = closing(&words, at + 1);
            checks.push(one_form(&words[at + 2..end]));
            at = end;
        }
        at += 1;
    }
    checks
}

/// The place of the bracket that closes the one at `open`.
fn closing(words: &[String], open: usize) -> usize {
    let mut depth = 0_usize;
    for (i, word) in words.iter().enumerate().skip(open) {
        match word.as_str() {
            "(" => depth += 1,
            ")" if depth == 1 => return i,
            ")" => depth -= 1,
            _ => {}
        }
    }
    words.len()
}

/// Splits SQL into words, quoted texts and symbols; leaves out comments; lower case but for texts.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if let Some(comment) = rest.strip_prefix("--") {
            let end = comment.find('\n').map_or(rest.len(), |i| i + 2);
            rest = rest[end..].trim_start();
            continue;
        } else if first == '\'' {
            quoted_length(rest)
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if let Some(symbol) = ["::", "<=", ">=", "<>", "!=", "||"]
            .iter()
            .find(|s| rest.starts_with(**s))
        {
            symbol.len()
        } else {
            first.len_utf8()
        };
        let word = &rest[..length];
        words.push(if first == '\'' {
            word.to_owned()
        } else {
            word.to_lowercase()
        });
        rest = rest[length..].trim_start();
    }
    words
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a quoted text; a doubled quote stands for one.
fn quoted_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut i = 1;
    while i < bytes.len() {
        match (bytes[i], bytes.get(i + 1)) {
            (b'\'', Some(b'\'')) => i += 2,
            (b'\'', _) => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

fn one_form(check: &[String]) -> String {
    let mut form: Vec<String> = Vec::new();
    let mut between = false;
    let mut words = check.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match word {
            "(" | ")" | "[" | "]" | "array" | "any" => {}
            // The type of a cast, which may be two words and have a length.
            "::" => drop(words.next()),
            "!=" => form.push("<>".into()),
            "between" => {
                between = true;
                form.push(">=".into());
            }
            "and" if std::mem::take(&mut between) => {
                // `x between a and b` is `x >= a and x <= b`, and x is one word in our checks.
                let operand = form.iter().rev().skip_while(|w| *w != ">=").nth(1).cloned();
                form.extend(["and".into(), operand.unwrap_or_default(), "<=".into()]);
            }
            "in" => {
                let list = words.clone().take_while(|w| *w != ")").any(|w| w == ",");
                // PostgreSQL makes a list of one a comparison.
                form.push(if list { "in" } else { "=" }.into());
            }
            "=" if words.clone().find(|w| *w != "(") == Some("any") => form.push("in".into()),
            // PostgreSQL prints a negative number as a text with a cast.
            text if text.starts_with('\'') && text.trim_matches('\'').parse::<i64>().is_ok() => {
                form.push(text.trim_matches('\'').to_owned());
            }
            word => form.push(word.to_owned()),
        }
    }
    form.join(" ").replace("- ", "-")
}

#[cfg(test)]
mod tests {
    use super::in_create_table;

    #[test]
    fn both_engines_texts_come_to_one_form() {
        let pairs = [
            ("CHECK (a > 0)", "CHECK ((a > 0))"),
            (
                "CHECK (a IN ('x', 'y z'))",
                "CHECK ((a = ANY (ARRAY['x'::text, 'y z'::text])))",
            ),
            (
                "CHECK (a IN (0, 1))",
                "CHECK ((a = ANY (ARRAY[(0)::bigint, (1)::bigint])))",
            ),
            ("CHECK (a IN ('x'))", "CHECK ((a = 'x'::text))"),
            (
                "CHECK (a BETWEEN 0 AND 12)",
                "CHECK (((a >= 0) AND (a <= 12)))",
            ),
            ("CHECK (a >= -1)", "CHECK ((a >= '-1'::integer))"),
            (
                "CHECK (a IS NULL OR b != 'It''s')",
                "CHECK (((a IS NULL) OR (b <> 'It''s'::text)))",
            ),
        ];
        for (sqlite, postgres) in pairs {
            assert_eq!(
                in_create_table(sqlite),
                in_create_table(postgres),
                "{sqlite}"
            );
            assert_eq!(in_create_table(sqlite).len(), 1, "{sqlite}");
        }
    }

    #[test]
    fn different_checks_stay_different() {
        let checks = [
            "CHECK (a > 0)",
            "CHECK (a >= 0)",
            "CHECK (b > 0)",
            "CHECK (a IN ('x', 'y'))",
            "CHECK (a IN ('x', 'z'))",
            "CHECK (a IN ('x'))",
            "CHECK (a BETWEEN 0 AND 12)",
            "CHECK (a BETWEEN 0 AND 13)",
        ];
        for (i, a) in checks.iter().enumerate() {
            for b in &checks[i + 1..] {
                assert_ne!(in_create_table(a), in_create_table(b));
            }
        }
    }

    #[test]
    fn a_table_text_gives_its_checks_and_no_more() {
        let text = "CREATE TABLE t (
            a INTEGER NOT NULL CHECK (a > 0), -- not CHECK (this)
            b TEXT CHECK (b IN ('check (', ')')),
            PRIMARY KEY (a)
        ) STRICT";
        assert_eq!(in_create_table(text), ["a > 0", "b in 'check (' , ')'"]);
    }
}

//! Checking what people type.

/// Why a text was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing was given.
    #[error("{field} is empty: fill it in")]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// More characters than fit.
    #[error("{field} has {length} characters, at most {most} fit: shorten it")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Characters given.
        length: usize,
        /// Characters that fit.
        most: usize,
    },
    /// A character that cannot be shown.
    #[error("{field} contains the control character U+{code:04X}: remove it")]
    Control {
        /// The field.
        field: &'static str,
        /// The character.
        code: u32,
    },
}

/// The text without space around it: not empty, at most `most` characters, one line.
pub fn line(field: &'static str, text: &str, most: usize) -> Result<String, TextError> {
    let text = optional_line(field, text, most)?;
    if text.is_empty() {
        Err(TextError::Empty { field })
    } else {
        Ok(text)
    }
}

/// Like [`line()`], but may be empty.
pub fn optional_line(field: &'static str, text: &str, most: usize) -> Result<String, TextError> {
    check(field, text.trim(), most, |c| c.is_control())
}

/// Like [`optional_line`], but may have several lines.
pub fn paragraph(field: &'static str, text: &str, most: usize) -> Result<String, TextError> {
    check(field, text.trim(), most, |c| {
        c.is_control() && !matches!(c, '\n' | '\r' | '\t')
    })
}

fn check(
    field: &'static str,
    text: &str,
    most: usize,
    bad: impl Fn(char) -> bool,
) -> Result<String, TextError> {
    let length = text.chars().count();
    if length > most {
        return Err(TextError::TooLong {
            field,
            length,
            most,
        });
    }
    if let Some(c) = text.chars().find(|c| bad(*c)) {
        return Err(TextError::Control {
            field,
            code: u32::from(c),
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{TextError, line, optional_line, paragraph};

    #[test]
    fn lines_are_trimmed_and_checked() {
        assert_eq!(line("x", " a b\u{a0}", 3).as_deref(), Ok("a b"));
        assert_eq!(line("x", " \t", 3), Err(TextError::Empty { field: "x" }));
        assert_eq!(optional_line("x", " ", 3).as_deref(), Ok(""));
        assert_eq!(
            line("x", "日本語", 3).as_deref(),
            Ok("日本語"),
            "characters, not bytes"
        );
        let long = TextError::TooLong {
            field: "x",
            length: 10_000,
            most: 3,
        };
        assert_eq!(line("x", &"é".repeat(10_000), 3), Err(long));
        for (bad, code) in [
            ("a\nb", 10),
            ("a\tb", 9),
            ("a\u{0}b", 0),
            ("a\u{85}b", 0x85),
        ] {
            let control = TextError::Control { field: "x", code };
            assert_eq!(optional_line("x", bad, 3), Err(control));
        }
    }

    #[test]
    fn paragraphs_may_have_lines() {
        assert_eq!(paragraph("x", "a\r\n\tb\n", 9).as_deref(), Ok("a\r\n\tb"));
        assert!(paragraph("x", "a\u{1b}[31m", 9).is_err());
    }
}

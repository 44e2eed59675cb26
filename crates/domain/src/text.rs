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
    /// More lines than fit.
    #[error("{field} has {length} lines, at most {most} fit: put some together")]
    TooManyLines {
        /// The field.
        field: &'static str,
        /// Lines given.
        length: usize,
        /// Lines that fit.
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
    /// None of the known words.
    #[error("{field} {text:?} is not known: choose one of {known}")]
    NotKnown {
        /// The field.
        field: &'static str,
        /// What was given.
        text: String,
        /// What could be.
        known: String,
    },
}

/// Makes an enum whose values have names, for columns, JSON and people.
macro_rules! named {
    (
        $(#[$doc:meta])* $type:ident, $field:literal {
            $($(#[$value_doc:meta])* $value:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $type {
            $($(#[$value_doc])* $value),+
        }

        impl $type {
            /// All of them.
            pub const ALL: &[$type] = &[$($type::$value),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$value => $name),+
                }
            }

            /// The one of a name.
            pub fn parse(name: &str) -> std::result::Result<Self, $crate::text::TextError> {
                let found = $type::ALL.iter().copied().find(|one| one.name() == name);
                found.ok_or_else(|| $crate::text::TextError::NotKnown {
                    field: $field,
                    text: name.chars().take(60).collect(),
                    known: [$($name),+].join(", "),
                })
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
        impl std::str::FromStr for $type {
            type Err = $crate::text::TextError;
            fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
                $type::parse(name)
            }
        }
        impl TryFrom<String> for $type {
            type Error = $crate::text::TextError;
            fn try_from(name: String) -> std::result::Result<Self, Self::Error> {
                $type::parse(&name)
            }
        }
        impl From<$type> for String {
            fn from(one: $type) -> String {
                one.name().to_owned()
            }
        }
    };
}
pub(crate) use named;

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

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

/// Like [`line`], but may be empty.
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

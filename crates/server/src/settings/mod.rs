//! The settings of a vendor as people and programs see them: every field of
//! [`scrip_domain::policy::Policy`] is one entry of [`SETTINGS`], with its words and its kind.
//!
//! The page `/staff/settings` and `/v1/vendor/policy` are made from this list. A field that is
//! added to the policy gets its entry here, and where it can be said, its effect in `effect.rs`; a
//! test compares the list with the policy.

pub mod effect;
mod list;
#[cfg(test)]
mod tests;
mod value;

use scrip_domain::policy::Policy;
use scrip_ledger::Asset;
use serde_json::Value;

pub use list::SETTINGS;
pub use value::{in_words, read, read_json, show, shown_json};

/// A word of a choice, and what it is called.
pub type Word = (&'static str, &'static str);

/// What a setting holds, and so how it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A number of tokens.
    Tokens,
    /// A number of tokens, or nothing.
    MaybeTokens,
    /// Money in the vendor's currency.
    Money,
    /// Money in the vendor's currency, or nothing.
    MaybeMoney,
    /// A whole number of something.
    Number(&'static str),
    /// A whole number of something, or nothing.
    MaybeNumber(&'static str),
    /// A line of text.
    Line,
    /// Several lines of text, which are one text.
    Text,
    /// A list of texts, one on each line.
    Lines,
    /// One of some words.
    One(&'static [Word]),
    /// Any of some words.
    Many(&'static [Word]),
    /// What has pages of its own; they are named, below `/staff`.
    #[allow(dead_code)] // Of the parts that follow.
    Elsewhere(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The field: `sale.stacking`. Also its name in forms.
    pub path: &'static str,
    /// The heading that it stands under.
    pub group: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What it does; may be empty.
    pub help: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// The two assets whose amounts settings hold.
#[derive(Clone, Debug)]
pub struct Assets {
    /// The vendor's token.
    pub token: Asset,
    /// Its currency.
    pub currency: Asset,
}

impl Assets {
    /// Those of a vendor.
    pub fn of(vendor: &scrip_domain::vendor::Vendor) -> Assets {
        Assets {
            token: vendor.token.clone(),
            currency: vendor.currency.clone(),
        }
    }
}

/// A policy as the tree of its fields.
pub fn tree(policy: &Policy) -> Value {
    serde_json::json!(policy)
}

/// The value of a field.
pub fn at<'a>(tree: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(tree, |value, name| &value[name])
}

/// Puts a value in the place of a field; a field that is not there stays away.
pub fn put(tree: &mut Value, path: &str, value: Value) {
    let pointer = format!("/{}", path.replace('.', "/"));
    if let Some(place) = tree.pointer_mut(&pointer) {
        *place = value;
    }
}

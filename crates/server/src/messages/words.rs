//! Messages in the reader's language, with figures and dates in the reader's format.
//!
//! The texts are in `locales/<language>/messages.ftl`, in the form of Project Fluent, so that a
//! translator can edit them without Rust.

use crate::web::view::format::decimals;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;
use scrip_domain::message::Language;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Asset, TOKEN_SCALE};
use std::sync::LazyLock;

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> =
    LazyLock::new(|| bundle("en", include_str!("../../locales/en/messages.ftl")));
static GERMAN: LazyLock<Bundle> =
    LazyLock::new(|| bundle("de", include_str!("../../locales/de/messages.ftl")));

fn bundle(language: &str, text: &str) -> Bundle {
    let tag = language.parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![tag]);
    // Marks around each value would show in plain mail.
    bundle.set_use_isolating(false);
    // What cannot be read is left out here and found by the test below.
    let read = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(part, _)| part);
    drop(bundle.add_resource(read));
    bundle
}

/// Values for the places in a text.
pub type Values<'a> = [(&'a str, FluentValue<'a>)];

/// How one reader is told things.
#[derive(Clone, Debug)]
pub struct Words {
    language: Language,
    zone: TimeZone,
}

impl Words {
    /// In a language, with times in a zone of the IANA database; UTC where there is no such zone.
    pub fn new(language: Language, zone: &str) -> Words {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        Words { language, zone }
    }

    /// The language's tag.
    pub fn tag(&self) -> &'static str {
        self.language.name()
    }

    /// A text with its values. One that does not exist is shown by its name.
    pub fn say(&self, id: &str, values: &Values<'_>) -> String {
        let bundle = match self.language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        };
        let Some(pattern) = bundle.get_message(id).and_then(|m| m.value()) else {
            tracing::error!(text = id, "a text of a message does not exist");
            return id.to_owned();
        };
        let args: FluentArgs<'_> = values.iter().map(|(n, v)| (*n, v.clone())).collect();
        let mut errors = Vec::new();
        bundle
            .format_pattern(pattern, Some(&args), &mut errors)
            .into_owned()
    }

    /// An amount of tokens: `1,234.5 tokens`, `1.234,5 Tokens`.
    pub fn tokens(&self, amount: Amount) -> String {
        let exact = amount.decimal(TOKEN_SCALE);
        let short = trimmed(&exact, 0);
        let count = FluentValue::try_number(&short);
        let amount = self.number(&exact, 0).into();
        self.say("tokens", &[("count", count), ("amount", amount)])
    }

    /// Money: `EUR 1,234.50`, `1.234,50 EUR`.
    pub fn money(&self, amount: Amount, currency: &Asset) -> String {
        let least = decimals(&currency.code);
        let number = self.number(&amount.decimal(currency.scale), least);
        let code = currency.code.clone();
        self.say(
            "money",
            &[("amount", number.into()), ("currency", code.into())],
        )
    }

    /// A number with the language's marks and at least so many decimals: `1,234.50`, `1.234,50`.
    pub fn number(&self, exact: &str, least: usize) -> String {
        let (thousands, point) = match self.language {
            Language::English => (',', '.'),
            Language::German => ('.', ','),
        };
        let text = trimmed(exact, least);
        let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |d| ("−", d));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push(thousands);
            }
            grouped.push(digit);
        }
        if part.is_empty() {
            format!("{sign}{grouped}")
        } else {
            format!("{sign}{grouped}{point}{part}")
        }
    }

    /// A day and a time: `21 November 2026, 14:02 UTC`, `21. November 2026, 15:02 Uhr (CET)`.
    pub fn moment(&self, at: Timestamp) -> String {
        let Ok(at) = jiff::Timestamp::from_microsecond(at.0) else {
            return String::new();
        };
        let local = at.to_zoned(self.zone.clone());
        let month = self.say(&format!("month-{}", local.month()), &[]);
        let number = |n: i16| FluentValue::from(n.to_string());
        self.say(
            "moment",
            &[
                ("day", number(local.day().into())),
                ("month", month.into()),
                ("year", number(local.year())),
                ("time", local.strftime("%H:%M").to_string().into()),
                ("zone", local.strftime("%Z").to_string().into()),
            ],
        )
    }
}

/// Without zeros at the end, but with at least so many decimals.
fn trimmed(exact: &str, least: usize) -> String {
    let (whole, part) = exact.split_once('.').unwrap_or((exact, ""));
    let mut part = part.trim_end_matches('0').to_owned();
    while part.len() < least {
        part.push('0');
    }
    if part.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{part}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
    use std::collections::{BTreeMap, BTreeSet};

    type Texts = BTreeMap<String, BTreeSet<String>>;

    fn variables(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            let PatternElement::Placeable { expression } = element else {
                continue;
            };
            let inline = match expression {
                Expression::Inline(inline) => inline,
                Expression::Select { selector, variants } => {
                    variants.iter().for_each(|v| variables(&v.value, found));
                    selector
                }
            };
            match inline {
                InlineExpression::VariableReference { id } => {
                    found.insert(id.name.to_owned());
                }
                other => panic!("{other:?} is not used in these files"),
            }
        }
    }

    fn texts(file: &str) -> Texts {
        let parsed = fluent_syntax::parser::parse(file).expect("the file can be read");
        let mut all = Texts::new();
        for entry in &parsed.body {
            if let Entry::Message(message) = entry {
                let mut found = BTreeSet::new();
                variables(message.value.as_ref().unwrap(), &mut found);
                let before = all.insert(message.id.name.to_owned(), found);
                assert!(before.is_none(), "{} is there twice", message.id.name);
            }
        }
        all
    }

    /// Issue 4, item 5: every language has the same texts with the same values.
    #[test]
    fn languages_have_the_same_texts() {
        let mut english = texts(include_str!("../../locales/en/messages.ftl"));
        let german = texts(include_str!("../../locales/de/messages.ftl"));
        assert!(english.len() > 40);
        assert_eq!(english, german);
        english.remove("why");
        assert_ne!(
            english, german,
            "the comparison sees a text that is missing"
        );
    }

    #[test]
    fn figures_are_in_the_readers_format() {
        let english = Words::new(Language::English, "UTC");
        let german = Words::new(Language::German, "Europe/Berlin");
        let units = |n: i64| Amount::from_units(n);
        for (amount, en, de) in [
            (units(1_234_500_000), "1,234.5 tokens", "1.234,5 Tokens"),
            (units(1_000_000), "1 token", "1 Token"),
            (units(1_500_000), "1.5 tokens", "1,5 Tokens"),
            (units(0), "0 tokens", "0 Tokens"),
            (
                units(1_234_567_000_001),
                "1,234,567.000001 tokens",
                "1.234.567,000001 Tokens",
            ),
            (units(-2_000_000), "−2 tokens", "−2 Tokens"),
        ] {
            assert_eq!(
                (
                    english.tokens(amount).as_str(),
                    german.tokens(amount).as_str()
                ),
                (en, de)
            );
        }
        let at = Timestamp::parse("2026-03-01T23:30:00Z").unwrap();
        assert_eq!(english.moment(at), "1 March 2026, 23:30 UTC");
        assert_eq!(german.moment(at), "2. März 2026, 00:30 Uhr (CET)");
        let nowhere = Words::new(Language::English, "Nowhere/At_All");
        assert_eq!(nowhere.moment(at), "1 March 2026, 23:30 UTC");
        assert_eq!(trimmed("1234.50000000", 2), "1234.50");
        assert_eq!(english.number("1234.5", 2), "1,234.50");
        assert_eq!(german.number("1234.5", 2), "1.234,50");
    }

    #[test]
    fn values_are_taken_as_they_are() {
        let english = Words::new(Language::English, "UTC");
        let odd = "{ $name } <b>\u{202e}";
        let said = english.say("greeting", &[("name", odd.into())]);
        assert_eq!(said, format!("Hello {odd},"));
    }
}

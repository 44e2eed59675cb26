//! Values of settings: typed by people, shown to them, and as the API has them.

use super::{Assets, Kind, SETTINGS, Setting, Word, at, put, tree};
use crate::web::view::format;
use scrip_domain::policy::Policy;
use scrip_ledger::{Amount, Asset};
use serde_json::{Value, json};

/// What stands in the field of a form.
pub fn show(kind: Kind, value: &Value, assets: &Assets) -> String {
    let amount = |asset: &Asset| {
        let units = value.as_i64();
        units.map_or_else(String::new, |u| Amount::from_units(u).decimal(asset.scale))
    };
    match kind {
        Kind::Tokens | Kind::MaybeTokens => amount(&assets.token),
        Kind::Money | Kind::MaybeMoney => amount(&assets.currency),
        Kind::Lines => texts(value).join("\n"),
        _ => match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        },
    }
}

fn texts(value: &Value) -> Vec<&str> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).collect()
}

fn word(words: &'static [Word], name: &str) -> String {
    let found = words.iter().find(|(word, _)| *word == name);
    found.map_or(name, |(_, label)| label).to_owned()
}

/// A value in words: `20 tokens`, `yes`, `card, check`.
pub fn in_words(kind: Kind, value: &Value, assets: &Assets) -> String {
    let some = |text: String| {
        if text.is_empty() {
            "nothing".to_owned()
        } else {
            text
        }
    };
    match (kind, value) {
        (Kind::Flag, value) => (if value == &json!(true) { "yes" } else { "no" }).to_owned(),
        (_, Value::Null) => "nothing".to_owned(),
        (Kind::Tokens | Kind::MaybeTokens, value) => {
            let units = value.as_i64().unwrap_or_default();
            format::tokens(Amount::from_units(units)).to_string()
        }
        (Kind::Money | Kind::MaybeMoney, value) => {
            let units = value.as_i64().unwrap_or_default();
            format::money(Amount::from_units(units), &assets.currency)
        }
        (Kind::Number(unit) | Kind::MaybeNumber(unit), value) => {
            format!("{} {unit}", show(kind, value, assets))
        }
        (Kind::One(words), Value::String(name)) => word(words, name),
        (Kind::Many(words), value) => {
            let all: Vec<_> = texts(value).into_iter().map(|n| word(words, n)).collect();
            some(all.join(", "))
        }
        (Kind::Lines, value) => some(texts(value).join(" / ")),
        (kind, value) => some(show(kind, value, assets)),
    }
}

/// What was typed, as the policy has it; or what is wrong with it. `typed` are all values that a
/// form sent under the name of the setting.
pub fn read(kind: Kind, typed: &[&str], assets: &Assets) -> Result<Value, String> {
    let first = typed.first().copied().unwrap_or_default().trim();
    let amount = |asset: &Asset| {
        Amount::parse(first, asset.scale)
            .map(|amount| json!(amount))
            .map_err(|e| crate::error::sentence(&e.to_string()))
    };
    let number = || {
        first
            .parse::<i64>()
            .map(|n| json!(n))
            .map_err(|_| "Write a whole number, digits only.".to_owned())
    };
    match kind {
        Kind::Flag => Ok(json!(!typed.is_empty())),
        Kind::MaybeTokens | Kind::MaybeMoney | Kind::MaybeNumber(_) if first.is_empty() => {
            Ok(Value::Null)
        }
        Kind::Tokens | Kind::MaybeTokens => amount(&assets.token),
        Kind::Money | Kind::MaybeMoney => amount(&assets.currency),
        Kind::Number(_) | Kind::MaybeNumber(_) => number(),
        Kind::Line => Ok(json!(first)),
        Kind::Text => Ok(json!(first.replace("\r\n", "\n"))),
        Kind::Lines => {
            let lines = first.lines().map(str::trim).filter(|line| !line.is_empty());
            Ok(json!(lines.collect::<Vec<_>>()))
        }
        Kind::One(words) => match words.iter().find(|(word, _)| *word == first) {
            Some((word, _)) => Ok(json!(word)),
            None => Err("Choose one of these.".to_owned()),
        },
        Kind::Many(words) => {
            let known = |name: &&str| words.iter().any(|(word, _)| word == name);
            if typed.iter().all(known) {
                Ok(json!(typed))
            } else {
                Err("Choose among these.".to_owned())
            }
        }
        Kind::Elsewhere(_) => Err("This has a page of its own.".to_owned()),
    }
}

/// The policy as the API shows it: amounts are decimals.
pub fn shown_json(policy: &Policy, assets: &Assets) -> Value {
    let mut shown = tree(policy);
    let held = shown.clone();
    for setting in SETTINGS {
        let value = at(&held, setting.path);
        if is_amount(setting.kind) && !value.is_null() {
            let text = show(setting.kind, value, assets);
            put(&mut shown, setting.path, json!(text));
        }
    }
    shown
}

fn is_amount(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Tokens | Kind::MaybeTokens | Kind::Money | Kind::MaybeMoney
    )
}

/// The policy of a document of the API, over the one that holds: what is left out stays. Unknown
/// names are refused.
pub fn read_json(held: &Policy, document: &Value, assets: &Assets) -> Result<Policy, String> {
    let mut new = tree(held);
    merge(&mut new, document, "", assets)?;
    serde_json::from_value(new).map_err(|e| format!("the policy cannot be taken: {e}"))
}

fn merge(new: &mut Value, given: &Value, path: &str, assets: &Assets) -> Result<(), String> {
    let Value::Object(given) = given else {
        return Err(format!("{path:?} is an object of settings"));
    };
    for (name, value) in given {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let Some(place) = new.get_mut(name) else {
            let shown: String = path.chars().take(60).collect();
            return Err(format!("there is no setting {shown:?}"));
        };
        let setting: Option<&Setting> = SETTINGS.iter().find(|s| s.path == path);
        match setting {
            Some(setting) if is_amount(setting.kind) && !value.is_null() => {
                let text = value.as_str();
                let text =
                    text.ok_or_else(|| format!("{path}: an amount is a text like \"1.5\""))?;
                *place = read(setting.kind, &[text], assets).map_err(|e| format!("{path}: {e}"))?;
            }
            Some(_) => *place = value.clone(),
            None if place.is_object() => merge(place, value, &path, assets)?,
            None => *place = value.clone(),
        }
    }
    Ok(())
}

//! The list against the policy.

use super::{Assets, Kind, SETTINGS, at, put, read, read_json, show, shown_json, tree};
use scrip_domain::policy::Policy;
use scrip_ledger::{Asset, AssetKind, CURRENCY_SCALE, TOKEN_SCALE};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn assets() -> Assets {
    let asset = |asset_id, kind, code: &str, scale| Asset {
        asset_id,
        kind,
        code: code.to_owned(),
        scale,
        book_id: None,
    };
    Assets {
        token: asset(1, AssetKind::Token, "CLUB.TOKEN", TOKEN_SCALE),
        currency: asset(2, AssetKind::Currency, "USD", CURRENCY_SCALE),
    }
}

fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                // What has pages of its own is one setting, whatever it is made of.
                if SETTINGS.iter().any(|s| s.path == path) {
                    found.insert(path);
                } else {
                    paths(value, &path, found);
                }
            }
        }
        _ => drop(found.insert(path.to_owned())),
    }
}

/// Every field of the policy has its entry, and every entry its field.
#[test]
fn every_field_is_a_setting() {
    let mut fields = BTreeSet::new();
    paths(&tree(&Policy::default()), "", &mut fields);
    let listed: BTreeSet<_> = SETTINGS.iter().map(|s| s.path.to_owned()).collect();
    assert_eq!(listed.len(), SETTINGS.len(), "each once");
    let missing: Vec<_> = fields.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "give these an entry in settings/list.rs: {missing:?}"
    );
    let left_over: Vec<_> = listed.difference(&fields).collect();
    assert!(
        left_over.is_empty(),
        "no such fields of the policy: {left_over:?}"
    );
    let groups: Vec<_> = SETTINGS.iter().map(|s| s.group).collect();
    let mut apart = groups.clone();
    apart.dedup();
    let names: BTreeSet<_> = groups.into_iter().collect();
    assert_eq!(
        apart.len(),
        names.len(),
        "those of one group stand together"
    );
}

/// What is shown can be typed, and means the same.
#[test]
fn shown_values_read_back() {
    let assets = assets();
    let held = tree(&Policy::default());
    for setting in SETTINGS {
        let value = at(&held, setting.path);
        let typed: Vec<String> = match setting.kind {
            Kind::Elsewhere(_) => continue,
            Kind::Flag if value == &json!(false) => Vec::new(),
            Kind::Many(_) => serde_json::from_value(value.clone()).unwrap(),
            kind => vec![show(kind, value, &assets)],
        };
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        let back = read(setting.kind, &typed, &assets);
        assert_eq!(back.as_ref(), Ok(value), "{}", setting.path);
    }
}

#[test]
fn the_api_has_decimals_and_refuses_what_it_does_not_know() {
    let assets = assets();
    let mut policy = Policy::default();
    policy.browsing.threshold = Some(scrip_ledger::Amount::from_units(2_500_000));
    let shown = shown_json(&policy, &assets);
    assert_eq!(shown["browsing"]["threshold"], "2.5");
    assert_eq!(
        read_json(&Policy::default(), &shown, &assets),
        Ok(policy.clone())
    );
    let part = json!({"sale": {"stacking": true}});
    let read = read_json(&policy, &part, &assets).unwrap();
    assert!(read.sale.stacking);
    assert_eq!(read.browsing, policy.browsing, "what is left out stays");
    for wrong in [
        json!({"nonsense": 1}),
        json!({"sale": {"nonsense": 1}}),
        json!({"sale": 1}),
        json!({"browsing": {"threshold": 2.5}}),
        json!({"browsing": {"threshold": "x"}}),
        json!({"sale": {"life_days": "x"}}),
        json!([]),
    ] {
        assert!(read_json(&policy, &wrong, &assets).is_err(), "{wrong}");
    }
}

#[test]
fn a_place_that_is_not_there_stays_away() {
    let mut tree = json!({"a": {"b": 1}});
    put(&mut tree, "a.c", json!(2));
    put(&mut tree, "a.b", json!(3));
    assert_eq!(tree, json!({"a": {"b": 3}}));
}

//! Settings that can and cannot be.

use super::rules::checked;
use super::{Means, Policy, changes};
use scrip_ledger::Amount;
use serde_json::json;

#[test]
fn what_is_missing_in_an_older_version_has_its_default() {
    let old: Policy = serde_json::from_str(r#"{"sale": {"stacking": true}}"#).unwrap();
    let mut expected = Policy::default();
    expected.sale.stacking = true;
    assert_eq!(old, expected);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    assert_eq!(checked(&Policy::default()).unwrap(), Policy::default());
    type Change = fn(&mut Policy);
    let wrong: [(&str, Change); 8] = [
        ("seconds", |p| p.registration.unfinished_s = 0),
        ("opening tokens", |p| {
            p.registration.opening_fee = Amount::from_units(1);
        }),
        ("below zero", |p| {
            p.registration.opening_tokens = Amount::from_units(-1);
        }),
        ("at least one", |p| p.registration.means_online.clear()),
        ("counter", |p| p.registration.means_online.push(Means::Cash)),
        ("days", |p| p.sale.life_days = Some(0)),
        ("below zero", |p| {
            p.browsing.threshold = Some(Amount::from_units(-1));
        }),
        ("question", |p| {
            p.registration.questions = vec!["?".into(); 6];
        }),
    ];
    for (said, change) in wrong {
        let mut policy = Policy::default();
        change(&mut policy);
        let error = checked(&policy).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn changes_name_what_differs_and_nothing_else() {
    let from = Policy::default();
    assert!(changes(&from, &from).is_empty());
    let mut to = from.clone();
    to.sale.stacking = true;
    to.registration.means_offline = vec![Means::Check];
    let found = changes(&from, &to);
    assert_eq!(found.len(), 2);
    assert_eq!(found["sale.stacking"], json!({"from": false, "to": true}));
    let means = &found["registration.means_offline"]["to"];
    assert_eq!(means, &json!(["check"]));
}

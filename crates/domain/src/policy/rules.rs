//! Pure decisions about settings.

use super::{
    CheckoutPolicy, ContactPolicy, GiftPolicy, Means, Policy, PolicyError, Result, SalePolicy,
    TaxPolicy,
};
use crate::tax::TaxRate;
use crate::text;
use crate::vendor::TOKENS_AT_MOST;
use scrip_ledger::Amount;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn wrong(setting: &'static str, problem: impl Into<String>) -> PolicyError {
    PolicyError::Setting {
        setting,
        problem: problem.into(),
    }
}

fn within(setting: &'static str, value: i64, least: i64, most: i64, unit: &str) -> Result<()> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(wrong(setting, format!("is {least} to {most} {unit}")))
    }
}

fn not_negative(setting: &'static str, amount: Amount) -> Result<()> {
    if amount < Amount::ZERO {
        return Err(wrong(setting, "cannot be below zero"));
    }
    Ok(())
}

/// Questions that a vendor asks at most.
const QUESTIONS_AT_MOST: usize = 5;

/// The policy with its texts trimmed, or what is wrong with it.
pub(super) fn checked(policy: &Policy) -> Result<Policy> {
    let mut policy = policy.clone();
    let registration = &mut policy.registration;
    within(
        "the time for unfinished registrations",
        registration.unfinished_s,
        60,
        30 * 24 * 3600,
        "seconds",
    )?;
    not_negative("the number of opening tokens", registration.opening_tokens)?;
    not_negative("the registration fee", registration.opening_fee)?;
    if registration.opening_fee.is_positive() && registration.opening_tokens.is_zero() {
        return Err(wrong(
            "the registration fee",
            "needs opening tokens that it pays for: set how many",
        ));
    }
    for (setting, means) in [
        (
            "the means of payment on line",
            &mut registration.means_online,
        ),
        (
            "the means of payment off line",
            &mut registration.means_offline,
        ),
    ] {
        means.sort();
        means.dedup();
        if means.is_empty() {
            return Err(wrong(setting, "cannot be empty: allow at least one"));
        }
    }
    if registration.means_online.contains(&Means::Cash) {
        return Err(wrong(
            "the means of payment on line",
            "cannot have cash: cash is paid at the counter",
        ));
    }
    if registration.questions.len() > QUESTIONS_AT_MOST {
        return Err(wrong(
            "the number of questions",
            format!("is {QUESTIONS_AT_MOST} at most"),
        ));
    }
    for question in &mut registration.questions {
        *question = text::line("a question", question, 200)?;
    }
    registration.step_up.sort();
    registration.step_up.dedup();
    if let Some(days) = policy.sale.life_days {
        within("the life of tokens", days, 1, 36_500, "days")?;
    }
    sale_checked(&mut policy.sale)?;
    gifts_checked(&policy.gifts)?;
    if let Some(threshold) = policy.browsing.threshold {
        not_negative("the threshold", threshold)?;
        if threshold > TOKENS_AT_MOST {
            return Err(wrong("the threshold", "is more than anybody can have"));
        }
    }
    checkout_checked(&policy.checkout)?;
    tax_checked(&mut policy.tax)?;
    policy.browsing.below.sort();
    policy.browsing.below.dedup();
    if let Some(low) = policy.messages.low_balance {
        not_negative("the low balance", low)?;
    }
    within(
        "the notice before tokens expire",
        policy.messages.expiry_notice_days,
        0,
        365,
        "days",
    )?;
    contact(&mut policy.contact)?;
    policy.time_zone = text::line("the time zone", &policy.time_zone, 60)?;
    Ok(policy)
}

/// Rates that a vendor has at most.
const RATES_AT_MOST: usize = 20;

fn tax_checked(tax: &mut TaxPolicy) -> Result<()> {
    const SETTING: &str = "the rates of tax";
    if tax.rates.len() > RATES_AT_MOST {
        return Err(wrong(SETTING, format!("are {RATES_AT_MOST} at most")));
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for text in &mut tax.rates {
        let rate = TaxRate::parse(text);
        let rate = rate.map_err(|e| wrong(SETTING, format!("cannot have {text:?}: {e}")))?;
        let is_for_all = rate.categories.is_empty();
        let all = is_for_all.then(String::new);
        for category in rate.categories.iter().cloned().chain(all) {
            if !seen.insert(category.clone()) {
                let twice = match is_for_all {
                    true => "have two for all that is not named: name categories after a colon",
                    false => return Err(wrong(SETTING, format!("name {category:?} twice"))),
                };
                return Err(wrong(SETTING, twice));
            }
        }
        *text = rate.to_string();
    }
    Ok(())
}

fn gifts_checked(gifts: &GiftPolicy) -> Result<()> {
    if let Some(days) = gifts.life_days {
        within("the life of given tokens", days, 1, 36_500, "days")?;
    }
    not_negative(
        "the number of tokens that earn a reward",
        gifts.loyalty_every,
    )?;
    not_negative("the reward", gifts.loyalty_tokens)?;
    within(
        "the wait for a reward",
        gifts.loyalty_after_days,
        0,
        365,
        "days",
    )?;
    within(
        "the rate of the gift to balances",
        gifts.interest_rate,
        0,
        10_000,
        "basis points",
    )?;
    within(
        "the period of the gift to balances",
        gifts.interest_days,
        1,
        366,
        "days",
    )?;
    within("the idle time", gifts.interest_idle_days, 0, 3_660, "days")
}

fn checkout_checked(checkout: &CheckoutPolicy) -> Result<()> {
    within(
        "the time that pieces are reserved",
        checkout.reserve_minutes,
        0,
        24 * 60,
        "minutes",
    )?;
    within(
        "the number of pieces reserved for one customer",
        checkout.reserve_pieces,
        1,
        1_000,
        "pieces",
    )
}

fn sale_checked(sale: &mut SalePolicy) -> Result<()> {
    sale.credit_check.sort();
    sale.credit_check.dedup();
    if let Some(limit) = sale.credit_limit {
        not_negative("the credit limit", limit)?;
    }
    within("the time to pay", sale.due_days, 0, 365, "days")?;
    sale.payment_address = text::paragraph("the payment address", &sale.payment_address, 500)?;
    sale.payment_account = text::paragraph("the payment account", &sale.payment_account, 500)?;
    Ok(())
}

/// How customers reach the vendor: lines and paragraphs, an address that can be one.
fn contact(contact: &mut ContactPolicy) -> Result<()> {
    contact.email = text::optional_line("the e-mail address", &contact.email, 200)?;
    if !contact.email.is_empty() && !contact.email.contains('@') {
        return Err(wrong(
            "the e-mail address",
            "has an @, for example shop@example.com",
        ));
    }
    contact.phone = text::optional_line("the telephone number", &contact.phone, 60)?;
    contact.address = text::paragraph("the postal address", &contact.address, 500)?;
    Ok(())
}

/// What differs: `{"sale.stacking": {"from": false, "to": true}}`.
pub fn changes(from: &Policy, to: &Policy) -> Map<String, Value> {
    let mut found = Map::new();
    let (from, to) = (json!(from), json!(to));
    compare("", &from, &to, &mut found);
    found
}

fn compare(path: &str, from: &Value, to: &Value, found: &mut Map<String, Value>) {
    if let (Value::Object(from), Value::Object(to)) = (from, to) {
        for (name, new) in to {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            compare(&path, from.get(name).unwrap_or(&Value::Null), new, found);
        }
    } else if from != to {
        found.insert(path.to_owned(), json!({"from": from, "to": to}));
    }
}

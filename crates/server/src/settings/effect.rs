//! What a setting does, in words with figures: said beside it.

use super::{Assets, at};
use crate::web::view::format::{count, counted, money, tokens};
use scrip_domain::catalog::reservation::PERIODS;
use scrip_domain::customer::{CustomerError, customer_balance, customer_by_id, customers};
use scrip_domain::tax::{TaxRate, contained, label, to_hundredths};
use scrip_domain::vendor::money_for_tokens;
use scrip_engine::{ReadTx, Timestamp};
use scrip_ledger::{Amount, Rounding};
use serde_json::Value;

/// Accounts that are looked at: a page must not walk through all of them.
pub const LOOKED_AT: usize = 200;

/// What effects are told by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The balances of accounts that were looked at.
    pub balances: Vec<Amount>,
    /// True when those are all accounts.
    pub is_all: bool,
    /// The price of a token.
    pub token_price: Amount,
    /// The time.
    pub now: Timestamp,
}

impl Facts {
    /// Looks at accounts.
    pub fn look(
        tx: &mut ReadTx<'_>,
        book: i64,
        token_price: Amount,
    ) -> Result<Facts, CustomerError> {
        use scrip_engine::Read;
        let page = customers(tx, book, None, LOOKED_AT)?;
        let mut balances = Vec::with_capacity(page.items.len());
        for summary in &page.items {
            let customer = customer_by_id(tx, book, summary.customer_id)?;
            balances.push(customer_balance(tx, &customer)?);
        }
        Ok(Facts {
            balances,
            is_all: page.next.is_none(),
            token_price,
            now: tx.now(),
        })
    }

    /// `12 of 40 customers`, or of those looked at.
    pub fn below(&self, least: Amount) -> String {
        let below = self.balances.iter().filter(|b| **b < least).count();
        let all = self.balances.len();
        let number = |n: usize| count(i64::try_from(n).unwrap_or(i64::MAX));
        if self.is_all {
            format!("{} of {} customers", number(below), number(all))
        } else {
            let text = "customers that were looked at";
            format!("{} of the {} {text}", number(below), number(all))
        }
    }
}

/// What an order costs by card.
fn by_card(is_on: bool, facts: &Facts, assets: &Assets) -> String {
    let hundred = 10_i64.checked_pow(assets.token.scale.saturating_add(2));
    let hundred = Amount::from_units(hundred.unwrap_or(i64::MAX));
    let price = money_for_tokens(hundred, facts.token_price, &assets.token, Rounding::Up);
    match (is_on, price) {
        (true, Ok(price)) => format!(
            "An order of 100 tokens costs {} by card now, and no tokens.",
            money(price, &assets.currency)
        ),
        (true, Err(_)) => String::new(),
        (false, _) => "Orders are paid with tokens alone.".to_owned(),
    }
}

/// The day that lies so many days ahead.
fn day_ahead(now: Timestamp, days: i64) -> String {
    let at = now.plus_seconds(days.saturating_mul(24 * 3600));
    crate::web::view::When::day(at).words
}

/// What the value of a setting does; empty where there is nothing to say beyond its words. `tree`
/// is the whole policy, of which settings may depend on one another.
pub fn effect(path: &str, tree: &Value, facts: &Facts, assets: &Assets) -> String {
    let value = at(tree, path);
    let amount = value.as_i64().map(Amount::from_units);
    match path {
        "browsing.threshold" => match amount {
            Some(least) => format!("{} have fewer now and cannot order.", facts.below(least)),
            None => "It follows the prices of the shop.".to_owned(),
        },
        "sale.due_days" => match value.as_i64() {
            Some(days) => format!("Accepted today: due on {}.", day_ahead(facts.now, days)),
            None => String::new(),
        },
        "messages.low_balance" => match amount {
            Some(least) => format!("{} are below this now.", facts.below(least)),
            None => "Nobody is told.".to_owned(),
        },
        "registration.opening_tokens" => opening(amount.unwrap_or_default(), facts, assets),
        "registration.opening_fee" => fee(amount.unwrap_or_default(), tree, facts, assets),
        "registration.unfinished_s" => minutes(value.as_i64().unwrap_or_default()),
        "registration.step_up" => {
            let has_none = |path| at(tree, path).as_array().is_none_or(Vec::is_empty);
            match (has_none(path), has_none("registration.questions")) {
                (true, _) => "Being signed in is enough for everything.".to_owned(),
                (false, true) => "There is no question to ask: write one above.".to_owned(),
                (false, false) => String::new(),
            }
        }
        "sale.life_days" => match value.as_i64() {
            Some(days) => format!("Tokens bought today end on {}.", day_ahead(facts.now, days)),
            None => "Bought tokens never end.".to_owned(),
        },
        "gifts.interest_rate" => idle(value.as_i64().unwrap_or_default(), tree, assets),
        "messages.expiry_notice_days" => match value.as_i64() {
            Some(days) if days > 0 => format!(
                "Told today: whose tokens end by {}.",
                day_ahead(facts.now, days)
            ),
            _ => "Nobody is told.".to_owned(),
        },
        "checkout.card" => by_card(value.as_bool() == Some(true), facts, assets),
        "checkout.cash_shown" => {
            let price = money(facts.token_price, &assets.currency);
            match value.as_bool() {
                Some(true) => format!("Customers see prices in money too, at {price} a token."),
                _ => "Customers see prices in tokens alone.".to_owned(),
            }
        }
        "promotions.stacking" => match value.as_bool() {
            Some(true) => "Two promotions of 10 % each take 20 % off.".to_owned(),
            _ => "Of two promotions of 10 % each, one takes 10 % off.".to_owned(),
        },
        "promotions.uses_back" => match value.as_bool() {
            Some(true) => "A code that is good once can be used again then.".to_owned(),
            _ => "A code that was used stays used, whatever becomes of the order.".to_owned(),
        },
        "tax.rates" => taxes(value, assets),
        "checkout.reserve_minutes" => reserving(value.as_i64().unwrap_or_default()),
        "time_zone" => local(value.as_str().unwrap_or_default(), facts.now),
        _ => String::new(),
    }
}

/// What is shown of 100 tokens, at the first rate.
fn taxes(rates: &Value, assets: &Assets) -> String {
    let first = rates.as_array().and_then(|rates| rates.first());
    let Some(Ok(rate)) = first.and_then(Value::as_str).map(TaxRate::parse) else {
        return "No tax is shown anywhere.".to_owned();
    };
    let hundred = 10_i64.checked_pow(assets.token.scale.saturating_add(2));
    let hundred = Amount::from_units(hundred.unwrap_or(i64::MAX));
    match contained(hundred, rate.rate) {
        Ok(tax) => format!(
            "Of 100 tokens, {} are {}.",
            tokens(to_hundredths(tax, assets.token.scale).unwrap_or(tax)),
            label(&rate.name, rate.rate)
        ),
        Err(_) => String::new(),
    }
}

fn opening(given: Amount, facts: &Facts, assets: &Assets) -> String {
    if given.is_zero() {
        return "A new account begins with nothing.".to_owned();
    }
    let worth = money_for_tokens(given, facts.token_price, &assets.token, Rounding::Down);
    let worth = worth.map_or_else(
        |_| String::new(),
        |m| format!(", {}", money(m, &assets.currency)),
    );
    format!("Each new account begins with {}{worth}.", tokens(given))
}

fn fee(fee: Amount, tree: &Value, facts: &Facts, assets: &Assets) -> String {
    let given = at(tree, "registration.opening_tokens").as_i64();
    let given = Amount::from_units(given.unwrap_or_default());
    let worth = money_for_tokens(given, facts.token_price, &assets.token, Rounding::Down);
    match worth {
        _ if fee.is_zero() => "Opening an account costs nothing.".to_owned(),
        Ok(worth) => format!(
            "The tokens of a new account are worth {} at today's price.",
            money(worth, &assets.currency)
        ),
        Err(_) => String::new(),
    }
}

fn idle(rate: i64, tree: &Value, assets: &Assets) -> String {
    let days = at(tree, "gifts.interest_days").as_i64().unwrap_or_default();
    let thousand = Amount::parse("1000", assets.token.scale).unwrap_or_default();
    match thousand.ratio(rate, 10_000, Rounding::Down) {
        _ if rate == 0 => "Balances earn nothing by themselves.".to_owned(),
        Ok(given) => format!(
            "1,000 tokens that lie idle earn {} every {}.",
            tokens(given),
            counted(days, "day", "days")
        ),
        Err(_) => String::new(),
    }
}

fn reserving(minutes: i64) -> String {
    if minutes == 0 {
        return "The last pieces go to whoever confirms first.".to_owned();
    }
    let span = |minutes: i64| counted(minutes, "minute", "minutes");
    format!(
        "Others cannot buy them for {}. A change of the list renews it, for {} in all; then they \
         are free for {}.",
        span(minutes),
        span(minutes.saturating_mul(PERIODS)),
        span(minutes)
    )
}

fn minutes(seconds: i64) -> String {
    let whole = seconds / 60;
    match whole {
        ..1 => String::new(),
        1..120 => format!("That is {}.", counted(whole, "minute", "minutes")),
        120..2880 => format!("That is {}.", counted(whole / 60, "hour", "hours")),
        _ => format!("That is {}.", counted(whole / 1440, "day", "days")),
    }
}

fn local(zone: &str, now: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(now.0);
    match (at, jiff::tz::TimeZone::get(zone)) {
        (Ok(at), Ok(zone)) => format!("It is {} there now.", at.to_zoned(zone).strftime("%H:%M")),
        (_, Err(_)) => "No such time zone is known: times are shown in UTC.".to_owned(),
        _ => String::new(),
    }
}

//! A line of the audit trail as a sentence, with what it changed from what to what. What is not
//! known here falls back to its name and a tidy list of its details.

use super::super::super::account::moves::words_of;
use super::super::super::view::When;
use super::super::super::view::format::{counted, money, tokens};
use crate::settings::{Assets, SETTINGS, in_words};
use scrip_domain::Amount;
use scrip_engine::Timestamp;
use serde_json::{Map, Value};

/// A detail that changed, or that stands beside the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is.
    pub name: String,
    /// What it was; empty where nothing was before.
    pub from: String,
    /// What it is now.
    pub to: String,
}

/// A line in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What was done, as a sentence without its full stop.
    pub what: String,
    /// The details.
    pub changes: Vec<Change>,
}

impl Said {
    /// All of it on one line, for files.
    pub fn line(&self) -> String {
        let one = |c: &Change| match (c.name.is_empty(), c.from.is_empty()) {
            (true, _) => format!("{} → {}", c.from, c.to),
            (false, true) => format!("{}: {}", c.name, c.to),
            (false, false) => format!("{}: {} → {}", c.name, c.from, c.to),
        };
        let changes: Vec<_> = self.changes.iter().map(one).collect();
        match changes.is_empty() {
            true => self.what.clone(),
            false => format!("{}. {}", self.what, changes.join("; ")),
        }
    }
}

/// The details of a line, to be read.
struct Detail<'a> {
    fields: &'a Map<String, Value>,
    assets: &'a Assets,
}

impl Detail<'_> {
    fn text(&self, name: &str) -> String {
        self.fields.get(name).map_or_else(String::new, plain)
    }

    fn is(&self, name: &str) -> bool {
        self.fields.get(name) == Some(&Value::Bool(true))
    }

    /// Tokens that are kept in their smallest unit.
    fn units(&self, name: &str) -> Amount {
        let units = self.fields.get(name).and_then(Value::as_i64);
        Amount::from_units(units.unwrap_or_default())
    }

    /// Tokens that are kept as a decimal number.
    fn tokens(&self, name: &str) -> String {
        match Amount::parse(&self.text(name), self.assets.token.scale) {
            Ok(amount) => tokens(amount).to_string(),
            Err(_) => self.text(name),
        }
    }

    /// Money that is kept as a decimal number.
    fn money(&self, name: &str) -> String {
        match Amount::parse(&self.text(name), self.assets.currency.scale) {
            Ok(amount) => money(amount, &self.assets.currency),
            Err(_) => self.text(name),
        }
    }

    fn time(&self, name: &str) -> Option<String> {
        let at = self.fields.get(name).and_then(Value::as_i64)?;
        Some(When::minute(Timestamp(at)).words)
    }
}

/// A line in words. `detail` is what was noted with it.
pub fn said(action: &str, detail: &Value, assets: &Assets) -> Said {
    let nothing = Map::new();
    let fields = detail.as_object().unwrap_or(&nothing);
    let read = Detail { fields, assets };
    let known = people(action, &read)
        .or_else(|| goods(action, &read))
        .or_else(|| paid(action, &read))
        .or_else(|| office(action, &read))
        .or_else(|| sent(action))
        .or_else(|| abroad(action));
    if let Some(what) = known {
        let mut all = changes(fields, assets);
        if sent(action).is_some() || abroad(action).is_some() {
            all.extend(others(fields));
        }
        return Said { what, changes: all };
    }
    let noun_verb = action.split_once('.');
    let what = noun_verb.map_or_else(
        || words_of(action),
        |(noun, verb)| format!("{}: {}", words_of(noun), words_of(verb).to_lowercase()),
    );
    let mut all = changes(fields, assets);
    all.extend(others(fields));
    Said { what, changes: all }
}

/// The details that are no changes, each by its name.
fn others(fields: &Map<String, Value>) -> Vec<Change> {
    let plain = fields
        .iter()
        .filter(|(name, value)| !is_change(value) && !matches!(name.as_str(), "from" | "to"));
    plain
        .map(|(name, value)| Change {
            name: words_of(name),
            from: String::new(),
            to: value_of(name, value),
        })
        .collect()
}

/// Customers, families, and the tokens that staff give or take.
fn people(action: &str, d: &Detail<'_>) -> Option<String> {
    let plain = match action {
        "customer.registered" => return Some(format!("Opened an account, {}", d.text("channel"))),
        "customer.adjusted" => {
            let amount = d.units("amount");
            return Some(if amount.is_positive() {
                format!("Gave {}", tokens(amount))
            } else {
                let amount = amount.negated().unwrap_or(amount);
                format!("Took back {}", tokens(amount))
            });
        }
        "customer.merged" => {
            let came = tokens(d.units("tokens"));
            return Some(format!("Merged a duplicate into the account, with {came}"));
        }
        "tokens.given" => return Some(format!("Gave {} as a gift", d.tokens("tokens"))),
        "family.funded" => {
            let moved = tokens(d.units("amount"));
            return Some(format!("Moved {moved} from the parent to the child"));
        }
        "customer.answers" => "Set the answers to the questions anew",
        "customer.checked" => "Checked who the customer is",
        "customer.closed" => "Closed the account",
        "customer.erased" => "Erased the person",
        "customer.person" => "Changed the details of the person",
        "customer.pin" => "Changed the PIN",
        "customer.pin_code_made" => "Made a code for a new PIN",
        "customer.standing" => "Changed what the shop thinks of the customer",
        "family.linked" => "Made the account a child of a parent's",
        "family.ended" => "Ended a family",
        "family.limits" => "Set what the child may spend",
        "top_up.set" => "Set up buying tokens by itself",
        "top_up.off" => "Stopped buying tokens by itself",
        "card.removed" => "Took a card off the account",
        _ => return None,
    };
    Some(plain.to_owned())
}

/// Products, stock, imports, orders.
fn goods(action: &str, d: &Detail<'_>) -> Option<String> {
    let entered = if d.is("new") { "Entered" } else { "Changed" };
    if let Some(step) = action.strip_prefix("catalogue.import_") {
        let file = d.text("file");
        return Some(match step {
            "applying" => format!("Entered the import of {file}"),
            "undoing" => format!("Undid the import of {file}"),
            other => format!("The import of {file}: {}", other.replace('_', " ")),
        });
    }
    Some(match action {
        "catalogue.product" => format!("{entered} the product {}", d.text("handle")),
        "catalogue.offer" => {
            let price = tokens(d.units("price"));
            let sale = if d.is("active") { "" } else { ", not for sale" };
            format!("{entered} the offer {} at {price}{sale}", d.text("sku"))
        }
        "catalogue.sale" if d.is("for_sale") => format!("Put {} up for sale", d.text("handle")),
        "catalogue.sale" => format!("Took {} off the shelves", d.text("handle")),
        "catalogue.stock" => {
            let (had, has) = (d.text("had"), d.text("has"));
            format!("Corrected the stock from {had} to {has}")
        }
        "catalogue.image_added" => "Added a picture".to_owned(),
        "catalogue.image_changed" => "Changed a picture".to_owned(),
        "catalogue.image_removed" => "Took a picture away".to_owned(),
        "order.refunded" => format!("Gave {} back for an order", d.tokens("tokens")),
        "order.refund_declined" => "Declined a refund".to_owned(),
        _ => return None,
    })
}

/// Prices, payments, the books.
fn paid(action: &str, d: &Detail<'_>) -> Option<String> {
    let reference = d.text("reference");
    let token_order = |what: &str| format!("{what} the token order {reference}");
    Some(match action {
        "token_price.set" => {
            let from = d.time("effective_at").or_else(|| d.time("from"));
            let from = from.map_or_else(String::new, |at| format!(" from {at}"));
            let country = d.text("country");
            let place = match country.as_str() {
                "" | "none" => String::new(),
                country => format!(" in {country}"),
            };
            match d.text("price").as_str() {
                "none" => format!("Took away the price of a token{place}{from}"),
                _ => format!(
                    "Set the price of a token{place} to {}{from}",
                    d.money("price")
                ),
            }
        }
        "token_tiers.changed" => "Changed the tiers of the token's price".to_owned(),
        "pack.created" => "Made a pack of tokens".to_owned(),
        "pack.changed" => "Changed a pack of tokens".to_owned(),
        "pack.withdrawn" => format!("Took the pack {} off sale", d.text("name")),
        "token_order.opened" => token_order("Took"),
        "token_order.awaiting" => token_order("Accepted"),
        "token_order.paid" => token_order("Entered a part payment of"),
        "token_order.cleared" => token_order("Entered the payment of"),
        "token_order.failed" => token_order("Failed"),
        "token_order.cancelled" => token_order("Cancelled"),
        "payback.asked" => format!("Asked the card processor to pay {} back", d.text("amount")),
        "payback.refused" => format!("The card processor did not pay back: {}", d.text("reason")),
        "payback.settled" => match d.text("way").as_str() {
            "other" => format!("Noted that {} was paid back: {reference}", d.text("amount")),
            _ => format!("Paid {} back to the card", d.text("amount")),
        },
        "card.money_returned" => {
            "Gave money back to a card: it came after its order had been declined".to_owned()
        }
        "card.dispute" => format!("A payment of {} is disputed", d.money("amount")),
        "card.dispute_won" => format!("A dispute about {} was won", d.money("amount")),
        "card.dispute_lost" => format!("A dispute about {} was lost", d.money("amount")),
        "card.refund" => format!("The card processor gave {} back", d.money("amount")),
        "card.dispute_decided" if d.text("decision") == "take" => {
            format!(
                "Took back {} for money that was taken back",
                d.tokens("tokens")
            )
        }
        "card.dispute_decided" => "Left the tokens for money that was taken back".to_owned(),
        "revenue.booked" => {
            let sum = |name| money(d.units(name), &d.assets.currency);
            let (earned, broken) = (sum("earned"), sum("breakage"));
            format!("Booked revenue: {earned} earned, {broken} of expired tokens")
        }
        _ => return None,
    })
}

/// Staff, keys, settings, messages.
fn office(action: &str, d: &Detail<'_>) -> Option<String> {
    let plain = match action {
        "staff.created" => return Some(format!("Let in a person as {}", d.text("role"))),
        "api_key.created" => {
            let until = d.time("expires_at");
            let until = until.map_or_else(String::new, |at| format!(", until {at}"));
            return Some(format!(
                "Made a key for a program that may {}{until}",
                d.text("scopes")
            ));
        }
        "message.send_again" => return Some(format!("Sent a message again: {}", d.text("topic"))),
        "webhook.test" => return Some(format!("Tried the webhook {}", d.text("url"))),
        _ if action.starts_with("webhook.") => {
            let verb = action.trim_start_matches("webhook.").replace('_', " ");
            return Some(format!("The webhook {} was {verb}", d.text("url")));
        }
        "staff.ended" => "Noted that a person left",
        "staff.returned" => "Took a person back",
        "staff.role_set" => "Changed the role of a person",
        "staff.password_set" => "Set a password",
        "staff.signed_in" => "Signed in",
        "staff.signed_out" => "Signed out",
        "staff.sign_in_failed" => "A sign-in failed: the password was wrong",
        "api_key.revoked" => "Revoked a key",
        "policy.changed" => "Changed the settings",
        "storefront.set" => "Changed the storefront",
        "vendor.limits_set" => "Changed the limits",
        _ => return None,
    };
    Some(plain.to_owned())
}

/// What is sent to addresses, promotions, second factors: the details stand below.
fn sent(action: &str) -> Option<String> {
    let plain = match action {
        "order.shipment" => "Changed a parcel",
        "order.shipped" => "Noted that a parcel was sent",
        "order.delivered" => "Noted that a parcel arrived",
        "order.returned" => "Noted that a parcel came back",
        "order.not_sent" => "Noted that a parcel is not sent",
        "promotion.created" => "Made a promotion",
        "promotion.changed" => "Changed a promotion",
        "promotion.stopped" => "Stopped a promotion",
        "coupon.codes_issued" => "Issued codes of a coupon",
        "second_factor.on" => "Turned one-time codes on",
        "second_factor.off" => "Turned one-time codes off",
        "second_factor.lifted" => "Lifted the one-time codes of a person who lost them",
        "second_factor.recovery_code" => "Signed in with a recovery code",
        _ => return None,
    };
    Some(plain.to_owned())
}

/// The mall, exchange, and linked accounts: the details stand below.
fn abroad(action: &str) -> Option<String> {
    let plain = match action {
        "mall.joined" => "Joined a mall",
        "mall.value" => "Said what the token is worth in the mall",
        "mall.terms" => "Changed the terms of the mall",
        "mall.standing" => "Changed the standing of a member of the mall",
        "mall.quota" => "Said how many tokens may be issued in the mall",
        "mall.barred" => "Changed whether tokens may leave in the mall",
        "mall.group_joined" => "Joined a group of the mall",
        "mall.group_left" => "Left a group of the mall",
        "mall.franchise_joined" => "Joined a franchise",
        "mall.franchise_left" => "Left a franchise",
        "mall.franchise_value" => "Fixed what tokens of the franchise are worth, or lifted that",
        "mall.product_listed" => "Put a product on the manufacturer's list",
        "mall.product_delisted" => "Took a product off the manufacturer's list",
        "mall.deposit" => "Paid into the deposit at the mall",
        "mall.franchise_clears" => "Said how often the franchise clears",
        "mall.settles" => "Changed how what is owed to the mall is settled",
        "mall.quota_sold" => "Bought tokens to issue from the mall",
        "mall.paid" => "Settled an invoice of the mall",
        "mall.disputed" => "Said that a line of the mall's statement is wrong",
        "mall.dispute_closed" => "Heard the mall's answer to a dispute",
        "mall.adjusted" => "Got an adjustment of the mall",
        "mall.royalty" => "Changed how the mall takes its royalty",
        "open_token.issued" => "Issued open tokens",
        "open_token.discount" => "Changed the discount of open tokens",
        "open_order.reversed" => "Gave an order back that open tokens paid",
        "gift.issued" => "Issued gift certificates",
        "gift.acceptance" => "Said whether another shop's gift certificates are taken",
        "customer.disclosed" => "Told another member of the mall of a customer",
        "mall.acceptance" => "Said whether another shop's tokens are taken",
        "exchange.done" => "Exchanged tokens of another shop",
        "customer.linked" => "Linked two accounts of a customer",
        "customer.unlinked" => "Ended the link of two accounts",
        _ => return None,
    };
    Some(plain.to_owned())
}

fn is_change(value: &Value) -> bool {
    let Value::Object(fields) = value else {
        return false;
    };
    fields.len() == 2 && fields.contains_key("from") && fields.contains_key("to")
}

/// What changed: fields with an old and a new value, and the differences of an old and a new whole.
fn changes(fields: &Map<String, Value>, assets: &Assets) -> Vec<Change> {
    let mut all = Vec::new();
    if let (Some(from), Some(to)) = (fields.get("from"), fields.get("to")) {
        whole(from, to, &mut all);
    }
    for (name, value) in fields.iter().filter(|(_, value)| is_change(value)) {
        let setting = SETTINGS.iter().find(|setting| setting.path == name);
        let (from, to) = (&value["from"], &value["to"]);
        all.push(match setting {
            Some(setting) => Change {
                name: format!("{}: {}", setting.group, setting.label),
                from: in_words(setting.kind, from, assets),
                to: in_words(setting.kind, to, assets),
            },
            None => Change {
                name: words_of(name),
                from: value_of(name, from),
                to: value_of(name, to),
            },
        });
    }
    all
}

/// The differences of two states of a thing. Something new has no old one.
fn whole(from: &Value, to: &Value, all: &mut Vec<Change>) {
    let (Value::Object(was), Value::Object(is)) = (from, to) else {
        if let (Value::Null, Value::Object(is)) = (from, to) {
            let told = is.iter().filter(|(_, value)| !is_empty(value));
            all.extend(told.map(|(name, value)| Change {
                name: words_of(name),
                from: String::new(),
                to: value_of(name, value),
            }));
        } else {
            all.push(Change {
                name: String::new(),
                from: value_of("", from),
                to: value_of("", to),
            });
        }
        return;
    };
    for (name, value) in is {
        let before = was.get(name).unwrap_or(&Value::Null);
        if before != value {
            all.push(Change {
                name: words_of(name),
                from: value_of(name, before),
                to: value_of(name, value),
            });
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A value for people; the name of its field says whether a number is a time or a span.
fn value_of(name: &str, value: &Value) -> String {
    let Some(number) = value.as_i64() else {
        return plain(value);
    };
    if name.ends_with("_at") || matches!(name, "sold_from" | "sold_until") {
        return match Timestamp(number) {
            Timestamp::NEVER => "never".to_owned(),
            at => When::minute(at).words,
        };
    }
    if name.ends_with("_days") {
        return counted(number, "day", "days");
    }
    if name.ends_with("_s") {
        return counted(number, "second", "seconds");
    }
    plain(value)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let one = |(name, value): (&String, &Value)| {
                let name = words_of(name).to_lowercase();
                format!("{name} {}", value_of(&name, value))
            };
            fields.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, said};
    use crate::settings::Assets;
    use scrip_ledger::{Asset, AssetKind};
    use serde_json::{Value, json};

    fn assets() -> Assets {
        let asset = |code: &str, kind, scale| Asset {
            asset_id: 1,
            code: code.to_owned(),
            kind,
            book_id: None,
            scale,
        };
        Assets {
            token: asset("CLUB", AssetKind::Token, 6),
            currency: asset("GBP", AssetKind::Currency, 8),
        }
    }

    fn line(action: &str, detail: &Value) -> String {
        said(action, detail, &assets()).line()
    }

    /// REG-03: each line says what was done, with amounts and their units.
    #[test]
    fn lines_are_sentences() {
        for (action, detail, expected) in [
            ("staff.signed_in", json!({}), "Signed in"),
            (
                "customer.adjusted",
                json!({"amount": -5_000_000, "entry": 7}),
                "Took back 5 tokens",
            ),
            (
                "tokens.given",
                json!({"customer": "cus_1", "route": "contest", "tokens": "1"}),
                "Gave 1 token as a gift",
            ),
            (
                "catalogue.offer",
                json!({"sku": "pot", "new": false, "price": 60_000_000, "active": false}),
                "Changed the offer pot at 60 tokens, not for sale",
            ),
            (
                "token_price.set",
                json!({"price": "0.11", "from": 0}),
                "Set the price of a token to £0.11 from 1 Jan 1970 00:00 UTC",
            ),
            (
                "staff.role_set",
                json!({"from": "cashier", "to": "manager"}),
                "Changed the role of a person. cashier → manager",
            ),
            (
                "vendor.limits_set",
                json!({"minimum_tokens": {"from": "50", "to": "60"}}),
                "Changed the limits. Minimum tokens: 50 → 60",
            ),
            (
                "customer.standing",
                json!({"from": {"preferred": false, "country": "DE"},
                       "to": {"preferred": true, "country": "DE"}}),
                "Changed what the shop thinks of the customer. Preferred: no → yes",
            ),
            (
                "payback.settled",
                json!({"amount": "0.5 GBP", "way": "other", "reference": "TR 1"}),
                "Noted that 0.5 GBP was paid back: TR 1",
            ),
        ] {
            assert_eq!(line(action, &detail), expected, "{action}");
        }
    }

    /// What nobody foresaw is listed, name by name, and never as JSON.
    #[test]
    fn unknown_actions_are_listed() {
        let detail = json!({"count": 3, "life_days": 1, "names": ["a", "b"], "deep": {"x": true},
                            "price": {"from": null, "to": "2"}});
        let found = line("rocket.launched_twice", &detail);
        assert_eq!(
            found,
            "Rocket: launched twice. Price: none → 2; Count: 3; Deep: x yes; Life days: 1 day; \
             Names: a, b"
        );
        assert_eq!(line("odd", &json!("text")), "Odd");
    }

    /// A setting is called as on the page of settings.
    #[test]
    fn settings_have_their_names() {
        let detail = json!({"sale.stacking": {"from": false, "to": true}});
        let found = said("policy.changed", &detail, &assets());
        assert_eq!(found.what, "Changed the settings");
        let [Change { name, from, to }] = found.changes.as_slice() else {
            panic!("one change: {found:?}");
        };
        assert!(
            !name.contains("sale.stacking") && name.contains(": "),
            "{name}"
        );
        assert_ne!(from, to);
    }
}

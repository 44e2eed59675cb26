//! `scrip demo --story`: the figures of the specification, played through the API of a demo of its
//! own, each step with the entries that it made.

use crate::demo::DemoNotes;
use crate::failure::Failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use ureq::Agent;

/// What calls the API for each member.
struct Story {
    agent: Agent,
    at: String,
    keys: BTreeMap<String, String>,
    /// The newest entry of each member that was told.
    seen: BTreeMap<String, i64>,
    calls: u64,
}

/// Plays the story and says it.
pub fn play(address: SocketAddr, notes: &DemoNotes) -> Result<(), Failure> {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .proxy(None)
        .build();
    let shops = notes.vendors.iter();
    let shops = shops.map(|shop| (shop.slug.clone(), shop.api_key.clone()));
    let more = notes.members.iter();
    let more = more.map(|one| (one.slug.clone(), one.api_key.clone()));
    let mut story = Story {
        agent: config.new_agent(),
        at: format!("http://{address}"),
        keys: shops.chain(more).collect(),
        seen: BTreeMap::new(),
        calls: 0,
    };
    for slug in story.keys.clone().keys() {
        story.entries(slug, false)?;
    }
    let first = |slug: &str| {
        let shop = notes.vendor(slug);
        let customer = shop.and_then(|shop| shop.customers.first());
        customer.map_or_else(String::new, |c| c.customer_id.clone())
    };
    story.closed(&first("rasterworks"))?;
    story.exchange(&first("rasterworks"))?;
    story.franchise()?;
    story.open(&first("rasterworks"))?;
    story.choice(&first("hearth-and-fern"), &first("loom"))?;
    story.settled()
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("?")
}

impl Story {
    fn call(
        &mut self,
        member: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        self.calls = self.calls.saturating_add(1);
        let key = self.keys.get(member).cloned().unwrap_or_default();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.at))
            .header("Authorization", format!("Bearer {key}"))
            .header("Idempotency-Key", format!("story-{}", self.calls));
        let failed = |what: String| Failure::Refused(format!("{method} {path}: {what}"));
        let sent = match body.is_null() {
            true => request.body(String::new()),
            false => request
                .header("Content-Type", "application/json")
                .body(body.to_string()),
        };
        let sent = sent.map_err(|e| failed(e.to_string()))?;
        let answer = self.agent.run(sent);
        let mut answer = answer.map_err(|e| failed(e.to_string()))?;
        let status = answer.status().as_u16();
        let said = answer.body_mut().read_to_string();
        let said = said.map_err(|e| failed(e.to_string()))?;
        if !(200..300).contains(&status) {
            return Err(failed(format!("{status} {said}")));
        }
        Ok(serde_json::from_str(&said).unwrap_or_default())
    }

    /// The entries of a member since they were told last.
    fn entries(&mut self, member: &str, is_told: bool) -> Result<(), Failure> {
        let path = "/v1/ledger/entries?limit=20";
        let found = self.call(member, "GET", path, &Value::Null)?;
        let items = found["items"].as_array().cloned().unwrap_or_default();
        let last = self.seen.get(member).copied().unwrap_or(0);
        let newer = |entry: &&Value| entry["entry_id"].as_i64().unwrap_or(0) > last;
        let mut newest = last;
        for entry in items.iter().filter(newer).collect::<Vec<_>>().iter().rev() {
            newest = newest.max(entry["entry_id"].as_i64().unwrap_or(0));
            if !is_told {
                continue;
            }
            for moved in entry["transfers"].as_array().into_iter().flatten() {
                println!(
                    "     {member:<16} {:<12} {:>14} {:<22} {} -> {}",
                    text(entry, "/code"),
                    text(moved, "/amount/amount"),
                    text(moved, "/amount/asset"),
                    text(moved, "/debit/kind"),
                    text(moved, "/credit/kind"),
                );
            }
        }
        self.seen.insert(member.to_owned(), newest);
        Ok(())
    }

    fn step(&mut self, words: &str, members: &[&str]) -> Result<(), Failure> {
        println!("  {words}");
        for member in members {
            self.entries(member, true)?;
        }
        Ok(())
    }

    /// FIG. 13.
    fn closed(&mut self, ana: &str) -> Result<(), Failure> {
        println!("\nFIG. 13: a vendor's own tokens, at home");
        let shop = "rasterworks";
        let bought = json!({"tokens": "200", "card": "test_ok"});
        let path = format!("/v1/customers/{ana}/token-orders");
        self.call(shop, "POST", &path, &bought)?;
        self.step(
            "1, 2  Ana buys 200 tokens by card: they are issued and paid",
            &[shop],
        )?;
        let order = json!({
            "customer_id": ana, "lines": [{"sku": "software-a", "quantity": 1}],
        });
        let order = self.call(shop, "POST", "/v1/orders", &order)?;
        let words = format!(
            "3, 4  she buys software-a: {} tokens are debited, {} are left",
            text(&order, "/total/amount"),
            text(&order, "/remaining/amount")
        );
        self.step(&words, &[shop])?;
        let begun = Instant::now();
        let royalty = loop {
            let said = self.call(shop, "GET", "/v1/mall/uses", &Value::Null)?;
            let uses = said["items"].as_array().cloned().unwrap_or_default();
            let own = |one: &&Value| one["subject"] == order["order_id"];
            if let Some(heard) = uses.iter().find(own) {
                break text(heard, "/royalty/amount").to_owned();
            }
            if begun.elapsed() > Duration::from_secs(20) {
                return Err(Failure::Refused(
                    "the mall has not heard of the sale".into(),
                ));
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        let words = format!("5     the mall hears of it, and takes its royalty of {royalty}");
        self.step(&words, &[shop])
    }

    fn swap(&mut self, from: &str, to: &str, who: &str, tokens: &str) -> Result<Value, Failure> {
        let wanted = json!({"to": to, "tokens": tokens});
        let path = format!("/v1/customers/{who}/exchange-quotes");
        let quote = self.call(from, "POST", &path, &wanted)?;
        let words = format!(
            "asked: {tokens} tokens come to {} {}",
            text(&quote, "/receives/amount"),
            text(&quote, "/receives/asset")
        );
        self.step(&words, &[])?;
        let taken = json!({"exchange_id": quote["exchange_id"]});
        let done = self.call(from, "POST", "/v1/exchanges", &taken)?;
        let words = format!(
            "done: {} are left at home, the account there is {}",
            text(&done, "/left/amount"),
            text(&done, "/account_there")
        );
        self.step(&words, &[from, to])?;
        Ok(done)
    }

    /// FIG. 15.
    fn exchange(&mut self, ana: &str) -> Result<(), Failure> {
        println!("\nFIG. 15: tokens of one vendor become tokens of another");
        self.swap("rasterworks", "hearth-and-fern", ana, "60")?;
        Ok(())
    }

    /// FIG. 16.
    fn franchise(&mut self) -> Result<(), Failure> {
        println!("\nFIG. 16: a franchise, whose members take each other's tokens");
        let (from, to) = ("crumb-harbour", "crumb-station");
        self.call(
            "crumb",
            "PUT",
            "/v1/mall/franchise-value",
            &json!({"value": "0.12"}),
        )?;
        self.step("the parent fixes one value for all of them: 0.12", &[])?;
        let who = self.call(from, "POST", "/v1/customers", &json!({}))?;
        let who = text(&who, "/customer_id").to_owned();
        let bought = json!({"tokens": "100", "card": "test_ok"});
        let path = format!("/v1/customers/{who}/token-orders");
        self.call(from, "POST", &path, &bought)?;
        self.step("a customer of the harbour buys 100 tokens there", &[from])?;
        self.swap(from, to, &who, "50")?;
        Ok(())
    }

    fn buy(&mut self, home: &str, who: &str, body: &Value) -> Result<Value, Failure> {
        let path = format!("/v1/customers/{who}/open-orders");
        let paid = self.call(home, "POST", &path, body)?;
        let mut words = format!("paid: {} by", text(&paid, "/price/amount"));
        let mut members = vec![home.to_owned(), text(body, "/at").to_owned()];
        for part in paid["paid_with"].as_array().into_iter().flatten() {
            words.push_str(&format!(
                " {} {} of {}",
                text(part, "/amount/amount"),
                text(part, "/kind"),
                text(part, "/debtor")
            ));
            if text(part, "/surplus/amount") != "0" {
                words.push_str(&format!(" (surplus {})", text(part, "/surplus/amount")));
            }
            members.push(text(part, "/debtor").to_owned());
        }
        members.sort();
        members.dedup();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        self.step(&words, &members)?;
        Ok(paid)
    }

    /// FIG. 18.
    fn open(&mut self, ana: &str) -> Result<(), Failure> {
        println!("\nFIG. 18: universal tokens of one vendor pay at another");
        let body = json!({
            "at": "hearth-and-fern", "lines": [{"sku": "copper-light", "quantity": 1}],
            "pay_with": "universal",
        });
        self.buy("rasterworks", ana, &body)?;
        Ok(())
    }

    /// FIG. 20.
    fn choice(&mut self, of_hearth: &str, of_loom: &str) -> Result<(), Failure> {
        println!("\nFIG. 20: which tokens pay");
        let jumper = json!({
            "at": "loom", "lines": [{"sku": "yellow-wool-jumper", "quantity": 1}],
        });
        for (home, who) in [("hearth-and-fern", of_hearth), ("loom", of_loom)] {
            let path = format!("/v1/customers/{who}/open-quotes");
            let quote = self.call(home, "POST", &path, &jumper)?;
            let words = format!(
                "a jumper for {}: a customer of {home} may choose among {}",
                text(&quote, "/price/amount"),
                quote["choices"]
            );
            self.step(&words, &[])?;
            let paid = self.buy(home, who, &jumper)?;
            if home == "hearth-and-fern" {
                println!("  left: {}", paid["left"]);
            }
        }
        Ok(())
    }

    fn settled(&mut self) -> Result<(), Failure> {
        println!("\nWhat each member owes the mall now; below zero what it is owed");
        for member in self.keys.clone().keys() {
            let mall = self.call(member, "GET", "/v1/mall", &Value::Null)?;
            println!("  {member:<18} {}", text(&mall, "/owes/amount"));
        }
        Ok(())
    }
}

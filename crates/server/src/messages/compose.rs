//! Writing a mail: what happened, read from the rules at the moment of sending, in the words of the
//! reader's language. Nothing of it is kept.

use super::words::Words;
use askama::Template;
use scrip_domain::customer::{
    Customer, State, customer_by_id, customer_person, time_zone, tokens_to_activate,
};
use scrip_domain::id::{OrderId, TokenOrderId};
use scrip_domain::message::{Claimed, MessageError, choice};
use scrip_domain::order::by_card::CardPaid;
use scrip_domain::order::shipment::{shipment_of, shipment_opened};
use scrip_domain::order::{OrderDetail, order_by_id};
use scrip_domain::policy::policy;
use scrip_domain::tax::{percent, to_hundredths};
use scrip_domain::token_sale::token_order_by_id;
use scrip_domain::vault::Vault;
use scrip_domain::vendor::{Vendor, vendor_by_book, vendor_by_slug};
use scrip_domain::{Actor, Amount, Node};
use scrip_engine::{Read, Timestamp};
use scrip_ledger::{CURRENCY_SCALE, TOKEN_SCALE};
use serde_json::Value;

/// A mail without its form.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The first line.
    pub greeting: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// Figures, each with what it is.
    pub rows: Vec<(String, String)>,
    /// Who writes.
    pub vendor: String,
    /// Which account it is about.
    pub account: String,
    /// Where the account page is; may be empty.
    pub link: String,
    /// Why the reader gets it.
    pub why: String,
}

impl Letter {
    /// As plain text.
    pub fn text(&self) -> String {
        let mut parts = vec![self.greeting.clone()];
        parts.extend(self.paragraphs.iter().cloned());
        if !self.rows.is_empty() {
            let rows = self.rows.iter().map(|(what, n)| format!("  {what}: {n}"));
            parts.push(rows.collect::<Vec<_>>().join("\n"));
        }
        let mut end = vec![self.vendor.clone(), self.account.clone()];
        if !self.link.is_empty() {
            end.push(self.link.clone());
        }
        parts.push(end.join("\n"));
        parts.push(format!("-- \n{}", self.why));
        parts.join("\n\n") + "\n"
    }
}

/// A mail, ready to be sent.
pub struct Composed {
    /// The customer's address.
    pub to: String,
    /// The mail.
    pub letter: Letter,
    /// The same as a page.
    pub html: String,
}

#[derive(Template)]
#[template(path = "message/mail.html")]
struct Page<'a> {
    language: &'static str,
    letter: &'a Letter,
}

/// Writes the mail of a delivery; `None` when there is nobody to write to.
pub fn compose(
    node: &Node,
    claimed: &Claimed,
    public_url: &str,
) -> Result<Option<Composed>, MessageError> {
    let vault = node.vault.clone();
    let written = node.engine.read(|tx| {
        let book = claimed.book_id;
        let Some(id) = claimed.customer_id else {
            return Ok(None);
        };
        let customer = customer_by_id(tx, book, id)?;
        let person = customer_person(tx, &vault, Actor::System, &customer)?.unwrap_or_default();
        let to = person.email.trim().to_owned();
        if to.is_empty() {
            return Ok(None);
        }
        let vendor = vendor_by_book(tx, book)?;
        let policy = policy(tx, book)?;
        let language = choice(tx, &customer)?.language;
        let language = language.unwrap_or(policy.messages.language);
        let zone = time_zone(tx, &customer)?.unwrap_or(policy.time_zone);
        let words = Words::new(language, &zone);
        let writer = Writer {
            words: &words,
            vendor: &vendor,
            customer: &customer,
            claimed,
        };
        let mut letter = writer.frame(&person.name, public_url);
        writer.fill(tx, &vault, &mut letter)?;
        Ok::<_, MessageError>(Some((to, letter, words.tag())))
    })?;
    let Some((to, letter, language)) = written else {
        return Ok(None);
    };
    let page = Page {
        language,
        letter: &letter,
    };
    let html = page.render().unwrap_or_default();
    Ok(Some(Composed { to, letter, html }))
}

struct Writer<'a> {
    words: &'a Words,
    vendor: &'a Vendor,
    customer: &'a Customer,
    claimed: &'a Claimed,
}

impl Writer<'_> {
    /// What stands around every letter.
    fn frame(&self, name: &str, public_url: &str) -> Letter {
        let greeting = match name.trim() {
            "" => self.words.say("greeting-nameless", &[]),
            name => self.words.say("greeting", &[("name", name.into())]),
        };
        let address = format!("{public_url}/shops/{}/account", self.vendor.slug);
        Letter {
            greeting,
            account: self.say("account"),
            link: if public_url.is_empty() {
                String::new()
            } else {
                self.words.say("link", &[("address", address.into())])
            },
            why: self.say("why"),
            vendor: self.vendor.name.clone(),
            ..Letter::default()
        }
    }

    /// A text whose values are the vendor and the account.
    fn say(&self, id: &str) -> String {
        self.say_with(id, None, None)
    }

    /// The same with tokens and a time.
    fn say_with(&self, id: &str, tokens: Option<Amount>, when: Option<Timestamp>) -> String {
        let tokens = tokens.map_or_else(String::new, |t| self.words.tokens(t));
        let when = when.map_or_else(String::new, |t| self.words.moment(t));
        self.words.say(
            id,
            &[
                ("vendor", self.vendor.name.as_str().into()),
                ("number", self.customer.number.to_string().into()),
                ("tokens", tokens.into()),
                ("when", when.into()),
            ],
        )
    }

    /// What happened.
    fn fill(
        &self,
        tx: &mut dyn Read,
        vault: &Vault,
        letter: &mut Letter,
    ) -> Result<(), MessageError> {
        let happened = self.claimed.occurred_at;
        match self.claimed.topic.as_str() {
            "customer.registered" => self.registered(letter)?,
            "customer.activated" => self.plain(letter, "activated", None, None),
            "customer.pin_changed" => self.plain(letter, "pin-changed", None, Some(happened)),
            "balance.low" => self.plain(letter, "low", self.tokens_told(), None),
            "lot.expiring" => self.plain(letter, "expiry", self.tokens_told(), self.end_told()),
            "top_up.failed" => self.plain(letter, "top-up", None, None),
            "order.completed" => self.ordered(letter, &self.order(tx)?),
            "open_order.completed" => self.open_ordered(tx, letter)?,
            "order.shipped" => self.shipped(tx, vault, letter)?,
            "order.refused" => self.refused(letter, &self.order(tx)?),
            "order.refunded" => {
                let order = self.order(tx)?;
                match &order.card {
                    Some(card) => self.by_card(letter, "refunded-card", card, order.effective_at),
                    None => {
                        let at = Some(order.effective_at);
                        self.plain(letter, "refunded", self.tokens_told(), at);
                    }
                }
            }
            "refund.declined" => self.declined(letter, &self.order(tx)?),
            topic => self.token_order(tx, letter, topic)?,
        }
        Ok(())
    }

    fn plain(
        &self,
        letter: &mut Letter,
        id: &str,
        tokens: Option<Amount>,
        when: Option<Timestamp>,
    ) {
        letter.subject = self.say_with(&format!("{id}-subject"), tokens, when);
        let text = self.say_with(&format!("{id}-text"), tokens, when);
        letter.paragraphs.push(text);
    }

    fn detail(&self, name: &str) -> Option<String> {
        let details: Value = serde_json::from_str(&self.claimed.payload).ok()?;
        Some(details.get(name)?.as_str()?.to_owned())
    }

    fn tokens_told(&self) -> Option<Amount> {
        Amount::parse(&self.detail("tokens")?, TOKEN_SCALE).ok()
    }

    fn end_told(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.detail("expires_at")?).ok()
    }

    fn order(&self, tx: &mut dyn Read) -> Result<OrderDetail, MessageError> {
        let id: OrderId = self.subject()?;
        let actor = Actor::Customer(self.customer.customer_id);
        Ok(order_by_id(tx, actor, self.claimed.book_id, id)?)
    }

    fn subject<T: std::str::FromStr>(&self) -> Result<T, MessageError> {
        let odd = || MessageError::Unknown(self.claimed.message_id);
        self.claimed.subject.parse().map_err(|_| odd())
    }

    fn registered(&self, letter: &mut Letter) -> Result<(), MessageError> {
        self.plain(letter, "registered", None, None);
        let missing = tokens_to_activate(self.vendor, self.customer, Amount::ZERO)?;
        letter.paragraphs.push(match self.customer.state {
            State::Inactive => self.say_with("registered-activate", Some(missing), None),
            _ => self.say("registered-active"),
        });
        Ok(())
    }

    /// A letter about money of a card, which stands where others have tokens.
    fn by_card(&self, letter: &mut Letter, id: &str, card: &CardPaid, at: Timestamp) {
        let money = self.words.money(card.price, &self.vendor.currency);
        let say = |id: String| {
            self.words.say(
                &id,
                &[
                    ("vendor", self.vendor.name.as_str().into()),
                    ("number", self.customer.number.to_string().into()),
                    ("tokens", money.clone().into()),
                    ("when", self.words.moment(at).into()),
                ],
            )
        };
        letter.subject = say(format!("{id}-subject"));
        letter.paragraphs.push(say(format!("{id}-text")));
    }

    fn ordered(&self, letter: &mut Letter, order: &OrderDetail) {
        if let Some(card) = &order.card {
            self.by_card(letter, "order-card", card, order.effective_at);
            self.lines(letter, order);
            let money = self.words.money(card.price, &self.vendor.currency);
            letter.rows.push((self.say("order-total"), money));
            self.taxes(letter, order);
            return;
        }
        self.plain(letter, "order", Some(order.total), Some(order.effective_at));
        self.lines(letter, order);
        let total = self.words.tokens(order.total);
        letter.rows.push((self.say("order-total"), total));
        self.taxes(letter, order);
        if let Some(left) = order.remaining_after {
            let left = self.words.tokens(left);
            letter.rows.push((self.say("order-left"), left));
        }
    }

    /// An order at any member that open tokens paid: what they were, and what is left (OPN-22).
    fn open_ordered(&self, tx: &mut dyn Read, letter: &mut Letter) -> Result<(), MessageError> {
        let seller = self.detail("seller").unwrap_or_default();
        let seller = vendor_by_slug(tx, &seller)?;
        let money = |text: &str| {
            let amount = Amount::parse(text, CURRENCY_SCALE).unwrap_or_default();
            self.words.money(amount, &self.vendor.currency)
        };
        let price = money(&self.detail("price").unwrap_or_default());
        let happened = self.words.moment(self.claimed.occurred_at);
        let say = |id: &str| {
            self.words.say(
                id,
                &[
                    ("vendor", seller.name.as_str().into()),
                    ("money", price.clone().into()),
                    ("when", happened.clone().into()),
                ],
            )
        };
        letter.subject = say("open-order-subject");
        letter.paragraphs.push(say("open-order-text"));
        let details: Value = serde_json::from_str(&self.claimed.payload).unwrap_or_default();
        for (list, label) in [("paid_with", "open-paid"), ("left", "open-left")] {
            for part in details[list].as_array().into_iter().flatten() {
                let kind = part["kind"].as_str().unwrap_or_default().to_owned();
                let label = self.words.say(label, &[("kind", kind.into())]);
                let amount = money(part["amount"].as_str().unwrap_or_default());
                letter.rows.push((label, amount));
            }
        }
        Ok(())
    }

    /// The taxes in what was paid.
    fn taxes(&self, letter: &mut Letter, order: &OrderDetail) {
        for tax in &order.taxes {
            let percent = self.words.number(&percent(tax.sum.rate), 0);
            let values = [
                ("name", tax.sum.name.as_str().into()),
                ("percent", percent.into()),
            ];
            let label = self.words.say("order-tax", &values);
            let currency = &self.vendor.currency;
            let read = |tax, scale| to_hundredths(tax, scale).unwrap_or(tax);
            let money = self
                .words
                .money(read(tax.money_tax, currency.scale), currency);
            let figure = match order.card {
                Some(_) => money,
                None => {
                    let tokens = self.words.tokens(read(tax.sum.tax, TOKEN_SCALE));
                    format!("{tokens} ({money})")
                }
            };
            letter.rows.push((label, figure));
        }
    }

    /// The parcel is on its way: with whom, under which number.
    fn shipped(
        &self,
        tx: &mut dyn Read,
        vault: &Vault,
        letter: &mut Letter,
    ) -> Result<(), MessageError> {
        let order = self.order(tx)?;
        self.plain(letter, "order-shipped", None, Some(order.effective_at));
        let (book, actor) = (
            self.claimed.book_id,
            Actor::Customer(self.customer.customer_id),
        );
        if let Some(parcel) = shipment_of(tx, actor, book, order.order_id)?
            && let Some(tracking) = shipment_opened(tx, vault, book, &parcel)?.tracking
        {
            letter
                .rows
                .push((self.say("order-carrier"), tracking.carrier));
            if !tracking.number.is_empty() {
                let label = self.say("order-tracking");
                letter.rows.push((label, tracking.number));
            }
        }
        Ok(())
    }

    fn lines(&self, letter: &mut Letter, order: &OrderDetail) {
        for line in &order.lines {
            let what = self.words.say(
                "order-line",
                &[
                    ("quantity", line.quantity.to_string().into()),
                    ("title", line.title.as_str().into()),
                ],
            );
            letter.rows.push((what, self.words.tokens(line.amount)));
        }
    }

    fn refused(&self, letter: &mut Letter, order: &OrderDetail) {
        self.plain(letter, "order-refused", None, Some(order.effective_at));
        let reason = order.reason.clone().unwrap_or_default();
        let why = &[("reason", reason.into())];
        letter
            .paragraphs
            .push(self.words.say("order-refused-why", why));
        self.lines(letter, order);
    }

    fn declined(&self, letter: &mut Letter, order: &OrderDetail) {
        self.plain(letter, "refund-declined", None, Some(order.effective_at));
        let answer = order.request.as_ref().map(|r| r.answer.clone());
        if let Some(answer) = answer.filter(|a| !a.is_empty()) {
            let vendor = self.vendor.name.as_str();
            let values = &[("vendor", vendor.into()), ("answer", answer.into())];
            let said = self.words.say("refund-declined-why", values);
            letter.paragraphs.push(said);
        }
    }

    fn token_order(
        &self,
        tx: &mut dyn Read,
        letter: &mut Letter,
        topic: &str,
    ) -> Result<(), MessageError> {
        let id: TokenOrderId = self.subject()?;
        let actor = Actor::Customer(self.customer.customer_id);
        let order = token_order_by_id(tx, actor, self.claimed.book_id, id)?;
        let text = topic.replace(['.', '_'], "-");
        self.plain(
            letter,
            &text,
            Some(order.quantity),
            Some(order.effective_at),
        );
        let price = self.words.money(order.price, &self.vendor.currency);
        letter.rows.push((self.say("token-order-price"), price));
        if !order.reference.is_empty() {
            let label = self.say("token-order-reference");
            letter.rows.push((label, order.reference));
        }
        Ok(())
    }
}

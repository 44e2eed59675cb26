//! Choosing and entering a card, on the page that sells tokens. The number of a card goes from the
//! browser to the card processor and never comes here: the form brings the processor's token for it.

use super::TEST_CARDS;
use crate::config::{Cards, StripeSettings};
use crate::error::{Problem, Result};
use crate::state::App;
use crate::web::session::Member;
use crate::web::view::Choice;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use scrip_domain::card::{CardError, CardState, SavedCard, card_keep, card_to_pay_with, card_wish};
use scrip_domain::id::CardId;

/// What is sent for a card that is entered on the page.
const ENTERED: &str = "new";

/// How a browser hands a card to the processor.
pub struct Entry {
    /// The processor's publishable key.
    pub key: String,
    /// The processor's script.
    pub script: String,
}

impl Entry {
    /// `None` where the processor has no script.
    pub fn of(app: &App) -> Option<Entry> {
        app.settings.stripe.as_ref().map(|stripe| Entry {
            key: stripe.publishable_key.clone(),
            script: stripe.script.clone(),
        })
    }
}

/// The card part of a form.
pub struct CardPart {
    /// Cards to choose from.
    pub choices: Vec<Choice>,
    /// How another card is entered.
    pub entry: Option<Entry>,
    /// True when the card is to be kept.
    pub keep: bool,
    /// What is wrong with the card; empty otherwise.
    pub error: String,
}

impl CardPart {
    /// The part, with what was chosen before.
    pub fn new(
        app: &App,
        saved: &[SavedCard],
        chosen: &str,
        keep: bool,
        error: String,
    ) -> CardPart {
        let mut choices: Vec<Choice> = saved.iter().map(|card| choice(card, chosen)).collect();
        // Where nothing was chosen yet, the oldest card that can pay is.
        if chosen.is_empty()
            && let Some(first) = choices.iter_mut().find(|choice| !choice.disabled)
        {
            first.checked = true;
        }
        let entry = Entry::of(app);
        if entry.is_some() {
            let none = choices.iter().all(|c| !c.checked);
            choices.push(
                Choice::new("card", ENTERED, "Another card", none)
                    .note("You enter it below")
                    .icon("i-card"),
            );
        } else {
            let first = choices.iter().any(|c| c.checked);
            let test = super::test_cards(chosen).into_iter().map(|mut card| {
                card.checked &= !first;
                card
            });
            choices.extend(test);
        }
        CardPart {
            choices,
            entry,
            keep,
            error,
        }
    }
}

fn choice(card: &SavedCard, chosen: &str) -> Choice {
    let id = card.id.to_string();
    let is_gone = card.state != CardState::Usable;
    let note = if is_gone {
        "Withdrawn: it cannot be used any more".to_owned()
    } else {
        valid(card)
    };
    let mut choice = Choice::new("card", id.clone(), name(card), !is_gone && id == chosen)
        .note(note)
        .icon("i-card");
    choice.disabled = is_gone;
    choice
}

/// What a card is called.
pub fn name(card: &SavedCard) -> String {
    format!("{}, ends in {}", card.looks.brand, card.looks.last_four)
}

/// Until when a card is valid.
pub fn valid(card: &SavedCard) -> String {
    let looks = &card.looks;
    format!("Valid to {:02}/{}", looks.expiry_month, looks.expiry_year)
}

/// The processor's token for what was chosen; otherwise what to do, in words. The number of a card
/// is never taken: it must not even be stored by mistake.
pub async fn chosen(
    app: &App,
    member: &Member,
    card: &str,
    method: &str,
) -> Result<std::result::Result<String, String>> {
    if let Ok(id) = card.parse::<CardId>() {
        let of = member.clone();
        let found = app
            .read(
                move |tx| match card_to_pay_with(tx, of.me.actor(), &of.me.customer, id) {
                    Err(CardError::Engine(e)) => Err(Problem::from(e)),
                    found => Ok(found),
                },
            )
            .await?;
        return Ok(found
            .map(|card| card.method)
            .map_err(|e| Problem::from(e).sentence()));
    }
    let known = match app.settings.cards {
        Cards::Test => TEST_CARDS.iter().any(|(name, ..)| *name == card),
        Cards::Stripe if card == ENTERED => return Ok(entered(method)),
        Cards::Stripe | Cards::None => false,
    };
    Ok(if known {
        Ok(card.to_owned())
    } else {
        Err("Choose one of these cards.".to_owned())
    })
}

/// The processor's token for a card that a browser entered.
pub fn entered(method: &str) -> std::result::Result<String, String> {
    let rest = method.strip_prefix("pm_").unwrap_or_default();
    let is_token = !rest.is_empty()
        && rest.len() <= 100
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_token {
        Ok(method.to_owned())
    } else {
        Err(
            "Enter the card. It goes straight to the card processor, which needs JavaScript."
                .into(),
        )
    }
}

/// Notes before the purchase that its card is to be kept.
pub async fn wish(app: &App, member: &Member, method: &str) -> Result<()> {
    let (of, method) = (member.clone(), method.to_owned());
    app.write(move |tx| card_wish(tx, of.me.actor(), &of.me.customer, &method))
        .await
}

/// Keeps a card of the test processor after it has paid; Stripe does so by itself. A card that
/// cannot be kept changes nothing about the purchase.
pub async fn keep(app: &App, member: &Member, method: &str) -> Result<()> {
    if app.settings.cards != Cards::Test {
        return Ok(());
    }
    let (of, method) = (member.clone(), method.to_owned());
    let customer = of.me.customer.clone();
    let asked = method.clone();
    let looks = app
        .by_card(move |_, cards| cards.card_keep(customer.book_id, customer.customer_id, &asked))
        .await?;
    let Ok(looks) = looks else {
        return Ok(());
    };
    app.write(move |tx| card_keep(tx, of.me.actor(), &of.me.customer, &method, &looks))
        .await
        .map(drop)
}

/// Lets this page, and no other, load what the processor's script needs.
pub fn with_script(app: &App, mut response: Response) -> Response {
    let Some(stripe) = &app.settings.stripe else {
        return response;
    };
    if let Ok(policy) = HeaderValue::from_str(&policy(stripe)) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn policy(stripe: &StripeSettings) -> String {
    let origin: Vec<&str> = stripe.script.split('/').take(3).collect();
    let origin = origin.join("/");
    let (scripts, frames) = if stripe.is_real() {
        let all = "https://js.stripe.com https://*.js.stripe.com";
        (all.to_owned(), format!("{all} https://hooks.stripe.com"))
    } else {
        (origin.clone(), origin)
    };
    crate::http::POLICY
        .replace("script-src 'self'", &format!("script-src 'self' {scripts}"))
        .replace(
            "connect-src 'self'",
            &format!("connect-src 'self' {}", stripe.url),
        )
        + &format!("; frame-src {frames}")
}

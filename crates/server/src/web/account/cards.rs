//! The cards that a customer keeps, and buying tokens by itself with one of them (TOK-08).

use super::super::buy::card::{Entry, entered, name, valid, with_script};
use super::super::buy::test_cards;
use super::super::frame::{form_key, link, member_shell, page, page_with, see};
use super::super::session::{Holder, Member};
use super::super::view::format::tokens;
use super::super::view::{Choice, Field, Notice, Shell, Tone, When as Time};
use crate::config::Cards;
use crate::error::{Problem, Result};
use crate::http::body::{Form, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::card::{CardState, SavedCard, card_keep, cards_of};
use scrip_domain::id::CardId;
use scrip_domain::top_up::{
    HowMany, TopUp, Wanted, When, card_off, top_up_of, top_up_off, top_up_set,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "account/cards.html")]
struct CardsPage {
    shell: Shell,
    rows: Vec<Row>,
    can_add: bool,
    add: String,
    remove: String,
    back: String,
    rule: Option<Rule>,
    top_up: String,
    off: String,
    key: String,
}

/// A kept card.
struct Row {
    id: String,
    name: String,
    note: String,
    is_gone: bool,
}

/// The rule in words.
struct Rule {
    words: String,
    why: Option<String>,
    next: Option<Time>,
}

/// What was just done.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Added,
    Removed,
    Set,
    Off,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    done: Option<Done>,
}

fn rule_words(rule: &TopUp, cards: &[SavedCard]) -> String {
    let card = cards.iter().find(|card| card.id == rule.wanted.card);
    let card = card.map_or("a card that is gone".to_owned(), name);
    let many = match rule.wanted.how_many {
        HowMany::Fixed(many) => format!("{} are bought", tokens(many)),
        HowMany::UpTo(target) => format!("what is missing to {} is bought", tokens(target)),
    };
    let when = match rule.wanted.when {
        When::Below(limit) => format!("When you have less than {}", tokens(limit)),
        When::EveryDays(1) => "Every day".to_owned(),
        When::EveryDays(days) => format!("Every {days} days"),
    };
    format!("{when}, {many} with {card}.")
}

async fn found(app: &App, member: &Member) -> Result<(Vec<SavedCard>, Option<TopUp>)> {
    let of = member.clone();
    app.read(move |tx| {
        let (actor, customer) = (of.me.actor(), &of.me.customer);
        let cards = cards_of(tx, actor, customer)?;
        let rule = top_up_of(tx, actor, customer)?;
        Ok::<_, Problem>((cards, rule))
    })
    .await
}

/// `GET /shops/{slug}/account/cards`.
pub async fn cards(
    State(app): State<App>,
    Holder(member): Holder,
    Query(part): Query<Part>,
) -> Result<Response> {
    let (cards, rule) = found(&app, &member).await?;
    let mut shell = member_shell(&member, "Your cards", "/account");
    let good = |headline: &str, text: &str| Some(Notice::new(Tone::Good, headline, text));
    shell.notice = match part.done {
        Some(Done::Added) => good("The card is kept.", "Choose it when you buy tokens."),
        Some(Done::Removed) => good("The card is removed.", "It pays for nothing any more."),
        Some(Done::Set) => good("Automatic top-up is on.", "You can stop it here."),
        Some(Done::Off) => good("Automatic top-up is off.", "Your cards are kept."),
        None => shell.notice,
    };
    let rows = cards.iter().map(|card| Row {
        id: card.id.to_string(),
        name: name(card),
        note: valid(card),
        is_gone: card.state != CardState::Usable,
    });
    let rule = rule.map(|rule| Rule {
        words: rule_words(&rule, &cards),
        next: match rule.wanted.when {
            When::EveryDays(_) if rule.stopped.is_none() => Some(Time::day(rule.due_at)),
            _ => None,
        },
        why: rule.stopped.map(|why| crate::error::sentence(&why)),
    });
    let shop = &member.shop;
    page(&CardsPage {
        rows: rows.collect(),
        can_add: app.settings.cards != Cards::None,
        add: shop.at("/account/cards/add"),
        remove: shop.at("/account/cards/remove"),
        back: shop.at("/account"),
        rule,
        top_up: shop.at("/account/top-up"),
        off: shop.at("/account/top-up/off"),
        key: form_key(),
        shell,
    })
}

#[derive(Template)]
#[template(path = "account/card_new.html")]
struct NewCardPage {
    shell: Shell,
    entry: Option<Entry>,
    secret: String,
    choices: Vec<Choice>,
    action: String,
    back: String,
    key: String,
    error: String,
}

/// `GET /shops/{slug}/account/cards/add`.
pub async fn new(State(app): State<App>, Holder(member): Holder) -> Result<Response> {
    new_page(&app, &member, String::new()).await
}

async fn new_page(app: &App, member: &Member, error: String) -> Result<Response> {
    if app.settings.cards == Cards::None {
        return see(&member.shop.at("/account/cards"));
    }
    let customer = member.me.customer.clone();
    let (book, id) = (customer.book_id, customer.customer_id);
    let opened = app
        .by_card(move |_, cards| cards.card_entry(book, id))
        .await??;
    let status = if error.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let entry = Entry::of(app);
    let choices = match entry {
        Some(_) => Vec::new(),
        None => test_cards(""),
    };
    let shown = page_with(
        status,
        &NewCardPage {
            shell: member_shell(member, "Add a card", "/account"),
            entry,
            secret: opened.map(|entry| entry.secret).unwrap_or_default(),
            choices,
            action: member.shop.at("/account/cards/add"),
            back: member.shop.at("/account/cards"),
            key: form_key(),
            error,
        },
    )?;
    Ok(with_script(app, shown))
}

/// A card to be kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCard {
    #[serde(default)]
    card: String,
    #[serde(default)]
    method: String,
    key: String,
}

/// `POST /shops/{slug}/account/cards/add`.
pub async fn add(
    State(app): State<App>,
    Holder(member): Holder,
    Form(form): Form<NewCard>,
) -> Result<Response> {
    let method = match app.settings.cards {
        Cards::Stripe => entered(&form.method),
        Cards::Test => Ok(form.card.clone()),
        Cards::None => Err("This shop takes no cards at the moment.".to_owned()),
    };
    let method = match method {
        Ok(method) => method,
        Err(why) => return new_page(&app, &member, why).await,
    };
    let (customer, asked) = (member.me.customer.clone(), method.clone());
    let looks = app
        .by_card(move |_, cards| cards.card_keep(customer.book_id, customer.customer_id, &asked))
        .await?;
    let looks = match looks {
        Ok(looks) => looks,
        Err(e) => return new_page(&app, &member, Problem::from(e).sentence()).await,
    };
    let keyed = member.keyed(form.key, format!("card {method}").into_bytes());
    let of = member.clone();
    app.submit(keyed, move |tx| {
        let kept = card_keep(tx, of.me.actor(), &of.me.customer, &method, &looks);
        kept.map_err(crate::error::Failed::from)
    })
    .await?;
    done(&member, "added")
}

fn done(member: &Member, what: &str) -> Result<Response> {
    see(&link(&member.shop.at("/account/cards"), &[("done", what)]))
}

/// A card to be removed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    card: CardId,
    key: String,
}

/// `POST /shops/{slug}/account/cards/remove`.
pub async fn remove(
    State(app): State<App>,
    Holder(member): Holder,
    Form(form): Form<Removed>,
) -> Result<Response> {
    let keyed = member.keyed(form.key, format!("remove {}", form.card).into_bytes());
    let of = member.clone();
    let removed = app
        .submit(keyed, move |tx| {
            let (actor, customer) = (of.me.actor(), &of.me.customer);
            Ok::<_, crate::error::Failed>(card_off(tx, actor, customer, form.card)?)
        })
        .await?;
    app.card_forget(removed.value).await;
    done(&member, "removed")
}

#[derive(Template)]
#[template(path = "account/top_up.html")]
struct TopUpPage {
    shell: Shell,
    cards: Vec<Choice>,
    whens: [Choice; 2],
    manys: [Choice; 2],
    below: Field,
    days: Field,
    number: Field,
    action: String,
    add: String,
    back: String,
    key: String,
}

/// The rule as it was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    #[serde(default)]
    card: String,
    #[serde(default)]
    when: String,
    #[serde(default)]
    below: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    many: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    key: String,
}

impl Typed {
    fn of(rule: &TopUp, scale: u32) -> Typed {
        let mut typed = Typed {
            card: rule.wanted.card.to_string(),
            ..Typed::default()
        };
        match rule.wanted.when {
            When::Below(limit) => {
                "below".clone_into(&mut typed.when);
                typed.below = limit.decimal(scale);
            }
            When::EveryDays(days) => {
                "days".clone_into(&mut typed.when);
                typed.days = days.to_string();
            }
        }
        let (word, number) = match rule.wanted.how_many {
            HowMany::Fixed(many) => ("fixed", many),
            HowMany::UpTo(target) => ("target", target),
        };
        word.clone_into(&mut typed.many);
        typed.number = number.decimal(scale);
        typed
    }

    fn wanted(&self, scale: u32) -> std::result::Result<Wanted, String> {
        let number =
            |text: &str| Amount::parse(text.trim(), scale).map_err(|e| Problem::from(e).sentence());
        let card = self.card.parse::<CardId>();
        Ok(Wanted {
            card: card.map_err(|_| "Choose one of your cards.".to_owned())?,
            when: match self.when.as_str() {
                "days" => When::EveryDays(
                    self.days
                        .trim()
                        .parse()
                        .map_err(|_| "Type a number of days.".to_owned())?,
                ),
                _ => When::Below(number(&self.below)?),
            },
            how_many: match self.many.as_str() {
                "target" => HowMany::UpTo(number(&self.number)?),
                _ => HowMany::Fixed(number(&self.number)?),
            },
        })
    }
}

/// `GET /shops/{slug}/account/top-up`.
pub async fn top_up_form(State(app): State<App>, Holder(member): Holder) -> Result<Response> {
    let (cards, rule) = found(&app, &member).await?;
    let scale = member.shop.vendor.token.scale;
    let typed = rule.map(|rule| Typed::of(&rule, scale)).unwrap_or_default();
    page(&top_up_page(&member, &cards, &typed))
}

fn top_up_page(member: &Member, cards: &[SavedCard], typed: &Typed) -> TopUpPage {
    let usable = || cards.iter().filter(|card| card.state == CardState::Usable);
    let known = usable().any(|card| card.id.to_string() == typed.card);
    let choices = usable().enumerate().map(|(n, card)| {
        let id = card.id.to_string();
        let on = if known { id == typed.card } else { n == 0 };
        Choice::new("card", id, name(card), on)
            .note(valid(card))
            .icon("i-card")
    });
    let shop = &member.shop;
    let (is_days, is_target) = (typed.when == "days", typed.many == "target");
    TopUpPage {
        shell: member_shell(member, "Automatic top-up", "/account"),
        cards: choices.collect(),
        whens: [
            Choice::new("when", "below", "When I have less than a limit", !is_days),
            Choice::new("when", "days", "Every so many days", is_days),
        ],
        manys: [
            Choice::new("many", "fixed", "Always so many tokens", !is_target),
            Choice::new(
                "many",
                "target",
                "As many as are missing to so many",
                is_target,
            ),
        ],
        below: Field::number("below", "Limit, in tokens").value(&typed.below),
        days: Field::number("days", "Days, 1 to 366").value(&typed.days),
        number: Field::number("number", "Tokens").value(&typed.number),
        action: shop.at("/account/top-up"),
        add: shop.at("/account/cards/add"),
        back: shop.at("/account/cards"),
        key: form_key(),
    }
}

/// `POST /shops/{slug}/account/top-up`.
pub async fn top_up(
    State(app): State<App>,
    Holder(member): Holder,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let scale = member.shop.vendor.token.scale;
    let problem = match typed.wanted(scale) {
        Err(why) => why,
        Ok(wanted) => {
            let keyed = member.keyed(typed.key.clone(), format!("{wanted:?}").into_bytes());
            let of = member.clone();
            let set = app
                .submit(keyed, move |tx| {
                    let vendor = &of.shop.vendor;
                    top_up_set(tx, of.me.actor(), vendor, &of.me.customer, &wanted)
                        .map_err(crate::error::Failed::from)
                })
                .await;
            match set {
                Ok(_) => return done(&member, "set"),
                Err(e) if e.status.is_server_error() => return Err(e),
                Err(e) => e.sentence(),
            }
        }
    };
    let (cards, _) = found(&app, &member).await?;
    let mut shown = top_up_page(&member, &cards, &typed);
    shown.shell.notice = Some(Notice::new(Tone::Bad, "Nothing was changed.", problem));
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// A form with nothing but its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bare {
    key: String,
}

/// `POST /shops/{slug}/account/top-up/off`.
pub async fn off(
    State(app): State<App>,
    Holder(member): Holder,
    Form(form): Form<Bare>,
) -> Result<Response> {
    let keyed = member.keyed(form.key, b"top-up off".to_vec());
    let of = member.clone();
    app.submit(keyed, move |tx| {
        top_up_off(tx, of.me.actor(), &of.me.customer).map_err(crate::error::Failed::from)
    })
    .await?;
    done(&member, "off")
}

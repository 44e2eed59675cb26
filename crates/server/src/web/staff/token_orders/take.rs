//! Taking an order of tokens over the counter, by telephone, fax, letter or e-mail (TOK-10,
//! FIG. 4): name and account number (s201), PIN (s202), how many (s203), how it is paid (s204).

use super::super::super::buy::{PackSold, pack_of, packs_sold};
use super::super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::super::register::means_words;
use super::super::super::session::StaffMember;
use super::super::super::view::format::{money, tokens};
use super::super::super::view::{Choice, Field, Notice, Shell, Tone, When};
use super::super::{May, Who, permission, said, who};
use super::{one, order_path};
use crate::error::{Problem, Result};
use crate::http::body::{Form, Query};
use crate::http::client::Client;
use crate::http::guesses::guess;
use crate::state::App;
use crate::web::staff::check::to_check;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::customer::{Customer, SecretKind, customer_by_number, customer_verify_keyed};
use scrip_domain::id::TokenOrderId;
use scrip_domain::policy::{Channel, Means};
use scrip_domain::secret::Proof;
use scrip_domain::token_sale::offline::{
    NewOfflineOrder, OfflineError, offline_means, offline_order_open,
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/take.html")]
struct TakePage {
    shell: Shell,
    here: String,
    account: Field,
    /// The customer, once the number is known.
    order: Option<OrderForm>,
    list: String,
}

/// The order of a customer who was found.
struct OrderForm {
    who: Who,
    number: String,
    pin: Field,
    tokens: Field,
    packs: Vec<Choice>,
    means: Vec<Choice>,
    channels: Vec<Choice>,
    payment: Field,
    key: String,
}

/// Whose order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whose {
    account: Option<String>,
}

/// What staff typed. It is never printed: it holds a PIN.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    account: String,
    pin: String,
    tokens: String,
    pack: String,
    means: String,
    channel: String,
    payment: String,
    accept: Option<String>,
    key: String,
}

/// What is wrong.
struct Wrong {
    status: StatusCode,
    notice: Notice,
    /// With the PIN.
    pin: bool,
}

/// `GET /shops/{slug}/staff/token-orders/new`.
pub async fn form(
    State(app): State<App>,
    May(member, _): May<permission::TokenOrders>,
    Query(whose): Query<Whose>,
) -> Result<Response> {
    let typed = Typed {
        account: whose.account.unwrap_or_default(),
        tokens: "100".to_owned(),
        ..Typed::default()
    };
    shown(&app, &member, &typed, None).await
}

async fn shown(
    app: &App,
    member: &StaffMember,
    typed: &Typed,
    wrong: Option<Wrong>,
) -> Result<Response> {
    let (of, vault, account) = (
        member.clone(),
        app.node.vault.clone(),
        typed.account.clone(),
    );
    let found = app
        .read(move |tx| {
            if account.trim().is_empty() {
                return Ok(None);
            }
            let vendor = &of.shop.vendor;
            let customer = match customer_by_number(tx, vendor, &account) {
                Ok(customer) => customer,
                Err(e) => return Ok(Some(Err(Problem::from(e)))),
            };
            let who = who(tx, &vault, of.actor(), &of.shop, &customer)?;
            let packs = packs_sold(tx, vendor, &customer)?;
            Ok::<_, Problem>(Some(Ok((customer, who, packs))))
        })
        .await?;
    let mut account = Field::text("account", "Account number").value(typed.account.as_str());
    let (mut status, mut is_unknown) = (StatusCode::OK, false);
    let order = match found {
        None => None,
        Some(Err(problem)) => {
            account = account.error(problem.sentence());
            (status, is_unknown) = (StatusCode::UNPROCESSABLE_ENTITY, true);
            None
        }
        Some(Ok((customer, who, packs))) => {
            let pin_wrong = wrong.as_ref().is_some_and(|w| w.pin);
            Some(order_form(member, &customer, who, &packs, typed, pin_wrong))
        }
    };
    let mut shell = staff_shell(member, "Take a token order", "/staff/token-orders");
    if let Some(wrong) = wrong.filter(|_| !is_unknown) {
        status = wrong.status;
        shell.notice = Some(wrong.notice);
    }
    let taken = TakePage {
        shell,
        here: member.shop.at("/staff/token-orders/new"),
        account,
        order,
        list: member.shop.at("/staff/token-orders"),
    };
    if status == StatusCode::OK {
        page(&taken)
    } else {
        page_with(status, &taken)
    }
}

fn channel_words(channel: Channel) -> &'static str {
    match channel {
        Channel::Staff => "Over the counter",
        Channel::Phone => "By telephone",
        Channel::Fax => "By fax",
        Channel::Mail => "By letter",
        Channel::Email => "By e-mail",
        Channel::Online => "On line",
    }
}

fn order_form(
    member: &StaffMember,
    customer: &Customer,
    who: Who,
    packs: &[PackSold],
    typed: &Typed,
    pin_wrong: bool,
) -> OrderForm {
    let vendor = &member.shop.vendor;
    let mut choices = Vec::new();
    if !packs.is_empty() {
        let none = typed.pack.is_empty();
        choices.push(Choice::new("pack", "", "No pack, just tokens", none));
        for sold in packs {
            let id = sold.pack.id.to_string();
            let note = format!(
                "{} for {}",
                tokens(sold.pack.tokens),
                money(sold.deal.price, &vendor.currency)
            );
            let on = typed.pack == id;
            choices.push(Choice::new("pack", id, sold.pack.name.clone(), on).note(note));
        }
    }
    let all = offline_means(&member.shop.policy, member.actor());
    let first = Means::parse(&typed.means).ok().or(all.first().copied());
    let offline: Vec<Channel> = Channel::ALL
        .iter()
        .copied()
        .filter(|c| *c != Channel::Online)
        .collect();
    let channel = Channel::parse(&typed.channel).unwrap_or(Channel::Staff);
    let mut pin = Field::secret("pin", "PIN of the customer", "off")
        .class("is-pin")
        .inputmode("numeric")
        .help("As the customer types or says it. Compare the name above, too.");
    if pin_wrong {
        pin = pin.error("This is not the customer's PIN. Nothing was ordered.");
    }
    OrderForm {
        who,
        number: customer.number.to_string(),
        pin,
        tokens: Field::number("tokens", "How many tokens")
            .value(typed.tokens.as_str())
            .help("Of a pack: a whole number of times what is in it."),
        packs: choices,
        means: all
            .iter()
            .map(|m| Choice::new("means", m.name(), means_words(*m), Some(*m) == first))
            .collect(),
        channels: offline
            .iter()
            .map(|c| Choice::new("channel", c.name(), channel_words(*c), *c == channel))
            .collect(),
        payment: Field::text("payment", "Number of the payment")
            .value(typed.payment.as_str())
            .help("Of the cheque or the purchase order, if it is there.")
            .max(200)
            .optional(),
        key: form_key(),
    }
}

fn refused(status: StatusCode, headline: &str, text: String) -> Wrong {
    Wrong {
        status,
        notice: Notice::new(Tone::Bad, headline, text),
        pin: false,
    }
}

/// `POST /shops/{slug}/staff/token-orders/new`: a wrong PIN stops it.
pub async fn take(
    State(app): State<App>,
    May(member, _): May<permission::TokenOrders>,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (vendor, account) = (member.shop.vendor.clone(), typed.account.clone());
    let found = app.read(move |tx| customer_by_number(tx, &vendor, &account));
    let Ok(customer) = found.await else {
        return shown(&app, &member, &typed, None).await;
    };
    match proven(&app, &member, client, &customer, &typed).await? {
        Proof::Proven(()) => {}
        Proof::Wrong => {
            let mut wrong = refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The order is not taken.",
                "One field needs another look.".to_owned(),
            );
            wrong.pin = true;
            return shown(&app, &member, &typed, Some(wrong)).await;
        }
        Proof::Locked { until } => {
            let text = format!(
                "Nothing was ordered. The next try is possible at {}.",
                When::minute(until)
            );
            let headline = "Too many wrong PINs in a row.";
            let wrong = refused(StatusCode::TOO_MANY_REQUESTS, headline, text);
            return shown(&app, &member, &typed, Some(wrong)).await;
        }
    }
    let taken = taken(&app, &member, &customer, &typed).await;
    let id = match taken {
        Ok(id) => id,
        Err(problem) => {
            let next = format!("/staff/token-orders/new?account={}", customer.number);
            let problem = match to_check(&member, customer.customer_id, &next, problem) {
                Ok(asked) => return asked,
                Err(problem) => problem,
            };
            let not_found = problem.status == StatusCode::NOT_FOUND;
            let forbidden = problem.status == StatusCode::FORBIDDEN;
            let (status, notice) = if not_found || forbidden {
                let text = problem.sentence();
                let notice = Notice::new(Tone::Bad, "The order is not taken.", text);
                (StatusCode::UNPROCESSABLE_ENTITY, notice)
            } else {
                said(problem)?
            };
            let wrong = Wrong {
                status,
                notice,
                pin: false,
            };
            return shown(&app, &member, &typed, Some(wrong)).await;
        }
    };
    let mut done = "taken";
    if typed.accept.is_some() {
        let key = format!("{}-accept", typed.key);
        // What is in the way of that is told on the page of the order, which is taken.
        done = one::accepted(&app, &member, id, key)
            .await
            .unwrap_or("taken");
    }
    see(&link(&order_path(&member.shop, id), &[("done", done)]))
}

/// Compares the PIN, once for each form (s202). Policy may ask for more: the order itself asks
/// for the answer to a question then.
async fn proven(
    app: &App,
    member: &StaffMember,
    client: Client,
    customer: &Customer,
    typed: &Typed,
) -> Result<Proof<()>> {
    let guess = guess(app, member.shop.vendor.book_id, client)?;
    let (customer, pin) = (customer.clone(), typed.pin.clone());
    // So few digits could be found from a plain hash of the request.
    let request = app.node.vault.hash("PIN form", &[pin.as_bytes()]).to_vec();
    let key = format!("{}-pin", typed.key);
    let keyed = member.keyed(key, request, Some(customer.customer_id));
    let proof =
        app.slow(move |node| customer_verify_keyed(node, keyed, &customer, SecretKind::Pin, &pin));
    let proof = proof.await??;
    // The same form sent again is no guess of its own.
    if proof.replayed || proof.value == Proof::Proven(()) {
        guess.right();
    }
    Ok(proof.value)
}

async fn taken(
    app: &App,
    member: &StaffMember,
    customer: &Customer,
    typed: &Typed,
) -> Result<TokenOrderId> {
    let vendor = member.shop.vendor.clone();
    let unknown =
        |e: scrip_domain::text::TextError| Problem::invalid("means_refused", e.to_string());
    let new = NewOfflineOrder {
        customer: customer.customer_id,
        quantity: Amount::parse(typed.tokens.trim(), vendor.token.scale)?,
        pack: pack_of(&typed.pack).map_err(|_| Problem::not_found("pack"))?,
        means: Means::parse(&typed.means).map_err(unknown)?,
        channel: Channel::parse(&typed.channel).map_err(unknown)?,
        quoted: None,
        payment_reference: typed.payment.clone(),
    };
    let actor = member.actor();
    let request = format!("{new:?}").into_bytes();
    let keyed = member.keyed(typed.key.clone(), request, Some(customer.customer_id));
    let done = app.submit(keyed, move |tx| {
        let order = offline_order_open(tx, actor, &vendor, &new)?;
        Ok::<_, OfflineError>(order.id)
    });
    Ok(done.await?.value)
}

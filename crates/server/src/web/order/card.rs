//! Paying an order by card instead of tokens (SHP-17): the form is that of the page that asks to
//! confirm, with a second button.

use super::address::hashed;
use super::card_way::CardAgain;
use super::confirm::{list_shown, no_address, not_placed, shown};
use super::form::{Chosen, Confirmed};
use crate::config::Cards;
use crate::error::{Problem, Result, refused};
use crate::http::body::{Form, Path};
use crate::state::App;
use crate::web::buy::card::{self, Entry, with_script};
use crate::web::frame::{self, member_shell};
use crate::web::gate;
use crate::web::payer::check_payer;
use crate::web::session::Member;
use crate::web::view::format::{counted, money};
use crate::web::view::{Notice, Shell, Tone};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::card::{PaymentState, card_by_method, payment_of};
use scrip_domain::command::CommandError;
use scrip_domain::id::{CardId, CardOrderId, PaymentSessionId};
use scrip_domain::order::by_card::{
    ByCard, CardOrderState, CardOrderView, Outcome, Placed, card_order_by_id, card_order_charge,
    card_order_resolve, order_by_card_keyed,
};
use scrip_domain::order::{Extras, OrderError, Refusal};
use scrip_domain::token_sale::TokenSaleError;
use scrip_engine::Error as EngineError;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "order/over.html")]
struct OverPage {
    shell: Shell,
    tries: String,
    anew: String,
    list: String,
}

#[derive(Template)]
#[template(path = "order/waiting.html")]
struct WaitingPage {
    shell: Shell,
    money: String,
    here: String,
    shelf: String,
}

#[derive(Template)]
#[template(path = "order/question.html")]
struct QuestionPage {
    shell: Shell,
    entry: Entry,
    secret: String,
    action: String,
    back: String,
}

/// Asked again when the database did not say whether the order stands: the key tells.
const TRIES: usize = 3;

/// What the form wants, as far as it could be read.
struct Try {
    chosen: Chosen,
    form: Confirmed,
}

impl Try {
    /// True when a new card is to be kept.
    fn is_kept(&self) -> bool {
        !self.form.keep.is_empty() && self.form.card.parse::<CardId>().is_err()
    }

    /// The card part of the page again.
    fn again(&self) -> CardAgain {
        CardAgain {
            card: self.form.card.clone(),
            keep: self.is_kept(),
            session: self.form.session.clone(),
            error: String::new(),
        }
    }
}

/// `GET /shops/{slug}/confirm/card`: the page that asks to confirm, with the card part open; also
/// where tokens are short. Where the shop takes no cards it is the page without.
pub async fn form(State(app): State<App>, member: Member) -> Result<Response> {
    list_shown(&app, &member, Some(CardAgain::default())).await
}

/// `POST /shops/{slug}/confirm/card`: places the order that was shown, and a card pays it.
pub async fn pay(
    State(app): State<App>,
    member: Member,
    Form(form): Form<Confirmed>,
) -> Result<Response> {
    check_payer(&member, &form.account)?;
    let tried = Try {
        chosen: form.chosen(&member.shop)?,
        form,
    };
    if app.settings.cards == Cards::None {
        return withdrawn(&app, &member, &tried).await;
    }
    if tried.chosen.to.wrong.is_some() {
        let again = tried.again();
        return no_address(&app, &member, tried.chosen, Some(again)).await;
    }
    let chosen = card::chosen(&app, &member, &tried.form.card, &tried.form.method).await?;
    let method = match chosen {
        Ok(method) => method,
        Err(error) => {
            let notice = Notice::new(Tone::Bad, "No card was chosen.", "Nothing was charged.");
            let again = CardAgain {
                error,
                ..tried.again()
            };
            return page_again(&app, &member, &tried, again, notice).await;
        }
    };
    let new = match read(&app, &member, &tried, &method).await? {
        Ok(new) => new,
        Err(notice) => {
            let again = CardAgain {
                session: String::new(),
                ..tried.again()
            };
            return page_again(&app, &member, &tried, again, notice).await;
        }
    };
    // Where the choice is off, no card is kept for nothing; the command decides by what holds then.
    if tried.is_kept() && member.shop.policy.checkout.card {
        card::wish(&app, &member, &method).await?;
    }
    let key = tried.form.key.clone();
    let to = tried.chosen.to.given();
    let asked = format!("by card {new:?} {}", hashed(&app.node.vault, to.as_ref())?);
    let keyed = member.keyed(key, asked.into_bytes());
    let new = ByCard { to, ..new };
    let vendor = member.shop.vendor.clone();
    let done = app
        .by_card(move |node, cards| {
            let mut tries = 1;
            loop {
                let done = order_by_card_keyed(node, cards, keyed.clone(), &vendor, new.clone());
                let unknown = matches!(
                    &done,
                    Err(OrderError::Engine(EngineError::OutcomeUnknown(_))
                        | OrderError::Command(CommandError::Engine(EngineError::OutcomeUnknown(
                            _
                        ))))
                );
                if !unknown || tries == TRIES {
                    return done;
                }
                tries += 1;
            }
        })
        .await?;
    match done {
        Ok(answer) => answered(&app, &member, tried, &method, answer.value).await,
        Err(e) => failed(&app, &member, tried, e).await,
    }
}

/// What was sent, or what is wrong with it.
async fn read(
    app: &App,
    member: &Member,
    tried: &Try,
    method: &str,
) -> Result<std::result::Result<ByCard, Notice>> {
    let vendor = &member.shop.vendor;
    let customer = member.me.customer.customer_id;
    let Ok(quoted) = Amount::parse(&tried.form.money, vendor.currency.scale) else {
        let text = "the form names no price in money: open the page anew";
        return Err(Problem::invalid("form_invalid", text));
    };
    let payment_session = match tried.form.session.as_str() {
        "" => None,
        session => match session.parse::<PaymentSessionId>() {
            Ok(session) => Some(session),
            Err(_) => return Ok(Err(begun_elsewhere())),
        },
    };
    let (book, of) = (vendor.book_id, method.to_owned());
    let known = app
        .read(move |tx| card_by_method(tx, book, customer, &of))
        .await?;
    Ok(Ok(ByCard {
        customer,
        lines: tried.chosen.wanted.clone(),
        reference: String::new(),
        extras: Extras {
            supply: tried.chosen.supply.clone(),
            coupon: tried.chosen.coupon.clone(),
            address: None,
        },
        to: None,
        payment_session,
        card: method.to_owned(),
        last_four: known.map(|card| card.looks.last_four).unwrap_or_default(),
        quoted: Some(quoted),
        from_list: true,
    }))
}

fn begun_elsewhere() -> Notice {
    Notice::new(
        Tone::Warn,
        "This payment was begun elsewhere.",
        "Nothing was charged. Send the form again: that begins a new payment.",
    )
}

/// The page with the order as it would be now, the card part open.
async fn page_again(
    app: &App,
    member: &Member,
    tried: &Try,
    again: CardAgain,
    notice: Notice,
) -> Result<Response> {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if !member.sight.may_order() {
        return gate::closed(app, member, status).await;
    }
    let review = tried.chosen.clone().review(app, member).await?;
    shown(
        app,
        member,
        &review,
        (Some(notice), None),
        status,
        Some(again),
    )
    .await
}

/// The vendor takes no cards for orders any more.
async fn withdrawn(app: &App, member: &Member, tried: &Try) -> Result<Response> {
    let status = StatusCode::CONFLICT;
    if !member.sight.may_order() {
        return gate::closed(app, member, status).await;
    }
    let review = tried.chosen.clone().review(app, member).await?;
    let notice = Notice::new(
        Tone::Warn,
        "Orders are not paid by card here any more.",
        "The shop has changed that meanwhile. Nothing was charged and nothing was taken. You can \
         pay with tokens.",
    );
    let told = (Some(notice), None);
    let by_card = Some(CardAgain::default());
    shown(app, member, &review, told, status, by_card).await
}

/// Where the customer goes when the order stands, or was refused.
async fn answered(
    app: &App,
    member: &Member,
    tried: Try,
    method: &str,
    placed: Placed,
) -> Result<Response> {
    let (id, session, outcome) = match placed {
        Placed::Asked {
            id,
            payment_session,
            outcome,
            ..
        } => (id, payment_session, outcome),
        Placed::Refused { order_id, refusal } => {
            app.metrics.order(false);
            if refusal == Refusal::CardNotTaken {
                return withdrawn(app, member, &tried).await;
            }
            let problem = refused(&order_id.to_string(), &refusal);
            let again = tried.again();
            return not_placed(app, member, tried.chosen, &refusal, problem, Some(again)).await;
        }
    };
    match outcome {
        Outcome::Completed { order_id } => {
            app.metrics.order(true);
            if tried.is_kept() {
                card::keep(app, member, method).await?;
            }
            frame::see(&member.shop.at(&format!("/orders/{order_id}")))
        }
        Outcome::Awaiting => frame::see(&at(member, id)),
        Outcome::Declined {
            attempts_left: 0, ..
        } => {
            app.metrics.order(false);
            over(member)
        }
        Outcome::Declined {
            reason,
            attempts_left,
            ..
        } => {
            app.metrics.order(false);
            let left = counted(attempts_left, "try is", "tries are");
            let notice = Notice::new(
                Tone::Bad,
                "The card was declined.",
                format!(
                    "The order was not placed, nothing was charged, and your tokens and your \
                     order list are as they were. {left} left."
                ),
            );
            let again = CardAgain {
                session: session.to_string(),
                error: Problem::invalid("declined", reason).sentence(),
                ..tried.again()
            };
            page_again(app, member, &tried, again, notice).await
        }
    }
}

/// What is said when no card was asked.
async fn failed(app: &App, member: &Member, tried: Try, error: OrderError) -> Result<Response> {
    let mut again = tried.again();
    let notice = match error {
        OrderError::TokenSale(TokenSaleError::SessionOver) => return over(member),
        OrderError::TokenSale(TokenSaleError::SessionUnknown) => {
            again.session.clear();
            begun_elsewhere()
        }
        OrderError::TokenSale(TokenSaleError::UnderWay) => Notice::new(
            Tone::Warn,
            "Another payment is under way.",
            "This one was not begun and nothing was charged for it. Wait for the answer to the \
             other one, two minutes at most.",
        )
        .action("Your orders", member.shop.at("/orders")),
        OrderError::CardPriceChanged => Notice::new(
            Tone::Warn,
            "The price in money has changed.",
            "Nothing was charged. What the order costs now is below.",
        ),
        OrderError::NothingToPay => Notice::new(
            Tone::Warn,
            "This order costs nothing.",
            "There is nothing for a card to pay. Confirm it below.",
        ),
        OrderError::Command(CommandError::KeyReused) => Notice::new(
            Tone::Warn,
            "This form was sent before.",
            "What it was sent for then is among your orders; nothing was charged now. Send it \
             again if you want this too.",
        )
        .action("Your orders", member.shop.at("/orders")),
        other => return Err(other.into()),
    };
    page_again(app, member, &tried, again, notice).await
}

/// REG-09, TOK-09: the last declined card ends the payment session.
fn over(member: &Member) -> Result<Response> {
    let allowed = member.shop.vendor.declines_allowed;
    let page = OverPage {
        shell: member_shell(member, "Payment ended", "/confirm"),
        tries: counted(allowed, "card was", "cards in a row were"),
        anew: member.shop.at("/confirm"),
        list: member.shop.at("/list"),
    };
    frame::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn at(member: &Member, id: CardOrderId) -> String {
    member.shop.at(&format!("/card-orders/{id}"))
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Asked {
    order: CardOrderId,
}

async fn load(app: &App, member: &Member, id: CardOrderId) -> Result<CardOrderView> {
    let (actor, book) = (member.me.actor(), member.shop.vendor.book_id);
    app.read(move |tx| card_order_by_id(tx, actor, book, id))
        .await
}

/// True while the customer's bank wants to hear from the customer.
async fn is_question(app: &App, member: &Member, id: CardOrderId) -> Result<bool> {
    let book = member.shop.vendor.book_id;
    let payment = app.read(move |tx| payment_of(tx, book, id)).await?;
    Ok(payment.is_some_and(|payment| payment.state == PaymentState::Action))
}

/// `GET /shops/{slug}/card-orders/{order}`: while the card has not answered; then the receipt.
pub async fn show(
    State(app): State<App>,
    member: Member,
    Path(Asked { order }): Path<Asked>,
) -> Result<Response> {
    let found = load(&app, &member, order).await?;
    if let Some(order_id) = found.order_id {
        return frame::see(&member.shop.at(&format!("/orders/{order_id}")));
    }
    if is_question(&app, &member, order).await? {
        let vendor = member.shop.vendor.clone();
        let charge = app
            .read(move |tx| card_order_charge(tx, &vendor, order))
            .await?
            .0;
        let secret = app.by_card(move |_, cards| cards.question(&charge)).await?;
        if let (Some(entry), Some(secret)) = (Entry::of(&app), secret?) {
            let asked = frame::page(&QuestionPage {
                shell: member_shell(&member, "Confirm the payment", "/orders"),
                entry,
                secret,
                action: at(&member, order),
                back: member.shop.at("/orders"),
            })?;
            return Ok(with_script(&app, asked));
        }
    }
    frame::page(&WaitingPage {
        shell: member_shell(&member, "The card has not answered", "/orders"),
        money: money(found.price, &member.shop.vendor.currency),
        here: at(&member, order),
        shelf: member.shop.at("/shop"),
    })
}

/// `POST /shops/{slug}/card-orders/{order}`: the customer comes back from the bank. Asking twice
/// does no harm, so the form has no key.
pub async fn confirmed(
    State(app): State<App>,
    member: Member,
    Path(Asked { order }): Path<Asked>,
) -> Result<Response> {
    let found = load(&app, &member, order).await?;
    // Only where the bank was to be asked nothing else can be under way for the order.
    if found.state == CardOrderState::Awaiting && is_question(&app, &member, order).await? {
        let vendor = member.shop.vendor.clone();
        app.by_card(move |node, cards| card_order_resolve(node, cards, &vendor, order))
            .await?
            .map_err(Problem::from)?;
    }
    frame::see(&at(&member, order))
}

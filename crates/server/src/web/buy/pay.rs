//! Taking an order of tokens: the card is asked, and what it says decides where the customer goes
//! (TOK-08, TOK-09, TOK-14, REG-07, REG-09).

use super::bought::with_flag;
use super::packs::pack_of;
use super::{Again, Wish, back_to, card, closed, confirm, shown};
use crate::config::Cards;
use crate::error::{Problem, Result};
use crate::http::body::Form;
use crate::state::App;
use crate::web::frame::{link, member_shell, page_with, see};
use crate::web::payer::check_payer;
use crate::web::session::Member;
use crate::web::view::format::counted;
use crate::web::view::{Notice, Shell, Tone};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::command::CommandError;
use scrip_domain::customer::State as AccountState;
use scrip_domain::id::{CardId, PaymentSessionId};
use scrip_domain::token_sale::{Bought, Outcome, TokenPurchase, TokenSaleError, token_buy_keyed};
use scrip_engine::Error as EngineError;
use serde::Deserialize;

/// The form.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    tokens: String,
    card: String,
    /// The account that the page named.
    #[serde(default)]
    account: String,
    /// The processor's token for a card that was entered.
    #[serde(default)]
    method: String,
    /// True when the card is to be kept.
    #[serde(default)]
    keep: String,
    key: String,
    #[serde(default, rename = "return")]
    back: String,
    /// The payment session that counts declines; empty begins one.
    #[serde(default)]
    session: String,
    /// What the page said that it costs; empty takes today's price.
    #[serde(default)]
    price: String,
    /// The pack that was chosen; empty for just tokens.
    #[serde(default)]
    pack: String,
}

impl Purchase {
    fn wish(&self) -> Wish {
        Wish {
            tokens: Some(self.tokens.clone()),
            pack: self.pack.clone(),
        }
    }

    /// True when a new card is to be kept.
    fn is_kept(&self) -> bool {
        !self.keep.is_empty() && self.card.parse::<CardId>().is_err()
    }
}

#[derive(Template)]
#[template(path = "buy/over.html")]
struct OverPage {
    shell: Shell,
    tries: String,
    is_inactive: bool,
    anew: String,
    back: String,
}

/// Asked again when the database did not say whether the order stands: the key tells.
const TRIES: usize = 3;

/// `POST /shops/{slug}/buy`.
pub async fn buy(
    State(app): State<App>,
    member: Member,
    headers: HeaderMap,
    Form(form): Form<Purchase>,
) -> Result<Response> {
    check_payer(&member, &form.account)?;
    let back = back_to(&member.shop, Some(&form.back), &headers);
    if app.settings.cards == Cards::None {
        return closed(&member, back);
    }
    let method = match card::chosen(&app, &member, &form.card, &form.method).await? {
        Ok(method) => method,
        Err(why) => {
            let again = no_card(&form, why);
            return shown(&app, &member, &form.wish(), &back, again).await;
        }
    };
    let new = match read(&member, &form, &method) {
        Ok(new) => new,
        Err(again) => return shown(&app, &member, &form.wish(), &back, *again).await,
    };
    if form.is_kept() {
        card::wish(&app, &member, &method).await?;
    }
    let keyed = member.keyed(form.key.clone(), format!("{new:?}").into_bytes());
    let vendor = member.shop.vendor.clone();
    let done = app
        .by_card(move |node, cards| {
            let mut tries = 1;
            loop {
                let done = token_buy_keyed(node, cards, keyed.clone(), &vendor, new.clone());
                let unknown = matches!(
                    &done,
                    Err(TokenSaleError::Engine(EngineError::OutcomeUnknown(_))
                        | TokenSaleError::Command(CommandError::Engine(
                            EngineError::OutcomeUnknown(_)
                        )))
                );
                if !unknown || tries == TRIES {
                    return done;
                }
                tries += 1;
            }
        })
        .await?;
    match done {
        Ok(answer) => {
            let is_paid = matches!(answer.value.outcome, Outcome::Cleared { .. });
            if is_paid && form.is_kept() {
                card::keep(&app, &member, &method).await?;
            }
            answered(&app, &member, &form, &back, answer.value).await
        }
        Err(e) => refused(&app, &member, &form, &back, e).await,
    }
}

/// What was typed, or what is wrong with it.
fn read(
    member: &Member,
    form: &Purchase,
    method: &str,
) -> std::result::Result<TokenPurchase, Box<Again>> {
    let vendor = &member.shop.vendor;
    let wrong = |headline: &str, text: &str| {
        Box::new(Again {
            card: form.card.clone(),
            session: form.session.clone(),
            notice: Some(Notice::new(Tone::Bad, headline, text)),
            ..Again::default()
        })
    };
    let Ok(quantity) = Amount::parse(form.tokens.trim(), vendor.token.scale) else {
        return Err(wrong("This is no number of tokens.", "Nothing was bought."));
    };
    let Ok(pack) = pack_of(&form.pack) else {
        return Err(wrong("There is no such pack.", "Nothing was bought."));
    };
    let quoted = match form.price.as_str() {
        "" => None,
        price => match Amount::parse(price, vendor.currency.scale) {
            Ok(price) => Some(price),
            Err(_) => return Err(wrong("This is no price.", "Nothing was bought.")),
        },
    };
    let payment_session = match form.session.as_str() {
        "" => None,
        session => match session.parse::<PaymentSessionId>() {
            Ok(session) => Some(session),
            Err(_) => return Err(Box::new(begun_anew(form))),
        },
    };
    Ok(TokenPurchase {
        customer: member.me.customer.customer_id,
        payment_session,
        quantity,
        pack,
        quoted,
        card: method.to_owned(),
        reference: String::new(),
        effective_at: None,
    })
}

fn no_card(form: &Purchase, why: String) -> Again {
    Again {
        card_error: why,
        keep: form.is_kept(),
        session: form.session.clone(),
        notice: Some(Notice::new(
            Tone::Bad,
            "No card was chosen.",
            "Nothing was bought.",
        )),
        ..Again::default()
    }
}

fn begun_anew(form: &Purchase) -> Again {
    Again {
        card: form.card.clone(),
        notice: Some(Notice::new(
            Tone::Warn,
            "This payment was begun elsewhere.",
            "Nothing was bought. Send the form again: that begins a new payment.",
        )),
        ..Again::default()
    }
}

/// Where the customer goes when the card was asked.
async fn answered(
    app: &App,
    member: &Member,
    form: &Purchase,
    back: &str,
    bought: Bought,
) -> Result<Response> {
    match bought.outcome {
        Outcome::Cleared { .. } => see(&with_flag(back, bought.order)),
        Outcome::Awaiting if confirm::question(app, member, bought.order).await? => {
            see(&confirm::at(member, bought.order, back))
        }
        Outcome::Awaiting => {
            let order = bought.order.to_string();
            let query = [("order", order.as_str()), ("return", back)];
            see(&link(&member.shop.at("/buy/orders"), &query))
        }
        Outcome::Declined {
            attempts_left: 0, ..
        } => over(member, form, back),
        Outcome::Declined {
            reason,
            attempts_left,
        } => {
            let left = counted(attempts_left, "try is", "tries are");
            let again = Again {
                card: form.card.clone(),
                card_error: Problem::invalid("declined", reason).sentence(),
                keep: form.is_kept(),
                session: bought.payment_session.to_string(),
                notice: Some(Notice::new(
                    Tone::Bad,
                    "The card was declined.",
                    format!(
                        "No tokens were bought, nothing was charged, and your order list is kept. \
                         {left} left."
                    ),
                )),
            };
            shown(app, member, &form.wish(), back, again).await
        }
    }
}

/// What is said when no card was asked.
async fn refused(
    app: &App,
    member: &Member,
    form: &Purchase,
    back: &str,
    error: TokenSaleError,
) -> Result<Response> {
    let orders = member.shop.at("/buy/orders");
    let again = |tone, headline: &str, text: &str| Again {
        card: form.card.clone(),
        session: form.session.clone(),
        notice: Some(Notice::new(tone, headline, text)),
        ..Again::default()
    };
    let again = match error {
        TokenSaleError::SessionOver => return over(member, form, back),
        TokenSaleError::SessionUnknown => begun_anew(form),
        TokenSaleError::PriceChanged => again(
            Tone::Warn,
            "The price has changed.",
            "Nothing was charged. What the tokens cost now is below.",
        ),
        TokenSaleError::UnderWay => {
            let mut again = again(
                Tone::Warn,
                "Another payment is under way.",
                "This one was not begun and nothing was charged for it. Wait for the answer to \
                 the other one, two minutes at most.",
            );
            again.notice = again.notice.map(|n| n.action("Tokens bought", orders));
            again
        }
        TokenSaleError::Command(CommandError::KeyReused) => {
            let mut again = again(
                Tone::Warn,
                "This form was sent before.",
                "It bought tokens then, and was changed since; nothing was bought now. Send it \
                 again if you want these too.",
            );
            again.notice = again.notice.map(|n| n.action("Tokens bought", orders));
            again
        }
        TokenSaleError::QuantityNotPositive
        | TokenSaleError::QuantityTooLarge
        | TokenSaleError::PackNotWhole
        | TokenSaleError::PackNotSold
        | TokenSaleError::Ledger(scrip_ledger::Error::Overflow) => again(
            Tone::Bad,
            "So many tokens cannot be bought at once.",
            "Nothing was charged. Choose another number.",
        ),
        other => return Err(other.into()),
    };
    shown(app, member, &form.wish(), back, again).await
}

/// REG-09, TOK-09: the last declined card ends the payment session.
fn over(member: &Member, form: &Purchase, back: &str) -> Result<Response> {
    let allowed = member.shop.vendor.declines_allowed;
    let anew = [
        ("tokens", form.tokens.trim()),
        ("pack", &*form.pack),
        ("return", back),
    ];
    let page = OverPage {
        shell: member_shell(member, "Payment ended", "/buy"),
        tries: counted(allowed, "card was", "cards in a row were"),
        is_inactive: member.me.customer.state == AccountState::Inactive,
        anew: link(&member.shop.at("/buy"), &anew),
        back: back.to_owned(),
    };
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

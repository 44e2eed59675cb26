//! The part of the confirmation in which a card may pay (SHP-17).

use super::review::Review;
use crate::config::Cards;
use crate::error::{Failed, Result};
use crate::state::App;
use crate::web::buy::card::CardPart;
use crate::web::session::Member;
use crate::web::view::format;
use scrip_domain::card::cards_of;
use scrip_domain::order::by_card::card_order_price;

/// Paying by card instead of tokens (SHP-17).
pub struct CardWay {
    /// The choice of cards.
    pub part: CardPart,
    /// What it costs, in words.
    pub money: String,
    /// What it costs, as the form says it.
    pub price: String,
    /// The payment session; empty begins one.
    pub session: String,
    /// Where the form goes.
    pub action: String,
    /// True when the part stands open.
    pub is_open: bool,
}

/// What was chosen on the card part of the page before.
#[derive(Clone, Default)]
pub struct CardAgain {
    /// The card.
    pub card: String,
    /// True when it is to be kept.
    pub keep: bool,
    /// The payment session; empty begins one.
    pub session: String,
    /// What is wrong with the card; empty otherwise.
    pub error: String,
}

/// How a card may pay, where the vendor and the node take cards and there is something to pay.
pub async fn card_way(
    app: &App,
    member: &Member,
    review: &Review,
    again: Option<&CardAgain>,
) -> Result<Option<CardWay>> {
    let required = review.quote.required;
    let takes = member.shop.policy.checkout.card && app.settings.cards != Cards::None;
    // A coupon counts with tokens alone.
    let has_coupon = review
        .quote
        .coupon
        .as_ref()
        .is_some_and(|c| c.off.is_positive());
    if !takes || has_coupon || !required.is_positive() {
        return Ok(None);
    }
    let of = member.clone();
    let (price, saved) = app
        .read(move |tx| {
            let price = card_order_price(tx, &of.shop.vendor, required)?;
            let saved = cards_of(tx, of.me.actor(), &of.me.customer)?;
            Ok::<_, Failed>((price, saved))
        })
        .await?;
    let is_open = again.is_some();
    let again = again.cloned().unwrap_or_default();
    let currency = &member.shop.vendor.currency;
    Ok(Some(CardWay {
        part: CardPart::new(app, &saved, &again.card, again.keep, again.error),
        money: format::money(price, currency),
        price: price.decimal(currency.scale),
        session: again.session,
        action: member.shop.at("/confirm/card"),
        is_open,
    }))
}

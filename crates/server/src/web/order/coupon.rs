//! The coupon of an order: entering it on the order list or where the order is confirmed, seeing
//! what it does, taking it off (ADV-06). Works without a script.

use super::confirm;
use crate::error::{Problem, Result, sentence};
use crate::http::body::Form;
use crate::state::App;
use crate::web::frame;
use crate::web::gate;
use crate::web::list;
use crate::web::session::{Member, Shop};
use crate::web::view::format::tokens;
use crate::web::view::{Field, When};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::order::{OrderError, QuoteCoupon};
use scrip_domain::promotion::{CouponFault, CouponKey, coupon_clear, coupon_enter};
use scrip_engine::Timestamp;
use serde::Deserialize;

/// The longest code that is looked at; a field takes no more.
const CODE_AT_MOST: u32 = 60;

/// The part of a page where a coupon is entered or taken off.
pub struct CouponForm {
    /// Where it goes.
    pub action: String,
    /// The page that it stands on: `list` or `confirm`.
    pub back: &'static str,
    /// The coupon that is entered, and what became of it.
    pub entered: Option<CouponView>,
    /// Where a code is typed.
    pub field: Field,
}

/// A coupon that was entered.
pub struct CouponView {
    /// Its name.
    pub name: String,
    /// What it takes off, or why nothing.
    pub said: String,
    /// True where it is good.
    pub is_good: bool,
}

/// What a customer typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    code: String,
    remove: String,
    back: String,
}

/// What was typed and not taken.
pub struct Wrong {
    typed: String,
    said: String,
}

/// Why a coupon takes nothing off, with the time in words where there is one.
pub fn words(fault: &CouponFault) -> String {
    let at = |micros: i64| When::minute(Timestamp(micros)).words;
    match fault {
        CouponFault::NotYet { from } => {
            format!("This coupon is not good yet. It begins on {}.", at(*from))
        }
        CouponFault::TooMany { until } => format!(
            "Too many wrong codes were entered with this account. The next one is looked at after \
             {}.",
            at(*until)
        ),
        CouponFault::TooSmall { least } => format!(
            "This coupon is for orders of {} or more. Add something, or order without it.",
            tokens(*least)
        ),
        other => sentence(&other.to_string()),
    }
}

/// What became of a coupon.
pub fn view(coupon: &QuoteCoupon) -> CouponView {
    let name = match coupon.name.as_str() {
        "" => "Your coupon".to_owned(),
        name => name.to_owned(),
    };
    let (said, is_good) = match &coupon.fault {
        Some(fault) => (words(fault), false),
        None if coupon.off.is_zero() => (
            "It takes nothing off here: the shop's own promotions take off as much or more. It is \
             not used up."
                .to_owned(),
            true,
        ),
        None => (format!("It takes off {}.", tokens(coupon.off)), true),
    };
    CouponView {
        name,
        said,
        is_good,
    }
}

impl CouponForm {
    /// The form of a page.
    pub fn new(
        shop: &Shop,
        back: &'static str,
        coupon: Option<&QuoteCoupon>,
        wrong: Option<&Wrong>,
    ) -> CouponForm {
        let mut field = Field::text("code", "Coupon code")
            .class("is-mid")
            .max(CODE_AT_MOST);
        if let Some(wrong) = wrong {
            field = field.value(wrong.typed.as_str()).error(wrong.said.as_str());
            field.autofocus = true;
        }
        CouponForm {
            action: shop.at("/coupon"),
            back,
            entered: coupon.map(view),
            field,
        }
    }
}

/// `POST /shops/{slug}/coupon`: enters a code, or takes the coupon off.
pub async fn change(
    State(app): State<App>,
    member: Member,
    Form(form): Form<Typed>,
) -> Result<Response> {
    if !member.sight.may_order() {
        return gate::closed(&app, &member, StatusCode::CONFLICT).await;
    }
    let is_confirm = form.back == "confirm";
    let page = if is_confirm { "/confirm" } else { "/list" };
    let (actor, customer) = (member.me.actor(), member.me.customer.clone());
    if !form.remove.is_empty() {
        let done = app.write(move |tx| {
            coupon_clear(tx, actor, &customer)?;
            Ok::<_, OrderError>(())
        });
        done.await?;
        return frame::see(&member.shop.at(page));
    }
    let typed: String = form.code.chars().take(CODE_AT_MOST as usize).collect();
    if form.code.chars().count() > CODE_AT_MOST as usize {
        let text = "a coupon code has 60 characters at most: look at it again";
        return Err(Problem::invalid("form_invalid", text));
    }
    let said = if typed.trim().is_empty() {
        Some("Type the code of the coupon.".to_owned())
    } else {
        let key = CouponKey::of(&app.node.vault, customer.book_id, &typed);
        let fault = app.write(move |tx| {
            let fault = coupon_enter(tx, actor, &customer, &key)?;
            Ok::<_, OrderError>(fault)
        });
        fault.await?.as_ref().map(words)
    };
    let Some(said) = said else {
        return frame::see(&member.shop.at(page));
    };
    let wrong = Wrong { typed, said };
    match is_confirm {
        true => confirm::with_wrong(&app, &member, &wrong).await,
        false => list::with_wrong(&app, &member, &wrong).await,
    }
}

/// The form where an order is confirmed.
pub fn of_confirm(shop: &Shop, coupon: Option<&QuoteCoupon>, wrong: Option<&Wrong>) -> CouponForm {
    CouponForm::new(shop, "confirm", coupon, wrong)
}

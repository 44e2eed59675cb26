//! What every purchase needs of the settings: the minimum, declined cards, the time after a refund
//! (REG-06, REG-09, SHP-19).

use super::super::super::frame::{form_key, link, page, page_with, see, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::format::tokens;
use super::super::super::view::{Field, Notice, Shell, Tone};
use super::super::{May, permission, said};
use super::Asked;
use crate::error::{Failed, Problem, Result, sentence};
use crate::http::body::{Form, Query};
use crate::settings::effect::Facts;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::vendor::{Limits, Minimums, Permission, is_sweeping, limits_set};
use scrip_ledger::Amount;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "staff/settings/limits.html")]
struct LimitsPage {
    shell: Shell,
    fields: [Field; 4],
    effect: String,
    may: bool,
    here: String,
    back: String,
    began: String,
    key: String,
}

/// What was typed; `began` is what held when the form was drawn.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    minimum: String,
    /// One country on each line.
    #[serde(default)]
    minimums: String,
    declines: String,
    grace: String,
    began: String,
    key: String,
}

/// All of them as one text, for a hidden field.
fn written(limits: &Limits) -> String {
    let minimum = limits.minimum_tokens.units();
    format!(
        "{minimum} {} {} {}",
        limits.declines_allowed,
        limits.refund_grace_s,
        limits.minimums.to_string().replace('\n', ";")
    )
}

fn read(text: &str) -> Option<Limits> {
    let mut parts = text.splitn(4, ' ');
    let mut number = || parts.next()?.parse().ok();
    Some(Limits {
        minimum_tokens: Amount::from_units(number()?),
        declines_allowed: number()?,
        refund_grace_s: number()?,
        minimums: parts.next()?.replace(';', "\n").parse().ok()?,
    })
}

const DAY_S: i64 = 24 * 3600;

async fn limits_page(app: &App, member: &StaffMember) -> Result<LimitsPage> {
    let of = member.shop.clone();
    let (facts, is_sweeping) = app
        .read(move |tx| {
            let facts = Facts::look(tx, of.vendor.book_id, of.token_price)?;
            Ok::<_, Problem>((facts, is_sweeping(tx, of.vendor.book_id)?))
        })
        .await?;
    let vendor = &member.shop.vendor;
    let limits = Limits::of(vendor);
    let minimum = limits.minimum_tokens;
    let mut effect = format!(
        "{} have fewer than {} now. An account that is active stays active.",
        facts.below(minimum),
        tokens(minimum)
    );
    if is_sweeping {
        effect.push_str(" Accounts that have enough are being made active at the moment.");
    }
    Ok(LimitsPage {
        shell: staff_shell(member, "Limits", "/staff/settings"),
        fields: [
            Field::number("minimum", "Tokens that make an account active")
                .value(minimum.decimal(vendor.token.scale))
                .help("0: every account is active at once. Lowered, it makes accounts active that have enough."),
            Field::area("minimums", "Countries that have their own")
                .value(limits.minimums.to_string())
                .help("One on each line: two letters and a number of tokens, as DE 100. The number above holds for all others."),
            Field::number("declines", "Declined cards in a row that end a payment")
                .inputmode("numeric")
                .value(limits.declines_allowed.to_string()),
            Field::number("grace", "Days that tokens stay usable which come back after their end")
                .inputmode("numeric")
                .value((limits.refund_grace_s / DAY_S).to_string())
                .help("A refund gives tokens back that may have ended meanwhile."),
        ],
        effect,
        may: member.staff.role.may(Permission::Policy),
        here: member.shop.at("/staff/settings/limits"),
        back: member.shop.at("/staff/settings"),
        began: written(&limits),
        key: form_key(),
    })
}

/// `GET /shops/{slug}/staff/settings/limits`.
pub async fn form(
    State(app): State<App>,
    member: StaffMember,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let mut page_of = limits_page(&app, &member).await?;
    page_of.shell.notice = asked.done.map(|_| {
        let text = "Accounts that have enough now become active within a minute.";
        Notice::new(Tone::Good, "The limits are changed.", text)
    });
    page(&page_of)
}

/// `POST /shops/{slug}/staff/settings/limits`.
pub async fn save(
    State(app): State<App>,
    May(member, _): May<permission::Policy>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let unread = || Problem::invalid("form_invalid", "the form does not say what it began with");
    let began = read(&typed.began).ok_or_else(unread)?;
    let vendor = member.shop.vendor.clone();
    let whole = |text: &str| text.trim().parse::<i64>().ok();
    let minimum = Amount::parse(typed.minimum.trim(), vendor.token.scale);
    let grace = whole(&typed.grace);
    // A time that is no whole number of days stays as it was when the days did.
    let grace_s = match grace {
        Some(days) if days == began.refund_grace_s / DAY_S => Some(began.refund_grace_s),
        Some(days) => days.checked_mul(DAY_S),
        None => None,
    };
    let minimums: std::result::Result<Minimums, _> = typed.minimums.parse();
    let new = match (minimum, minimums, whole(&typed.declines), grace_s) {
        (Ok(minimum_tokens), Ok(minimums), Some(declines_allowed), Some(refund_grace_s)) => {
            Limits {
                minimum_tokens,
                minimums,
                declines_allowed,
                refund_grace_s,
            }
        }
        (minimum, minimums, declines, grace) => {
            let mut page_of = again(&app, &member, &typed).await?;
            let digits = "Write a whole number, digits only.";
            let [first, second, third, fourth] = page_of.fields;
            page_of.fields = [
                first.error(
                    minimum
                        .err()
                        .map_or_else(String::new, |e| Problem::from(e).sentence()),
                ),
                second.error(
                    minimums
                        .err()
                        .map_or_else(String::new, |e| sentence(&e.to_string())),
                ),
                third.error(if declines.is_none() { digits } else { "" }),
                fourth.error(if grace.is_none() { digits } else { "" }),
            ];
            let text = "Look at the fields that are marked.";
            page_of.shell.notice = Some(Notice::new(Tone::Bad, "Nothing was changed.", text));
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of);
        }
    };
    let actor = member.actor();
    let request = format!("limits {} {}", typed.began, written(&new)).into_bytes();
    let keyed = member.keyed(format!("limits-{}", typed.key), request, None);
    let done = app.submit(keyed, move |tx| {
        limits_set(tx, actor, &vendor, &began, &new)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => see(&link(
            &member.shop.at("/staff/settings/limits"),
            &[("done", "yes")],
        )),
        Err(problem) => {
            let is_stale = problem.code == "settings_changed";
            let (status, notice) = said(problem)?;
            // A stale form is shown what holds now, any other what was typed.
            let mut page_of = if is_stale {
                limits_page(&app, &member).await?
            } else {
                again(&app, &member, &typed).await?
            };
            page_of.shell.notice = Some(notice);
            page_with(status, &page_of)
        }
    }
}

async fn again(app: &App, member: &StaffMember, typed: &Typed) -> Result<LimitsPage> {
    let mut page_of = limits_page(app, member).await?;
    let [minimum, minimums, declines, grace] = page_of.fields;
    page_of.fields = [
        minimum.value(&*typed.minimum),
        minimums.value(&*typed.minimums),
        declines.value(&*typed.declines),
        grace.value(&*typed.grace),
    ];
    page_of.began.clone_from(&typed.began);
    Ok(page_of)
}

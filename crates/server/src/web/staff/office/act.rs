//! What those who run a mall do by forms. Each form says what it does; the rules are the domain's.

use super::super::super::frame::{link, see};
use super::super::{May, permission};
use super::{AtMall, office_at, run_by};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::mall::{
    Mall, MallError, Member, MemberState, Ruling, Settles, clearing_close, clearing_pay,
    deposit_add, dispute_close, member_bar_set, member_of, member_quota_set, member_state_set,
    settling_set, value_set,
};
use scrip_domain::vendor::{Vendor, vendor_by_slug};
use scrip_domain::{Actor, Amount};
use scrip_engine::{Read, Tx};
use scrip_ledger::{CURRENCY_SCALE, TOKEN_SCALE};
use serde::Deserialize;

/// What is to be done; which of the fields count depends on it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    act: String,
    /// The page on which the form stood.
    #[serde(default)]
    back: String,
    #[serde(default)]
    vendor: String,
    /// The number of a clearing or a dispute.
    #[serde(default)]
    number: i64,
    #[serde(default)]
    amount: String,
    /// A reference, or an answer.
    #[serde(default)]
    text: String,
    key: String,
}

type Done<T> = std::result::Result<T, Failed>;

fn member_by(tx: &mut dyn Read, mall: &Mall, slug: &str) -> Done<Member> {
    let vendor = vendor_by_slug(tx, slug)?;
    let member = member_of(tx, vendor.book_id)?.filter(|m| m.mall_book == mall.book_id);
    Ok(member.ok_or(MallError::NoMember(vendor.name))?)
}

fn does(tx: &mut Tx<'_>, actor: Actor, office: &Vendor, slug: &str, sent: &Sent) -> Done<()> {
    let mall = run_by(tx, office, slug)?;
    let cash = || Amount::parse(sent.amount.trim(), CURRENCY_SCALE);
    let member = |tx: &mut Tx<'_>| member_by(tx, &mall, &sent.vendor);
    match sent.act.as_str() {
        "clear" => drop(clearing_close(tx, actor, &mall)?),
        "suspend" | "reinstate" => {
            let to = match sent.act.as_str() {
                "suspend" => MemberState::Suspended,
                _ => MemberState::Active,
            };
            let member = member(tx)?;
            member_state_set(tx, actor, &member, to)?;
        }
        "bar" | "unbar" => {
            let member = member(tx)?;
            member_bar_set(tx, actor, &member, sent.act == "bar")?;
        }
        "value" => {
            let (member, value, now) = (member(tx)?, cash()?, tx.now());
            value_set(tx, actor, &member, value, now)?;
        }
        "quota" => {
            let tokens = match sent.amount.trim() {
                "" => None,
                text => Some(Amount::parse(text, TOKEN_SCALE)?),
            };
            let member = member(tx)?;
            member_quota_set(tx, actor, &member, tokens)?;
        }
        "settles" => {
            let settles = Settles::parse(&sent.text).map_err(MallError::from)?;
            let member = member(tx)?;
            settling_set(tx, actor, &member, settles)?;
        }
        "deposit" => {
            let (member, amount) = (member(tx)?, cash()?);
            deposit_add(tx, actor, &member, amount, None)?;
        }
        "pay" => {
            let member = member(tx)?;
            let of = (sent.number, sent.text.as_str());
            clearing_pay(tx, actor, &mall, &member, of)?;
        }
        "reject" => {
            let answer = (Ruling::Reject, sent.text.as_str());
            dispute_close(tx, actor, &mall, sent.number, answer)?;
        }
        "adjust" => {
            let answer = (Ruling::Adjust(cash()?), sent.text.as_str());
            dispute_close(tx, actor, &mall, sent.number, answer)?;
        }
        _ => return Err(Problem::invalid("form_invalid", "this form is not known here").into()),
    }
    Ok(())
}

/// `POST /shops/{slug}/staff/office/{mall}/act`.
pub(super) async fn act(
    State(app): State<App>,
    May(member, _): May<permission::Mall>,
    Path(AtMall { mall }): Path<AtMall>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let request = format!("office {mall} {sent:?}").into_bytes();
    let keyed = member.keyed(format!("office-{}", sent.key), request, None);
    let (slug, given) = (mall.clone(), sent.clone());
    app.submit(keyed, move |tx| does(tx, actor, &vendor, &slug, &given))
        .await?;
    let known = ["", "/members", "/lists", "/statements"];
    let of_member = sent.back.strip_prefix("/members/");
    let is_slug = |slug: &str| slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let back = match known.contains(&sent.back.as_str()) || of_member.is_some_and(is_slug) {
        true => sent.back.as_str(),
        false => "",
    };
    let place = office_at(&member.shop, &mall, back);
    see(&link(&place, &[("done", "done")]))
}

//! One promotion or coupon: what it is, how often it was used, its codes.

use super::super::super::frame::{page_with, see};
use super::super::super::session::StaffMember;
use super::super::super::view::Field;
use super::super::super::view::format::count;
use super::*;
use crate::http::body::{Form, Path};
use crate::http::csv::{Sheet, download};
use scrip_domain::promotion::{
    CODES_AT_MOST, CodeCount, codes_count, codes_issue, promotion_by_id, promotion_stop,
    scope_in_words, uses_count,
};

#[derive(Template)]
#[template(path = "staff/promotions/one.html")]
struct OnePage {
    shell: Shell,
    name: String,
    kind: &'static str,
    state: &'static str,
    class: &'static str,
    facts: Vec<(&'static str, String)>,
    names: Vec<String>,
    forms: Option<Forms>,
    back: String,
    report: String,
}

/// What may be done, for those who may.
struct Forms {
    change: Option<String>,
    copy: String,
    stop: Option<String>,
    codes: Option<Codes>,
    key: String,
}

/// Codes to be issued.
struct Codes {
    action: String,
    field: Field,
}

/// What was just done.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {
    done: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct OnePath {
    id: String,
}

impl OnePath {
    fn id(&self) -> Result<PromotionId> {
        self.id.parse().map_err(|_| Problem::not_found("promotion"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keyed {
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodesForm {
    #[serde(default)]
    count: String,
    key: String,
}

/// All that stands on the page.
struct Found {
    promotion: Promotion,
    names: Vec<String>,
    uses: i64,
    codes: CodeCount,
}

async fn found(app: &App, member: &StaffMember, id: PromotionId) -> Result<Found> {
    let book = member.shop.vendor.book_id;
    app.read(move |tx| {
        let promotion = promotion_by_id(tx, book, id)?;
        Ok::<_, Failed>(Found {
            names: scope_in_words(tx, book, &promotion.terms.scope)?,
            uses: uses_count(tx, book, id)?,
            codes: codes_count(tx, book, id)?,
            promotion,
        })
    })
    .await
}

fn facts(member: &StaffMember, of: &Found) -> Vec<(&'static str, String)> {
    let terms = &of.promotion.terms;
    let zone = &member.shop.policy.time_zone;
    let limit = |n: i64| match n {
        0 => "Any number of orders".to_owned(),
        n => format!("{} orders at most", count(n)),
    };
    let mut facts = vec![
        ("Takes off", cut_words(terms.cut)),
        ("From", format!("{} ({zone})", local(terms.begins_at, zone))),
        ("Until", format!("{} ({zone})", local(terms.ends_at, zone))),
        ("For", scope_words(&of.promotion)),
        (
            "Whom",
            match terms.preferred_only {
                true => "Preferred customers".to_owned(),
                false => "Everybody".to_owned(),
            },
        ),
        ("One customer", limit(terms.per_customer)),
        ("All together", limit(terms.in_total)),
        (
            "Least order",
            match terms.minimum.is_zero() {
                true => "Any".to_owned(),
                false => tokens(terms.minimum).to_string(),
            },
        ),
        ("Used", format!("{} times", count(of.uses))),
    ];
    if let Some(at) = of.promotion.stopped_at {
        facts.push(("Stopped", format!("{} ({zone})", local(at.0, zone))));
    }
    if let Some(coupon) = &terms.coupon {
        let together = match coupon.combinable {
            true => "It comes off a promotion's price too",
            false => "The better one of the two counts",
        };
        facts.push(("With promotions", together.to_owned()));
        match coupon.code.as_str() {
            "" => facts.push((
                "Codes",
                format!(
                    "{} issued, {} of them used",
                    count(of.codes.issued),
                    count(of.codes.used)
                ),
            )),
            code => facts.push(("Code", code.to_owned())),
        }
    }
    facts
}

fn forms(member: &StaffMember, of: &Found) -> Forms {
    let id = of.promotion.id.to_string();
    let here = member.shop.at(&format!("{PATH}/{id}"));
    let new = member.shop.at(&format!("{PATH}/new"));
    let state = of.promotion.state(member.now);
    let is_open = matches!(state, Stands::Planned | Stands::Running);
    let coupon = of.promotion.terms.coupon.as_ref();
    Forms {
        change: (state == Stands::Planned).then(|| link(&new, &[("change", &id)])),
        copy: link(&new, &[("copy", &id)]),
        stop: is_open.then(|| format!("{here}/stop")),
        codes: coupon
            .filter(|coupon| is_open && coupon.code.is_empty())
            .map(|_| Codes {
                action: format!("{here}/codes"),
                field: Field::number("count", "How many codes")
                    .inputmode("numeric")
                    .value("100")
                    .help(format!("1 to {} at once.", count(CODES_AT_MOST))),
            }),
        key: form_key(),
    }
}

fn drawn(member: &StaffMember, of: &Found) -> OnePage {
    let terms = &of.promotion.terms;
    let (state, class) = state_words(of.promotion.state(member.now));
    let may = member.staff.role.may(Permission::Prices);
    OnePage {
        shell: staff_shell(member, terms.name.as_str(), PATH),
        name: terms.name.clone(),
        kind: match of.promotion.is_coupon() {
            true => "Coupon",
            false => "Promotion",
        },
        state,
        class,
        facts: facts(member, of),
        names: of.names.clone(),
        forms: may.then(|| forms(member, of)),
        back: member.shop.at(PATH),
        report: member.shop.at("/staff/reports/promotions"),
    }
}

/// `GET /shops/{slug}/staff/promotions/{id}`.
pub(super) async fn show(
    State(app): State<App>,
    member: StaffMember,
    Path(path): Path<OnePath>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let found = found(&app, &member, path.id()?).await?;
    let mut one = drawn(&member, &found);
    one.shell.notice = match done.done.as_deref() {
        Some("kept") => Some(Notice::new(
            Tone::Good,
            "It is kept.",
            "It takes off by itself between its dates.",
        )),
        Some("stopped") => Some(Notice::new(
            Tone::Good,
            "It is stopped.",
            "It takes nothing off any more; orders that had it keep what they paid.",
        )),
        _ => None,
    };
    page(&one)
}

async fn again(
    app: &App,
    member: &StaffMember,
    id: PromotionId,
    problem: Problem,
) -> Result<Response> {
    let (status, notice) = said(problem)?;
    let found = found(app, member, id).await?;
    let mut one = drawn(member, &found);
    one.shell.notice = Some(notice);
    page_with(status, &one)
}

/// `POST /shops/{slug}/staff/promotions/{id}/stop`.
pub(super) async fn stop(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Path(path): Path<OnePath>,
    Form(form): Form<Keyed>,
) -> Result<Response> {
    let id = path.id()?;
    let (vendor, actor) = (member.shop.vendor.clone(), member.actor());
    let keyed = member.keyed(form.key, format!("stop {id}").into_bytes(), None);
    let done = app.submit(keyed, move |tx| {
        promotion_stop(tx, actor, &vendor, id)?;
        Ok::<_, Failed>(())
    });
    match done.await {
        Ok(_) => {
            let there = member.shop.at(&format!("{PATH}/{id}"));
            see(&link(&there, &[("done", "stopped")]))
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

/// `POST /shops/{slug}/staff/promotions/{id}/codes`: the codes as a file, this once.
pub(super) async fn codes(
    State(app): State<App>,
    May(member, _): May<permission::Prices>,
    Path(path): Path<OnePath>,
    Form(form): Form<CodesForm>,
) -> Result<Response> {
    let id = path.id()?;
    let count = form.count.trim().parse::<i64>().unwrap_or(0);
    let (vendor, actor, vault) = (
        member.shop.vendor.clone(),
        member.actor(),
        app.node.vault.clone(),
    );
    let keyed = member.keyed(form.key, format!("codes {id} {count}").into_bytes(), None);
    let made = app.submit(keyed, move |tx| {
        Ok::<_, Failed>(codes_issue(tx, &vault, actor, &vendor, id, count)?)
    });
    match made.await {
        Ok(made) => {
            let mut sheet = Sheet::new(&["code"]);
            for code in &made.value {
                sheet.row(&[code]);
            }
            download(sheet.text(), "coupon-codes")
        }
        Err(problem) => again(&app, &member, id, problem).await,
    }
}

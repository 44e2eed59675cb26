//! Groups with their members' dates, manufacturers' product lists, tolls with what they brought, and
//! whose gift certificates are taken (GOV-05, GOV-07, GOV-08, GOV-14).

use super::super::super::frame::page;
use super::super::super::session::{Shop, StaffMember};
use super::super::super::view::format::{count, percent};
use super::super::super::view::{Shell, When};
use super::{AtMall, Office, Part, cash, office, parties, run_by, shell};
use crate::error::{Failed, Result};
use crate::http::body::{Path, Query};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::Amount;
use scrip_domain::gift::gift_acceptances;
use scrip_domain::mall::{LineKind, Mall, Toll, members, toll_price, traffic};
use scrip_domain::open_token::{group_members, groups, products};
use scrip_engine::{Read, ReadTx, Timestamp};

struct InGroup {
    name: String,
    from: When,
    until: Option<When>,
    is_now: bool,
}

struct Group {
    name: String,
    slug: String,
    members: Vec<InGroup>,
}

struct Product {
    sku: String,
    maker: String,
    cap: String,
}

struct Lists {
    mall: Mall,
    groups: Vec<Group>,
    products: Vec<Product>,
    tolls: Vec<(&'static str, String)>,
    toll_lines: i64,
    toll_sum: Amount,
    gifts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "staff/office/lists.html")]
struct ListsPage {
    shell: Shell,
    office: Office,
    groups: Vec<Group>,
    products: Vec<Product>,
    tolls: Vec<(&'static str, String)>,
    toll_lines: String,
    toll_sum: String,
    gifts: Vec<(String, String)>,
}

fn made(tx: &mut ReadTx<'_>, shop: &Shop, slug: &str) -> std::result::Result<Lists, Failed> {
    let mall = run_by(tx, &shop.vendor, slug)?;
    let all = members(tx, &mall)?;
    let looks = parties(tx, shop, &mall, &all)?;
    let name = |book: i64| {
        looks
            .get(&book)
            .map_or_else(String::new, |p| p.name.clone())
    };
    let now = tx.now();
    let joined = group_members(tx, &mall)?;
    let all_groups = groups(tx, &mall)?.into_iter().map(|group| {
        let own = joined.iter().filter(|m| m.group_no == group.group_no);
        let own = own.map(|m| InGroup {
            name: name(m.member_book),
            from: When::minute(m.joins_at),
            until: (m.leaves_at != Timestamp::NEVER).then(|| When::minute(m.leaves_at)),
            is_now: m.joins_at <= now && now < m.leaves_at,
        });
        Group {
            members: own.collect(),
            name: group.name,
            slug: group.slug,
        }
    });
    let all_groups = all_groups.collect();
    let listed = products(tx, &mall)?.into_iter().map(|one| Product {
        sku: one.sku,
        maker: name(one.maker_book),
        cap: percent(one.cap_ppm),
    });
    let listed = listed.collect();
    let mut tolls = Vec::new();
    for (toll, words) in [
        (Toll::Information, "Authorisation"),
        (Toll::Customer, "Customer told of"),
        (Toll::Reimbursement, "Part of a payment"),
    ] {
        tolls.push((words, cash(&mall, toll_price(tx, &mall, toll)?)));
    }
    let (mut toll_lines, mut toll_sum) = (0_i64, Amount::ZERO);
    for one in traffic(tx, &mall, Timestamp(0), Timestamp::NEVER)? {
        if one.kind == LineKind::Toll {
            toll_lines = toll_lines.saturating_add(one.lines);
            toll_sum = toll_sum.plus(one.royalty)?;
        }
    }
    let gifts = gift_acceptances(tx, &mall)?.into_iter();
    let gifts = gifts.map(|(acceptor, issuer)| (name(acceptor), name(issuer)));
    Ok(Lists {
        gifts: gifts.collect(),
        groups: all_groups,
        products: listed,
        tolls,
        toll_lines,
        toll_sum,
        mall,
    })
}

/// `GET /shops/{slug}/staff/office/{mall}/lists`.
pub(super) async fn page_of(
    State(app): State<App>,
    member: StaffMember,
    Path(AtMall { mall }): Path<AtMall>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let shop = member.shop.clone();
    let made = app.read(move |tx| made(tx, &shop, &mall)).await?;
    page(&ListsPage {
        shell: shell(&member, &made.mall, part.done),
        office: office(&member, &made.mall, "/lists"),
        toll_lines: count(made.toll_lines),
        toll_sum: cash(&made.mall, made.toll_sum),
        groups: made.groups,
        products: made.products,
        tolls: made.tolls,
        gifts: made.gifts,
    })
}

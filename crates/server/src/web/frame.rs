//! The frame of a shop's pages as its visitors see it, and how pages and redirects are answered.

use super::buy::bought::notice;
use super::payer::payer;
use super::session::{Guest, Member, Shop, StaffMember};
use super::view::{Action, Menu, NavItem, Pager, Shell, Trio, Walk, Who, format};
use crate::error::{Problem, Result};
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use scrip_domain::order::OrderList;
use scrip_domain::vendor::{Permission, Sells};

/// The frame for whoever looks; `path` is the page's own, without the shop's part: `/account`.
pub fn guest_shell(guest: &Guest, title: impl Into<String>, path: &str) -> Shell {
    let shop = &guest.shop;
    let mut shell = Shell::in_shop(shop, title);
    let here = shop.at(path);
    shell.nav.push(shelves(shop, &here));
    match &guest.me {
        Some(me) => {
            for (label, place) in [("Orders", "/orders"), ("Buy tokens", "/buy")] {
                shell.nav.push(NavItem::new(label, shop.at(place), &here));
            }
            shell.who = Some(Who {
                label: me.name.clone(),
                tokens: me.is_active().then(|| format::tokens(me.available)),
                href: shop.at("/account"),
            });
            shell.quit = Some(shop.at("/quit"));
            shell.notice = me.bought.as_ref().map(|order| notice(order, me));
        }
        None => {
            shell
                .nav
                .push(NavItem::new("Register", shop.at("/register"), &here));
            shell.who = Some(Who {
                label: "Sign in".into(),
                tokens: None,
                href: shop.at("/sign-in"),
            });
        }
    }
    shell.payer = payer(guest, path);
    shell.last.clone_from(&guest.last);
    shell.walk = Some(steps(guest, path));
    shell
}

/// The steps of the way through a shop: welcome, question, shop, list, confirmation, orders.
fn steps(guest: &Guest, path: &str) -> Walk {
    let shop = &guest.shop;
    let at = |path: &str| Some(shop.at(path));
    let seen = || guest.last.clone().or_else(|| at("/shop"));
    let lists = guest.sight.may_order().then(|| shop.at("/list"));
    let (back, forward) = match path {
        "/" => (None, at("/enter")),
        "/enter" => (at(""), at("/shop").filter(|_| !guest.sight.is_outside())),
        "/sign-in" | "/register" => (at("/enter"), None),
        "/shop" => (at(if guest.me.is_some() { "" } else { "/enter" }), lists),
        "/list" => (seen(), lists.and_then(|_| at("/confirm"))),
        "/confirm" => (at("/list"), None),
        "/off-line" => (at("/list"), None),
        "/orders" => (seen(), None),
        _ => (at("/shop"), None),
    };
    Walk { back, forward }
}

fn shelves(shop: &Shop, here: &str) -> NavItem {
    let word = match shop.front.sells {
        Sells::Software => "Software",
        Sells::Goods | Sells::Both => "Shop",
    };
    NavItem::new(word, shop.at("/shop"), here)
}

/// The frame for a customer who is signed in.
pub fn member_shell(member: &Member, title: impl Into<String>, path: &str) -> Shell {
    guest_shell(&member.as_guest(), title, path)
}

/// The frame of a page that shows the order list beside it.
pub fn with_list(mut shell: Shell, list: &OrderList) -> Shell {
    shell.list = Some(trio(list));
    shell
}

/// Required, Available, Remaining of an order list; AT only for active accounts (SHP-11).
pub fn trio(list: &OrderList) -> Trio {
    Trio::of(
        list.quote.required,
        list.active.then_some(list.quote.available),
    )
}

/// A page in the staff's navigation.
struct StaffPage {
    /// The menu that it stands in; empty for pages that are always in sight.
    menu: &'static str,
    label: &'static str,
    path: &'static str,
    /// Without this permission it is not shown. Looking needs none: a page that only changes
    /// something for some still shows to all.
    needs: Option<Permission>,
}

const fn staff_page(menu: &'static str, label: &'static str, path: &'static str) -> StaffPage {
    StaffPage {
        menu,
        label,
        path,
        needs: None,
    }
}

/// The staff's navigation: a page that is added gets its line here. Menus stand in the order of
/// their first page: what is needed all day is always in sight, then `Shop` (what is sold, prices,
/// promotions), `Books` (reports, statements), `Office` (messages, settings, people, keys, audit).
const STAFF_PAGES: &[StaffPage] = &[
    staff_page("", "Today", "/staff/today"),
    staff_page("", "Customers", "/staff/customers"),
    staff_page("", "Orders", "/staff/orders"),
    staff_page("", "Token orders", "/staff/token-orders"),
    staff_page("", "Shipping", "/staff/shipping"),
    // Shop
    staff_page("Shop", "Products", "/staff/products"),
    staff_page("Shop", "Import and export", "/staff/imports"),
    staff_page("Shop", "Prices", "/staff/prices"),
    staff_page("Shop", "Promotions", "/staff/promotions"),
    staff_page("Shop", "Gifts", "/staff/gifts"),
    // Books
    staff_page("Books", "Reports", "/staff/reports"),
    staff_page("Books", "Disputes", "/staff/disputes"),
    staff_page("Books", "Pay-backs", "/staff/paybacks"),
    staff_page("Books", "Mall", "/staff/mall"),
    // Office
    staff_page("Office", "Messages", "/staff/messages"),
    staff_page("Office", "Webhooks", "/staff/webhooks"),
    staff_page("Office", "Settings", "/staff/settings"),
    staff_page("Office", "People", "/staff/people"),
    staff_page("Office", "Keys", "/staff/keys"),
    staff_page("Office", "Audit trail", "/staff/audit"),
];

/// The frame for staff.
pub fn staff_shell(member: &StaffMember, title: impl Into<String>, path: &str) -> Shell {
    let shop = &member.shop;
    let mut shell = Shell::in_shop(shop, title);
    if let Some(look) = &mut shell.look {
        look.section = Some("staff".into());
        look.home = shop.at("/staff");
        look.note = "All figures in tokens unless a currency stands beside them.".into();
    }
    let here = shop.at(path);
    let may = |page: &StaffPage| page.needs.is_none_or(|needs| member.staff.role.may(needs));
    for page in STAFF_PAGES.iter().filter(|page| may(page)) {
        let item = NavItem::new(page.label, shop.at(page.path), &here);
        match shell.menus.iter_mut().find(|m| m.label == page.menu) {
            _ if page.menu.is_empty() => shell.nav.push(item),
            Some(menu) => menu.items.push(item),
            None => shell.menus.push(Menu {
                label: page.menu,
                items: vec![item],
            }),
        }
    }
    shell.who = Some(Who {
        label: format!("{}, {}", member.staff.name, member.staff.role.name()),
        tokens: None,
        href: String::new(),
    });
    shell.quit = Some(shop.at("/staff/quit"));
    shell
}

/// A page.
pub fn page(template: &impl Template) -> Result<Response> {
    page_with(StatusCode::OK, template)
}

/// A page with another status than 200, for example a form that could not be taken (422).
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<Response> {
    let text = template.render().map_err(|e| Problem::internal(&e))?;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    Ok((status, [(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Sends the browser to a page after a form was done, so that reloading repeats nothing.
pub fn see(path: &str) -> Result<Response> {
    let place = HeaderValue::from_str(path).map_err(|e| Problem::internal(&e))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response())
}

/// An address with a query.
pub fn link(path: &str, query: &[(&str, &str)]) -> String {
    match serde_html_form::to_string(query) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// Cursors that a way back remembers at most: so many pages.
const PAST_AT_MOST: usize = 40;

/// The ways through a list that is read forwards, by cursors under the name `cursor`. The pages
/// before this one are remembered in the address, so `previous` leads there without reading the
/// list backwards; past so many, it leads to the first. `words` say what lies before and after.
pub fn walk(
    path: &str,
    query: &[(&str, &str)],
    cursor: &str,
    words: (&str, &str),
    (at, past, next): (Option<&str>, Option<&str>, Option<String>),
) -> Option<Pager> {
    if at.is_none() && next.is_none() {
        return None;
    }
    let past: Vec<&str> = past.unwrap_or_default().split('.').collect();
    let past: Vec<&str> = past.into_iter().filter(|part| !part.is_empty()).collect();
    let to = |cursor_at: Option<&str>, past: &[&str]| {
        let from = past.len().saturating_sub(PAST_AT_MOST);
        let past = past.get(from..).unwrap_or_default().join(".");
        let mut all = query.to_vec();
        all.extend(cursor_at.map(|at| (cursor, at)));
        if !past.is_empty() {
            all.push(("past", past.as_str()));
        }
        link(path, &all)
    };
    let previous = at.map(|_| Action {
        label: format!("Previous: {}", words.0),
        href: match past.split_last() {
            Some((last, before)) => to(Some(last), before),
            None => to(None, &[]),
        },
    });
    let next = next.map(|next| Action {
        label: format!("Next: {}", words.1),
        href: {
            let mut past = past.clone();
            past.extend(at);
            to(Some(&next), &past)
        },
    });
    Some(Pager {
        text: if previous.is_none() {
            "The first page"
        } else if next.is_none() {
            "The last page"
        } else {
            ""
        }
        .to_owned(),
        previous,
        next,
    })
}

/// A fresh idempotency key for a form: posting the form again, by a double click or by going
/// back, is done once.
pub fn form_key() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

//! Sample pages: every part in use, written to `target/preview` to be looked at in a browser (serve
//! that folder; files alone may not use each other), and checked for what no page may have.

mod people;
mod selling;

use crate::error::Problem;
use crate::web::view::fault::FaultPage;
use crate::web::view::format::tokens;
use crate::web::view::{Look, NavItem, Shell, Shown, Trio, Who};
use askama::Template;
use axum::http::StatusCode;
use scrip_domain::vendor::{Hue, Mark};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, TOKEN_SCALE};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

macro_rules! page {
    ($name:ident, $path:literal { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Template)]
        #[template(path = $path)]
        pub(super) struct $name { shell: Shell, $($field: $type),* }
    };
}
use page;

fn amount(text: &str) -> Amount {
    Amount::parse(text, TOKEN_SCALE).unwrap()
}

fn of(text: &str) -> Shown {
    tokens(amount(text))
}

fn trio(required: &str, available: &str) -> Trio {
    Trio::of(amount(required), Some(amount(available)))
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T14:02:00Z").unwrap()
}

fn look(name: &str, about: &str, hue: Hue, mark: Mark) -> Look {
    Look {
        name: name.to_owned(),
        section: Some(about.to_owned()).filter(|s| !s.is_empty()),
        slug: "sample".to_owned(),
        home: "/".to_owned(),
        hue,
        mark,
        note: "10 ¢ a token. Tokens are sold and honoured by this shop.".to_owned(),
        contact: Vec::new(),
    }
}

fn shell(title: &str, path: &str) -> Shell {
    let link = |label, href| NavItem::new(label, href, path);
    Shell {
        look: Some(look("Northlight Software", "", Hue::Cobalt, Mark::Star)),
        nav: vec![
            link("Software", "/shop"),
            link("My licenses", "/account"),
            link("Buy tokens", "/tokens"),
        ],
        who: Some(Who {
            label: "Ana Lind".to_owned(),
            tokens: Some(of("500")),
            href: "/account".to_owned(),
        }),
        quit: Some("/quit".to_owned()),
        last: Some("/list".to_owned()),
        ..Shell::outside(title)
    }
}

fn with_list(title: &str, path: &str, list: &Trio) -> Shell {
    Shell {
        list: Some(list.clone()),
        ..shell(title, path)
    }
}

fn fault(status: u16, code: &'static str, retry_after_s: Option<u32>) -> FaultPage {
    let mut problem = Problem::new(
        StatusCode::from_u16(status).unwrap(),
        code,
        "the price has changed: look again",
    );
    problem.retry_after_s = retry_after_s;
    FaultPage::of(&problem, shell("", "/lost"), Some("/sign-in"))
}

/// Name and text of all sample pages.
fn pages() -> Vec<(String, String)> {
    let pages = [
        ("shop", selling::shop().render()),
        ("goods", selling::goods().render()),
        ("confirm", selling::confirm().render()),
        ("receipt", selling::receipt().render()),
        ("entrance", people::entrance().render()),
        ("directory", people::directory().render()),
        ("question", people::question().render()),
        ("register", people::register().render()),
        ("pay", people::pay().render()),
        ("account", people::account().render()),
        ("staff", people::staff().render()),
        ("states", people::states().render()),
        ("error-404", fault(404, "not_found", None).render()),
        ("error-401", fault(401, "sign_in_needed", None).render()),
        ("error-403", fault(403, "cross_site", None).render()),
        ("error-409", fault(409, "price_changed", None).render()),
        ("error-429", fault(429, "too_many", Some(30)).render()),
        ("error-500", fault(500, "internal", None).render()),
        ("error-503", fault(503, "busy", Some(5)).render()),
        (
            "error-unknown",
            fault(503, "outcome_unknown", Some(2)).render(),
        ),
    ];
    let plain = |(name, page): (&str, askama::Result<String>)| (name.to_owned(), page.unwrap());
    pages.into_iter().map(plain).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Values of an attribute, in order.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let begin = format!(" {attribute}=\"");
    let after = page.split(begin.as_str()).skip(1);
    after.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn sample_pages_are_written_to_be_looked_at() {
    let folder = root().join("target/preview");
    let assets = folder.join("assets");
    fs::create_dir_all(&assets).unwrap();
    for file in fs::read_dir(root().join("crates/server/assets")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), assets.join(file.file_name())).unwrap();
    }
    for (name, page) in pages() {
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}

/// The policy of the pages allows no inline script or style; a page has one head line, and its
/// marks, drawings, labels and assets exist.
#[test]
fn sample_pages_keep_the_rules_of_pages() {
    let assets = root().join("crates/server/assets");
    let sprites =
        ["marks.svg", "art.svg"].map(|name| fs::read_to_string(assets.join(name)).unwrap());
    for (name, page) in pages() {
        assert_eq!(values(&page, "style"), [""; 0], "{name}: inline style");
        assert!(!page.contains("<style"), "{name}: inline style");
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\"").count()
        );
        assert_eq!(
            page.matches("<script").count(),
            page.matches("></script>").count(),
            "{name}: inline script"
        );
        assert_eq!(page.matches("<h1").count(), 1, "{name}: one head line");
        let ids = values(&page, "id");
        let once: BTreeSet<_> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "{name}: an id twice in {ids:?}");
        for label in values(&page, "for")
            .iter()
            .chain(&values(&page, "aria-describedby"))
        {
            assert!(
                label.split(' ').all(|id| ids.contains(&id)),
                "{name}: no {label}"
            );
        }
        for href in values(&page, "href").iter().chain(&values(&page, "src")) {
            if let Some((file, fragment)) = href
                .strip_prefix("/assets/")
                .map(|h| h.split_once('#').unwrap_or((h, "")))
            {
                let (file, _) = file.split_once('?').unwrap_or((file, ""));
                assert!(assets.join(file).exists(), "{name}: no asset {file}");
                let symbol = format!("id=\"{fragment}\"");
                assert!(
                    fragment.is_empty() || sprites.iter().any(|s| s.contains(&symbol)),
                    "{name}: no {href}"
                );
            } else if let Some(id) = href.strip_prefix('#') {
                assert!(ids.contains(&id), "{name}: no #{id}");
            }
        }
    }
}

//! What people write comes out as text, whatever they write.

mod preview;

use super::fault::FaultPage;
use super::{Choice, Field, Look, NavItem, Notice, Shell, Tone, Who, calm, mark_path};
use crate::error::Problem;
use askama::Template;
use axum::http::StatusCode;
use scrip_domain::vendor::{Hue, Mark};

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "base.html" %}{% import "macros.html" as m %}{% block body %}<h1>Parts</h1>{{ m::field(field) }}{{ m::pick(choice) }}{{ m::tag(name, name, name, false) }}{{ m::fact("Name", name) }}{% if let Some(look) = shell.look %}{{ m::face(look) }}{% endif %}{% endblock %}"#
)]
struct Parts {
    shell: Shell,
    field: Field,
    choice: Choice,
    name: String,
}

fn page(text: &str) -> String {
    let look = Look {
        name: text.to_owned(),
        section: None,
        slug: "s".to_owned(),
        home: "/".to_owned(),
        hue: Hue::Moss,
        mark: Mark::Leaf,
        note: text.to_owned(),
        contact: Vec::new(),
    };
    let shell = Shell {
        look: Some(look),
        nav: vec![NavItem::new(text, "/a", "/a/b")],
        who: Some(Who {
            label: text.to_owned(),
            tokens: None,
            href: "/account".to_owned(),
        }),
        notice: Some(Notice::new(Tone::Bad, text, text).action(text, "/x")),
        ..Shell::outside(text)
    };
    let parts = Parts {
        field: Field::text("f", text).value(text).help(text).error(text),
        choice: Choice::new("c", text, text, true).note(text),
        name: text.to_owned(),
        shell,
    };
    parts.render().unwrap()
}

/// The page without its tags, so that what is left is text.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
    }
    text
}

#[test]
fn markup_in_a_name_stays_text() {
    let plain = page("Ana");
    let nasty = page("<img src=x onerror=alert(1)><script>alert(2)</script>");
    assert!(!nasty.contains("<img") && !nasty.contains("<script>alert"));
    assert_eq!(nasty.matches('<').count(), plain.matches('<').count());
    assert!(text_of(&nasty).contains("&#60;img src=x onerror=alert(1)&#62;"));
}

#[test]
fn quotes_in_a_name_do_not_end_an_attribute() {
    let plain = page("Ana");
    let quoted = page("A\" onfocus=\"x' autofocus='");
    assert_eq!(quoted.matches('"').count(), plain.matches('"').count());
    assert_eq!(quoted.matches('\'').count(), plain.matches('\'').count());
    assert!(quoted.contains("&#34; onfocus=&#34;x&#39; autofocus=&#39;"));
}

#[test]
fn text_that_turns_the_direction_stays_in_its_place() {
    let name = "abc\u{202e}321\u{2069}";
    let turned = page(name);
    let title = turned.split("<title>").nth(1).unwrap();
    assert!(title.starts_with("abc321: abc321</title>"));
    assert!(turned.contains("aria-label=\"Token of abc321\""));
    for place in [
        format!("<bdi>{name}</bdi></span></a>"),
        format!("<bdi>{name}</bdi></label>"),
        format!("<dd><bdi>{name}</bdi></dd>"),
        format!("<span class=\"muted\"><bdi>{name}</bdi></span>"),
    ] {
        assert!(turned.contains(&place), "{place:?}");
    }
    assert_eq!(calm("a\u{200f}b\u{061c}c\nd"), "abc d");
    assert_eq!(calm("שלום"), "שלום");
}

#[test]
fn a_secret_is_never_shown_again() {
    let pin = Field::secret("pin", "PIN", "current-password").value("1234");
    assert_eq!(pin.value, "");
}

#[test]
fn marks_are_the_same_in_pages_and_in_the_file() {
    let file = include_str!("../../../assets/marks.svg");
    for mark in Mark::ALL {
        let symbol = file.split(&format!("id=\"t-{mark}\"")).nth(1).unwrap();
        let path = format!(" d=\"{}\"", mark_path(*mark));
        assert!(symbol.lines().next().unwrap().contains(&path), "{mark}");
    }
}

#[test]
fn every_colour_is_in_the_stylesheet() {
    let css = include_str!("../../../assets/scrip.css");
    for hue in Hue::ALL {
        assert!(css.contains(&format!("[data-hue=\"{hue}\"]")), "{hue}");
    }
}

#[test]
fn the_rim_of_a_token_holds_whole_words() {
    let rim = |name: &str| {
        Look {
            name: name.to_owned(),
            section: None,
            slug: "s".to_owned(),
            home: "/".to_owned(),
            hue: Hue::Ink,
            mark: Mark::Plus,
            note: String::new(),
            contact: Vec::new(),
        }
        .rim()
    };
    assert_eq!(rim("Hearth & Fern"), "HEARTH & FERN");
    assert_eq!(rim("Northlight Software Company"), "NORTHLIGHT");
    assert_eq!(rim("Donaudampfschifffahrtsgesellschaft"), "");
}

#[test]
fn a_link_is_current_on_its_page_and_below() {
    let at = |path| NavItem::new("Orders", "/shops/a/orders", path).current;
    assert!(at("/shops/a/orders") && at("/shops/a/orders/7"));
    assert!(!at("/shops/a") && !at("/shops/a/orders-of-tokens"));
}

/// A page never claims more than is known.
#[test]
fn an_unknown_outcome_is_not_called_undone() {
    let of = |status, code| {
        let problem = Problem::new(StatusCode::from_u16(status).unwrap(), code, "x y");
        let page = FaultPage::of(&problem, Shell::outside(""), Some("/sign-in"));
        (page.text.clone(), page.render().unwrap())
    };
    let (unknown, page) = of(503, "outcome_unknown");
    assert!(!unknown.contains("Nothing") && unknown.contains("Look at your orders"));
    assert!(page.contains("<title>We do not know yet whether this was done: Scrip</title>"));
    assert!(
        of(503, "busy")
            .0
            .contains("Nothing of this request was kept")
    );
    assert_eq!(of(409, "price_changed").0, "X y.");
    let (_, lapsed) = of(401, "sign_in_needed");
    assert!(lapsed.contains("href=\"/sign-in\">Sign in</a>"));
    assert!(!lapsed.contains("aria-label=\"Error"));
}

//! What pages show: the frame around every page ([`Shell`]) and the parts that stand in it.
//!
//! Templates hold markup, `view/format.rs` turns amounts and times into words, `view/trio.rs` the
//! three figures and their strip. Templates escape every text; names that people chose stand in
//! `<bdi>`, and where no markup is possible (titles, labels) [`calm`] takes out what turns the
//! direction of writing. Nothing here decides anything.

pub mod art;
pub mod fault;
pub mod format;
mod parts;
#[cfg(test)]
mod tests;
mod trio;
pub mod zone;

use super::session::Shop;
use crate::http::assets::VERSION;
use scrip_domain::policy::ContactPolicy;
use scrip_domain::vendor::{Hue, Mark};

pub use format::{Shown, When};
pub use parts::{Action, Choice, Field, Notice, Pager, Step, Tone};
pub use trio::{Meter, Third, Trio};

/// The frame of a page: what `base.html` reads. Fields are set directly; [`Shell::in_shop`] and
/// [`Shell::outside`] fill in what follows from the shop.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Title of the page, without the shop's name.
    pub title: String,
    /// Whose page it is; `None` for the directory of shops and other pages of the node itself.
    pub look: Option<Look>,
    /// Links in the head.
    pub nav: Vec<NavItem>,
    /// More links in the head, in groups that open.
    pub menus: Vec<Menu>,
    /// The corner of whoever is signed in, or the way to sign in.
    pub who: Option<Who>,
    /// The address that ends the visit, when there is one to end (a POST).
    pub quit: Option<String>,
    /// The last page of the shop that was seen: "Last".
    pub last: Option<String>,
    /// The steps before and after this page on the way through a shop (SHP-16); `None` off it.
    pub walk: Option<Walk>,
    /// The three figures of the order list: they make the stub on small screens.
    pub list: Option<Trio>,
    /// The choice of the account that pays, for those who have several (TOK-15).
    pub payer: Option<super::payer::Payer>,
    /// What just happened.
    pub notice: Option<Notice>,
}

/// How a shop looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its name.
    pub name: String,
    /// A part of it that is not for customers, for example `staff`; stands after the name.
    pub section: Option<String>,
    /// Its short name, as in addresses.
    pub slug: String,
    /// Where its pages begin.
    pub home: String,
    /// Its colour.
    pub hue: Hue,
    /// What is punched out of its token.
    pub mark: Mark,
    /// The price of a token and who answers for it; stands at the foot.
    pub note: String,
    /// How customers reach the shop; stands at the foot of their pages.
    pub contact: Vec<Reach>,
}

/// A way to reach a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// An address or a number.
    pub text: String,
    /// Where it leads; empty for a postal address.
    pub href: String,
}

/// How a shop is reached: by telephone, e-mail, letter.
pub fn reach(contact: &ContactPolicy) -> Vec<Reach> {
    // A number is dialled without what makes it readable.
    let digits: String = contact
        .phone
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    [
        (&contact.phone, format!("tel:{digits}")),
        (&contact.email, format!("mailto:{}", contact.email)),
        (&contact.address, String::new()),
    ]
    .into_iter()
    .filter(|(text, _)| !text.is_empty())
    .map(|(text, href)| Reach {
        text: text.clone(),
        href,
    })
    .collect()
}

/// The steps beside a page; one that is not there is shown greyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The step before.
    pub back: Option<String>,
    /// The step after.
    pub forward: Option<String>,
}

/// A link in the head of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavItem {
    /// Its word.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// True on that page and those below it.
    pub current: bool,
}

/// Links in the head that open together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// Its word.
    pub label: &'static str,
    /// Its links.
    pub items: Vec<NavItem>,
}

impl Menu {
    /// True on the pages of its links.
    pub fn is_current(&self) -> bool {
        self.items.iter().any(|item| item.current)
    }
}

/// The corner of whoever is signed in; or a way to sign in, without tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Name or account number.
    pub label: String,
    /// AT; none for staff and for accounts that may not see it yet.
    pub tokens: Option<Shown>,
    /// Where the corner leads; empty for nowhere.
    pub href: String,
}

impl Shell {
    /// The frame of a page of a shop.
    pub fn in_shop(shop: &Shop, title: impl Into<String>) -> Shell {
        Shell {
            look: Some(Look::of(shop)),
            ..Shell::outside(title)
        }
    }

    /// The frame of a page of no shop.
    pub fn outside(title: impl Into<String>) -> Shell {
        Shell {
            title: title.into(),
            look: None,
            nav: Vec::new(),
            menus: Vec::new(),
            who: None,
            quit: None,
            last: None,
            walk: None,
            list: None,
            payer: None,
            notice: None,
        }
    }

    /// Title and shop, for the browser's tab.
    pub fn whole_title(&self) -> String {
        let place = self.look.as_ref().map_or("Scrip", |look| &look.name);
        format!("{}: {}", calm(&self.title), calm(place))
    }

    /// Where the pages begin.
    pub fn home(&self) -> &str {
        self.look.as_ref().map_or("/", |look| &look.home)
    }

    /// The colour.
    pub fn hue(&self) -> Hue {
        self.look.as_ref().map_or(Hue::Ink, |look| look.hue)
    }

    /// The token's outline, drawn once into each page; everything else uses it from there.
    pub fn mark_path(&self) -> String {
        mark_path(self.look.as_ref().map_or(Mark::Diamond, |look| look.mark))
    }
}

impl Look {
    /// How a shop looks.
    pub fn of(shop: &Shop) -> Look {
        let price = format::price_each(shop.token_price, &shop.vendor.currency);
        Look {
            name: shop.vendor.name.clone(),
            section: None,
            slug: shop.vendor.slug.clone(),
            home: shop.at("/"),
            hue: shop.front.hue,
            mark: shop.front.mark,
            note: format!("{price} a token. Tokens are sold and honoured by this shop."),
            contact: reach(&shop.policy.contact),
        }
    }

    /// The outline of a token as large as a coin: with a rim for the name.
    pub fn coin_path(&self) -> String {
        format!(
            "M12-2.7a14.7 14.7 0 1 1 0 29.4 14.7 14.7 0 0 1 0-29.4z{}",
            punch(self.mark)
        )
    }

    /// As much of the name as fits on the rim: whole words, or nothing.
    pub fn rim(&self) -> String {
        const FITS: usize = 18;
        let mut rim = String::new();
        for word in calm(&self.name).to_uppercase().split_whitespace() {
            let gap = usize::from(!rim.is_empty());
            if rim.chars().count() + gap + word.chars().count() > FITS {
                break;
            }
            if gap == 1 {
                rim.push(' ');
            }
            rim.push_str(word);
        }
        rim
    }
}

impl NavItem {
    /// A link; it is the current one when the page's path is its own or below it.
    pub fn new(label: impl Into<String>, href: impl Into<String>, path: &str) -> NavItem {
        let href = href.into();
        let rest = path.strip_prefix(href.as_str());
        NavItem {
            label: label.into(),
            current: rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            href,
        }
    }
}

/// The address of an asset, with its version so that it can be kept for good.
pub fn asset(name: &str) -> String {
    format!("/assets/{name}?v={}", *VERSION)
}

/// A text for places without markup: line breaks become spaces, and what turns the direction of
/// writing is left out, so that it cannot reorder its neighbours.
pub fn calm(text: &str) -> String {
    const TURNS: [std::ops::RangeInclusive<char>; 4] = [
        '\u{061c}'..='\u{061c}',
        '\u{200e}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
    ];
    text.chars()
        .filter(|c| !TURNS.iter().any(|range| range.contains(c)))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A token with its punch, in a box of 24.
pub fn mark_path(mark: Mark) -> String {
    format!("M12 1a11 11 0 1 1 0 22 11 11 0 0 1 0-22z{}", punch(mark))
}

/// What is punched out of a token, in a box of 24. `assets/marks.svg` has the same outlines.
fn punch(mark: Mark) -> &'static str {
    match mark {
        Mark::Star => "M12 4.4l-1.9 5.7L4.4 12l5.7 1.9 1.9 5.7 1.9-5.7 5.7-1.9-5.7-1.9z",
        Mark::Leaf => "M7 17V12a5 5 0 0 1 5-5h5v5a5 5 0 0 1-5 5z",
        Mark::Three => {
            "M12 5.6a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2zM7.6 12.6a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 \
             0 0 0-5.2zM16.4 12.6a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2z"
        }
        Mark::Square => "M8 8v8h8V8z",
        Mark::Diamond => "M12 6l-6 6 6 6 6-6z",
        Mark::Plus => "M10 6v4H6v4h4v4h4v-4h4v-4h-4V6z",
    }
}

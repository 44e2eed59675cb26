//! The order list as pages show it (SHP-10, SHP-11): beside a page, as a page of its own, and as
//! the answer to `assets/list.js`.

use super::form::Faults;
use crate::error::sentence;
use crate::web::frame;
use crate::web::order::coupon;
use crate::web::session::{Member, Shop};
use crate::web::shop::words;
use crate::web::view::format::{self, tokens};
use crate::web::view::{Shown, Trio, When};
use scrip_domain::catalog::OfferKind;
use scrip_domain::order::{ListLine, OrderList};
use scrip_domain::vendor::Sells;
use scrip_engine::Timestamp;

/// On which page a list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Beside what is sold.
    Shelf,
    /// Beside the page about a shortage.
    Shortage,
    /// On its own page.
    Whole,
}

/// An order list.
pub struct ListView {
    /// Its lines.
    pub lines: Vec<LineView>,
    /// RT, AT and what remains.
    pub trio: Trio,
    /// RT in money.
    pub money: String,
    /// Date, or that nothing is on it.
    pub about: String,
    /// What could not be done, if it belongs to no line.
    pub faults: Vec<String>,
    /// True when something is ticked that can be ordered.
    pub has_order: bool,
    /// True when something could be reserved that is not, because its time is over.
    pub may_reserve: bool,
    /// Where it stands.
    pub place: Place,
    /// The shop's name, for the page of its own.
    pub shop_name: String,
    /// Where changes go.
    pub action: String,
    /// The page that confirms.
    pub confirm: String,
    /// What is sold.
    pub shelf: String,
    /// How something is put on, where nothing is.
    pub hint: &'static str,
    /// The coupon: what it takes off, or why nothing. Empty for none.
    pub coupon: String,
}

/// A line.
pub struct LineView {
    /// The offer's id.
    pub offer: String,
    /// Its name.
    pub title: String,
    /// What it costs; none where it has no price.
    pub price: Option<Shown>,
    /// What it would cost without promotions.
    pub was: Option<Shown>,
    /// What takes how much off: `Spring sale: 20 tokens off`. Empty for nothing.
    pub off: String,
    /// True when its box is ticked.
    pub ticked: bool,
    /// Why it cannot be ordered; it has no box then. Empty for none.
    pub problem: String,
    /// What will be in the way: `Only 2 left`. Empty for nothing.
    pub warning: String,
    /// What is reserved: `2 reserved for you until`, and then; none where nothing is.
    pub reserved: Option<(String, When)>,
    /// How much of it.
    pub quantity: Quantity,
    /// What stands behind the quantity.
    pub note: String,
    /// The product's page.
    pub details: String,
    /// What was wrong with the quantity that was typed; empty for nothing.
    pub error: String,
}

/// How a quantity is chosen.
pub enum Quantity {
    /// There is nothing to choose.
    Fixed,
    /// A number is typed.
    Typed {
        /// What stands in the field.
        value: String,
        /// What was there when the page was drawn.
        had: String,
        /// What is counted: `pieces`.
        unit: &'static str,
    },
    /// One of the tiers is taken (SHP-10).
    Tier {
        /// The tiers.
        tiers: Vec<TierView>,
        /// The one that is taken; empty when none is.
        had: String,
        /// What is counted: `processings`.
        unit: &'static str,
    },
}

/// A tier to choose.
pub struct TierView {
    /// What is sent.
    pub value: String,
    /// `1,000 for 80 tokens`
    pub label: String,
    /// True for the one that is taken.
    pub chosen: bool,
}

impl ListView {
    /// The list of a customer.
    pub fn new(member: &Member, list: &OrderList, place: Place, faults: &Faults) -> ListView {
        let shop = &member.shop;
        let lines: Vec<LineView> = list
            .lines
            .iter()
            .map(|line| LineView::new(shop, line, faults))
            .collect();
        let others = faults
            .iter()
            .filter(|fault| list.lines.iter().all(|l| l.line.offer_id != fault.offer));
        ListView {
            trio: frame::trio(list),
            money: words::cash(shop, list.quote.required),
            about: about(&lines, member.now),
            faults: others.map(|fault| fault.said.clone()).collect(),
            has_order: !list.quote.lines.is_empty(),
            may_reserve: shop.policy.checkout.reserve_minutes > 0 && list.lines.iter().any(is_open),
            place,
            shop_name: shop.vendor.name.clone(),
            action: shop.at("/list"),
            confirm: shop.at("/confirm"),
            shelf: shop.at("/shop"),
            hint: hint(shop.front.sells),
            coupon: list
                .quote
                .coupon
                .as_ref()
                .map_or_else(String::new, |coupon| {
                    let seen = coupon::view(coupon);
                    format!("{}. {}", seen.name, seen.said)
                }),
            lines,
        }
    }

    /// True on the page of its own.
    pub fn is_whole(&self) -> bool {
        self.place == Place::Whole
    }

    /// True where the way on leads back to the shop, because the page beside says the rest.
    pub fn leads_back(&self) -> bool {
        self.place == Place::Shortage && self.trio.is_short()
    }
}

fn hint(sells: Sells) -> &'static str {
    match sells {
        Sells::Software => "Tick a price and it appears here with what you will have left.",
        Sells::Goods | Sells::Both => {
            "Add something and it appears here with what you will have left."
        }
    }
}

fn about(lines: &[LineView], now: Timestamp) -> String {
    if lines.is_empty() {
        "Nothing on it yet".to_owned()
    } else {
        format!("{}, amounts in tokens", When::day(now))
    }
}

impl LineView {
    fn new(shop: &Shop, listed: &ListLine, faults: &Faults) -> LineView {
        let (line, sells) = (&listed.line, shop.front.sells);
        let fault = faults.iter().find(|f| f.offer == line.offer_id);
        let quantity = quantity(listed, sells, fault.map(|f| f.typed.as_str()));
        LineView {
            offer: line.offer_id.to_string(),
            title: line.title.clone(),
            price: (line.granted > 0).then(|| tokens(line.amount)),
            was: words::was(line),
            off: words::off(line),
            ticked: listed.is_counted(),
            problem: listed.problem.as_deref().map(sentence).unwrap_or_default(),
            warning: warning(listed),
            reserved: reserved(listed),
            note: note(shop, listed, &quantity),
            quantity,
            details: words::product_at(shop, &listed.handle),
            error: fault.map(|f| f.said.clone()).unwrap_or_default(),
        }
    }
}

/// Too few pieces: said on the list already, decided when the order is placed.
fn warning(listed: &ListLine) -> String {
    match listed.free() {
        Some(free) if listed.problem.is_none() && free < listed.line.granted => {
            let stock = words::stock(Some(free));
            match (listed.hold.others > 0, stock.is_out) {
                (true, true) => "Others have reserved the last ones: try again later.".to_owned(),
                (true, false) => format!(
                    "Only {} free, others have reserved the rest: take fewer, or wait.",
                    format::count(free)
                ),
                (false, true) => format!("{}.", stock.text),
                (false, false) => format!("Only {} left: take fewer.", format::count(free)),
            }
        }
        _ => String::new(),
    }
}

/// What is reserved of a line that counts, in words, and until when.
pub fn reserved(listed: &ListLine) -> Option<(String, When)> {
    let own = listed.hold.own.filter(|_| listed.is_counted())?;
    let words = match own.pieces >= listed.line.granted {
        true => "Reserved for you until".to_owned(),
        false => format!("{} reserved for you until", format::count(own.pieces)),
    };
    Some((words, When::minute(own.until)))
}

/// True when a line could be reserved and is not.
fn is_open(listed: &ListLine) -> bool {
    listed.is_counted() && listed.hold.own.is_none() && listed.free().is_some_and(|free| free > 0)
}

fn quantity(listed: &ListLine, sells: Sells, typed: Option<&str>) -> Quantity {
    let line = &listed.line;
    if !listed.active {
        return Quantity::Fixed;
    }
    if listed.tiers.len() > 1 || (listed.problem.is_some() && !listed.tiers.is_empty()) {
        let tier = |tier: &scrip_domain::catalog::Tier| TierView {
            value: tier.up_to.to_string(),
            label: format!("{} for {}", format::count(tier.up_to), tokens(tier.price)),
            chosen: tier.up_to == line.granted,
        };
        let had = match line.granted {
            0 => String::new(),
            granted => granted.to_string(),
        };
        return Quantity::Tier {
            tiers: listed.tiers.iter().map(tier).collect(),
            had,
            unit: words::unit(line.kind, sells).1,
        };
    }
    // One license is the rule; more are counted where somebody asked for more.
    let is_single = line.kind == OfferKind::Purchase && sells == Sells::Software;
    if !listed.tiers.is_empty() || (is_single && line.quantity == 1) {
        return Quantity::Fixed;
    }
    let (one, many) = words::unit(line.kind, sells);
    Quantity::Typed {
        value: typed.map_or_else(|| line.quantity.to_string(), str::to_owned),
        had: line.quantity.to_string(),
        unit: if line.quantity == 1 { one } else { many },
    }
}

fn note(shop: &Shop, listed: &ListLine, quantity: &Quantity) -> String {
    let line = &listed.line;
    if line.granted == 0 {
        return String::new();
    }
    let money = match words::cash(shop, line.amount) {
        money if money.is_empty() => money,
        money => format!(", {money}"),
    };
    match quantity {
        Quantity::Fixed => {
            let granted = words::granted(line, !listed.tiers.is_empty(), shop.front.sells);
            format!("{granted}{money}")
        }
        Quantity::Typed { unit, .. } if line.granted == 1 => format!("{unit}{money}"),
        Quantity::Typed { unit, .. } => {
            format!("{unit} at {}{money}", tokens(line.unit_price))
        }
        Quantity::Tier { unit, .. } => format!("{unit}{money}"),
    }
}

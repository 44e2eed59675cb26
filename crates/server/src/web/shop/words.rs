//! What is sold, how much of it, and what is left of it, in words; and addresses in a shop.

use crate::web::session::Shop;
use crate::web::view::format::tokens;
use crate::web::view::{Shown, format};
use scrip_domain::Amount;
use scrip_domain::catalog::{Delivery, NewProduct, OfferKind};
use scrip_domain::order::{OrderDetail, OrderTax, Quote, QuoteLine, Supply};
use scrip_domain::tax::{TaxSum, to_hundredths, worth};
use scrip_domain::vendor::{Sells, Vendor, money_for_tokens};
use scrip_ledger::{Asset, Rounding};

/// Pieces from which on a shop does not say how few are left.
const FEW: i64 = 3;

/// What tokens are worth in money at today's price of a token (SHP-18): `$18.00`. Rounded down,
/// because it is only shown; nothing is charged by it. Empty for more than can be
/// counted, and where the vendor shows no money.
pub fn cash(shop: &Shop, tokens: Amount) -> String {
    if !shop.policy.checkout.cash_shown {
        return String::new();
    }
    money_for_tokens(tokens, shop.token_price, &shop.vendor.token, Rounding::Down)
        .map(|money| format::money(money, &shop.vendor.currency))
        .unwrap_or_default()
}

/// A tax that is in an amount, as pages show it.
pub struct TaxView {
    /// `VAT 19%`.
    pub label: String,
    /// In tokens; none where a card paid.
    pub tokens: Option<Shown>,
    /// In money; empty where none is shown.
    pub money: String,
}

/// A tax as people read it.
fn read(tax: Amount, asset: &Asset) -> Amount {
    to_hundredths(tax, asset.scale).unwrap_or(tax)
}

/// The taxes in a quote.
pub fn taxes(shop: &Shop, quote: &Quote) -> Vec<TaxView> {
    let sums = quote.taxes().unwrap_or_default();
    let view = |sum: TaxSum| TaxView {
        label: sum.label(),
        tokens: Some(tokens(read(sum.tax, &shop.vendor.token))),
        money: match shop.policy.checkout.cash_shown {
            true => {
                let worth = worth(sum.tax, shop.token_price).unwrap_or_default();
                format::money(read(worth, &shop.vendor.currency), &shop.vendor.currency)
            }
            false => String::new(),
        },
    };
    sums.into_iter().map(view).collect()
}

/// The taxes in an order that was placed.
pub fn taxes_of(order: &OrderDetail, vendor: &Vendor) -> Vec<TaxView> {
    let (token, currency) = (&vendor.token, &vendor.currency);
    let view = |tax: &OrderTax| TaxView {
        label: tax.sum.label(),
        tokens: order
            .card
            .is_none()
            .then(|| tokens(read(tax.sum.tax, token))),
        money: format::money(read(tax.money_tax, currency), currency),
    };
    order.taxes.iter().map(view).collect()
}

/// What one and several of an offer are called.
pub fn unit(kind: OfferKind, sells: Sells) -> (&'static str, &'static str) {
    match (kind, sells) {
        (OfferKind::Purchase, Sells::Goods | Sells::Both) => ("piece", "pieces"),
        (OfferKind::Purchase, Sells::Software) => ("license", "licenses"),
        (OfferKind::Time, _) => ("day", "days"),
        (OfferKind::Uses, _) => ("use", "uses"),
        (OfferKind::Processings, _) => ("processing", "processings"),
    }
}

/// So many of an offer: `2 pieces`, `30 days`, `1,000 processings`.
pub fn counted(kind: OfferKind, sells: Sells, number: i64) -> String {
    let (one, many) = unit(kind, sells);
    format::counted(number, one, many)
}

/// What a product is, where a vendor sells both (SHP-06): only software meets words of licenses.
pub fn sort_of(shop: &Shop, product: &NewProduct) -> Sells {
    sort(shop, product.delivery)
}

/// The same by its delivery.
pub fn sort(shop: &Shop, delivery: Delivery) -> Sells {
    match (delivery, shop.front.sells) {
        (Delivery::Download, _) => Sells::Software,
        (Delivery::Shipped | Delivery::InPerson, _) => Sells::Goods,
        (Delivery::Usual, Sells::Software) => Sells::Software,
        (Delivery::Usual, Sells::Goods | Sells::Both) => Sells::Goods,
    }
}

/// The way in which an offer is sold; a column of the matrix (SHP-08).
pub fn way(kind: OfferKind) -> &'static str {
    match kind {
        OfferKind::Purchase => "Purchase",
        OfferKind::Time => "Rent by time",
        OfferKind::Uses => "Rent by uses",
        OfferKind::Processings => "Rent by processings",
    }
}

/// The same in one word.
pub fn way_short(kind: OfferKind) -> &'static str {
    match kind {
        OfferKind::Purchase => "Purchase",
        _ => "Rent",
    }
}

/// What a line grants, and how it is priced: `Rent, 1,000 processings`, `2 pieces at 100 tokens`,
/// `Purchase`.
pub fn granted(line: &QuoteLine, tiered: bool, sells: Sells) -> String {
    let several = !tiered && line.granted > 1;
    let each = match several {
        true => format!(" at {}", format::tokens(line.unit_price)),
        false => String::new(),
    };
    let count = counted(line.kind, sells, line.granted);
    match (line.kind, sells) {
        (OfferKind::Purchase, Sells::Goods | Sells::Both) => format!("{count}{each}"),
        (OfferKind::Purchase, Sells::Software) if line.granted == 1 => "Purchase".to_owned(),
        (kind, _) => format!("{}, {count}{each}", way_short(kind)),
    }
}

/// What a line would come to without promotions; none where nothing comes off (ADV-06).
pub fn was(line: &QuoteLine) -> Option<Shown> {
    let off = line.off.iter().map(|off| (off.name.as_str(), off.amount));
    was_of(line.amount, &off.collect::<Vec<_>>())
}

/// The same of what is kept of an order.
pub fn was_of(amount: Amount, off: &[(&str, Amount)]) -> Option<Shown> {
    let sum = Amount::sum(off.iter().map(|off| off.1)).ok()?;
    let list = amount.plus(sum).ok()?;
    (!off.is_empty()).then(|| format::tokens(list))
}

/// What takes how much off a line: `Spring sale: 20 tokens off`; empty for nothing.
pub fn off(line: &QuoteLine) -> String {
    let off = line.off.iter().map(|off| (off.name.as_str(), off.amount));
    off_of(&off.collect::<Vec<_>>())
}

/// The same of what is kept of an order.
pub fn off_of(off: &[(&str, Amount)]) -> String {
    let words = off
        .iter()
        .map(|(name, amount)| format!("{name}: {} off", format::tokens(*amount)));
    words.collect::<Vec<_>>().join(", ")
}

/// How a program is handed over (SHP-12).
pub fn supply(supply: Supply) -> &'static str {
    match supply {
        Supply::Download => "Download and code",
        Supply::Code => "Code only, I have the program",
    }
}

/// How many are left, in words and with the class of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// `In stock`, `Only 2 left`, `Out of stock`.
    pub text: String,
    /// A class of the stylesheet, or empty.
    pub class: &'static str,
    /// True when none can be had.
    pub is_out: bool,
}

impl Stock {
    /// Nothing is said.
    pub fn untold() -> Stock {
        Stock {
            text: String::new(),
            class: "",
            is_out: false,
        }
    }
}

/// The words for pieces at hand; `None` where they are not counted (SHP-09).
pub fn stock(on_hand: Option<i64>) -> Stock {
    let (text, class) = match on_hand {
        None => ("In stock".to_owned(), ""),
        Some(..=0) => ("Out of stock".to_owned(), "bad"),
        Some(few @ 1..=FEW) => (format!("Only {} left", format::count(few)), "warn"),
        Some(_) => ("In stock".to_owned(), ""),
    };
    Stock {
        text,
        class,
        is_out: on_hand.is_some_and(|pieces| pieces <= 0),
    }
}

/// The address of a product's page. Handles may contain spaces and slashes.
pub fn product_at(shop: &Shop, handle: &str) -> String {
    shop.at(&format!("/shop/p/{}", path_part(handle)))
}

/// A text as one part of a path.
fn path_part(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            part.push(char::from(byte));
        } else {
            part.push_str(&format!("%{byte:02X}"));
        }
    }
    part
}

/// The beginning of a description: its first sentence, cut at a word where that is long.
pub fn beginning(description: &str) -> String {
    const MOST: usize = 70;
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = match line.find(". ") {
        Some(end) => line.get(..=end).unwrap_or(&line),
        None => &line,
    };
    if sentence.chars().count() <= MOST {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(MOST).collect();
    let whole = cut
        .rsplit_once(' ')
        .map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", whole.trim_end_matches([',', ';', ':', '.']))
}

#[cfg(test)]
mod tests {
    use super::{beginning, path_part, stock};

    /// SHP-09
    #[test]
    fn stock_is_said_in_words() {
        assert_eq!(stock(None).text, "In stock");
        assert_eq!(stock(Some(4)).text, "In stock");
        assert_eq!(stock(Some(2)).text, "Only 2 left");
        let out = stock(Some(0));
        assert_eq!((out.text.as_str(), out.is_out), ("Out of stock", true));
    }

    #[test]
    fn a_handle_is_one_part_of_the_path() {
        assert_eq!(path_part("clay-plant_pot.2"), "clay-plant_pot.2");
        assert_eq!(path_part("a b/c+d"), "a%20b%2Fc%2Bd");
        assert_eq!(path_part("Käse"), "K%C3%A4se");
    }

    #[test]
    fn a_description_begins_with_its_first_sentence() {
        assert_eq!(beginning("One. Two."), "One.");
        assert_eq!(beginning("One\n two"), "One two");
        assert_eq!(beginning(""), "");
        let long = beginning(&"word, ".repeat(40));
        assert!(
            long.ends_with("word…") && long.chars().count() <= 71,
            "{long}"
        );
        assert!(beginning(&"é".repeat(100_000)).chars().count() <= 71);
    }
}

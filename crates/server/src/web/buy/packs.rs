//! Packs and discounts on the page where tokens are bought (TOK-02 to TOK-05).

use super::Chosen;
use crate::web::frame::link;
use crate::web::session::Member;
use crate::web::view::format::{counted, money, tokens};
use scrip_domain::customer::Customer;
use scrip_domain::id::PackId;
use scrip_domain::token_sale::price::{Pack, packs, price_buyer};
use scrip_domain::token_sale::{Deal, Discount, DiscountKind, TokenSaleError, token_quote};
use scrip_domain::vendor::Vendor;
use scrip_engine::Read;

/// A pack to choose, with what it costs.
pub struct PackChoice {
    /// Its name.
    pub name: String,
    /// Tokens and money.
    pub label: String,
    /// What is special about it.
    pub note: String,
    /// Chooses it.
    pub href: String,
    /// True when it is chosen.
    pub on: bool,
}

/// A pack that is sold to this customer, with what one of it costs.
pub struct Sold {
    /// The pack.
    pub pack: Pack,
    /// One of it.
    pub deal: Deal,
}

/// The packs that this customer may buy now.
pub fn sold(
    tx: &mut dyn Read,
    vendor: &Vendor,
    customer: &Customer,
) -> Result<Vec<Sold>, TokenSaleError> {
    let (buyer, now) = (price_buyer(tx, customer)?, tx.now());
    let mut all = Vec::new();
    for pack in packs(tx, vendor.book_id)? {
        let here = pack.country.is_empty() || pack.country == buyer.country;
        if here && pack.is_sold(now) {
            let deal = token_quote(tx, vendor, customer, pack.tokens, Some(pack.id))?;
            all.push(Sold { pack, deal });
        }
    }
    Ok(all)
}

/// A pack as a form or an address names it; empty for none.
pub fn pack_of(text: &str) -> Result<Option<PackId>, scrip_domain::id::IdError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some)
}

/// A rate in basis points: `5 %`, `2.5 %`.
pub fn percent(off: i64) -> String {
    let (whole, part) = (off / 100, off % 100);
    let part = format!("{part:02}");
    match part.trim_end_matches('0') {
        "" => format!("{whole} %"),
        digits => format!("{whole}.{digits} %"),
    }
}

/// Which discount it was.
pub fn discount_words(discount: &Discount) -> String {
    let off = percent(discount.off);
    match discount.kind {
        DiscountKind::Pack if discount.off == 0 => discount.name.clone(),
        DiscountKind::Pack => format!("{}, {off} off", discount.name),
        DiscountKind::Volume => format!("{off} off for so many"),
        DiscountKind::Preferred => format!("{off} off for you"),
    }
}

/// What tokens of these terms may pay for, and how long they live; empty for no conditions.
pub fn conditions(restriction: Option<&str>, life_days: Option<i64>) -> Vec<String> {
    let mut all = Vec::new();
    match restriction {
        None => {}
        Some("sale") => all.push("for things on sale only".to_owned()),
        Some(other) => {
            let category = other.strip_prefix("category:").unwrap_or(other);
            all.push(format!("for {category} only"));
        }
    }
    if let Some(days) = life_days {
        all.push(format!("for {} from today", counted(days, "day", "days")));
    }
    all
}

/// Packs as links of the page.
pub fn choices(
    member: &Member,
    all: &[Sold],
    here: &str,
    back: &str,
    chosen: &str,
) -> Vec<PackChoice> {
    let vendor = &member.shop.vendor;
    all.iter()
        .map(|Sold { pack, deal }| {
            let id = pack.id.to_string();
            let number = pack.tokens.decimal(vendor.token.scale);
            let mut notes = conditions(pack.restriction.as_deref(), pack.life_days);
            if deal.price < deal.list_price {
                let list = money(deal.list_price, &vendor.currency);
                notes.insert(0, format!("instead of {list}"));
            }
            let query = [("tokens", number.as_str()), ("pack", &id), ("return", back)];
            PackChoice {
                name: pack.name.clone(),
                label: format!(
                    "{} for {}",
                    tokens(pack.tokens),
                    money(deal.price, &vendor.currency)
                ),
                note: notes.join(", "),
                href: link(here, &query),
                on: chosen == id,
            }
        })
        .collect()
}

/// Why the price is what it is; empty at the list price.
pub fn why(deal: &Deal) -> String {
    let words: Vec<String> = deal.discounts.iter().map(discount_words).collect();
    words.join(", and ")
}

impl Chosen {
    /// Notes below the price: what it would be without discounts, and the terms of the tokens.
    pub(super) fn explained(mut self, member: &Member, deal: &Deal) -> Chosen {
        let currency = &member.shop.vendor.currency;
        if deal.price < deal.list_price {
            self.list = money(deal.list_price, currency);
        }
        self.why = why(deal);
        self.terms = conditions(deal.restriction.as_deref(), deal.life_days).join(", ");
        self.pack = deal.pack.map(|(id, _)| id.to_string()).unwrap_or_default();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{conditions, percent};

    #[test]
    fn rates_and_conditions_in_words() {
        for (off, words) in [
            (500, "5 %"),
            (250, "2.5 %"),
            (1, "0.01 %"),
            (9999, "99.99 %"),
        ] {
            assert_eq!(percent(off), words);
        }
        assert_eq!(conditions(None, None), Vec::<String>::new());
        let both = conditions(Some("category:Books"), Some(1));
        assert_eq!(both, ["for Books only", "for 1 day from today"]);
    }
}

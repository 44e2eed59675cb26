//! Reduced prices among what is sold (ADV-06): what a price was, by which promotion, until when.

use crate::error::Result;
use crate::web::session::Guest;
use crate::web::view::Shown;
use crate::web::view::format::tokens;
use jiff::tz::TimeZone;
use scrip_domain::Amount;
use scrip_domain::catalog::{Offer, ProductDetail};
use scrip_domain::id::OfferId;
use scrip_domain::policy::Part;
use scrip_domain::promotion::{Priced, promotions_of_shelf};
use scrip_engine::Read;
use std::collections::BTreeMap;

/// What is reduced of the products of a page.
#[derive(Clone, Debug, Default)]
pub struct Sales {
    reduced: BTreeMap<OfferId, Vec<Priced>>,
    zone: String,
}

impl Sales {
    /// Looks up what is reduced for whoever looks, and gives the products these prices. Comes
    /// before anything is hidden of them: a promotion may go by the manufacturer.
    pub fn applied(
        tx: &mut dyn Read,
        guest: &Guest,
        products: &mut [ProductDetail],
    ) -> Result<Sales> {
        let book = guest.shop.vendor.book_id;
        let mut sales = Sales {
            zone: guest.shop.policy.time_zone.clone(),
            ..Sales::default()
        };
        if !guest.sight.sees(Part::Prices) {
            return Ok(sales);
        }
        let customer = guest.me.as_ref().map(|me| &me.customer);
        sales.reduced = promotions_of_shelf(tx, book, customer, products)?;
        for (offer, _) in products.iter_mut().flat_map(|p| &mut p.offers) {
            let Some(prices) = sales.reduced.get(&offer.offer_id) else {
                continue;
            };
            for (tier, priced) in offer.tiers.iter_mut().zip(prices) {
                tier.price = priced.price;
            }
            if let (true, [priced]) = (offer.tiers.is_empty(), prices.as_slice()) {
                offer.price = priced.price;
            }
        }
        Ok(sales)
    }

    /// What a price was: that of the tier in this place, or of the offer; none where it is not
    /// reduced.
    pub fn was(&self, offer: &Offer, place: usize) -> Option<Shown> {
        let priced = self.reduced.get(&offer.offer_id)?.get(place)?;
        let off = Amount::sum(priced.off.iter().map(|off| off.each)).ok()?;
        let list = priced.price.plus(off).ok()?;
        (!priced.off.is_empty()).then(|| tokens(list))
    }

    /// `Spring sale, until 5 December`; empty where nothing is reduced.
    pub fn words(&self, offer: &Offer) -> String {
        let prices = self.reduced.get(&offer.offer_id);
        let off = prices.into_iter().flatten().flat_map(|priced| &priced.off);
        let mut names: Vec<&str> = Vec::new();
        let mut ends = i64::MAX;
        for one in off {
            if !names.contains(&one.name.as_str()) {
                names.push(&one.name);
            }
            ends = ends.min(one.ends_at);
        }
        match names.is_empty() {
            true => String::new(),
            false => format!("{}, until {}", names.join(", "), last_day(ends, &self.zone)),
        }
    }
}

/// The last day on which something holds that ends at a time, as the vendor's calendar has it:
/// what ends at midnight holds until the day before.
pub fn last_day(ends_at: i64, zone: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(ends_at.saturating_sub(1));
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.map_or_else(
        |_| String::new(),
        |at| at.to_zoned(zone).strftime("%-d %B %Y").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::last_day;

    /// ADV-06
    #[test]
    fn the_last_day_is_of_the_vendors_calendar() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        for (ends, zone, day) in [
            ("2026-12-06T00:00:00Z", "UTC", "5 December 2026"),
            ("2026-12-06T00:00:01Z", "UTC", "6 December 2026"),
            ("2026-12-05T23:00:00Z", "Europe/Berlin", "5 December 2026"),
            ("2026-12-05T23:00:00Z", "Asia/Tokyo", "6 December 2026"),
            ("2026-12-05T23:00:00Z", "Nowhere/At_all", "5 December 2026"),
        ] {
            assert_eq!(last_day(at(ends), zone), day, "{ends} {zone}");
        }
    }
}

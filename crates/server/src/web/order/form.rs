//! What the page that asks to confirm sends back.

use super::address::To;
use super::confirm::look;
use super::review::Review;
use crate::error::{Problem, Result};
use crate::state::App;
use crate::web::session::{Member, Shop};
use scrip_domain::Amount;
use scrip_domain::customer::{Address, address_checked};
use scrip_domain::id::OfferId;
use scrip_domain::order::{Supply, Wanted};
use scrip_domain::promotion::CouponKey;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What was shown and is confirmed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    pub key: String,
    /// The account that the page said would pay.
    #[serde(default)]
    pub account: String,
    #[serde(default)]
    pub offer: Vec<OfferId>,
    #[serde(default)]
    quantity: Vec<i64>,
    #[serde(default)]
    price: Vec<String>,
    /// How each program is handed over; empty for what is none.
    #[serde(default)]
    supply: Vec<String>,
    /// Of the card part, which the other button leaves alone: the card, the processor's token for
    /// one that was entered, whether it is to be kept, the payment session, the price in money.
    #[serde(default)]
    pub card: String,
    #[serde(default)]
    pub method: String,
    #[serde(default)]
    pub keep: String,
    #[serde(default)]
    pub session: String,
    #[serde(default)]
    pub money: String,
    /// The kind of open tokens that is to pay; empty lets the mall choose.
    #[serde(default)]
    pub pay_with: String,
    /// The key of the coupon that was shown; empty for none.
    #[serde(default)]
    coupon: String,
    #[serde(default)]
    to_name: String,
    #[serde(default)]
    to_lines: String,
    #[serde(default)]
    to_postal_code: String,
    #[serde(default)]
    to_city: String,
    #[serde(default)]
    to_country: String,
}

/// What was chosen on the page, to stand there again.
#[derive(Clone)]
pub struct Chosen {
    /// The lines.
    pub wanted: Vec<Wanted>,
    /// How programs are handed over.
    pub supply: BTreeMap<OfferId, Supply>,
    /// The coupon.
    pub coupon: Option<CouponKey>,
    /// Where goods are sent to.
    pub to: To,
}

impl Chosen {
    /// What the order would be now, with what was chosen.
    pub async fn review(self, app: &App, member: &Member) -> Result<Review> {
        Ok(Review {
            supply: self.supply,
            to: self.to,
            ..look(app, member, self.wanted, self.coupon).await?
        })
    }
}

impl Confirmed {
    /// What was chosen.
    pub fn chosen(&self, shop: &Shop) -> Result<Chosen> {
        Ok(Chosen {
            wanted: wanted(shop, self)?,
            supply: self.supply()?,
            coupon: self.coupon()?,
            to: self.to(),
        })
    }

    /// Where it is sent to, and what is wrong with that.
    fn to(&self) -> To {
        let address = self.address();
        let is_empty = address == Address::default();
        To {
            wrong: (!is_empty)
                .then(|| address_checked(&address).err())
                .flatten(),
            address,
        }
    }

    /// The coupon that the page showed.
    fn coupon(&self) -> Result<Option<CouponKey>> {
        let key = Some(self.coupon.as_str()).filter(|key| !key.is_empty());
        let key = key.map(str::parse).transpose();
        key.map_err(|text| Problem::invalid("form_invalid", text))
    }

    /// Where it is sent to.
    fn address(&self) -> Address {
        Address {
            name: self.to_name.clone(),
            lines: self.to_lines.clone(),
            postal_code: self.to_postal_code.clone(),
            city: self.to_city.clone(),
            country: self.to_country.clone(),
        }
    }

    /// How programs are handed over. A page that was drawn before there was a choice has none.
    fn supply(&self) -> Result<BTreeMap<OfferId, Supply>> {
        let chosen = self.offer.iter().zip(&self.supply);
        let chosen = chosen.filter(|(_, word)| !word.is_empty());
        chosen
            .map(|(offer, word)| {
                let supply = Supply::parse(word);
                let supply = supply.map_err(|e| Problem::invalid("form_invalid", e.to_string()))?;
                Ok((*offer, supply))
            })
            .collect()
    }
}

/// The lines of a form.
fn wanted(shop: &Shop, form: &Confirmed) -> Result<Vec<Wanted>> {
    let uneven = form.offer.len() != form.quantity.len() || form.offer.len() != form.price.len();
    if uneven {
        let text = "the form names a quantity and a price for each offer: open the page anew";
        return Err(Problem::invalid("form_invalid", text));
    }
    let lines = form.offer.iter().zip(&form.quantity).zip(&form.price);
    lines
        .map(|((offer, quantity), price)| {
            Ok(Wanted {
                offer_id: *offer,
                quantity: *quantity,
                quoted: Some(Amount::parse(price, shop.vendor.token.scale)?),
                entered: None,
            })
        })
        .collect()
}

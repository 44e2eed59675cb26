//! How a vendor's shop looks, and what its first page says.

use super::{Result, Vendor, store};
use crate::Actor;
use crate::audit;
use crate::text::{self, named};
use scrip_engine::{Read, Tx};
use serde_json::json;

named! {
    /// The colour of a shop.
    Hue, "the colour" {
        /// Blue black.
        Ink = "ink",
        /// Blue.
        Cobalt = "cobalt",
        /// Green.
        Moss = "moss",
        /// Red brown.
        Brick = "brick",
        /// Dark purple.
        Plum = "plum",
        /// Blue green.
        Teal = "teal",
        /// Yellow brown.
        Ochre = "ochre",
        /// Purple.
        Violet = "violet",
    }
}

named! {
    /// The sign of a shop.
    Mark, "the sign" {
        /// A star.
        Star = "star",
        /// A leaf.
        Leaf = "leaf",
        /// Three bars.
        Three = "three",
        /// A square.
        Square = "square",
        /// A diamond.
        Diamond = "diamond",
        /// A plus.
        Plus = "plus",
    }
}

named! {
    /// What a shop sells.
    Sells, "what is sold" {
        /// Software, to be downloaded.
        Software = "software",
        /// Goods.
        Goods = "goods",
        /// Software and goods: visitors choose a branch (SHP-06).
        Both = "both",
    }
}

/// How a vendor's shop looks, and what its first page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storefront {
    /// Its colour.
    pub hue: Hue,
    /// Its sign.
    pub mark: Mark,
    /// One line, may be empty.
    pub headline: String,
    /// Some paragraphs; a shop without them has no first page.
    pub introduction: String,
    /// What it sells.
    pub sells: Sells,
}

impl Storefront {
    /// True when a product that says nothing else is software. A vendor that sells both marks
    /// its software.
    pub fn is_software_usual(&self) -> bool {
        self.sells == Sells::Software
    }
}

/// A shop that has not chosen yet.
impl Default for Storefront {
    fn default() -> Self {
        Storefront {
            hue: Hue::Ink,
            mark: Mark::Square,
            headline: String::new(),
            introduction: String::new(),
            sells: Sells::Goods,
        }
    }
}

/// The storefront of a vendor, or the default one when the vendor has none.
pub fn storefront(tx: &mut dyn Read, book_id: i64) -> Result<Storefront> {
    Ok(store::storefront(tx, book_id)?.unwrap_or_default())
}

/// Sets the storefront of a vendor.
pub fn storefront_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    new: &Storefront,
) -> Result<()> {
    let checked = Storefront {
        headline: text::optional_line("the headline", &new.headline, 120)?,
        introduction: text::paragraph("the introduction", &new.introduction, 4000)?,
        ..new.clone()
    };
    let held = storefront(tx, vendor.book_id)?;
    if held == checked {
        return Ok(());
    }
    store::set_storefront(tx, vendor.book_id, &checked)?;
    let said = |front: &Storefront| {
        json!({
            "hue": front.hue.name(), "mark": front.mark.name(), "sells": front.sells.name(),
            "headline": front.headline, "introduction": front.introduction,
        })
    };
    let detail = json!({"from": said(&held), "to": said(&checked)});
    audit::note(tx, vendor.book_id, actor, "storefront.set", "", &detail)?;
    Ok(())
}

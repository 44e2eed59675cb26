//! Promotions: what a vendor takes off prices for a time (ADV-06).
//!
//! A *promotion* holds for everybody whom it is for. A *coupon* is a promotion for those who have
//! its code; one that a manufacturer pays for is good for its products alone. Prices are worked
//! out in `rules.rs`: per line the best single price counts, or all together where the policy
//! lets them add up. `held.rs` says which promotions an order has, `uses.rs` keeps what they took
//! off, `coupon.rs` has codes and wrong ones.

mod coupon;
mod held;
mod plan;
mod rules;
mod store;
#[cfg(test)]
mod tests;
mod uses;

use crate::command::CommandError;
use crate::customer::CustomerError;
use crate::id::{OfferId, ProductId, PromotionId};
use crate::text::{TextError, named};
use scrip_engine::{Error as EngineError, Timestamp};
use scrip_ledger::{Amount, Error as LedgerError};
use serde::{Deserialize, Serialize};

pub use coupon::{
    CODES_AT_MOST, CodeCount, CouponFault, CouponKey, codes_count, codes_issue, coupon_clear,
    coupon_enter, coupon_of, coupon_use_check,
};
pub use held::{Asked, Held, Off, Priced, found, held, held_locked, promotions_of_shelf};
pub use plan::{
    Example, NewPromotion, Preview, promotion_by_id, promotion_preview, promotion_put,
    promotion_stop, promotions, scope_in_words, scope_read,
};
pub use uses::{
    Line, Reduced, Taken, Use, lines_of, promotion_faults, uses_back, uses_between, uses_count,
    uses_keep, uses_move,
};

/// Which products a promotion is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All.
    All,
    /// Those of some categories.
    Categories(Vec<String>),
    /// Those of some manufacturers.
    Manufacturers(Vec<String>),
    /// Some products, and some offers of others.
    Chosen {
        /// Whole products.
        products: Vec<ProductId>,
        /// Single offers.
        offers: Vec<OfferId>,
    },
}

/// What a promotion does to a price. Of a tier, each of the pieces that it grants counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A rate is taken off, in basis points (1000 is 10 %).
    Rate(i64),
    /// So many tokens are taken off each piece.
    Each(Amount),
    /// Each piece costs this.
    Price(Amount),
}

/// What makes a promotion a coupon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponTerms {
    /// Who pays for it, and whose products alone it is good for; empty for the vendor's own.
    pub manufacturer: String,
    /// True when it comes off a promotion's price too; otherwise the better one of the two counts.
    pub combinable: bool,
    /// The one code for everybody; empty where codes are issued that are good once.
    pub code: String,
}

/// What a promotion is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Its name; customers see it.
    pub name: String,
    /// From when on it holds. Microseconds.
    pub begins_at: i64,
    /// Until when. Microseconds.
    pub ends_at: i64,
    /// What it is for.
    pub scope: Scope,
    /// What it takes off.
    pub cut: Cut,
    /// True when it is for preferred customers only.
    pub preferred_only: bool,
    /// Orders that one customer may use it for; 0 for any number.
    pub per_customer: i64,
    /// Orders that all together may use it for; 0 for any number.
    pub in_total: i64,
    /// What an order comes to at least at the list prices; zero for anything.
    pub minimum: Amount,
    /// What makes it a coupon; `None` for a promotion without a code.
    pub coupon: Option<CouponTerms>,
}

named! {
    /// Where a promotion stands.
    State, "the state of the promotion" {
        /// It has not begun.
        Planned = "planned",
        /// It holds.
        Running = "running",
        /// It has ended.
        Over = "over",
        /// It was stopped.
        Stopped = "stopped",
    }
}

/// A promotion, or a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The promotion.
    pub id: PromotionId,
    /// What it is.
    pub terms: Terms,
    /// When it was stopped.
    pub stopped_at: Option<Timestamp>,
    /// Counts changes: who changes it says which one was seen.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: Timestamp,
}

impl Promotion {
    /// Where it stands at a time. From its beginning on it holds, from its end on it does not.
    pub fn state(&self, now: Timestamp) -> State {
        match self.stopped_at {
            Some(_) => State::Stopped,
            None if now.0 < self.terms.begins_at => State::Planned,
            None if now.0 < self.terms.ends_at => State::Running,
            None => State::Over,
        }
    }

    /// True for one that needs a code.
    pub fn is_coupon(&self) -> bool {
        self.terms.coupon.is_some()
    }
}

/// Why a promotion was not made or changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromotionError {
    /// Not one's own to do.
    #[error("only the vendor's staff may do this")]
    Forbidden,
    /// No such promotion.
    #[error("there is no promotion {0}")]
    Unknown(PromotionId),
    /// Something about it cannot be.
    #[error("{0}")]
    Invalid(&'static str),
    /// A product or SKU that is not in the catalogue.
    #[error("nothing in the catalogue is called {0:?}: write a product's handle or a SKU")]
    NothingCalled(String),
    /// It runs already.
    #[error(
        "this promotion has begun, and customers have seen it: stop it, and make a copy with what \
         should hold instead"
    )]
    Begun,
    /// Somebody else changed it.
    #[error("somebody changed this meanwhile: look at what holds now and change it again")]
    Changed,
    /// Another coupon has the code.
    #[error("another coupon has the code {0}: choose another one, or stop that coupon first")]
    CodeTaken(String),
    /// Too many at once.
    #[error("at most {0} promotions can be planned or running at once: stop some first")]
    TooMany(i64),
    /// Codes for a coupon that has one for everybody, or for no coupon.
    #[error(
        "codes are issued for coupons whose codes are good once; this one is none of them, or it is over"
    )]
    NoCodes,
    /// More codes than are made at once.
    #[error("1 to {0} codes are issued at once, and 100000 for one coupon")]
    CodesTooMany(i64),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the envelope.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, PromotionError>;

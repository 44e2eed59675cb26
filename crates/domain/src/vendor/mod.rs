//! Vendors: their book, their token and its price, their staff (TOK-01, MIC-02).

mod limits;
mod minimum;
mod quota;
mod role;
mod rules;
mod staff;
mod store;
mod storefront;
#[cfg(test)]
mod tests;

use crate::Actor;
use crate::audit;
use crate::id::StaffId;
use crate::text::{self, TextError};
use crate::vault::Vault;
use scrip_engine::{Error as EngineError, Read, Timestamp, Tx};
use scrip_ledger::{
    AccountKind, Amount, Asset, BookKind, Error as LedgerError, NewAccount, TOKEN_SCALE,
    account_open, asset_currency, asset_token_create, book_create,
};
use serde_json::json;

pub use limits::{Limits, is_sweeping, limits_check, limits_set};
pub use minimum::Minimums;
pub use quota::{Quota, quota};
pub(crate) use quota::{issue_give_back, issue_stop, issue_take, quota_set};
pub use role::{Permission, Role};
pub use rules::{TOKENS_AT_MOST, money_for_tokens};
pub use staff::{
    StaffSignIn, staff_at_work, staff_by_id, staff_by_name, staff_create, staff_end, staff_list,
    staff_return, staff_role_set, staff_secret_set, staff_sign_in,
};
pub use storefront::{Hue, Mark, Sells, Storefront, storefront, storefront_set};

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Its book.
    pub book_id: i64,
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its token.
    pub token: Asset,
    /// The currency in which it sells its token.
    pub currency: Asset,
    /// What kind of business it is (REG-01).
    pub kind: EntityKind,
    /// Tokens that a customer must acquire before the account is active (MT).
    pub minimum_tokens: Amount,
    /// The same for countries that have their own (TOK-01).
    pub minimums: Minimums,
    /// Declined cards in a row that end a payment session.
    pub declines_allowed: i64,
    /// How long tokens stay usable that a refund gives back after they had expired.
    pub refund_grace_s: i64,
    /// Its accounts in the ledger.
    pub accounts: Accounts,
}

crate::text::named! {
    /// What kind of business opens accounts, each under its own identity (REG-01). Each of them is a
    /// vendor of its own tokens.
    EntityKind, "the kind of business" {
        /// Sells things for its tokens.
        Vendor = "vendor",
        /// Makes what others sell.
        Manufacturer = "manufacturer",
        /// Issues tokens to its own customers, who spend them elsewhere.
        CreditInstitution = "credit_institution",
    }
}

impl EntityKind {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            EntityKind::Vendor => "vendor",
            EntityKind::Manufacturer => "manufacturer",
            EntityKind::CreditInstitution => "credit institution",
        }
    }
}

impl Vendor {
    /// MT of customers of a country: its own, else the vendor's (TOK-01).
    pub fn minimum_for(&self, country: &str) -> Amount {
        self.minimums.of(country).unwrap_or(self.minimum_tokens)
    }
}

/// The vendor's accounts in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// The other side of tokens issued.
    pub issued: i64,
    /// Tokens that came back by sales.
    pub spent: i64,
    /// Tokens that expired.
    pub expired: i64,
    /// Money that the card processor owes.
    pub processor: i64,
    /// Money received for tokens.
    pub deferred: i64,
}

/// A vendor to be created.
#[derive(Clone, Debug)]
pub struct NewVendor {
    /// What kind of business it is (REG-01).
    pub kind: EntityKind,
    /// Short name, unique on the node.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Price of one token in that currency, as typed: `0.01`.
    pub token_price: String,
    /// MT, as typed.
    pub minimum_tokens: String,
    /// Declined cards in a row that end a payment session.
    pub declines_allowed: i64,
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The id.
    pub staff_id: StaffId,
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// When the person left; `None` while at work.
    pub ended_at: Option<Timestamp>,
}

/// Why a vendor's command failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VendorError {
    /// No such vendor.
    #[error("no vendor is called {0:?}: `scrip vendor list` shows those that exist")]
    Unknown(String),
    /// A price of nothing.
    #[error("the price of a token must be above zero")]
    PriceNotPositive,
    /// A price for a time that has passed.
    #[error("prices that held stay as they were: set the new price from now on, or later")]
    PriceInPast,
    /// A country's minimum that cannot be.
    #[error(
        "{0:?} is no minimum of a country: write each country once, two letters of ISO 3166 and a \
         number of tokens, as DE 100"
    )]
    Minimum(String),
    /// The mall has cut the vendor off (GOV-10).
    #[error(
        "the mall has suspended this shop: it issues no tokens until it is back. What you have is \
         yours to spend"
    )]
    IssueStopped,
    /// More than the mall lets the vendor issue (MSP-01).
    #[error(
        "the shop may issue {} more tokens and no further: take fewer, or ask the shop to get a \
         larger quota from its mall",
        left.decimal(TOKEN_SCALE)
    )]
    QuotaShort {
        /// What is still available.
        left: Amount,
    },
    /// A number that must be positive.
    #[error("at least one declined card must be allowed")]
    DeclinesNotPositive,
    /// More than anybody needs.
    #[error("at most {0} declined cards can be allowed")]
    DeclinesTooMany(i64),
    /// A time that cannot be.
    #[error("the time after a refund is 0 seconds to 10 years")]
    GraceInvalid,
    /// Somebody else changed it.
    #[error("somebody changed this meanwhile: look at what holds now and change it again")]
    Stale,
    /// The name is taken.
    #[error("a member of staff is called {0:?} already: choose another name")]
    StaffNameTaken(String),
    /// No such member of staff.
    #[error("no member of staff is called {0:?}: `scrip staff create` makes one")]
    StaffUnknown(String),
    /// Who left does not come in.
    #[error("{0:?} does not work here any more: take the person back first")]
    StaffEnded(String),
    /// Nobody could let anybody in.
    #[error(
        "{0:?} is the last owner who can sign in: make another person an owner, with a password, \
         before you change this one"
    )]
    LastOwner(String),
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, VendorError>;

/// Creates a vendor with its book, its token, its accounts and its first token price.
pub fn vendor_create(tx: &mut Tx<'_>, vault: &Vault, new: &NewVendor) -> Result<Vendor> {
    let name = text::line("the vendor's name", &new.name, 200)?;
    if new.declines_allowed < 1 {
        return Err(VendorError::DeclinesNotPositive);
    }
    let minimum_tokens = Amount::parse(&new.minimum_tokens, TOKEN_SCALE)?;
    if minimum_tokens < Amount::ZERO {
        return Err(LedgerError::NotPositive.into());
    }
    let currency = asset_currency(tx, &new.currency)?;
    let price = Amount::parse(&new.token_price, currency.scale)?;
    let book = book_create(tx, BookKind::Vendor, &new.slug, &name)?;
    let token = asset_token_create(tx, &book, "TOKEN", TOKEN_SCALE)?;
    let mut open = |kind: AccountKind, asset: &Asset| {
        let new = NewAccount {
            book_id: book.book_id,
            asset_id: asset.asset_id,
            kind,
            label: &asset.code,
            owner: None,
            counterparty: None,
        };
        account_open(tx, &new)
    };
    let accounts = Accounts {
        issued: open(AccountKind::Issued, &token)?,
        spent: open(AccountKind::Spent, &token)?,
        expired: open(AccountKind::Expired, &token)?,
        processor: open(AccountKind::Processor, &currency)?,
        deferred: open(AccountKind::Deferred, &currency)?,
    };
    let vendor = Vendor {
        book_id: book.book_id,
        slug: book.slug,
        name,
        token,
        currency,
        kind: new.kind,
        minimum_tokens,
        minimums: Minimums::default(),
        declines_allowed: new.declines_allowed,
        refund_grace_s: REFUND_GRACE_S,
        accounts,
    };
    let (_, data_key) = vault.new_data_key(tx, &data_key_label(vendor.book_id))?;
    store::insert(tx, &vendor, &data_key)?;
    let now = tx.now();
    // A vendor may enter business of before it came to Scrip; its first price holds for that.
    price_positive(price)?;
    store::set_price(tx, vendor.book_id, price, Timestamp(0).min(now))?;
    Ok(vendor)
}

/// A month.
const REFUND_GRACE_S: i64 = 30 * 24 * 3600;

fn data_key_label(book_id: i64) -> String {
    format!("data key of book {book_id}")
}

/// The vendor's own data key, for what belongs to no customer yet.
pub fn vendor_data_key(
    tx: &mut dyn Read,
    vault: &Vault,
    book_id: i64,
) -> Result<crate::vault::SecretKey> {
    let sealed = store::data_key(tx, book_id)?;
    Ok(vault.data_key(&data_key_label(book_id), &sealed)?)
}

/// All vendors of the node.
pub fn vendors(tx: &mut dyn Read) -> Result<Vec<Vendor>> {
    store::all(tx)
}

/// The vendor of a short name.
pub fn vendor_by_slug(tx: &mut dyn Read, slug: &str) -> Result<Vendor> {
    store::by_slug(tx, slug)?.ok_or_else(|| VendorError::Unknown(slug.chars().take(60).collect()))
}

/// The vendor of a book.
pub fn vendor_by_book(tx: &mut dyn Read, book_id: i64) -> Result<Vendor> {
    store::by_book(tx, book_id)?.ok_or_else(|| VendorError::Unknown(format!("book {book_id}")))
}

fn price_positive(price: Amount) -> Result<()> {
    if price.is_positive() {
        Ok(())
    } else {
        Err(VendorError::PriceNotPositive)
    }
}

/// Sets the price of one token, in the smallest unit of the vendor's currency, from a time on
/// that has not passed. Earlier prices are kept (TOK-01).
pub fn token_price_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    price: Amount,
    effective_at: Timestamp,
) -> Result<()> {
    price_positive(price)?;
    if effective_at < tx.now() {
        return Err(VendorError::PriceInPast);
    }
    store::set_price(tx, vendor.book_id, price, effective_at)?;
    let detail = json!({
        "price": price.decimal(vendor.currency.scale), "from": effective_at.0,
    });
    audit::note(tx, vendor.book_id, actor, "token_price.set", "", &detail)?;
    Ok(())
}

/// The price of one token at a time.
pub fn token_price_at(tx: &mut dyn Read, book_id: i64, at: Timestamp) -> Result<Amount> {
    store::price_at(tx, book_id, at)
}

/// Sets T, below which nobody orders; `None` for the price of the cheapest offer (SHP-05). Part
/// of the policy, kept here too because every purchase reads the vendor's row.
pub(crate) fn threshold_set(
    tx: &mut Tx<'_>,
    book_id: i64,
    threshold: Option<Amount>,
) -> std::result::Result<(), EngineError> {
    store::set_threshold(tx, book_id, threshold)
}

/// Says whether the vendor's policy has rates of tax; kept here for the same reason.
pub(crate) fn taxed_set(
    tx: &mut Tx<'_>,
    book_id: i64,
    is_taxed: bool,
) -> std::result::Result<(), EngineError> {
    store::set_taxed(tx, book_id, is_taxed)
}

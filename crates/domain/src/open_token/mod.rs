//! Open tokens: universal ones, those of manufacturers and of groups (OPN-10 to OPN-14, GOV-04,
//! GOV-05, GOV-08, GOV-13). Gift certificates are told in `gift`, what pays for what in `checkout`.
//!
//! An open token counts in the mall's currency, at par: one is worth 1.00 wherever it is taken, in
//! steps of the smallest unit. What it costs is another matter: its issuer may sell it for less, or
//! give it. Open tokens stand in the mall's book (decision 0019), in a wallet for each customer, type
//! and debtor; their money stands in the book of the debtor, who pays when they are spent elsewhere.
//!
//! Read on: `group.rs` (groups and their dates), `issue.rs` (how they come to be), `product.rs` (what manufacturers make), `expiry.rs`.

mod expiry;
mod group;
mod issue;
mod product;
mod store;

use crate::books::account;
use crate::customer::{Customer, CustomerError};
use crate::id::CustomerId;
use crate::mall::{Mall, MallError, Member};
use crate::text::{TextError, named};
use crate::vendor::{Vendor, VendorError, vendor_by_book};
use scrip_engine::{Error as EngineError, ReadTx, Timestamp, Tx};
use scrip_ledger::{
    AccountKind, Amount, Book, BookKind, CURRENCY_SCALE, Error as LedgerError, Lot, NewAccount,
    Origin, account_open, asset_token_create, lots_available, lots_locked,
};
use std::collections::BTreeMap;

pub use expiry::open_expire;
pub use group::{
    Group, GroupMember, group_by_slug, group_create, group_join, group_leave, group_members,
    groups, groups_shared,
};
pub use issue::{NewOpen, OpenIssued, open_discount_set, open_issue, open_pay_off};
pub(crate) use issue::{active, money_came};
pub use product::{Listed, listed, product_delist, product_list, products};

named! {
    /// What kind of open token it is.
    OpenKind, "the kind of token" {
        /// Taken by every member (OPN-10).
        Universal = "universal",
        /// A manufacturer's, sold for less than it buys (OPN-11).
        M1 = "m1",
        /// A manufacturer's, given: it pays a part of a price beside universal ones (OPN-12).
        M2 = "m2",
        /// Taken inside a group (OPN-14).
        Group = "group",
        /// A gift certificate (OPN-15).
        Gift = "gift",
    }
}

impl OpenKind {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            OpenKind::Universal => "universal tokens",
            OpenKind::M1 => "manufacturer's tokens",
            OpenKind::M2 => "manufacturer's discount tokens",
            OpenKind::Group => "group tokens",
            OpenKind::Gift => "gift certificates",
        }
    }
}

/// A type of open token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenToken {
    /// Its asset in the ledger.
    pub asset_id: i64,
    /// What kind.
    pub kind: OpenKind,
    /// The manufacturer, or the issuer of gift certificates; the mall where each member may issue.
    pub owner_book: i64,
    /// The group; 0 for none.
    pub group_no: i64,
}

/// Why a command about open tokens was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing, or more than any account may hold.
    #[error("issue more than nothing and at most 1,000,000 in one go")]
    Quantity,
    /// Gift certificates are issued one by one.
    #[error("gift certificates are issued with their codes: ask for certificates instead")]
    GiftByCode,
    /// No certificate can be like this.
    #[error("a gift certificate is worth at most 10,000, and at most 1,000 are issued in one go")]
    Certificates,
    /// Only a manufacturer makes them.
    #[error("{0} is no manufacturer: only manufacturers issue tokens of their own kind")]
    NoManufacturer(String),
    /// M2 tokens are free, and only they.
    #[error("manufacturer's discount tokens are given: they have no price")]
    GivenOnly,
    /// Not in this group.
    #[error("{member} is not in the group {group}: it can neither issue nor take its tokens")]
    OutsideGroup {
        /// Who.
        member: String,
        /// Which.
        group: String,
    },
    /// No such group.
    #[error("there is no group {0:?} in this mall: ask the mall for its groups")]
    GroupUnknown(String),
    /// The short name is taken.
    #[error("a group is called {0:?} already: choose another short name")]
    GroupTaken(String),
    /// Its times are not in order.
    #[error("a membership ends after it begins, and nothing is changed for times that have passed")]
    GroupTimes,
    /// A discount that cannot be.
    #[error("a discount is 0 to 100 percent")]
    DiscountInvalid,
    /// A cap that cannot be.
    #[error("discount tokens pay 0 to 100 percent of a product's price")]
    CapInvalid,
    /// Another manufacturer lists it.
    #[error("{0:?} is on another manufacturer's list: ask the mall to clear that up")]
    ListedBy(String),
    /// Not on the list.
    #[error("{0:?} is not on this manufacturer's list")]
    NotListed(String),
    /// It would have been over before it began.
    #[error("tokens expire in the future: choose a later time")]
    Expiry,
    /// The customer's account is closed.
    #[error("this account is closed: nothing comes to it")]
    Closed,
    /// Tokens that are not owed any more.
    #[error("these tokens were paid for, or were given: nothing is owed for them")]
    NothingOwed,
    /// Not for customers.
    #[error("only the vendor's staff may do this")]
    Forbidden,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// From the mall.
    #[error(transparent)]
    Mall(#[from] MallError),
    /// From the customer.
    #[error(transparent)]
    Customer(#[from] CustomerError),
    /// From the vendor.
    #[error(transparent)]
    Vendor(#[from] VendorError),
    /// From the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

type Result<T> = std::result::Result<T, OpenError>;

/// The accounts of a debtor of a type, in the mall's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The other side of what it issued.
    pub issued: i64,
    /// What came back by sales.
    pub spent: i64,
    /// What expired.
    pub expired: i64,
    /// By how much it sells them below what they buy, in millionths.
    pub discount_ppm: i64,
}

/// A member's accounts of money for open tokens, in its own book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenMoney {
    /// Money that came for tokens that are not spent yet.
    pub deferred: i64,
    /// Money for those that were.
    pub earned: i64,
    /// Money for those that expired.
    pub breakage: i64,
    /// What others' tokens paid here.
    pub sales: i64,
    /// Royalties and tolls.
    pub charges: i64,
}

/// The token of a kind; made now if there is none.
pub(crate) fn open_token(
    tx: &mut Tx<'_>,
    mall: &Mall,
    kind: OpenKind,
    (owner_book, group_no): (i64, i64),
) -> Result<OpenToken> {
    if let Some(known) = store::token(tx, mall.book_id, kind, owner_book, group_no)? {
        return Ok(known);
    }
    tx.lock_name(&format!("open tokens {}", mall.book_id))?;
    if let Some(known) = store::token(tx, mall.book_id, kind, owner_book, group_no)? {
        return Ok(known);
    }
    let owner = |tx: &mut Tx<'_>| Ok::<_, OpenError>(vendor_by_book(tx, owner_book)?.slug);
    let name = match kind {
        OpenKind::Universal => "U".to_owned(),
        OpenKind::M1 => format!("M1-{}", owner(tx)?),
        OpenKind::M2 => format!("M2-{}", owner(tx)?),
        OpenKind::Group => format!("G-{group_no}"),
        OpenKind::Gift => format!("GIFT-{}", owner(tx)?),
    };
    let book = Book {
        book_id: mall.book_id,
        kind: BookKind::Mall,
        slug: mall.slug.clone(),
        name: mall.name.clone(),
    };
    let name = name.to_ascii_uppercase();
    let asset = asset_token_create(tx, &book, &name, CURRENCY_SCALE)?;
    let token = OpenToken {
        asset_id: asset.asset_id,
        kind,
        owner_book,
        group_no,
    };
    store::insert_token(tx, mall.book_id, &token)?;
    Ok(token)
}

/// A debtor's accounts of a type; opened now if there are none.
pub(crate) fn issuer(
    tx: &mut Tx<'_>,
    mall: &Mall,
    token: &OpenToken,
    debtor: &Member,
) -> Result<Issuer> {
    let (book_id, asset_id) = (mall.book_id, token.asset_id);
    if let Some(known) = store::issuer(tx, book_id, asset_id, debtor.book_id)? {
        return Ok(known);
    }
    tx.lock_name(&format!("open issuer {book_id} {}", debtor.book_id))?;
    if let Some(known) = store::issuer(tx, book_id, asset_id, debtor.book_id)? {
        return Ok(known);
    }
    let label = format!("{} {}", token.kind.name(), debtor.slug);
    let mut open = |kind| {
        let new = NewAccount {
            book_id,
            asset_id,
            kind,
            label: &label,
            owner: None,
            counterparty: Some(debtor.book_id),
        };
        account_open(tx, &new)
    };
    let issuer = Issuer {
        issued: open(AccountKind::Issued)?,
        spent: open(AccountKind::Spent)?,
        expired: open(AccountKind::Expired)?,
        discount_ppm: 0,
    };
    store::insert_issuer(tx, book_id, asset_id, debtor.book_id, &issuer)?;
    Ok(issuer)
}

/// A member's accounts of money for open tokens; opened now if there are none.
pub(crate) fn open_money(tx: &mut Tx<'_>, vendor: &Vendor) -> Result<OpenMoney> {
    if let Some(known) = store::money(tx, vendor.book_id)? {
        return Ok(known);
    }
    let charges = account(tx, vendor, AccountKind::Charges)?;
    tx.lock_name(&format!("open money {}", vendor.book_id))?;
    if let Some(known) = store::money(tx, vendor.book_id)? {
        return Ok(known);
    }
    let label = format!("{} open", vendor.currency.code);
    let mut open = |kind| {
        let new = NewAccount {
            book_id: vendor.book_id,
            asset_id: vendor.currency.asset_id,
            kind,
            label: &label,
            owner: None,
            counterparty: None,
        };
        account_open(tx, &new)
    };
    let money = OpenMoney {
        deferred: open(AccountKind::Deferred)?,
        earned: open(AccountKind::Earned)?,
        breakage: open(AccountKind::Breakage)?,
        sales: open(AccountKind::Sales)?,
        charges,
    };
    store::insert_money(tx, vendor.book_id, &money)?;
    Ok(money)
}

/// The wallet of a customer for tokens of a type that a debtor owes; opened now if there is none.
pub(crate) fn wallet(
    tx: &mut Tx<'_>,
    mall: &Mall,
    token: &OpenToken,
    debtor: i64,
    customer: &Customer,
) -> Result<i64> {
    let of = (token.asset_id, debtor);
    if let Some(known) = store::wallet(tx, mall.book_id, customer, of)? {
        return Ok(known);
    }
    tx.lock_name(&format!("open wallets {}", customer.customer_id))?;
    if let Some(known) = store::wallet(tx, mall.book_id, customer, of)? {
        return Ok(known);
    }
    let new = NewAccount {
        book_id: mall.book_id,
        asset_id: token.asset_id,
        kind: AccountKind::Wallet,
        label: &format!("{} {}", token.kind.name(), customer.number),
        owner: Some(&customer.customer_id.0),
        counterparty: Some(debtor),
    };
    let opened = account_open(tx, &new)?;
    store::insert_wallet(tx, mall.book_id, customer, of, opened)?;
    Ok(opened)
}

/// What a customer holds of a type, owed by one debtor.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The type.
    pub token: OpenToken,
    /// Who owes it.
    pub debtor: i64,
    /// The wallet in the mall's book.
    pub account: i64,
    /// Its lots.
    pub lots: Vec<Lot>,
}

impl Holding {
    /// What of it can be spent at a time, as far as it is not expired.
    pub fn usable(&self, now: Timestamp) -> Result<Amount> {
        let usable = self.lots.iter().filter(|l| l.usable(now));
        Ok(Amount::sum(usable.map(|l| l.remaining))?)
    }

    /// What there is of each origin: paid, credit and free come to the balance (GOV-13).
    pub fn by_origin(&self) -> Result<BTreeMap<Origin, Amount>> {
        let mut sums: BTreeMap<Origin, Amount> = BTreeMap::new();
        for lot in &self.lots {
            let sum = sums.entry(lot.grant.origin).or_default();
            *sum = sum.plus(lot.remaining)?;
        }
        Ok(sums)
    }
}

/// All open tokens of a customer, gift certificates aside.
pub fn holdings(
    tx: &mut ReadTx<'_>,
    mall: &Mall,
    home_book: i64,
    customer: CustomerId,
) -> Result<Vec<Holding>> {
    let wallets = store::wallets(tx, mall.book_id, home_book, customer)?;
    let each = wallets.into_iter().map(|(token, debtor, account)| {
        Ok(Holding {
            token,
            debtor,
            account,
            lots: lots_available(tx, mall.book_id, account)?,
        })
    });
    each.collect()
}

/// The same, locked until the transaction ends.
pub(crate) fn holdings_locked(
    tx: &mut Tx<'_>,
    mall: &Mall,
    customer: &Customer,
) -> Result<Vec<Holding>> {
    let mut wallets = store::wallets(tx, mall.book_id, customer.book_id, customer.customer_id)?;
    // Ascending: two purchases of one customer wait for each other and not in a circle.
    wallets.sort_by_key(|(_, _, account)| *account);
    let each = wallets.into_iter().map(|(token, debtor, account)| {
        Ok(Holding {
            token,
            debtor,
            account,
            lots: lots_locked(tx, mall.book_id, account)?,
        })
    });
    each.collect()
}

/// Open tokens of each kind that are out, by debtor: issued less what came back and expired.
pub fn outstanding(tx: &mut ReadTx<'_>, mall: &Mall) -> Result<Vec<(OpenToken, i64, Amount)>> {
    let mut all = Vec::new();
    for (token, debtor, issuer) in store::issuers(tx, mall.book_id)? {
        let accounts = [issuer.issued, issuer.spent, issuer.expired];
        let balances = scrip_ledger::account_balances(tx, mall.book_id, &accounts)?;
        all.push((token, debtor, Amount::sum(balances)?.negated()?));
    }
    Ok(all)
}

//! The mall: who belongs to it, what members' tokens are worth, who takes whose, and what they owe
//! each other (GOV-01, GOV-02, GOV-06, GOV-09, GOV-10, GOV-12, OPN-04, OPN-05).
//!
//! The mall stands between its members: whoever owes for tokens owes the mall, and the mall owes
//! whoever took them. So each member has one position, and all positions and what the mall has
//! kept come to nothing. An event between two members is an entry in each of the three books, all
//! under one id, in one transaction; no entry moves anything from book to book.
//!
//! Read on: `member.rs` (joining, standing, values, acceptance), `settle.rs` (the entries),
//! `clearing.rs` (positions, and their payment in whole cents).

mod clearing;
mod deposit;
mod dispute;
mod franchise;
mod member;
mod office;
mod payment;
mod rules;
mod settle;
mod store;

use crate::actor::Actor;
use crate::text::{self, TextError};
use crate::vendor::VendorError;
use scrip_engine::{Error as EngineError, Read, Tx};
use scrip_ledger::{
    AccountKind, Amount, Asset, BookKind, Error as LedgerError, NewAccount, account_open,
    asset_currency, book_create,
};

pub use clearing::{
    Clearing, Clears, Position, Traffic, clearing_close, clearing_due, clearing_interval_set,
    clearings, franchise_clear, franchise_interval_set, franchises_due, mall_kept, mall_lines,
    position, statement, traffic,
};
pub(crate) use deposit::take as deposit_take;
pub use deposit::{
    Deposit, Settles, TakesRoyalty, Toll, deposit, deposit_add, royalty_taking_set, settling_set,
    toll_price, toll_set, transfers,
};
pub use dispute::{
    Dispute, DisputeState, Party, Ruling, adjustment_make, dispute_close, dispute_open, disputes,
    lines_disputed,
};
pub use franchise::{
    Franchise, franchise_join, franchise_leave, franchise_members, franchise_of,
    franchise_statement, franchise_value_set,
};
pub use member::{
    Member, MemberAccounts, MemberState, Terms, acceptance_set, accepted_from, accepters_of,
    may_pass, member_bar_set, member_join, member_of, member_quota_sell, member_quota_set,
    member_state_set, members, membership, terms_at, terms_set, value_at, value_set, values,
};
pub use office::{malls_run_by, office_set};
pub(crate) use office::{note as office_note, operator_only};
pub use payment::{Invoice, Payment, clearing_pay, invoice, invoices};
pub(crate) use settle::settled_line;
pub use settle::{Line, LineKind, Owed, Sides, owed_in_all, settle};

/// A clearing house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mall {
    /// Its book.
    pub book_id: i64,
    /// Its short name.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The one currency in which it settles.
    pub currency: Asset,
    /// Seconds for which a quote holds (OPN-02).
    pub quote_s: i64,
    /// How often it clears by itself (GOV-09).
    pub clears: Clears,
    /// Its account of fractions that exchanges leave over.
    pub residue_account: i64,
    /// Its account of royalties, once there was one.
    pub royalty_account: Option<i64>,
    /// True when tokens of several types may pay one line together (OPN-19).
    pub combines: bool,
    /// True when tokens that a vendor gave may leave it (GOV-11).
    pub free_leaves: bool,
    /// The vendor whose owners and managers run it on pages.
    pub office_book: Option<i64>,
}

/// Why a command of the mall was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MallError {
    /// No such mall.
    #[error("no mall is called {0:?}: `scrip mall list` shows those that exist")]
    Unknown(String),
    /// Not for those who act for customers or vendors.
    #[error("only those who run the mall may do this")]
    OperatorOnly,
    /// The vendor sells its tokens in another currency.
    #[error("this mall settles in {mall}, the vendor sells its tokens in {vendor}: it cannot join")]
    Currency {
        /// The mall's.
        mall: String,
        /// The vendor's.
        vendor: String,
    },
    /// The vendor belongs to a mall.
    #[error("{0} belongs to a mall already")]
    Joined(String),
    /// The vendor belongs to none.
    #[error("{0} belongs to no mall: its tokens pay at home only")]
    NoMember(String),
    /// A change that cannot be.
    #[error("a member that is {from} cannot become {to}")]
    Standing {
        /// Where it stands.
        from: &'static str,
        /// Where it should.
        to: &'static str,
    },
    /// A value that no token can have.
    #[error("a token is worth more than nothing and at most 10,000 of the currency")]
    ValueInvalid,
    /// A value or terms for a time that has passed.
    #[error("what held stays as it was: set the new one from now on, or later")]
    InPast,
    /// A tree with one level.
    #[error(
        "a franchise has one parent, and members of one franchise belong to no other: let them leave \
         first"
    )]
    FranchiseTree,
    /// No members.
    #[error("{0} is the parent of no franchise")]
    NoFranchise(String),
    /// The parent decides.
    #[error("{0} fixes what tokens of its franchise are worth: ask it for another value")]
    ValueFixed(String),
    /// A charge that cannot be.
    #[error("a charge is 0 to 10,000 of the currency, and 0 to 100 percent")]
    ChargeInvalid,
    /// One member on both sides.
    #[error("these are one vendor's tokens already: choose another vendor")]
    SameMember,
    /// Not of the same mall.
    #[error("these vendors belong to no common mall: tokens cannot pass between them")]
    Outside,
    /// The mall has cut a member off (GOV-10).
    #[error("the mall has suspended {0}: nothing passes until it is back")]
    Suspended(String),
    /// A member has left.
    #[error("{0} has left the mall: its tokens pay at home only")]
    Left(String),
    /// The mall keeps a member's tokens at home (GOV-12).
    #[error("the mall lets no tokens of {0} leave at present: they pay at home as always")]
    Barred(String),
    /// The acceptor does not take them (OPN-05).
    #[error("{acceptor} takes no tokens of {issuer}: choose another vendor")]
    NotAccepted {
        /// Who does not.
        acceptor: String,
        /// Whose tokens.
        issuer: String,
    },
    /// The deposit from which a member settles does not cover what it would owe (OPN-20).
    #[error(
        "the deposit of {0} at the mall does not cover this at present: pay with other tokens, or \
         try again later"
    )]
    DepositShort(String),
    /// A quota that cannot be sold.
    #[error("a quota is of more than no tokens, at a rate of 0 to 10,000 of the currency")]
    QuotaInvalid,
    /// No such clearing, or nothing in it for this member.
    #[error("clearing {number} has nothing to pay for {member}")]
    NothingDue {
        /// Which.
        number: i64,
        /// Whose.
        member: String,
    },
    /// Paid already.
    #[error("clearing {number} of {member} was paid on {at}")]
    Paid {
        /// Which.
        number: i64,
        /// Whose.
        member: String,
        /// When.
        at: scrip_engine::Timestamp,
    },
    /// No such line of this member's.
    #[error("no line of the statement has this event: copy it from the statement")]
    LineUnknown,
    /// A line that is in dispute.
    #[error("dispute {0} about this line is open: wait for the mall's answer")]
    InDispute(i64),
    /// No such dispute.
    #[error("the mall has no dispute {0}")]
    DisputeUnknown(i64),
    /// A dispute that was answered.
    #[error("dispute {0} was answered already")]
    DisputeClosed(i64),
    /// An adjustment that cannot be.
    #[error("an adjustment moves more than nothing, from one to another; of a dispute at most {0}")]
    AdjustmentInvalid(String),
    /// A span that is not over.
    #[error("this period is not over: ask for it when it is")]
    PeriodOpen,
    /// A text that cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
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

type Result<T> = std::result::Result<T, MallError>;

/// How long a quote holds where the operator did not say.
pub const QUOTE_S: i64 = 300;

/// Creates a mall with its book.
pub fn mall_create(
    tx: &mut Tx<'_>,
    actor: Actor,
    slug: &str,
    name: &str,
    currency: &str,
) -> Result<Mall> {
    if actor != Actor::System {
        return Err(MallError::OperatorOnly);
    }
    let name = text::line("the mall's name", name, 200)?;
    let currency = asset_currency(tx, currency)?;
    let book = book_create(tx, BookKind::Mall, slug, &name)?;
    let mut open = |kind| {
        let new = NewAccount {
            book_id: book.book_id,
            asset_id: currency.asset_id,
            kind,
            label: &currency.code,
            owner: None,
            counterparty: None,
        };
        account_open(tx, &new)
    };
    let mall = Mall {
        book_id: book.book_id,
        slug: book.slug.clone(),
        name,
        residue_account: open(AccountKind::Residue)?,
        currency,
        quote_s: QUOTE_S,
        clears: Clears::ByHand,
        royalty_account: None,
        combines: true,
        free_leaves: false,
        office_book: None,
    };
    store::insert_mall(tx, &mall)?;
    Ok(mall)
}

/// The mall's account of royalties; opened now if there is none.
fn royalty_account(tx: &mut Tx<'_>, mall: &Mall) -> Result<i64> {
    if let Some(known) = mall.royalty_account {
        return Ok(known);
    }
    // Of two that find none at once, the second one finds that of the first.
    tx.lock_name(&format!("royalty {}", mall.book_id))?;
    if let Some(known) = mall_by_book(tx, mall.book_id)?.royalty_account {
        return Ok(known);
    }
    let new = NewAccount {
        book_id: mall.book_id,
        asset_id: mall.currency.asset_id,
        kind: AccountKind::Royalty,
        label: &mall.currency.code,
        owner: None,
        counterparty: None,
    };
    let opened = account_open(tx, &new)?;
    store::set_royalty_account(tx, mall.book_id, opened)?;
    Ok(opened)
}

/// Says whether tokens of several types may pay one line together (OPN-19), and whether tokens that
/// vendors gave may leave them (GOV-11).
pub fn mall_rules_set(
    tx: &mut Tx<'_>,
    actor: Actor,
    mall: &Mall,
    (combines, free_leaves): (bool, bool),
) -> Result<()> {
    operator_only(tx, actor, mall.book_id)?;
    store::set_rules(tx, mall.book_id, combines, free_leaves)
}

/// The mall of a short name.
pub fn mall_by_slug(tx: &mut dyn Read, slug: &str) -> Result<Mall> {
    store::mall_by_slug(tx, slug)?
        .ok_or_else(|| MallError::Unknown(slug.chars().take(60).collect()))
}

/// The mall of a book.
pub fn mall_by_book(tx: &mut dyn Read, book_id: i64) -> Result<Mall> {
    store::mall_by_book(tx, book_id)?
        .ok_or_else(|| EngineError::Corrupt(format!("mall {book_id} is missing")).into())
}

/// All malls of the node.
pub fn malls(tx: &mut dyn Read) -> Result<Vec<Mall>> {
    store::malls(tx)
}

/// `amount` times a share in millionths, rounded toward nothing.
pub fn share(amount: Amount, ppm: i64) -> Result<Amount> {
    Ok(amount.ratio(ppm, rules::WHOLE_PPM, scrip_ledger::Rounding::Down)?)
}

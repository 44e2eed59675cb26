//! Why the ledger did not move value.

use crate::amount::Amount;

/// Result of the ledger.
pub type Result<T> = std::result::Result<T, Error>;

/// A refusal or failure of the ledger; nothing was moved.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Below the ledger.
    #[error(transparent)]
    Engine(#[from] scrip_engine::Error),
    /// The debit account has less than the amount.
    #[error("account {account} has {has} units, {needs} are needed: add funds or take less")]
    Insufficient {
        /// The account to be debited.
        account: i64,
        /// What it has.
        has: Amount,
        /// What was asked for.
        needs: Amount,
    },
    /// The account has less of this grant than the amount.
    #[error("account {account} has {has} units of grant {grant}, {needs} are needed")]
    LotInsufficient {
        /// The account to be debited.
        account: i64,
        /// The grant whose tokens were to move.
        grant: i64,
        /// What it has of the grant.
        has: Amount,
        /// What was asked for.
        needs: Amount,
    },
    /// An amount does not fit 64 bits.
    #[error("the amount is too large: the largest is 9223372036854775807 of the smallest unit")]
    Overflow,
    /// A division that must be exact leaves a rest, or divides by zero.
    #[error("{amount} units times {numerator} cannot be divided by {denominator} without a rest")]
    Inexact {
        /// What was to be divided.
        amount: Amount,
        /// What it is multiplied with first.
        numerator: i64,
        /// What it is divided by.
        denominator: i64,
    },
    /// A text is no amount.
    #[error("{text:?} is no amount: write digits with at most {scale} decimals, for example 12.50")]
    NotAnAmount {
        /// The text.
        text: String,
        /// Decimals that the asset has.
        scale: u32,
    },
    /// A transfer of nothing, or of less.
    #[error("an amount to move must be above zero")]
    NotPositive,
    /// Debit and credit are the same account.
    #[error("a transfer needs two different accounts, both sides are {0}")]
    SameAccount(i64),
    /// No such account in the book.
    #[error("book {book} has no account {account}")]
    AccountUnknown {
        /// The book.
        book: i64,
        /// The account asked for.
        account: i64,
    },
    /// Debit and credit hold different assets.
    #[error(
        "accounts {debit} and {credit} hold different assets: exchange one into the other first"
    )]
    AssetMismatch {
        /// The debit account.
        debit: i64,
        /// The credit account.
        credit: i64,
    },
    /// A wallet's tokens move by grant; a transfer named none.
    #[error("a transfer from or to wallet {0} must name the grant that it moves")]
    GrantMissing(i64),
    /// No such grant in the book.
    #[error("book {book} has no grant {grant}")]
    GrantUnknown {
        /// The book.
        book: i64,
        /// The grant asked for.
        grant: i64,
    },
    /// The grant is of another asset than the accounts hold.
    #[error("grant {grant} is of another asset than account {account} holds")]
    GrantMismatch {
        /// The grant that was to move.
        grant: i64,
        /// The debit account.
        account: i64,
    },
    /// The grant was paid off before.
    #[error("grant {0} is paid off already")]
    AlreadyPaidOff(i64),
    /// Only holds move what is set aside.
    #[error("account {0} keeps what holds set aside: post or release the hold instead")]
    HeldAccount(i64),
    /// No such entry in the book.
    #[error("book {book} has no entry {entry}")]
    EntryUnknown {
        /// The book.
        book: i64,
        /// The entry asked for.
        entry: i64,
    },
    /// No such transfer of the account.
    #[error("account {account} has no transfer {transfer}")]
    TransferUnknown {
        /// The account.
        account: i64,
        /// The transfer asked for.
        transfer: i64,
    },
    /// The entry was reversed before.
    #[error("entry {0} is reversed already")]
    AlreadyReversed(i64),
    /// No such hold in the book.
    #[error("book {book} has no hold {hold}")]
    HoldUnknown {
        /// The book.
        book: i64,
        /// The hold asked for.
        hold: i64,
    },
    /// The hold was posted, released or expired before.
    #[error("hold {hold} is {state} already")]
    HoldClosed {
        /// The hold.
        hold: i64,
        /// Its state.
        state: &'static str,
    },
    /// The hold's time has not run out.
    #[error("hold {hold} stands until {expires_at}: release it instead")]
    HoldNotDue {
        /// The hold.
        hold: i64,
        /// When it gives way.
        expires_at: scrip_engine::Timestamp,
    },
    /// More was to be posted than the hold has.
    #[error("hold {hold} has {has} units, {needs} cannot be posted from it")]
    HoldTooSmall {
        /// The hold.
        hold: i64,
        /// What it has.
        has: Amount,
        /// What was asked for.
        needs: Amount,
    },
    /// A short name that is taken.
    #[error("the short name {0:?} is taken: choose another")]
    SlugTaken(String),
    /// A short name with other characters.
    #[error("{0:?} is no short name: use 2 to 40 of a-z, 0-9 and -, beginning with a letter")]
    SlugInvalid(String),
    /// A currency that is not known.
    #[error("{0:?} is no currency code: write three capital letters, for example EUR")]
    CurrencyInvalid(String),
    /// An entry without transfers, or with too many.
    #[error("an entry has 1 to 100000 transfers, this one {0}")]
    EntrySize(usize),
}

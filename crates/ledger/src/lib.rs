//! The only code that moves value.
//!
//! - A **book** is one legal set of accounts; everything here happens inside one book.
//! - An **asset** is a token type or a currency with a fixed scale. [`Amount`] counts its
//!   smallest unit; there is no floating point and no unchecked arithmetic.
//! - An **entry** is a book's part of a business event. Its **transfers** move an amount of one
//!   asset from a debit to a credit account, all or none. Each transfer of tokens moves a piece
//!   of one **grant**, so lots, refunds and proofs all follow from the transfers.
//! - **Chained** accounts (wallets) never fall below zero; each of their transfers names the one
//!   before and the balance after. **Summed** accounts (revenue, tokens issued) are only added to;
//!   their balance is the roll-up of sealed entries plus the tail.
//!
//! A balance is credits minus debits. Rows are never changed: a mistake is reversed by another
//! entry. [`verify::book_verify`] recomputes everything from the rows.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]

mod account;
mod amount;
mod book;
mod entry;
mod error;
pub mod export;
mod grant;
mod hold;
mod memory;
mod seal;
pub mod verify;

pub use account::{
    AccountInfo, AccountKind, Lot, NewAccount, account_balance, account_balances,
    account_head_locked, account_history, account_open, account_walk, accounts_named,
    lots_available, lots_locked, wallets_due,
};
pub use amount::{Amount, Rounding};
pub use book::{
    Asset, AssetKind, Book, BookKind, CURRENCY_SCALE, TOKEN_SCALE, asset_by_id, asset_currency,
    asset_in, asset_token_create, book_by_slug, book_create, books,
};
pub use entry::{
    Entry, Leg, Posting, Transfer, entries_before, entries_by_id, entry_post, entry_reverse,
    entry_transfers,
};
pub use error::{Error, Result};
pub use grant::{
    GrantInfo, NewGrant, Origin, grant_by_id, grant_open, grant_pay_off, grant_stored,
    grants_stored,
};
pub use hold::{
    Hold, HoldState, Piece, held_balance, hold_by_id, hold_expire, hold_place, hold_post,
    hold_release, holds_due,
};
pub use memory::{LedgerMemory, memory, memory_without_floor};
pub use seal::{Sealed, SealedRun, Whole, seal_next, sealed_after, tail_restore, unsealed};

/// Opens an engine with the ledger's memory.
pub fn open(
    url: &scrip_engine::DatabaseUrl,
    options: scrip_engine::Options,
) -> scrip_engine::Result<scrip_engine::Engine> {
    scrip_engine::Engine::open(
        url,
        &scrip_engine::Options {
            memory: memory(),
            ..options
        },
    )
}

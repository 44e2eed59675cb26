//! The rules of Scrip, as commands on a transaction.
//!
//! One folder per noun: `mod.rs` has its commands, `rules.rs` its pure decisions, `store.rs` all
//! its SQL. A command loads, decides, posts to the ledger, saves. It ends in one of three ways:
//! - *done*: everything it wrote stands;
//! - *refused* (wrong PIN, declined card, too few tokens): what must be remembered stands, and no
//!   value moved;
//! - an error: nothing stands.
//!
//! Commands read time and fresh ids from the transaction and do nothing else that lasts, so they
//! can run again from the start. Slow or outside work (Argon2, card processors) is done between
//! two transactions by the functions that take a [`Node`].

#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]

pub mod actor;
pub mod audit;
pub mod command;
pub mod id;
pub mod node;
pub mod page;
pub mod secret;
pub mod tax;
pub mod text;
pub mod vault;

pub mod adjustment;
pub mod api_key;
pub mod books;
pub mod card;
pub mod card_event;
pub mod catalog;
pub mod checkout;
pub mod closing;
pub mod credit;
pub mod customer;
pub mod exchange;
pub mod expiry;
pub mod family;
pub mod gift;
pub mod gift_tokens;
pub mod mall;
pub mod message;
pub mod mirror;
pub mod open_token;
pub mod order;
pub mod payback;
pub mod policy;
pub mod promotion;
pub mod report;
pub mod revenue;
pub mod session;
pub mod statement;
pub mod token_sale;
pub mod top_up;
pub mod vendor;
pub mod verify;
pub mod webhook;

pub use actor::Actor;
pub use command::{Answer, CommandError, Keyed};
pub use node::Node;
pub use scrip_ledger::Amount;

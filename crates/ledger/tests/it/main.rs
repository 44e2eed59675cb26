//! Tests of the ledger, most of them on both engines.
//!
//! Read on: `world.rs` (a book to move value in), `model/` (random sequences against an
//! independent model), `tampering/` (rows changed behind the ledger's back).

mod amounts;
mod balances;
mod double_spend;
mod entries;
mod exports;
mod holds;
mod model;
mod tampering;
mod world;

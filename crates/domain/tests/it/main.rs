//! The commands on both engines, with a set clock, a test vault and test cards.
//!
//! Read on: `support.rs` (the world that a test runs in; it verifies the books when it ends),
//! then a module for each noun. `model.rs` drives random commands against an independent model.

// Each function here is a test or helps one; an error fails it with its text.
#![allow(clippy::unwrap_used)]

/// Makes each function that takes a `&TestDb` a test on both engines.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        $(scrip_testkit::on_both_engines!($name, $name);)+
    };
}

mod api_key;
mod browse;
mod by_card;
mod catalog;
mod closing;
mod command;
mod customer;
mod expiry;
mod family;
mod figures;
mod gate;
mod gifts;
mod history;
mod identity;
mod imports;
mod kept;
mod linked;
mod mall;
mod mall_quota;
mod message;
mod model;
mod offline;
mod open;
mod order;
mod order_list;
mod order_race;
mod paybacks;
mod pin;
mod policy;
mod prices;
mod privacy;
mod promotions;
mod refund;
mod registration;
mod reports;
mod requests;
mod reservation;
mod saved_cards;
mod second_factor;
mod secret;
mod secret_keyed;
mod session;
mod shelf;
mod shipping;
mod sign_in_policy;
mod staff;
mod support;
mod taxes;
mod tokens;
mod tokens_keyed;
mod top_ups;
mod vendor;
mod watched;

//! Whole purchases while the power fails, processes are killed, servers stop and disks fill; and
//! the program as a person or a script runs it.
//!
//! Read on: `shop.rs` (a vendor whose customers buy under keys, and what must hold afterwards),
//! then `power_loss.rs`, `killed.rs`, `server_stops.rs`, `full_disk.rs`, `corrupt_row.rs`.
//! `program.rs` runs the built program; `access.rs`, `help.rs`, `vendors.rs`, `import.rs`, `replay.rs`,
//! `verify.rs`, `maintain.rs` and `backup.rs` do so.
#![allow(clippy::unwrap_used)]

/// Makes each function that takes a `&TestDb` a test on both engines.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        $(scrip_testkit::on_both_engines!($name, $name);)+
    };
}

mod access;
mod api_authorization;
mod api_bad_input;
mod api_cards;
mod api_catalog;
mod api_customers;
mod api_exchange;
mod api_offline;
mod api_open;
mod api_orders;
mod api_pins;
mod api_promotions;
mod api_refunds;
mod api_reports;
mod api_tokens;
mod api_vendor;
mod api_webhooks;
mod backup;
mod client;
mod club;
mod corrupt_row;
mod full_disk;
mod gates;
mod help;
mod http_server;
mod import;
mod killed;
mod mail_server;
mod mails;
mod maintain;
mod market;
mod pages_account;
mod pages_books;
mod pages_by_card;
mod pages_cards;
mod pages_catalogue;
mod pages_entrance;
mod pages_gift_code;
mod pages_goods;
mod pages_guesses;
mod pages_identity;
mod pages_kept;
mod pages_list;
mod pages_mall;
mod pages_mall_account;
mod pages_messages;
mod pages_office;
mod pages_offline;
mod pages_order;
mod pages_payer;
mod pages_people;
mod pages_person;
mod pages_promotions;
mod pages_receipt;
mod pages_reports;
mod pages_second_factor;
mod pages_settings;
mod pages_shop;
mod pages_sign_in;
mod pages_sign_in_policy;
mod pages_staff;
mod pages_staff_orders;
mod pages_taxes;
mod pages_times;
mod power_loss;
mod program;
mod readme;
mod receiver;
mod replay;
mod server_stops;
mod shop;
mod staff_doors;
mod story;
mod stripe_node;
mod vendors;
mod verify;
mod visitor;

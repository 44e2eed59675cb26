//! What a card is charged, and the attempts that are left.

use super::processor::{CardProcessor, Charge, ChargeOutcome, TestCards};
use super::rules::{attempts_left, card_price};
use super::store::Session;
use crate::id::{CustomerId, TokenOrderId};
use crate::vendor::{Accounts, Vendor};
use scrip_ledger::{Amount, Asset, AssetKind, Error};

fn asset(kind: AssetKind, scale: u32) -> Asset {
    Asset {
        asset_id: 1,
        code: "X".to_owned(),
        kind,
        book_id: None,
        scale,
    }
}

fn vendor(currency_scale: u32) -> Vendor {
    Vendor {
        book_id: 1,
        slug: "shop".to_owned(),
        name: "Shop".to_owned(),
        token: asset(AssetKind::Token, 6),
        currency: asset(AssetKind::Currency, currency_scale),
        minimum_tokens: Amount::ZERO,
        declines_allowed: 3,
        refund_grace_s: 0,
        accounts: Accounts {
            issued: 1,
            spent: 2,
            expired: 3,
            processor: 4,
            deferred: 5,
        },
    }
}

/// TOK-08, MIC-02: tokens times price, rounded up to whole cents, because no card pays less.
#[test]
fn a_card_pays_whole_cents() {
    for (tokens, price, charged) in [
        ("100", "0.01", "1"),
        ("1", "0.01", "0.01"),
        ("1", "0.001", "0.01"),
        ("10", "0.001", "0.01"),
        ("11", "0.001", "0.02"),
        ("1000", "0.001", "1"),
        ("0.000001", "0.001", "0.01"),
        ("101", "0.015", "1.52"),
        ("200", "0.09", "18"),
        ("1", "0.00000001", "0.01"),
        ("3", "33.333333", "100"),
        ("1000000", "100", "100000000"),
    ] {
        let quantity = Amount::parse(tokens, 6).unwrap();
        let unit = Amount::parse(price, 8).unwrap();
        let found = card_price(quantity, unit, &vendor(8)).unwrap();
        assert_eq!(found.decimal(8), charged, "{tokens} at {price}");
    }
    let two = card_price(
        Amount::parse("3", 6).unwrap(),
        Amount::from_units(150),
        &vendor(2),
    );
    assert_eq!(
        two.unwrap().decimal(2),
        "4.5",
        "a currency without finer units"
    );
}

#[test]
fn a_price_beyond_all_amounts_is_refused() {
    let huge = Amount::from_units(i64::MAX);
    for (tokens, unit) in [
        (huge, huge),
        (huge, Amount::from_units(1_000_001)),
        // Only the rounding to a cent is too much.
        (huge, Amount::from_units(1_000_000)),
    ] {
        let price = card_price(tokens, unit, &vendor(8));
        assert!(matches!(price, Err(Error::Overflow)), "{tokens} at {unit}");
    }
}

/// REG-09: three declines are allowed in a session.
#[test]
fn declines_use_up_attempts() {
    for (declines, left) in [(0, 3), (1, 2), (2, 1), (3, 0), (4, 0), (i64::MAX, 0)] {
        let session = Session {
            declines,
            open: true,
        };
        assert_eq!(attempts_left(&session, 3), left);
    }
}

#[test]
fn test_cards_do_as_their_table_says() {
    let cards = TestCards::default();
    let charge = |card: &str| Charge {
        book_id: 1,
        customer: CustomerId(uuid::Uuid::from_u128(8)),
        is_absent: false,
        order: TokenOrderId(uuid::Uuid::from_u128(7)),
        amount: Amount::from_units(1),
        currency: asset(AssetKind::Currency, 8),
        card: card.to_owned(),
    };
    let kind = |outcome| match outcome {
        ChargeOutcome::Approved { .. } => "approved",
        ChargeOutcome::Declined { .. } => "declined",
        ChargeOutcome::Unknown => "no answer",
    };
    for (card, charged, looked_up) in [
        ("test_ok", "approved", "approved"),
        ("test_declined", "declined", "declined"),
        ("test_timeout", "no answer", "approved"),
        ("test_timeout_lost", "no answer", "declined"),
        ("test_timeout_long", "no answer", "no answer"),
        ("4111 1111 1111 1111", "declined", "declined"),
    ] {
        assert_eq!(kind(cards.charge(&charge(card))), charged, "{card}");
        assert_eq!(kind(cards.lookup(&charge(card))), looked_up, "{card}");
    }
    assert_eq!(cards.calls(), 12);
}

//! The attempts that are left, and the test cards.

use super::processor::{CardProcessor, Charge, ChargeOutcome, TestCards};
use super::rules::attempts_left;
use super::store::Session;
use crate::id::{CustomerId, TokenOrderId};
use scrip_ledger::{Amount, Asset, AssetKind};

fn asset(kind: AssetKind, scale: u32) -> Asset {
    Asset {
        asset_id: 1,
        code: "X".to_owned(),
        kind,
        book_id: None,
        scale,
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
        order: TokenOrderId(uuid::Uuid::from_u128(7)).into(),
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

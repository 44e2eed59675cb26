//! Scopes, and how keys are written and read: tables without a database.

use super::rules::{may_give, ordered, read, written};
use super::{ApiKey, Scope};
use crate::id::ApiKeyId;
use scrip_engine::Timestamp;
use uuid::Uuid;

fn key(scopes: &[Scope]) -> ApiKey {
    ApiKey {
        key_id: ApiKeyId(Uuid::nil()),
        book_id: 1,
        name: "till".to_owned(),
        scopes: ordered(scopes),
        created_at: Timestamp(0),
        created_by: "system".to_owned(),
        expires_at: None,
        revoked_at: None,
    }
}

#[test]
fn scopes_are_read_by_their_names() {
    assert_eq!(Scope::ALL.len(), 14);
    for scope in Scope::ALL {
        assert_eq!(Scope::parse(scope.name()), Ok(*scope));
        let json = serde_json::to_string(scope).unwrap();
        assert_eq!(json, format!("\"{scope}\""));
        assert_eq!(serde_json::from_str::<Scope>(&json).unwrap(), *scope);
    }
    for odd in ["", "Orders:read", "orders:read ", "orders", "*"] {
        let said = Scope::parse(odd).unwrap_err().to_string();
        assert!(said.contains("keys:write"), "{said}");
    }
}

#[test]
fn scopes_stand_once_and_in_order() {
    let given = [Scope::KeysWrite, Scope::OrdersRead, Scope::KeysWrite];
    assert_eq!(ordered(&given), [Scope::OrdersRead, Scope::KeysWrite]);
    assert_eq!(ordered(&[]), []);
}

#[test]
fn a_key_gives_what_it_has() {
    let creator = key(&[Scope::KeysWrite, Scope::OrdersRead]);
    assert!(creator.allows(Scope::OrdersRead) && !creator.allows(Scope::OrdersWrite));
    assert_eq!(may_give(&creator, &creator.scopes), Ok(()));
    let more = [Scope::OrdersRead, Scope::OrdersWrite];
    assert_eq!(may_give(&creator, &more), Err(Scope::OrdersWrite));
    let other = key(&[Scope::OrdersRead]);
    assert_eq!(
        may_give(&other, &[Scope::OrdersRead]),
        Err(Scope::KeysWrite)
    );
}

#[test]
fn a_key_is_usable_until_it_ends() {
    let mut key = key(&[Scope::OrdersRead]);
    assert!(key.usable(Timestamp::NEVER));
    key.expires_at = Some(Timestamp(10));
    assert!(key.usable(Timestamp(9)) && !key.usable(Timestamp(10)));
    key.revoked_at = Some(Timestamp(5));
    assert!(!key.usable(Timestamp(0)));
}

/// A key carries its book and its id, and has one spelling.
#[test]
fn keys_are_read_as_they_are_written() {
    let id = ApiKeyId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
    let secret = "_".repeat(20) + &"-a".repeat(11) + "Z";
    for book in [1, 42, i64::MAX] {
        assert_eq!(read(&written(book, id, &secret)), Some((book, id)));
    }
    let right = written(42, id, &secret);
    assert!(right.starts_with("scrip_42_") && !right.contains("key_"));
    let text = id.to_string().replace("key_", "");
    for odd in [
        "",
        "scrip_",
        "scrip___",
        &right[1..],
        &right[..right.len() - 1],
        &format!("{right}a"),
        &format!(" {right}"),
        &right.replace("_42_", "_042_"),
        &right.replace("_42_", "_+42_"),
        &right.replace("_42_", "_-42_"),
        &right.replace("_42_", "_0_"),
        &right.replace("_42_", "_99999999999999999999_"),
        &right.replace(&text, &text.to_uppercase()),
        &right.replace(&text, &text[1..]),
        &right.replace(&text, &format!("key_{text}")),
        &right.replace("-a", "=a"),
        &"x".repeat(100_000),
    ] {
        assert_eq!(read(odd), None, "{odd:.80}");
    }
}

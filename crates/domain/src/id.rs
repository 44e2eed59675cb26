//! Typed ids: UUIDv7 inside, TypeIDs (`cus_01h…`) outside.

use scrip_engine::{Param, Result, Row, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

/// A text that is no id of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {kind} id: it begins with {kind}_ and 26 more letters and digits follow")]
pub struct IdError {
    text: String,
    kind: &'static str,
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the id from a column.
            pub fn from_row(row: &Row, column: usize) -> Result<Self> {
                row.uuid(column).map($name)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let prefix = DynamicType::new($prefix).map_err(|_| fmt::Error)?;
                fmt::Display::fmt(&TypeSafeId::from_type_and_uuid(prefix, self.0), f)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> std::result::Result<Self, IdError> {
                let wrong = || IdError { text: text.chars().take(40).collect(), kind: $prefix };
                // The parser panics at a long prefix with letters of several bytes.
                if text.len() != $prefix.len().saturating_add(27) || !text.is_ascii() {
                    return Err(wrong());
                }
                let id: TypeSafeId<DynamicType> = text.parse().map_err(|_| wrong())?;
                if id.type_prefix() != $prefix {
                    return Err(wrong());
                }
                Ok($name(id.uuid()))
            }
        }
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> std::result::Result<Self, IdError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
        impl<'a> From<&'a $name> for Param<'a> {
            fn from(id: &'a $name) -> Param<'a> {
                Param::Blob(id.0.as_bytes())
            }
        }
    };
}

typed_id!(
    /// A customer.
    CustomerId, "cus");
typed_id!(
    /// A gift certificate.
    CertificateId, "crt");
typed_id!(
    /// A member of a vendor's staff.
    StaffId, "stf");
typed_id!(
    /// A registration under way.
    RegistrationId, "reg");
typed_id!(
    /// A series of attempts to pay.
    PaymentSessionId, "pay");
typed_id!(
    /// An order of tokens.
    TokenOrderId, "tok");
typed_id!(
    /// A card that a customer keeps.
    CardId, "crd");
typed_id!(
    /// Tokens sold together.
    PackId, "pck");
typed_id!(
    /// Tokens that were given.
    GiftId, "gft");
typed_id!(
    /// A product.
    ProductId, "prd");
typed_id!(
    /// A picture of a product.
    ImageId, "img");
typed_id!(
    /// An import of a catalogue.
    ImportId, "imp");
typed_id!(
    /// An offer of a product.
    OfferId, "off");
typed_id!(
    /// A promotion, or a coupon.
    PromotionId, "prm");
typed_id!(
    /// An order.
    OrderId, "ord");
typed_id!(
    /// An exchange of tokens of one vendor for another's.
    ExchangeId, "exc");
typed_id!(
    /// An order that a card pays, from the moment before the card is asked.
    CardOrderId, "cor");
typed_id!(
    /// An order list that a customer keeps.
    KeptListId, "lst");
typed_id!(
    /// A key of a program.
    ApiKeyId, "key");
typed_id!(
    /// A system of the vendor that is told what happens.
    EndpointId, "whe");
typed_id!(
    /// A message on its way to one receiver.
    MessageId, "msg");
typed_id!(
    /// A line of the audit trail.
    AuditId, "aud");

/// What a card pays: tokens, or goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Payable {
    /// An order of tokens.
    Tokens(TokenOrderId),
    /// An order of goods.
    Goods(CardOrderId),
}

impl Payable {
    /// The id as it is stored, beside [`Payable::kind`].
    pub fn uuid(&self) -> &Uuid {
        match self {
            Payable::Tokens(TokenOrderId(id)) | Payable::Goods(CardOrderId(id)) => id,
        }
    }

    /// What is paid, as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Payable::Tokens(_) => "tokens",
            Payable::Goods(_) => "goods",
        }
    }

    /// Reads it from two columns beginning at `at`: kind and id.
    pub fn from_row(row: &Row, at: usize) -> Result<Self> {
        let id = row.uuid(at.saturating_add(1))?;
        match row.text(at)? {
            "tokens" => Ok(Payable::Tokens(TokenOrderId(id))),
            "goods" => Ok(Payable::Goods(CardOrderId(id))),
            other => Err(scrip_engine::Error::Corrupt(format!(
                "{other:?} is paid by {id}"
            ))),
        }
    }
}

impl From<TokenOrderId> for Payable {
    fn from(id: TokenOrderId) -> Payable {
        Payable::Tokens(id)
    }
}

impl From<CardOrderId> for Payable {
    fn from(id: CardOrderId) -> Payable {
        Payable::Goods(id)
    }
}

impl fmt::Display for Payable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Payable::Tokens(id) => id.fmt(f),
            Payable::Goods(id) => id.fmt(f),
        }
    }
}

impl FromStr for Payable {
    type Err = IdError;
    fn from_str(text: &str) -> std::result::Result<Self, IdError> {
        match text.parse() {
            Ok(id) => Ok(Payable::Goods(id)),
            Err(_) => text.parse().map(Payable::Tokens),
        }
    }
}

impl TryFrom<String> for Payable {
    type Error = IdError;
    fn try_from(text: String) -> std::result::Result<Self, IdError> {
        text.parse()
    }
}

impl From<Payable> for String {
    fn from(id: Payable) -> String {
        id.to_string()
    }
}

/// Where ids lie that were made in a span of time, the end left out: at or above the first,
/// below the second. They carry milliseconds, and run up to a second ahead of the clock when many
/// are made at once, so a row's own time still decides at both ends.
pub fn ids_between(from: Timestamp, to: Timestamp) -> (Uuid, Uuid) {
    let first_of = |millis: i64| {
        let millis = u64::try_from(millis).unwrap_or(0);
        let mut bytes = [0; 16];
        for (byte, place) in bytes
            .iter_mut()
            .zip(millis.to_be_bytes().into_iter().skip(2))
        {
            *byte = place;
        }
        Uuid::from_bytes(bytes)
    };
    let millis = |t: Timestamp| t.0.div_euclid(1000);
    let end = millis(to).saturating_add(1002).min((1 << 48) - 1);
    (first_of(millis(from)), first_of(end))
}

#[cfg(test)]
mod tests {
    use super::{CustomerId, ids_between};
    use scrip_engine::Timestamp;
    use uuid::Builder;

    #[test]
    fn odd_texts_are_no_ids() {
        let right = "cus_01h455vb4pex5vsknk084sn02q";
        assert_eq!(right.parse::<CustomerId>().unwrap().to_string(), right);
        let suffix = right.strip_prefix("cus").unwrap();
        for odd in [
            "",
            suffix,
            &format!("é{}", &right[2..]),
            &format!("x{}{suffix}", "é".repeat(40)),
            &format!("{}{suffix}", "c".repeat(100_000)),
            &right.to_uppercase(),
            &right.replace("_0", "_8"),
            &right.replace("cus", "ord"),
        ] {
            assert!(odd.parse::<CustomerId>().is_err(), "{odd:.60}");
        }
    }

    #[test]
    fn a_span_holds_the_ids_of_its_milliseconds() {
        let at = |millis: u64, random| {
            Builder::from_unix_timestamp_millis(millis, &[random; 10]).into_uuid()
        };
        let (low, high) = ids_between(
            Timestamp(1_700_000_000_123_999),
            Timestamp(1_700_000_000_125_000),
        );
        for random in [0, 0xff] {
            for inside in [1_700_000_000_123, 1_700_000_000_125, 1_700_000_001_126] {
                assert!((low..high).contains(&at(inside, random)), "{inside}");
            }
            for outside in [0, 1_700_000_000_122, 1_700_000_001_127, (1 << 48) - 1] {
                assert!(!(low..high).contains(&at(outside, random)), "{outside}");
            }
        }
        let (first, last) = ids_between(Timestamp(i64::MIN), Timestamp::NEVER);
        assert!(first.is_nil() && last > at(1 << 47, 0xff));
    }
}

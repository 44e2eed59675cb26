//! Types of fields. What the OpenAPI document says of a field is what is checked, because one type
//! does both.

use scrip_domain::id::{
    ApiKeyId, AuditId, CardId, CardOrderId, CertificateId, CustomerId, EndpointId, ExchangeId,
    GiftId, ImageId, OfferId, OrderId, PackId, PaymentSessionId, ProductId, PromotionId,
    RegistrationId, StaffId, TokenOrderId,
};
use scrip_domain::vault::Vault;
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Asset};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn done(schema: ObjectBuilder) -> RefOr<Schema> {
    RefOr::T(Schema::Object(schema.build()))
}

/// Reads a parameter that may be left out. One that is there and empty is not left out.
pub fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

/// Text of so many characters. Control characters are refused, but tabs and line ends in what may
/// have `LINES`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Text<const LEAST: usize, const MOST: usize, const LINES: bool>(pub String);

/// A line that is not empty.
pub type Line100 = Text<1, 100, false>;
/// A line that is not empty.
pub type Line200 = Text<1, 200, false>;
/// A line that is not empty.
pub type Line500 = Text<1, 500, false>;
/// A line that may be empty.
pub type OptionalLine60 = Text<0, 60, false>;
/// A line that may be empty.
pub type OptionalLine120 = Text<0, 120, false>;
/// A line that may be empty.
pub type OptionalLine200 = Text<0, 200, false>;
/// A line that may be empty.
pub type OptionalLine254 = Text<0, 254, false>;
/// A line that may be empty.
pub type OptionalLine2000 = Text<0, 2000, false>;
/// Lines that are not empty.
pub type FilledParagraph1000 = Text<1, 1000, true>;
/// Lines that may be empty.
pub type Paragraph1000 = Text<0, 1000, true>;
/// Lines that may be empty.
pub type Paragraph4000 = Text<0, 4000, true>;
/// Lines that may be empty.
pub type Paragraph100000 = Text<0, 100_000, true>;

impl<const LEAST: usize, const MOST: usize, const LINES: bool> Default
    for Text<LEAST, MOST, LINES>
{
    fn default() -> Self {
        Text(String::new())
    }
}

/// Refuses a length out of bounds without saying the text.
fn length_fits(text: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        Ok(())
    } else {
        Err(format!("it has {length} characters, {least} to {most} fit"))
    }
}

impl<'de, const LEAST: usize, const MOST: usize, const LINES: bool> Deserialize<'de>
    for Text<LEAST, MOST, LINES>
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        length_fits(&text, LEAST, MOST).map_err(D::Error::custom)?;
        let bad = |c: &char| c.is_control() && !(LINES && matches!(c, '\n' | '\r' | '\t'));
        match text.chars().find(bad) {
            Some(c) => Err(D::Error::custom(format!(
                "it has the control character U+{:04X}: remove it",
                u32::from(c)
            ))),
            None => Ok(Text(text)),
        }
    }
}

impl<const LEAST: usize, const MOST: usize, const LINES: bool> PartialSchema
    for Text<LEAST, MOST, LINES>
{
    fn schema() -> RefOr<Schema> {
        let pattern = if LINES {
            r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
        } else {
            r"^[^\u0000-\u001f\u007f-\u009f]*$"
        };
        let schema = text_schema().max_length(Some(MOST)).pattern(Some(pattern));
        done(schema.min_length((LEAST > 0).then_some(LEAST)))
    }
}

impl<const LEAST: usize, const MOST: usize, const LINES: bool> ToSchema
    for Text<LEAST, MOST, LINES>
{
    fn name() -> Cow<'static, str> {
        let kind = match (LINES, LEAST) {
            (false, 0) => "OptionalLine",
            (false, _) => "Line",
            (true, 0) => "Paragraph",
            (true, _) => "FilledParagraph",
        };
        format!("{kind}{MOST}").into()
    }
}

/// A PIN or password as it arrives: it is hashed or compared, and neither shown nor kept.
#[derive(Clone)]
pub struct Secret<const LEAST: usize, const MOST: usize, const DIGITS: bool>(String);

/// A PIN to be set.
pub type Pin = Secret<4, 8, true>;
/// A password to be set.
pub type Password = Secret<10, 200, false>;
/// A secret to be compared.
pub type Presented = Secret<1, 200, false>;

impl<const LEAST: usize, const MOST: usize, const DIGITS: bool> Secret<LEAST, MOST, DIGITS> {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What stands for the secret where equal requests are recognised: nobody can find the secret
    /// from it without the master key.
    pub fn digest(&self, vault: &Vault) -> [u8; 32] {
        vault.hash("secret in a request", &[self.0.as_bytes()])
    }
}

impl<const LEAST: usize, const MOST: usize, const DIGITS: bool> fmt::Debug
    for Secret<LEAST, MOST, DIGITS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de, const LEAST: usize, const MOST: usize, const DIGITS: bool> Deserialize<'de>
    for Secret<LEAST, MOST, DIGITS>
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Errors of the reader would say the secret where it is, for example, a number.
        let value = serde_json::Value::deserialize(from)?;
        let serde_json::Value::String(text) = value else {
            return Err(D::Error::custom("it must be a string"));
        };
        length_fits(&text, LEAST, MOST).map_err(D::Error::custom)?;
        if DIGITS && !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(D::Error::custom("it may have digits 0 to 9 only"));
        }
        Ok(Secret(text))
    }
}

impl<const LEAST: usize, const MOST: usize, const DIGITS: bool> PartialSchema
    for Secret<LEAST, MOST, DIGITS>
{
    fn schema() -> RefOr<Schema> {
        let schema = text_schema()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .write_only(true)
            .min_length(Some(LEAST))
            .max_length(Some(MOST));
        if DIGITS {
            let pattern = format!("^[0-9]{{{LEAST},{MOST}}}$");
            return done(schema.pattern(Some(pattern)).examples([json!("4719")]));
        }
        done(schema.examples([json!("a long pass phrase")]))
    }
}

impl<const LEAST: usize, const MOST: usize, const DIGITS: bool> ToSchema
    for Secret<LEAST, MOST, DIGITS>
{
    fn name() -> Cow<'static, str> {
        match (LEAST, DIGITS) {
            (_, true) => "Pin".into(),
            (1, _) => "PresentedSecret".into(),
            _ => "Password".into(),
        }
    }
}

/// A decimal number that is not below zero, as text: never a floating point number.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Decimal(String);

const WHOLE_DIGITS: usize = 13;
const DECIMALS: usize = 8;

impl Decimal {
    /// The amount of an asset.
    pub fn of(&self, asset: &Asset) -> crate::error::Result<Amount> {
        Ok(Amount::parse(&self.0, asset.scale)?)
    }
}

impl FromStr for Decimal {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        let fits = match text.split_once('.') {
            Some((whole, decimals)) => digits(whole, WHOLE_DIGITS) && digits(decimals, DECIMALS),
            None => digits(text, WHOLE_DIGITS),
        };
        if fits {
            Ok(Decimal(text.to_owned()))
        } else {
            Err("a decimal number like \"12\" or \"0.5\" is wanted, with at most 8 decimals")
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        let pattern = format!(r"^[0-9]{{1,{WHOLE_DIGITS}}}(\.[0-9]{{1,{DECIMALS}}})?$");
        done(
            text_schema()
                .pattern(Some(pattern))
                .examples([json!("12.5")]),
        )
    }
}

impl ToSchema for Decimal {}

/// A time: RFC 3339 with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::shape::time(self.0))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        // The parser takes shorter and longer forms, too.
        let has_form = text.len() <= 40
            && text
                .bytes()
                .zip(b"0000-00-00T00:00:00".iter())
                .all(|(b, form)| match form {
                    b'0' => b.is_ascii_digit(),
                    form => b == *form,
                })
            && text
                .get(19..)
                .is_some_and(|rest| !rest.contains(['[', ' ', ',']))
            && (text.ends_with('Z') || text.as_bytes().iter().rev().nth(2) == Some(&b':'));
        let time = super::shape::parse_time(&text).ok().filter(|_| has_form);
        time.map(Moment).ok_or_else(|| {
            let form = &"a time like 2026-11-21T14:02:00Z";
            D::Error::invalid_value(Unexpected::Other("no such time"), form)
        })
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        done(
            text_schema()
                .format(Some(format))
                .examples([json!("2026-11-21T14:02:00Z")]),
        )
    }
}

impl ToSchema for Moment {}

/// What ids of a kind look like in the document.
pub trait Kind: Copy + fmt::Display {
    /// What stands before the underscore.
    const PREFIX: &'static str;
    /// The name of the schema.
    const NAME: &'static str;
}

/// An id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<T>(pub T);

impl<T: Kind> PartialSchema for Id<T> {
    fn schema() -> RefOr<Schema> {
        let prefix = T::PREFIX;
        let pattern = format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$");
        let example = json!(format!("{prefix}_01kb3v8z9mfxmr4x1qk2s7b0de"));
        done(text_schema().pattern(Some(pattern)).examples([example]))
    }
}

impl<T: Kind> ToSchema for Id<T> {
    fn name() -> Cow<'static, str> {
        T::NAME.into()
    }
}

macro_rules! ids {
    ($($alias:ident: $id:ident, $prefix:literal);+ $(;)?) => {
        $(
            #[doc = concat!("An id `", $prefix, "_…`.")]
            pub type $alias = Id<$id>;
            impl Kind for $id {
                const PREFIX: &'static str = $prefix;
                const NAME: &'static str = stringify!($id);
            }
        )+
    };
}

ids! {
    Customer: CustomerId, "cus";
    Registration: RegistrationId, "reg";
    PaymentSession: PaymentSessionId, "pay";
    TokenOrder: TokenOrderId, "tok";
    Exchange: ExchangeId, "exc";
    Certificate: CertificateId, "crt";
    Card: CardId, "crd";
    Image: ImageId, "img";
    CardOrder: CardOrderId, "cor";
    Gift: GiftId, "gft";
    Pack: PackId, "pck";
    Promotion: PromotionId, "prm";
    ApiKey: ApiKeyId, "key";
    WebhookEndpoint: EndpointId, "whe";
    Audit: AuditId, "aud";
    StaffMember: StaffId, "stf";
    Product: ProductId, "prd";
    Offer: OfferId, "off";
    Order: OrderId, "ord";
}

/// A word out of a list.
pub trait Word: Copy + 'static {
    /// The name of the schema.
    const NAME: &'static str;
    /// All of them.
    fn all() -> Vec<&'static str>;
}

/// A word out of a list, in requests and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named<T>(pub T);

impl<T: Word> PartialSchema for Named<T> {
    fn schema() -> RefOr<Schema> {
        done(text_schema().enum_values(Some(T::all())))
    }
}

impl<T: Word> ToSchema for Named<T> {
    fn name() -> Cow<'static, str> {
        T::NAME.into()
    }
}

/// Says the words of types of the rules: for each a name, the type, and an array or list of them.
macro_rules! words {
    ($($alias:ident: $type:ty, $all:expr);+ $(;)?) => {
        $(
            #[doc = concat!("One of `", stringify!($type), "`.")]
            pub type $alias = $crate::api::field::Named<$type>;
            impl $crate::api::field::Word for $type {
                const NAME: &'static str = stringify!($alias);
                fn all() -> Vec<&'static str> {
                    Vec::from($all)
                }
            }
        )+
    };
}
pub(super) use words;

#[cfg(test)]
mod tests {
    use super::{Decimal, Moment, Password, Pin, Text};

    fn takes<T: serde::de::DeserializeOwned>(json: &str) -> bool {
        serde_json::from_str::<T>(json).is_ok()
    }

    #[test]
    fn texts_are_within_bounds() {
        type Line = Text<1, 3, false>;
        for (json, fits) in [
            (r#""abc""#, true),
            (r#""日本語""#, true),
            (r#""""#, false),
            (r#""abcd""#, false),
            (r#""a\tb""#, false),
            (r#""a\u0000""#, false),
            (r#""a\u0085""#, false),
            ("\"\u{202e}ab\"", true),
            ("null", false),
            ("1", false),
        ] {
            assert_eq!(takes::<Line>(json), fits, "{json}");
        }
        assert!(takes::<Text<0, 9, true>>(r#""a\r\n\tb""#));
        assert!(!takes::<Text<0, 9, true>>(r#""a\u001b""#));
    }

    #[test]
    fn secrets_do_not_show() {
        let pin: Pin = serde_json::from_str(r#""4719""#).unwrap();
        assert!(!format!("{pin:?}").contains("4719"));
        for bad in [
            "4719",
            r#""471""#,
            r#""4719a""#,
            r#""٤٧١٩""#,
            r#""471912345""#,
        ] {
            let error = serde_json::from_str::<Pin>(bad).unwrap_err().to_string();
            assert!(!error.contains("471"), "{error}");
        }
        assert!(takes::<Password>(r#""ten letters""#) && !takes::<Password>(r#""nine char""#));
    }

    #[test]
    fn decimals_have_one_form() {
        for good in ["0", "12", "0.00000001", "1234567890123.12345678", "007"] {
            assert!(good.parse::<Decimal>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e5",
            "1,5",
            "1 ",
            "0.000000001",
            "12345678901234",
            "١",
        ] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_whole_and_have_an_offset() {
        for (text, fits) in [
            ("2026-11-21T14:02:00Z", true),
            ("2026-11-21T14:02:00.123456Z", true),
            ("2026-11-21T14:02:00+05:30", true),
            ("2026-11-21T14:02:00", false),
            ("2026-11-21 14:02:00Z", false),
            ("2026-11-21T14:02Z", false),
            ("20261121T140200Z", false),
            ("2026-11-21T14:02:00Z[UTC]", false),
            ("2026-11-21T14:02:00,5Z", false),
            ("2026-11-31T14:02:00Z", false),
            ("2026-11-21T14:02:0é:00", false),
            ("", false),
        ] {
            assert_eq!(takes::<Moment>(&format!("{text:?}")), fits, "{text}");
        }
    }
}

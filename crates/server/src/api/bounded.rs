//! Numbers and lists within bounds. As in `field.rs`, one type says the bounds in the OpenAPI
//! document and checks them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use utoipa::openapi::schema::{
    ArrayBuilder, ArrayItems, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: i64, const MOST: i64>(pub i64);

/// How many of something are wanted.
pub type Quantity = Whole<1, 1_000_000_000>;
/// Days from one purchase to the next.
pub type Days = Whole<1, 366>;
/// The place of a line in an order.
pub type LineNumber = Whole<1, 10_000>;
/// Pieces in stock, or granted by a tier: as much as programs with floating point numbers hold
/// exactly.
pub type Pieces = Whole<1, 9_007_199_254_740_991>;
/// The same, perhaps none.
pub type PiecesOrNone = Whole<0, 9_007_199_254_740_991>;
/// Kilobytes of a download.
pub type Kilobytes = Whole<0, 1_000_000_000_000>;

impl<'de, const LEAST: i64, const MOST: i64> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(from)?;
        if (LEAST..=MOST).contains(&number) {
            Ok(Whole(number))
        } else {
            let text = format!("it is {number}, {LEAST} to {MOST} fit");
            Err(D::Error::custom(text))
        }
    }
}

impl<const LEAST: i64, const MOST: i64> PartialSchema for Whole<LEAST, MOST> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::Integer))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(LEAST))
            .maximum(Some(MOST));
        RefOr::T(Schema::Object(schema.build()))
    }
}

impl<const LEAST: i64, const MOST: i64> ToSchema for Whole<LEAST, MOST> {
    fn name() -> Cow<'static, str> {
        format!("Whole{LEAST}To{MOST}").into()
    }
}

/// A list of so many.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct List<T, const LEAST: usize, const MOST: usize>(pub Vec<T>);

impl<T, const LEAST: usize, const MOST: usize> Default for List<T, LEAST, MOST> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const LEAST: usize, const MOST: usize> Deserialize<'de>
    for List<T, LEAST, MOST>
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let items = Vec::deserialize(from)?;
        if (LEAST..=MOST).contains(&items.len()) {
            Ok(List(items))
        } else {
            let text = format!("it has {} items, {LEAST} to {MOST} fit", items.len());
            Err(D::Error::custom(text))
        }
    }
}

impl<T: ToSchema, const LEAST: usize, const MOST: usize> PartialSchema for List<T, LEAST, MOST> {
    fn schema() -> RefOr<Schema> {
        let item = Ref::from_schema_name(T::name());
        let schema = ArrayBuilder::new()
            .items(ArrayItems::RefOrSchema(Box::new(RefOr::Ref(item))))
            .min_items((LEAST > 0).then_some(LEAST))
            .max_items(Some(MOST));
        RefOr::T(Schema::Array(schema.build()))
    }
}

impl<T: ToSchema, const LEAST: usize, const MOST: usize> ToSchema for List<T, LEAST, MOST> {
    fn name() -> Cow<'static, str> {
        format!("ListOf{}", T::name()).into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::{List, Quantity, Whole};

    #[test]
    fn numbers_are_within_bounds() {
        for (json, fits) in [
            ("1", true),
            ("1000000000", true),
            ("0", false),
            ("1000000001", false),
            ("-1", false),
            ("1.5", false),
            ("99999999999999999999", false),
            ("\"1\"", false),
            ("true", false),
            ("null", false),
        ] {
            let taken = serde_json::from_str::<Quantity>(json);
            assert_eq!(taken.is_ok(), fits, "{json}");
        }
    }

    #[test]
    fn lists_are_within_bounds() {
        type Few = List<Whole<0, 9>, 1, 2>;
        for (json, fits) in [
            ("[1]", true),
            ("[1,2]", true),
            ("[]", false),
            ("[1,2,3]", false),
            ("[10]", false),
            ("1", false),
            ("{}", false),
        ] {
            assert_eq!(serde_json::from_str::<Few>(json).is_ok(), fits, "{json}");
        }
    }
}

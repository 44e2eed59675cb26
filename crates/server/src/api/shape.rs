//! Shapes that all nouns share: amounts, pages, times, problems.

use crate::error::{Problem, Result};
use scrip_engine::Timestamp;
use scrip_ledger::{Amount, Asset};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount beside its asset.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// Decimal digits, never a floating point number.
    #[schema(example = "180")]
    pub amount: String,
    /// The code of the token or currency.
    #[schema(example = "rasterworks")]
    pub asset: String,
}

impl Money {
    /// An amount of an asset; zeros at the end of the decimals are left out.
    pub fn new(amount: Amount, asset: &Asset) -> Money {
        let text = amount.decimal(asset.scale);
        let amount = match text.split_once('.') {
            Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            None => text,
        };
        Money {
            amount,
            asset: asset.code.clone(),
        }
    }
}

/// A time as RFC 3339 text.
pub fn time(at: Timestamp) -> String {
    at.to_string()
}

/// A time that was given as RFC 3339 text.
pub fn parse_time(text: &str) -> Result<Timestamp> {
    text.parse::<jiff::Timestamp>()
        .map(|t| Timestamp(t.as_microsecond()))
        .map_err(|_| {
            Problem::invalid(
                "time_invalid",
                format!("{text:?} is no time: write it like 2026-11-21T14:02:00Z"),
            )
        })
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where the page begins: `next` of the page before.
    #[serde(default, deserialize_with = "super::field::given")]
    pub cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "super::field::given")]
    pub limit: Option<i64>,
}

impl PageQuery {
    /// Items at most.
    pub fn limit(&self) -> Result<usize> {
        limit(self.limit)
    }
}

/// Checks a limit of items.
pub fn limit(given: Option<i64>) -> Result<usize> {
    match given.unwrap_or(50) {
        n @ 1..=200 => Ok(usize::try_from(n).unwrap_or(50)),
        _ => Err(Problem::invalid(
            "limit_invalid",
            "limit is a number from 1 to 200",
        )),
    }
}

/// Reads a cursor.
pub fn cursor<C: std::str::FromStr>(text: Option<&str>) -> Result<Option<C>> {
    text.map(|t| {
        t.parse().map_err(|_| {
            Problem::invalid(
                "cursor_invalid",
                "this cursor is not one of this list: use `next` of the page before",
            )
        })
    })
    .transpose()
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page of the rules with its items in their JSON shape.
    pub fn new<I, C: std::fmt::Display>(
        page: scrip_domain::page::Page<I, C>,
        shape: impl FnMut(I) -> T,
    ) -> Page<T> {
        Page {
            next: page.next.map(|c| c.to_string()),
            items: page.items.into_iter().map(shape).collect(),
        }
    }
}

/// What went wrong, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code)] // Only its schema is used; `Problem` writes the JSON.
pub struct ProblemBody {
    /// Where the kind of problem is described.
    #[schema(example = "/docs#tokens_short")]
    pub r#type: String,
    /// The kind in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened and what to do about it.
    pub detail: String,
    /// The kind, for programs to compare.
    #[schema(example = "tokens_short")]
    pub code: String,
}

//! Values that cross the SQL interface.
//!
//! Three types exist in every table: 64-bit integers, text and bytes. Booleans are 0 and 1,
//! times are microseconds, ids are 16 bytes. Whatever else a database offers is left alone, so
//! that one statement means the same on both engines.

use crate::error::{Error, Result};

/// A parameter, borrowed from the caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Param<'a> {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl From<i64> for Param<'_> {
    fn from(v: i64) -> Self {
        Param::Int(v)
    }
}
impl From<bool> for Param<'_> {
    fn from(v: bool) -> Self {
        Param::Int(i64::from(v))
    }
}
impl<'a> From<&'a str> for Param<'a> {
    fn from(v: &'a str) -> Self {
        Param::Text(v)
    }
}
impl<'a> From<&'a String> for Param<'a> {
    fn from(v: &'a String) -> Self {
        Param::Text(v)
    }
}
impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(v: &'a [u8]) -> Self {
        Param::Blob(v)
    }
}
impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(v: &'a Vec<u8>) -> Self {
        Param::Blob(v)
    }
}
impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(v: &'a [u8; N]) -> Self {
        Param::Blob(v)
    }
}
impl<'a> From<&'a uuid::Uuid> for Param<'a> {
    fn from(v: &'a uuid::Uuid) -> Self {
        Param::Blob(v.as_bytes())
    }
}
impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Param::Null, Into::into)
    }
}

/// Builds the parameter list of a statement: `params![book, &id, "text"]`.
#[macro_export]
macro_rules! params {
    () => { &[] as &[$crate::Param<'_>] };
    ($($v:expr),+ $(,)?) => { &[$($crate::Param::from($v)),+] as &[$crate::Param<'_>] };
}

/// A value of a result row, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// The value as a parameter.
    pub fn as_param(&self) -> Param<'_> {
        match self {
            Value::Null => Param::Null,
            Value::Int(v) => Param::Int(*v),
            Value::Text(v) => Param::Text(v),
            Value::Blob(v) => Param::Blob(v),
        }
    }
}

impl From<Param<'_>> for Value {
    fn from(p: Param<'_>) -> Self {
        match p {
            Param::Null => Value::Null,
            Param::Int(v) => Value::Int(v),
            Param::Text(v) => Value::Text(v.to_owned()),
            Param::Blob(v) => Value::Blob(v.to_owned()),
        }
    }
}

/// One row of a result. A column of another type than asked for is a corrupt row, and said so:
/// it is never read as a default.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn wrong(&self, i: usize, want: &str) -> Error {
        Error::Corrupt(format!("column {i} of {:?} should be {want}", self.0))
    }
    /// An integer.
    pub fn int(&self, i: usize) -> Result<i64> {
        match self.0.get(i) {
            Some(Value::Int(v)) => Ok(*v),
            _ => Err(self.wrong(i, "an integer")),
        }
    }
    /// An integer or NULL.
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>> {
        match self.0.get(i) {
            Some(Value::Null) => Ok(None),
            _ => self.int(i).map(Some),
        }
    }
    /// A truth value, stored as 0 or 1.
    pub fn bool(&self, i: usize) -> Result<bool> {
        match self.int(i)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong(i, "0 or 1")),
        }
    }
    /// Text.
    pub fn text(&self, i: usize) -> Result<&str> {
        match self.0.get(i) {
            Some(Value::Text(v)) => Ok(v),
            _ => Err(self.wrong(i, "text")),
        }
    }
    /// Text or NULL.
    pub fn opt_text(&self, i: usize) -> Result<Option<&str>> {
        match self.0.get(i) {
            Some(Value::Null) => Ok(None),
            _ => self.text(i).map(Some),
        }
    }
    /// Bytes.
    pub fn blob(&self, i: usize) -> Result<&[u8]> {
        match self.0.get(i) {
            Some(Value::Blob(v)) => Ok(v),
            _ => Err(self.wrong(i, "bytes")),
        }
    }
    /// Bytes or NULL.
    pub fn opt_blob(&self, i: usize) -> Result<Option<&[u8]>> {
        match self.0.get(i) {
            Some(Value::Null) => Ok(None),
            _ => self.blob(i).map(Some),
        }
    }
    /// A 16-byte id.
    pub fn uuid(&self, i: usize) -> Result<uuid::Uuid> {
        uuid::Uuid::from_slice(self.blob(i)?).map_err(|_| self.wrong(i, "16 bytes"))
    }
    /// A 16-byte id or NULL.
    pub fn opt_uuid(&self, i: usize) -> Result<Option<uuid::Uuid>> {
        match self.0.get(i) {
            Some(Value::Null) => Ok(None),
            _ => self.uuid(i).map(Some),
        }
    }
}

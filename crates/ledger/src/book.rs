//! Books and assets.

use crate::error::{Error, Result};
use scrip_engine::{Error as EngineError, Read, Row, Store, Tx, params};

/// Whose book it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookKind {
    /// A vendor.
    Vendor,
    /// The clearing house.
    Mall,
    /// A manufacturer.
    Manufacturer,
    /// An issuer of gift certificates.
    GiftIssuer,
}

impl BookKind {
    fn name(self) -> &'static str {
        match self {
            BookKind::Vendor => "vendor",
            BookKind::Mall => "mall",
            BookKind::Manufacturer => "manufacturer",
            BookKind::GiftIssuer => "gift_issuer",
        }
    }
    fn of_row(text: &str, book: i64) -> Result<Self> {
        [
            BookKind::Vendor,
            BookKind::Mall,
            BookKind::Manufacturer,
            BookKind::GiftIssuer,
        ]
        .into_iter()
        .find(|k| k.name() == text)
        .ok_or_else(|| EngineError::Corrupt(format!("kind {text:?} of book {book}")).into())
    }
}

/// A legal set of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// Its number: the tenant key.
    pub book_id: i64,
    /// Whose it is.
    pub kind: BookKind,
    /// Its short name, unique on the node.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetKind {
    /// A token type.
    Token,
    /// A currency.
    Currency,
}

/// A token type or a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its number.
    pub asset_id: i64,
    /// Its code: `GBP`, or `RETAIL.TOKEN`.
    pub code: String,
    /// What it is.
    pub kind: AssetKind,
    /// The issuer of a token; `None` for a currency.
    pub book_id: Option<i64>,
    /// Decimals.
    pub scale: u32,
}

/// Decimals of a token unless said otherwise.
pub const TOKEN_SCALE: u32 = 6;
/// Decimals of a currency: finer than a penny, because settlements are.
pub const CURRENCY_SCALE: u32 = 8;

/// Creates a book.
pub fn book_create(tx: &mut Tx<'_>, kind: BookKind, slug: &str, name: &str) -> Result<Book> {
    let good = slug.len() >= 2
        && slug.len() <= 40
        && slug.starts_with(|c: char| c.is_ascii_lowercase())
        && slug
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        return Err(Error::SlugInvalid(slug.chars().take(60).collect()));
    }
    tx.lock_name("book")?;
    if book_by_slug(tx, slug)?.is_some() {
        return Err(Error::SlugTaken(slug.to_owned()));
    }
    let book_id = next(tx, "SELECT COALESCE(MAX(book_id), 0) FROM book")?;
    let now = tx.now();
    tx.put(
        "INSERT INTO book (book_id, kind, slug, name, created_at) VALUES ($1, $2, $3, $4, $5)",
        params![book_id, kind.name(), slug, name, now.0],
    )?;
    Ok(Book {
        book_id,
        kind,
        slug: slug.to_owned(),
        name: name.to_owned(),
    })
}

fn next(tx: &mut Tx<'_>, sql: &'static str) -> Result<i64> {
    tx.query_one(sql, params![])?
        .int(0)?
        .checked_add(1)
        .ok_or(Error::Overflow)
}

const BOOK: &str = "SELECT book_id, kind, slug, name FROM book WHERE slug = $1";
const BOOKS: &str = "SELECT book_id, kind, slug, name FROM book ORDER BY book_id";

fn book(row: &Row) -> Result<Book> {
    let book_id = row.int(0)?;
    Ok(Book {
        book_id,
        kind: BookKind::of_row(row.text(1)?, book_id)?,
        slug: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
    })
}

/// The book of a short name.
pub fn book_by_slug(tx: &mut dyn Read, slug: &str) -> Result<Option<Book>> {
    tx.query_opt(BOOK, params![slug])?
        .as_ref()
        .map(book)
        .transpose()
}

/// All books of the node.
pub fn books(tx: &mut dyn Read) -> Result<Vec<Book>> {
    tx.query(BOOKS, params![])?.iter().map(book).collect()
}

fn asset_insert(tx: &mut Tx<'_>, asset: &Asset) -> Result<()> {
    let kind = match asset.kind {
        AssetKind::Token => "token",
        AssetKind::Currency => "currency",
    };
    tx.put(
        "INSERT INTO asset (asset_id, code, kind, book_id, scale) VALUES ($1, $2, $3, $4, $5)",
        params![
            asset.asset_id,
            &asset.code,
            kind,
            asset.book_id,
            i64::from(asset.scale)
        ],
    )?;
    Ok(())
}

/// Creates a token type of a book, named after the book's short name and its own: `TOKEN` for a
/// vendor's own.
pub fn asset_token_create(tx: &mut Tx<'_>, book: &Book, name: &str, scale: u32) -> Result<Asset> {
    tx.lock_name("asset")?;
    let asset = Asset {
        asset_id: next(tx, "SELECT COALESCE(MAX(asset_id), 0) FROM asset")?,
        code: format!("{}.{name}", book.slug.to_ascii_uppercase()),
        kind: AssetKind::Token,
        book_id: Some(book.book_id),
        scale,
    };
    asset_insert(tx, &asset)?;
    Ok(asset)
}

/// The currency of an ISO 4217 code, created at first use.
pub fn asset_currency(tx: &mut Tx<'_>, code: &str) -> Result<Asset> {
    if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Error::CurrencyInvalid(code.chars().take(20).collect()));
    }
    tx.lock_name("asset")?;
    let found = tx.query_opt(
        "SELECT asset_id, code, kind, book_id, scale FROM asset WHERE code = $1",
        params![code],
    )?;
    if let Some(row) = found {
        return asset_in(&row, 0);
    }
    let asset = Asset {
        asset_id: next(tx, "SELECT COALESCE(MAX(asset_id), 0) FROM asset")?,
        code: code.to_owned(),
        kind: AssetKind::Currency,
        book_id: None,
        scale: CURRENCY_SCALE,
    };
    asset_insert(tx, &asset)?;
    Ok(asset)
}

/// An asset in a row of another query: id, code, kind, book and scale, from the column `at` on.
pub fn asset_in(row: &Row, at: usize) -> Result<Asset> {
    let asset_id = row.int(at)?;
    let kind = match row.text(at.saturating_add(2))? {
        "token" => AssetKind::Token,
        "currency" => AssetKind::Currency,
        other => {
            return Err(EngineError::Corrupt(format!("kind {other:?} of asset {asset_id}")).into());
        }
    };
    let scale = row.int(at.saturating_add(4))?;
    let wrong = |_| EngineError::Corrupt(format!("scale {scale} of asset {asset_id}"));
    Ok(Asset {
        asset_id,
        code: row.text(at.saturating_add(1))?.to_owned(),
        kind,
        book_id: row.opt_int(at.saturating_add(3))?,
        scale: u32::try_from(scale).map_err(wrong)?,
    })
}

/// An asset.
pub fn asset_by_id(tx: &mut dyn Read, asset_id: i64) -> Result<Asset> {
    let row = tx.query_one(
        "SELECT asset_id, code, kind, book_id, scale FROM asset WHERE asset_id = $1",
        params![asset_id],
    )?;
    asset_in(&row, 0)
}

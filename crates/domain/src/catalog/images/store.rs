//! The tables of pictures.

use super::Image;
use crate::catalog::Result;
use crate::id::{ImageId, ProductId};
use scrip_engine::{Read, Row, Store, Tx, params};

pub(super) fn insert(
    tx: &mut Tx<'_>,
    book: i64,
    product: ProductId,
    new: &Image,
    content: &[u8],
) -> Result<()> {
    let (now, size) = (tx.now(), i64::try_from(content.len()).unwrap_or(i64::MAX));
    tx.put(
        "INSERT INTO product_image (book_id, image_id, product_id, place, alt, media, width,
                                    height, size, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            book,
            &new.image_id,
            &product,
            new.place,
            &new.alt,
            &new.media,
            new.width,
            new.height,
            size,
            now.0
        ],
    )?;
    tx.put(
        "INSERT INTO product_image_data (book_id, image_id, content) VALUES ($1, $2, $3)",
        params![book, &new.image_id, content],
    )?;
    Ok(())
}

pub(super) fn set(tx: &mut Tx<'_>, book: i64, id: ImageId, alt: &str, place: i64) -> Result<()> {
    tx.put(
        "UPDATE product_image SET alt = $3, place = $4 WHERE book_id = $1 AND image_id = $2",
        params![book, &id, alt, place],
    )?;
    Ok(())
}

pub(super) fn remove(tx: &mut Tx<'_>, book: i64, id: ImageId) -> Result<()> {
    tx.put(
        "DELETE FROM product_image WHERE book_id = $1 AND image_id = $2",
        params![book, &id],
    )?;
    tx.put(
        "DELETE FROM product_image_data WHERE book_id = $1 AND image_id = $2",
        params![book, &id],
    )?;
    Ok(())
}

fn image(row: &Row) -> Result<Image> {
    Ok(Image {
        image_id: ImageId::from_row(row, 0)?,
        place: row.int(1)?,
        alt: row.text(2)?.to_owned(),
        media: row.text(3)?.to_owned(),
        width: row.int(4)?,
        height: row.int(5)?,
    })
}

pub(super) fn of_product(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<Vec<Image>> {
    let rows = tx.query(
        "SELECT image_id, place, alt, media, width, height FROM product_image
         WHERE book_id = $1 AND product_id = $2 ORDER BY place",
        params![book, &id],
    )?;
    rows.iter().map(image).collect()
}

pub(super) fn first(tx: &mut dyn Read, book: i64, id: ProductId) -> Result<Option<Image>> {
    let row = tx.query_opt(
        "SELECT image_id, place, alt, media, width, height FROM product_image
         WHERE book_id = $1 AND product_id = $2 ORDER BY place LIMIT 1",
        params![book, &id],
    )?;
    row.as_ref().map(image).transpose()
}

pub(super) fn content(
    tx: &mut dyn Read,
    book: i64,
    id: ImageId,
) -> Result<Option<(String, Vec<u8>)>> {
    let row = tx.query_opt(
        "SELECT i.media, d.content FROM product_image i
         JOIN product_image_data d ON d.book_id = i.book_id AND d.image_id = i.image_id
         WHERE i.book_id = $1 AND i.image_id = $2",
        params![book, &id],
    )?;
    row.map(|row| Ok((row.text(0)?.to_owned(), row.blob(1)?.to_vec())))
        .transpose()
}

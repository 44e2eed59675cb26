//! Pictures of products, kept here: what our pages show comes from our own origin (SHP-09).
//!
//! A file is taken as it is, after its content says what it is, its dimensions are within bounds,
//! and a decoder has read all of it within a limit of memory. Nothing is drawn anew.

mod store;

use super::{CatalogError, Result, product_by_id};
use crate::actor::Actor;
use crate::audit;
use crate::id::{ImageId, ProductId};
use crate::text;
use crate::vendor::Vendor;
use image::{ImageFormat, ImageReader, Limits};
use scrip_engine::{Read, Tx};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

/// Bytes of a picture at most.
pub const BYTES_AT_MOST: usize = 4 * 1024 * 1024;
/// Pictures of one product at most.
pub const IMAGES_AT_MOST: usize = 12;
/// Pixels along one side at most.
const SIDE_AT_MOST: u32 = 6_000;
/// Memory that decoding may take.
const MEMORY_AT_MOST: u64 = 192 * 1024 * 1024;

/// A picture that was looked at.
#[derive(Clone, Debug)]
pub struct Picture {
    media: &'static str,
    width: i64,
    height: i64,
    content: Arc<Vec<u8>>,
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The id.
    pub image_id: ImageId,
    /// Its place among the pictures of the product; the first stands for it.
    pub place: i64,
    /// What it shows, for those who do not see it.
    pub alt: String,
    /// Its media type.
    pub media: String,
    /// Pixels.
    pub width: i64,
    /// Pixels.
    pub height: i64,
}

/// Looks at a file by its content; its name and what the browser says of it count for nothing.
pub fn picture(bytes: Vec<u8>) -> Result<Picture> {
    let no = |why: String| CatalogError::ImageInvalid(why);
    if bytes.len() > BYTES_AT_MOST {
        return Err(no(format!(
            "it has {} bytes, at most {BYTES_AT_MOST} fit",
            bytes.len()
        )));
    }
    let media = match image::guess_format(&bytes) {
        Ok(ImageFormat::Png) => "image/png",
        Ok(ImageFormat::Jpeg) => "image/jpeg",
        Ok(ImageFormat::WebP) => "image/webp",
        _ => {
            return Err(no(
                "its content is no PNG, JPEG or WebP: save it as one".to_owned()
            ));
        }
    };
    let broken = |_| no("it is damaged: save it again".to_owned());
    let reader = || {
        let reader = ImageReader::new(Cursor::new(bytes.as_slice()));
        reader.with_guessed_format()
    };
    let not_read = |_| no("it cannot be read".to_owned());
    // Dimensions come from the head alone: a small file may claim a huge picture.
    let (width, height) = reader()
        .map_err(not_read)?
        .into_dimensions()
        .map_err(broken)?;
    if width.max(height) > SIDE_AT_MOST || width == 0 || height == 0 {
        return Err(no(format!(
            "it has {width} by {height} pixels, at most {SIDE_AT_MOST} along a side fit"
        )));
    }
    let mut whole = reader().map_err(not_read)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_AT_MOST);
    limits.max_image_height = Some(SIDE_AT_MOST);
    limits.max_alloc = Some(MEMORY_AT_MOST);
    whole.limits(limits);
    drop(whole.decode().map_err(broken)?);
    Ok(Picture {
        media,
        width: i64::from(width),
        height: i64::from(height),
        content: Arc::new(bytes),
    })
}

/// Puts a picture behind the others of a product.
pub fn image_add(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    product: ProductId,
    picture: &Picture,
    alt: &str,
) -> Result<Image> {
    let book = vendor.book_id;
    let alt = text::optional_line("the text", alt, 300)?;
    tx.lock_name(&format!("catalog {book}"))?;
    product_by_id(tx, book, product)?;
    let others = of_product(tx, book, product)?;
    if others.len() >= IMAGES_AT_MOST {
        return Err(CatalogError::TooManyImages(IMAGES_AT_MOST));
    }
    let image = Image {
        image_id: ImageId(tx.new_id()?),
        place: others.last().map_or(1, |last| last.place.saturating_add(1)),
        alt,
        media: picture.media.to_owned(),
        width: picture.width,
        height: picture.height,
    };
    store::insert(tx, book, product, &image, &picture.content)?;
    noted(
        tx,
        actor,
        book,
        "catalogue.image_added",
        product,
        image.image_id,
    )?;
    Ok(image)
}

/// Changes what a picture is said to show, and perhaps makes it the first.
pub fn image_change(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    product: ProductId,
    image: ImageId,
    (alt, first): (&str, bool),
) -> Result<()> {
    let book = vendor.book_id;
    let alt = text::optional_line("the text", alt, 300)?;
    tx.lock_name(&format!("catalog {book}"))?;
    let all = of_product(tx, book, product)?;
    let found = all.iter().find(|i| i.image_id == image);
    let found = found.ok_or(CatalogError::ImageUnknown)?;
    let before = all.first().map_or(0, |i| i.place.saturating_sub(1));
    let place = if first { before } else { found.place };
    store::set(tx, book, image, &alt, place)?;
    noted(tx, actor, book, "catalogue.image_changed", product, image)
}

/// Removes a picture.
pub fn image_remove(
    tx: &mut Tx<'_>,
    actor: Actor,
    vendor: &Vendor,
    product: ProductId,
    image: ImageId,
) -> Result<()> {
    let book = vendor.book_id;
    tx.lock_name(&format!("catalog {book}"))?;
    let all = of_product(tx, book, product)?;
    if !all.iter().any(|i| i.image_id == image) {
        return Err(CatalogError::ImageUnknown);
    }
    store::remove(tx, book, image)?;
    noted(tx, actor, book, "catalogue.image_removed", product, image)
}

fn noted(
    tx: &mut Tx<'_>,
    actor: Actor,
    book: i64,
    action: &str,
    product: ProductId,
    image: ImageId,
) -> Result<()> {
    let detail = json!({ "image": image.to_string() });
    Ok(audit::note(
        tx,
        book,
        actor,
        action,
        &product.to_string(),
        &detail,
    )?)
}

/// The pictures of a product, in their order.
pub fn of_product(tx: &mut dyn Read, book_id: i64, product: ProductId) -> Result<Vec<Image>> {
    store::of_product(tx, book_id, product)
}

/// The first picture of each of some products, at most a page of them.
pub fn firsts(
    tx: &mut dyn Read,
    book_id: i64,
    products: &[ProductId],
) -> Result<BTreeMap<ProductId, Image>> {
    let mut found = BTreeMap::new();
    for product in products {
        if let Some(image) = store::first(tx, book_id, *product)? {
            found.insert(*product, image);
        }
    }
    Ok(found)
}

/// The media type and the bytes of a picture.
pub fn content(tx: &mut dyn Read, book_id: i64, image: ImageId) -> Result<(String, Vec<u8>)> {
    store::content(tx, book_id, image)?.ok_or(CatalogError::ImageUnknown)
}

//! Reads the product export of common shop programs: one CSV row per variant, the product's own
//! columns on its first row. Nothing is entered here: the result is checked row by row first.

use super::{Delivery, NewOffer, NewProduct, OfferKind};
use scrip_ledger::{Amount, Asset, Rounding};
use std::collections::{HashMap, HashSet};

/// A product with its offers, and the row that it began on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The row of the file, the header being row 1.
    pub row: u64,
    /// The product.
    pub product: NewProduct,
    /// Its offers.
    pub offers: Vec<NewOffer>,
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The row of the file, the header being row 1.
    pub row: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// What a file contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Products in the order of the file.
    pub drafts: Vec<Draft>,
    /// Rows that were left out.
    pub errors: Vec<RowError>,
}

/// How prices of the file become tokens.
#[derive(Clone, Debug)]
pub struct Prices {
    /// The currency of the file's prices.
    pub currency: Asset,
    /// The token.
    pub token: Asset,
    /// What one token costs.
    pub token_price: Amount,
}

/// Characters of one field at most: a quote left open swallows the rest of a file.
const FIELD_AT_MOST: usize = 200_000;

/// Reads a file. Only a header that lacks a needed column fails it as a whole.
pub fn parse(bytes: &[u8], prices: &Prices) -> Result<Parsed, RowError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(super::sheet::separator(&String::from_utf8_lossy(head)))
        .from_reader(bytes);
    let head_error = |problem: String| RowError { row: 1, problem };
    let headers = reader
        .headers()
        .map_err(|e| head_error(format!("cannot read the header: {e}")))?;
    let columns: HashMap<String, usize> = headers
        .iter()
        .enumerate()
        .map(|(i, h)| (h.trim().to_owned(), i))
        .collect();
    for needed in ["Handle", "Title", "Variant Price"] {
        if !columns.contains_key(needed) {
            let problem = format!("the column {needed:?} is missing: is this a product export?");
            return Err(head_error(problem));
        }
    }
    let mut parsed = Parsed::default();
    let mut seen = Seen::default();
    for (row, record) in (2_u64..).zip(reader.byte_records()) {
        let taken = record
            .map_err(|e| e.to_string())
            .and_then(|r| fields(&r, &columns, headers_len(&columns)))
            .and_then(|fields| take(&mut parsed, &mut seen, row, &fields, prices));
        if let Err(problem) = taken {
            parsed.errors.push(RowError { row, problem });
        }
    }
    Ok(parsed)
}

fn headers_len(columns: &HashMap<String, usize>) -> usize {
    columns.values().max().map_or(0, |m| m.saturating_add(1))
}

/// What earlier rows have brought.
#[derive(Default)]
struct Seen {
    /// The place of each product in the result, by handle.
    products: HashMap<String, usize>,
    skus: HashSet<String>,
}

/// One row by column name.
struct Fields(HashMap<String, String>);

impl Fields {
    fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", |s| s.trim())
    }
}

fn fields(
    record: &csv::ByteRecord,
    columns: &HashMap<String, usize>,
    width: usize,
) -> Result<Fields, String> {
    if record.len() != width {
        return Err(format!(
            "has {} columns, the header has {width}",
            record.len()
        ));
    }
    let mut fields = HashMap::new();
    for (name, i) in columns {
        let bytes = record.get(*i).unwrap_or_default();
        let text = std::str::from_utf8(bytes)
            .map_err(|_| format!("{name} is not UTF-8: save the file as UTF-8"))?;
        if text.len() > FIELD_AT_MOST {
            return Err(format!(
                "{name} has {} bytes: is a quote left open?",
                text.len()
            ));
        }
        if text.contains(super::sheet::UNREADABLE) {
            return Err(format!(
                "{name} has a letter that cannot be read: save the file as UTF-8"
            ));
        }
        fields.insert(name.clone(), text.to_owned());
    }
    Ok(Fields(fields))
}

fn take(
    parsed: &mut Parsed,
    seen: &mut Seen,
    row: u64,
    fields: &Fields,
    prices: &Prices,
) -> Result<(), String> {
    let handle = fields.get("Handle").to_owned();
    if handle.is_empty() {
        return Err("has no handle".into());
    }
    let offer = offer(&handle, fields, prices)?;
    // Before the product: a row that is wrong leaves nothing behind.
    if let Some(offer) = &offer
        && seen.skus.contains(&offer.sku)
    {
        return Err(format!("the SKU {:?} stands in an earlier row", offer.sku));
    }
    let place = match seen.products.get(&handle) {
        Some(place) => *place,
        None if fields.get("Title").is_empty() => {
            return Err(format!(
                "the product {handle:?} has no row with a title before this one"
            ));
        }
        None => {
            let product = product(&handle, fields);
            super::rules::product_checked(&product).map_err(|e| e.to_string())?;
            parsed.drafts.push(Draft {
                row,
                product,
                offers: Vec::new(),
            });
            let place = parsed.drafts.len().saturating_sub(1);
            seen.products.insert(handle.clone(), place);
            place
        }
    };
    let Some(offer) = offer else { return Ok(()) };
    seen.skus.insert(offer.sku.clone());
    if let Some(draft) = parsed.drafts.get_mut(place) {
        draft.offers.push(offer);
    }
    Ok(())
}

fn product(handle: &str, fields: &Fields) -> NewProduct {
    let category = [
        fields.get("Type"),
        fields.get("Tags").split(',').next().unwrap_or_default(),
    ];
    NewProduct {
        handle: handle.to_owned(),
        title: fields.get("Title").to_owned(),
        description: plain_text(fields.get("Body (HTML)")),
        manufacturer: fields.get("Vendor").to_owned(),
        category: category
            .into_iter()
            .find(|c| !c.is_empty())
            .unwrap_or("Other")
            .trim()
            .to_owned(),
        image_url: fields.get("Image Src").to_owned(),
        download_kb: 0,
        delivery: Delivery::Usual,
        options: (1..=3)
            .map(|n| fields.get(&format!("Option{n} Name")))
            .filter(|name| !name.is_empty() && *name != "Title")
            .map(str::to_owned)
            .collect(),
    }
}

/// The offer of a row; `None` for a row that only adds an image.
fn offer(handle: &str, fields: &Fields, prices: &Prices) -> Result<Option<NewOffer>, String> {
    let price = fields.get("Variant Price");
    if price.is_empty() {
        // A row with a title is a product's own, and that has a price.
        return if fields.get("Image Src").is_empty() || !fields.get("Title").is_empty() {
            Err("has no price".into())
        } else {
            Ok(None)
        };
    }
    let money = Amount::parse(&super::sheet::with_point(price), prices.currency.scale)
        .map_err(|e| format!("Variant Price: {e}"))?;
    let options: Vec<&str> = ["Option1 Value", "Option2 Value", "Option3 Value"]
        .into_iter()
        .map(|c| fields.get(c))
        .filter(|v| !v.is_empty() && *v != "Default Title")
        .collect();
    let variant = options.join(", ");
    let own_sku = match options.is_empty() {
        true => handle.to_owned(),
        false => format!("{handle}/{}", options.join("/").replace(no_sku_letter, "-")),
    };
    let sku = fields.get("Variant SKU");
    let stock = match (
        fields.get("Variant Inventory Tracker"),
        fields.get("Variant Inventory Qty"),
    ) {
        ("", _) => None,
        (_, quantity) => {
            let pieces = quantity
                .parse()
                .map_err(|_| format!("Variant Inventory Qty: {quantity:?} is no number"))?;
            Some(pieces)
        }
    };
    let offer = NewOffer {
        sku: if sku.is_empty() {
            own_sku
        } else {
            sku.to_owned()
        },
        variant,
        kind: OfferKind::Purchase,
        price: tokens(money, prices)?,
        on_sale: false,
        active: !fields.get("Published").eq_ignore_ascii_case("false"),
        stock,
        tiers: Vec::new(),
        options: options.iter().map(|o| (*o).to_owned()).collect(),
    };
    super::rules::offer_checked(&offer)
        .map(Some)
        .map_err(|e| e.to_string())
}

/// Options such as `12" / blue & gold` have letters that a SKU cannot have.
fn no_sku_letter(c: char) -> bool {
    !super::rules::handle_letter(c)
}

/// Tokens worth an amount of money, rounded up to the token's smallest unit: the shop never gets
/// less than its price.
fn tokens(money: Amount, prices: &Prices) -> Result<Amount, String> {
    let whole = 10_i64
        .checked_pow(prices.token.scale)
        .ok_or("the token has too many decimals")?;
    money
        .ratio(whole, prices.token_price.units(), Rounding::Up)
        .map_err(|e| e.to_string())
}

/// Text without its tags.
fn plain_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut tag = false;
    for c in html.chars() {
        match c {
            '<' => {
                tag = true;
                // A tag parts words.
                if !out.ends_with([' ', '\n']) && !out.is_empty() {
                    out.push(' ');
                }
            }
            '>' if tag => tag = false,
            c if !tag => out.push(c),
            _ => {}
        }
    }
    let entities = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(out, |text, (name, c)| text.replace(name, c))
        .trim()
        .to_owned()
}

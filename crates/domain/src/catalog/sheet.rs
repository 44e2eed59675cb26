//! The catalogue as a file of our own (CSV): written for spreadsheets, and read again without loss.
//!
//! One row for each offer; a product's own columns stand on its first row. Cells that a spreadsheet
//! would take for a formula begin with an apostrophe, which reading takes away again. Both are
//! exact opposites: what is written and read is what was there.

use super::shop_export::{Draft, Parsed, RowError};
use super::{Delivery, NewOffer, NewProduct, Offer, OfferKind, ProductDetail, Tier, rules};
use scrip_ledger::export::{csv_field, is_formula};
use scrip_ledger::{Amount, Asset};
use std::collections::{HashMap, HashSet};

/// The columns, in their order.
pub const COLUMNS: [&str; 18] = [
    "handle",
    "title",
    "description",
    "manufacturer",
    "category",
    "image_url",
    "download_kb",
    "delivery",
    "options",
    "sku",
    "variant",
    "values",
    "kind",
    "price",
    "tiers",
    "on_sale",
    "active",
    "stock",
];

/// Columns that a file must have; others count as empty.
const NEEDED: [&str; 4] = ["handle", "title", "sku", "price"];

/// Bytes of a cell at most: a quote left open swallows the rest of a file.
const CELL_AT_MOST: usize = 500_000;

/// A text of any encoding that spreadsheets write, and the encoding's name.
pub fn decoded(bytes: &[u8]) -> (String, &'static str) {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        let (text, _, _) = encoding.decode(bytes);
        return (text.into_owned(), encoding.name());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        // UTF-16 of plain letters is UTF-8, too: every second byte is NUL.
        let nul = |odd: usize| {
            let some = bytes.iter().skip(odd).step_by(2).take(200);
            let all = some.clone().count();
            all > 1 && some.filter(|b| **b == 0).count() > all / 2
        };
        let wide = match (nul(0), nul(1)) {
            (true, false) => Some(encoding_rs::UTF_16BE),
            (false, true) => Some(encoding_rs::UTF_16LE),
            _ => None,
        };
        return match wide {
            Some(encoding) => (encoding.decode(bytes).0.into_owned(), encoding.name()),
            None => (text.to_owned(), "UTF-8"),
        };
    }
    // Mostly UTF-8 with a few letters that are broken: the rows with those are told.
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        let wide = chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        whole = whole.saturating_add(wide);
        broken = broken.saturating_add(usize::from(!chunk.invalid().is_empty()));
    }
    let encoding = match whole > 0 && whole >= broken {
        true => encoding_rs::UTF_8,
        false => encoding_rs::WINDOWS_1252,
    };
    (encoding.decode(bytes).0.into_owned(), encoding.name())
}

/// What a cell has that no letter could be read for.
pub const UNREADABLE: char = char::REPLACEMENT_CHARACTER;

fn first_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// The separator of the first line: the commonest of comma, semicolon and tab.
pub fn separator(text: &str) -> u8 {
    let head = first_line(text);
    let count = |byte: u8| head.bytes().filter(|b| *b == byte).count();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|byte| (count(*byte), *byte == b','))
        .unwrap_or(b',')
}

/// True for a file in this format, by its first line.
pub fn is_own(text: &str) -> bool {
    let head = first_line(text);
    let separator = char::from(separator(text));
    let names: HashSet<&str> = head
        .split(separator)
        .map(|c| c.trim_matches(['"', ' ']))
        .collect();
    names.contains("handle") && names.contains("sku")
}

/// What [`plain_cell`](scrip_ledger::export::plain_cell) was given.
pub fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// A number with a decimal comma, as much of the world writes it: `12,50`.
pub fn with_point(number: &str) -> String {
    let is_decimal = !number.contains('.') && number.matches(',').count() == 1;
    match is_decimal {
        true => number.replace(',', "."),
        false => number.to_owned(),
    }
}

/// Lists in one cell: parts between bars; a bar or backslash in a part has a backslash before it.
fn joined(parts: &[String]) -> String {
    let safe = |part: &String| part.replace('\\', "\\\\").replace('|', "\\|");
    parts.iter().map(safe).collect::<Vec<_>>().join("|")
}

fn parted(cell: &str) -> Vec<String> {
    if cell.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![String::new()];
    let mut letters = cell.chars();
    while let Some(c) = letters.next() {
        match (c, parts.last_mut()) {
            ('|', _) => parts.push(String::new()),
            ('\\', Some(part)) => part.extend(letters.next()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    parts
}

/// Writes the head of a file.
pub fn head() -> String {
    row(&COLUMNS.map(str::to_owned))
}

fn row(cells: &[String]) -> String {
    let fields = cells.iter().map(|cell| csv_field(cell));
    let mut text = fields.collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    text
}

/// Writes the rows of a product.
pub fn rows(detail: &ProductDetail, token: &Asset) -> String {
    let product = &detail.product;
    let own = [
        product.title.clone(),
        product.description.clone(),
        product.manufacturer.clone(),
        product.category.clone(),
        product.image_url.clone(),
        product.download_kb.to_string(),
        product.delivery.name().to_owned(),
        joined(&product.options),
    ];
    let empty: [String; 8] = Default::default();
    let mut text = String::new();
    let offers = detail
        .offers
        .iter()
        .map(|(o, left)| offer_cells(o, *left, token));
    let mut offers: Vec<[String; 9]> = offers.collect();
    if offers.is_empty() {
        offers.push(Default::default());
    }
    for (n, offer) in offers.iter().enumerate() {
        let own = if n == 0 { &own } else { &empty };
        let mut cells = vec![product.handle.clone()];
        cells.extend(own.iter().chain(offer).cloned());
        text.push_str(&row(&cells));
    }
    text
}

fn offer_cells(offer: &Offer, on_hand: Option<i64>, token: &Asset) -> [String; 9] {
    let price = |amount: Amount| amount.decimal(token.scale);
    let tiers = offer
        .tiers
        .iter()
        .map(|t| format!("{}:{}", t.up_to, price(t.price)));
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    [
        offer.sku.clone(),
        offer.variant.clone(),
        joined(&offer.options),
        offer.kind.name().to_owned(),
        if offer.tiered {
            String::new()
        } else {
            price(offer.price)
        },
        tiers.collect::<Vec<_>>().join(" "),
        word(offer.on_sale),
        word(offer.active),
        on_hand.map(|n| n.to_string()).unwrap_or_default(),
    ]
}

/// What is wrong with a row: the column, and what to do.
type Wrong = (&'static str, String);

/// `100:10 1000:80`.
fn tiers(
    cell: &str,
    price: impl Fn(&'static str, &str) -> Result<Amount, Wrong>,
) -> Result<Vec<Tier>, Wrong> {
    let mut tiers = Vec::new();
    for tier in cell.split_whitespace() {
        let text = format!("{tier:.40?} is no tier: write 100:10 for up to 100 at 10");
        let wrong = || ("tiers", text.clone());
        let (up_to, cost) = tier.split_once(':').ok_or_else(wrong)?;
        tiers.push(Tier {
            up_to: up_to.parse().map_err(|_| wrong())?,
            price: price("tiers", cost)?,
        });
    }
    Ok(tiers)
}

/// Reads a file. Only a header that lacks a needed column fails it as a whole.
pub fn parse(text: &str, token: &Asset) -> Result<Parsed, RowError> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let of_head = |problem: String| RowError { row: 1, problem };
    let headers = reader.headers();
    let headers = headers.map_err(|e| of_head(format!("the header cannot be read: {e}")))?;
    let mut places: HashMap<&'static str, usize> = HashMap::new();
    for (place, name) in headers.iter().enumerate() {
        let Some(known) = COLUMNS.into_iter().find(|c| *c == name.trim()) else {
            let problem = format!("the column {name:.60?} is not known: leave it out");
            return Err(of_head(problem));
        };
        if places.insert(known, place).is_some() {
            return Err(of_head(format!(
                "the column {known} is there twice: leave one out"
            )));
        }
    }
    if let Some(lacking) = NEEDED.into_iter().find(|name| !places.contains_key(name)) {
        let problem = format!("the column {lacking} is missing: export a file to see all columns");
        return Err(of_head(problem));
    }
    let width = headers.len();
    let mut reading = Reading {
        places,
        token,
        parsed: Parsed::default(),
        products: HashMap::new(),
        skus: HashSet::new(),
    };
    for (row, record) in (2_u64..).zip(reader.records()) {
        let taken = match record {
            Ok(record) if record.len() == width => reading.take(row, &record),
            Ok(record) => Err((
                "",
                format!("there are {} cells, the header has {width}", record.len()),
            )),
            Err(e) => Err(("", e.to_string())),
        };
        if let Err((column, problem)) = taken {
            let problem = match column.is_empty() {
                true => problem,
                false => format!("{column}: {problem}"),
            };
            reading.parsed.errors.push(RowError { row, problem });
        }
    }
    Ok(reading.parsed)
}

struct Reading<'a> {
    places: HashMap<&'static str, usize>,
    token: &'a Asset,
    parsed: Parsed,
    products: HashMap<String, usize>,
    skus: HashSet<String>,
}

impl Reading<'_> {
    fn cell<'r>(
        &self,
        record: &'r csv::StringRecord,
        column: &'static str,
    ) -> Result<&'r str, Wrong> {
        let place = self.places.get(column);
        let cell = place.and_then(|p| record.get(*p)).unwrap_or_default();
        if cell.len() > CELL_AT_MOST {
            let problem = format!("{} bytes are too many: is a quote left open?", cell.len());
            return Err((column, problem));
        }
        if cell.contains(UNREADABLE) {
            let problem = "has a letter that cannot be read: save the file as UTF-8";
            return Err((column, problem.to_owned()));
        }
        Ok(unescaped(cell))
    }

    fn take(&mut self, row: u64, record: &csv::StringRecord) -> Result<(), Wrong> {
        let handle = self.cell(record, "handle")?.trim().to_owned();
        if handle.is_empty() {
            return Err(("handle", "is empty: fill it in".to_owned()));
        }
        let offer = self.offer(record)?;
        if let Some(offer) = &offer
            && self.skus.contains(&offer.sku)
        {
            return Err((
                "sku",
                format!("{:?} stands in an earlier row: change one", offer.sku),
            ));
        }
        let place = match self.products.get(&handle) {
            Some(place) => *place,
            None => {
                let product = self.product(&handle, record)?;
                self.parsed.drafts.push(Draft {
                    row,
                    product,
                    offers: Vec::new(),
                });
                let place = self.parsed.drafts.len().saturating_sub(1);
                self.products.insert(handle, place);
                place
            }
        };
        if let (Some(offer), Some(draft)) = (offer, self.parsed.drafts.get_mut(place)) {
            self.skus.insert(offer.sku.clone());
            draft.offers.push(offer);
        }
        Ok(())
    }

    fn product(&self, handle: &str, record: &csv::StringRecord) -> Result<NewProduct, Wrong> {
        let text = |column| self.cell(record, column).map(str::to_owned);
        let size = text("download_kb")?;
        let delivery = text("delivery")?;
        let product = NewProduct {
            handle: handle.to_owned(),
            title: text("title")?,
            description: text("description")?,
            manufacturer: text("manufacturer")?,
            category: text("category")?,
            image_url: text("image_url")?,
            download_kb: match size.trim() {
                "" => 0,
                size => size.parse().map_err(|_| {
                    (
                        "download_kb",
                        format!("{size:.40?} is no whole number of kilobytes"),
                    )
                })?,
            },
            delivery: match delivery.trim() {
                "" => Delivery::Usual,
                word => Delivery::parse(word).map_err(|e| ("delivery", e.to_string()))?,
            },
            options: parted(&text("options")?),
        };
        rules::product_checked(&product).map_err(|e| ("", e.to_string()))
    }

    fn offer(&self, record: &csv::StringRecord) -> Result<Option<NewOffer>, Wrong> {
        let text = |column| self.cell(record, column).map(str::trim);
        let sku = text("sku")?;
        if sku.is_empty() {
            let is_filled = |column| text(column).is_ok_and(|cell| !cell.is_empty());
            return match ["price", "tiers", "stock"].into_iter().any(is_filled) {
                true => Err((
                    "sku",
                    "is empty, but there is a price: fill it in".to_owned(),
                )),
                false => Ok(None),
            };
        }
        let price = |column: &'static str, text: &str| {
            let price = Amount::parse(&with_point(text), self.token.scale);
            price.map_err(|e| (column, e.to_string()))
        };
        let tiers = tiers(text("tiers")?, price)?;
        let kind = match text("kind")? {
            "" => OfferKind::Purchase,
            word => OfferKind::ALL
                .into_iter()
                .find(|k| k.name() == word)
                .ok_or_else(|| {
                    (
                        "kind",
                        format!(
                            "{word:.40?} is not known: write purchase, time, uses or processings"
                        ),
                    )
                })?,
        };
        let yes = |column: &'static str, usual: bool| match text(column)?.to_lowercase().as_str() {
            "" => Ok(usual),
            "yes" | "true" | "1" => Ok(true),
            "no" | "false" | "0" => Ok(false),
            other => Err((
                column,
                format!("{other:.40?} is not known: write yes or no"),
            )),
        };
        let offer = NewOffer {
            sku: sku.to_owned(),
            variant: text("variant")?.to_owned(),
            kind,
            price: match (text("price")?, tiers.is_empty()) {
                ("", true) => return Err(("price", "is empty: write 0 for nothing".to_owned())),
                ("", false) => Amount::ZERO,
                (_, false) => {
                    return Err(("price", "there are tiers, too: leave one out".to_owned()));
                }
                (number, true) => price("price", number)?,
            },
            on_sale: yes("on_sale", false)?,
            active: yes("active", true)?,
            stock: match text("stock")? {
                "" => None,
                count => Some(count.parse().map_err(|_| {
                    (
                        "stock",
                        format!("{count:.40?} is no whole number of pieces"),
                    )
                })?),
            },
            tiers,
            options: parted(text("values")?),
        };
        let checked = rules::offer_checked(&offer).map_err(|e| ("", e.to_string()));
        checked.map(Some)
    }
}

//! Reading the transactions: one CSV row per sold item, rows of an invoice together or apart.

use crate::failure::Failure;
use flate2::read::MultiGzDecoder;
use scrip_engine::Timestamp;
use scrip_ledger::Amount;
use serde::Serialize;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// Decimals of a price in the file.
const PRICE_DECIMALS: u32 = 2;
/// Bytes of one field at most: a quote left open swallows the rest of a file.
const FIELD_AT_MOST: usize = 20_000;
/// Characters of an invoice's and of a customer's number at most.
const NUMBER_AT_MOST: usize = 100;
/// Stock codes that stand for fees, corrections and samples, not for goods.
const NOT_PRODUCTS: [&str; 6] = ["AMAZONFEE", "BANK CHARGES", "M", "D", "S", "B"];

/// Why a row was not entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The row cannot be read.
    Malformed,
    /// A fee, a correction or a sample.
    NotAProduct,
    /// A price of nothing, or less.
    PriceNotPositive,
    /// A quantity of nothing.
    QuantityZero,
    /// Goods going out with a negative quantity.
    QuantityNegative,
    /// Goods coming back with a positive quantity.
    QuantityPositive,
    /// A price that is no whole number of the token's smallest unit.
    PriceTooFine,
    /// A cancellation without an earlier sale.
    NoSale,
    /// A cancellation of more than was sold; what was sold is refunded.
    SaleTooSmall,
    /// The order was refused as a whole.
    OrderRefused,
}

/// A row that was not entered, or not wholly.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// The row of the file, the header being row 1.
    pub row: u64,
    /// The invoice, when it could be read.
    pub invoice: String,
    /// Why.
    pub reason: Reason,
    /// The same in words.
    pub detail: String,
}

/// A row that can be entered.
#[derive(Clone, Debug)]
pub struct Item {
    /// The row of the file.
    pub row: u64,
    /// Stock code.
    pub code: String,
    /// Description.
    pub description: String,
    /// Pieces, above zero; for a cancellation the pieces that came back.
    pub quantity: i64,
    /// Price of one, in hundredths of the currency.
    pub price: Amount,
}

/// All rows of one invoice.
#[derive(Clone, Debug)]
pub struct Invoice {
    /// Its number.
    pub number: String,
    /// When it was made, by its first row.
    pub at: Timestamp,
    /// The customer's number in the retailer's system; empty for none.
    pub customer: String,
    /// The rows that can be entered.
    pub items: Vec<Item>,
}

impl Invoice {
    /// True when goods came back.
    pub fn cancels(&self) -> bool {
        self.number.starts_with(['C', 'c'])
    }
}

/// What a file contains.
#[derive(Debug, Default)]
pub struct Transactions {
    /// Rows without the header.
    pub rows: u64,
    /// Invoices in the order of their first rows.
    pub invoices: Vec<Invoice>,
    /// Rows that cannot be entered whatever the database says.
    pub refusals: Vec<Refusal>,
}

/// Reads a file, compressed with gzip or not.
pub fn read(path: &Path) -> Result<Transactions, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::file(path, e))?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut plain)
            .map_err(|e| Failure::file(path, e))?;
        plain
    } else {
        bytes
    };
    parse(&bytes).map_err(|e| Failure::Refused(format!("{}: {e}", path.display())))
}

/// Where each column is.
struct Columns {
    width: usize,
    places: [usize; 7],
}

const COLUMNS: [&str; 7] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
];
const INVOICE: usize = 0;
const CUSTOMER: usize = 6;

fn parse(bytes: &[u8]) -> Result<Transactions, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let headers = reader
        .headers()
        .map_err(|e| format!("cannot read the header: {e}"))?
        .clone();
    let mut columns = Columns {
        width: headers.len(),
        places: [0; 7],
    };
    for (place, name) in columns.places.iter_mut().zip(COLUMNS) {
        *place = headers
            .iter()
            .position(|h| h.trim() == name)
            .ok_or_else(|| format!("the column {name:?} is missing"))?;
    }
    let mut found = Transactions::default();
    let mut index: HashMap<String, usize> = HashMap::new();
    for (row, record) in (2_u64..).zip(reader.byte_records()) {
        found.rows += 1;
        let parsed = record
            .map_err(|e| e.to_string())
            .and_then(|r| fields(&r, &columns));
        match parsed {
            Ok(fields) => take(&mut found, &mut index, row, &fields),
            Err(detail) => found.refusals.push(Refusal {
                row,
                invoice: String::new(),
                reason: Reason::Malformed,
                detail,
            }),
        }
    }
    Ok(found)
}

fn fields(record: &csv::ByteRecord, columns: &Columns) -> Result<Vec<String>, String> {
    if record.len() != columns.width {
        return Err(format!(
            "has {} columns, the header has {}",
            record.len(),
            columns.width
        ));
    }
    let mut fields = Vec::with_capacity(columns.places.len());
    for (place, name) in columns.places.iter().zip(COLUMNS) {
        let bytes = record.get(*place).unwrap_or_default();
        if bytes.len() > FIELD_AT_MOST {
            return Err(format!(
                "{name} has {} bytes: is a quote left open?",
                bytes.len()
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
        let text = text.trim();
        if text.contains(char::is_control) {
            return Err(format!("{name} contains a control character"));
        }
        fields.push(text.to_owned());
    }
    for i in [INVOICE, CUSTOMER] {
        let length = fields[i].chars().count();
        if length > NUMBER_AT_MOST {
            return Err(format!("{} has {length} characters", COLUMNS[i]));
        }
    }
    Ok(fields)
}

/// The parts of a row that can go wrong while they are read.
struct Numbers {
    quantity: i64,
    at: Timestamp,
    price: Amount,
}

fn numbers(fields: &[String]) -> Result<Numbers, String> {
    let quantity = fields[3]
        .parse()
        .map_err(|_| format!("the quantity {:?} is no whole number", shown(&fields[3])))?;
    let at = time(&fields[4])?;
    let price = Amount::parse(&fields[5], PRICE_DECIMALS).map_err(|e| e.to_string())?;
    if fields[0].is_empty() || fields[1].is_empty() {
        return Err("the invoice number or the stock code is missing".into());
    }
    Ok(Numbers {
        quantity,
        at,
        price,
    })
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// `2010-12-01 08:26:00`, taken as UTC. Before 1970 no token has a price.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = |_| format!("the time {:?} is not like 2010-12-01 08:26:00", shown(text));
    let civil: jiff::civil::DateTime = text.parse().map_err(wrong)?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(wrong)?;
    let at = Timestamp(zoned.timestamp().as_microsecond());
    if at.0 < 0 {
        return Err(format!("the time {:?} is before 1970", shown(text)));
    }
    Ok(at)
}

fn take(found: &mut Transactions, index: &mut HashMap<String, usize>, row: u64, fields: &[String]) {
    let number = fields[0].clone();
    let mut refuse = |reason: Reason, detail: String| {
        found.refusals.push(Refusal {
            row,
            invoice: shown(&number),
            reason,
            detail,
        });
    };
    let numbers = match numbers(fields) {
        Ok(numbers) => numbers,
        Err(detail) => return refuse(Reason::Malformed, detail),
    };
    let at = *index.entry(number.clone()).or_insert_with(|| {
        found.invoices.push(Invoice {
            number: number.clone(),
            at: numbers.at,
            customer: fields[6]
                .strip_suffix(".0")
                .unwrap_or(&fields[6])
                .to_owned(),
            items: Vec::new(),
        });
        found.invoices.len() - 1
    });
    let invoice = &mut found.invoices[at];
    if let Some((reason, detail)) = unfit(fields, &numbers, invoice.cancels()) {
        return refuse(reason, detail);
    }
    let Some(quantity) = numbers.quantity.checked_abs() else {
        return refuse(Reason::Malformed, "the quantity is too large".into());
    };
    invoice.items.push(Item {
        row,
        code: fields[1].clone(),
        description: fields[2].clone(),
        quantity,
        price: numbers.price,
    });
}

/// Why a row that can be read cannot be entered.
fn unfit(fields: &[String], numbers: &Numbers, cancels: bool) -> Option<(Reason, String)> {
    let code = fields[1].to_uppercase();
    if NOT_PRODUCTS.contains(&code.as_str()) {
        let detail = format!(
            "{} is a fee, a correction or a sample, not goods",
            fields[1]
        );
        return Some((Reason::NotAProduct, detail));
    }
    if !numbers.price.is_positive() {
        let price = numbers.price.decimal(PRICE_DECIMALS);
        return Some((Reason::PriceNotPositive, format!("the price is {price}")));
    }
    match (numbers.quantity, cancels) {
        (0, _) => Some((Reason::QuantityZero, "the quantity is zero".into())),
        (n, false) if n < 0 => Some((
            Reason::QuantityNegative,
            format!("{n} pieces cannot be sold"),
        )),
        (n, true) if n > 0 => Some((
            Reason::QuantityPositive,
            format!("a cancellation of {n} pieces that go out"),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    fn reasons(rows: &str) -> Vec<Reason> {
        let found = parse(format!("{HEAD}{rows}").as_bytes()).expect("the header is right");
        found.refusals.iter().map(|r| r.reason).collect()
    }

    #[test]
    fn rows_that_cannot_be_entered_say_why() {
        let cases = [
            (
                "1,M,x,1,2010-12-01 08:26:00,1.00,1.0,UK\n",
                Reason::NotAProduct,
            ),
            (
                "1,m,x,1,2010-12-01 08:26:00,1.00,1.0,UK\n",
                Reason::NotAProduct,
            ),
            (
                "1,A,x,1,2010-12-01 08:26:00,0.0,1.0,UK\n",
                Reason::PriceNotPositive,
            ),
            (
                "1,A,x,1,2010-12-01 08:26:00,-1.5,1.0,UK\n",
                Reason::PriceNotPositive,
            ),
            (
                "1,A,x,0,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::QuantityZero,
            ),
            (
                "1,A,x,-1,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::QuantityNegative,
            ),
            (
                "C1,A,x,1,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::QuantityPositive,
            ),
            (
                "C1,A,x,-9223372036854775808,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::Malformed,
            ),
            (
                "1,A,x,9223372036854775808,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::Malformed,
            ),
            (
                "1,A,x,1.5,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::Malformed,
            ),
            (
                "1,A,x,1,2010-12-01 08:26:00,1.005,1.0,UK\n",
                Reason::Malformed,
            ),
            (
                "1,A,x,1,2010-12-01 08:26:00,99999999999999999999,1.0,UK\n",
                Reason::Malformed,
            ),
            ("1,A,x,1,2010-13-01 08:26:00,1,1.0,UK\n", Reason::Malformed),
            ("1,A,x,1,yesterday,1,1.0,UK\n", Reason::Malformed),
            ("1,A,x,1,1969-12-31 23:59:59,1,1.0,UK\n", Reason::Malformed),
            (
                "1\u{7},A,x,1,2010-12-01 08:26:00,1,1.0,UK\n",
                Reason::Malformed,
            ),
            ("1,A,x,1,2010-12-01 08:26:00,1,1\0,UK\n", Reason::Malformed),
            (",A,x,1,2010-12-01 08:26:00,1,1.0,UK\n", Reason::Malformed),
            ("1,A,x,1\n", Reason::Malformed),
        ];
        for (rows, reason) in cases {
            assert_eq!(reasons(rows), [reason], "{rows}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_refuse_their_row_alone() {
        let mut bytes = HEAD.as_bytes().to_vec();
        bytes.extend_from_slice(b"1,A,\xff\xfe,1,2010-12-01 08:26:00,1,1.0,UK\n");
        bytes.extend_from_slice("1,A,Café 猫,1,2010-12-01 08:26:00,1,1.0,UK\n".as_bytes());
        let found = parse(&bytes).expect("the header is right");
        assert_eq!((found.rows, found.refusals.len()), (2, 1));
        assert_eq!(found.invoices[0].items[0].description, "Café 猫");
    }

    #[test]
    fn duplicate_rows_stay_and_rows_of_an_invoice_come_together() {
        let rows = "1,A,x,1,2010-12-01 08:26:00,1,7.0,UK\n2,A,x,1,2010-12-01 08:27:00,1,,UK\n\
                    1,A,x,1,2010-12-01 08:28:00,1,7.0,UK\n";
        let found = parse(format!("{HEAD}{rows}").as_bytes()).expect("the header is right");
        let shape: Vec<_> = found
            .invoices
            .iter()
            .map(|i| (i.customer.as_str(), i.items.len()))
            .collect();
        assert_eq!(shape, [("7", 2), ("", 1)]);
    }

    #[test]
    fn a_missing_column_fails_the_file() {
        assert!(parse(b"InvoiceNo,StockCode\n1,2\n").is_err());
    }
}

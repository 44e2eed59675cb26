//! A book in the words of accountants' programs, so that they can check it without Scrip.
//!
//! Beancount and hledger files carry a balance assertion per account, taken from the stored heads
//! and roll-ups: those programs then recompute what Scrip claims. Their sign is debit positive;
//! the CSV keeps the ledger's (credit positive). Entries come by effective time, then number.

use crate::account::{AccountKind, account_balance};
use crate::amount::Amount;
use crate::book::{Asset, Book, asset_by_id};
use crate::entry::{Entry, Transfer, entry_row, transfer_row};
use crate::error::Result;
use scrip_engine::{Error as EngineError, Read, ReadTx, Timestamp, params};
use std::borrow::Cow;
use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Beancount 3, for `bean-check`.
    Beancount,
    /// hledger journal, for `hledger check`.
    Hledger,
    /// One line per posting.
    Csv,
}

struct Account {
    kind: AccountKind,
    /// As given; the CSV has it.
    label: String,
    /// What the journals call the account: unique, of letters and digits.
    name: String,
    asset: Asset,
    balance: Amount,
}

struct Data {
    book: Book,
    accounts: BTreeMap<i64, Account>,
    /// With the postings of each: (account, amount).
    entries: Vec<(Entry, Vec<(i64, Amount)>)>,
}

/// The whole book as text.
pub fn book_export(tx: &mut ReadTx<'_>, book: &Book, format: Format) -> Result<String> {
    let data = read(tx, book)?;
    Ok(match format {
        Format::Beancount => journal(&data, &Beancount),
        Format::Hledger => journal(&data, &Hledger),
        Format::Csv => csv(&data),
    })
}

fn read(tx: &mut ReadTx<'_>, book: &Book) -> Result<Data> {
    let rows = tx.query(
        "SELECT account_id, asset_id, kind, label FROM account WHERE book_id = $1",
        params![book.book_id],
    )?;
    let mut assets: BTreeMap<i64, Asset> = BTreeMap::new();
    let mut accounts = BTreeMap::new();
    for row in &rows {
        let asset_id = row.int(1)?;
        if let Place::Vacant(place) = assets.entry(asset_id) {
            place.insert(asset_by_id(tx, asset_id)?);
        }
        let id = row.int(0)?;
        let kind = AccountKind::of_row(row.text(2)?, id)?;
        let label = row.text(3)?.to_owned();
        let account = Account {
            kind,
            name: account_name(book, kind, &label),
            label,
            asset: assets[&asset_id].clone(),
            balance: account_balance(tx, book.book_id, id)?,
        };
        accounts.insert(id, account);
    }
    names_made_unique(&mut accounts);
    let mut postings: BTreeMap<i64, Vec<(i64, Amount)>> = BTreeMap::new();
    tx.query_each(
        "SELECT transfer_id, entry_id, debit_id, credit_id, asset_id, amount, grant_id,
                debit_previous, debit_balance, credit_previous, credit_balance
         FROM transfer WHERE book_id = $1 ORDER BY transfer_id",
        params![book.book_id],
        &mut |row| {
            let broken = |e: crate::Error| EngineError::Corrupt(e.to_string());
            let t: Transfer = transfer_row(&row).map_err(broken)?;
            for id in [t.debit, t.credit] {
                if !accounts.contains_key(&id) {
                    let problem = format!("transfer {}: account {id} is missing", t.transfer_id);
                    return Err(EngineError::Corrupt(problem));
                }
            }
            let list = postings.entry(t.entry_id).or_default();
            list.push((t.debit, t.amount.negated().map_err(broken)?));
            list.push((t.credit, t.amount));
            Ok(())
        },
    )?;
    let mut entries = Vec::new();
    tx.query_each(
        "SELECT entry_id, event_id, code, actor, reference, effective_at, recorded_at, transfers,
                digest
         FROM entry WHERE book_id = $1 ORDER BY effective_at, entry_id",
        params![book.book_id],
        &mut |row| {
            let entry = entry_row(&row).map_err(|e| EngineError::Corrupt(e.to_string()))?;
            let own = postings.remove(&entry.entry_id).unwrap_or_default();
            entries.push((entry, own));
            Ok(())
        },
    )?;
    Ok(Data {
        book: book.clone(),
        accounts,
        entries,
    })
}

fn csv(data: &Data) -> String {
    let mut out = String::from("entry_id,effective_at,code,reference,account,asset,amount\n");
    for (entry, postings) in &data.entries {
        for (account, amount) in postings {
            let account = &data.accounts[account];
            let name = format!(
                "{}:{}:{}",
                data.book.slug,
                account.kind.name(),
                account.label
            );
            let fields = [
                entry.entry_id.to_string(),
                entry.effective_at.to_string(),
                entry.code.clone(),
                entry.reference.clone(),
                name,
                account.asset.code.clone(),
                amount.decimal(account.asset.scale),
            ];
            let line: Vec<String> = fields.iter().map(|f| csv_field(f)).collect();
            out.push_str(&line.join(","));
            out.push('\n');
        }
    }
    out
}

/// True for a cell that a spreadsheet would take for a formula, also when apostrophes stand before
/// it: so [`plain_cell`] can be taken back. Numbers are none.
pub fn is_formula(cell: &str) -> bool {
    const FIRST: [char; 11] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    let cell = cell.trim_start_matches('\'');
    let digits = cell.strip_prefix(['+', '-']).unwrap_or_default();
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    cell.starts_with(FIRST) && !is_number
}

/// A cell that no spreadsheet runs: what it would take for a formula gets an apostrophe in front.
/// Every CSV file that Scrip writes goes through here.
pub fn plain_cell(cell: &str) -> Cow<'_, str> {
    match is_formula(cell) {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// A field of a CSV file: a [`plain_cell`], quoted where that is needed. Semicolons and tabs are
/// quoted, too, for readers that take those for separators.
pub fn csv_field(text: &str) -> String {
    let plain = plain_cell(text);
    let is_quoted = plain.contains([',', ';', '"', '\t', '\n', '\r']) || plain.trim() != plain;
    match is_quoted {
        true => format!("\"{}\"", plain.replace('"', "\"\"")),
        false => plain.into_owned(),
    }
}

/// How a journal format writes things.
trait Dialect {
    fn preamble(&self, data: &Data, first: &str) -> String;
    fn heading(&self, date: &str, entry: &Entry) -> String;
    fn commodity(&self, code: &str) -> String;
    fn assertion(&self, date: &str, account: &str, amount: &str, commodity: &str) -> String;
}

struct Beancount;
struct Hledger;

impl Dialect for Beancount {
    fn preamble(&self, data: &Data, first: &str) -> String {
        let mut out = format!("option \"title\" \"{}\"\n", plain(&data.book.name));
        // Amounts are exact: nothing may differ by a rounding.
        out.push_str("option \"tolerance_multiplier\" \"0\"\n");
        for code in scales(data).keys() {
            let _ = writeln!(out, "{first} commodity {}", self.commodity(code));
        }
        for account in data.accounts.values() {
            let _ = writeln!(
                out,
                "{first} open {} {}",
                account.name,
                self.commodity(&account.asset.code)
            );
        }
        out
    }
    fn heading(&self, date: &str, entry: &Entry) -> String {
        format!(
            "{date} * \"{}\" \"{}\"",
            plain(&entry.code),
            plain(&entry.reference)
        )
    }
    fn commodity(&self, code: &str) -> String {
        code.to_owned()
    }
    fn assertion(&self, date: &str, account: &str, amount: &str, commodity: &str) -> String {
        format!("{date} balance {account} {amount} ~ 0 {commodity}\n")
    }
}

impl Dialect for Hledger {
    fn preamble(&self, data: &Data, _first: &str) -> String {
        let mut out = format!("; {}\n", plain(&data.book.name));
        for (code, scale) in scales(data) {
            let decimals = "0".repeat(scale);
            let _ = writeln!(out, "commodity 1000.{decimals} {}", self.commodity(code));
        }
        for account in data.accounts.values() {
            let _ = writeln!(out, "account {}", account.name);
        }
        out
    }
    fn heading(&self, date: &str, entry: &Entry) -> String {
        format!(
            "{date} * {} | {}",
            plain(&entry.code),
            plain(&entry.reference)
        )
    }
    fn commodity(&self, code: &str) -> String {
        format!("\"{code}\"")
    }
    fn assertion(&self, date: &str, account: &str, amount: &str, commodity: &str) -> String {
        format!("{date} * balance\n    {account}  0 {commodity} = {amount} {commodity}\n")
    }
}

fn journal(data: &Data, dialect: &dyn Dialect) -> String {
    let day = |t: Timestamp| t.to_string().chars().take(10).collect::<String>();
    let first = data
        .entries
        .first()
        .map_or("1970-01-01".into(), |e| day(e.0.effective_at));
    let last = data
        .entries
        .last()
        .map_or(Timestamp(0), |e| e.0.effective_at);
    let mut out = dialect.preamble(data, &first);
    for (entry, postings) in &data.entries {
        let _ = writeln!(
            out,
            "\n{}",
            dialect.heading(&day(entry.effective_at), entry)
        );
        for (id, amount) in postings {
            let account = &data.accounts[id];
            let _ = writeln!(
                out,
                "    {}  {} {}",
                account.name,
                debit_positive(*amount, &account.asset),
                dialect.commodity(&account.asset.code)
            );
        }
    }
    let after = day(last.plus_seconds(86_400));
    out.push('\n');
    for account in data.accounts.values() {
        out.push_str(&dialect.assertion(
            &after,
            &account.name,
            &debit_positive(account.balance, &account.asset),
            &dialect.commodity(&account.asset.code),
        ));
    }
    out
}

fn debit_positive(amount: Amount, asset: &Asset) -> String {
    // The smallest amount has no opposite; no account can hold it, and the text says so.
    amount
        .negated()
        .map_or_else(|_| "overflow".to_owned(), |a| a.decimal(asset.scale))
}

/// Text without what would end a string or a line.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '"' | '\\' | ';' | '|') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// Each asset's code with its decimals.
fn scales(data: &Data) -> BTreeMap<&str, usize> {
    data.accounts
        .values()
        .map(|a| {
            let scale = usize::try_from(a.asset.scale).unwrap_or_default();
            (a.asset.code.as_str(), scale)
        })
        .collect()
}

/// Letters, digits and dashes, beginning with a capital or a digit: what both programs take.
fn component(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() { c } else { '-' };
        out.push(if out.is_empty() {
            c.to_ascii_uppercase()
        } else {
            c
        });
    }
    if out.starts_with('-') || out.is_empty() {
        out.insert(0, 'X');
    }
    out
}

fn account_name(book: &Book, kind: AccountKind, label: &str) -> String {
    let root = match kind {
        AccountKind::Wallet
        | AccountKind::Held
        | AccountKind::Deferred
        | AccountKind::Due
        | AccountKind::Payback => "Liabilities",
        AccountKind::Issued => "Equity",
        AccountKind::Spent
        | AccountKind::Expired
        | AccountKind::Earned
        | AccountKind::Breakage
        | AccountKind::Sales
        | AccountKind::Residue
        | AccountKind::Royalty => "Income",
        AccountKind::Processor | AccountKind::Bank | AccountKind::Receivable => "Assets",
        AccountKind::Charges | AccountKind::Settled => "Expenses",
    };
    let label: String = label.chars().take(100).collect();
    format!(
        "{root}:{}:{}:{}",
        component(&book.slug),
        component(kind.name()),
        component(&label)
    )
}

/// Different labels may look alike as names: the later account gets its number.
fn names_made_unique(accounts: &mut BTreeMap<i64, Account>) {
    let mut taken = HashSet::new();
    for (id, account) in accounts {
        while !taken.insert(account.name.clone()) {
            let _ = write!(account.name, "-{id}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{csv_field, plain_cell};

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1+1",
            "+A1",
            "-cmd|' /C calc'!A0",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "-",
            "+1=2",
            "'=1",
            "\u{ff1d}1",
        ] {
            assert_eq!(plain_cell(text), format!("'{text}"));
        }
        for text in ["", "-12.50", "+3", "a=b", "1,5", "'x"] {
            assert_eq!(plain_cell(text), text);
        }
    }

    #[test]
    fn fields_are_quoted_where_that_is_needed() {
        for (text, field) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("a;=b", "\"a;=b\""),
            ("a\"b", "\"a\"\"b\""),
            (" edge", "\" edge\""),
            ("=A1,B1", "\"'=A1,B1\""),
        ] {
            assert_eq!(csv_field(text), field);
        }
    }
}

//! Imports of a catalogue: a file is looked through first and nothing is written; then it is
//! entered part by part, in a job that goes on where it stopped; and the last one can be undone.

mod check;
mod off_sale;
mod read;
mod store;

use super::{
    CatalogError, NewOffer, NewProduct, ProductDetail, Result, offer_put, product_detail,
    product_put,
};
use crate::actor::Actor;
use crate::audit;
use crate::id::ImportId;
use crate::text::named;
use crate::vendor::Vendor;
use scrip_engine::{Read, Timestamp, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;

pub use check::import_check;
pub use off_sale::{OffSale, off_sale};
pub use read::{Contents, file_read};

named! {
    /// How far an import is.
    State, "the state" {
        /// The file is being looked through.
        Checking = "checking",
        /// Looked through; nothing is written yet.
        Checked = "checked",
        /// Being entered.
        Applying = "applying",
        /// Entered.
        Applied = "applied",
        /// Being undone.
        Undoing = "undoing",
        /// Undone.
        Undone = "undone",
    }
}

named! {
    /// What an import does with a product.
    Action, "the action" {
        /// Enters it.
        New = "new",
        /// Changes it.
        Changed = "changed",
        /// Takes it off sale: the file does not name it.
        Off = "off",
        /// Nothing: the row is wrong.
        Wrong = "error",
    }
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The id.
    pub import_id: ImportId,
    /// The file's name.
    pub file: String,
    /// True for our own format, false for a shop program's export.
    pub is_own: bool,
    /// The encoding in which the file was found.
    pub encoding: String,
    /// How far it is.
    pub state: State,
    /// Rows of the file.
    pub lines: i64,
    /// Products that are new.
    pub new_products: i64,
    /// Products that change.
    pub changed_products: i64,
    /// Products that stay as they are.
    pub unchanged_products: i64,
    /// Products that are taken off sale.
    pub taken_off: i64,
    /// Order lists that hold something that is taken off sale.
    pub on_lists: i64,
    /// Rows that are wrong and left out.
    pub errors: i64,
    /// Products to work on.
    pub steps: i64,
    /// Products that were worked on, forwards or backwards.
    pub done: i64,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// From then on it is forgotten.
    pub expires_at: Timestamp,
}

/// What an import does with one product, or what is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row of the file; 0 for a product that the file does not name.
    pub line: i64,
    /// What is done.
    pub action: Action,
    /// The product's handle; empty for a row that is wrong.
    pub subject: String,
    /// What is to be known about it.
    pub note: String,
}

/// A row with what it works on.
struct Work {
    row_no: i64,
    row: Row,
    content: String,
    had: String,
    has: String,
}

/// A product with its offers, as it is to be or was; without stock, which sales move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Whole {
    product: NewProduct,
    offers: Vec<NewOffer>,
}

impl Whole {
    fn of(detail: &ProductDetail) -> Whole {
        let offers = detail.offers.iter().map(|(offer, _)| NewOffer {
            sku: offer.sku.clone(),
            variant: offer.variant.clone(),
            kind: offer.kind,
            price: offer.price,
            on_sale: offer.on_sale,
            active: offer.active,
            stock: None,
            tiers: offer.tiers.clone(),
            options: offer.options.clone(),
        });
        Whole {
            product: detail.product.clone(),
            offers: offers.collect(),
        }
    }

    fn text(&self) -> Result<String> {
        let text = serde_json::to_string(self);
        text.map_err(|e| scrip_engine::Error::Corrupt(e.to_string()).into())
    }

    fn read(text: &str) -> Result<Whole> {
        let whole = serde_json::from_str(text);
        whole.map_err(|e| scrip_engine::Error::Corrupt(e.to_string()).into())
    }
}

/// A file to be looked through.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its bytes, in any encoding of [`super::sheet::decoded`].
    pub bytes: Vec<u8>,
    /// True to take products off sale that it does not name.
    pub take_off: bool,
}

/// Rows of a file at most.
pub const LINES_AT_MOST: usize = 200_000;
/// Rows that are wrong and told at most.
const ERRORS_AT_MOST: usize = 1_000;
/// Products that are compared or entered in one transaction.
const AT_ONCE: usize = 50;
/// A file that was looked through waits so long.
const CHECKED_S: i64 = 24 * 3600;
/// An import can be undone so long.
const UNDO_S: i64 = 7 * 24 * 3600;

/// An import.
pub fn import_by_id(tx: &mut dyn Read, book_id: i64, id: ImportId) -> Result<Import> {
    store::import(tx, book_id, id)?.ok_or(CatalogError::ImportUnknown)
}

/// The newest imports, newest first.
pub fn imports(tx: &mut dyn Read, book_id: i64, at_most: i64) -> Result<Vec<Import>> {
    store::imports(tx, book_id, at_most)
}

/// What an import does, those rows first that are wrong: `at_most` of them.
pub fn import_rows(
    tx: &mut dyn Read,
    book_id: i64,
    id: ImportId,
    at_most: i64,
) -> Result<Vec<Row>> {
    store::rows(tx, book_id, id, at_most)
}

/// Lets a job enter what was looked through.
pub fn import_apply(tx: &mut Tx<'_>, actor: Actor, book_id: i64, id: ImportId) -> Result<Import> {
    begin(tx, actor, book_id, id, State::Checked, State::Applying)
}

/// Lets a job undo an import, the last one that was entered.
pub fn import_undo(tx: &mut Tx<'_>, actor: Actor, book_id: i64, id: ImportId) -> Result<Import> {
    let newest = imports(tx, book_id, 50)?;
    let last = newest.iter().find(|i| i.state == State::Applied);
    if last.is_some_and(|last| last.import_id != id) {
        let text = "only the last import can be undone: a later one was entered";
        return Err(CatalogError::ImportState(text));
    }
    begin(tx, actor, book_id, id, State::Applied, State::Undoing)
}

fn begin(
    tx: &mut Tx<'_>,
    actor: Actor,
    book: i64,
    id: ImportId,
    from: State,
    to: State,
) -> Result<Import> {
    tx.lock_name(&format!("import {book}"))?;
    let mut import = import_by_id(tx, book, id)?;
    if import.state != from {
        let text = match from {
            State::Checked => "this import was begun before: see what became of it",
            _ => "this import cannot be undone as it stands",
        };
        return Err(CatalogError::ImportState(text));
    }
    if store::running(tx, book)?.is_some() {
        let text = "another import is under way: wait until it has ended";
        return Err(CatalogError::ImportState(text));
    }
    import.state = to;
    import.done = 0;
    import.expires_at = tx.now().plus_seconds(UNDO_S);
    store::set(tx, book, &import, true)?;
    let detail = json!({ "file": import.file, "products": import.steps });
    let action = format!("catalogue.import_{to}");
    audit::note(tx, book, actor, &action, &id.to_string(), &detail)?;
    Ok(import)
}

/// Works on the import that is under way, some products further. False when there is none.
pub fn import_step(tx: &mut Tx<'_>, vendor: &Vendor) -> Result<bool> {
    let book = vendor.book_id;
    tx.lock_name(&format!("import {book}"))?;
    let Some(mut import) = store::running(tx, book)? else {
        return Ok(false);
    };
    let at_once = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let left = import.steps.saturating_sub(import.done);
    let undo = import.state == State::Undoing;
    let first = match undo {
        true => left.saturating_sub(at_once).saturating_add(1).max(1),
        false => import.done.saturating_add(1),
    };
    let last = first.saturating_add(at_once.min(left)).saturating_sub(1);
    let mut works = store::works(tx, book, import.import_id, first, last)?;
    if undo {
        works.reverse();
    }
    let sold = match undo {
        true => store::sold_since(tx, book, import.created_at)?,
        false => HashSet::new(),
    };
    for work in &mut works {
        match undo {
            true => restore(tx, vendor, work, &sold)?,
            false => enter(tx, vendor, work)?,
        }
        store::set_row(tx, book, import.import_id, work)?;
    }
    import.done = import.done.saturating_add(at_once.min(left));
    let ended = import.done >= import.steps;
    if ended {
        import.state = if undo { State::Undone } else { State::Applied };
    }
    store::set(tx, book, &import, !ended)?;
    Ok(!ended)
}

fn current(tx: &mut dyn Read, book: i64, handle: &str) -> Result<Option<ProductDetail>> {
    match product_detail(tx, book, handle) {
        Ok(detail) => Ok(Some(detail)),
        Err(CatalogError::ProductUnknown(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

fn enter(tx: &mut Tx<'_>, vendor: &Vendor, work: &mut Work) -> Result<()> {
    let book = vendor.book_id;
    let found = current(tx, book, &work.row.subject)?;
    if let Some(found) = &found {
        work.had = Whole::of(found).text()?;
    }
    match work.row.action {
        Action::Off => {
            if let Some(found) = &found {
                off(tx, vendor, found)?;
            }
        }
        _ => put(tx, vendor, &Whole::read(&work.content)?)?,
    }
    if let Some(found) = current(tx, book, &work.row.subject)? {
        work.has = Whole::of(&found).text()?;
    }
    Ok(())
}

fn put(tx: &mut Tx<'_>, vendor: &Vendor, whole: &Whole) -> Result<()> {
    let (id, _) = product_put(tx, vendor, &whole.product)?;
    for offer in &whole.offers {
        offer_put(tx, vendor, id, offer)?;
    }
    Ok(())
}

/// Takes all offers of a product off sale.
fn off(tx: &mut Tx<'_>, vendor: &Vendor, detail: &ProductDetail) -> Result<()> {
    let whole = Whole::of(detail);
    for offer in whole.offers.iter().filter(|offer| offer.active) {
        let active = false;
        offer_put(
            tx,
            vendor,
            detail.product_id,
            &NewOffer {
                active,
                ..offer.clone()
            },
        )?;
    }
    Ok(())
}

fn restore(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    work: &mut Work,
    sold: &HashSet<crate::id::OfferId>,
) -> Result<()> {
    let Some(found) = current(tx, vendor.book_id, &work.row.subject)? else {
        return Ok(());
    };
    let now = Whole::of(&found);
    if work.has.is_empty() || now != Whole::read(&work.has)? {
        work.row.note = "not undone: it was changed since the import".to_owned();
        return Ok(());
    }
    if work.had.is_empty() {
        off(tx, vendor, &found)?;
        work.row.note = "it was new: it is off sale now, and stays in the catalogue".to_owned();
    } else {
        let had = Whole::read(&work.had)?;
        let gone = |offer: &&NewOffer| !had.offers.iter().any(|old| old.sku == offer.sku);
        for offer in now.offers.iter().filter(gone) {
            let active = false;
            offer_put(
                tx,
                vendor,
                found.product_id,
                &NewOffer {
                    active,
                    ..offer.clone()
                },
            )?;
        }
        put(tx, vendor, &had)?;
        work.row.note = "undone".to_owned();
    }
    if found
        .offers
        .iter()
        .any(|(offer, _)| sold.contains(&offer.offer_id))
    {
        work.row
            .note
            .push_str("; it was sold since: those orders stand");
    }
    Ok(())
}

/// Forgets imports whose time is over, some rows at once; true when more is left.
pub fn imports_expire(tx: &mut Tx<'_>, book_id: i64) -> Result<bool> {
    store::expire(tx, book_id)
}

/// True when an import of the book is under way.
pub fn import_is_running(tx: &mut dyn Read, book_id: i64) -> Result<bool> {
    Ok(store::running(tx, book_id)?.is_some())
}

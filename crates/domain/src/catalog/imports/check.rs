//! Looking through a file: what it would do, and which rows are wrong.

use super::off_sale::lists_words;
use super::{
    AT_ONCE, Action, CHECKED_S, ERRORS_AT_MOST, File, Import, Row, State, Whole, Work, file_read,
    store,
};
use crate::Node;
use crate::actor::Actor;
use crate::catalog::shop_export::{self, Draft, Parsed, Prices};
use crate::catalog::{
    CatalogError, NewOffer, PRODUCTS_AT_MOST, ProductFilter, Result, product_detail, products,
    rules,
};
use crate::id::ImportId;
use crate::text;
use crate::vendor::Vendor;
use scrip_engine::Read;
use std::collections::HashSet;

/// Looks through a file: nothing of the catalogue changes. Takes several transactions, none of
/// them long.
pub fn import_check(
    node: &Node,
    actor: Actor,
    vendor: &Vendor,
    prices: &Prices,
    file: &File,
) -> Result<ImportId> {
    let name = text::optional_line("the file's name", &file.name, 200).unwrap_or_default();
    let contents = file_read(&file.bytes, prices).map_err(|e| CatalogError::FileInvalid {
        row: e.row,
        problem: e.problem,
    })?;
    let (is_own, encoding) = (contents.is_own, contents.encoding);
    let lines = i64::try_from(contents.lines).unwrap_or(i64::MAX);
    let book = vendor.book_id;
    let begun = node.engine.write(move |tx| {
        let import_id = ImportId(tx.new_id()?);
        let import = Import {
            import_id,
            file: name.clone(),
            is_own,
            encoding: encoding.to_owned(),
            state: State::Checking,
            lines,
            new_products: 0,
            changed_products: 0,
            unchanged_products: 0,
            taken_off: 0,
            on_lists: 0,
            errors: 0,
            steps: 0,
            done: 0,
            created_by: actor.to_string(),
            created_at: tx.now(),
            expires_at: tx.now().plus_seconds(CHECKED_S),
        };
        store::insert(tx, book, &import)?;
        Ok::<_, CatalogError>(import)
    })?;
    let mut check = Check {
        node,
        vendor,
        import: begun,
        rows: Vec::new(),
    };
    check.file(contents.parsed, file.take_off)?;
    Ok(check.import.import_id)
}

/// A file on its way into the table of what is to be done.
struct Check<'a> {
    node: &'a Node,
    vendor: &'a Vendor,
    import: Import,
    rows: Vec<Work>,
}

fn one_more(count: &mut i64) -> i64 {
    *count = count.saturating_add(1);
    *count
}

impl Check<'_> {
    fn file(&mut self, parsed: Parsed, take_off: bool) -> Result<()> {
        let named: HashSet<String> = match take_off {
            true => parsed
                .drafts
                .iter()
                .map(|d| d.product.handle.clone())
                .collect(),
            false => HashSet::new(),
        };
        let mut wrong = parsed.errors;
        for drafts in parsed.drafts.chunks(AT_ONCE) {
            let found = self.node.engine.read(|tx| {
                let mut found = Vec::with_capacity(drafts.len());
                for draft in drafts {
                    found.push(compared(tx, self.vendor.book_id, draft, take_off)?);
                }
                Ok::<_, CatalogError>(found)
            })?;
            for (draft, found) in drafts.iter().zip(found) {
                self.draft(draft, found, &mut wrong)?;
            }
            self.flush()?;
        }
        if take_off {
            self.unnamed(&named)?;
        }
        self.import.errors = i64::try_from(wrong.len()).unwrap_or(i64::MAX);
        let mut row_no = self.import.steps;
        wrong.sort_by_key(|e| e.row);
        for error in wrong.iter().take(ERRORS_AT_MOST) {
            let row = Row {
                line: i64::try_from(error.row).unwrap_or(i64::MAX),
                action: Action::Wrong,
                subject: String::new(),
                note: error.problem.chars().take(500).collect(),
            };
            self.push(one_more(&mut row_no), row, String::new());
        }
        self.flush()?;
        self.import.state = State::Checked;
        let (book, import) = (self.vendor.book_id, self.import.clone());
        self.node
            .engine
            .write(move |tx| store::set(tx, book, &import, false))
    }

    fn draft(
        &mut self,
        draft: &Draft,
        found: Compared,
        wrong: &mut Vec<shop_export::RowError>,
    ) -> Result<()> {
        let (action, whole, note) = match found {
            Compared::Same => {
                one_more(&mut self.import.unchanged_products);
                return Ok(());
            }
            Compared::Wrong(problem) => {
                let row = draft.row;
                wrong.push(shop_export::RowError { row, problem });
                return Ok(());
            }
            Compared::New(whole) => {
                one_more(&mut self.import.new_products);
                (Action::New, whole, String::new())
            }
            Compared::Changed(whole, note, lists) => {
                one_more(&mut self.import.changed_products);
                self.import.on_lists = self.import.on_lists.saturating_add(lists);
                (Action::Changed, whole, note)
            }
        };
        let row = Row {
            line: i64::try_from(draft.row).unwrap_or(i64::MAX),
            action,
            subject: draft.product.handle.clone(),
            note,
        };
        let step = one_more(&mut self.import.steps);
        self.push(step, row, whole.text()?);
        Ok(())
    }

    /// Products for sale that the file does not name.
    fn unnamed(&mut self, named: &HashSet<String>) -> Result<()> {
        let book = self.vendor.book_id;
        let mut filter = ProductFilter {
            limit: PRODUCTS_AT_MOST,
            for_sale_only: true,
            ..ProductFilter::default()
        };
        loop {
            let (page, lists) = self.node.engine.read(|tx| {
                let mut page = products(tx, book, &filter)?;
                page.items.retain(|d| !named.contains(&d.product.handle));
                let mut lists = Vec::new();
                for detail in &page.items {
                    let mut sum: i64 = 0;
                    for (offer, _) in &detail.offers {
                        sum = sum.saturating_add(store::lists_with(tx, book, offer.offer_id)?);
                    }
                    lists.push(sum);
                }
                Ok::<_, CatalogError>((page, lists))
            })?;
            for (detail, lists) in page.items.iter().zip(lists) {
                one_more(&mut self.import.taken_off);
                self.import.on_lists = self.import.on_lists.saturating_add(lists);
                let row = Row {
                    line: 0,
                    action: Action::Off,
                    subject: detail.product.handle.clone(),
                    note: lists_words(lists),
                };
                let step = one_more(&mut self.import.steps);
                self.push(step, row, String::new());
            }
            self.flush()?;
            if page.next.is_none() {
                return Ok(());
            }
            filter.after = page.next;
        }
    }

    fn push(&mut self, row_no: i64, row: Row, content: String) {
        let (had, has) = (String::new(), String::new());
        self.rows.push(Work {
            row_no,
            row,
            content,
            had,
            has,
        });
    }

    fn flush(&mut self) -> Result<()> {
        let (book, id) = (self.vendor.book_id, self.import.import_id);
        let rows = std::sync::Arc::new(std::mem::take(&mut self.rows));
        if rows.is_empty() {
            return Ok(());
        }
        self.node.engine.write(move |tx| {
            for row in rows.iter() {
                store::insert_row(tx, book, id, row)?;
            }
            Ok(())
        })
    }
}

/// What a draft would do.
enum Compared {
    New(Whole),
    /// With a note, and how many order lists hold what goes off sale.
    Changed(Whole, String, i64),
    Same,
    Wrong(String),
}

fn compared(tx: &mut dyn Read, book: i64, draft: &Draft, take_off: bool) -> Result<Compared> {
    let product = rules::product_checked(&draft.product)?;
    let mut offers = Vec::with_capacity(draft.offers.len());
    for offer in &draft.offers {
        offers.push(rules::offer_checked(offer)?);
    }
    let current = match product_detail(tx, book, &product.handle) {
        Ok(detail) => Some(detail),
        Err(CatalogError::ProductUnknown(_)) => None,
        Err(e) => return Err(e),
    };
    for offer in &offers {
        let of =
            crate::catalog::store::offer_by_sku(tx, book, &offer.sku)?.map(|(_, product)| product);
        if of.is_some() && of != current.as_ref().map(|c| c.product_id) {
            let text = format!(
                "sku: {:?} belongs to another product: change one",
                offer.sku
            );
            return Ok(Compared::Wrong(text));
        }
    }
    let Some(current) = current else {
        return Ok(Compared::New(Whole { product, offers }));
    };
    let had = Whole::of(&current);
    for old in had.offers.iter().filter(|old| take_off && old.active) {
        if !offers.iter().any(|new| new.sku == old.sku) {
            let active = false;
            offers.push(NewOffer {
                active,
                ..old.clone()
            });
        }
    }
    let (mut notes, mut on_lists) = (Vec::new(), 0_i64);
    for (old, _) in current.offers.iter().filter(|(old, _)| old.active) {
        if offers.iter().any(|new| new.sku == old.sku && !new.active) {
            let lists = store::lists_with(tx, book, old.offer_id)?;
            on_lists = on_lists.saturating_add(lists);
            let words = lists_words(lists);
            let parting = if words.is_empty() { "" } else { ": " };
            notes.push(format!("{} is taken off sale{parting}{words}", old.sku));
        }
    }
    let is_same = |new: &NewOffer| {
        let stock = None;
        had.offers.contains(&NewOffer {
            stock,
            ..new.clone()
        })
    };
    if product == had.product && offers.iter().all(is_same) {
        return Ok(Compared::Same);
    }
    Ok(Compared::Changed(
        Whole { product, offers },
        notes.join("; "),
        on_lists,
    ))
}

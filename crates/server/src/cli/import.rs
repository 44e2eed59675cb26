//! `scrip import`.

use super::progress;
use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use scrip_domain::catalog::imports::{OffSale, file_read, off_sale};
use scrip_domain::catalog::shop_export::{Draft, Parsed, Prices};
use scrip_domain::catalog::{CatalogError, offer_put, product_put};
use scrip_domain::vendor::{Vendor, VendorError, token_price_at, vendor_by_slug};
use scrip_engine::{Engine, Read};
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Import {
    /// Products and variants from a shop program's product export
    ///
    /// One row for each variant, with the columns Handle, Title and Variant Price at least; prices
    /// are in the vendor's currency. Files that the console exported are taken, too, with prices in
    /// tokens. A product with a known handle, and an offer with a known SKU, is changed; what goes
    /// off sale is named with the number of order lists that hold it. When rows are wrong, each is
    /// named with its problem and nothing is entered.
    Catalog(Catalog),
}

#[derive(Debug, Args)]
pub struct Catalog {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The CSV file
    file: PathBuf,
    /// Only check the file, row by row; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Enter the good rows although others are wrong
    #[arg(long)]
    skip_errors: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Products entered in one transaction.
const AT_ONCE: usize = 200;

#[derive(Default)]
struct Done {
    new_products: usize,
    changed_products: usize,
    new_offers: usize,
    changed_offers: usize,
}

impl Import {
    pub fn run(self) -> Result<(), Failure> {
        let Import::Catalog(import) = self;
        import.run()
    }
}

impl Catalog {
    fn run(self) -> Result<(), Failure> {
        let bytes = std::fs::read(&self.file).map_err(|e| Failure::file(&self.file, e))?;
        // A dry run only reads, and so works beside a running node.
        let engine = if self.dry_run {
            self.database.reader()?
        } else {
            self.database.node()?.engine
        };
        let (vendor, token_price) = engine.read(|tx| {
            let vendor = vendor_by_slug(tx, &self.vendor)?;
            let now = tx.now();
            let price = token_price_at(tx, vendor.book_id, now)?;
            Ok::<_, VendorError>((vendor, price))
        })?;
        let prices = Prices {
            currency: vendor.currency.clone(),
            token: vendor.token.clone(),
            token_price,
        };
        let contents = file_read(&bytes, &prices)
            .map_err(|e| Failure::Refused(format!("row {}: {}", e.row, e.problem)))?;
        let (parsed, book) = (contents.parsed, vendor.book_id);
        let off = engine.read(|tx| off_sale(tx, book, &parsed.drafts))?;
        let enter = !self.dry_run && (parsed.errors.is_empty() || self.skip_errors);
        let done = if enter {
            enter_all(&engine, &vendor, &parsed.drafts)?
        } else {
            Done::default()
        };
        self.report(&parsed, &off, &done, enter)?;
        if parsed.errors.is_empty() || enter {
            return Ok(());
        }
        let hint = if self.dry_run {
            ""
        } else {
            "; nothing was entered (--skip-errors enters the rest)"
        };
        Err(Failure::Refused(format!(
            "{} rows are wrong{hint}",
            parsed.errors.len()
        )))
    }

    fn report(
        &self,
        parsed: &Parsed,
        off: &[OffSale],
        done: &Done,
        entered: bool,
    ) -> Result<(), Failure> {
        let offers: usize = parsed.drafts.iter().map(|d| d.offers.len()).sum();
        if self.json {
            let errors: Vec<_> = parsed
                .errors
                .iter()
                .map(|e| json!({ "row": e.row, "problem": e.problem }))
                .collect();
            let off_sale: Vec<_> = off
                .iter()
                .map(|o| json!({ "row": o.row, "sku": o.sku, "order_lists": o.order_lists }))
                .collect();
            return say_json(&json!({
                "products": parsed.drafts.len(), "offers": offers, "entered": entered,
                "new_products": done.new_products, "changed_products": done.changed_products,
                "new_offers": done.new_offers, "changed_offers": done.changed_offers,
                "off_sale": off_sale, "errors": errors,
            }));
        }
        for error in &parsed.errors {
            say(&format!("row {}: {}", error.row, error.problem))?;
        }
        for offer in off {
            say(&format!("row {}: {offer}", offer.row))?;
        }
        let found = format!(
            "{} products with {offers} offers found",
            parsed.drafts.len()
        );
        if !entered {
            return say(&format!("{found}; nothing was changed"));
        }
        say(&format!(
            "{found}: {} products and {} offers are new, {} and {} were changed",
            done.new_products, done.new_offers, done.changed_products, done.changed_offers
        ))
    }
}

fn enter_all(engine: &Engine, vendor: &Vendor, drafts: &[Draft]) -> Result<Done, Failure> {
    let bar = progress::bar(drafts.len() as u64, "products");
    let mut done = Done::default();
    for some in drafts.chunks(AT_ONCE) {
        let (vendor, some) = (vendor.clone(), some.to_vec());
        let n = some.len() as u64;
        let part = engine.write(move |tx| {
            let mut part = Done::default();
            for draft in &some {
                let (product, new) = product_put(tx, &vendor, &draft.product)?;
                *(if new {
                    &mut part.new_products
                } else {
                    &mut part.changed_products
                }) += 1;
                for offer in &draft.offers {
                    let (_, new) = offer_put(tx, &vendor, product, offer)?;
                    *(if new {
                        &mut part.new_offers
                    } else {
                        &mut part.changed_offers
                    }) += 1;
                }
            }
            Ok::<_, CatalogError>(part)
        })?;
        done.new_products += part.new_products;
        done.changed_products += part.changed_products;
        done.new_offers += part.new_offers;
        done.changed_offers += part.changed_offers;
        bar.inc(n);
    }
    bar.finish_and_clear();
    Ok(done)
}

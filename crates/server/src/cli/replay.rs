//! `scrip replay`.

use super::progress;
use super::{open::Database, say, say_json};
use crate::failure::Failure;
use crate::replay::{Replayer, Report, STAFF, read};
use clap::Args;
use scrip_domain::Node;
use scrip_domain::vendor::{EntityKind, NewVendor, VendorError, vendor_by_slug, vendor_create};
use std::path::PathBuf;
use std::time::Instant;

#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The CSV file, plain or .gz
    file: PathBuf,
    /// Create the vendor when it does not exist: it sells in GBP, a token is worth 0.01
    #[arg(long)]
    create: bool,
    /// Print JSON, with sums by day and customer and every refused row
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub fn run(self) -> Result<(), Failure> {
        let begun = Instant::now();
        let found = read(&self.file)?;
        let node = self.database.node()?;
        if self.create {
            self.create_vendor(&node)?;
        }
        let mut replayer = Replayer::new(&node, &self.vendor)?;
        let bar = progress::bar(found.invoices.len() as u64, "invoices");
        for invoice in &found.invoices {
            replayer.enter(invoice)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let seconds = begun.elapsed().as_secs_f64();
        let report = Report::new(&node, replayer, found.rows, found.refusals, seconds)?;
        if self.json {
            let json = serde_json::to_value(&report)
                .map_err(|e| Failure::Refused(format!("report as JSON: {e}")))?;
            return say_json(&json);
        }
        say(&format!("{}\nentered by {STAFF:?}", report.text()))
    }

    fn create_vendor(&self, node: &Node) -> Result<(), Failure> {
        let (vault, slug) = (node.vault.clone(), self.vendor.clone());
        node.engine
            .write(move |tx| match vendor_by_slug(tx, &slug) {
                Err(VendorError::Unknown(_)) => {
                    let new = NewVendor {
                        kind: EntityKind::Vendor,
                        slug: slug.clone(),
                        name: slug.clone(),
                        currency: "GBP".into(),
                        token_price: "0.01".into(),
                        minimum_tokens: "0".into(),
                        declines_allowed: 3,
                    };
                    vendor_create(tx, &vault, &new).map(|_| ())
                }
                found => found.map(|_| ()),
            })?;
        Ok(())
    }
}

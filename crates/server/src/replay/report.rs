//! What came of it: counts from the run, sums from the orders as stored.

use super::file::{Reason, Refusal};
use super::run::Replayer;
use crate::failure::Failure;
use scrip_domain::report::{Sales, Turnover, sales};
use scrip_domain::vendor::Vendor;
use scrip_domain::{Amount, Node};
use scrip_ledger::Rounding;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Sales and refunds in hundredths of the currency.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Money {
    sales_pence: i64,
    refunds_pence: i64,
}

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    rows: u64,
    orders: u64,
    refunds: u64,
    already_entered: u64,
    registered: u64,
    refused: BTreeMap<Reason, u64>,
    sales_pence: i64,
    refunds_pence: i64,
    seconds: f64,
    days: BTreeMap<String, Money>,
    customers: BTreeMap<String, Money>,
    refusals: Vec<Refusal>,
}

impl Report {
    /// Adds up a run.
    pub fn new(
        node: &Node,
        replayer: Replayer<'_>,
        rows: u64,
        mut refusals: Vec<Refusal>,
        seconds: f64,
    ) -> Result<Report, Failure> {
        let (vendor, token_price) = (replayer.vendor().clone(), replayer.token_price());
        let sales: Sales = node.engine.read(|tx| sales(tx, vendor.book_id))?;
        refusals.extend(replayer.refusals);
        refusals.sort_by_key(|r| r.row);
        let mut refused: BTreeMap<Reason, u64> = BTreeMap::new();
        for refusal in &refusals {
            *refused.entry(refusal.reason).or_default() += 1;
        }
        let money = |t: &Turnover| money(t, &vendor, token_price);
        let by_key = |map: &BTreeMap<String, Turnover>| {
            map.iter()
                .map(|(k, t)| Ok((k.clone(), money(t)?)))
                .collect::<Result<_, Failure>>()
        };
        let total = money(&sales.total)?;
        Ok(Report {
            rows,
            orders: replayer.orders,
            refunds: replayer.refunds,
            already_entered: replayer.already_entered,
            registered: replayer.registered,
            refused,
            sales_pence: total.sales_pence,
            refunds_pence: total.refunds_pence,
            seconds,
            days: by_key(&sales.days)?,
            customers: by_key(&sales.customers)?,
            refusals,
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{} rows: {} orders and {} refunded rows entered, {} customers registered, {:.1} s\n",
            self.rows, self.orders, self.refunds, self.registered, self.seconds
        );
        if self.already_entered > 0 {
            let _ = writeln!(
                out,
                "{} invoices were entered before and were left alone{}",
                self.already_entered,
                if self.orders == 0 && self.refunds == 0 {
                    ": nothing changed"
                } else {
                    ""
                }
            );
        }
        let _ = writeln!(
            out,
            "in the books of this vendor: sales {}, refunds {}",
            pounds(self.sales_pence),
            pounds(self.refunds_pence)
        );
        for (reason, rows) in &self.refused {
            let example = self.refusals.iter().find(|r| r.reason == *reason);
            let name = serde_json::to_value(reason).unwrap_or_default();
            let _ = writeln!(
                out,
                "refused {:<20} {rows:>6} rows, for example row {}: {}",
                name.as_str().unwrap_or_default(),
                example.map_or(0, |r| r.row),
                example.map_or("", |r| r.detail.as_str())
            );
        }
        out.trim_end().to_owned()
    }
}

/// Hundredths as people write them.
fn pounds(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Tokens as hundredths of the currency. Both directions are exact: every price was turned into
/// tokens exactly.
fn money(turnover: &Turnover, vendor: &Vendor, token_price: Amount) -> Result<Money, Failure> {
    let hundredth = 10_i64.pow(vendor.currency.scale.saturating_sub(2));
    let whole = 10_i64.pow(vendor.token.scale);
    let pence = |tokens: Amount| -> Result<i64, Failure> {
        let money = tokens.ratio(token_price.units(), whole, Rounding::Down)?;
        Ok(money.ratio(1, hundredth, Rounding::Down)?.units())
    };
    Ok(Money {
        sales_pence: pence(turnover.sales)?,
        refunds_pence: pence(turnover.refunds)?,
    })
}

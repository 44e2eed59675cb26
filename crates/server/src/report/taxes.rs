//! The taxes in what was sold, by period and rate.

use super::{Cell, Column, Row, Table, Unit, period_words};
use crate::error::Problem;
use scrip_domain::report::calendar::{Span, zone_of};
use scrip_domain::report::taxes::{Rate, Taxed, taxes};
use scrip_domain::tax::label;
use scrip_domain::vendor::Vendor;
use scrip_engine::ReadTx;
use scrip_ledger::Result as LedgerResult;
use std::collections::BTreeMap;

const COLUMNS: [Column; 7] = [
    Column::new("sold", "Sold", Unit::Money),
    Column::new("back", "Given back", Unit::Money),
    Column::new("gross", "Kept, with tax", Unit::Money),
    Column::new("net", "Without tax", Unit::Money),
    Column::new("tax", "Tax", Unit::Money),
    Column::new("tokens", "Kept, tokens", Unit::Tokens),
    Column::new("tax_tokens", "Tax, tokens", Unit::Tokens),
];

fn cells(taxed: &Taxed) -> LedgerResult<Vec<Cell>> {
    let amounts = [
        taxed.sold,
        taxed.back,
        taxed.kept,
        taxed.net()?,
        taxed.money_tax,
        taxed.tokens,
        taxed.tax,
    ];
    Ok(amounts.map(Cell::Amount).to_vec())
}

/// The tables of the report.
pub(super) fn tables(
    tx: &mut ReadTx<'_>,
    vendor: &Vendor,
    span: &Span,
) -> Result<Vec<Table>, Problem> {
    let book = vendor.book_id;
    let zone = zone_of(tx, book)?;
    let found = taxes(tx, book, &zone, span)?;
    let mut total = Taxed::default();
    let mut rates: BTreeMap<Rate, Taxed> = BTreeMap::new();
    let mut periods = Vec::new();
    for ((from, to), of_period) in span.periods().into_iter().zip(found) {
        for (rate, taxed) in of_period {
            total.add(&taxed)?;
            rates.entry(rate.clone()).or_default().add(&taxed)?;
            let mut line = vec![Cell::Text(label(&rate.1, rate.0))];
            line.extend(cells(&taxed)?);
            periods.push(Row {
                key: from.to_string(),
                label: period_words(span.step(), from, to),
                cells: line,
            });
        }
    }
    let mut rows = Vec::with_capacity(rates.len());
    for ((rate, name), taxed) in rates {
        rows.push(Row {
            key: label(&name, rate),
            label: label(&name, rate),
            cells: cells(&taxed)?,
        });
    }
    let mut with_rate = vec![Column::new("rate", "Rate", Unit::Text)];
    with_rate.extend(COLUMNS);
    let mut total_of_periods = vec![Cell::Empty];
    total_of_periods.extend(cells(&total)?);
    let note = "Tokens at their price when the order counted; what a card paid for goods at what it \
                paid. What comes back is taken off in the period in which it comes back. Only what \
                was sold at a rate is here: the settings have the rates.";
    Ok(vec![
        Table {
            name: "rates",
            title: "By rate",
            about: "Rate",
            columns: COLUMNS.to_vec(),
            rows,
            total: Some(cells(&total)?),
            bars: Vec::new(),
            note: note.into(),
        },
        Table {
            name: "periods",
            title: "By period and rate",
            about: "From",
            columns: with_rate,
            rows: periods,
            total: Some(total_of_periods),
            bars: Vec::new(),
            note: String::new(),
        },
    ])
}

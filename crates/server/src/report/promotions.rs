//! What promotions and coupons took off (ADV-06), and what manufacturers owe for theirs.

use super::{Cell, Column, Row, Table, Unit, period_words};
use crate::error::Problem;
use scrip_domain::Amount;
use scrip_domain::id::{OrderId, PromotionId};
use scrip_domain::promotion::{Promotion, Reduced, promotion_by_id, uses_between};
use scrip_domain::report::calendar::{Span, zone_of};
use scrip_domain::vendor::Vendor;
use scrip_engine::ReadTx;
use scrip_ledger::Result as LedgerResult;
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, Problem>;

/// What was taken off, and what of it went back.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    uses: i64,
    off: Amount,
    back: Amount,
}

impl Sum {
    fn add(&mut self, other: &Sum) -> LedgerResult<()> {
        self.uses = self.uses.saturating_add(other.uses);
        self.off = self.off.plus(other.off)?;
        self.back = self.back.plus(other.back)?;
        Ok(())
    }

    fn cells(&self) -> LedgerResult<Vec<Cell>> {
        Ok(vec![
            Cell::Count(self.uses),
            Cell::Amount(self.off),
            Cell::Amount(self.back),
            Cell::Amount(self.off.minus(self.back)?),
        ])
    }
}

const SUMS: [Column; 4] = [
    Column::new("orders", "Orders", Unit::Count),
    Column::new("off", "Taken off, tokens", Unit::Tokens),
    Column::new("back", "Of it given back, tokens", Unit::Tokens),
    Column::new("net", "Kept off, tokens", Unit::Tokens),
];

fn sums(reduced: &Reduced) -> Result<BTreeMap<PromotionId, Sum>> {
    let mut sums: BTreeMap<PromotionId, Sum> = BTreeMap::new();
    for used in &reduced.uses {
        let of = sums.entry(used.promotion_id).or_default();
        of.uses = of.uses.saturating_add(1);
        of.off = of.off.plus(used.amount)?;
    }
    for back in &reduced.back {
        let of = sums.entry(back.promotion_id).or_default();
        of.back = of.back.plus(back.amount)?;
    }
    Ok(sums)
}

/// Who pays for a promotion; empty for the vendor.
fn payer(promotion: &Promotion) -> &str {
    let coupon = promotion.terms.coupon.as_ref();
    coupon.map_or("", |coupon| coupon.manufacturer.as_str())
}

/// The tables of the report.
pub(super) fn tables(tx: &mut ReadTx<'_>, vendor: &Vendor, span: &Span) -> Result<Vec<Table>> {
    let book = vendor.book_id;
    let zone = zone_of(tx, book)?;
    let periods = span.periods();
    let mut found = Vec::with_capacity(periods.len());
    let mut known: BTreeMap<PromotionId, Promotion> = BTreeMap::new();
    let mut orders: BTreeSet<OrderId> = BTreeSet::new();
    for (from, to) in periods {
        let reduced = uses_between(tx, book, zone.begin(from), zone.begin(to))?;
        orders.extend(reduced.uses.iter().map(|used| used.order_id));
        let sums = sums(&reduced)?;
        for id in sums.keys() {
            if !known.contains_key(id) {
                known.insert(*id, promotion_by_id(tx, book, *id)?);
            }
        }
        found.push(((from, to), sums));
    }
    let mut all: BTreeMap<PromotionId, Sum> = BTreeMap::new();
    let mut owed: BTreeMap<(String, String), (String, Sum)> = BTreeMap::new();
    for ((from, to), sums) in &found {
        for (id, sum) in sums {
            all.entry(*id).or_default().add(sum)?;
            let payer = known.get(id).map_or("", payer);
            if !payer.is_empty() {
                let key = (payer.to_owned(), from.to_string());
                let label = || (period_words(span.step(), *from, *to), Sum::default());
                owed.entry(key).or_insert_with(label).1.add(sum)?;
            }
        }
    }
    Ok(vec![
        promotions(&known, all, orders.len())?,
        manufacturers(owed)?,
    ])
}

fn promotions(
    known: &BTreeMap<PromotionId, Promotion>,
    all: BTreeMap<PromotionId, Sum>,
    orders: usize,
) -> Result<Table> {
    let mut total = Sum::default();
    let mut rows = Vec::with_capacity(all.len());
    for (id, sum) in all {
        total.add(&sum)?;
        let promotion = known.get(&id);
        let kind = match promotion.is_some_and(Promotion::is_coupon) {
            true => "Coupon",
            false => "Promotion",
        };
        let mut cells = vec![Cell::Text(kind.to_owned())];
        cells.extend(sum.cells()?);
        rows.push(Row {
            key: id.to_string(),
            label: promotion.map_or_else(String::new, |p| p.terms.name.clone()),
            cells,
        });
    }
    let mut totals = vec![Cell::Empty];
    totals.extend(total.cells()?);
    let mut columns = vec![Column::new("kind", "Kind", Unit::Text)];
    columns.extend(SUMS);
    Ok(Table {
        name: "promotions",
        title: "By promotion",
        about: "Promotion",
        columns,
        rows,
        total: Some(totals),
        bars: vec![2],
        note: format!(
            "An order counts once for each promotion that it had. {} had any.",
            crate::web::view::format::counted(
                i64::try_from(orders).unwrap_or(i64::MAX),
                "order",
                "orders"
            )
        ),
    })
}

fn manufacturers(owed: BTreeMap<(String, String), (String, Sum)>) -> Result<Table> {
    let mut total = Sum::default();
    let mut rows = Vec::with_capacity(owed.len());
    for ((payer, from), (period, sum)) in owed {
        total.add(&sum)?;
        let mut cells = vec![Cell::Text(from.clone())];
        cells.extend(sum.cells()?);
        rows.push(Row {
            key: payer.clone(),
            label: format!("{payer}, {period}"),
            cells,
        });
    }
    let mut totals = vec![Cell::Empty];
    totals.extend(total.cells()?);
    let mut columns = vec![Column::new("from", "From", Unit::Text)];
    columns.extend(SUMS);
    Ok(Table {
        name: "manufacturers",
        title: "Owed by manufacturers",
        about: "Manufacturer",
        columns,
        rows,
        total: Some(totals),
        bars: Vec::new(),
        note: "What manufacturers' coupons took off, less what went back with refunds: this is \
               what each owes, in tokens. Choose a month to bill a month."
            .to_owned(),
    })
}

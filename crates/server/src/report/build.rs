//! Figures into tables.

use super::{Cell, Column, Kind, Row, Table, Unit, period_words};
use crate::error::Problem;
use scrip_domain::Amount;
use scrip_domain::books::account_found;
use scrip_domain::report::calendar::{Span, Step};
use scrip_domain::report::owing::{AGES, deferrals, expiries, liability};
use scrip_domain::report::rollup::{BANDS, Figures, Flow, Goods, Held, Way};
use scrip_domain::report::selling::{Sold, assortment, preferences, selling};
use scrip_domain::revenue::{bookings, control};
use scrip_domain::token_sale::offline::offline_ageing;
use scrip_domain::vendor::Vendor;
use scrip_engine::ReadTx;
use scrip_ledger::{AccountKind, Result as LedgerResult, account_balance};

type Result<T> = std::result::Result<T, Problem>;

fn amounts(amounts: impl IntoIterator<Item = Amount>) -> Vec<Cell> {
    amounts.into_iter().map(Cell::Amount).collect()
}

/// The tables of a report.
pub(super) fn tables(
    tx: &mut ReadTx<'_>,
    vendor: &Vendor,
    kind: Kind,
    figures: &Figures,
    span: &Span,
) -> Result<Vec<Table>> {
    match kind {
        Kind::Sales => sales(tx, figures, span),
        Kind::Products => products(tx, figures, span),
        Kind::Preferences => groups(tx, figures, span),
        Kind::Liability => owed(tx, vendor, figures),
        Kind::Breakage => broken(tx, figures, span),
        Kind::Revenue => revenue(tx, vendor, figures, span),
        Kind::Receivables => Ok(vec![receivables(tx, vendor)?]),
        Kind::Promotions => super::promotions::tables(tx, vendor, span),
        Kind::Taxes => super::taxes::tables(tx, vendor, span),
    }
}

/// A line for each period of a span.
fn by_period<T>(
    span: &Span,
    of: &[T],
    cells: impl Fn(&T) -> LedgerResult<Vec<Cell>>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(of.len());
    for ((from, to), figures) in span.periods().into_iter().zip(of) {
        rows.push(Row {
            key: from.to_string(),
            label: period_words(span.step(), from, to),
            cells: cells(figures)?,
        });
    }
    Ok(rows)
}

fn sale_cells(flow: &Flow) -> LedgerResult<Vec<Cell>> {
    let (spent, back) = (flow.tokens(Way::Spent), flow.tokens(Way::Returned));
    Ok(vec![
        Cell::Count(flow.orders),
        Cell::Amount(spent),
        Cell::Count(flow.refunds),
        Cell::Amount(back),
        Cell::Amount(spent.minus(back)?),
        Cell::Amount(flow.money),
    ])
}

fn sales(tx: &mut ReadTx<'_>, figures: &Figures, span: &Span) -> Result<Vec<Table>> {
    let found = selling(tx, figures, span)?;
    let columns = vec![
        Column::new("orders", "Orders", Unit::Count),
        Column::new("spent", "Spent, tokens", Unit::Tokens),
        Column::new("refunds", "Refunds", Unit::Count),
        Column::new("given_back", "Given back, tokens", Unit::Tokens),
        Column::new("net", "Kept, tokens", Unit::Tokens),
        Column::new("money", "Paid without tokens", Unit::Money),
    ];
    let total = sale_cells(&found.total)?;
    let table = |name, title, about, rows| Table {
        name,
        title,
        about,
        columns: columns.clone(),
        rows,
        total: Some(total.clone()),
        bars: vec![1, 3],
        note: String::new(),
    };
    let mut hours = Vec::with_capacity(24);
    for (hour, flow) in found.hours.iter().enumerate() {
        hours.push(Row {
            key: hour.to_string(),
            label: format!("{hour:02}:00"),
            cells: sale_cells(flow)?,
        });
    }
    let names = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let mut weekdays = Vec::with_capacity(names.len());
    for (name, flow) in names.iter().zip(&found.weekdays) {
        weekdays.push(Row {
            key: name.to_lowercase(),
            label: (*name).to_owned(),
            cells: sale_cells(flow)?,
        });
    }
    let periods = by_period(span, &found.periods, sale_cells)?;
    Ok(vec![
        table("periods", "By period", "From", periods),
        table("hours", "By hour", "Hour", hours),
        table("weekdays", "By day of the week", "Day", weekdays),
    ])
}

fn sold_cells(sold: &Sold) -> LedgerResult<Vec<Cell>> {
    Ok(vec![
        Cell::Count(sold.sold.pieces),
        Cell::Amount(sold.sold.tokens),
        Cell::Count(sold.back.pieces),
        Cell::Amount(sold.back.tokens),
        Cell::Amount(sold.net()?),
    ])
}

const SOLD: [Column; 5] = [
    Column::new("pieces", "Pieces", Unit::Count),
    Column::new("tokens", "Tokens", Unit::Tokens),
    Column::new("pieces_back", "Came back", Unit::Count),
    Column::new("tokens_back", "Given back, tokens", Unit::Tokens),
    Column::new("net", "Kept, tokens", Unit::Tokens),
];

fn products(tx: &mut ReadTx<'_>, figures: &Figures, span: &Span) -> Result<Vec<Table>> {
    let found = assortment(tx, figures, span)?;
    let total = sold_cells(&found.total)?;
    let mut articles = Vec::with_capacity(found.articles.len());
    for (article, sold) in &found.articles {
        let mut cells = vec![
            Cell::Text(article.title.clone()),
            Cell::Text(article.variant.clone()),
            Cell::Text(article.category.clone()),
        ];
        cells.extend(sold_cells(sold)?);
        articles.push(Row {
            key: article.sku.clone(),
            label: article.sku.clone(),
            cells,
        });
    }
    let mut columns = vec![
        Column::new("title", "Product", Unit::Text),
        Column::new("variant", "Variant", Unit::Text),
        Column::new("category", "Category", Unit::Text),
    ];
    columns.extend(SOLD);
    let mut total_of_articles = vec![Cell::Empty, Cell::Empty, Cell::Empty];
    total_of_articles.extend(total.clone());
    let mut tables = vec![Table {
        name: "articles",
        title: "By article, best first",
        about: "SKU",
        columns,
        rows: articles,
        total: Some(total_of_articles),
        bars: Vec::new(),
        note: String::new(),
    }];
    for (name, title, about, list) in [
        ("categories", "By category", "Category", &found.categories),
        ("kinds", "By kind of use", "Kind", &found.kinds),
    ] {
        let mut rows = Vec::with_capacity(list.len());
        for (key, sold) in list {
            let named = if key.is_empty() { "none" } else { key };
            rows.push(Row {
                key: key.clone(),
                label: named.to_owned(),
                cells: sold_cells(sold)?,
            });
        }
        tables.push(Table {
            name,
            title,
            about,
            columns: SOLD.to_vec(),
            rows,
            total: Some(total.clone()),
            bars: vec![1, 3],
            note: String::new(),
        });
    }
    Ok(tables)
}

fn goods_cells(goods: &Goods) -> [Cell; 3] {
    [
        Cell::Count(goods.lines),
        Cell::Count(goods.pieces),
        Cell::Amount(goods.tokens),
    ]
}

/// Which orders a group has: `First order`, `2nd to 3rd order`.
fn group_words(from: i64) -> String {
    let after = BANDS.into_iter().find(|band| *band > from);
    match (from, after) {
        (1, _) => "First order".to_owned(),
        (from, Some(after)) if after - from > 1 => format!("Orders {from} to {}", after - 1),
        (from, Some(_)) => format!("Order {from}"),
        (from, None) => format!("Order {from} and later"),
    }
}

fn groups(tx: &mut ReadTx<'_>, figures: &Figures, span: &Span) -> Result<Vec<Table>> {
    let found = preferences(tx, figures, span)?;
    let columns = vec![
        Column::new("lines", "Lines of orders", Unit::Count),
        Column::new("pieces", "Pieces", Unit::Count),
        Column::new("tokens", "Tokens", Unit::Tokens),
    ];
    let mut all = Goods::default();
    let (mut rows, mut categories) = (Vec::new(), Vec::new());
    for group in &found {
        all.add(&group.bought)?;
        let label = group_words(group.from);
        for (category, goods) in &group.categories {
            let mut cells = vec![Cell::Text(category.clone())];
            cells.extend(goods_cells(goods));
            categories.push(Row {
                key: group.from.to_string(),
                label: label.clone(),
                cells,
            });
        }
        rows.push(Row {
            key: group.from.to_string(),
            label,
            cells: goods_cells(&group.bought).to_vec(),
        });
    }
    let mut with_category = vec![Column::new("category", "Category", Unit::Text)];
    with_category.extend(columns.clone());
    let mut total = vec![Cell::Empty];
    total.extend(goods_cells(&all));
    Ok(vec![
        Table {
            name: "groups",
            title: "First and repeated purchases",
            about: "Customers' orders",
            columns,
            rows,
            total: Some(goods_cells(&all).to_vec()),
            bars: vec![2],
            note: "By how many orders the customer had placed with this one. Orders of free \
                   articles alone are left out."
                .into(),
        },
        Table {
            name: "categories",
            title: "Categories of each group",
            about: "Customers' orders",
            columns: with_category,
            rows: categories,
            total: Some(total),
            bars: Vec::new(),
            note: String::new(),
        },
    ])
}

fn age_words(place: usize) -> String {
    let from = AGES.get(place).copied().unwrap_or_default();
    match AGES.get(place + 1) {
        Some(next) => format!("{from} to {} days", next - 1),
        None => format!("{from} days and older"),
    }
}

fn owed(tx: &mut ReadTx<'_>, vendor: &Vendor, figures: &Figures) -> Result<Vec<Table>> {
    let found = liability(tx, vendor, figures)?;
    let cells = |aged: &scrip_domain::report::owing::Aged| {
        let parts = aged.origins.iter().chain([&aged.total]);
        amounts(parts.flat_map(|held| [held.tokens, held.worth]))
    };
    let rows = found.ages.iter().enumerate().map(|(place, aged)| Row {
        key: aged.from.to_string(),
        label: age_words(place),
        cells: cells(aged),
    });
    let columns = vec![
        Column::new("free_tokens", "Free, tokens", Unit::Tokens),
        Column::new("free_worth", "Worth", Unit::Money),
        Column::new("credit_tokens", "On credit, tokens", Unit::Tokens),
        Column::new("credit_worth", "Worth", Unit::Money),
        Column::new("paid_tokens", "Paid, tokens", Unit::Tokens),
        Column::new("paid_worth", "Worth", Unit::Money),
        Column::new("tokens", "All, tokens", Unit::Tokens),
        Column::new("worth", "Worth", Unit::Money),
    ];
    let ledger = super::super::web::view::format::tokens(found.ledger);
    Ok(vec![Table {
        name: "ages",
        title: "By age of the grant",
        about: "Age",
        columns,
        rows: rows.collect(),
        total: Some(cells(&found.total)),
        bars: vec![6],
        note: format!(
            "The ledger's accounts of tokens issued, spent and expired come to {ledger}. The worth \
             is what was paid for a grant times the part of it that is left, rounded down to the \
             smallest unit of the money."
        ),
    }])
}

fn held_cells(held: &Held) -> Vec<Cell> {
    amounts([held.tokens, held.worth])
}

fn broken(tx: &mut ReadTx<'_>, figures: &Figures, span: &Span) -> Result<Vec<Table>> {
    let found = expiries(tx, figures, span)?;
    let columns = vec![
        Column::new("tokens", "Tokens", Unit::Tokens),
        Column::new("worth", "What was paid for them", Unit::Money),
    ];
    let mut all = found.never;
    let mut coming = Vec::with_capacity(found.coming.len());
    for (month, held) in &found.coming {
        all.add(held)?;
        coming.push(Row {
            key: month.to_string(),
            label: period_words(Step::Month, *month, Step::Month.next(*month)),
            cells: held_cells(held),
        });
    }
    coming.push(Row {
        key: "never".into(),
        label: "Never".into(),
        cells: held_cells(&found.never),
    });
    let table = |name, title, about, rows, total: &Held, note: &str| Table {
        name,
        title,
        about,
        columns: columns.clone(),
        rows,
        total: Some(held_cells(total)),
        bars: vec![0],
        note: note.to_owned(),
    };
    let periods = by_period(span, &found.periods, |held| Ok(held_cells(held)))?;
    Ok(vec![
        table("expired", "Expired", "From", periods, &found.total, ""),
        table(
            "coming",
            "Going to expire",
            "Month",
            coming,
            &all,
            "What customers hold now, by the month in which it expires if nobody spends it.",
        ),
    ])
}

fn revenue(
    tx: &mut ReadTx<'_>,
    vendor: &Vendor,
    figures: &Figures,
    span: &Span,
) -> Result<Vec<Table>> {
    use scrip_domain::report::owing::Deferral;
    let found = deferrals(tx, figures, span)?;
    let cells = |d: &Deferral| {
        let earned = [d.earned, d.reversed, d.net_earned()?];
        let rest = [d.breakage, d.paid_back, d.closing];
        let all = [d.opening, d.received]
            .into_iter()
            .chain(earned)
            .chain(rest);
        Ok(amounts(all))
    };
    let money = |name, label| Column::new(name, label, Unit::Money);
    let periods = Table {
        name: "periods",
        title: "Deferred and earned",
        about: "From",
        columns: vec![
            money("opening", "Opening"),
            money("received", "Received"),
            money("spent", "Spent"),
            money("owed_again", "Owed again"),
            money("earned", "Earned"),
            money("breakage", "Breakage"),
            money("paid_back", "Paid back"),
            money("closing", "Closing"),
        ],
        rows: by_period(span, &found.periods, cells)?,
        total: Some(cells(&found.total)?),
        bars: vec![4, 5],
        note: "Earned is spent without what is owed again. Opening and received, without earned, \
               breakage and paid back, make the closing."
            .into(),
    };
    Ok(vec![
        periods,
        beside(tx, vendor, figures)?,
        booked(tx, vendor)?,
    ])
}

/// The report beside the accounts of the ledger.
fn beside(tx: &mut ReadTx<'_>, vendor: &Vendor, figures: &Figures) -> Result<Table> {
    let check = control(tx, vendor, figures)?;
    let rows = [
        (
            "outstanding",
            "Worth of all tokens that customers hold now",
            check.outstanding,
        ),
        (
            "closing",
            "Closing of the report over all time",
            check.closing,
        ),
        (
            "deferred",
            "Balance of the deferred account",
            check.deferred,
        ),
        (
            "unbooked",
            "Of that: earned or broken, and not booked yet",
            check.unbooked,
        ),
        (
            "deferred_after_booking",
            "Deferred account after booking that",
            check.deferred_after_booking()?,
        ),
        (
            "earned",
            "Balance of the account of earned money",
            check.earned,
        ),
        (
            "breakage",
            "Balance of the account of breakage",
            check.breakage,
        ),
    ];
    let line = |(key, label, amount): (&str, &str, Amount)| Row {
        key: key.to_owned(),
        label: label.to_owned(),
        cells: amounts([amount]),
    };
    Ok(Table {
        name: "control",
        title: "Beside the ledger",
        about: "What",
        columns: vec![Column::new("amount", "Amount", Unit::Money)],
        rows: rows.into_iter().map(line).collect(),
        total: None,
        bars: Vec::new(),
        note: "The first two are the same, and so is the deferred account after booking, as long \
               as all money for tokens went by it."
            .into(),
    })
}

fn booked(tx: &mut ReadTx<'_>, vendor: &Vendor) -> Result<Table> {
    let all = bookings(tx, vendor)?;
    let (mut earned, mut breakage) = (Amount::ZERO, Amount::ZERO);
    let mut rows = Vec::with_capacity(all.len());
    for booking in &all {
        earned = earned.plus(booking.earned)?;
        breakage = breakage.plus(booking.breakage)?;
        let last = booking.until.plus(-1);
        rows.push(Row {
            key: last.to_string(),
            label: period_words(Step::Day, last, booking.until),
            cells: amounts([booking.earned, booking.breakage]),
        });
    }
    Ok(Table {
        name: "bookings",
        title: "Booked",
        about: "Until",
        columns: vec![
            Column::new("earned", "Earned", Unit::Money),
            Column::new("breakage", "Breakage", Unit::Money),
        ],
        rows,
        total: Some(amounts([earned, breakage])),
        bars: Vec::new(),
        note: String::new(),
    })
}

fn receivables(tx: &mut ReadTx<'_>, vendor: &Vendor) -> Result<Table> {
    let owed = offline_ageing(tx, vendor.book_id).map_err(|e| Problem::internal(&e))?;
    let account = account_found(tx, vendor, AccountKind::Receivable)?;
    let ledger = match account {
        Some(account) => account_balance(tx, vendor.book_id, account)?.negated()?,
        None => Amount::ZERO,
    };
    let ledger = super::super::web::view::format::money(ledger, &vendor.currency);
    let rows = [
        ("current", "Not due yet", owed.current),
        ("0", "Overdue up to 30 days", owed.days_30),
        ("31", "31 to 60 days", owed.days_60),
        ("61", "61 to 90 days", owed.days_90),
        ("91", "91 days and longer", owed.older),
    ];
    let rows = rows.map(|(key, label, amount)| Row {
        key: key.to_owned(),
        label: label.to_owned(),
        cells: amounts([amount]),
    });
    Ok(Table {
        name: "ages",
        title: "By age",
        about: "Overdue",
        columns: vec![Column::new("owed", "Owed", Unit::Money)],
        rows: rows.to_vec(),
        total: Some(amounts([owed.total])),
        bars: vec![0],
        note: format!("The ledger's account of receivables comes to {ledger}."),
    })
}

#[cfg(test)]
mod tests {
    use super::{age_words, group_words};

    #[test]
    fn groups_have_names() {
        let names = [1, 2, 4, 10].map(group_words);
        let expected = [
            "First order",
            "Orders 2 to 3",
            "Orders 4 to 9",
            "Order 10 and later",
        ];
        assert_eq!(names, expected);
        let ages: Vec<String> = (0..5).map(age_words).collect();
        let expected = [
            "0 to 30 days",
            "31 to 90 days",
            "91 to 180 days",
            "181 to 365 days",
            "366 days and older",
        ];
        assert_eq!(ages, expected);
    }
}

//! Entering a catalogue from the product export of a shop program (SHP-09).

use super::auth::{CatalogWrite, May};
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Query, Table};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::catalog::imports::{LINES_AT_MOST, OffSale, file_read, off_sale};
use scrip_domain::catalog::sheet::decoded;
use scrip_domain::catalog::shop_export::{Draft, Parsed, Prices, RowError};
use scrip_domain::catalog::{offer_put, product_put};
use scrip_domain::vendor::{Vendor, token_price_at, vendor_by_book};
use scrip_engine::{Read, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(import))
}

/// Products and offers entered by one request at most: they are one transaction, and everybody
/// else waits for it.
const ENTERED_AT_MOST: usize = 10_000;
/// Errors that are told at most.
const ERRORS_AT_MOST: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// True to check the file and change nothing.
    #[serde(default)]
    dry_run: bool,
    /// True to enter the good rows although others are wrong.
    #[serde(default)]
    skip_errors: bool,
}

/// A row that is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct RowProblem {
    /// The row of the file, the header being row 1.
    row: u64,
    /// What is wrong with it.
    problem: String,
}

/// An offer that the file takes off sale.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct OffSaleBody {
    /// The row of the file on which its product begins.
    row: u64,
    /// The offer's SKU.
    sku: String,
    /// Order lists of customers that hold it. They keep it, with a note that it is off sale.
    order_lists: i64,
}

/// What was entered.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
struct Counts {
    /// Products that are new.
    new_products: usize,
    /// Products that were changed.
    changed_products: usize,
    /// Offers that are new.
    new_offers: usize,
    /// Offers that were changed.
    changed_offers: usize,
}

/// What became of a file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct ImportAnswer {
    /// Products in the file.
    products: usize,
    /// Offers in the file.
    offers: usize,
    /// False after a dry run.
    entered: bool,
    /// What the file takes off sale: the first 1,000 of them, those on order lists first.
    off_sale: Vec<OffSaleBody>,
    #[serde(flatten)]
    counts: Counts,
    /// Rows that are wrong, and were left out: the first 1,000 of them.
    errors: Vec<RowProblem>,
    /// How many rows are wrong.
    errors_total: usize,
}

/// Enter a catalogue
///
/// The body is the product export of a shop program: CSV with the columns Handle, Title and Variant
/// Price at least, one row for each variant, prices in the vendor's currency. A product with a
/// known handle, and an offer with a known SKU, is changed. A file that the console exported is
/// taken, too, with prices in tokens. All of the file is entered or, when a row is wrong, nothing;
/// the problem `rows_wrong` names each such row. `off_sale` names what goes off sale, and how many
/// order lists hold it. The file may be UTF-8, UTF-16 or Windows-1252, its separator a comma, a
/// semicolon or a tab. At most 10,000 products and offers and 200,000 lines at once.
#[utoipa::path(
    post, path = "/v1/products:import", tag = "catalog", operation_id = "catalog_import",
    security(("key" = ["catalog:write"])),
    params(ImportQuery, Repeatable),
    request_body(
        content = String, content_type = "text/csv",
        example = "Handle,Title,Variant Price\nlamp,Desk lamp,12.50\n",
    ),
    responses(
        (status = 200, description = "Entered, or checked", body = ImportAnswer),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn import(
    May(caller, ..): May<CatalogWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Query(query): Query<ImportQuery>,
    Table(file): Table,
) -> Result<Response> {
    let book = caller.book();
    let request = json!([query.dry_run, query.skip_errors, decoded(&file).0]);
    let parsed = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let now = tx.now();
        let prices = Prices {
            token_price: token_price_at(tx, book, now)?,
            currency: vendor.currency,
            token: vendor.token,
        };
        let parsed = read(&file, &prices)?;
        let off = off_sale(tx, book, &parsed.drafts)?;
        Ok::<_, Problem>((parsed, off))
    });
    let (parsed, off) = parsed.await?;
    let mut told = told(&parsed, off);
    let parsed = Arc::new(parsed);
    if query.dry_run {
        return Ok(answer(StatusCode::OK, &told, false));
    }
    if !parsed.errors.is_empty() && !query.skip_errors {
        return Err(rows_wrong(&told));
    }
    if told.products.saturating_add(told.offers) > ENTERED_AT_MOST {
        let text = format!(
            "a request enters at most {ENTERED_AT_MOST} products and offers: split the file, or \
             send it on the page \"Import and export\" of the console, which takes \
             {LINES_AT_MOST} rows"
        );
        return Err(Problem::invalid("import_too_large", text));
    }
    let request = ("POST /v1/products:import", &request);
    let done = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        told.counts = enter(tx, &vendor, &parsed.drafts)?;
        told.entered = true;
        Ok::<_, Failed>(told.clone())
    })
    .await?;
    Ok(answer(StatusCode::OK, &done.value, done.replayed))
}

fn read(file: &[u8], prices: &Prices) -> Result<Parsed> {
    let lines = file.iter().filter(|b| **b == b'\n').count();
    if lines > LINES_AT_MOST {
        let text = format!("a file has at most {LINES_AT_MOST} lines: split it");
        return Err(Problem::invalid("import_too_large", text));
    }
    let contents = file_read(file, prices).map_err(|RowError { row, problem }| {
        Problem::invalid("import_invalid", format!("row {row}: {problem}"))
    })?;
    Ok(contents.parsed)
}

fn told(parsed: &Parsed, mut off: Vec<OffSale>) -> ImportAnswer {
    off.sort_by_key(|o| std::cmp::Reverse(o.order_lists));
    off.truncate(ERRORS_AT_MOST);
    let off = off.into_iter().map(|o| OffSaleBody {
        row: o.row,
        sku: o.sku,
        order_lists: o.order_lists,
    });
    let errors = parsed.errors.iter().take(ERRORS_AT_MOST);
    ImportAnswer {
        products: parsed.drafts.len(),
        offers: parsed.drafts.iter().map(|d| d.offers.len()).sum(),
        entered: false,
        off_sale: off.collect(),
        counts: Counts::default(),
        errors: errors
            .map(|e| RowProblem {
                row: e.row,
                problem: e.problem.clone(),
            })
            .collect(),
        errors_total: parsed.errors.len(),
    }
}

fn rows_wrong(told: &ImportAnswer) -> Problem {
    let text = format!(
        "{} rows of the file are wrong and nothing was entered: correct them, or send it with \
         skip_errors=true to enter the rest",
        told.errors_total
    );
    Problem::invalid("rows_wrong", text)
        .with("errors", json!(told.errors))
        .with("errors_total", json!(told.errors_total))
}

fn enter(
    tx: &mut Tx<'_>,
    vendor: &Vendor,
    drafts: &[Draft],
) -> std::result::Result<Counts, Failed> {
    let mut counts = Counts::default();
    for draft in drafts {
        let (product, is_new) = product_put(tx, vendor, &draft.product)?;
        match is_new {
            true => counts.new_products += 1,
            false => counts.changed_products += 1,
        }
        for offer in &draft.offers {
            let (_, is_new) = offer_put(tx, vendor, product, offer)?;
            match is_new {
                true => counts.new_offers += 1,
                false => counts.changed_offers += 1,
            }
        }
    }
    Ok(counts)
}

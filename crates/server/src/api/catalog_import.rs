//! Entering a catalogue from the product export of a shop program (SHP-09).

use super::auth::{CatalogWrite, May};
use super::shape::ProblemBody;
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Query, Text};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::catalog::shop_export::{Draft, Parsed, Prices, RowError, parse};
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

/// Lines of a file at most: each may become an error of its own.
const LINES_AT_MOST: usize = 200_000;
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
/// known handle, and an offer with a known SKU, is changed. All of the file is entered or, when a
/// row is wrong, nothing; the problem `rows_wrong` names each such row. At most 10,000 products and
/// offers and 200,000 lines at once.
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
    Text(file): Text,
) -> Result<Response> {
    let book = caller.book();
    let request = json!([query.dry_run, query.skip_errors, &file]);
    let parsed = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let now = tx.now();
        let prices = Prices {
            token_price: token_price_at(tx, book, now)?,
            currency: vendor.currency,
            token: vendor.token,
        };
        read(&file, &prices)
    });
    let parsed = Arc::new(parsed.await?);
    let mut told = told(&parsed);
    if query.dry_run {
        return Ok(answer(StatusCode::OK, &told, false));
    }
    if !parsed.errors.is_empty() && !query.skip_errors {
        return Err(rows_wrong(&told));
    }
    if told.products.saturating_add(told.offers) > ENTERED_AT_MOST {
        let text = format!("a file has at most {ENTERED_AT_MOST} products and offers: split it");
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

fn read(file: &str, prices: &Prices) -> Result<Parsed> {
    let lines = file.bytes().filter(|b| *b == b'\n').count();
    if lines > LINES_AT_MOST {
        let text = format!("a file has at most {LINES_AT_MOST} lines: split it");
        return Err(Problem::invalid("import_too_large", text));
    }
    parse(file.as_bytes(), prices).map_err(|RowError { row, problem }| {
        Problem::invalid("import_invalid", format!("row {row}: {problem}"))
    })
}

fn told(parsed: &Parsed) -> ImportAnswer {
    let errors = parsed.errors.iter().take(ERRORS_AT_MOST);
    ImportAnswer {
        products: parsed.drafts.len(),
        offers: parsed.drafts.iter().map(|d| d.offers.len()).sum(),
        entered: false,
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

//! The ledger: its entries, exports, verification.

use super::auth::{LedgerRead, May};
use super::field::Moment;
use super::shape::{Money, Page, PageQuery, ProblemBody, cursor};
use crate::error::{Failed, Problem, Result};
use crate::http::body::Query;
use crate::state::App;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use scrip_domain::report::{JournalEntry, journal};
use scrip_domain::vendor::vendor_by_book;
use scrip_domain::verify::vendor_verify;
use scrip_engine::{Error as EngineError, ReadTx};
use scrip_ledger::export::{Format, book_export};
use scrip_ledger::verify::{Report, book_verify};
use scrip_ledger::{AccountKind, Asset, Transfer, accounts_named, asset_by_id, book_by_slug};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(entries))
        .routes(routes!(export))
        .routes(routes!(verification))
}

/// A side of a transfer.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct AccountBody {
    /// Its number in the book.
    account_id: i64,
    /// What it is for: `wallet`, `held`, `issued`, `spent`, `expired`, `processor`, `deferred` or
    /// `due`.
    #[schema(example = "wallet")]
    kind: &'static str,
    /// What it is called: the account number of a customer's wallet.
    label: String,
}

/// A movement of one asset.
#[derive(Debug, Serialize, ToSchema)]
struct TransferBody {
    /// Its number in the book.
    transfer_id: i64,
    /// The account that gave.
    debit: AccountBody,
    /// The account that received.
    credit: AccountBody,
    /// How much of what.
    amount: Money,
    /// The grant whose tokens moved; null for money.
    grant_id: Option<i64>,
}

/// An entry with what it moved.
#[derive(Debug, Serialize, ToSchema)]
struct EntryBody {
    /// Its number in the book.
    entry_id: i64,
    /// The business event.
    #[schema(format = "uuid")]
    event_id: String,
    /// What happened: `order`, `token_sale`, `refund` …
    #[schema(example = "order")]
    code: String,
    /// Who did it: the id of a customer, a key or a member of staff, or `system`.
    actor: String,
    /// The name by which people find it.
    reference: String,
    /// When it counts.
    effective_at: Moment,
    /// When it was written.
    recorded_at: Moment,
    /// The hash of all of this and of the transfers: the first half of a SHA-256, in hexadecimal.
    digest: String,
    /// What it moved.
    transfers: Vec<TransferBody>,
}

/// What entries are told with.
struct Names {
    accounts: BTreeMap<i64, (AccountKind, String)>,
    assets: BTreeMap<i64, Asset>,
}

impl Names {
    fn of(tx: &mut ReadTx<'_>, book: i64, entries: &[JournalEntry]) -> Result<Names> {
        let transfers = || entries.iter().flat_map(|e| &e.transfers);
        let accounts = transfers().flat_map(|t| [t.debit, t.credit]).collect();
        let mut assets = BTreeMap::new();
        for transfer in transfers() {
            let id = transfer.asset_id;
            if let std::collections::btree_map::Entry::Vacant(place) = assets.entry(id) {
                place.insert(asset_by_id(tx, id)?);
            }
        }
        Ok(Names {
            accounts: accounts_named(tx, book, &accounts)?,
            assets,
        })
    }

    fn account(&self, account: i64) -> Result<AccountBody> {
        let (kind, label) = self
            .accounts
            .get(&account)
            .ok_or_else(|| missing(account))?;
        Ok(AccountBody {
            account_id: account,
            kind: kind.name(),
            label: label.clone(),
        })
    }

    fn transfer(&self, transfer: &Transfer) -> Result<TransferBody> {
        let asset = self.assets.get(&transfer.asset_id);
        let asset = asset.ok_or_else(|| missing(transfer.asset_id))?;
        Ok(TransferBody {
            transfer_id: transfer.transfer_id,
            debit: self.account(transfer.debit)?,
            credit: self.account(transfer.credit)?,
            amount: Money::new(transfer.amount, asset),
            grant_id: transfer.grant_id,
        })
    }

    fn entry(&self, entry: JournalEntry) -> Result<EntryBody> {
        let JournalEntry { entry, transfers } = entry;
        let transfers = transfers.iter().map(|t| self.transfer(t));
        Ok(EntryBody {
            entry_id: entry.entry_id,
            event_id: entry.event_id.to_string(),
            code: entry.code,
            actor: entry.actor,
            reference: entry.reference,
            effective_at: Moment(entry.effective_at),
            recorded_at: Moment(entry.recorded_at),
            digest: entry.digest.iter().map(|b| format!("{b:02x}")).collect(),
            transfers: transfers.collect::<Result<_>>()?,
        })
    }
}

fn missing(number: i64) -> Problem {
    EngineError::Corrupt(format!(
        "account or asset {number} of a transfer is missing"
    ))
    .into()
}

/// List the entries of the ledger
///
/// Newest first, each with its transfers. A balance is credits less debits.
#[utoipa::path(
    get, path = "/v1/ledger/entries", tag = "ledger", operation_id = "ledger_entries",
    security(("key" = ["ledger:read"])),
    params(PageQuery),
    responses(
        (status = 200, description = "A page of entries", body = Page<EntryBody>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn entries(
    May(caller, ..): May<LedgerRead>,
    State(app): State<App>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<EntryBody>>> {
    let (limit, before) = (query.limit()?, cursor(query.cursor.as_deref())?);
    let book = caller.book();
    let page = app.read(move |tx| {
        let page = journal(tx, book, before, limit)?;
        let names = Names::of(tx, book, &page.items)?;
        let items = page.items.into_iter().map(|entry| names.entry(entry));
        Ok::<_, Problem>(Page {
            items: items.collect::<Result<_>>()?,
            next: page.next.map(|n| n.to_string()),
        })
    });
    Ok(axum::Json(page.await?))
}

/// Exports and verifications read the whole book and take much memory: one at a time.
static TURN: Semaphore = Semaphore::const_new(1);

fn turn() -> Result<SemaphorePermit<'static>> {
    TURN.try_acquire().map_err(|_| {
        Problem::new(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "another export or verification is under way: try again in a few seconds",
        )
        .retry_after(5)
    })
}

/// A file format.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExportFormat {
    Beancount,
    Hledger,
    Csv,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// The file format: for Beancount 3, for hledger, or one line per posting.
    #[param(inline)]
    format: ExportFormat,
}

/// Export the ledger
///
/// The whole book in the words of accountants' programs, with the balance that each account should
/// have, so that those programs check it. The CSV has one line per posting.
#[utoipa::path(
    get, path = "/v1/ledger/export", tag = "ledger", operation_id = "ledger_export",
    security(("key" = ["ledger:read"])),
    params(ExportQuery),
    responses(
        (status = 200, description = "The book", content(
            (String = "text/plain"),
            (String = "text/csv"),
        )),
        (status = 503, description = "Another one is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn export(
    May(caller, ..): May<LedgerRead>,
    State(app): State<App>,
    Query(query): Query<ExportQuery>,
) -> Result<Response> {
    let (format, kind, end) = match query.format {
        ExportFormat::Beancount => (Format::Beancount, "text/plain", "beancount"),
        ExportFormat::Hledger => (Format::Hledger, "text/plain", "journal"),
        ExportFormat::Csv => (Format::Csv, "text/csv", "csv"),
    };
    let turn = turn()?;
    let vendor = app.vendor(caller.book()).await?;
    let slug = vendor.slug.clone();
    let text = app.read(move |tx| {
        let _turn = turn;
        let book = book_by_slug(tx, &slug)?.ok_or_else(|| Problem::not_found("book"))?;
        Ok::<_, Problem>(book_export(tx, &book, format)?)
    });
    let text = text.await?;
    let name = format!("attachment; filename=\"{}.{end}\"", vendor.slug);
    let headers = [
        (header::CONTENT_TYPE, format!("{kind}; charset=utf-8")),
        (header::CONTENT_DISPOSITION, name),
    ];
    let mut response = text.into_response();
    for (header, value) in headers {
        let value = HeaderValue::from_str(&value).map_err(|e| Problem::internal(&e))?;
        response.headers_mut().insert(header, value);
    }
    Ok(response)
}

/// A row that is wrong.
#[derive(Debug, Serialize, ToSchema)]
struct FindingBody {
    /// The table.
    table: &'static str,
    /// The row's key within the book.
    key: String,
    /// What is wrong with it.
    problem: String,
}

/// What was checked and what was found.
#[derive(Debug, Serialize, ToSchema)]
struct LedgerVerification {
    /// True when no row is wrong.
    sound: bool,
    /// Entries read.
    entries: u64,
    /// Transfers read.
    transfers: u64,
    /// Accounts read.
    accounts: u64,
    /// Seals read.
    seals: u64,
    /// Rows that are wrong: the first 1,000 of them.
    findings: Vec<FindingBody>,
    /// How many rows are wrong.
    findings_total: usize,
}

const FINDINGS_AT_MOST: usize = 1_000;

impl LedgerVerification {
    fn new(report: Report) -> LedgerVerification {
        let findings_total = report.findings.len();
        let findings = report.findings.into_iter().take(FINDINGS_AT_MOST);
        LedgerVerification {
            sound: findings_total == 0,
            entries: report.entries,
            transfers: report.transfers,
            accounts: report.accounts,
            seals: report.seals,
            findings: findings
                .map(|f| FindingBody {
                    table: f.table,
                    key: f.key,
                    problem: f.problem,
                })
                .collect(),
            findings_total,
        }
    }
}

/// Verify the ledger
///
/// Recomputes the book from its rows, and orders, refunds and token sales from the book, in one
/// snapshot. Takes as long as the book is large.
#[utoipa::path(
    get, path = "/v1/ledger/verification", tag = "ledger", operation_id = "ledger_verify",
    security(("key" = ["ledger:read"])),
    responses(
        (status = 200, description = "What was found", body = LedgerVerification),
        (status = 503, description = "Another one is under way", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn verification(
    May(caller, ..): May<LedgerRead>,
    State(app): State<App>,
) -> Result<axum::Json<LedgerVerification>> {
    let book = caller.book();
    let turn = turn()?;
    let report = app.read(move |tx| {
        let _turn = turn;
        let vendor = vendor_by_book(tx, book)?;
        let mut report = book_verify(tx, vendor.book_id)?;
        vendor_verify(tx, vendor.book_id, &mut report)?;
        Ok::<_, Failed>(report)
    });
    Ok(axum::Json(LedgerVerification::new(report.await?)))
}

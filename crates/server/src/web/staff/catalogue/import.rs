//! Imports and exports: a file is looked through first, then entered by a job, and can be undone.

use super::super::super::frame::{form_key, link, page, see, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::format::{count, counted};
use super::super::super::view::{Notice, Shell, Tone, When};
use super::Keeper;
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path};
use crate::http::csv::download;
use crate::http::upload::Upload;
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use scrip_domain::catalog::imports::{
    Action, File, Import, Row, State as Far, import_apply, import_by_id, import_check, import_rows,
    import_undo, imports as all_imports,
};
use scrip_domain::catalog::shop_export::Prices;
use scrip_domain::catalog::{PRODUCTS_AT_MOST, ProductFilter, products, sheet};
use scrip_domain::id::ImportId;
use scrip_domain::vendor::Permission;
use serde::Deserialize;

/// Bytes of a file at most: a hundred thousand rows and more.
pub const FILE_AT_MOST: usize = 48 * 1024 * 1024;
/// Rows of an import that a page shows.
const ROWS_SHOWN: i64 = 200;

#[derive(Template)]
#[template(path = "staff/catalogue/imports.html")]
struct ImportsPage {
    shell: Shell,
    here: String,
    export: String,
    past: Vec<Past>,
    may: bool,
}

/// An import on the list.
struct Past {
    href: String,
    file: String,
    at: When,
    state: &'static str,
    class: &'static str,
    what: String,
}

#[derive(Template)]
#[template(path = "staff/catalogue/import.html")]
struct ImportPage {
    shell: Shell,
    heading: String,
    here: String,
    list: String,
    facts: Vec<(&'static str, String)>,
    rows: Vec<RowView>,
    rows_left: String,
    is_running: bool,
    done: i64,
    steps: i64,
    can_apply: bool,
    can_undo: bool,
    key: String,
}

/// A row of an import.
struct RowView {
    line: String,
    action: &'static str,
    class: &'static str,
    subject: String,
    note: String,
}

fn far(state: Far) -> (&'static str, &'static str) {
    match state {
        Far::Checking => ("Not looked through to the end", "status stopped"),
        Far::Checked => ("Waits for your word", "status waits"),
        Far::Applying => ("Being entered", "status waits"),
        Far::Applied => ("Entered", "status good"),
        Far::Undoing => ("Being undone", "status waits"),
        Far::Undone => ("Undone", "status stopped"),
    }
}

fn sums(import: &Import) -> String {
    let mut parts = vec![
        format!("{} new", count(import.new_products)),
        format!("{} changed", count(import.changed_products)),
    ];
    if import.taken_off > 0 {
        parts.push(format!("{} taken off sale", count(import.taken_off)));
    }
    if import.errors > 0 {
        parts.push(counted(import.errors, "wrong row", "wrong rows"));
    }
    parts.join(", ")
}

/// `GET /shops/{slug}/staff/imports`.
pub async fn imports(State(app): State<App>, member: StaffMember) -> Result<Response> {
    let book = member.shop.vendor.book_id;
    let all = app.read(move |tx| all_imports(tx, book, 20)).await?;
    let here = member.shop.at("/staff/imports");
    let past = |import: &Import| {
        let (state, class) = far(import.state);
        Past {
            href: format!("{here}/{}", import.import_id),
            file: import.file.clone(),
            at: When::minute(import.created_at),
            state,
            class,
            what: sums(import),
        }
    };
    page(&ImportsPage {
        shell: staff_shell(&member, "Import and export", "/staff/imports"),
        past: all.iter().map(past).collect(),
        export: format!("{here}/export.csv"),
        may: member.staff.role.may(Permission::Catalogue),
        here,
    })
}

/// `POST /shops/{slug}/staff/imports`: looks through a file.
pub async fn upload(
    State(app): State<App>,
    keeper: Keeper,
    upload: Upload<FILE_AT_MOST>,
) -> Result<Response> {
    let member = keeper.0;
    if upload.file.1.is_empty() {
        let text = "the file is empty: choose one with a line of column names";
        return Err(Problem::invalid("import_invalid", text));
    }
    let take_off = upload.field("take_off") == "yes";
    let (name, bytes) = upload.file;
    let file = File {
        name,
        bytes,
        take_off,
    };
    let vendor = member.shop.vendor.clone();
    let prices = Prices {
        currency: vendor.currency.clone(),
        token: vendor.token.clone(),
        token_price: member.shop.token_price,
    };
    let actor = member.actor();
    let node = app.node.clone();
    let check = move || import_check(&node, actor, &vendor, &prices, &file);
    let checked = tokio::task::spawn_blocking(check).await;
    let id = checked.map_err(|e| Problem::internal(&e))??;
    see(&member.shop.at(&format!("/staff/imports/{id}")))
}

#[derive(Deserialize)]
pub struct At {
    id: ImportId,
}

/// `GET /shops/{slug}/staff/imports/{id}`.
pub async fn import(
    State(app): State<App>,
    member: StaffMember,
    Path(at): Path<At>,
) -> Result<Response> {
    let book = member.shop.vendor.book_id;
    let (import, rows) = app
        .read(move |tx| {
            let import = import_by_id(tx, book, at.id)?;
            let rows = import_rows(tx, book, at.id, ROWS_SHOWN)?;
            Ok::<_, Problem>((import, rows))
        })
        .await?;
    page(&page_of(&member, &import, &rows))
}

fn page_of(member: &StaffMember, import: &Import, rows: &[Row]) -> ImportPage {
    let list = member.shop.at("/staff/imports");
    let may = member.staff.role.may(Permission::Catalogue);
    let mut shell = staff_shell(member, "Import", "/staff/imports");
    let (heading, _) = far(import.state);
    let text = match import.state {
        Far::Checked => {
            "Nothing is written yet. Look at what would happen, then enter it or leave it."
        }
        Far::Checking => "It was stopped before its end. Nothing was written: send the file again.",
        Far::Applying | Far::Undoing => "It goes on by itself, also when you leave this page.",
        Far::Applied => "What it changed can be undone for a week, until another file is entered.",
        Far::Undone => "What it changed stands as before, but for the rows that say otherwise.",
    };
    let tone = match import.state {
        Far::Applied | Far::Undone => Tone::Good,
        Far::Checking => Tone::Warn,
        _ => Tone::Note,
    };
    shell.notice = Some(Notice::new(tone, format!("{heading}."), text));
    let format = if import.is_own {
        "our own"
    } else {
        "export of a shop program"
    };
    let mut facts = vec![
        ("File", import.file.clone()),
        ("Format", format!("{format}, {}", import.encoding)),
        ("Lines", count(import.lines)),
        ("New products", count(import.new_products)),
        ("Changed products", count(import.changed_products)),
        ("Unchanged products", count(import.unchanged_products)),
        ("Taken off sale", count(import.taken_off)),
        ("Wrong rows, left out", count(import.errors)),
    ];
    if import.taken_off > 0 || import.on_lists > 0 {
        let lists = counted(import.on_lists, "order list", "order lists");
        facts.push(("Order lists that hold what goes off sale", lists));
    }
    let shown = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let left = import
        .steps
        .saturating_add(import.errors)
        .saturating_sub(shown);
    ImportPage {
        shell,
        heading: match import.file.is_empty() {
            true => "Import".to_owned(),
            false => import.file.clone(),
        },
        here: format!("{list}/{}", import.import_id),
        list,
        facts,
        rows: rows.iter().map(row).collect(),
        rows_left: match left {
            ..=0 => String::new(),
            more => format!("{} more are not shown.", count(more)),
        },
        is_running: matches!(import.state, Far::Applying | Far::Undoing),
        done: import.done,
        steps: import.steps.max(1),
        can_apply: may && import.state == Far::Checked && import.steps > 0,
        can_undo: may && import.state == Far::Applied,
        key: form_key(),
    }
}

fn row(row: &Row) -> RowView {
    let (action, class) = match row.action {
        Action::New => ("New", "status good"),
        Action::Changed => ("Changed", "status waits"),
        Action::Off => ("Off sale", "status stopped"),
        Action::Wrong => ("Left out", "status stopped bad"),
    };
    RowView {
        line: if row.line == 0 {
            String::new()
        } else {
            count(row.line)
        },
        action,
        class,
        subject: row.subject.clone(),
        note: row.note.clone(),
    }
}

/// What is to become of an import.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Go {
    key: String,
    r#do: String,
}

/// `POST /shops/{slug}/staff/imports/{id}`.
pub async fn go(
    State(app): State<App>,
    keeper: Keeper,
    Path(at): Path<At>,
    Form(form): Form<Go>,
) -> Result<Response> {
    let member = keeper.0;
    let (book, actor) = (member.shop.vendor.book_id, member.actor());
    let undo = form.r#do == "undo";
    let keyed = member.keyed(form.key, format!("{} {undo}", at.id).into_bytes(), None);
    app.submit(keyed, move |tx| {
        match undo {
            true => import_undo(tx, actor, book, at.id)?,
            false => import_apply(tx, actor, book, at.id)?,
        };
        Ok::<_, Failed>(())
    })
    .await?;
    see(&link(
        &member.shop.at(&format!("/staff/imports/{}", at.id)),
        &[],
    ))
}

/// `GET /shops/{slug}/staff/imports/export.csv`: the whole catalogue in our own format.
pub async fn export(State(app): State<App>, member: StaffMember) -> Result<Response> {
    let vendor = member.shop.vendor.clone();
    let text = app
        .read(move |tx| {
            let mut text = format!("\u{feff}{}", sheet::head());
            let mut filter = ProductFilter {
                limit: PRODUCTS_AT_MOST,
                ..ProductFilter::default()
            };
            loop {
                let page = products(tx, vendor.book_id, &filter)?;
                for detail in &page.items {
                    text.push_str(&sheet::rows(detail, &vendor.token));
                }
                if page.next.is_none() {
                    return Ok::<_, Problem>(text);
                }
                filter.after = page.next;
            }
        })
        .await?;
    download(text, &format!("{}-catalogue", member.shop.vendor.slug))
}

//! The readable form of the OpenAPI document: `/docs`, one page without a script.
//!
//! Everything on it comes from the document and from `problem_codes.rs`, so it cannot drift from
//! the code either. `docs/schema.rs` puts schemas into words and examples.

mod schema;

use super::OPENAPI;
use super::document::INTRODUCTION;
use crate::error::{Problem, Result};
use crate::problem_codes::{KINDS, Kind};
use crate::state::App;
use crate::web::view::Shell;
use askama::Template;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use schema::{Document, Field, Shape, Type};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The page.
pub fn router() -> Router<App> {
    Router::new().route("/docs", get(docs))
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    shell: Shell,
    introduction: Vec<(&'static str, Words)>,
    groups: Vec<Group>,
    shapes: Vec<Shape>,
    kinds: &'static [Kind],
}

/// A text, cut at its backticks: what stood between two is code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words(Vec<(bool, String)>);

impl Words {
    fn of(text: &str) -> Words {
        let parts = text.split('`').enumerate();
        let parts = parts.map(|(n, part)| (n % 2 == 1, part.replace('\n', " ")));
        Words(parts.filter(|(_, part)| !part.is_empty()).collect())
    }

    /// One for each paragraph.
    fn paragraphs(text: &str) -> Vec<Words> {
        text.split("\n\n").map(Words::of).collect()
    }
}

/// Operations that belong together.
struct Group {
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    about: Vec<Words>,
    scope: String,
    parameters: Vec<Parameter>,
    request: Option<Content>,
    answers: Vec<Answer>,
    example: String,
}

struct Parameter {
    place: &'static str,
    field: Field,
}

/// A body: its media type and what it is.
struct Content {
    media: String,
    of: Type,
}

struct Answer {
    status: String,
    about: String,
    contents: Vec<Content>,
}

static PAGE: LazyLock<std::result::Result<String, String>> = LazyLock::new(|| {
    let document = serde_json::to_value(&*OPENAPI).map_err(|e| e.to_string())?;
    let document = Document::new(&document);
    page(&document).render().map_err(|e| e.to_string())
});

async fn docs() -> Result<Html<&'static str>> {
    match &*PAGE {
        Ok(text) => Ok(Html(text)),
        Err(e) => Err(Problem::internal(e)),
    }
}

fn page(document: &Document<'_>) -> DocsPage {
    let groups = document.list("/tags");
    let groups = groups.iter().map(|tag| group(document, tag)).collect();
    DocsPage {
        shell: Shell::outside("API"),
        introduction: INTRODUCTION
            .iter()
            .map(|(heading, text)| (*heading, Words::of(text)))
            .collect(),
        groups,
        shapes: document.shapes(),
        kinds: &KINDS,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn group(document: &Document<'_>, tag: &Value) -> Group {
    let mut operations = Vec::new();
    for (path, item) in document.map("/paths") {
        for method in METHODS {
            let operation = &item[method];
            if operation["tags"][0] == tag["name"] {
                operations.push(one(document, method, path, operation));
            }
        }
    }
    Group {
        about: text(&tag["description"]),
        operations,
    }
}

fn one(document: &Document<'_>, method: &str, path: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array();
    let parameters: Vec<&Value> = parameters.into_iter().flatten().collect();
    let request = document
        .contents(&operation["requestBody"])
        .into_iter()
        .next();
    Operation {
        anchor: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        about: Words::paragraphs(operation["description"].as_str().unwrap_or_default()),
        scope: text(&operation["security"][0]["key"][0]),
        example: document.curl(method, path, operation, &parameters),
        parameters: parameters
            .into_iter()
            .map(|parameter| Parameter {
                place: match parameter["in"].as_str() {
                    Some("path") => "path",
                    Some("header") => "header",
                    _ => "query",
                },
                field: document.parameter(parameter),
            })
            .collect(),
        request,
        answers: answers(document, operation),
    }
}

fn answers(document: &Document<'_>, operation: &Value) -> Vec<Answer> {
    // What all operations have is told once, at the top of the page.
    let common: BTreeSet<&str> =
        ["400", "401", "403", "408", "413", "415", "422", "default"].into();
    let responses = operation["responses"].as_object();
    let own = responses.into_iter().flatten();
    own.filter(|(status, _)| !common.contains(status.as_str()))
        .map(|(status, response)| Answer {
            status: status.clone(),
            about: text(&response["description"]),
            contents: document.contents(response),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Words};

    #[test]
    fn backticks_are_code() {
        let words = Words::of("Send `key`\nonce, `twice`.");
        let parts = [
            (false, "Send "),
            (true, "key"),
            (false, " once, "),
            (true, "twice"),
            (false, "."),
        ];
        assert_eq!(words, Words(parts.map(|(c, t)| (c, t.to_owned())).to_vec()));
    }

    #[test]
    fn the_page_has_every_operation_and_every_code() {
        let page = PAGE.as_ref().unwrap();
        let document = serde_json::to_value(&*super::OPENAPI).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(page.contains(&format!("id=\"op-{id}\"")), "{method} {path}");
            }
        }
        for kind in super::KINDS.iter() {
            assert!(
                page.contains(&format!("id=\"{}\"", kind.code)),
                "{}",
                kind.code
            );
        }
        for place in page.split("href=\"#").skip(1) {
            let anchor = place.split('"').next().unwrap();
            assert!(
                page.contains(&format!("id=\"{anchor}\"")),
                "#{anchor} leads nowhere"
            );
        }
    }
}

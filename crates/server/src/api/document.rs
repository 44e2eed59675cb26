//! What all operations have in common, added to the OpenAPI document in one place; and the check
//! that a query is sent only where one is taken, because a misspelt `?dry_run` must not be a write.

use super::OPENAPI;
use crate::error::{Problem, Result};
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use std::collections::HashSet;
use std::sync::LazyLock;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

/// What a reader should know before the operations: headings and texts.
pub const INTRODUCTION: [(&str, &str); 7] = [
    (
        "Keys.",
        "Every request carries a key of one vendor: `Authorization: Bearer scrip_…`. The operator \
         makes keys with `scrip api-key create`, and a key with the scope `keys:write` makes \
         others. A key has scopes; each operation needs one, and names it. There is no vendor in \
         any address: what belongs to another vendor does not exist for a key and is answered \
         with 404.",
    ),
    (
        "Repeating.",
        "Every write carries an `Idempotency-Key` of your choice, fresh for each request. When an \
         answer is lost, send the same request under the same key: it is done once, and for two \
         days the first answer comes again, with the header `Idempotency-Replayed: true`. Another \
         request under the same key is refused.",
    ),
    (
        "Amounts",
        "are decimal strings beside their asset: `{\"amount\": \"12.5\", \"asset\": \
         \"SHOP.TOKEN\"}`. Requests give tokens as such a string alone. Numbers with a floating \
         point are never used.",
    ),
    (
        "Times",
        "are RFC 3339 with an offset, for example `2026-11-21T14:02:00Z`.",
    ),
    (
        "Lists",
        "come in pages: `next` is the `cursor` of the page after, null on the last one.",
    ),
    (
        "Names in addresses",
        "are percent-encoded: the offer `a/b c` is at `/v1/offers/a%2Fb%20c`.",
    ),
    (
        "Problems",
        "are RFC 9457: every answer that is not 2xx has type, title, status, detail and code. \
         Compare the code; the detail is for people. Unknown and repeated fields and parameters \
         are refused.",
    ),
];

/// Completes the document.
pub fn complete(document: &mut OpenApi) {
    let introduction = INTRODUCTION.map(|(heading, text)| format!("**{heading}** {text}"));
    let purpose = document.info.description.take().unwrap_or_default();
    document.info.description = Some(format!("{purpose}\n\n{}", introduction.join("\n\n")));
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            common_responses(operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn common_responses(operation: &mut Operation) {
    let has_header = parameters_in(operation, &ParameterIn::Header) > 0;
    let has_body = operation.request_body.is_some();
    let common = [
        (
            "400",
            "The request cannot be read, or has no idempotency key",
            has_header || has_body,
        ),
        ("401", "No key, or one that is not valid", true),
        ("403", "The key does not have the scope", true),
        ("408", "The body came too slowly", has_body),
        ("413", "The body is too large", has_body),
        ("415", "The body has another media type", has_body),
        ("422", "A field or parameter cannot be taken", true),
    ];
    for (status, description, applies) in common {
        if applies {
            let responses = &mut operation.responses.responses;
            responses
                .entry(status.to_owned())
                .or_insert_with(|| problem(description));
        }
    }
}

fn problem(description: &str) -> RefOr<utoipa::openapi::Response> {
    let schema = RefOr::Ref(Ref::from_schema_name("ProblemBody"));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content);
    RefOr::T(response.build())
}

fn parameters_in(operation: &Operation, place: &ParameterIn) -> usize {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .filter(|p| matches!(p, RefOr::T(p) if p.parameter_in == *place))
        .count()
}

/// The addresses, with their methods, that take a query.
static WITH_QUERY: LazyLock<HashSet<(Method, String)>> = LazyLock::new(|| {
    let mut with_query = HashSet::new();
    for (path, item) in &OPENAPI.paths.paths {
        let methods = [
            (Method::GET, &item.get),
            (Method::PUT, &item.put),
            (Method::POST, &item.post),
            (Method::DELETE, &item.delete),
            (Method::PATCH, &item.patch),
        ];
        for (method, operation) in methods {
            let takes = |o: &Operation| parameters_in(o, &ParameterIn::Query) > 0;
            if operation.as_ref().is_some_and(takes) {
                with_query.insert((method, path.clone()));
            }
        }
    }
    with_query
});

/// Refuses a query where none is taken; the extractor of those that take one refuses unknown
/// parameters.
pub async fn no_stray_query(request: Request, next: Next) -> Result<Response> {
    if request.uri().query().is_some_and(|q| !q.is_empty()) {
        let method = match request.method() {
            &Method::HEAD => Method::GET,
            method => method.clone(),
        };
        let path = request.extensions().get::<MatchedPath>();
        let path = path.map_or_else(String::new, |p| p.as_str().to_owned());
        if !WITH_QUERY.contains(&(method, path)) {
            let text = "this address takes no parameters behind a question mark: leave them out";
            return Err(Problem::invalid("query_invalid", text));
        }
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use crate::api::OPENAPI;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Two types of the same name would overwrite each other in the document.
    #[test]
    fn schemas_have_names_of_their_own() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
        let mut seen = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            for derived in text.split("#[derive(").skip(1) {
                let Some((traits, rest)) = derived.split_once(")]") else {
                    continue;
                };
                if !traits.contains("ToSchema") {
                    continue;
                }
                let mut words = rest.split_whitespace();
                let name = words
                    .find(|w| matches!(*w, "struct" | "enum"))
                    .and_then(|_| words.next());
                let name: String = name
                    .unwrap_or_default()
                    .chars()
                    .take_while(|c| c.is_alphanumeric())
                    .collect();
                assert!(seen.insert(name.clone()), "{name} is there twice");
            }
        }
        assert!(seen.len() > 50, "the search finds types: {seen:?}");
    }

    /// Each operation has what a reader and a test need: words, a tag, one scope, bounds of its
    /// texts and numbers.
    #[test]
    fn operations_are_complete() {
        let document = serde_json::to_value(&*OPENAPI).unwrap();
        let tags: Vec<_> = document["tags"].as_array().unwrap().iter().collect();
        let tags: BTreeSet<_> = tags.iter().map(|t| t["name"].as_str().unwrap()).collect();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let place = format!("{method} {path}");
                for words in ["summary", "description", "operationId"] {
                    assert!(operation[words].is_string(), "{place} has no {words}");
                }
                assert!(
                    tags.contains(operation["tags"][0].as_str().unwrap()),
                    "{place}"
                );
                let scopes = operation["security"][0]["key"].as_array();
                assert_eq!(scopes.map(Vec::len), Some(1), "{place} needs one scope");
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.keys().any(|s| s.starts_with('2')), "{place}");
                assert!(responses.contains_key("default"), "{place}");
                let parameters = operation["parameters"].as_array();
                for parameter in parameters.into_iter().flatten() {
                    assert!(parameter["description"].is_string(), "{place}: {parameter}");
                    is_inline(&parameter["schema"], &place);
                }
                let is_write = method != "get" && path != "/v1/quotes";
                let key = parameters.into_iter().flatten();
                let key = key.filter(|p| p["name"] == "Idempotency-Key").count();
                assert_eq!(key, usize::from(is_write), "{place}: idempotency key");
            }
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let is_request = schema["additionalProperties"] == false;
            let fields = schema["properties"].as_object();
            for (field, of) in fields.into_iter().flatten() {
                let bare = of["type"] == "string" || of["type"] == "integer";
                let bounded = ["pattern", "maxLength", "maximum", "enum", "format"];
                let is_bounded = bounded.iter().any(|b| of[*b] != Value::Null);
                assert!(
                    !is_request || !bare || is_bounded,
                    "{name}.{field} has no bounds"
                );
            }
        }
    }

    /// What parameters refer to is not always collected into the document.
    fn is_inline(schema: &Value, place: &str) {
        assert!(!schema.to_string().contains("$ref"), "{place}: {schema}");
    }
}

//! Schemas of the OpenAPI document in words, as tables, and as examples.

use super::{Content, Words, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// What a value is: words around a link to a shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Type {
    pub before: String,
    /// The name of a shape.
    pub link: String,
    pub after: String,
}

/// A row of a table.
#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub of: Type,
    pub is_required: bool,
    /// Lengths, limits, patterns.
    pub bounds: String,
    pub about: Words,
}

/// A JSON object that bodies consist of.
pub struct Shape {
    pub name: String,
    pub about: Words,
    pub fields: Vec<Field>,
}

/// The document as JSON.
pub struct Document<'a> {
    root: &'a Value,
}

static NOTHING: Value = Value::Null;

impl<'a> Document<'a> {
    pub fn new(root: &'a Value) -> Self {
        Document { root }
    }

    pub fn list(&self, pointer: &str) -> &'a [Value] {
        let list = self.root.pointer(pointer).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    pub fn map(&self, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let map = self.root.pointer(pointer).and_then(Value::as_object);
        map.into_iter().flatten()
    }

    /// The name of what a schema refers to, and the schema itself.
    fn target(&self, schema: &'a Value) -> (Option<&'a str>, &'a Value) {
        match schema["$ref"].as_str() {
            Some(place) => {
                let name = place.rsplit('/').next().unwrap_or_default();
                (Some(name), &self.root["components"]["schemas"][name])
            }
            None => (None, schema),
        }
    }

    /// True for what has a table of its own.
    fn is_shape(schema: &Value) -> bool {
        schema["properties"].is_object() || schema["allOf"].is_array()
    }

    /// The schema without the wrappings that say "or null" or add a description.
    fn bare(&self, schema: &'a Value) -> (&'a Value, bool) {
        for wrapping in ["oneOf", "anyOf"] {
            if let Some(parts) = schema[wrapping].as_array() {
                let real = parts.iter().find(|p| p["type"] != "null");
                let nullable = parts.iter().any(|p| p["type"] == "null");
                return (real.unwrap_or(&NOTHING), nullable);
            }
        }
        let parts = schema["allOf"].as_array();
        let is_array = |part: &&Value| part["type"] == "array";
        match parts.and_then(|parts| parts.iter().find(is_array)) {
            Some(array) => (array, false),
            None => (schema, false),
        }
    }

    pub fn type_of(&self, schema: &'a Value) -> Type {
        let (schema, mut nullable) = self.bare(schema);
        let (name, target) = self.target(schema);
        let mut of = match name {
            Some("Decimal") => Type {
                before: "decimal number in a text".into(),
                ..Type::default()
            },
            Some(name) if Self::is_shape(target) => Type {
                link: name.to_owned(),
                ..Type::default()
            },
            _ => self.plain(target),
        };
        nullable |= target["type"]
            .as_array()
            .is_some_and(|t| t.contains(&json!("null")));
        if nullable {
            of.after.push_str(" or null");
        }
        of
    }

    fn plain(&self, schema: &'a Value) -> Type {
        let words = |text: &str| Type {
            before: text.to_owned(),
            ..Type::default()
        };
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            return words(&values.join(" | "));
        }
        if let Some(prefix) = id_prefix(schema) {
            return words(&format!("id {prefix}…"));
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|k| **k != "null").unwrap_or(&NOTHING),
            kind => kind,
        };
        match (kind.as_str(), schema["format"].as_str()) {
            (Some("array"), _) => {
                let mut of = self.type_of(&schema["items"]);
                of.before.insert_str(0, "list of ");
                of
            }
            (Some("string"), Some("date-time")) => words("time"),
            (Some("string"), Some("date")) => words("day"),
            (Some("string"), _) => words("text"),
            (Some("integer"), _) => words("whole number"),
            (Some("boolean"), _) => words("true or false"),
            (Some("object"), _) => words("object"),
            _ => words("anything"),
        }
    }

    fn bounds(&self, schema: &'a Value) -> String {
        let (outer, _) = self.bare(schema);
        let (_, schema) = self.target(outer);
        let mut bounds = Vec::new();
        for (least, most, what) in [
            ("minimum", "maximum", ""),
            ("minLength", "maxLength", " characters"),
            ("minItems", "maxItems", " items"),
        ] {
            match (schema[least].as_i64(), schema[most].as_i64()) {
                (Some(least), Some(most)) => bounds.push(format!("{least} to {most}{what}")),
                (Some(least), None) => bounds.push(format!("{least} or more{what}")),
                (None, Some(most)) => bounds.push(format!("at most {most}{what}")),
                (None, None) => {}
            }
        }
        // Only the pattern against control characters begins so, and it is told in words.
        match schema["pattern"].as_str() {
            Some(pattern) if pattern.starts_with("^[^\\u0000") => {
                bounds.push("no control characters".into());
            }
            Some(_) if id_prefix(schema).is_some() => {}
            Some(pattern) => bounds.push(pattern.to_owned()),
            None => {}
        }
        if !schema["default"].is_null() {
            bounds.push(format!("{} unless given", schema["default"]));
        }
        bounds.join(", ")
    }

    fn about(&self, schema: &'a Value) -> Words {
        let own = schema["description"].as_str();
        let (bare, _) = self.bare(schema);
        let inner = || bare["description"].as_str();
        let parts = schema["allOf"].as_array();
        let added = || {
            parts
                .into_iter()
                .flatten()
                .find_map(|p| p["description"].as_str())
        };
        Words::of(own.or_else(inner).or_else(added).unwrap_or_default())
    }

    fn field(&self, name: &str, schema: &'a Value, is_required: bool) -> Field {
        Field {
            name: name.to_owned(),
            of: self.type_of(schema),
            is_required,
            bounds: self.bounds(schema),
            about: self.about(schema),
        }
    }

    pub fn parameter(&self, parameter: &'a Value) -> Field {
        Field {
            about: Words::of(parameter["description"].as_str().unwrap_or_default()),
            ..self.field(
                parameter["name"].as_str().unwrap_or_default(),
                &parameter["schema"],
                parameter["required"] == true,
            )
        }
    }

    pub fn contents(&self, of: &'a Value) -> Vec<Content> {
        let contents = of["content"].as_object();
        let contents = contents.into_iter().flatten();
        contents
            .map(|(media, content)| Content {
                media: media.clone(),
                of: self.type_of(&content["schema"]),
            })
            .collect()
    }

    fn fields(&self, schema: &'a Value) -> Vec<Field> {
        let mut fields = Vec::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            fields.extend(self.fields(self.target(part).1));
        }
        // Fields of answers are always there.
        let is_request = schema["additionalProperties"] == false;
        let required = schema["required"].as_array().filter(|_| is_request);
        for (name, of) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.is_some_and(|r| r.contains(&json!(name)));
            fields.push(self.field(name, of, is_required));
        }
        fields
    }

    /// The shapes that the page leads to, by name.
    pub fn shapes(&self) -> Vec<Shape> {
        let mut names = BTreeSet::new();
        self.collect(&self.root["paths"], &mut names);
        let schemas = &self.root["components"]["schemas"];
        names
            .into_iter()
            .map(|name| (name, &schemas[name]))
            .filter(|(_, schema)| Self::is_shape(schema))
            .map(|(name, schema)| Shape {
                name: name.to_owned(),
                about: Words::of(&text(&schema["description"])),
                fields: self.fields(schema),
            })
            .collect()
    }

    fn collect(&self, value: &'a Value, names: &mut BTreeSet<&'a str>) {
        if let (Some(name), target) = self.target(value)
            && names.insert(name)
        {
            self.collect(target, names);
        }
        match value {
            Value::Object(map) => map.values().for_each(|v| self.collect(v, names)),
            Value::Array(list) => list.iter().for_each(|v| self.collect(v, names)),
            _ => {}
        }
    }

    /// An example of what a schema describes: its own, or one made from its parts.
    pub fn example(&self, schema: &'a Value) -> Value {
        let (bare, _) = self.bare(schema);
        let (_, target) = self.target(bare);
        for place in [schema, bare, target] {
            let given = [&place["example"], &place["examples"][0], &place["default"]];
            if let Some(given) = given.into_iter().find(|g| !g.is_null()) {
                return given.clone();
            }
        }
        if let Some(first) = target["enum"].get(0) {
            return first.clone();
        }
        match target["type"].as_str() {
            Some("array") => json!([self.example(&target["items"])]),
            Some("integer") => json!(target["minimum"].as_i64().unwrap_or(0).max(1)),
            Some("boolean") => json!(true),
            Some("object") => Value::Object(self.example_fields(target)),
            _ => json!("example"),
        }
    }

    fn example_fields(&self, schema: &'a Value) -> Map<String, Value> {
        let required = schema["required"].as_array();
        let names = required.into_iter().flatten().filter_map(Value::as_str);
        names
            .map(|name| (name.to_owned(), self.example(&schema["properties"][name])))
            .collect()
    }

    /// A command line that does an operation.
    pub fn curl(
        &self,
        method: &str,
        path: &str,
        operation: &'a Value,
        parameters: &[&'a Value],
    ) -> String {
        let mut address = path.to_owned();
        let mut query = Vec::new();
        let mut headers = vec!["Authorization: Bearer $KEY".to_owned()];
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let example = match &parameter["example"] {
                Value::Null => self.example(&parameter["schema"]),
                example => example.clone(),
            };
            let example = example
                .as_str()
                .map_or_else(|| example.to_string(), str::to_owned);
            match parameter["in"].as_str() {
                Some("path") => {
                    address = address.replace(&format!("{{{name}}}"), &encoded(&example))
                }
                Some("header") => headers.push(format!("{name}: $(uuidgen)")),
                _ if parameter["required"] == true => {
                    query.push(format!("{name}={}", encoded(&example)))
                }
                _ => {}
            }
        }
        if !query.is_empty() {
            address = format!("{address}?{}", query.join("&"));
        }
        let mut body = None;
        if let Some((media, content)) = operation["requestBody"]["content"]
            .as_object()
            .and_then(|contents| contents.iter().next())
        {
            headers.push(format!("Content-Type: {media}"));
            let example = match &content["example"] {
                Value::Null => self.example(&content["schema"]),
                example => example.clone(),
            };
            body = Some(match example {
                Value::String(text) => text,
                json => serde_json::to_string_pretty(&json).unwrap_or_default(),
            });
        }
        let method = match method {
            "get" => String::new(),
            other => format!("-X {} ", other.to_uppercase()),
        };
        let mut out = format!("curl {method}\"$SCRIP{address}\"");
        for header in headers {
            let _ = write!(out, " \\\n  -H \"{header}\"");
        }
        if let Some(body) = body {
            let _ = write!(
                out,
                " \\\n  --data-binary '{}'",
                body.replace('\'', "'\\''")
            );
        }
        out
    }
}

/// What ids of a kind begin with, where a schema is that of ids.
fn id_prefix(schema: &Value) -> Option<&str> {
    let (prefix, _) = schema["pattern"].as_str()?.split_once("[0-7]")?;
    prefix.strip_prefix('^').filter(|p| p.ends_with('_'))
}

/// A value in an address.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

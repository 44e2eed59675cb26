//! A running node, and clients of its API: real HTTP to the built program.

use crate::program::Program;
use scrip_testkit::TestDb;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ureq::http::{HeaderMap, Request};
use ureq::{Agent, Body};

/// A node with two vendors, `retail` and `other`.
pub struct Served<'a> {
    pub program: Program<'a>,
    /// A client with a key of `retail` that may do everything.
    pub api: Api,
    /// The same at the vendor `other`.
    pub other: Api,
    pub url: String,
    child: Child,
    /// Flags and variables with which the node was started.
    settings: (Vec<String>, Vec<(String, String)>),
}

/// Creates a vendor beside `retail`, whose token costs as much.
fn another(program: &Program<'_>, slug: &str) {
    let create = ["vendor", "create", "--name", slug, "--currency", "GBP"];
    program.ok(&[&create[..], &["--slug", slug]].concat());
}

/// Puts `retail`, `other` and a third one, `bakery`, into a mall; bakery takes tokens of retail.
pub fn in_mall(program: &Program<'_>) {
    another(program, "bakery");
    let create = [
        "mall",
        "create",
        "--slug",
        "riverside",
        "--name",
        "Riverside",
    ];
    program.ok(&[&create[..], &["--currency", "GBP"]].concat());
    for vendor in ["retail", "other", "bakery"] {
        program.ok(&["mall", "join", "--mall", "riverside", "--vendor", vendor]);
    }
    program.ok(&["mall", "accept", "--vendor", "bakery", "--issuer", "retail"]);
}

/// Everything that a key may do.
pub const ALL_SCOPES: &str = "customers:read,customers:write,tokens:write,orders:read,\
    orders:write,refunds:write,catalog:read,catalog:write,vendor:read,vendor:write,reports:read,\
    ledger:read,webhooks:write,keys:write";

/// Starts the node; what runs, and its address.
fn spawn(
    program: &Program<'_>,
    listen: &str,
    (flags, variables): &(Vec<String>, Vec<(String, String)>),
) -> (Child, String) {
    let log = File::options()
        .create(true)
        .append(true)
        .open(program.path("log"))
        .unwrap();
    let mut child = program
        .command(&["serve", "--listen", listen])
        .args(flags)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut ready = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut ready).unwrap();
    match ready.trim().strip_prefix("ready ") {
        Some(url) => (child, url.to_owned()),
        None => {
            let log = std::fs::read_to_string(program.path("log")).unwrap();
            panic!("the node did not start: {ready:?} {log}");
        }
    }
}

impl<'a> Served<'a> {
    pub fn start(db: &'a TestDb) -> Served<'a> {
        Served::start_with(db, |_| {})
    }

    /// With more settings, as environment variables.
    pub fn start_env(db: &'a TestDb, settings: &[(&str, &str)]) -> Served<'a> {
        Served::start_taking(db, &["--cards", "test"], settings, |_| {})
    }

    /// `prepare` runs commands of the program before the node has the database for itself.
    pub fn start_with(db: &'a TestDb, prepare: impl FnOnce(&Program<'_>)) -> Served<'a> {
        Served::start_taking(db, &["--cards", "test"], &[], prepare)
    }

    /// The same with flags and variables that say how cards are taken.
    pub fn start_taking(
        db: &'a TestDb,
        flags: &[&str],
        variables: &[(&str, &str)],
        prepare: impl FnOnce(&Program<'_>),
    ) -> Served<'a> {
        let program = Program::with_vendor(db);
        another(&program, "other");
        let [key, other] = ["retail", "other"].map(|vendor| program.key(vendor));
        prepare(&program);
        let owned = |text: &str| text.to_owned();
        let settings = (
            flags.iter().map(|flag| owned(flag)).collect(),
            variables
                .iter()
                .map(|(n, v)| (owned(n), owned(v)))
                .collect(),
        );
        let (child, url) = spawn(&program, "127.0.0.1:0", &settings);
        Served {
            api: Api::new(&url, &key),
            other: Api::new(&url, &other),
            url,
            program,
            child,
            settings,
        }
    }

    /// Stops the node, runs commands of the program, and starts it again at the same address.
    pub fn between(&mut self, run: impl FnOnce(&Program<'_>)) {
        self.stop();
        run(&self.program);
        let address = self.url.trim_start_matches("http://").to_owned();
        (self.child, self.url) = spawn(&self.program, &address, &self.settings);
    }

    /// A client with another key.
    pub fn with_key(&self, key: &str) -> Api {
        Api::new(&self.url, key)
    }

    /// A client with a fresh key of `retail` that has these scopes.
    pub fn with_scopes(&self, scopes: &[&str]) -> Api {
        let body = serde_json::json!({"name": "narrow", "scopes": scopes});
        let made = self.api.post("/v1/api-keys", &body);
        self.with_key(made.expect(201)["key"].as_str().unwrap())
    }

    /// What the node has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.program.path("log")).unwrap()
    }

    /// Nothing of this stands in what the node has logged; times, in which any digits come up, are left
    /// out.
    pub fn log_holds_none_of(&self, secrets: &[&str]) {
        let log = self.log();
        let is_told = |word: &&str| !word.starts_with("us=");
        let lines = log.lines().map(|line| {
            let words = line.split(' ').skip(1).filter(is_told);
            words.collect::<Vec<_>>().join(" ")
        });
        let told = lines.collect::<Vec<_>>().join("\n");
        for secret in secrets {
            assert!(!told.contains(secret), "{secret} is in the log: {told}");
        }
    }

    /// Asks the node to stop and waits until it has.
    pub fn stop(&mut self) {
        self.ask_to_stop();
        self.stopped();
    }

    /// Asks the node to stop.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    }

    /// Waits until the node has stopped.
    pub fn stopped(&mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(log) = std::fs::read_to_string(self.program.path("log"))
        {
            let last: Vec<&str> = log.lines().rev().take(20).collect();
            eprintln!("the node's log, last line first:\n{}", last.join("\n"));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client with a key.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    url: String,
    key: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body where it is JSON, else null.
    pub json: Value,
}

static TURN: AtomicU64 = AtomicU64::new(1);

/// An idempotency key that was not used before.
pub fn fresh_key() -> String {
    format!("test-{}", TURN.fetch_add(1, Ordering::Relaxed))
}

impl Api {
    fn new(url: &str, key: &str) -> Api {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .allow_non_standard_methods(true)
            .build();
        Api {
            agent: config.into(),
            url: url.to_owned(),
            key: key.to_owned(),
        }
    }

    /// The key itself.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], &[])
    }

    /// All items of a list, read so many at a time. The address ends in `?` or `&`.
    pub fn all(&self, address: &str, limit: usize) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{address}limit={limit}{cursor}"));
            let page = page.expect(200);
            let part = page["items"].as_array().unwrap();
            assert!(part.len() <= limit, "{page}");
            items.extend(part.iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Posts JSON under a fresh idempotency key.
    pub fn post(&self, path: &str, body: &Value) -> Answered {
        self.post_under(&fresh_key(), path, body)
    }

    /// Posts JSON under this idempotency key.
    pub fn post_under(&self, key: &str, path: &str, body: &Value) -> Answered {
        self.write("POST", key, path, body)
    }

    pub fn put(&self, path: &str, body: &Value) -> Answered {
        self.write("PUT", &fresh_key(), path, body)
    }

    pub fn delete(&self, path: &str) -> Answered {
        self.send("DELETE", path, &[("idempotency-key", &fresh_key())], &[])
    }

    pub fn write(&self, method: &str, key: &str, path: &str, body: &Value) -> Answered {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        self.send(method, path, &headers, body.to_string().as_bytes())
    }

    /// Any request; the API key is sent unless `headers` has an `authorization`.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answered {
        match self.try_send(method, path, headers, body) {
            Ok(answer) => Answered::read(answer),
            // A server that refused a request before all of its body had come closes the connection;
            // whoever only reads asks again on another one, as clients do.
            Err(ureq::Error::Io(_)) if method == "GET" => {
                let again = self.try_send(method, path, headers, body);
                Answered::read(again.unwrap_or_else(|e| panic!("{method} {path}: {e}")))
            }
            Err(e) => panic!("{method} {path}: {e}"),
        }
    }

    fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if headers.iter().all(|(name, _)| *name != "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        if body.is_empty() {
            // Otherwise the end of an empty body comes in a packet of its own, and a server that
            // has refused the request by then closes the connection.
            if !matches!(method, "GET" | "HEAD") {
                request = request.header("content-length", "0");
            }
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        }
    }
}

impl Answered {
    pub fn read(answer: ureq::http::Response<Body>) -> Answered {
        let (parts, mut body) = answer.into_parts();
        let bytes = body.read_to_vec().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answered {
            status: parts.status.as_u16(),
            json: serde_json::from_str(&text).unwrap_or_default(),
            headers: parts.headers,
            text,
        }
    }

    /// The JSON body of an answer with this status.
    pub fn expect(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        &self.json
    }

    /// A problem with this status and code; its text.
    pub fn problem(&self, status: u16, code: &str) -> &str {
        assert_eq!(
            (self.status, &self.json["code"]),
            (status, &code.into()),
            "{}",
            self.text
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.json["status"], status);
        self.json["detail"].as_str().unwrap()
    }

    /// True when it is the stored answer of an earlier request.
    pub fn replayed(&self) -> bool {
        self.headers
            .get("idempotency-replayed")
            .is_some_and(|v| v == "true")
    }
}

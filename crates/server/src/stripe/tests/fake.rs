//! A peer that speaks as much of Stripe's interface as charges need, keeps idempotency keys as
//! Stripe does, and fails on demand: calls that never arrive, answers that get lost.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not arrive.
    Unheard,
    /// It is done, and the answer gets lost.
    Unanswered,
    /// It is done, and the answer is a defect of the peer.
    Defect,
    /// It is answered with this status, and not done.
    Status(u16),
    /// It is taken, and never answered.
    Silence,
}

/// What the peer has.
#[derive(Default)]
pub struct State {
    /// Objects by their names.
    pub objects: HashMap<String, Value>,
    /// Answers by idempotency key.
    answers: HashMap<String, (u16, Value)>,
    /// Path prefix or suffix of calls that fail, and how.
    pub faults: Vec<(&'static str, Fault)>,
    made: usize,
}

impl State {
    fn name(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{:04}", self.made)
    }

    /// Payments that have taken money.
    pub fn paid(&self) -> usize {
        let paid = |object: &&Value| object["status"] == "succeeded" && is_payment(object);
        self.objects.values().filter(paid).count()
    }

    /// Payments in any state.
    pub fn payments(&self) -> usize {
        self.objects.values().filter(|o| is_payment(o)).count()
    }

    /// Refunds.
    pub fn refunds(&self) -> usize {
        let is_refund = |object: &&Value| object["object"] == "refund";
        self.objects.values().filter(is_refund).count()
    }
}

fn is_payment(object: &Value) -> bool {
    object["object"] == "payment_intent"
}

/// The peer; it listens until the process ends.
#[derive(Clone)]
pub struct Fake {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Fake { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call whose path ends so fails.
    pub fn fail(&self, end: &'static str, fault: Fault) {
        self.state().faults.push((end, fault));
    }

    /// Changes a payment as a customer, a bank or Stripe's staff would.
    pub fn set(&self, name: &str, status: &str) {
        let mut state = self.state();
        state.objects.get_mut(name).unwrap()["status"] = json!(status);
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut words = first.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let (mut length, mut key) = (0, None);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "idempotency-key" => key = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let fields: HashMap<String, String> = serde_html_form::from_bytes(&body).unwrap();
        let (fault, answer) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let at = state.faults.iter().position(|(end, _)| path.ends_with(end));
            let fault = at.map(|at| state.faults.remove(at).1);
            let answer = match fault {
                Some(Fault::Unheard) => None,
                Some(Fault::Status(status)) => Some((status, json!({"error": {}}))),
                _ => Some(answered(&mut state, &method, &path, key, fields)),
            };
            (fault, answer)
        };
        let (status, json) = match (fault, answer) {
            (Some(Fault::Silence), _) => {
                let mut rest = Vec::new();
                reader.read_to_end(&mut rest)?;
                return Ok(());
            }
            (Some(Fault::Defect), _) => (500, json!({"error": {"type": "api_error"}})),
            (Some(Fault::Unheard | Fault::Unanswered), _) | (_, None) => return Ok(()),
            (_, Some(answer)) => answer,
        };
        let text = json.to_string();
        let length = text.len();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(text.as_bytes())?;
    }
}

/// The same key again gets the same answer, refusals of cards too.
fn answered(
    state: &mut State,
    method: &str,
    path: &str,
    key: Option<String>,
    fields: HashMap<String, String>,
) -> (u16, Value) {
    if let Some(known) = key.as_ref().and_then(|key| state.answers.get(key)) {
        return known.clone();
    }
    let answer = done(state, method, path, &fields);
    if let Some(key) = key {
        state.answers.insert(key, answer.clone());
    }
    answer
}

fn error(status: u16, kind: &str, code: &str, decline: &str) -> (u16, Value) {
    let error = json!({"type": kind, "code": code, "decline_code": decline});
    (status, json!({ "error": error }))
}

fn done(
    state: &mut State,
    method: &str,
    path: &str,
    fields: &HashMap<String, String>,
) -> (u16, Value) {
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let field = |name: &str| fields.get(name).cloned();
    match (method, parts.as_slice()) {
        ("POST", ["customers"]) => insert(state, "cus", "customer", &[]),
        ("POST", ["setup_intents"]) => insert(state, "seti", "setup_intent", &[]),
        ("POST", ["payment_intents"]) => {
            let method = field("payment_method").unwrap();
            if !method.starts_with("pm_") {
                return error(400, "invalid_request_error", "resource_missing", "");
            }
            let given = [
                ("status", json!("requires_confirmation")),
                ("payment_method", json!(method)),
                ("amount", json!(field("amount"))),
                ("currency", json!(field("currency"))),
                ("order", json!(field("metadata[scrip_order]"))),
            ];
            insert(state, "pi", "payment_intent", &given)
        }
        ("POST", ["payment_intents", name, "confirm"]) => confirm(state, name),
        ("POST", ["payment_intents", name, "cancel"]) => {
            let payment = state.objects.get_mut(*name).unwrap();
            if payment["status"] == "succeeded" || payment["status"] == "processing" {
                let code = "payment_intent_unexpected_state";
                return error(400, "invalid_request_error", code, "");
            }
            payment["status"] = json!("canceled");
            (200, payment.clone())
        }
        ("POST", ["refunds"]) => {
            let given = [("payment_intent", json!(field("payment_intent")))];
            insert(state, "re", "refund", &given)
        }
        ("GET", ["payment_methods", name]) => {
            let card = json!({"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031});
            (200, json!({"id": name, "card": card}))
        }
        ("POST", ["payment_methods", name, _]) => (200, json!({"id": name})),
        ("GET", [_, name]) => match state.objects.get(*name) {
            Some(object) => (200, object.clone()),
            None => error(404, "invalid_request_error", "resource_missing", ""),
        },
        _ => error(404, "invalid_request_error", "", ""),
    }
}

fn insert(state: &mut State, prefix: &str, kind: &str, given: &[(&str, Value)]) -> (u16, Value) {
    let name = state.name(prefix);
    let mut object = Map::new();
    object.insert("id".into(), json!(name));
    object.insert("object".into(), json!(kind));
    object.insert("client_secret".into(), json!(format!("{name}_secret_x")));
    for (field, value) in given {
        object.insert((*field).to_owned(), value.clone());
    }
    let object = Value::Object(object);
    state.objects.insert(name, object.clone());
    (200, object)
}

/// The card decides: `pm_ok`, `pm_declined`, `pm_question`, `pm_slow`.
fn confirm(state: &mut State, name: &str) -> (u16, Value) {
    let payment = state.objects.get_mut(name).unwrap();
    if payment["status"] != "requires_confirmation" {
        let code = "payment_intent_unexpected_state";
        return error(400, "invalid_request_error", code, "");
    }
    let card = payment["payment_method"].as_str().unwrap().to_owned();
    let status = match card.as_str() {
        "pm_declined" => "requires_payment_method",
        "pm_question" => "requires_action",
        "pm_slow" => "processing",
        _ => "succeeded",
    };
    payment["status"] = json!(status);
    if status == "requires_payment_method" {
        let why = json!({"code": "card_declined", "decline_code": "insufficient_funds"});
        payment["last_payment_error"] = why;
        return error(402, "card_error", "card_declined", "insufficient_funds");
    }
    (200, payment.clone())
}

//! The server as strangers meet it: slow, broken and hostile connections, headers, stopping,
//! settings, logs.

use crate::client::{Served, fresh_key};
use crate::program::Program;
use scrip_testkit::TestDb;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

fn connect(served: &Served<'_>) -> TcpStream {
    let address = served.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    // Longer than any limit of the server: what hangs fails the test.
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Sends bytes and reads until the server closes or the answer is complete.
fn exchange(served: &Served<'_>, bytes: &[u8]) -> String {
    let mut stream = connect(served);
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// 500 connections that dawdle over their heads keep nobody else from shopping, and are closed.
#[test]
fn slow_connections_do_not_stop_others() {
    let db = TestDb::sqlite();
    let served = Served::start(&db);
    let slow: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut stream = connect(&served);
            let half = b"POST /v1/orders HTTP/1.1\r\nhost: localhost\r\ncontent-";
            stream.write_all(half).unwrap();
            stream
        })
        .collect();
    for n in 0..50 {
        let body = json!({ "person": { "name": format!("Customer {n}") } });
        served.api.post("/v1/customers", &body).expect(201);
    }
    let figures = served.api.get("/metrics").text;
    let open = figures
        .lines()
        .find_map(|line| line.strip_prefix("scrip_connections "))
        .and_then(|number| number.parse::<i64>().ok());
    assert!(open > Some(500), "{open:?} connections are open");
    for mut stream in slow {
        let mut rest = Vec::new();
        // Closed with an answer or without one, but closed.
        let closed = stream.read_to_end(&mut rest);
        assert!(closed.is_ok(), "{closed:?}");
    }
}

#[test]
fn broken_requests_are_refused_and_the_server_goes_on() {
    let db = TestDb::sqlite();
    let served = Served::start(&db);
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let large = "y".repeat(200_000);
    for (bytes, status) in [
        (b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), "400"),
        (b"nonsense\r\n\r\n".to_vec(), "400"),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), "400"),
        (
            format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").into_bytes(),
            "431",
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {large}\r\n\r\n").into_bytes(),
            "431",
        ),
        (
            b"BREW / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(),
            "405",
        ),
        (
            b"POST /v1/orders HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n".to_vec(),
            "400",
        ),
    ] {
        let answer = exchange(&served, &bytes);
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{head:?} was answered {answer:?}"
        );
    }
    assert_eq!(served.api.get("/readyz").text, "ready\n");
}

/// Every kind of answer tells browsers to run nothing but our own files, and to keep nothing.
#[test]
fn every_answer_has_the_security_headers() {
    let db = TestDb::sqlite();
    let served = Served::start(&db);
    for path in [
        "/",
        "/shops/retail/shop",
        "/shops/nobody",
        "/nowhere",
        "/assets/scrip.css",
        "/assets/nothing.css",
        "/v1/orders",
        "/v1/nowhere",
        "/v1/openapi.json",
        "/healthz",
        "/metrics",
    ] {
        let answer = served.api.get(path);
        let header = |name: &str| {
            let value = answer.headers.get(name);
            value.map_or("", |v| v.to_str().unwrap()).to_owned()
        };
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        let kept = header("cache-control");
        if path == "/assets/scrip.css" {
            assert!(kept.contains("immutable"), "{path}: {kept}");
        } else {
            assert_eq!(kept, "no-store", "{path}");
        }
        assert_eq!(header("strict-transport-security"), "", "{path}");
    }
}

/// A request that is under way when the node is told to stop is done and answered.
#[test]
fn stopping_lets_requests_finish() {
    let db = TestDb::sqlite();
    let mut served = Served::start(&db);
    let body = json!({ "person": { "name": "Late" } }).to_string();
    let (first, rest) = body.split_at(10);
    let mut stream = connect(&served);
    let head = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         idempotency-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        served.api.key(),
        fresh_key(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The node has the head once it counts the connection.
    while !served
        .api
        .get("/metrics")
        .text
        .contains("scrip_connections 2")
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    served.ask_to_stop();
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    served.stopped();
}

/// REG-13: names, numbers and ids of people stay out of the log.
#[test]
fn logs_hold_no_personal_data() {
    let db = TestDb::sqlite();
    let mut served = Served::start(&db);
    let body = json!({ "person": { "name": "Wilhelmina Secretive", "email": "w@secret.example" } });
    let made = served.api.post("/v1/customers", &body);
    let made = made.expect(201);
    let id = made["customer_id"].as_str().unwrap().to_owned();
    served.api.get(&format!("/v1/customers/{id}")).expect(200);
    served
        .api
        .get("/shops/retail/sign-in?next=/shops/retail/secret-page");
    let key = served.api.key().to_owned();
    served.stop();
    let log = served.log();
    assert!(log.contains("/v1/customers/{"), "{log}");
    for secret in ["Wilhelmina", "secret", &id, &key] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

/// Flags come before the environment, that before the file, that before defaults.
#[test]
fn settings_have_one_order() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let file = program.path("scrip.toml");
    let written = "public_url = \"https://file.example\"\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&file, written).unwrap();
    let file = file.to_str().unwrap();
    let secured = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = program.command(&[&["serve", "--config", file], arguments].concat());
        let mut child = command
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut ready)
            .unwrap();
        let url = ready.trim().strip_prefix("ready ").expect("it listens");
        let answer = ureq::get(format!("{url}/healthz")).call().unwrap();
        let secured = answer.headers().contains_key("strict-transport-security");
        child.kill().unwrap();
        child.wait().unwrap();
        secured
    };
    let environment = [("SCRIP_PUBLIC_URL", "http://environment.example")];
    assert!(secured(&[], &[]), "the file counts");
    assert!(!secured(&[], &environment), "the environment counts more");
    let flag = ["--public-url", "https://flag.example"];
    assert!(secured(&flag, &environment), "the flag counts most");

    std::fs::write(file, "listn = \"127.0.0.1:0\"\n").unwrap();
    program.fails(1, &["serve", "--config", file], &["listn"]);
}

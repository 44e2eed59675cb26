//! Mail servers for tests: aiosmtpd with TLS and a login, and one that misbehaves as it is told to.

use crate::receiver::wait_until;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// aiosmtpd, with a certificate that nobody else has signed.
pub struct Aiosmtpd {
    pub port: String,
    pub certificate: String,
    child: Child,
    taken: Arc<Mutex<Vec<Value>>>,
}

pub const USER: &str = "scrip";
pub const PASSWORD: &str = "only for tests";

impl Aiosmtpd {
    pub fn start(mode: &str, folder: &Path) -> Aiosmtpd {
        let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let certificate = file("mail.pem", signed.cert.pem());
        let key = file("mail.key", signed.signing_key.serialize_pem());
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let mut child = Command::new(format!("{root}/target/tools/venv/bin/python"))
            .args(["-B", &format!("{root}/tests/messages/mail_server.py")])
            .args([mode, &certificate, &key, USER, PASSWORD])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/install-test-tools installs it");
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        out.read_line(&mut port).unwrap();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let put = taken.clone();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let mail = serde_json::from_str(&line).unwrap();
                put.lock().unwrap().push(mail);
            }
        });
        Aiosmtpd {
            port: port.trim().to_owned(),
            certificate,
            child,
            taken,
        }
    }

    /// Waits until so many mails were taken.
    pub fn wait_for(&self, number: usize) -> Vec<Value> {
        wait_until("mails", || {
            let taken = self.taken.lock().unwrap().clone();
            Some(taken).filter(|t| t.len() >= number)
        })
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Where a conversation is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    Greeting,
    Hello,
    Sender,
    Receiver,
    Data,
    /// The text has ended with its dot.
    Text,
}

/// What goes wrong there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Hangs,
    Closes,
    Says(u16),
}

/// A mail server without TLS that misbehaves as it is told to.
pub struct BadMail {
    pub port: String,
    fault: Arc<Mutex<Option<(Stage, Fault)>>>,
    texts: Arc<Mutex<Vec<String>>>,
}

impl BadMail {
    pub fn start() -> BadMail {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = BadMail {
            port: listener.local_addr().unwrap().port().to_string(),
            fault: Arc::default(),
            texts: Arc::default(),
        };
        let (fault, texts) = (server.fault.clone(), server.texts.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (fault, texts) = (fault.clone(), texts.clone());
                std::thread::spawn(move || talk(stream, &fault, &texts));
            }
        });
        server
    }

    pub fn set(&self, fault: Option<(Stage, Fault)>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Texts that came as far as their dot, taken or not.
    pub fn texts(&self) -> Vec<String> {
        self.texts.lock().unwrap().clone()
    }
}

/// False when the conversation is over.
fn answer(
    stream: &mut TcpStream,
    fault: &Mutex<Option<(Stage, Fault)>>,
    stage: Stage,
    right: &str,
) -> bool {
    let wrong = fault.lock().unwrap().filter(|(at, _)| *at == stage);
    let text = match wrong.map(|(_, fault)| fault) {
        None => right.to_owned(),
        Some(Fault::Says(code)) => format!("{code} <ada@example.org> no\r\n"),
        Some(Fault::Closes) => return false,
        Some(Fault::Hangs) => {
            std::thread::sleep(Duration::from_secs(10));
            return false;
        }
    };
    stream.write_all(text.as_bytes()).is_ok()
}

fn talk(mut stream: TcpStream, fault: &Mutex<Option<(Stage, Fault)>>, texts: &Mutex<Vec<String>>) {
    let reader = BufReader::new(stream.try_clone().unwrap());
    if !answer(&mut stream, fault, Stage::Greeting, "220 here\r\n") {
        return;
    }
    let mut text: Option<String> = None;
    for line in reader.lines().map_while(Result::ok) {
        let goes_on = match (&mut text, line.as_str()) {
            (Some(whole), ".") => {
                texts.lock().unwrap().push(std::mem::take(whole));
                text = None;
                answer(&mut stream, fault, Stage::Text, "250 taken\r\n")
            }
            (Some(whole), line) => {
                whole.push_str(line);
                whole.push('\n');
                true
            }
            (None, line) => {
                let word = line.get(..4).unwrap_or_default().to_uppercase();
                let (stage, right) = match word.as_str() {
                    "EHLO" => (Stage::Hello, "250 here\r\n"),
                    "MAIL" => (Stage::Sender, "250 yes\r\n"),
                    "RCPT" => (Stage::Receiver, "250 yes\r\n"),
                    "DATA" => (Stage::Data, "354 go on\r\n"),
                    _ => return,
                };
                let goes_on = answer(&mut stream, fault, stage, right);
                let wrong = fault
                    .lock()
                    .unwrap()
                    .is_some_and(|(at, _)| at == Stage::Data);
                if stage == Stage::Data && !wrong {
                    text = Some(String::new());
                }
                goes_on
            }
        };
        if !goes_on {
            return;
        }
    }
}

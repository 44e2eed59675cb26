//! A vendor's system that is told what happens: takes webhooks and answers as it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Call {
    /// Header names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }
}

/// How a receiver answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, with more headers and a body.
    Status(u16, String, String),
    /// The connection stays open and nothing comes.
    Silence,
    /// A status, and a body without an end.
    Flood(u16),
}

impl Answer {
    pub fn status(status: u16) -> Answer {
        Answer::Status(status, String::new(), "thank you".into())
    }
}

pub struct Receiver {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Receiver {
    pub fn start(answer: Answer) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            calls: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
        };
        let (calls, answer) = (receiver.calls.clone(), receiver.answer.clone());
        // Ends with the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (calls, answer) = (calls.clone(), answer.clone());
                std::thread::spawn(move || serve(stream, &calls, &answer));
            }
        });
        receiver
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// Waits until so many calls came.
    pub fn wait_for(&self, number: usize) -> Vec<Call> {
        wait_until("calls", || Some(self.calls()).filter(|c| c.len() >= number))
    }
}

/// Waits for what must come; how long is no part of any promise.
pub fn wait_until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn serve(mut stream: TcpStream, calls: &Mutex<Vec<Call>>, answer: &Mutex<Answer>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut headers = Vec::new();
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.trim().split_once(':') {
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(n, _)| n == "content-length");
    let length = length.and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let answer = answer.lock().unwrap().clone();
    calls.lock().unwrap().push(Call { headers, body });
    match answer {
        Answer::Status(status, more, body) => {
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {status} X\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(text.as_bytes());
        }
        Answer::Silence => std::thread::sleep(Duration::from_secs(60)),
        Answer::Flood(status) => {
            let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\n\r\n").as_bytes());
            while stream.write_all(&[b'x'; 65536]).is_ok() {}
        }
    }
}

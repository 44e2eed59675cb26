//! A small HTTP/1.1 client for load: keep-alive connections on one thread, nothing but what the
//! benchmarks send and what our servers answer.

use crate::failure::Failure;
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Load {
    /// Requests answered per second.
    pub rate: f64,
    /// Time of each answer from when its request was due, in milliseconds, ascending.
    pub times_ms: Vec<f64>,
}

impl Load {
    /// The time that a share of the answers took at most.
    pub fn percentile(&self, percent: usize) -> f64 {
        let at = (self.times_ms.len() * percent / 100).min(self.times_ms.len().saturating_sub(1));
        self.times_ms.get(at).copied().unwrap_or_default()
    }
}

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where to.
    pub address: SocketAddr,
    /// Connections.
    pub connections: usize,
    /// Requests of all connections together.
    pub requests: usize,
    /// Requests per second; `None` sends each as soon as the one before is answered.
    pub rate: Option<f64>,
}

fn failed(e: std::io::Error) -> Failure {
    Failure::Refused(format!("the load client: {e}"))
}

/// Runs async work on a thread of its own, as a separate machine would.
pub fn apart<T: Send + 'static, W: Future<Output = Result<T, Failure>>>(
    work: impl FnOnce() -> W + Send + 'static,
) -> Result<T, Failure> {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        LocalSet::new().block_on(&runtime, work())
    });
    thread
        .join()
        .map_err(|_| Failure::Refused("the load client panicked".into()))?
}

/// Sends requests; `request` writes the next one into the buffer.
pub fn run(
    plan: Plan,
    request: impl FnMut(&mut Vec<u8>) + Send + 'static,
) -> Result<Load, Failure> {
    apart(move || drive(plan, request))
}

async fn drive(plan: Plan, request: impl FnMut(&mut Vec<u8>) + 'static) -> Result<Load, Failure> {
    let request = std::rc::Rc::new(std::cell::RefCell::new(request));
    let share = plan.requests.div_ceil(plan.connections);
    let mut open = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        let stream = TcpStream::connect(plan.address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        open.push(stream);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(n, stream)| {
            let request = request.clone();
            let gap = plan.rate.map(|rate| plan.connections as f64 / rate);
            // Connections begin one after another, so that they do not send in step.
            let first = gap.map_or(0.0, |gap| gap * n as f64 / plan.connections as f64);
            tokio::task::spawn_local(async move {
                let mut connection = Connection::new(stream);
                let mut times = Vec::with_capacity(share);
                for i in 0..share {
                    let mut due = Instant::now();
                    if let Some(gap) = gap {
                        due = begun + Duration::from_secs_f64(first + gap * i as f64);
                        tokio::time::sleep_until(due.into()).await;
                    }
                    connection.out.clear();
                    (request.borrow_mut())(&mut connection.out);
                    connection.exchange().await?;
                    times.push(due.elapsed().as_secs_f64() * 1000.0);
                }
                Ok::<_, Failure>(times)
            })
        })
        .collect();
    let mut times_ms = Vec::with_capacity(plan.requests);
    for task in tasks {
        let times = task
            .await
            .map_err(|_| Failure::Refused("a load connection panicked".into()))?;
        times_ms.extend(times?);
    }
    let rate = times_ms.len() as f64 / begun.elapsed().as_secs_f64();
    times_ms.sort_by(f64::total_cmp);
    Ok(Load { rate, times_ms })
}

struct Connection {
    stream: TcpStream,
    out: Vec<u8>,
    into: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        Connection {
            stream,
            out: Vec::with_capacity(1024),
            into: Vec::with_capacity(4096),
        }
    }

    /// Sends what is in `out` and reads the whole answer; anything but success is a failure.
    async fn exchange(&mut self) -> Result<(), Failure> {
        self.stream.write_all(&self.out).await.map_err(failed)?;
        self.into.clear();
        loop {
            let n = self.stream.read_buf(&mut self.into).await.map_err(failed)?;
            if n == 0 {
                return Err(Failure::Refused("the server hung up".into()));
            }
            let Some(head) = find(&self.into, b"\r\n\r\n") else {
                continue;
            };
            let length = content_length(&self.into[..head]);
            if self.into.len() >= head + 4 + length {
                break;
            }
        }
        if self.into.starts_with(b"HTTP/1.1 2") {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.into);
        Err(Failure::Refused(format!("the server answered {text}")))
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length: ";
    find(head, NAME)
        .map(|at| &head[at + NAME.len()..])
        .map(|rest| {
            rest.iter()
                .take_while(|b| b.is_ascii_digit())
                .fold(0, |n, b| n * 10 + usize::from(b - b'0'))
        })
        .unwrap_or_default()
}

/// A request with a JSON body, or without one.
pub fn write(out: &mut Vec<u8>, method: &str, path: &str, headers: &str, body: &str) {
    out.extend_from_slice(
        format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
}

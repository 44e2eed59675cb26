//! The process is killed while customers buy: this test program runs itself again as the process
//! that sells, reads what it acknowledges, and kills it at some instant.

use crate::shop::{Done, Key, Shop, options};
use scrip_engine::{DatabaseUrl, Engine};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DATABASE: &str = "SCRIP_TEST_SELL_IN";
const ROUND: &str = "SCRIP_TEST_SELL_ROUND";
const WRITERS: usize = 8;
/// Before each acknowledged key on the child's output.
const DONE: &str = "sold ";

/// The process that is killed. Does nothing when run as an ordinary test.
#[test]
fn sells_until_killed() {
    let (Some(path), Ok(round)) = (std::env::var_os(DATABASE), std::env::var(ROUND)) else {
        return;
    };
    let engine = Engine::open(&DatabaseUrl::Sqlite(path.into()), &options()).unwrap();
    let shop = Shop::find(&engine);
    let round: u64 = round.parse().unwrap();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let shop = &shop;
            scope.spawn(move || {
                for n in 0.. {
                    let key = Key { round, writer, n };
                    let (id, _) = shop.buy(key).unwrap();
                    let line = format!("\n{DONE}{} {id}\n", key.text());
                    let mut out = std::io::stdout().lock();
                    out.write_all(line.as_bytes()).unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

/// What the process says when it fails.
fn said_in(database: &Path) -> PathBuf {
    database.with_extension("said")
}

fn start(database: &Path, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::sells_until_killed", "--nocapture"])
        .env(DATABASE, database)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(File::create(said_in(database)).unwrap())
        .spawn()
        .unwrap()
}

/// The key and order of a whole line; a line that was cut off has none.
fn read_line(line: &str) -> Option<Done> {
    let (key, id) = line.split_once(DONE)?.1.split_once(' ')?;
    Some((Key::parse(key)?, id.parse().ok()?))
}

/// Lets a process sell for a while and ends it; returns what it acknowledged. Every fourth time it
/// is ended while it may still be starting.
fn sell_and_end(database: &Path, round: u64, signal: &str) -> Vec<Done> {
    let mut child = start(database, round);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (first, sold) = std::sync::mpsc::channel();
    let reader = thread::spawn(move || {
        let mut done = Vec::new();
        let mut line = String::new();
        while out.read_line(&mut line).unwrap_or(0) > 0 {
            done.extend(read_line(line.trim_end()));
            line.clear();
            if done.len() == 1 {
                first.send(()).unwrap();
            }
        }
        done
    });
    if round % 4 != 3 {
        let sold = sold.recv_timeout(Duration::from_secs(60));
        let said = || std::fs::read_to_string(said_in(database)).unwrap();
        assert!(sold.is_ok(), "{sold:?}: {}", said());
    }
    thread::sleep(some_time(250));
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.unwrap().success(), "the process had ended by itself");
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Some time up to so many milliseconds; the tests hold for each.
fn some_time(at_most_ms: u32) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Duration::from_micros(u64::from(now.subsec_nanos() / 7 % (at_most_ms * 1000)))
}

/// The first key of each writer that was not acknowledged: it may have been under way.
fn under_way(round: u64, done: &[Done]) -> Vec<Key> {
    let mut next: HashMap<usize, u64> = HashMap::new();
    for (key, _) in done {
        let n = next.entry(key.writer).or_default();
        *n = (*n).max(key.n + 1);
    }
    let key = |writer| Key {
        round,
        writer,
        n: next.get(&writer).copied().unwrap_or_default(),
    };
    (0..WRITERS).map(key).collect()
}

fn rounds(rounds: u64, signal: &str) {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("shop.db");
    let open = || Engine::open(&DatabaseUrl::Sqlite(database.clone()), &options()).unwrap();
    Shop::create(&open());
    let mut all: Vec<Done> = Vec::new();
    for round in 0..rounds {
        let done = sell_and_end(&database, round, signal);
        let engine = open();
        let shop = Shop::find(&engine);
        assert_eq!(shop.faults(&done), Vec::<String>::new(), "round {round}");
        all.extend(&done);
        // Whoever was not answered asks again, and once more.
        for key in under_way(round, &done) {
            let (id, _) = shop.buy(key).unwrap();
            assert_eq!(shop.buy(key).unwrap(), (id, true), "round {round}");
            all.push((key, id));
        }
    }
    let engine = open();
    let faults = Shop::find(&engine).faults(&all);
    assert_eq!(faults, Vec::<String>::new(), "after all rounds");
    assert!(all.len() > 200, "only {} purchases", all.len());
}

/// SHP-13, ARC-08: no acknowledged purchase is lost and no key has two effects, whenever the
/// process is killed.
#[test]
fn purchases_survive_kill_9() {
    rounds(20, "KILL");
}

#[test]
fn purchases_survive_a_termination() {
    rounds(5, "TERM");
}

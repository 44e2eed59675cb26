//! What README.md promises: the demo, and a purchase by curl.

use crate::program::repository;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A demo that runs while this is held.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start(folder: &Path) -> Demo {
        let mut child = Command::new(env!("CARGO_BIN_EXE_scrip"))
            .args(["demo", "--port", "0", "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut ready).unwrap();
        // Read on in the background, so that the demo can say the rest.
        std::thread::spawn(move || drop(std::io::copy(&mut out, &mut std::io::sink())));
        let url = ready.trim().strip_prefix("ready ").expect(&ready);
        let url = url.to_owned();
        Demo { child, url }
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn notes(folder: &Path) -> Value {
    let text = std::fs::read(folder.join("demo.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The lines of README.md between ```sh and ```, for this node and key.
fn script(url: &str, key: &str) -> String {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let (_, rest) = readme.split_once("```sh\n").unwrap();
    let (lines, _) = rest.split_once("```").unwrap();
    assert_eq!(lines.lines().count(), 5, "a purchase in five lines");
    lines
        .replace("http://localhost:8080", url)
        .replace("scrip_1_PASTE_THE_KEY_OF_RASTERWORKS", key)
}

/// SHP-13: the purchase of the README goes through, and run again it changes nothing.
#[test]
fn the_purchase_by_curl_works_and_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let notes = notes(folder.path());
    let key = notes["vendors"][0]["api_key"].as_str().unwrap();
    let run = || {
        let script = script(&demo.url, key);
        let done = Command::new("bash")
            .arg("-euc")
            .arg(script)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let first = run();
    let receipt = &first[first.rfind("{\"order_id\"").expect(&first)..];
    let receipt: Value = serde_json::from_str(receipt).unwrap();
    assert_eq!(receipt["total"]["amount"], "180");
    assert_eq!(receipt["remaining"]["amount"], "320");
    assert_eq!(run(), first, "nothing is done twice");
    demo.stop();
}

/// A second start finds the same data, and tells the same accounts.
#[test]
fn the_demo_is_the_same_after_a_second_start() {
    let folder = tempfile::tempdir().unwrap();
    let first = Demo::start(folder.path());
    let told = notes(folder.path());
    first.stop();
    let second = Demo::start(folder.path());
    assert_eq!(notes(folder.path()), told);
    let page = ureq::get(&second.url).call().unwrap();
    let page = page.into_body().read_to_string().unwrap();
    for vendor in told["vendors"].as_array().unwrap() {
        for customer in vendor["customers"].as_array().unwrap() {
            let number = customer["number"].as_str().unwrap();
            assert!(page.contains(number), "{number} is not on the first page");
        }
        assert!(page.contains(vendor["staff"].as_str().unwrap()));
    }
    second.stop();
}

//! The disk fills while customers buy, and has room again.
//!
//! A small file system of one's own needs rights that not every user has. A process in a mount
//! namespace of its own has them where the kernel allows such namespaces, and leaves no mount
//! behind; this test program runs itself again as that process. Where they are not allowed, a
//! disk that says it is full stands in.

use crate::shop::{Done, Key, Shop, engine_error, options};
use scrip_engine::{DatabaseUrl, Engine, Error};
use scrip_testkit::power::PowerVfs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

const DIRECTORY: &str = "SCRIP_TEST_FILL";
const PIECE: usize = 64 << 10;
const UNSHARE: [&str; 4] = [
    "--user",
    "--map-root-user",
    "--mount",
    "--propagation=private",
];

/// Buys until a purchase fails because the disk is full; how many attempts it allows is enough to
/// fill the small disk. What was acknowledged joins `done`.
fn buy_until_full(shop: &Shop, round: u64, done: &mut Vec<Done>) -> Key {
    for n in 0..20_000 {
        let key = Key {
            round,
            writer: 0,
            n,
        };
        match shop.buy(key) {
            Ok((id, _)) => done.push((key, id)),
            Err(e) => {
                let full = matches!(engine_error(&e), Some(Error::Unavailable(_)));
                assert!(full, "{e:?}");
                return key;
            }
        }
    }
    panic!("the disk never was full");
}

/// Fills the disk and makes room again, several times; returns how many purchases there were.
/// `fill` and `free` do so.
fn survives(engine: &Engine, fill: &dyn Fn(), free: &dyn Fn()) -> usize {
    let shop = Shop::create(engine);
    let mut done = Vec::new();
    for round in 0..3 {
        fill();
        let failed = buy_until_full(&shop, round, &mut done);
        // Still full: it fails again, and reading goes on.
        assert!(shop.buy(failed).is_err());
        assert_eq!(shop.orders().len(), done.len());
        assert_eq!(shop.verify(), Vec::<String>::new());
        free();
        let (id, replayed) = shop.buy(failed).unwrap();
        assert!(
            !replayed,
            "what failed for want of room left something behind"
        );
        done.push((failed, id));
        assert_eq!(shop.faults(&done), Vec::<String>::new(), "round {round}");
    }
    done.len()
}

/// Runs in a mount namespace of its own. Does nothing when run as an ordinary test.
#[test]
fn fills_a_small_disk() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let directory = Path::new(&directory);
    mount(directory).expect("mount a small file system");
    let database = directory.join("shop.db");
    let ballast = directory.join("ballast");
    let url = DatabaseUrl::Sqlite(database.clone());
    let engine = Engine::open(&url, &options()).unwrap();
    let fill = || {
        // All but a little, so that some purchases succeed before.
        let mut file = std::fs::File::create(&ballast).unwrap();
        let mut size = 0;
        while file.write_all(&[1; PIECE]).is_ok() {
            size += PIECE as u64;
        }
        file.set_len(size.saturating_sub(16 * PIECE as u64))
            .unwrap();
    };
    let free = || std::fs::remove_file(&ballast).unwrap();
    let purchases = survives(&engine, &fill, &free);
    assert!(
        purchases > 30,
        "only {purchases}: the disk was full from the start"
    );
    drop(engine);
    let engine = Engine::open(&url, &options()).unwrap();
    assert_eq!(Shop::find(&engine).verify(), Vec::<String>::new());
}

fn mount(directory: &Path) -> Result<(), String> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]);
    let output = command.arg(directory).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn may_mount(directory: &Path) -> bool {
    let mut command = Command::new("unshare");
    command
        .args(UNSHARE)
        .args(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(directory);
    command.output().is_ok_and(|o| o.status.success())
}

/// ARC-08, SHP-13: a full disk fails purchases and answers none of them wrongly; when there is
/// room again they succeed.
#[test]
fn purchases_wait_for_room_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    if !may_mount(directory.path()) {
        eprintln!("no mount namespace may be made here; a disk that says it is full stands in");
        return a_disk_that_says_it_is_full(directory.path());
    }
    let output = Command::new("unshare")
        .args(UNSHARE)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::fills_a_small_disk", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

fn a_disk_that_says_it_is_full(directory: &Path) {
    let vfs = PowerVfs::register();
    let options = scrip_engine::Options {
        vfs: Some(vfs.name().to_owned()),
        ..options()
    };
    let url = DatabaseUrl::Sqlite(directory.join("shop.db"));
    let engine = Engine::open(&url, &options).unwrap();
    let purchases = survives(&engine, &|| vfs.set_full(true), &|| vfs.set_full(false));
    assert_eq!(purchases, 3);
}

/// The same wherever mounts are not allowed.
#[test]
fn purchases_wait_for_a_disk_that_says_it_is_full() {
    a_disk_that_says_it_is_full(tempfile::tempdir().unwrap().path());
}

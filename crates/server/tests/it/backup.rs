//! `scrip backup` and `scrip restore`, between the engines and back.

use crate::program::{Program, sample};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use scrip_engine::{Options, Sequence, Tx};
use scrip_ledger::seal_next;
use scrip_testkit::TestDb;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};

both!(
    a_restore_needs_an_empty_database,
    a_restore_fills_a_database_that_was_only_tried
);

/// A database with the sample's transactions.
fn filled(db: &TestDb) -> Program<'_> {
    let program = Program::with_vendor(db);
    program.ok(&["replay", "--vendor", "retail", &sample()]);
    program
}

fn backup(program: &Program<'_>) -> String {
    let file = program.named("backup");
    program.ok(&["backup", "--to", &file]);
    file
}

/// Restores a backup and hands over the key.
fn restore<'a>(db: &'a TestDb, from: &Program<'_>, backup: &str) -> Program<'a> {
    let program = Program::new(db);
    program.ok(&["restore", "--from", backup]);
    std::fs::copy(from.path("key"), program.path("key")).unwrap();
    program
}

fn write<T: Send + 'static>(
    db: &TestDb,
    command: impl FnMut(&mut Tx<'_>) -> Result<T, scrip_ledger::Error> + Send + 'static,
) -> T {
    let engine = scrip_ledger::open(db.url(), Options::default()).unwrap();
    engine.write(command).unwrap()
}

/// Seals some of the tail.
fn seal(db: &TestDb, limit: i64) -> i64 {
    let sealed = write(db, move |tx| seal_next(tx, 1, limit));
    sealed.map_or(0, |s| s.entries)
}

fn same(one: &Program<'_>, other: &Program<'_>) {
    assert!(one.exports() == other.exports(), "the exports differ");
    let list = ["vendor", "list"];
    assert_eq!(one.json(&list), other.json(&list));
    let show = [
        "account",
        "show",
        "--vendor",
        "retail",
        "--reference",
        "17850",
    ];
    assert_eq!(one.json(&show), other.json(&show));
    assert_eq!(one.json(&["verify"]), other.json(&["verify"]));
}

/// MIC-07: a backup of either engine fills the other, whole: it verifies, exports the same, goes
/// on where it was, and goes back.
#[test]
fn a_backup_goes_to_the_other_engine_and_back() {
    let databases = [TestDb::sqlite(), TestDb::postgres(), TestDb::sqlite()];
    let first = filled(&databases[0]);
    // Some entries are sealed, others wait.
    assert_eq!(seal(&databases[0], 30), 30);
    let second = restore(&databases[1], &first, &backup(&first));
    same(&first, &second);
    // There it goes on: nothing is entered twice, new things are, and what waits is sealed.
    let report = second.json(&["replay", "--vendor", "retail", &sample()]);
    assert_eq!(
        (&report["orders"], &report["refunds"]),
        (&0.into(), &0.into())
    );
    let more = second.file("more.csv", MORE);
    let report = second.json(&["replay", "--vendor", "retail", &more]);
    assert_eq!(report["orders"], 1, "{report}");
    second.ok(&["verify"]);
    assert!(seal(&databases[1], 20) == 20);
    let third = restore(&databases[2], &second, &backup(&second));
    same(&second, &third);
    let waiting = seal(&databases[2], 1_000_000);
    assert!(waiting > 30, "{waiting} entries waited");
    assert_eq!(seal(&databases[2], 1_000_000), 0);
    third.ok(&["verify"]);
    let add = [
        "staff", "create", "--vendor", "retail", "--name", "Ada", "--role", "owner",
    ];
    third.ok(&add);
}

const MORE: &[u8] =
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
      999001,85123A,HOLDER,2,2010-12-31 08:26:00,2.55,17850.0,United Kingdom\n";

/// On PostgreSQL an entry may be sealed after later ones. Elsewhere it must still be found.
#[test]
fn an_entry_that_waits_below_sealed_ones_survives_the_move() {
    let databases = [TestDb::postgres(), TestDb::sqlite(), TestDb::postgres()];
    let first = filled(&databases[0]);
    // As when entry 1 commits only after the others were sealed.
    databases[0].run_sql("DELETE FROM entry_tail WHERE entry_id = 1");
    assert!(seal(&databases[0], 1_000_000) > 30);
    databases[0].run_sql("INSERT INTO entry_tail (book_id, entry_id) VALUES (1, 1)");
    first.ok(&["verify"]);
    let second = restore(&databases[1], &first, &backup(&first));
    same(&first, &second);
    let third = restore(&databases[2], &second, &backup(&second));
    same(&first, &third);
    for (db, program) in databases.iter().zip([&first, &second, &third]) {
        assert_eq!(seal(db, 1_000_000), 1);
        assert_eq!(seal(db, 1_000_000), 0);
        program.ok(&["verify"]);
        // The next entry comes after the highest, not after the last that was sealed.
        let more = program.file("more.csv", MORE);
        program.ok(&["replay", "--vendor", "retail", &more]);
        assert!((1..=2).contains(&seal(db, 1_000_000)));
        program.ok(&["verify"]);
    }
}

/// The lines of a backup, without the last, which vouches for them.
fn unpack(file: &str) -> Vec<String> {
    let mut text = String::new();
    let bytes = std::fs::read(file).unwrap();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.pop();
    lines
}

/// A backup of these lines that vouches for itself.
fn pack(lines: &[String]) -> Vec<u8> {
    let mut text = String::new();
    for line in lines {
        text += line;
        text.push('\n');
    }
    let sha256: String = Sha256::digest(text.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    text += &json!({ "rows": lines.len() - 1, "sha256": sha256 }).to_string();
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// The backup with another head.
fn with_head(lines: &[String], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut head: Value = serde_json::from_str(&lines[0]).unwrap();
    change(&mut head);
    pack(&[&[head.to_string()], &lines[1..]].concat())
}

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text).unwrap();
    gz.finish().unwrap()
}

type Wrong = (&'static str, Vec<u8>, &'static str);

/// Backups that must not be restored, and what is said about each.
fn wrong_backups(good: &str) -> Vec<Wrong> {
    let bytes = std::fs::read(good).unwrap();
    let packed = unpack_bytes(&pack(&unpack(good)));
    let text = unpack_bytes(&bytes);
    assert_eq!(packed, text, "this test packs as scrip does");
    [
        broken_backups(&bytes),
        foreign_backups(),
        strange_backups(&unpack(good)),
    ]
    .concat()
}

/// Backups that lost something, or in which something changed, on their way.
fn broken_backups(good: &[u8]) -> Vec<Wrong> {
    let mut damaged = good.to_vec();
    damaged[good.len() / 2] ^= 0x10;
    let half = good[..good.len() / 2].to_vec();
    let text = unpack_bytes(good);
    let edited = text.replacen("GBP", "EUR", 1);
    let last = text.rfind('\n').unwrap();
    let longer = format!("{text}\n[\"meta\",\"x\",\"y\"]\n");
    vec![
        ("empty", Vec::new(), "cannot be read to its end"),
        ("damaged", damaged, "nothing was restored"),
        ("half", half, "cannot be read to its end"),
        (
            "edited",
            zipped(edited.as_bytes()),
            "was changed or damaged",
        ),
        ("no-end", zipped(&text.as_bytes()[..last]), "is cut off"),
        ("longer", zipped(longer.as_bytes()), "goes on after its end"),
    ]
}

/// What was never a backup of this program.
fn foreign_backups() -> Vec<Wrong> {
    let dump = b"-- PostgreSQL database dump\n".to_vec();
    vec![
        ("dump", dump, "cannot be read to its end"),
        ("text", zipped(b"a,b,c\n1,2,3\n"), "is no scrip backup"),
        (
            "json",
            zipped(b"{\"format\": \"other\"}\n"),
            "is no scrip backup",
        ),
    ]
}

/// Backups that vouch for themselves, of other versions or with what no scrip writes.
fn strange_backups(lines: &[String]) -> Vec<Wrong> {
    let with_row = |row: &str| pack(&[lines, &[row.to_owned()]].concat());
    let order = lines.iter().find(|l| l.starts_with("[\"orders\""));
    let format = with_head(lines, |h| h["format"] = "scrip backup 2".into());
    let newer = with_head(lines, |h| h["schema"] = 999.into());
    let table = with_head(lines, |h| h["columns"]["robbery"] = json!(["x"]));
    let column = with_head(lines, |h| h["columns"]["book"][0] = "x) --".into());
    let unread = "a row cannot be read";
    vec![
        ("format", format, "newer scrip"),
        ("newer", newer, "is of version 999"),
        (
            "table",
            table,
            "\"robbery\" that this program does not know",
        ),
        ("column", column, "\"book\" that this program does not know"),
        ("short-row", with_row("[\"orders\", 1]"), unread),
        ("strange-row", with_row("[\"robbery\", 1]"), unread),
        ("fraction", with_row("[\"meta\", \"x\", 1.5]"), unread),
        (
            "odd-bytes",
            with_row("[\"meta\", \"x\", [\"abc\"]]"),
            unread,
        ),
        // Found when it is written.
        ("twice", with_row(order.unwrap()), ""),
    ]
}

fn unpack_bytes(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// MIC-07: a backup that is not whole, not scrip's, or of another version restores nothing.
#[test]
fn wrong_backups_restore_nothing() {
    let source = TestDb::sqlite();
    let source = filled(&source);
    let good = backup(&source);
    for (name, bytes, says) in wrong_backups(&good) {
        for target in [TestDb::sqlite(), TestDb::postgres()] {
            let program = Program::new(&target);
            let file = program.file(name, &bytes);
            let ran = program.run(&["restore", "--from", &file]);
            assert!(ran.code == 1 && ran.err.contains(says), "{name}: {ran:?}");
            // Nothing is in the way of the right one.
            program.ok(&["restore", "--from", &good]);
            program.ok(&["verify"]);
        }
    }
    let program = Program::new(source.db);
    program.fails(
        1,
        &["restore", "--from", "/nowhere/at/all"],
        &["/nowhere/at/all"],
    );
}

fn a_restore_needs_an_empty_database(db: &TestDb) {
    let program = filled(db);
    let file = backup(&program);
    let before = program.exports();
    program.fails(
        1,
        &["restore", "--from", &file],
        &["is not empty", "into a new one"],
    );
    assert_eq!(program.exports(), before);
    program.ok(&["verify"]);
}

/// What was refused before there was anything, or bound the database to a key, is no obstacle.
fn a_restore_fills_a_database_that_was_only_tried(db: &TestDb) {
    let source = TestDb::sqlite();
    let source = filled(&source);
    let program = Program::new(db);
    program.fails(
        1,
        &["vendor", "create", "--name", "x", "--slug", "No"],
        &["short name"],
    );
    program.ok(&["restore", "--from", &backup(&source)]);
    // The key that was made then is not this database's.
    let add = [
        "staff", "create", "--vendor", "retail", "--name", "Ada", "--role", "owner",
    ];
    program.fails(1, &add, &["belongs to master key", "--key-file"]);
    std::fs::copy(source.path("key"), program.path("key")).unwrap();
    program.ok(&add);
}

/// REG-13: the key is not in the backup, and nothing is written without it.
#[test]
fn a_restored_database_needs_its_key() {
    let (source, target) = (TestDb::sqlite(), TestDb::sqlite());
    let source = filled(&source);
    let file = backup(&source);
    let key = std::fs::read_to_string(source.path("key")).unwrap();
    assert!(!unpack(&file).iter().any(|line| line.contains(key.trim())));
    let program = Program::new(&target);
    let said = program.ok(&["restore", "--from", &file]);
    assert!(said.contains("put the node's key file at"), "{said}");
    let add = [
        "staff", "create", "--vendor", "retail", "--name", "Ada", "--role", "owner",
    ];
    program.fails(1, &add, &["is missing"]);
    assert!(!program.path("key").exists(), "another key was made");
}

/// Files of the database are not overwritten by mistake, and an older backup stays until the new
/// one is whole.
#[test]
fn a_backup_overwrites_no_database() {
    let db = TestDb::sqlite();
    let program = filled(&db);
    let database = db.directory().unwrap().join("test.db");
    let database = database.to_str().unwrap();
    for file in [database, &program.named("key")] {
        program.fails(1, &["backup", "--to", file], &["belongs to the database"]);
        let export = [
            "export", "--vendor", "retail", "--format", "csv", "-o", file,
        ];
        program.fails(1, &export, &["belongs to the database"]);
    }
    program.ok(&["verify"]);
    let file = backup(&program);
    let before = std::fs::read(&file).unwrap();
    program.ok(&["backup", "--to", &file]);
    assert_eq!(
        std::fs::read(&file).unwrap(),
        before,
        "the same database, the same backup"
    );
    program.fails(
        1,
        &["backup", "--to", "/nowhere/at/all"],
        &["/nowhere/at/all"],
    );
    assert!(!std::path::Path::new("/nowhere").exists());
}

/// Other writers do not come between the rows of a backup.
#[test]
fn a_backup_beside_writers_is_one_snapshot() {
    let databases = [TestDb::sqlite(), TestDb::sqlite()];
    let program = Program::with_vendor(&databases[0]);
    let mut replay = program.command(&["replay", "--vendor", "retail", &sample()]);
    let mut replay = replay.stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut backups = Vec::new();
    while replay.try_wait().unwrap().is_none() {
        let file = program.named(&format!("backup-{}", backups.len()));
        program.ok(&["backup", "--to", &file]);
        backups.push(file);
    }
    for file in &backups {
        let target = TestDb::sqlite();
        let restored = Program::new(&target);
        restored.ok(&["restore", "--from", file]);
        restored.ok(&["verify"]);
    }
    assert!(!backups.is_empty());
}

/// A restored database hands out numbers that the backup has not used.
#[test]
fn numbers_go_on_after_a_restore() {
    let source = TestDb::sqlite();
    let source = filled(&source);
    let file = backup(&source);
    let transfers = |line: &&String| line.starts_with("[\"transfer\"");
    let highest = unpack(&file).iter().filter(transfers).count() as i64;
    for target in [TestDb::sqlite(), TestDb::postgres()] {
        restore(&target, &source, &file);
        let next = write(&target, |tx| Ok(tx.next_numbers(Sequence::Transfer, 1)?));
        assert!(next > highest, "{next} follows {highest}");
    }
}

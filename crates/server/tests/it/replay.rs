//! `scrip replay`: a retailer's transactions, also when they are awkward, and when the program is
//! killed among them.

use crate::program::{Program, sample};
use scrip_testkit::TestDb;
use serde_json::Value;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

both!(
    real_transactions_are_entered_once,
    a_killed_replay_goes_on_where_it_was,
    awkward_rows_are_reported_and_stop_nothing
);

const REPLAY: [&str; 3] = ["replay", "--vendor", "retail"];

fn replay(program: &Program<'_>, file: &str) -> Value {
    program.json(&[&REPLAY[..], &[file]].concat())
}

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap()
}

/// MIC-01: the carried file comes to what its rows add up to, and a second run changes
/// nothing and says so.
fn real_transactions_are_entered_once(db: &TestDb) {
    let program = Program::with_vendor(db);
    let report = replay(&program, &sample());
    let sums = ["rows", "sales_pence", "refunds_pence"].map(|name| count(&report, name));
    assert_eq!(sums, [752, 1_386_681, 60_420]);
    let counts = ["orders", "refunds", "already_entered"].map(|name| count(&report, name));
    assert_eq!(counts, [37, 14, 0]);
    program.ok(&["verify"]);
    let before = program.exports();

    let again = replay(&program, &sample());
    for name in ["orders", "refunds", "registered"] {
        assert_eq!(count(&again, name), 0, "{name}");
    }
    assert!(count(&again, "already_entered") >= count(&report, "orders"));
    for name in ["days", "customers", "sales_pence", "refunds_pence"] {
        assert_eq!(again[name], report[name], "{name}");
    }
    let text = program.ok(&[&REPLAY[..], &[&sample()]].concat());
    assert!(text.contains("nothing changed"), "{text}");
    assert!(text.contains("sales 13866.81, refunds 604.20"), "{text}");
    assert_eq!(program.exports(), before);
    program.ok(&["verify"]);
}

/// Both engines write the same ledger, to the byte.
#[test]
fn the_engines_export_the_same() {
    let databases = [TestDb::sqlite(), TestDb::postgres()];
    let [one, other] = databases.each_ref().map(|db| {
        let program = Program::with_vendor(db);
        replay(&program, &sample());
        program.exports()
    });
    assert!(one == other, "the exports differ");
    assert!(one.iter().all(|export| export.len() > 5_000));
}

/// SHP-13: a replay that is killed and run again comes to the same as one that was not.
fn a_killed_replay_goes_on_where_it_was(db: &TestDb) {
    let whole = TestDb::sqlite();
    let whole = replay(&Program::with_vendor(&whole), &sample());
    let program = Program::with_vendor(db);
    let mut in_the_middle = 0;
    for delay_ms in (20..).step_by(40) {
        let mut command = program.command(&[&REPLAY[..], &[&sample()]].concat());
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(delay_ms));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "after {in_the_middle} kills: {status}");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        program.ok(&["verify"]);
        in_the_middle += 1;
    }
    assert!(in_the_middle > 0, "it was never killed");
    let report = replay(&program, &sample());
    assert_eq!(count(&report, "orders"), 0, "the last run was whole");
    for name in ["days", "customers", "sales_pence", "refunds_pence"] {
        assert_eq!(
            report[name], whole[name],
            "{name} after {in_the_middle} kills"
        );
    }
    program.ok(&["verify"]);
}

const HEAD: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

/// A row with one field replaced.
fn row(invoice: &str, column: usize, value: &str) -> Vec<u8> {
    let mut fields = [
        invoice,
        "84406B",
        "CUP",
        "1",
        "2010-12-01 08:26:00",
        "2.75",
        "1.0",
        "UK",
    ];
    fields[column] = value;
    (fields.join(",") + "\n").into_bytes()
}

/// Rows that cannot be entered, with the reason that each is refused for.
fn wrong_rows() -> Vec<(Vec<u8>, &'static str)> {
    let long = "9".repeat(10_000);
    let huge = "x".repeat(1_000_000);
    let mut rows = vec![
        (b"9,84406B,CUP\n".to_vec(), "malformed"),
        (
            b"9,84406B,CUP,1,2010-12-01 08:26:00,2.75,1.0,UK,more\n".to_vec(),
            "malformed",
        ),
        (
            b"9,84406B,\xff\xfe,1,2010-12-01 08:26:00,2.75,1.0,UK\n".to_vec(),
            "malformed",
        ),
        (
            b"9,84406B,Caf\xe9,1,2010-12-01 08:26:00,2.75,1.0,UK\n".to_vec(),
            "malformed",
        ),
    ];
    let cases: [(usize, &str, &'static str); 26] = [
        (0, "", "malformed"),
        (0, &long, "malformed"),
        (0, "a\0b", "malformed"),
        (1, "", "malformed"),
        (1, "a\u{7}b", "malformed"),
        (1, "a<script>", "malformed"),
        (1, &long, "malformed"),
        (1, "BANK CHARGES", "not_a_product"),
        (2, &huge, "malformed"),
        (3, "1.5", "malformed"),
        (3, "", "malformed"),
        (3, "9223372036854775808", "malformed"),
        (3, "9223372036854775807", "price_too_fine"),
        (3, "2000000000", "order_refused"),
        (3, "0", "quantity_zero"),
        (3, "-1", "quantity_negative"),
        (4, "yesterday", "malformed"),
        (4, "2010-02-30 08:26:00", "malformed"),
        (4, "1969-12-31 23:59:59", "malformed"),
        (4, "2999-12-01 08:26:00", "order_refused"),
        (5, "2.755", "malformed"),
        (5, "1e3", "malformed"),
        (5, "0", "price_not_positive"),
        (5, "-2.75", "price_not_positive"),
        (6, &long, "malformed"),
        (6, "1\u{1b}[31m", "malformed"),
    ];
    for (n, (column, value, reason)) in cases.into_iter().enumerate() {
        rows.push((row(&format!("9{n:03}"), column, value), reason));
    }
    // More tokens than there can be, in one line and over several.
    rows.push((row("8000", 5, "92233720368.00"), "order_refused"));
    rows.push((row("8001", 5, "90000000000.00"), "order_refused"));
    rows.push((row("8001", 5, "90000000000.00"), "order_refused"));
    // Refunds of what was not sold, or not so.
    rows.push((row("C7000", 3, "-1"), "no_sale"));
    rows.push((row("C7001", 3, "1"), "quantity_positive"));
    rows
}

/// MIC-01, SHP-19: rows that cannot be entered stop nothing, and each is in the report with
/// its number and the reason.
fn awkward_rows_are_reported_and_stop_nothing(db: &TestDb) {
    let program = Program::with_vendor(db);
    let wrong = wrong_rows();
    let mut bytes = HEAD.as_bytes().to_vec();
    let mut expected = Vec::new();
    for ((row, reason), n) in wrong.iter().zip(2_u64..) {
        bytes.extend_from_slice(row);
        expected.push((n, (*reason).to_owned()));
    }
    // Good ones: Unicode, a long text, the same row twice, one customer less.
    let text = "猫 café \u{1f9cb} ".repeat(20);
    for good in [
        row("1", 2, &text),
        row("1", 2, &text),
        row("2", 6, ""),
        row("3", 6, "no number at all 猫"),
    ] {
        bytes.extend_from_slice(&good);
    }
    let report = replay(&program, &program.file("awkward.csv", &bytes));
    let refusals: Vec<(u64, String)> = report["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (count(r, "row"), r["reason"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(refusals, expected);
    assert_eq!(count(&report, "orders"), 3);
    assert_eq!(count(&report, "sales_pence"), 4 * 275);
    assert_eq!(report["customers"]["1"]["sales_pence"], 2 * 275);
    program.ok(&["verify"]);
}

#[test]
fn files_that_are_no_transactions_are_refused() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let mut cut_off = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    cut_off.extend_from_slice(b"half");
    let cases: [(&str, &[u8], &str); 4] = [
        ("empty.csv", b"", "\"InvoiceNo\" is missing"),
        ("other.csv", b"a,b\n1,2\n", "\"InvoiceNo\" is missing"),
        ("bytes.csv", &[0xff, 0xfe, 0xfd, b'\n'], "header"),
        ("cut-off.csv.gz", &cut_off, "cut-off.csv.gz"),
    ];
    for (name, bytes, says) in cases {
        let file = program.file(name, bytes);
        program.fails(1, &[&REPLAY[..], &[&file]].concat(), &[says]);
    }
    program.fails(
        1,
        &["replay", "--vendor", "nobody", &sample()],
        &["\"nobody\""],
    );
    let empty = replay(&program, &program.file("none.csv", HEAD.as_bytes()));
    assert_eq!((count(&empty, "rows"), count(&empty, "orders")), (0, 0));
}

/// Compressed or not, the same file comes to the same.
#[test]
fn compressed_files_are_read_alike() {
    use std::io::Write;
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let plain = std::fs::read(sample()).unwrap();
    // Two members, as `cat a.gz b.gz` makes.
    let mut packed = Vec::new();
    let (one, two) = plain.split_at(plain.len() / 2);
    for part in [one, two] {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(part).unwrap();
        packed.extend(gz.finish().unwrap());
    }
    let report = replay(&program, &program.file("sample.csv.gz", &packed));
    assert_eq!(count(&report, "sales_pence"), 1_386_681);
    let again = replay(&program, &sample());
    assert_eq!(count(&again, "orders"), 0);
}

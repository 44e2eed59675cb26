//! `scrip import catalog`.

use crate::program::{Program, repository};
use scrip_testkit::TestDb;
use serde_json::Value;

both!(an_awkward_catalogue_is_reported_row_by_row);

const HEAD: &str = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Value,Variant SKU,\
                    Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Image Src\n";

fn import(program: &Program<'_>, file: &str, options: &[&str]) -> (i32, Value) {
    let args = [
        &["import", "catalog", "--vendor", "retail", "--json", file][..],
        options,
    ]
    .concat();
    let ran = program.run(&args);
    (ran.code, serde_json::from_str(&ran.out).unwrap())
}

/// A file in which the given rows (the header is row 1) are wrong.
fn awkward() -> (Vec<u8>, Vec<u64>) {
    let mut rows: Vec<(Vec<u8>, bool)> = Vec::new();
    let good = |text: &str| (text.as_bytes().to_vec(), true);
    rows.push(good(
        "chair,\"Chair, \"\"oak\"\"\",<p>Nice &amp; hard</p>,Maker,Seat,,true,Small,,,,12.50,\n",
    ));
    rows.push(good("chair,,,,,,,Large,,shop,4,15,\n"));
    rows.push(good("chair,,,,,,,,,,,,https://example.org/chair.jpg\n"));
    rows.push(good("café,Café 猫 \u{1f9cb},,,,,true,,,,,3,\n"));
    rows.push(good("free,Free sample,,,,,true,,,,,0,\n"));
    rows.push(good("lines,\"Title\",\"two\nlines\",,,,true,,,,,1,\n"));
    let bad = |text: &str| (text.as_bytes().to_vec(), false);
    rows.push(bad(",No handle,,,,,true,,,,,1,\n"));
    rows.push(bad("orphan,,,,,,true,,,,,1,\n"));
    rows.push(bad("noprice,No price,,,,,true,,,,,,\n"));
    rows.push(bad("words,Words,,,,,true,,,,,cheap,\n"));
    rows.push(bad("below,Below,,,,,true,,,,,-1,\n"));
    rows.push(bad("fine,Fine,,,,,true,,,,,1.123456789,\n"));
    rows.push(bad("much,Much,,,,,true,,,,,99999999999999999999,\n"));
    rows.push(bad("stock,Stock,,,,,true,,,shop,many,1,\n"));
    rows.push(bad("stock2,Stock,,,,,true,,,shop,-1,1,\n"));
    rows.push(bad("stock3,Stock,,,,,true,,,shop,9223372036854775808,1,\n"));
    rows.push(bad("short,Too short\n"));
    rows.push(bad("sku,Same SKU,,,,,true,,café,,,1,\n"));
    rows.push(bad(&format!(
        "long,{},,,,,true,,,,,1,\n",
        "x".repeat(10_000)
    )));
    rows.push(bad("bell,A \u{7} bell,,,,,true,,,,,1,\n"));
    rows.push(bad("zero,A \0 byte,,,,,true,,,,,1,\n"));
    let mut latin = b"latin,Caf\xe9,,,,,true,,,,,1,\n".to_vec();
    rows.push((std::mem::take(&mut latin), false));
    let open = format!(
        "open,\"never closed,,,,,true,,,,,1,\n{}",
        "x".repeat(300_000)
    );
    rows.push((open.into_bytes(), false));
    let wrong = (2_u64..).zip(&rows).filter(|(_, r)| !r.1).map(|(n, _)| n);
    let wrong = wrong.collect();
    // The mark that spreadsheets put before UTF-8.
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend_from_slice(HEAD.as_bytes());
    bytes.extend(rows.into_iter().flat_map(|r| r.0));
    (bytes, wrong)
}

fn error_rows(report: &Value) -> Vec<u64> {
    let errors = report["errors"].as_array().unwrap();
    errors.iter().map(|e| e["row"].as_u64().unwrap()).collect()
}

/// SHP-09: a shop's catalogue is read row by row; wrong rows are named and enter nothing.
fn an_awkward_catalogue_is_reported_row_by_row(db: &TestDb) {
    let program = Program::with_vendor(db);
    let (bytes, wrong) = awkward();
    let file = program.file("awkward.csv", &bytes);
    for options in [&["--dry-run"][..], &[]] {
        let (code, report) = import(&program, &file, options);
        assert_eq!((code, error_rows(&report)), (1, wrong.clone()), "{report}");
        assert_eq!(report["entered"], false);
        assert_eq!(
            program.exports_of_catalog(),
            0,
            "{options:?} entered something"
        );
    }
    let (code, report) = import(&program, &file, &["--skip-errors"]);
    assert_eq!((code, error_rows(&report)), (0, wrong), "{report}");
    assert_eq!(report["new_products"], 4);
    assert_eq!(report["new_offers"], 5);
    // Again: nothing is new.
    let (code, report) = import(&program, &file, &["--skip-errors"]);
    assert_eq!(
        (code, &report["new_products"], &report["new_offers"]),
        (0, &0.into(), &0.into())
    );
    assert_eq!(report["changed_offers"], 5);
    let text = program.run(&[
        "import",
        "catalog",
        "--vendor",
        "retail",
        "--dry-run",
        &file,
    ]);
    assert_eq!(text.code, 1);
    assert!(text.out.contains("row 8: has no handle"), "{}", text.out);
    assert!(text.err.contains("rows are wrong"), "{}", text.err);
}

/// SHP-09: a file as an old spreadsheet writes it; what goes off sale is said before and after.
#[test]
fn a_file_of_an_old_spreadsheet_is_entered() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let text = "sep=;\r\nHandle;Title;Variant SKU;Variant Price;Published\r\n\
                cafe;Caf\u{e9} cr\u{e8}me;cafe;2,50;PUBLISHED\r\n";
    let latin = |published: &str| -> Vec<u8> {
        let text = text.replace("PUBLISHED", published);
        text.chars().map(|c| u8::try_from(c).unwrap()).collect()
    };
    let file = program.file("old.csv", &latin("true"));
    let (code, report) = import(&program, &file, &[]);
    assert_eq!((code, &report["new_offers"]), (0, &1.into()), "{report}");
    let file = program.file("off.csv", &latin("false"));
    let off = serde_json::json!([{ "row": 3, "sku": "cafe", "order_lists": 0 }]);
    let (_, report) = import(&program, &file, &["--dry-run"]);
    assert_eq!(report["off_sale"], off);
    let said = program.run(&["import", "catalog", "--vendor", "retail", &file]);
    assert_eq!(said.code, 0);
    assert!(
        said.out.contains("row 3: cafe is taken off sale"),
        "{}",
        said.out
    );
}

impl Program<'_> {
    /// How many products the database has.
    fn exports_of_catalog(&self) -> i64 {
        use scrip_engine::Read;
        let options = scrip_engine::Options {
            read_only: true,
            ..Default::default()
        };
        let engine = self.db.open_with(&options);
        let count = engine.read(|tx| tx.query_one("SELECT COUNT(*) FROM product", &[])?.int(0));
        count.unwrap()
    }
}

#[test]
fn files_that_are_no_catalogue_are_refused() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    let cases: [(&str, &[u8], &str); 5] = [
        ("empty.csv", b"", "row 1: the column \"Handle\" is missing"),
        ("other.csv", b"a,b,c\n1,2,3\n", "is this a product export?"),
        ("bytes.csv", &[0xff, 0xfe, 0, 1, 2, 3], "row 1"),
        ("half.csv", b"Handle,Title\nx,y\n", "Variant Price"),
        ("table.ods", b"PK\x03\x04\x14\0\0\x08", "row 1"),
    ];
    for (name, bytes, says) in cases {
        let file = program.file(name, bytes);
        program.fails(
            1,
            &["import", "catalog", "--vendor", "retail", &file],
            &[says],
        );
    }
    let nowhere = program.named("nowhere.csv");
    program.fails(
        1,
        &["import", "catalog", "--vendor", "retail", &nowhere],
        &["nowhere.csv"],
    );
    let file = program.file(
        "good.csv",
        format!("{HEAD}a,A,,,,,true,,,,,1,\n").as_bytes(),
    );
    program.fails(
        1,
        &["import", "catalog", "--vendor", "nobody", &file],
        &["\"nobody\""],
    );
}

/// SHP-09: real shops' exports enter whole. They lie beside the repository and may be absent.
#[test]
fn real_catalogues_are_entered() {
    let db = TestDb::sqlite();
    let program = Program::with_vendor(&db);
    for name in ["apparel.csv", "home-and-garden.csv", "jewelery.csv"] {
        let file = repository("../shared/data").join(name);
        if !file.exists() {
            eprintln!("{} is not there; left out", file.display());
            continue;
        }
        let file = file.to_str().unwrap();
        let (code, dry) = import(&program, file, &["--dry-run"]);
        assert_eq!((code, error_rows(&dry)), (0, vec![]), "{name}");
        let before = program.exports_of_catalog();
        let (code, report) = import(&program, file, &[]);
        assert_eq!(code, 0, "{name}: {report}");
        assert_eq!(report["products"], dry["products"]);
        let new = report["new_products"].as_i64().unwrap();
        assert!(
            new > 0 && program.exports_of_catalog() == before + new,
            "{name}: {report}"
        );
    }
}

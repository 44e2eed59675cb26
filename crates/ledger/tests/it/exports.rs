//! Exports of a small book with awkward names, checked by the programs that accountants use.
//!
//! `scripts/install-test-tools` installs those. Where they are absent the check is left out,
//! except where `CI=true` is set.

use crate::world::{Shop, World, both, leg, plain, units};
use scrip_engine::Timestamp;
use scrip_ledger::export::{Format, book_export};
use scrip_ledger::{AccountKind, Book, Leg, Posting, entry_post, seal_next};
use scrip_testkit::TestDb;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

both!(
    beancount_accepts_the_book_and_no_wrong_balance,
    hledger_accepts_the_book_and_no_wrong_balance,
    the_csv_is_readable_and_sums_to_zero,
    an_empty_book_is_exported,
    books_are_exported_alike_by_both_engines,
);

const LABELS: [&str; 9] = [
    "4711-0",
    "\"quoted\"; and, more",
    "=cmd()|' /C calc'!A0",
    "Größe Ünïcode 東京 🎈",
    "two  spaces\tand\ttabs",
    "line\nbreak\r\n",
    "a:b:c",
    "-",
    "",
];

const REFERENCES: [&str; 7] = [
    "INV \"1\"",
    "; a comment | payee",
    "=cmd()",
    "-1+1",
    "(code) {braces} [2010-01-01] #tag ^link",
    "東京\n    Assets:Fake  1 EUR",
    "@SUM(A1)",
];

/// A book with each label as a wallet and each reference as an entry.
fn awkward_book(w: &World<'_>) -> (Shop, Book) {
    let (shop, book) = w.shop_named("awk-ward", "A \"shop\" \\ of; many | names\n");
    let wallets: Vec<i64> = LABELS.iter().map(|label| shop.wallet(w, label)).collect();
    // Another that looks the same, and another of the same kind and label but not asset.
    shop.wallet(w, "=cmd()|' /C calc'!A0");
    shop.account(w, AccountKind::Spent, shop.money, "main");
    for (n, wallet) in wallets.iter().enumerate() {
        let n = i64::try_from(n).expect("small");
        let amount = 1_234_567 * (n + 1);
        let grant = shop.issue(w, *wallet, amount);
        let legs = [
            leg(*wallet, shop.spent, amount - n, grant),
            plain(shop.deferred, shop.processor, 99_999_999 * n + 1),
        ];
        let reference = REFERENCES[usize::try_from(n).expect("small") % REFERENCES.len()];
        // Entered later than they count, in another order.
        let at = w.clock_at(-86_400 * (n * 5 % 7));
        post(w, shop, reference, at, legs.to_vec());
        if n == 4 {
            w.write(move |tx| seal_next(tx, shop.book, 100))
                .expect("sealed");
        }
    }
    let grant = shop.issue(w, wallets[0], 9_000_000_000_000_000_000);
    shop.hold(w, wallets[0], &[(grant, 3)]).expect("a hold");
    (shop, book)
}

fn post(w: &World<'_>, shop: Shop, reference: &'static str, at: Timestamp, legs: Vec<Leg>) {
    w.write(move |tx| {
        let event_id = tx.new_id()?;
        let posting = Posting {
            book_id: shop.book,
            event_id,
            code: "order",
            actor: "tester",
            reference,
            effective_at: at,
            legs: &legs,
        };
        entry_post(tx, &posting)
    })
    .expect("an order");
}

fn export(w: &World<'_>, book: &Book, format: Format) -> String {
    w.read(|tx| book_export(tx, book, format))
}

/// Writes a text to a file of the test's own directory.
fn file(directory: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("write the export");
    path
}

/// Runs a checker; `None` when it is not installed.
fn check(program: &Path, args: &[&str], file: &Path) -> Option<(bool, String)> {
    let output = match Command::new(program).args(args).arg(file).output() {
        Ok(output) => output,
        Err(e) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            panic!("{}: {e}; run scripts/install-test-tools", program.display())
        }
        Err(_) => return None,
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Some((output.status.success(), said))
}

fn bean_check(file: &Path) -> Option<(bool, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // `--no-cache`: two files of one name follow each other quickly.
    let program = root.join("target/tools/venv/bin/bean-check");
    check(&program, &["--no-cache"], file)
}

fn hledger_check(file: &Path) -> Option<(bool, String)> {
    check(Path::new("hledger"), &["check", "--strict", "-f"], file)
}

/// The text with the balance of the sales account made wrong by one unit.
fn with_a_wrong_balance(w: &World<'_>, shop: Shop, text: &str) -> String {
    // Journals are debit positive.
    let balance = -shop.balance(w, shop.spent);
    let right = format!(" {} ", units(balance).decimal(6));
    let wrong = format!(" {} ", units(balance + 1).decimal(6));
    let at = text.rfind(&right).expect("it is asserted");
    format!("{}{wrong}{}", &text[..at], &text[at + right.len()..])
}

fn beancount_accepts_the_book_and_no_wrong_balance(db: &TestDb) {
    let w = World::new(db);
    let (shop, book) = awkward_book(&w);
    let text = export(&w, &book, Format::Beancount);
    let directory = tempfile::tempdir().expect("a directory");
    let good = file(&directory, "good.beancount", &text);
    let Some((accepted, said)) = bean_check(&good) else {
        return;
    };
    assert!(accepted, "{said}\n{text}");
    let wrong = with_a_wrong_balance(&w, shop, &text);
    let wrong = file(&directory, "wrong.beancount", &wrong);
    let (accepted, said) = bean_check(&wrong).expect("it ran before");
    assert!(!accepted && said.contains("Balance failed"), "{said}");
}

fn hledger_accepts_the_book_and_no_wrong_balance(db: &TestDb) {
    let w = World::new(db);
    let (shop, book) = awkward_book(&w);
    let text = export(&w, &book, Format::Hledger);
    let directory = tempfile::tempdir().expect("a directory");
    let good = file(&directory, "good.journal", &text);
    let Some((accepted, said)) = hledger_check(&good) else {
        return;
    };
    assert!(accepted, "{said}\n{text}");
    let wrong = with_a_wrong_balance(&w, shop, &text);
    let wrong = file(&directory, "wrong.journal", &wrong);
    let (accepted, said) = hledger_check(&wrong).expect("it ran before");
    assert!(!accepted && said.contains("assert"), "{said}");
}

/// A CSV file as rows of fields, by the rules of RFC 4180.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(
        row.is_empty() && field.is_empty() && !quoted,
        "it ends in a line break"
    );
    rows
}

/// MIC-07: what one account gets another gives, to the last decimal.
fn the_csv_is_readable_and_sums_to_zero(db: &TestDb) {
    let w = World::new(db);
    let (shop, book) = awkward_book(&w);
    let text = export(&w, &book, Format::Csv);
    let rows = rows(&text);
    let header = [
        "entry_id",
        "effective_at",
        "code",
        "reference",
        "account",
        "asset",
        "amount",
    ];
    assert_eq!(rows[0], header);
    let mut sums: BTreeMap<&str, scrip_ledger::Amount> = BTreeMap::new();
    let mut accounts: BTreeMap<&str, scrip_ledger::Amount> = BTreeMap::new();
    for row in &rows[1..] {
        assert_eq!(row.len(), 7, "{row:?}");
        for field in &row[..6] {
            assert!(
                !field.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{field}"
            );
        }
        let scale = if row[5] == "EUR" { 8 } else { 6 };
        let amount = scrip_ledger::Amount::parse(&row[6], scale).expect("an amount");
        for (map, key) in [(&mut sums, &row[5]), (&mut accounts, &row[4])] {
            let sum = map.entry(key).or_default();
            *sum = sum.plus(amount).expect("fits");
        }
    }
    assert_eq!(sums.len(), 2);
    assert!(sums.values().all(|s| s.is_zero()), "{sums:?}");
    assert_eq!(
        accounts["awk-ward:processor:main"].units(),
        shop.balance(&w, shop.processor)
    );
    let label = format!("awk-ward:wallet:{}", LABELS[1]);
    assert_eq!(accounts[label.as_str()], units(1));
    let references: Vec<&str> = rows.iter().map(|r| r[3].as_str()).collect();
    for reference in REFERENCES {
        let safe = format!("'{reference}");
        assert!(
            references.iter().any(|r| *r == reference || *r == safe),
            "{reference}"
        );
    }
    let times: Vec<&String> = rows[1..].iter().map(|r| &r[1]).collect();
    assert!(times.is_sorted(), "by the time that counts");
}

fn an_empty_book_is_exported(db: &TestDb) {
    let w = World::new(db);
    let (_, book) = w.shop_named("empty", "Nothing yet");
    assert_eq!(export(&w, &book, Format::Csv).lines().count(), 1);
    let directory = tempfile::tempdir().expect("a directory");
    let text = export(&w, &book, Format::Beancount);
    if let Some((accepted, said)) = bean_check(&file(&directory, "empty.beancount", &text)) {
        assert!(accepted, "{said}\n{text}");
    }
    let text = export(&w, &book, Format::Hledger);
    if let Some((accepted, said)) = hledger_check(&file(&directory, "empty.journal", &text)) {
        assert!(accepted, "{said}\n{text}");
    }
}

/// The same commands make the same book on either engine.
fn books_are_exported_alike_by_both_engines(db: &TestDb) {
    let other = if db.is_sqlite() {
        TestDb::postgres()
    } else {
        TestDb::sqlite()
    };
    let texts = [db, &other].map(|db| {
        let w = World::new(db);
        let (_, book) = awkward_book(&w);
        [Format::Beancount, Format::Hledger, Format::Csv].map(|f| export(&w, &book, f))
    });
    assert_eq!(texts[0], texts[1]);
}

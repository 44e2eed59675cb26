//! The built program, run as a person or a script does.

use crate::client::ALL_SCOPES;
use scrip_testkit::TestDb;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The program with a database, and a folder for files.
pub struct Program<'a> {
    pub db: &'a TestDb,
    files: TempDir,
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl<'a> Program<'a> {
    pub fn new(db: &'a TestDb) -> Program<'a> {
        Program {
            db,
            files: tempfile::tempdir().unwrap(),
        }
    }

    /// With a vendor `retail` that sells its token for a penny.
    pub fn with_vendor(db: &'a TestDb) -> Program<'a> {
        let program = Program::new(db);
        program.ok(&[
            "vendor",
            "create",
            "--name",
            "Retail",
            "--slug",
            "retail",
            "--currency",
            "GBP",
        ]);
        program
    }

    pub fn database(&self) -> String {
        self.db.url().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// The path of a file that need not exist, as an argument.
    pub fn named(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.named(name)
    }

    /// The command line, without the database where `args` name one.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scrip"));
        command
            .args(args)
            .env("SCRIP_DATABASE", self.database())
            .env("SCRIP_KEY_FILE", self.path("key"))
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran {
            code: output.status.code().expect("it was not killed"),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Runs what succeeds; its output.
    pub fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.out
    }

    /// The same of a line without quotes.
    pub fn line(&self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        self.ok(&words)
    }

    /// A key of a vendor that may do everything.
    pub fn key(&self, vendor: &str) -> String {
        let create = ["api-key", "create", "--vendor", vendor, "--name", "tests"];
        let made = self.json(&[&create[..], &["--scope", ALL_SCOPES]].concat());
        made["key"].as_str().unwrap().to_owned()
    }

    /// Runs what succeeds with --json.
    pub fn json(&self, args: &[&str]) -> Value {
        let out = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&out).unwrap()
    }

    /// Runs what ends with an exit code, saying these words on standard error.
    pub fn fails(&self, code: i32, args: &[&str], says: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        for words in says {
            assert!(
                ran.err.contains(words),
                "{args:?} does not say {words:?}: {ran:?}"
            );
        }
        ran
    }

    /// The vendor's ledger, in all formats.
    pub fn exports(&self) -> [String; 3] {
        ["beancount", "hledger", "csv"]
            .map(|format| self.ok(&["export", "--vendor", "retail", "--format", format]))
    }
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// The real transactions that the repository carries.
pub fn sample() -> String {
    repository("data/retail-sample.csv")
        .to_str()
        .unwrap()
        .to_owned()
}

//! `scrip demo`.

use super::open::Database;
use super::serve;
use crate::config::{Cards, Settings};
use crate::demo::{DemoNotes, build};
use crate::failure::Failure;
use clap::Args;
use scrip_engine::DatabaseUrl;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Demo {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The folder for the demo's data [default: scrip/demo in the user's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Throw the demo's data away and begin anew
    #[arg(long)]
    fresh: bool,
    /// Play the figures of the specification through the API of a demo of its own, say what each step
    /// moved, and end
    #[arg(long, conflicts_with_all = ["data", "fresh", "port"])]
    story: bool,
}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        if self.story {
            return story();
        }
        let folder = self.data.clone().map_or_else(default_folder, Ok)?;
        std::fs::create_dir_all(&folder).map_err(|e| Failure::file(&folder, e))?;
        let listen = SocketAddr::from(([127, 0, 0, 1], self.port));
        if self.port != 0 {
            // Said before minutes go into building.
            std::net::TcpListener::bind(listen).map_err(|e| {
                Failure::Refused(format!(
                    "port {} is taken ({e}): give another with --port, or --port 0 for a free one",
                    self.port
                ))
            })?;
        }
        let database = DatabaseUrl::Sqlite(folder.join("demo.db"));
        let open = || {
            Database {
                database: database.clone(),
                key_file: None,
            }
            .node()
        };
        let file = folder.join("demo.json");
        let (node, notes) = match read(&file)?.filter(|_| !self.fresh) {
            Some(notes) => (open()?, notes),
            None => {
                // Without its notes the database is one that was not finished.
                clear(&folder, &database)?;
                let node = open()?;
                let notes = build(&node)?;
                write(&file, &notes)?;
                (node, notes)
            }
        };
        let mut settings = Settings::new(database, listen);
        settings.cards = Cards::Test;
        let told = notes.clone();
        let place = folder.display().to_string();
        let ready = move |address| tell(&told, address, &place);
        serve::run(node, settings, Some(notes), ready, None)
    }
}

/// A demo in a folder that is gone afterwards, on a free port, until the story is told.
fn story() -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|e| Failure::file(Path::new("story"), e))?;
    let database = DatabaseUrl::Sqlite(folder.path().join("story.db"));
    let node = Database {
        database: database.clone(),
        key_file: None,
    }
    .node()?;
    let notes = build(&node)?;
    let mut settings = Settings::new(database, SocketAddr::from(([127, 0, 0, 1], 0)));
    settings.cards = Cards::Test;
    let (end, ended) = tokio::sync::oneshot::channel();
    let (send, outcome) = std::sync::mpsc::channel();
    let told = notes.clone();
    let ready = move |address| {
        std::thread::spawn(move || {
            drop(send.send(super::story::play(address, &told)));
            let _ = end.send(());
        });
        "Riverside: three shops, a manufacturer, a franchise of two".to_owned()
    };
    serve::run(node, settings, Some(notes), ready, Some(ended))?;
    outcome
        .recv()
        .unwrap_or_else(|_| Err(Failure::Refused("the story was not told to its end".into())))
}

fn default_folder() -> Result<PathBuf, Failure> {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    data.or(home)
        .map(|base| base.join("scrip/demo"))
        .ok_or_else(|| {
            Failure::Usage("say with --data DIR where the demo may keep its data".into())
        })
}

fn read(file: &Path) -> Result<Option<DemoNotes>, Failure> {
    match std::fs::read(file) {
        // Notes that cannot be read are those of an unfinished or an older demo.
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::file(file, e)),
    }
}

fn write(file: &Path, notes: &DemoNotes) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(notes)
        .map_err(|e| Failure::Refused(format!("cannot write the demo's notes: {e}")))?;
    // Whole or not at all: a half file would be taken for an unfinished demo.
    let part = file.with_extension("json.part");
    std::fs::write(&part, text).map_err(|e| Failure::file(&part, e))?;
    std::fs::rename(&part, file).map_err(|e| Failure::file(file, e))
}

fn clear(folder: &Path, database: &DatabaseUrl) -> Result<(), Failure> {
    let lock = folder.join("demo.db.lock");
    if lock.exists() {
        // Opening takes the lock: a demo that is running keeps its data.
        drop(scrip_ledger::open(
            database,
            scrip_engine::Options::default(),
        )?);
    }
    for name in [
        "demo.json",
        "demo.db",
        "demo.db-wal",
        "demo.db-shm",
        "demo.db.key",
    ] {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::file(&path, e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the newcomer reads in the terminal.
fn tell(notes: &DemoNotes, address: SocketAddr, folder: &str) -> String {
    let at = format!("http://localhost:{}", address.port());
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    line(format!("ready {at}"));
    line(String::new());
    line("Open that address in a browser. Three shops sell for tokens of their own:".into());
    for vendor in &notes.vendors {
        line(String::new());
        line(format!("  {} ({at}/shops/{})", vendor.name, vendor.slug));
        for customer in &vendor.customers {
            line(format!(
                "    account {}, PIN {}: {}",
                customer.number, customer.pin, customer.about
            ));
        }
        line(format!(
            "    staff {}, password {}: {at}/shops/{}/staff",
            vendor.staff, vendor.staff_password, vendor.slug
        ));
        line(format!("    API key {}", vendor.api_key));
    }
    if let Some(office) = notes.vendors.first() {
        line(String::new());
        line(format!(
            "All of them belong to the mall Riverside, which staff of {} run: \
             {at}/shops/{}/staff/office/riverside",
            office.name, office.slug
        ));
    }
    line(String::new());
    line("Cards: test_ok pays, test_declined is declined, test_timeout answers late.".into());
    line(format!(
        "The API is described at {at}/docs. Data is kept in {folder}."
    ));
    text.push_str("Stop with Ctrl-C.");
    text
}

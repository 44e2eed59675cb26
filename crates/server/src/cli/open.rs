//! Opening the database that a command names.

use crate::failure::Failure;
use crate::key_file;
use clap::Args;
use scrip_domain::Node;
use scrip_engine::{DatabaseUrl, Engine, Options};
use std::path::{Path, PathBuf};

/// Where the database and its key are.
#[derive(Clone, Debug, Args)]
pub struct Database {
    /// The database: sqlite:PATH or postgres://USER@HOST:PORT/NAME
    #[arg(
        long,
        env = "SCRIP_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    pub database: DatabaseUrl,
    /// The file with the master key [default: PATH.key beside a SQLite database, else in the
    /// user's data folder]; made at first use. Keep a copy apart from backups
    #[arg(long, env = "SCRIP_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl Database {
    /// Opens for writing, creating what does not exist.
    pub fn node(&self) -> Result<Node, Failure> {
        let engine = scrip_ledger::open(&self.database, Options::default())?;
        let path = self.key_path();
        let known = Node::master_key(&engine)?;
        let vault = key_file::open(&path, known.is_none())?;
        if let Some(known) = known
            && known != vault.fingerprint()
        {
            return Err(Failure::Refused(format!(
                "the database belongs to master key {known}, {} holds {}: give the right file \
                 with --key-file",
                path.display(),
                vault.fingerprint()
            )));
        }
        Ok(Node::new(engine, vault)?)
    }

    /// Opens for reading: works beside a running node.
    pub fn reader(&self) -> Result<Engine, Failure> {
        if let DatabaseUrl::Sqlite(path) = &self.database
            && !path.exists()
        {
            return Err(Failure::NoDatabase(path.display().to_string()));
        }
        let options = Options {
            read_only: true,
            ..Options::default()
        };
        Ok(scrip_ledger::open(&self.database, options)?)
    }

    /// Refuses to write a file over the database or its key.
    pub fn keep_off(&self, file: &Path) -> Result<(), Failure> {
        let mut own = vec![self.key_path()];
        if let DatabaseUrl::Sqlite(path) = &self.database {
            own.extend(["", "-wal", "-shm", ".lock"].map(|end| {
                let mut name = path.clone().into_os_string();
                name.push(end);
                PathBuf::from(name)
            }));
        }
        let place = |path: &Path| std::fs::canonicalize(path).ok();
        if own
            .iter()
            .any(|o| place(o).is_some_and(|o| Some(o) == place(file)))
        {
            let file = file.display();
            return Err(Failure::Refused(format!(
                "{file} belongs to the database: write to another file"
            )));
        }
        Ok(())
    }

    /// Where the key file is.
    pub fn key_path(&self) -> PathBuf {
        self.key_file
            .clone()
            .unwrap_or_else(|| key_file::default_path(&self.database))
    }
}

//! The file with the node's master key: 64 hexadecimal digits, readable by its owner alone.

use crate::failure::Failure;
use scrip_domain::vault::{SecretKey, Vault};
use scrip_engine::DatabaseUrl;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where the key is when nothing else was said: beside a SQLite database; for PostgreSQL in the
/// user's data folder, by the database's address without password.
pub fn default_path(database: &DatabaseUrl) -> PathBuf {
    match database {
        DatabaseUrl::Sqlite(path) => {
            let mut name = path.clone().into_os_string();
            name.push(".key");
            name.into()
        }
        DatabaseUrl::Postgres(_) => {
            let home = || std::env::var_os("HOME").map(|h| Path::new(&h).join(".local/share"));
            let data = std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(home);
            let digest = Sha256::digest(database.to_string().as_bytes());
            let name: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
            data.unwrap_or_default()
                .join("scrip")
                .join(format!("{name}.key"))
        }
    }
}

/// Reads the key, or makes one when the file does not exist and `create` says so: for a database
/// that has none yet.
pub fn open(path: &Path, create: bool) -> Result<Vault, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, text.trim()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && create => make(path),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Failure::Refused(format!(
            "the key file {} is missing, and without it the database cannot be used: put it \
             there, or say where it is with --key-file",
            path.display()
        ))),
        Err(e) => Err(Failure::file(path, e)),
    }
}

fn parse(path: &Path, text: &str) -> Result<Vault, Failure> {
    let wrong = || {
        Failure::Refused(format!(
            "{}: a key file has 64 hexadecimal digits",
            path.display()
        ))
    };
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    let mut key = [0; 32];
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
    }
    Ok(Vault::new(SecretKey::new(key)))
}

fn make(path: &Path) -> Result<Vault, Failure> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|e| Failure::Refused(format!("no randomness: {e}")))?;
    let text: String = key.iter().map(|b| format!("{b:02x}")).collect();
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|e| Failure::file(folder, e))?;
    }
    // Written beside and linked: whoever finds the file finds all of it.
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut file| {
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::hard_link(&part, path)
    });
    drop(std::fs::remove_file(&part));
    match written {
        Ok(()) => Ok(Vault::new(SecretKey::new(key))),
        // Another process was first: its key counts.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => open(path, false),
        Err(e) => Err(Failure::file(path, e)),
    }
}

//! How an engine is opened.

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::memory::{Memory, NoMemory};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://USER[:PASSWORD]@HOST[:PORT]/NAME`.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(Error::Address(text.to_owned()));
            }
            return Ok(DatabaseUrl::Sqlite(path.into()));
        }
        let known = text.starts_with("postgres://") || text.starts_with("postgresql://");
        match text.parse::<tokio_postgres::Config>() {
            Ok(config) if known && config.get_dbname().is_some() => {
                Ok(DatabaseUrl::Postgres(text.to_owned()))
            }
            _ => Err(Error::Address(without_password(text))),
        }
    }
}

/// Addresses end up in messages and logs; passwords must not.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let place = match place.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{user}@{host}")
        }
        None => place.to_owned(),
    };
    let kept: Vec<&str> = settings
        .split('&')
        .filter(|s| !s.is_empty() && !s.to_lowercase().starts_with("password"))
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{scheme}://{place}{mark}{}", kept.join("&"))
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::manual_non_exhaustive)] // The hidden variant is used, by tests.
pub enum Durability {
    /// Always: what is answered survives a power loss.
    #[default]
    Full,
    /// Never. Only for the test that shows that the power-loss test can fail.
    #[doc(hidden)]
    Off,
}

/// Options of [`crate::Engine::open`].
#[derive(Clone)]
pub struct Options {
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// A seed for ids and randomness; `None` takes the operating system's. Only for tests.
    pub seed: Option<u64>,
    /// Makes the memory of a writer.
    pub memory: Arc<dyn Fn() -> Box<dyn Memory> + Send + Sync>,
    /// Only read: the database may be in use by another process, and is not migrated.
    pub read_only: bool,
    /// PostgreSQL connections that write.
    pub workers: usize,
    /// Whether a commit waits for the disk.
    pub durability: Durability,
    /// The SQLite VFS to use, by its registered name; `None` is the system's.
    pub vfs: Option<String>,
    /// Tests only: leave out PostgreSQL's row locks, to show that a test would notice.
    #[doc(hidden)]
    pub without_row_locks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            clock: Arc::new(SystemClock),
            seed: None,
            memory: Arc::new(|| Box::new(NoMemory)),
            read_only: false,
            workers: 16,
            durability: Durability::Full,
            vfs: None,
            without_row_locks: false,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("read_only", &self.read_only)
            .field("workers", &self.workers)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_left_out_wherever_they_stand() {
        let cases = [
            ("postgres://me:secret@host:1/x", "postgres://me@host:1/x"),
            ("postgres://me:se@cret@host/x", "postgres://me@host/x"),
            ("postgres://host/x?password=secret", "postgres://host/x"),
            (
                "postgres://me@host/x?sslmode=disable&Password=secret&a=b",
                "postgres://me@host/x?sslmode=disable&a=b",
            ),
            ("sqlite:a@b", "sqlite:a@b"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_password(text), shown, "{text}");
        }
    }
}

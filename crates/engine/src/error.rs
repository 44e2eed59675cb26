//! What can go wrong below the rules: the database, the disk, the connection.

/// Result of the engine.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the engine. The rules' own refusals are not here.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database address cannot be read.
    #[error(
        "cannot read the database address {0:?}: use sqlite:PATH or postgres://USER@HOST:PORT/NAME"
    )]
    Address(String),
    /// Another process holds the SQLite file.
    #[error(
        "{0} is in use by another scrip process: stop that one, or run this command through it"
    )]
    InUse(String),
    /// The database was written by a later version.
    #[error(
        "the database is of version {found}, this program knows versions up to {known}: use a newer scrip"
    )]
    NewerDatabase {
        /// Version found in the database.
        found: i64,
        /// Highest version that this program knows.
        known: i64,
    },
    /// An applied migration is not the one that this program carries.
    #[error(
        "migration {0} was applied with another text than this program carries: restore the matching scrip, or a backup"
    )]
    MigrationChanged(i64),
    /// The database cannot serve now. Nothing of the command stands.
    #[error("the database cannot serve now, and nothing of this command was kept; try again: {0}")]
    Unavailable(String),
    /// The connection, or the disk, failed while the commit was on its way.
    #[error(
        "the database failed during commit; repeat the command under the same idempotency key to learn its outcome: {0}"
    )]
    OutcomeUnknown(String),
    /// Too many conflicting commands, after all retries.
    #[error("other commands kept changing the same rows; nothing was kept, try again: {0}")]
    Contention(String),
    /// A row that breaks its own rules.
    #[error("corrupt data, run `scrip verify`: {0}")]
    Corrupt(String),
    /// A statement that the database refused: a defect of this program.
    #[error("statement refused by the database: {0}")]
    Statement(String),
    /// The command panicked; its transaction was rolled back.
    #[error("the command failed inside scrip and was rolled back: {0}")]
    Panicked(String),
    /// The engine was closed.
    #[error("the database was closed")]
    Closed,
}

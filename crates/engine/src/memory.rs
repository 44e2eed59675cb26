//! What a writer holds in memory between statements.
//!
//! On SQLite one writer does all writing, so the rows that every command touches (account heads,
//! lots) can stay in memory and be written back once a batch. On PostgreSQL the same structure
//! lives for one transaction. Either way it is read only through its owner (the ledger), is
//! undone with a command that fails, and is thrown away whenever the database's state is in doubt.

use crate::error::Result;
use crate::tx::Store;
use std::any::Any;

/// State held by a writer; see the module's documentation.
pub trait Memory: Any + Send {
    /// A point to come back to.
    fn mark(&mut self) -> usize;
    /// Undoes everything since `mark`.
    fn rollback(&mut self, mark: usize);
    /// Writes what changed. Called once before each commit, outside every savepoint.
    fn flush(&mut self, store: &mut dyn Store) -> Result<()>;
    /// Called after the commit succeeded.
    fn committed(&mut self);
    /// Forgets everything: the database may differ from what is held.
    fn clear(&mut self);
}

/// Memory of an engine that holds nothing.
#[derive(Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn mark(&mut self) -> usize {
        0
    }
    fn rollback(&mut self, _mark: usize) {}
    fn flush(&mut self, _store: &mut dyn Store) -> Result<()> {
        Ok(())
    }
    fn committed(&mut self) {}
    fn clear(&mut self) {}
}

//! A disk that loses power: what was written but not synced is gone.
//!
//! Killing a process proves nothing about syncing, for the system keeps what the process wrote.
//! So a VFS (`power/vfs.rs`) passes everything on to SQLite's own, and notes for each file what a
//! sync has made durable and what has changed since. [`PowerVfs::snapshot_to`] writes the disk as
//! it would be found after a power cut at that instant, while the writers go on.
//!
//! The model: a sync makes all earlier writes to that file durable, and no others. Unsynced
//! writes may have reached the disk or not, in any order and torn at sectors; a write never harms
//! bytes outside of it. Creating and deleting a file is durable at once.
//!
//! Read on: `power_rounds.rs` runs a workload over it.

mod disk;
mod vfs;

pub use disk::Unsynced;

pub(crate) use disk::Random;

use disk::Disk;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A registered VFS with the disk under it. Its files stay usable after it is dropped, but then
/// nothing is recorded any more.
#[derive(Debug)]
pub struct PowerVfs {
    name: String,
    disk: Arc<Disk>,
}

impl PowerVfs {
    /// Registers a VFS under a name of its own.
    pub fn register() -> PowerVfs {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("power-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let disk = Arc::new(Disk::default());
        vfs::register(&name, disk.clone());
        PowerVfs { name, disk }
    }

    /// The name to give to `Options::vfs`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes all files, as a power cut at this instant would leave them, into a directory.
    pub fn snapshot_to(&self, directory: &Path, unsynced: Unsynced) {
        for (name, content) in self.disk.after_power_cut(unsynced) {
            std::fs::write(directory.join(&name), content).expect("write a snapshot");
        }
    }

    /// How often a file whose name ends so was synced.
    pub fn syncs(&self, suffix: &str) -> u64 {
        self.disk.syncs(suffix)
    }

    /// From now on every write fails as on a full disk, or succeeds again.
    pub fn set_full(&self, full: bool) {
        self.disk.full.store(full, Ordering::SeqCst);
    }

    /// From now on every sync fails, or succeeds again.
    pub fn set_sync_fails(&self, fails: bool) {
        self.disk.sync_fails.store(fails, Ordering::SeqCst);
    }
}

impl Drop for PowerVfs {
    fn drop(&mut self) {
        self.disk.forget();
    }
}

//! What is durable of each file, and what is not yet.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// What becomes of writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    /// All of them are lost.
    Lost,
    /// Some survive, chosen by this seed: for each file none, the first so many sectors, or any.
    Some(u64),
}

#[derive(Debug, Default)]
pub(super) struct Disk {
    state: Mutex<State>,
    /// Writes fail for want of room.
    pub(super) full: AtomicBool,
    /// Syncs fail.
    pub(super) sync_fails: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Which of `files` has the name now; a deleted file may still be open.
    names: HashMap<PathBuf, FileId>,
    files: Vec<Image>,
    forgotten: bool,
}

/// The place of a file among all that ever were.
pub(super) type FileId = usize;

#[derive(Debug, Default)]
struct Image {
    durable: Vec<u8>,
    /// Since the last sync, in order.
    unsynced: Vec<Change>,
    syncs: u64,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a file is opened; `content` is what it holds if it was not known.
    pub(super) fn open(&self, path: &Path, content: impl FnOnce() -> Vec<u8>) -> FileId {
        let mut state = self.lock();
        if let Some(id) = state.names.get(path) {
            return *id;
        }
        let id = state.files.len();
        state.files.push(Image {
            durable: content(),
            ..Image::default()
        });
        state.names.insert(path.to_owned(), id);
        id
    }

    pub(super) fn delete(&self, path: &Path) {
        self.lock().names.remove(path);
    }

    fn change(&self, id: FileId, change: impl FnOnce() -> Change) {
        let mut state = self.lock();
        if state.forgotten {
            return;
        }
        if let Some(image) = state.files.get_mut(id) {
            image.unsynced.push(change());
        }
    }

    pub(super) fn write(&self, id: FileId, at: usize, bytes: &[u8]) {
        self.change(id, || Change::Write {
            at,
            bytes: bytes.to_owned(),
        });
    }

    pub(super) fn truncate(&self, id: FileId, length: usize) {
        self.change(id, || Change::Truncate { length });
    }

    pub(super) fn sync(&self, id: FileId) {
        if let Some(image) = self.lock().files.get_mut(id) {
            for change in image.unsynced.drain(..) {
                apply(&mut image.durable, &change);
            }
            image.syncs += 1;
        }
    }

    pub(super) fn syncs(&self, suffix: &str) -> u64 {
        let state = self.lock();
        let named = state
            .names
            .iter()
            .filter(|(path, _)| path.to_string_lossy().ends_with(suffix));
        named
            .filter_map(|(_, id)| state.files.get(*id))
            .map(|image| image.syncs)
            .sum()
    }

    /// Lets go of all contents, and records no more.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        state.forgotten = true;
        state
            .files
            .iter_mut()
            .for_each(|image| *image = Image::default());
    }

    /// The names and contents of all files after a power cut now.
    pub(super) fn after_power_cut(&self, unsynced: Unsynced) -> Vec<(OsString, Vec<u8>)> {
        let state = self.lock();
        let mut random = match unsynced {
            Unsynced::Lost => None,
            Unsynced::Some(seed) => Some(Random(seed)),
        };
        let mut found: Vec<_> = state.names.iter().collect();
        // In a fixed order, so that a seed means the same each time.
        found.sort();
        found
            .into_iter()
            .filter_map(|(path, id)| {
                let image = state.files.get(*id)?;
                let mut content = image.durable.clone();
                if let Some(random) = &mut random {
                    apply_some(&mut content, &image.unsynced, random);
                }
                Some((path.file_name()?.to_owned(), content))
            })
            .collect()
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes } => write(content, *at, bytes),
        Change::Truncate { length } => content.resize(*length, 0),
    }
}

/// What lies between the old end and the write reads as zeros.
fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

/// Applies the changes that happened to reach the disk.
fn apply_some(content: &mut Vec<u8>, changes: &[Change], random: &mut Random) {
    let sectors: usize = changes.iter().map(|c| pieces(c).count()).sum();
    let (mut left, chance) = match random.below(4) {
        0 => (0, 100),
        // In order, up to a point.
        1 => (random.below(sectors as u64 + 1), 100),
        // In any order, many or few.
        2 => (u64::MAX, 10),
        _ => (u64::MAX, 80),
    };
    for change in changes {
        for piece in pieces(change) {
            if left == 0 {
                return;
            }
            left -= 1;
            if random.below(100) >= chance {
                continue;
            }
            match piece {
                Piece::Sector { at, bytes } => write(content, at, bytes),
                Piece::Truncate { length } => content.resize(length, 0),
            }
        }
    }
}

/// A part of a change that reaches the disk as a whole.
enum Piece<'a> {
    Sector { at: usize, bytes: &'a [u8] },
    Truncate { length: usize },
}

/// Splits a change at the borders of sectors.
fn pieces(change: &Change) -> impl Iterator<Item = Piece<'_>> {
    let (mut rest, mut truncate) = match change {
        Change::Write { at, bytes } => (Some((*at, bytes.as_slice())), None),
        Change::Truncate { length } => (None, Some(*length)),
    };
    std::iter::from_fn(move || {
        if let Some(length) = truncate.take() {
            return Some(Piece::Truncate { length });
        }
        let (at, bytes) = rest.take()?;
        let (now, later) = bytes.split_at(bytes.len().min(SECTOR - at % SECTOR));
        if !later.is_empty() {
            rest = Some((at + now.len(), later));
        }
        Some(Piece::Sector { at, bytes: now })
    })
}

/// A small generator (xorshift), to have the same choices for the same seed.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // Zero would stay zero.
        let mut x = self.0 | (1 << 63);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0 = x;
        (x >> 11) % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(disk: &Disk, unsynced: Unsynced) -> Vec<u8> {
        disk.after_power_cut(unsynced).remove(0).1
    }

    #[test]
    fn only_what_was_synced_is_left() {
        let disk = Disk::default();
        let id = disk.open(Path::new("/a/file"), || b"old".to_vec());
        disk.write(id, 5, b"new");
        assert_eq!(contents(&disk, Unsynced::Lost), b"old");
        disk.sync(id);
        assert_eq!(contents(&disk, Unsynced::Lost), b"old\0\0new");
        disk.truncate(id, 1);
        assert_eq!(contents(&disk, Unsynced::Lost), b"old\0\0new");
        disk.sync(id);
        assert_eq!(contents(&disk, Unsynced::Lost), b"o");
        disk.delete(Path::new("/a/file"));
        assert!(disk.after_power_cut(Unsynced::Lost).is_empty());
        // What is created under the name again is another file.
        let again = disk.open(Path::new("/a/file"), Vec::new);
        disk.write(id, 0, b"gone");
        disk.sync(id);
        disk.sync(again);
        assert_eq!(contents(&disk, Unsynced::Lost), b"");
    }

    #[test]
    fn unsynced_sectors_may_survive_one_by_one() {
        let disk = Disk::default();
        let id = disk.open(Path::new("/a/file"), || vec![0; 8 * SECTOR]);
        disk.write(id, 100, &[1; 7 * SECTOR]);
        let (mut torn, mut none, mut whole) = (false, false, false);
        for seed in 0..200 {
            let content = contents(&disk, Unsynced::Some(seed));
            let sectors: Vec<bool> = content
                .chunks(SECTOR)
                .map(|sector| sector.contains(&1))
                .collect();
            // Bytes outside of the write are as they were.
            assert!(
                content[..100]
                    .iter()
                    .chain(&content[100 + 7 * SECTOR..])
                    .all(|b| *b == 0)
            );
            none |= !sectors.contains(&true);
            whole |= !sectors.contains(&false);
            torn |= sectors.contains(&true) && sectors.contains(&false);
        }
        assert!(torn && none && whole);
        let same = [1, 1].map(|seed| contents(&disk, Unsynced::Some(seed)));
        assert_eq!(same[0], same[1]);
    }
}

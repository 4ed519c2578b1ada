//! A file that is being made, under a name that says so.

use std::fs::{File, Metadata, TryLockError};
use std::path::{Path, PathBuf};

use super::Result;
use super::error::{BackupError, io};
use crate::file::{beside, create_private, is_same_file};

/// A new private file that nobody else works on. It is locked while it is being made:
/// one that is there and not locked was left by somebody who was killed.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Made {
    /// Creates it, in place of what was left behind.
    pub(super) fn begin(path: PathBuf) -> Result<Self> {
        remove_leftover(&path)?;
        let file = create_private(&path).map_err(io("creating", &path))?;
        // Where files cannot be locked, what is left behind is not removed either.
        let _ = file.try_lock();
        Ok(Self { path, file })
    }

    /// Removes it.
    pub(super) fn remove(self) {
        remove_all(&self.path);
    }
}

fn remove_leftover(path: &Path) -> Result<()> {
    let left = match File::open(path) {
        Ok(left) => left,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io("opening", path)(error)),
    };
    match left.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BackupError::InUse(path.to_owned())),
        Err(TryLockError::Error(_)) => return Err(BackupError::Exists(path.to_owned())),
    }
    // Whoever locked it before may have given it another name meanwhile.
    let is_still = |found: Metadata| is_same_file(&left, &found);
    if !std::fs::metadata(path).is_ok_and(is_still) {
        return Err(BackupError::InUse(path.to_owned()));
    }
    remove_all(path);
    Ok(())
}

/// What cannot be removed is told by whoever creates it next.
pub(super) fn remove_all(path: &Path) {
    for ending in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
}

//! A file in the making, under a temporary name.

use std::fs::{File, Metadata, TryLockError};
use std::path::{Path, PathBuf};

use super::Result;
use super::error::{BackupError, io};
use crate::file::{beside, create_private};
use crate::identity::is_same_file;

/// A new private file that no other process uses. It is locked while it is being made. An
/// unlocked file of that name was left by a process that was killed.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Made {
    /// Creates the file and replaces one that was left behind.
    pub(super) fn begin(path: PathBuf) -> Result<Self> {
        remove_leftover(&path)?;
        let file = create_private(&path).map_err(io("creating", &path))?;
        // If files cannot be locked, a file that was left behind is not removed.
        let _ = file.try_lock();
        Ok(Self { path, file })
    }

    /// Removes the file.
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
    // The process that locked the file before may have renamed it meanwhile.
    let is_still = |found: Metadata| is_same_file(&left, &found);
    if !std::fs::metadata(path).is_ok_and(is_still) {
        return Err(BackupError::InUse(path.to_owned()));
    }
    remove_all(path);
    Ok(())
}

/// Removes the files. If one cannot be removed, the next attempt to create it reports the
/// error.
pub(super) fn remove_all(path: &Path) {
    for ending in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
}

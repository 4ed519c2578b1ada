//! Which file a store has open.
//!
//! A file that is replaced under a running process (a backup renamed over it)
//! leaves the process with the old one, which no name leads to any more: it would
//! go on to read old books and to commit where nobody looks. So the name is
//! looked up with each transaction, and again before a commit is acknowledged.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use wallet_core::{StoreError, StoreErrorKind};

use crate::error::Result;

const REPLACED: &str = "the database file was moved or replaced while it was open: restart";

/// A file by its name, and what the system knew it by when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
}

/// Device and inode: no other file has both for as long as this one is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl OpenFile {
    /// The file of this name, which has just been opened.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(unreachable)?;
        let identity = identity(&path).map_err(unreachable)?;
        Ok(Self { path, identity })
    }

    /// Whether the name still leads to the file: before anything is read.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub(crate) fn check(&self) -> Result<()> {
        self.still(StoreErrorKind::Unavailable)
    }

    /// The same after a commit, before it is acknowledged.
    ///
    /// # Errors
    /// `Indeterminate` when it does not: what was committed may be in the file
    /// that has the name now, or not.
    pub(crate) fn check_committed(&self) -> Result<()> {
        self.still(StoreErrorKind::Indeterminate)
    }

    fn still(&self, kind: StoreErrorKind) -> Result<()> {
        if self.identity.is_none() {
            return Ok(());
        }
        match identity(&self.path) {
            Ok(found) if found == self.identity => Ok(()),
            Ok(_) => Err(StoreError::new(kind, REPLACED)),
            Err(error) => Err(StoreError::new(kind, REPLACED).with_source(error)),
        }
    }
}

fn unreachable(error: io::Error) -> StoreError {
    let kind = StoreErrorKind::Unavailable;
    StoreError::new(kind, "looking up the database file").with_source(error)
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Option<Identity>> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path)?;
    Ok(Some(Identity(found.dev(), found.ino())))
}

/// Elsewhere a file that is open cannot be replaced.
#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Option<Identity>> {
    Ok(None)
}

/// Creates an empty file that its owner alone may read and write.
///
/// # Errors
/// `AlreadyExists`, and any other of the system's.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

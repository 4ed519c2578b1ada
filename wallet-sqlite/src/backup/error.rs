//! Errors of backups and restores.

use std::path::{Path, PathBuf};

use thiserror::Error;
use wallet_core::StoreError;

use crate::trace::Trace;

/// Why no backup was made or restored. Nothing has changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The target file exists.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file to replace is the backup itself.
    #[error("{} is the backup itself: restore to another name", .0.display())]
    SameFile(PathBuf),
    /// A write-ahead log without its file. SQLite would apply it to any file of that name.
    #[error("{}", Trace::Log(.0.clone()))]
    Leftover(PathBuf),
    /// Another process has the file open.
    #[error("{} is in use: stop every process that has it open", .0.display())]
    InUse(PathBuf),
    /// The file differs from the one that was made.
    #[error("{} is not the file that the manifest describes: {what}", .path.display())]
    OtherBytes {
        /// The file.
        path: PathBuf,
        /// Its size or its SHA-256.
        what: &'static str,
    },
    /// SQLite finds damage in the file.
    #[error("{} is damaged: {damage}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The message from SQLite.
        damage: String,
    },
    /// The file does not hold what its manifest says.
    #[error("{} does not hold what the manifest says: {}", .path.display(), .missing.join("; "))]
    Differs {
        /// The file.
        path: PathBuf,
        /// The differences.
        missing: Vec<String>,
    },
    /// The books could not be read.
    #[error("{error}{}", cause(.error))]
    Store {
        /// The cause.
        #[from]
        #[source]
        error: StoreError,
    },
    /// The operating system refused an operation.
    #[error("{context} {}: {source}", .path.display())]
    Io {
        /// The operation.
        context: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

fn cause(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(String::new, |source| format!(" ({source})"))
}

/// Adds the operation and `path` to an I/O error.
pub(super) fn io(context: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            return BackupError::Exists(path);
        }
        BackupError::Io {
            context,
            path,
            source,
        }
    }
}

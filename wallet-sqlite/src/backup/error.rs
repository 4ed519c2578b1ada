use std::path::{Path, PathBuf};

use thiserror::Error;
use wallet_core::StoreError;

use crate::file::Trace;

/// Why no backup was made, or none restored: nothing has changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file is in the way.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// What is to be replaced is the backup itself.
    #[error("{} is the backup itself: restore to another name", .0.display())]
    SameFile(PathBuf),
    /// A log of a file that is gone: SQLite would add it to any file that gets the
    /// name.
    #[error("{}", Trace::Log(.0.clone()))]
    Leftover(PathBuf),
    /// Somebody has the file open.
    #[error("{} is in use: stop every process that has it open", .0.display())]
    InUse(PathBuf),
    /// The file is not, byte for byte, the one that was made.
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
        /// What SQLite says.
        damage: String,
    },
    /// The file does not hold what it should.
    #[error("{} does not hold what the manifest says: {}", .path.display(), .missing.join("; "))]
    Differs {
        /// The file.
        path: PathBuf,
        /// What differs.
        missing: Vec<String>,
    },
    /// The books could not be read.
    #[error("{error}{}", cause(.error))]
    Store {
        /// Why.
        #[from]
        #[source]
        error: StoreError,
    },
    /// The system refused.
    #[error("{context} {}: {source}", .path.display())]
    Io {
        /// What was being done.
        context: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn cause(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(String::new, |source| format!(" ({source})"))
}

/// Says what was being done with `path`.
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

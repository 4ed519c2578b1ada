//! Backups of a SQLite file, and the proof that a backup is complete.
//!
//! [`back_up`] copies a file as of one commit while other connections use it. It returns
//! the size, the SHA-256 and a [`Census`] of the copy. [`restore`] puts a copy in place if
//! it still matches that description. [`standing`] compares books with a census: they are
//! the same, have continued from it, or lack a part of it.

mod census;
mod copy;
mod error;
mod made;
mod place;
mod restore;
mod standing;
mod stop;

pub use census::{Census, LastCommit, LedgerSum, RowCounts};
pub use copy::{Backup, back_up};
pub use error::BackupError;
pub use restore::{Existing, Restored, restore, verify_backup};
pub use standing::{Standing, standing};

type Result<T> = std::result::Result<T, BackupError>;

//! Backups of a SQLite file, and what tells a whole one from one that lacks
//! something.
//!
//! [`back_up`] copies a file beside whoever works on it, as of one commit, and says
//! what the copy holds: a [`Census`], its size and its SHA-256. [`restore`] puts a
//! copy in place that still is what was said of it. [`standing`] tells whether books
//! are those of a census, have gone on from it, or lack some of it.

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

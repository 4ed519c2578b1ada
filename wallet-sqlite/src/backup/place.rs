//! Gives a restored file its name.
//!
//! At every moment the name leads to the old file or to the restored one. First the old
//! file gets a second name. Then the restored file is renamed over the first name.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wallet_core::ledger::Epoch;
use wallet_core::store::StoreErrorKind;

use super::copy::flush_folder;
use super::error::{BackupError, io};
use super::{Result, stop};
use crate::file::beside;
use crate::trace::{REPLACED_AS, remove_second_names};
use crate::{connect, epoch};

/// The endings of the files that SQLite keeps beside a database.
const ENDINGS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// A file to set aside. No other process can open it until this value is dropped.
#[derive(Debug)]
pub(super) struct Old(Option<Connection>);

impl Old {
    /// Locks the whole file and moves its write-ahead log into it. A damaged file cannot
    /// show whether it is in use. It is set aside as it is, and a store that has it open
    /// will notice.
    pub(super) fn take(to: &Path) -> Result<Self> {
        if !to.exists() {
            return Ok(Self(None));
        }
        match connect::exclusive(to) {
            Ok(connection) => Ok(Self(Some(connection))),
            Err(error) if error.kind() == StoreErrorKind::Conflict => {
                Err(BackupError::InUse(to.to_owned()))
            }
            Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }

    /// The epoch of the books in the file. The first epoch if no books can be read.
    pub(super) fn epoch(&self) -> Epoch {
        let current = self.0.as_ref().map(epoch::current);
        current
            .and_then(crate::error::Result::ok)
            .unwrap_or_default()
    }
}

/// Fails if the name exists.
pub(super) fn refuse_existing(to: &Path) -> Result<()> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let mut leftovers = ["-wal", "-journal"]
        .map(|ending| beside(to, ending))
        .into_iter();
    let leftover = leftovers.find(|leftover| leftover.exists());
    leftover.map_or(Ok(()), |leftover| Err(BackupError::Leftover(leftover)))
}

/// Gives the copy a name that no file has.
pub(super) fn new(copy: &Path, to: &Path) -> Result<()> {
    // A link fails if the name was taken meanwhile. A rename would replace that file.
    std::fs::hard_link(copy, to).map_err(io("naming", to))?;
    stop::here();
    std::fs::remove_file(copy).map_err(io("removing", copy))?;
    stop::here();
    flush_folder(to)
}

/// Gives the copy the name of an existing file, and the existing file a new name.
pub(super) fn instead(copy: &Path, to: &Path, old: Old) -> Result<Option<PathBuf>> {
    let is_there = to.exists();
    let there = |ending: &&str| beside(to, ending).exists();
    let belongings: Vec<&str> = ENDINGS.into_iter().filter(there).collect();
    if !is_there && belongings.is_empty() {
        new(copy, to)?;
        return Ok(None);
    }
    remove_second_names(to);
    let aside = free_name(to);
    stop::here();
    if is_there {
        std::fs::hard_link(to, &aside).map_err(io("setting aside", to))?;
        stop::here();
        // The second name must be on disk before the first one is reused.
        flush_folder(to)?;
        stop::here();
    }
    // A file that could be locked has no such files. A damaged file loses its log from here
    // on. A name without a file has the copy beside it. No store opens either of them.
    for ending in belongings {
        let belonging = beside(to, ending);
        std::fs::rename(&belonging, beside(&aside, ending))
            .map_err(io("setting aside", &belonging))?;
        stop::here();
    }
    if is_there {
        std::fs::rename(copy, to).map_err(io("naming", to))?;
        stop::here();
        flush_folder(to)?;
        stop::here();
    } else {
        new(copy, to)?;
    }
    drop(old);
    Ok(Some(aside))
}

fn free_name(to: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|number| beside(to, &format!("{REPLACED_AS}{number}")));
    let is_free = |name: &PathBuf| {
        let mut all = [""].into_iter().chain(ENDINGS);
        all.all(|ending| !beside(name, ending).exists())
    };
    // There are never that many names in use.
    names
        .find(is_free)
        .unwrap_or_else(|| beside(to, REPLACED_AS))
}

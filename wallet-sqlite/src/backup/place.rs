//! Giving a restored file its name.
//!
//! At every moment the name is the old file or the restored one: the old file gets a
//! second name first, and the restored one is renamed over it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wallet_core::ledger::Epoch;
use wallet_core::store::StoreErrorKind;

use super::copy::flush_folder;
use super::error::{BackupError, io};
use super::{Result, stop};
use crate::file::{REPLACED_AS, beside, remove_second_names};
use crate::{connect, epoch};

/// What belongs to a file, beside it.
const ENDINGS: [&str; 3] = ["-wal", "-journal", "-shm"];

/// A file that is to be set aside, and that nobody opens until this is dropped.
#[derive(Debug)]
pub(super) struct Old(Option<Connection>);

impl Old {
    /// Takes the whole file, and moves its log into it. A damaged file cannot say
    /// whether it is in use: it is set aside as it is, and a store that has it open
    /// finds out.
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

    /// The epoch of its books; the first where it holds none that can be read.
    pub(super) fn epoch(&self) -> Epoch {
        let current = self.0.as_ref().map(epoch::current);
        current
            .and_then(crate::error::Result::ok)
            .unwrap_or_default()
    }
}

/// Fails where anything has the name.
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

/// Gives the copy a name that nobody has.
pub(super) fn new(copy: &Path, to: &Path) -> Result<()> {
    // A link fails where the name was taken meanwhile; a rename would replace it.
    std::fs::hard_link(copy, to).map_err(io("naming", to))?;
    stop::here();
    std::fs::remove_file(copy).map_err(io("removing", copy))?;
    stop::here();
    flush_folder(to)
}

/// Gives the copy the name of another file, and that file another one.
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
        // The second name must be on disk before the first one is given away.
        flush_folder(to)?;
        stop::here();
    }
    // Of a file that could be locked there are none. A damaged one goes without its log
    // from here on, and a name without a file has the copy beside it: neither is opened.
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
    // As many names as that are never taken.
    names
        .find(is_free)
        .unwrap_or_else(|| beside(to, REPLACED_AS))
}

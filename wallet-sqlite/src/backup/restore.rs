//! Putting a backup in place.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use wallet_core::{Clock, RaisedBy, RaisedEpoch, StoreErrorKind, Timestamp};

use super::census::in_one_state;
use super::copy::{Backup, check, flush, flush_folder};
use super::error::{BackupError, io};
use super::standing::{self, Standing};
use super::{Census, Result, beside};
use crate::commit::in_transaction;
use crate::error::During;
use crate::file::create_private;
use crate::{connect, epoch, migrate};

/// What to do with a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Restore nothing.
    Refuse,
    /// Give it another name, `FILE.replaced-1` or the next that is free.
    SetAside,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new name of the file that was there before.
    pub aside: Option<PathBuf>,
    /// The epoch that begins with the restored file.
    pub epoch: RaisedEpoch,
}

/// How long before the last commit of a backup the time lies that it is restored to.
/// A commit that came after the backup may have an earlier time than the last one in
/// it: of other accounts, or of a clock that stepped back.
const BEFORE_THE_LAST: Duration = Duration::from_secs(60);

/// Puts the backup at `from` in place as `to`, which nobody may have open.
///
/// The backup is copied next to `to` first and never changed. Its bytes must be those
/// of `expected`, SQLite must find no damage in them, and what they hold must be the
/// census. The epoch of the copy is raised in the name of `by`, at the time of `clock`:
/// all commits until a minute before the last one in the backup are in it. Then the
/// copy gets the name, flushed with its folder, and what it holds is looked at once
/// more. A crash leaves `to` as it was, or restored. Blocks.
///
/// # Errors
/// - [`BackupError::Exists`]: `to` is there, and is not to be set aside; or
///   `to.restoring` is, which an earlier restore left or is at work on.
/// - `Leftover`: a log of a file `to` that is gone.
/// - `InUse`: a process has `to` open.
/// - `OtherBytes`, `Damaged`, `Differs`: `from` is not what was made.
/// - `Store`, `Io`.
pub fn restore(
    from: &Path,
    expected: &Backup,
    to: &Path,
    existing: Existing,
    by: &RaisedBy,
    clock: &dyn Clock,
) -> Result<Restored> {
    if existing == Existing::Refuse {
        refuse_existing(to)?;
    }
    let copy = beside(to, ".restoring");
    let file = create_private(&copy).map_err(io("creating", &copy))?;
    let placed = fill(from, expected, file, &copy).and_then(|()| {
        let epoch = raise(&copy, &expected.census, by, clock)?;
        let aside = place(&copy, to, existing)?;
        Ok(Restored { aside, epoch })
    });
    if placed.is_err() {
        for ending in ["", "-journal", "-wal", "-shm"] {
            // What cannot be removed is told by the next restore.
            let _ = std::fs::remove_file(beside(&copy, ending));
        }
    }
    let restored = placed?;
    verify(to, &expected.census)?;
    Ok(restored)
}

fn refuse_existing(to: &Path) -> Result<()> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let mut leftovers = ["-wal", "-journal"]
        .map(|ending| beside(to, ending))
        .into_iter();
    let leftover = leftovers.find(|leftover| leftover.exists());
    leftover.map_or(Ok(()), |leftover| Err(BackupError::Leftover(leftover)))
}

/// Copies and verifies.
fn fill(from: &Path, expected: &Backup, mut file: File, copy: &Path) -> Result<()> {
    let mut source = File::open(from).map_err(io("reading", from))?;
    let mut hash = Sha256::new();
    let mut bytes: u64 = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut buffer).map_err(io("reading", from))?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        hash.update(part);
        file.write_all(part).map_err(io("writing", copy))?;
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or_default());
    }
    let other = |what| {
        let path = from.to_owned();
        Err(BackupError::OtherBytes { path, what })
    };
    if bytes != expected.bytes {
        return other("it has another size");
    }
    if <[u8; 32]>::from(hash.finalize()) != expected.sha256 {
        return other("it has another SHA-256");
    }
    drop(file);
    verify(copy, &expected.census)
}

/// Begins a new epoch, so that what left the lost books is told from what leaves these.
fn raise(copy: &Path, census: &Census, by: &RaisedBy, clock: &dyn Clock) -> Result<RaisedEpoch> {
    let last = census.last.map_or(Timestamp::EPOCH, |last| last.at);
    let now = clock.now();
    let restored_to = last.saturating_sub(BEFORE_THE_LAST).min(now);
    let connection = connect::copy(copy)?;
    let raised = in_transaction(&connection, Duration::ZERO, |open| {
        epoch::raise(open, restored_to, by, now)
    })?;
    connection
        .close()
        .map_err(|(_, error)| error)
        .during("closing the copy")?;
    flush(copy)?;
    Ok(raised)
}

/// Whether a file holds exactly what it should, without damage.
fn verify(path: &Path, expected: &Census) -> Result<()> {
    let mut connection = connect::copy(path)?;
    migrate::check(&connection)?;
    check(&connection, path)?;
    match in_one_state(&mut connection, |books| standing::of(books, expected))? {
        Standing::Same => Ok(()),
        Standing::Ahead(_) => Err(differs(path, vec!["it holds more".to_owned()])),
        Standing::Lacking(missing) => Err(differs(path, missing)),
    }
}

fn differs(path: &Path, missing: Vec<String>) -> BackupError {
    let path = path.to_owned();
    BackupError::Differs { path, missing }
}

/// Gives the copy its name.
fn place(copy: &Path, to: &Path, existing: Existing) -> Result<Option<PathBuf>> {
    let aside = match existing {
        Existing::Refuse => None,
        Existing::SetAside => set_aside(to)?,
    };
    // A link fails where the name was taken meanwhile; a rename would replace it.
    std::fs::hard_link(copy, to).map_err(io("naming", to))?;
    std::fs::remove_file(copy).map_err(io("removing", copy))?;
    flush_folder(to)?;
    Ok(aside)
}

/// Gives the file that is there another name, and its log, which belongs to it.
fn set_aside(to: &Path) -> Result<Option<PathBuf>> {
    // Kept until the name is free, so that nobody opens the file meanwhile.
    let _lock = if to.exists() { lock(to)? } else { None };
    let endings = ["", "-wal", "-shm", "-journal"];
    let there = |ending: &&str| beside(to, ending).exists();
    let there: Vec<&str> = endings.into_iter().filter(there).collect();
    if there.is_empty() {
        return Ok(None);
    }
    let aside = free_name(to);
    for ending in there {
        let (old, new) = (beside(to, ending), beside(&aside, ending));
        std::fs::rename(&old, new).map_err(io("setting aside", &old))?;
    }
    Ok(Some(aside))
}

fn free_name(to: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|number| beside(to, &format!(".replaced-{number}")));
    let is_free = |name: &PathBuf| {
        let mut all = ["", "-wal"].into_iter();
        all.all(|ending| !beside(name, ending).exists())
    };
    // As many names as that are never taken.
    names
        .find(is_free)
        .unwrap_or_else(|| beside(to, ".replaced"))
}

/// Takes the whole file, and moves its log into it. A damaged file cannot say whether
/// it is in use: it is set aside as it is, and a store that has it open finds out.
fn lock(to: &Path) -> Result<Option<Connection>> {
    match connect::exclusive(to) {
        Ok(connection) => Ok(Some(connection)),
        Err(error) if error.kind() == StoreErrorKind::Conflict => {
            Err(BackupError::InUse(to.to_owned()))
        }
        Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(None),
        Err(error) => Err(error.into()),
    }
}

//! Restores a backup.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use wallet_core::Timestamp;
use wallet_core::ledger::{Epoch, RaisedBy, RaisedEpoch};
use wallet_core::runtime::Clock;

use super::census::in_one_state;
use super::copy::{Backup, check, flush};
use super::error::{BackupError, io};
use super::made::Made;
use super::place::{self, Old, refuse_existing};
use super::standing::differences;
use super::{Census, Result, stop};
use crate::commit::in_transaction;
use crate::error::During;
use crate::file::{beside, follow, is_same};
use crate::trace::RESTORING;
use crate::{connect, epoch, migrate};

/// The choice for a file that already has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to restore.
    Refuse,
    /// Give the file another name: `FILE.replaced-1`, or the next free number.
    SetAside,
}

/// The result of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new name of the file that was there before.
    pub aside: Option<PathBuf>,
    /// The new epoch of the restored file.
    pub epoch: RaisedEpoch,
}

/// How far the restored-to time lies before the backup, and before its last commit. A commit
/// that came after the backup has an earlier time than it only if the clock stepped back.
const BEFORE_THE_BACKUP: Duration = Duration::from_secs(60);

/// Restores the backup at `from` as `to`. No process may have `to` open. If `to` is a link,
/// the target of the link is replaced.
///
/// The restore works in these steps:
/// 1. It copies the backup next to `to`, as `to.restoring`. It removes a copy that a killed
///    restore left there. It never changes the backup.
/// 2. It verifies the copy: the bytes must equal `expected`, SQLite must find no damage,
///    and every number must match the census.
/// 3. It begins a new epoch in the name of `by`, at the time of `clock`. All commits until
///    one minute before the backup, or before the last commit in it if that is earlier,
///    belong to the copy. The epoch's number
///    is greater than those of the backup and of the file that is set aside. The restore
///    ends in the next second at the earliest, so no other restore begins the same epoch.
/// 4. It checks the contents of the copy again.
/// 5. It gives the copy its name, and flushes the folder.
///
/// At every moment the name leads to the old file or to the restored one. Blocks.
///
/// # Errors
/// - [`BackupError::Exists`]: `to` exists and must not be set aside.
/// - `SameFile`: `to` is the backup.
/// - `Leftover`: there is a log, but the file `to` is gone.
/// - `InUse`: a process has `to` open, or restores to it.
/// - `OtherBytes`, `Damaged`, `Differs`: `from` is not the file that was made.
/// - `Store`, `Io`.
pub fn restore(
    from: &Path,
    expected: &Backup,
    to: &Path,
    existing: Existing,
    by: &RaisedBy,
    clock: &dyn Clock,
) -> Result<Restored> {
    let to = &follow(to).map_err(io("looking up", to))?;
    if is_same(from, to) {
        return Err(BackupError::SameFile(to.clone()));
    }
    if existing == Existing::Refuse {
        refuse_existing(to)?;
    }
    let made = Made::begin(beside(to, RESTORING))?;
    stop::here();
    let restored = fill(from, expected, &made).and_then(|()| {
        stop::here();
        let copy = &made.path;
        let census = &expected.census;
        match existing {
            Existing::Refuse => {
                let epoch = raise(copy, expected, Epoch::FIRST, by, clock)?;
                verify(copy, from, census)?;
                stop::here();
                place::new(copy, to)?;
                Ok(Restored { aside: None, epoch })
            }
            Existing::SetAside => {
                let old = Old::take(to)?;
                let epoch = raise(copy, expected, old.epoch(), by, clock)?;
                verify(copy, from, census)?;
                stop::here();
                let aside = place::instead(copy, to, old)?;
                Ok(Restored { aside, epoch })
            }
        }
    });
    if restored.is_err() {
        made.remove();
    }
    restored
}

/// Verifies the backup at `from` as [`restore`] does. It uses a copy, `from.verifying`, and
/// removes it afterwards. Blocks.
///
/// # Errors
/// - [`BackupError::OtherBytes`], `Damaged`, `Differs`: `from` is not the file that was
///   made.
/// - `InUse`: another process verifies it.
/// - `Store`, `Io`.
pub fn verify_backup(from: &Path, expected: &Backup) -> Result<()> {
    let made = Made::begin(beside(from, ".verifying"))?;
    let verified = fill(from, expected, &made);
    made.remove();
    verified
}

/// Copies the backup and verifies the copy.
fn fill(from: &Path, expected: &Backup, made: &Made) -> Result<()> {
    let mut source = File::open(from).map_err(io("reading", from))?;
    let mut copy = &made.file;
    let mut hash = Sha256::new();
    let mut bytes: u64 = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut buffer).map_err(io("reading", from))?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        hash.update(part);
        copy.write_all(part).map_err(io("writing", &made.path))?;
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
    verify(&made.path, from, &expected.census)
}

/// Begins a new epoch. It distinguishes events of the lost books from events of the
/// restored ones.
fn raise(
    copy: &Path,
    expected: &Backup,
    above: Epoch,
    by: &RaisedBy,
    clock: &dyn Clock,
) -> Result<RaisedEpoch> {
    let last = expected
        .census
        .last
        .map_or(Timestamp::EPOCH, |last| last.at);
    let now = clock.now();
    // An account's time can be ahead of the clock. Other accounts committed after the
    // backup with times that were not.
    let known = last.min(expected.begun_at);
    let restored_to = known.saturating_sub(BEFORE_THE_BACKUP).min(now);
    let connection = connect::copy(copy)?;
    let raised = in_transaction(&connection, Duration::ZERO, |open| {
        epoch::raise_above(open, above, restored_to, by, now)
    })?;
    connection
        .close()
        .map_err(|(_, error)| error)
        .during("closing the copy")?;
    flush(copy)?;
    end_second(now);
    Ok(raised)
}

/// Waits until the second of `now` is over, because the number of an epoch is its second.
#[allow(
    clippy::disallowed_methods,
    reason = "on the thread of an operator's command; no rule depends on its length"
)]
fn end_second(now: Timestamp) {
    let left = 1_000_000_u64.saturating_sub(now.as_micros().rem_euclid(1_000_000).unsigned_abs());
    std::thread::sleep(Duration::from_micros(left));
}

/// Checks that a copy of `from` has the expected contents and no damage.
fn verify(copy: &Path, from: &Path, expected: &Census) -> Result<()> {
    let mut connection = connect::copy(copy)?;
    migrate::check(&connection)?;
    check(&connection, from)?;
    let missing = in_one_state(&mut connection, |books| differences(books, expected))?;
    if missing.is_empty() {
        return Ok(());
    }
    let path = from.to_owned();
    Err(BackupError::Differs { path, missing })
}

#[cfg(test)]
mod tests;

//! Putting a backup in place.

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
use crate::file::{RESTORING, beside, follow, is_same};
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

/// Puts the backup at `from` in place as `to`, which nobody may have open. Where `to` is
/// a link, the file that it leads to is meant.
///
/// The backup is copied next to `to` first, as `to.restoring`, and never changed; what an
/// earlier restore left there that was killed is removed. Its bytes must be those of
/// `expected`, SQLite must find no damage in them, and what they hold must be the census,
/// in every number. The copy begins a new epoch in the name of `by`, at the time of
/// `clock`: all commits until a minute before the last one in the backup are in it. Its
/// number is greater than those of the backup and of the file that is set aside; it ends
/// only in the next second, so that no other restore begins the same. What the copy holds
/// is looked at once more. Then it gets the name, flushed with its folder. At every moment
/// the name is what it was, or the restored file. Blocks.
///
/// # Errors
/// - [`BackupError::Exists`]: `to` is there, and is not to be set aside.
/// - `SameFile`: `to` is the backup.
/// - `Leftover`: a log of a file `to` that is gone.
/// - `InUse`: a process has `to` open, or restores to it.
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
                let epoch = raise(copy, census, Epoch::FIRST, by, clock)?;
                verify(copy, from, census)?;
                stop::here();
                place::new(copy, to)?;
                Ok(Restored { aside: None, epoch })
            }
            Existing::SetAside => {
                let old = Old::take(to)?;
                let epoch = raise(copy, census, old.epoch(), by, clock)?;
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

/// Verifies the backup at `from` as [`restore`] does, on a copy beside it that is removed
/// again, `from.verifying`. Blocks.
///
/// # Errors
/// - [`BackupError::OtherBytes`], `Damaged`, `Differs`: `from` is not what was made.
/// - `InUse`: another process verifies it.
/// - `Store`, `Io`.
pub fn verify_backup(from: &Path, expected: &Backup) -> Result<()> {
    let made = Made::begin(beside(from, ".verifying"))?;
    let verified = fill(from, expected, &made);
    made.remove();
    verified
}

/// Copies and verifies.
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

/// Begins a new epoch, so that what left the lost books is told from what leaves these.
fn raise(
    copy: &Path,
    census: &Census,
    above: Epoch,
    by: &RaisedBy,
    clock: &dyn Clock,
) -> Result<RaisedEpoch> {
    let last = census.last.map_or(Timestamp::EPOCH, |last| last.at);
    let now = clock.now();
    let restored_to = last.saturating_sub(BEFORE_THE_LAST).min(now);
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

/// Waits until the second of `now` is over: the number of an epoch is the second.
#[allow(
    clippy::disallowed_methods,
    reason = "on the thread of an operator's command; no rule depends on its length"
)]
fn end_second(now: Timestamp) {
    let left = 1_000_000_u64.saturating_sub(now.as_micros().rem_euclid(1_000_000).unsigned_abs());
    std::thread::sleep(Duration::from_micros(left));
}

/// Whether a copy of `from` holds exactly what it should, without damage.
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

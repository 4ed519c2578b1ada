//! Makes a backup.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::backup::{Backup as Copy, StepResult};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use super::Result;
use super::census::{Census, in_one_state};
use super::error::{BackupError, io};
use super::made::remove_all;
use crate::error::During;
use crate::file::create_private;
use crate::{coherent, connect, migrate};

/// A finished backup file and its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The clock's time before the state to copy was fixed. A commit that is not in the
    /// backup was decided later.
    pub begun_at: Timestamp,
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
    /// The contents of the file.
    pub census: Census,
}

/// Copies the books at `from` to `to`, a new file of mode 0600, as of one commit. Other
/// connections may use the books meanwhile. The copy is one whole file without a
/// write-ahead log. It is flushed to disk together with its folder, and SQLite has found no
/// damage in it. While the copy runs, the write-ahead log of the original cannot restart.
/// `clock` must be the clock of the processes that commit. Blocks.
///
/// ```
/// # use std::sync::Arc;
/// use wallet_core::SystemClock;
/// use wallet_core::ledger::RaisedBy;
/// use wallet_sqlite::{Existing, SqliteSettings, SqliteStore, back_up, restore};
///
/// let folder = tempfile::tempdir()?;
/// let [live, copy, new] = ["wallet.db", "backup.db", "new.db"].map(|name| folder.path().join(name));
/// let store = SqliteStore::open(&SqliteSettings::new(&live), Arc::new(SystemClock))?;
/// let backup = back_up(&live, &copy, &SystemClock)?;
/// let by = RaisedBy::new("restore of the first backup")?;
/// let restored = restore(&copy, &backup, &new, Existing::Refuse, &by, &SystemClock)?;
/// assert!(restored.aside.is_none() && restored.epoch.epoch.number() > 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`BackupError::Exists`]: `to` exists. `Store`: `from` is not a ledger of this release.
/// `Damaged`. `Io`: for example, the disk is full. Nothing is left at `to`.
pub fn back_up(from: &Path, to: &Path, clock: &dyn Clock) -> Result<Backup> {
    let begun_at = clock.now();
    let source = connect::look(from)?;
    migrate::check(&source.connection)?;
    create_private(to).map_err(io("creating", to))?;
    let made = fill(source, to, begun_at);
    if made.is_err() {
        remove_all(to);
    }
    made
}

fn fill(mut source: connect::Examination, to: &Path, begun_at: Timestamp) -> Result<Backup> {
    let mut target = connect::copy(to)?;
    copy(&mut source.connection, &mut target)?;
    check(&target, to)?;
    let census = in_one_state(&mut target, Census::of)?;
    target
        .close()
        .map_err(|(_, error)| error)
        .during("closing the backup")?;
    let (bytes, sha256) = hash(to)?;
    flush(to)?;
    Ok(Backup {
        begun_at,
        bytes,
        sha256,
        census,
    })
}

/// Copies all pages of one consistent state.
fn copy(source: &mut Connection, target: &mut Connection) -> Result<()> {
    let context = "copying the file";
    let state = Transaction::new(source, TransactionBehavior::Deferred).during(context)?;
    // The first read fixes the state to copy.
    let _: i64 = state
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .during(context)?;
    let copy = Copy::new(&state, target).during(context)?;
    let StepResult::Done = copy.step(-1).during(context)? else {
        let kind = StoreErrorKind::Conflict;
        return Err(StoreError::new(kind, "the file is locked").into());
    };
    drop(copy);
    connect::without_log(target)?;
    Ok(())
}

/// Fails if SQLite finds damage in the books.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<()> {
    let Some(damage) = coherent::damage(connection)? else {
        return Ok(());
    };
    let path = path.to_owned();
    Err(BackupError::Damaged { path, damage })
}

/// The size and the SHA-256 of a file.
fn hash(path: &Path) -> Result<(u64, [u8; 32])> {
    let mut file = File::open(path).map_err(io("reading", path))?;
    let mut hash = Sha256::new();
    let mut bytes: u64 = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(io("reading", path))?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((bytes, hash.finalize().into()));
        };
        hash.update(part);
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or_default());
    }
}

/// Flushes a file, and the folder that names it, to disk.
pub(super) fn flush(path: &Path) -> Result<()> {
    let file = File::open(path).and_then(|file| file.sync_all());
    file.map_err(io("flushing", path))?;
    flush_folder(path)
}

/// Flushes the folder that contains a file.
pub(super) fn flush_folder(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        let flushed = File::open(folder).and_then(|folder| folder.sync_all());
        flushed.map_err(io("flushing", folder))?;
    }
    Ok(())
}

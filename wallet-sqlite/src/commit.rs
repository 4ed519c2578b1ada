//! Runs one batch on a connection that holds the file's write lock. `transact` and
//! `apply_in` share this code.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use wallet_core::decide::Decision;
use wallet_core::request::Batch;
use wallet_core::runtime::Clock;

use crate::deferred::Books;
use crate::error::{Doing, During, Result};
use crate::file::OpenFile;
use crate::read::WriterCache;
use crate::{checkpoint, lock, read, write};

/// Reads what `batch` needs, decides it, and writes the result. The caller begins and ends
/// the transaction, and rolls back on an error. If at least `defer_from` accounts change,
/// their rows are deferred.
pub(crate) fn decide_and_write(
    books: &Books<'_>,
    clock: &dyn Clock,
    batch: &Batch,
    cache: Option<&mut WriterCache>,
    defer_from: usize,
) -> Result<Decision> {
    let mut read = read::snapshot(books, batch.reads(), cache)?;
    let now = clock.now();
    read.snapshot.now = now;
    let decision = wallet_core::decide::decide(batch, &read.snapshot);
    if !decision.changes.is_empty() {
        write::changes(books, &decision.changes, read.places, now, defer_from)?;
    }
    Ok(decision)
}

/// Runs `work` in a transaction that holds the write lock from the start, and commits it.
pub(crate) fn in_transaction<T, E: From<wallet_core::StoreError>>(
    connection: &Connection,
    lock_wait: Duration,
    work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    lock::begin(connection, lock_wait)?;
    let done = work(connection).and_then(|done| {
        commit(connection)?;
        Ok(done)
    });
    if done.is_err() {
        lock::roll_back(connection);
    }
    done
}

/// Like `in_transaction`, on the connection of a store. Checks that the name still leads to
/// the open file, before any read and after the commit.
pub(crate) fn in_file<T, E: From<wallet_core::StoreError>>(
    file: &OpenFile,
    connection: &Connection,
    lock_wait: Duration,
    work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let done = in_transaction(connection, lock_wait, |open| {
        file.check()?;
        work(open)
    });
    let done = done.and_then(|done| file.check_committed().map(|()| done).map_err(E::from));
    rescued(file, connection, done)
}

/// Begins a transaction like that of `in_file`.
pub(crate) fn begin_in_file(
    file: &OpenFile,
    connection: &Connection,
    lock_wait: Duration,
) -> Result<()> {
    let begun = lock::begin(connection, lock_wait).and_then(|()| file.check());
    if begun.is_err() {
        lock::roll_back(connection);
    }
    rescued(file, connection, begun)
}

/// Commits a transaction that [`begin_in_file`] began. It is over in every case.
pub(crate) fn commit_in_file(file: &OpenFile, connection: &Connection) -> Result<()> {
    let committed = commit(connection).and_then(|()| file.check_committed());
    rescued(file, connection, committed)
}

/// Moves the log into the file after an error, if it was removed: earlier acknowledged
/// commits must outlive this process.
fn rescued<T, E>(
    file: &OpenFile,
    connection: &Connection,
    done: std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    if done.is_err() && file.has_lost_its_log() {
        checkpoint::save(file, connection);
    }
    done
}

/// Runs `work` on one consistent state, on the connection of a store. Checks that the name
/// still leads to the open file, before any read.
pub(crate) fn read_in_file<T, E: From<wallet_core::StoreError>>(
    file: &OpenFile,
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let done = read(file, connection, work);
    rescued(file, connection, done)
}

fn read<T, E: From<wallet_core::StoreError>>(
    file: &OpenFile,
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    // Dropping the transaction ends it. There is nothing to commit.
    let state = Transaction::new(connection, TransactionBehavior::Deferred);
    let state = state.during("beginning to read")?;
    file.check()?;
    work(&state)
}

/// Commits the open transaction. It costs nothing if nothing was written.
fn commit(connection: &Connection) -> Result<()> {
    let committed = connection
        .prepare_cached("COMMIT")
        .and_then(|mut commit| commit.execute(()))
        .while_doing(Doing::Commit, "committing");
    // A commit that fails with `SQLITE_BUSY` leaves the transaction open.
    if committed.is_err() {
        lock::roll_back(connection);
    }
    committed.map(drop)
}

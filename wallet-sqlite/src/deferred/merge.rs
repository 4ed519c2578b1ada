//! Writes a delta, and merges earlier deltas into the tables, one bucket per commit.

use rusqlite::params;

use super::buckets::BUCKETS;
use super::delta::{Delta, Key, Moved, Nonce};
use super::{Books, Deltas};
use crate::error::{Doing, During, Result, next_number};
use crate::statement::prepare;
use crate::value::counters_bytes;

/// The nonce comes from SQLite's own generator, which the operating system seeds.
const INSERT: &str =
    "INSERT INTO wallet_deferred (number, nonce, body) VALUES (?, randomblob(16), ?)";
const DELETE: &str = "DELETE FROM wallet_deferred WHERE number <= ?";
/// Skips rows of an equal or greater version: a small commit wrote them directly. The
/// answer to a past balance may have raised the time without a new version.
const FOLD_ACCOUNT: &str = "
    UPDATE wallet_account
    SET counters = ?2, version = ?3, sequence = ?4, last_at = max(last_at, ?5), last_entry = ?6
    WHERE num = ?1 AND version < ?3";
const FOLD_KEY: &str = "INSERT INTO wallet_record (ledger, hash, journal) VALUES (?, ?, ?)";

/// A placeholder nonce for a delta that is being written. The database creates the real
/// nonce. The delta is cached only after it is read back.
const UNREAD: Nonce = Nonce([0; 16]);

/// Writes the deferred rows of a commit, and merges the next bucket.
pub(crate) fn write(books: &Books<'_>, moved: Vec<Moved>, keys: Vec<Key>) -> Result<()> {
    let delta = Delta::new(books.deltas.next_number()?, UNREAD, moved, keys);
    insert(books, &delta)?;
    let bucket = delta.merged();
    let deltas = books.deltas.all().chain([&delta]);
    let (mut moved, mut keys) = (Vec::new(), Vec::new());
    for delta in deltas {
        moved.extend(delta.moved.bucket(bucket));
        keys.extend(delta.keys.bucket(bucket));
    }
    fold(books, moved, keys)?;
    // Every bucket has been merged since then.
    let turns = i64::try_from(BUCKETS).unwrap_or(i64::MAX);
    delete_until(books, delta.number.saturating_sub(turns).saturating_add(1))
}

/// Merges everything. Callers that need every row in the tables use it.
pub(crate) fn fold_all(books: &Books<'_>) -> Result<()> {
    let (mut moved, mut keys) = (Vec::new(), Vec::new());
    for bucket in 0..BUCKETS {
        for delta in books.deltas.unfolded(bucket) {
            moved.extend(delta.moved.bucket(bucket));
            keys.extend(delta.keys.bucket(bucket));
        }
    }
    fold(books, moved, keys)?;
    // An empty delta, so that no number is used again.
    let next = books.deltas.next_number()?;
    let last = Delta::new(next, UNREAD, Vec::new(), Vec::new());
    insert(books, &last)?;
    delete_until(books, last.number.saturating_sub(1))
}

fn insert(books: &Books<'_>, delta: &Delta) -> Result<()> {
    prepare(books, INSERT)?
        .execute((delta.number, delta.encode()))
        .while_doing(Doing::Append, "deferring a delta")
        .map(|_| ())
}

fn delete_until(books: &Books<'_>, number: i64) -> Result<()> {
    prepare(books, DELETE)?
        .execute((number,))
        .during("deleting a merged delta")
        .map(|_| ())
}

/// Writes the latest state of each account, and the keys, to their tables.
fn fold(books: &Books<'_>, mut moved: Vec<Moved>, mut keys: Vec<Key>) -> Result<()> {
    moved.sort_unstable_by_key(|moved| (moved.number, std::cmp::Reverse(moved.version)));
    moved.dedup_by_key(|moved| moved.number);
    let mut fold_account = prepare(books, FOLD_ACCOUNT)?;
    for moved in &moved {
        fold_account
            .execute(params![
                moved.number,
                counters_bytes(&moved.counters),
                moved.version,
                moved.sequence,
                moved.last_at.as_micros(),
                moved.last_entry,
            ])
            .during("merging an account")?;
    }
    keys.sort_unstable();
    let mut fold_key = prepare(books, FOLD_KEY)?;
    for key in &keys {
        fold_key
            .execute(params![key.ledger, key.hash, key.journal])
            .while_doing(Doing::Append, "merging a key")?;
    }
    Ok(())
}

impl Deltas {
    fn all(&self) -> impl Iterator<Item = &Delta> {
        self.0.iter().map(AsRef::as_ref)
    }

    fn next_number(&self) -> Result<i64> {
        let last = self.0.last().map_or(0, |delta| delta.number);
        next_number(last, 0, "the numbers of deferred deltas are used up")
    }
}

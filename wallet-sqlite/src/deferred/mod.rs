//! Deferred writes of large commits.
//!
//! A commit of many requests changes accounts and keys on many pages: nearly one page for
//! each row. So the commit writes these rows together, as one *delta*. It also *merges* one
//! bucket of the tables: it writes the rows of this and earlier deltas for that bucket to
//! their pages, many rows per page. After as many commits as there are buckets, a delta is
//! merged completely and deleted.
//!
//! Durability is the same, because a delta is part of its commit. A reader of an account or
//! a key looks into the deltas too. The greater version of an account counts, in a delta or
//! in the table. So a small commit can write to the table directly.

mod buckets;
mod delta;
mod index;
mod merge;
#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension};
use wallet_core::ledger::RecordKey;

pub(crate) use delta::{Delta, Key, Moved};
pub(crate) use index::Index;
pub(crate) use merge::{fold_all, write};

use crate::error::{During, Result, corrupt};
use crate::statement::prepare;
use crate::value::ledger_number;
use buckets::{bucket_of_account, bucket_of_key};
use delta::Nonce;

/// Rows are consecutive. Only rows at the front are deleted.
const BOUNDS: &str = "
    SELECT (SELECT min(number) FROM wallet_deferred), number, nonce
    FROM wallet_deferred ORDER BY number DESC LIMIT 1";
const NONCE: &str = "SELECT nonce FROM wallet_deferred WHERE number = ?";
const LOAD: &str = "
    SELECT number, nonce, body FROM wallet_deferred
    WHERE number BETWEEN ? AND ? ORDER BY number";

/// One consistent state of the file: a connection inside a transaction, and the deltas that
/// it sees.
#[derive(Debug)]
pub(crate) struct Books<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) deltas: Arc<Deltas>,
}

impl Deref for Books<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// The deltas of one state, ascending by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deltas(Vec<Arc<Delta>>);

/// A cache of the deltas of the latest state that a store saw. Each use proves it against
/// the file.
///
/// A delta never changes. A restored backup may reuse its number in the same file while the
/// store runs. A nonce is never reused. A file that holds a nonce descends from the commit
/// that wrote it. So the file holds every earlier delta of that history, except those
/// merged since. One equal nonce therefore proves a cached delta and all deltas before it.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Arc<Deltas>>);

/// The numbers of the first and last deltas of a state, and the nonce of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    first: i64,
    last: i64,
    nonce: Nonce,
}

impl Cache {
    /// The state that `connection` sees. Its transaction must not have written a delta,
    /// because a rolled-back delta must not be cached.
    pub(crate) fn books<'c>(&self, connection: &'c Connection) -> Result<Books<'c>> {
        let Some(bounds) = bounds(connection)? else {
            let deltas = Arc::default();
            return Ok(Books { connection, deltas });
        };
        let known = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if known.bounds() == Some(bounds) {
            let deltas = known;
            return Ok(Books { connection, deltas });
        }
        let proven = known.proven(connection, bounds)?;
        // A reader may see an older state than the latest. A state of another history
        // replaces the cache.
        let is_newer = known.last() < bounds.last || proven.is_empty();
        let deltas = Arc::new(Deltas::load(connection, proven, bounds)?);
        if is_newer {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&deltas);
        }
        Ok(Books { connection, deltas })
    }
}

fn bounds(connection: &Connection) -> Result<Option<Bounds>> {
    let bounds = prepare(connection, BOUNDS)?
        .query_row((), |row| {
            Ok(Bounds {
                first: row.get(0)?,
                last: row.get(1)?,
                nonce: Nonce(row.get(2)?),
            })
        })
        .optional();
    bounds.during("looking for deferred deltas")
}

impl Deltas {
    /// The account in the latest delta that has it, unless that delta is merged for this
    /// bucket.
    pub(crate) fn moved(&self, number: i64) -> Option<&Moved> {
        let mut unfolded = self.unfolded(bucket_of_account(number));
        unfolded.find_map(|delta| delta.moved.find(&number))
    }

    /// The journal row of a key, unless the key is merged.
    pub(crate) fn key(&self, key: RecordKey) -> Option<i64> {
        let mut unfolded = self.unfolded(bucket_of_key(&key.hash));
        let by = (ledger_number(key.ledger), key.hash);
        let found = unfolded.find_map(|delta| delta.keys.find(&by));
        found.map(|key| key.journal)
    }

    /// How many keys are only in deltas.
    pub(crate) fn unfolded_keys(&self) -> u64 {
        let buckets = (0..buckets::BUCKETS).flat_map(|bucket| {
            let unfolded = self.unfolded(bucket);
            unfolded.map(move |delta| delta.keys.bucket(bucket).len())
        });
        u64::try_from(buckets.sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// The last journal row that a key of these deltas points to. 0 if there is none.
    pub(crate) fn last_journal(&self) -> i64 {
        let keys = self.0.iter().flat_map(|delta| delta.keys.all());
        keys.map(|key| key.journal).max().unwrap_or(0)
    }

    /// Whether a key of these deltas points to journal row `journal` or an earlier one.
    pub(crate) fn point_until(&self, journal: i64) -> bool {
        let mut keys = self.0.iter().flat_map(|delta| delta.keys.all());
        keys.any(|key| key.journal <= journal)
    }

    /// The deltas that are not merged for the bucket, the latest first.
    fn unfolded(&self, bucket: usize) -> impl Iterator<Item = &Arc<Delta>> {
        let latest = self.0.iter().rev();
        latest.take_while(move |delta| delta.merged() != bucket)
    }

    fn bounds(&self) -> Option<Bounds> {
        let last = self.0.last()?;
        Some(Bounds {
            first: self.0.first()?.number,
            last: last.number,
            nonce: last.nonce,
        })
    }

    /// The number of the last delta. 0 if there is none.
    fn last(&self) -> i64 {
        self.0.last().map_or(0, |delta| delta.number)
    }

    /// The cached deltas that the state within `bounds` still holds. Empty if the state
    /// belongs to another history, or begins before the cached deltas.
    fn proven(&self, connection: &Connection, bounds: Bounds) -> Result<Vec<Arc<Delta>>> {
        let is_common = |delta: &&Arc<Delta>| (bounds.first..=bounds.last).contains(&delta.number);
        let common: Vec<_> = self.0.iter().filter(is_common).map(Arc::clone).collect();
        let (Some(first), Some(last)) = (common.first(), common.last()) else {
            return Ok(Vec::new());
        };
        if first.number != bounds.first {
            return Ok(Vec::new());
        }
        let nonce = prepare(connection, NONCE)?
            .query_row((last.number,), |row| row.get(0).map(Nonce))
            .optional()
            .during("proving deferred deltas")?;
        let is_same = nonce == Some(last.nonce);
        Ok(if is_same { common } else { Vec::new() })
    }

    /// The deltas within `bounds`: takes the `proven` ones from the cache and reads the
    /// others.
    fn load(connection: &Connection, proven: Vec<Arc<Delta>>, bounds: Bounds) -> Result<Self> {
        let Bounds { first, last, .. } = bounds;
        let mut all = proven;
        let from = all
            .last()
            .map_or(first, |delta| delta.number.saturating_add(1));
        let context = "reading deferred deltas";
        let mut statement = prepare(connection, LOAD)?;
        let mut rows = statement.query((from, last)).during(context)?;
        while let Some(row) = rows.next().during(context)? {
            let body = row.get_ref(2).during(context)?;
            let body = body
                .as_blob()
                .map_err(|_| corrupt("a deferred delta is no blob"))?;
            let nonce = Nonce(row.get(1).during(context)?);
            let delta = Delta::decode(row.get(0).during(context)?, nonce, body)?;
            all.push(Arc::new(delta));
        }
        let is_gapless = all.iter().map(|delta| delta.number).eq(first..=last);
        is_gapless
            .then_some(Self(all))
            .ok_or_else(|| corrupt("a deferred delta is missing"))
    }
}

//! What large commits write later.
//!
//! A commit of many requests touches accounts and keys all over their tables: a
//! page for nearly each of them. So it writes them together, as one *piece*, and
//! *folds* one slice of the tables: what this and the last pieces have for that
//! slice goes into its pages, many rows to a page. After as many commits as
//! there are slices a piece is folded whole and deleted.
//!
//! Nothing is less durable for it: a piece is part of its commit. Whoever reads
//! an account or a key looks into the pieces too. Of an account the greater
//! version counts, whether it stands in a piece or in the table, so that a small
//! commit writes to the table at once, whatever the pieces hold.

mod fold;
mod index;
mod piece;
mod slices;
#[cfg(test)]
mod tests;

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use wallet_core::RecordKey;

pub(crate) use fold::{fold_all, write};
pub(crate) use index::Index;
pub(crate) use piece::{Key, Moved, Piece};

use crate::error::{During, Result, corrupt};
use crate::read::prepare;
use crate::value::ledger_number;
use slices::{slice_of_account, slice_of_key};

/// Rows follow each other without a gap: what is deleted is at the front.
const BOUNDS: &str = "
    SELECT (SELECT min(number) FROM wallet_deferred), (SELECT max(number) FROM wallet_deferred)";
const LOAD: &str = "
    SELECT number, body FROM wallet_deferred WHERE number BETWEEN ? AND ? ORDER BY number";

/// One state of the file: a connection inside a transaction, and the pieces
/// that it sees.
#[derive(Debug)]
pub(crate) struct Books<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) pieces: Arc<Pieces>,
}

impl Deref for Books<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// The pieces of one state, ascending by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pieces(Vec<Arc<Piece>>);

/// The pieces of the latest state that a store saw. A piece never changes and
/// its number is never given again, so that numbers tell whether it is the
/// latest still.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Arc<Pieces>>);

impl Cache {
    /// The state that `connection` sees. Its transaction must have written no
    /// piece itself: what is rolled back must not be remembered.
    pub(crate) fn books<'c>(&self, connection: &'c Connection) -> Result<Books<'c>> {
        let (first, last) = prepare(connection, BOUNDS)?
            .query_row((), |row| {
                Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
            })
            .during("looking for deferred pieces")?;
        let known = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let (Some(first), Some(last)) = (first, last) else {
            let pieces = Arc::default();
            return Ok(Books { connection, pieces });
        };
        if known.bounds() == Some((first, last)) {
            let pieces = known;
            return Ok(Books { connection, pieces });
        }
        let is_newer = known.bounds().is_none_or(|(_, theirs)| theirs < last);
        let pieces = Arc::new(known.at(connection, first, last)?);
        if is_newer {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&pieces);
        }
        Ok(Books { connection, pieces })
    }
}

impl Pieces {
    /// The account as the latest piece has it, unless that is folded.
    pub(crate) fn moved(&self, number: i64) -> Option<&Moved> {
        let mut unfolded = self.unfolded(slice_of_account(number));
        unfolded.find_map(|piece| piece.moved.find(&number))
    }

    /// The journal row of a key, unless the key is folded.
    pub(crate) fn key(&self, key: RecordKey) -> Option<i64> {
        let mut unfolded = self.unfolded(slice_of_key(&key.hash));
        let by = (ledger_number(key.ledger), key.hash);
        let found = unfolded.find_map(|piece| piece.keys.find(&by));
        found.map(|key| key.journal)
    }

    /// Whether a key of theirs points at or before journal row `journal`.
    pub(crate) fn tell_until(&self, journal: i64) -> bool {
        let mut keys = self.0.iter().flat_map(|piece| piece.keys.all());
        keys.any(|key| key.journal <= journal)
    }

    /// The latest first, up to the one whose commit folded the slice.
    fn unfolded(&self, slice: usize) -> impl Iterator<Item = &Arc<Piece>> {
        let latest = self.0.iter().rev();
        latest.take_while(move |piece| piece.folded() != slice)
    }

    fn bounds(&self) -> Option<(i64, i64)> {
        Some((self.0.first()?.number, self.0.last()?.number))
    }

    /// Pieces `first` to `last`: those that are known here, the others read.
    fn at(&self, connection: &Connection, first: i64, last: i64) -> Result<Self> {
        let is_wanted = |piece: &&Arc<Piece>| (first..=last).contains(&piece.number);
        let mut all: Vec<_> = self.0.iter().filter(is_wanted).map(Arc::clone).collect();
        let next = all
            .last()
            .map_or(first, |piece| piece.number.saturating_add(1));
        if all.first().is_some_and(|piece| piece.number != first) {
            // An older state than any that was seen: rare, and read whole.
            all.clear();
        }
        let from = if all.is_empty() { first } else { next };
        let context = "reading deferred pieces";
        let mut statement = prepare(connection, LOAD)?;
        let mut rows = statement.query((from, last)).during(context)?;
        while let Some(row) = rows.next().during(context)? {
            let body = row.get_ref(1).during(context)?;
            let body = body
                .as_blob()
                .map_err(|_| corrupt("a deferred piece is no blob"))?;
            let piece = Piece::decode(row.get(0).during(context)?, body)?;
            all.push(Arc::new(piece));
        }
        let is_gapless = all.iter().map(|piece| piece.number).eq(first..=last);
        is_gapless
            .then_some(Self(all))
            .ok_or_else(|| corrupt("a deferred piece is missing"))
    }
}

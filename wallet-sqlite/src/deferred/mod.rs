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

use rusqlite::{Connection, OptionalExtension};
use wallet_core::ledger::RecordKey;

pub(crate) use fold::{fold_all, write};
pub(crate) use index::Index;
pub(crate) use piece::{Key, Moved, Piece};

use crate::error::{During, Result, corrupt};
use crate::read::prepare;
use crate::value::ledger_number;
use piece::Nonce;
use slices::{slice_of_account, slice_of_key};

/// Rows follow each other without a gap: what is deleted is at the front.
const BOUNDS: &str = "
    SELECT (SELECT min(number) FROM wallet_deferred), number, nonce
    FROM wallet_deferred ORDER BY number DESC LIMIT 1";
const NONCE: &str = "SELECT nonce FROM wallet_deferred WHERE number = ?";
const LOAD: &str = "
    SELECT number, nonce, body FROM wallet_deferred
    WHERE number BETWEEN ? AND ? ORDER BY number";

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

/// The pieces of the latest state that a store saw: a memory, which each use
/// proves against the file.
///
/// A piece never changes, but a restored backup gives its number again, in the
/// same file and while the store runs. The nonce is given once: a file that
/// holds it descends from the commit that wrote it, and so holds every earlier
/// piece of that commit's file, but for those that were folded since. One equal
/// nonce therefore proves a remembered piece and all before it.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Arc<Pieces>>);

/// The numbers of the first and last pieces of a state, and the nonce of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    first: i64,
    last: i64,
    nonce: Nonce,
}

impl Cache {
    /// The state that `connection` sees. Its transaction must have written no
    /// piece itself: what is rolled back must not be remembered.
    pub(crate) fn books<'c>(&self, connection: &'c Connection) -> Result<Books<'c>> {
        let Some(bounds) = bounds(connection)? else {
            let pieces = Arc::default();
            return Ok(Books { connection, pieces });
        };
        let known = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if known.bounds() == Some(bounds) {
            let pieces = known;
            return Ok(Books { connection, pieces });
        }
        let proven = known.proven(connection, bounds)?;
        // A reader may be in a state before the latest; one in another history
        // ends what is remembered of this one.
        let is_newer = known.last() < bounds.last || proven.is_empty();
        let pieces = Arc::new(Pieces::load(connection, proven, bounds)?);
        if is_newer {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&pieces);
        }
        Ok(Books { connection, pieces })
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
    bounds.during("looking for deferred pieces")
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

    /// How many keys are in pieces alone.
    pub(crate) fn unfolded_keys(&self) -> u64 {
        let slices = (0..slices::SLICES).flat_map(|slice| {
            let unfolded = self.unfolded(slice);
            unfolded.map(move |piece| piece.keys.slice(slice).len())
        });
        u64::try_from(slices.sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// The last journal row that a key of theirs points at; 0 where there is none.
    pub(crate) fn last_journal(&self) -> i64 {
        let keys = self.0.iter().flat_map(|piece| piece.keys.all());
        keys.map(|key| key.journal).max().unwrap_or(0)
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

    fn bounds(&self) -> Option<Bounds> {
        let last = self.0.last()?;
        Some(Bounds {
            first: self.0.first()?.number,
            last: last.number,
            nonce: last.nonce,
        })
    }

    /// The number of the last; 0 where there is none.
    fn last(&self) -> i64 {
        self.0.last().map_or(0, |piece| piece.number)
    }

    /// Those of them that the state within `bounds` holds, from its first on; none
    /// where it is of another history, or begins before them.
    fn proven(&self, connection: &Connection, bounds: Bounds) -> Result<Vec<Arc<Piece>>> {
        let is_common = |piece: &&Arc<Piece>| (bounds.first..=bounds.last).contains(&piece.number);
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
            .during("proving deferred pieces")?;
        let is_same = nonce == Some(last.nonce);
        Ok(if is_same { common } else { Vec::new() })
    }

    /// The pieces within `bounds`: those that are `proven`, the others read.
    fn load(connection: &Connection, proven: Vec<Arc<Piece>>, bounds: Bounds) -> Result<Self> {
        let Bounds { first, last, .. } = bounds;
        let mut all = proven;
        let from = all
            .last()
            .map_or(first, |piece| piece.number.saturating_add(1));
        let context = "reading deferred pieces";
        let mut statement = prepare(connection, LOAD)?;
        let mut rows = statement.query((from, last)).during(context)?;
        while let Some(row) = rows.next().during(context)? {
            let body = row.get_ref(2).during(context)?;
            let body = body
                .as_blob()
                .map_err(|_| corrupt("a deferred piece is no blob"))?;
            let nonce = Nonce(row.get(1).during(context)?);
            let piece = Piece::decode(row.get(0).during(context)?, nonce, body)?;
            all.push(Arc::new(piece));
        }
        let is_gapless = all.iter().map(|piece| piece.number).eq(first..=last);
        is_gapless
            .then_some(Self(all))
            .ok_or_else(|| corrupt("a deferred piece is missing"))
    }
}

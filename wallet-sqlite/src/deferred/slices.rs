//! Slices of the tables: rows that share pages share one.

use super::piece::{Key, Moved};

/// How many there are. Each commit folds one of them, so that nothing is
/// deferred for longer than as many commits.
pub(super) const SLICES: usize = 64;
/// Accounts whose numbers follow each other share pages.
const NEIGHBOURS: i64 = 64;

/// Number `turn`, counted round.
pub(super) fn slice(turn: i64) -> usize {
    let slices = i64::try_from(SLICES).unwrap_or(i64::MAX);
    usize::try_from(turn.rem_euclid(slices)).unwrap_or_default()
}

/// The slice that holds an account.
pub(super) fn slice_of_account(number: i64) -> usize {
    slice(number.div_euclid(NEIGHBOURS))
}

/// The slice that holds a key: a range of hashes.
pub(super) fn slice_of_key(hash: &[u8; 16]) -> usize {
    let [first, ..] = hash;
    usize::from(*first).saturating_mul(SLICES).div_euclid(256)
}

/// What falls into a slice, and how it is found there.
pub(super) trait InSlice {
    type By: Ord;
    fn by(&self) -> Self::By;
    fn slice_of(by: &Self::By) -> usize;
}

impl InSlice for Moved {
    type By = i64;
    fn by(&self) -> i64 {
        self.number
    }
    fn slice_of(by: &i64) -> usize {
        slice_of_account(*by)
    }
}

impl InSlice for Key {
    type By = (i64, [u8; 16]);
    fn by(&self) -> Self::By {
        (self.ledger, self.hash)
    }
    fn slice_of((_, hash): &Self::By) -> usize {
        slice_of_key(hash)
    }
}

/// Rows, sorted within their slices, and where each slice begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sliced<T> {
    rows: Vec<T>,
    starts: Vec<usize>,
}

impl<T: InSlice> Sliced<T> {
    pub(super) fn new(mut rows: Vec<T>) -> Self {
        rows.sort_unstable_by_key(|row| (T::slice_of(&row.by()), row.by()));
        let start = |slice| rows.partition_point(|row| T::slice_of(&row.by()) < slice);
        let starts = (0..=SLICES).map(start).collect();
        Self { rows, starts }
    }

    pub(super) fn all(&self) -> &[T] {
        &self.rows
    }

    pub(super) fn slice(&self, slice: usize) -> &[T] {
        let rows = match self.starts.get(slice..) {
            Some([start, end, ..]) => self.rows.get(*start..*end),
            _ => None,
        };
        rows.unwrap_or_default()
    }

    pub(super) fn find(&self, by: &T::By) -> Option<&T> {
        let rows = self.slice(T::slice_of(by));
        let found = rows.binary_search_by(|row| row.by().cmp(by));
        rows.get(found.ok()?)
    }
}

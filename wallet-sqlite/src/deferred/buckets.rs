//! Buckets of the tables. Rows on the same pages are in the same bucket.

use super::delta::{Key, Moved};

/// The number of buckets. Each commit merges one bucket, so nothing is deferred for more
/// than this many commits.
pub(super) const BUCKETS: usize = 64;
/// Accounts with consecutive numbers share pages.
const NEIGHBOURS: i64 = 64;

/// The bucket number `turn`, modulo the number of buckets.
pub(super) fn bucket(turn: i64) -> usize {
    let buckets = i64::try_from(BUCKETS).unwrap_or(i64::MAX);
    usize::try_from(turn.rem_euclid(buckets)).unwrap_or_default()
}

/// The bucket that holds an account.
pub(super) fn bucket_of_account(number: i64) -> usize {
    bucket(number.div_euclid(NEIGHBOURS))
}

/// The bucket that holds a key: a range of hashes.
pub(super) fn bucket_of_key(hash: &[u8; 16]) -> usize {
    let [first, ..] = hash;
    usize::from(*first).saturating_mul(BUCKETS).div_euclid(256)
}

/// A row that belongs to a bucket, and its sort key within the bucket.
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
        bucket_of_account(*by)
    }
}

impl InSlice for Key {
    type By = (i64, [u8; 16]);
    fn by(&self) -> Self::By {
        (self.ledger, self.hash)
    }
    fn slice_of((_, hash): &Self::By) -> usize {
        bucket_of_key(hash)
    }
}

/// Rows sorted within their buckets, and the start of each bucket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sliced<T> {
    rows: Vec<T>,
    starts: Vec<usize>,
}

impl<T: InSlice> Sliced<T> {
    pub(super) fn new(mut rows: Vec<T>) -> Self {
        rows.sort_unstable_by_key(|row| (T::slice_of(&row.by()), row.by()));
        let start = |bucket| rows.partition_point(|row| T::slice_of(&row.by()) < bucket);
        let starts = (0..=BUCKETS).map(start).collect();
        Self { rows, starts }
    }

    pub(super) fn all(&self) -> &[T] {
        &self.rows
    }

    pub(super) fn bucket(&self, bucket: usize) -> &[T] {
        let rows = match self.starts.get(bucket..) {
            Some([start, end, ..]) => self.rows.get(*start..*end),
            _ => None,
        };
        rows.unwrap_or_default()
    }

    pub(super) fn find(&self, by: &T::By) -> Option<&T> {
        let rows = self.bucket(T::slice_of(by));
        let found = rows.binary_search_by(|row| row.by().cmp(by));
        rows.get(found.ok()?)
    }
}

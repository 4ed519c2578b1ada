use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wallet_core::Timestamp;
use wallet_core::ledger::{AccountKey, RecordKey};
use wallet_core::request::Batch;

use super::bugs::Circumstances;

/// Commits in flight after a lost answer. Each locks its accounts and keys until it
/// takes effect.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<Commits>);

#[derive(Debug, Default)]
struct Commits {
    waiting: Vec<Commit>,
    made: u64,
    /// The locks of the commit that is taking effect now.
    landing: Option<Locks>,
}

/// A commit in flight.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) number: u64,
    pub(super) batch: Arc<Batch>,
    pub(super) circumstances: Circumstances,
    pub(super) due: Timestamp,
    locks: Locks,
}

/// The locks of a batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Locks {
    pub(super) accounts: BTreeSet<AccountKey>,
    pub(super) keys: BTreeSet<RecordKey>,
}

impl Locks {
    fn overlap(&self, other: &Self) -> bool {
        !self.accounts.is_disjoint(&other.accounts) || !self.keys.is_disjoint(&other.keys)
    }
}

impl UnderWay {
    /// Adds a commit and returns its number.
    pub(super) fn add(
        &self,
        batch: Arc<Batch>,
        circumstances: Circumstances,
        locks: Locks,
        due: Timestamp,
    ) -> u64 {
        let mut commits = self.commits();
        let number = commits.made;
        commits.made += 1;
        commits.waiting.push(Commit {
            number,
            batch,
            circumstances,
            due,
            locks,
        });
        number
    }

    /// Whether a commit in flight holds a lock that `locks` needs.
    pub(super) fn keeps(&self, locks: &Locks) -> bool {
        let commits = self.commits();
        let mut all = commits.waiting.iter().map(|commit| &commit.locks);
        all.any(|held| held.overlap(locks))
            || commits
                .landing
                .as_ref()
                .is_some_and(|held| held.overlap(locks))
    }

    /// The time until the next commit takes effect.
    pub(super) fn next_in(&self, now: Timestamp) -> Option<Duration> {
        let commits = self.commits();
        let next = commits.waiting.iter().map(|commit| commit.due).min()?;
        Some(next.since(now))
    }

    /// Removes the earliest due commit. Its locks stay until
    /// [`landed`](Self::landed).
    pub(super) fn land(&self, is_due: impl Fn(Timestamp) -> bool) -> Option<Commit> {
        let mut commits = self.commits();
        let due = commits.waiting.iter().enumerate();
        let due = due.filter(|(_, commit)| is_due(commit.due));
        let (index, _) = due.min_by_key(|(_, commit)| (commit.due, commit.number))?;
        let commit = commits.waiting.remove(index);
        commits.landing = Some(commit.locks.clone());
        Some(commit)
    }

    /// Releases the locks of the commit that has taken effect.
    pub(super) fn landed(&self) {
        self.commits().landing = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        let commits = self.commits();
        commits.waiting.is_empty() && commits.landing.is_none()
    }

    fn commits(&self) -> MutexGuard<'_, Commits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

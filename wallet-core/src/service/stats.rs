use std::sync::atomic::{AtomicU64, Ordering};

/// A count that only rises.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(super) struct Stats {
            $(pub(super) $name: Counter,)*
        }

        /// What the service has done since it was built.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct StatsSnapshot {
            $($(#[$doc])* pub $name: u64,)*
            /// Requests that wait now.
            pub waiting: u64,
        }

        impl Stats {
            pub(super) fn snapshot(&self, waiting: u64) -> StatsSnapshot {
                StatsSnapshot { $($name: self.$name.get(),)* waiting }
            }
        }
    };
}

stats! {
    /// Requests accepted into the queue.
    submitted,
    /// Requests refused because the queue was full.
    overloaded,
    /// Batches handed to the store, further tries included.
    batches,
    /// Further tries after `Unavailable`, `Conflict` or `Indeterminate`.
    retries,
    /// Unknown commits that a further try settled.
    settled,
    /// Batches split to find the request that the store refuses, or whose stored
    /// rows cannot be read, or that waits for a row that somebody else keeps.
    splits,
    /// Requests that failed because a stored row cannot be read, and expired holds
    /// that are left out for that: each time. Look at
    /// [`Wallet::damaged_holds`](crate::service::Wallet::damaged_holds) and at the errors.
    damaged,
    /// Requests put back because a foreign transaction kept an account.
    blocked,
    /// Requests refused because the store's clock is behind.
    clock_behind,
    /// Stores that panicked in a committer.
    panics,
    /// Holds ended because their time was over.
    expired,
    /// Balances that the cache had, fresh enough.
    cache_hits,
    /// Balances that it had not.
    cache_misses,
    /// Calls of the cache that failed.
    cache_failures,
    /// Balances put into it.
    cache_writes,
    /// Balances that were not put: it failed for too long, or too many waited.
    cache_dropped,
    /// Statements and past balances that history proved.
    history_answers,
    /// Those that it did not: the ledger answered.
    history_misses,
    /// Those for which it failed or took too long: the ledger answered.
    history_failures,
    /// Sweeps left to another process, which had the lock.
    sweeps_left,
}

use crate::runtime::Counter;

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(super) struct Stats {
            $(pub(super) $name: Counter,)*
        }

        /// The service's counters since it was built.
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
    /// Batches sent to the store, including retries.
    batches,
    /// Retries after `Unavailable`, `Conflict` or `Indeterminate`.
    retries,
    /// Unknown commits that a retry settled.
    settled,
    /// Batches that were split. The split finds a request that the store refuses,
    /// that has unreadable rows, or that waits for a row locked elsewhere.
    splits,
    /// Requests that failed because a stored row cannot be read, and expired holds
    /// that are left out for this reason. Every occurrence counts. See
    /// [`Wallet::damaged_holds`](crate::service::Wallet::damaged_holds) and the
    /// errors.
    damaged,
    /// Requests that returned to the queue because a foreign transaction locked an
    /// account.
    blocked,
    /// Requests refused because the store's clock is behind.
    clock_behind,
    /// Panics of a store in a committer.
    panics,
    /// Holds that expired.
    expired,
    /// Cache hits: balances that were in the cache and fresh enough.
    cache_hits,
    /// Cache misses.
    cache_misses,
    /// Failed calls of the cache.
    cache_failures,
    /// Balances written to the cache.
    cache_writes,
    /// Balances that were not written: the cache failed for too long, or too many
    /// waited.
    cache_dropped,
    /// Statements and past balances that history proved.
    history_answers,
    /// Statements and past balances that history did not prove, so that the ledger
    /// answered.
    history_misses,
    /// Statements and past balances for which history failed or took too long, so
    /// that the ledger answered.
    history_failures,
    /// Sweeps that were left to another process, which had the lock.
    sweeps_left,
}

//! Counters of calls and connections.

use wallet_core::runtime::Counter;

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Stats {
            $(pub(crate) $name: Counter,)*
        }

        /// Counts of the calls to Redis since it was opened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct StatsSnapshot {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Stats {
            pub(crate) fn snapshot(&self) -> StatsSnapshot {
                StatsSnapshot { $($name: self.$name.get(),)* }
            }
        }
    };
}

stats! {
    /// Calls that were sent.
    calls,
    /// Sent calls that failed.
    failures,
    /// Sent calls that exceeded their deadline.
    timeouts,
    /// Calls that were not sent because there was no connection. They cost nothing.
    skipped,
    /// Calls that were sent again after their connection broke.
    retries,
    /// How often a connection was taken out of use.
    breaks,
    /// How often a connection was opened.
    connections,
}

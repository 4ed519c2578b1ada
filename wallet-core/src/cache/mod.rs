//! The port of a balance cache. It is faster to read than the ledger, never newer
//! than the ledger, and never required.

mod balance_cache;

pub use balance_cache::BalanceCache;

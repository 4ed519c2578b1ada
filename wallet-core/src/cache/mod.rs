//! The port of a cache of balances: read faster than the ledger, never newer than
//! the books, and never needed.

mod balance_cache;

pub use balance_cache::BalanceCache;

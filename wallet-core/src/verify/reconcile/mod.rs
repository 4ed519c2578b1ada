//! Reconciliation: compares the ledger with its history and its cache (feature
//! `verify`). It can run on a schedule, beside traffic, over any number of
//! accounts.
//!
//! [`Reconciler`] compares, and [`Reconciliation`] is its report.
//! [`invariants`](crate::verify), in contrast, checks everything and needs a ledger
//! without writes. The reconciler holds one page at a time in memory. Concurrent
//! commits never look like a difference:
//!
//! - The sum of all balances is read from one consistent state
//!   ([`trial_balance`](crate::store::LedgerStore::trial_balance)).
//! - An account is read once, and then compared at that version. Its entries up to
//!   its sequence never change.
//! - If another store seems to be ahead, it is compared with the account again
//!   after a new read.

mod account;
mod difference;
mod pending;
mod reconciler;
mod report;

pub use difference::Difference;
pub use reconciler::{ReconcileError, ReconcileProgress, Reconciler};
pub use report::{CacheTally, HistoryTally, Reconciliation};

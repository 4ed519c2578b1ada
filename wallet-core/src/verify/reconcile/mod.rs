//! Whether the ledger, its history and its cache say the same (feature `verify`):
//! for a schedule, beside traffic, over as many accounts as there are.
//!
//! [`Reconciler`] finds out; [`Reconciliation`] is its report. Unlike
//! [`invariants`](crate::verify), which checks everything and needs the books to
//! stand still, it keeps a page at a time in memory, and nothing that goes on
//! beside it looks like a difference:
//!
//! - The sum of all balances is read from one consistent state
//!   ([`trial_balance`](crate::store::LedgerStore::trial_balance)).
//! - An account is read once, and then compared as it was at that version: its
//!   entries up to the sequence that it had are what they are for ever.
//! - What another store seems to know better is held against the account read
//!   again.

mod account;
mod difference;
mod pending;
mod reconciler;
mod report;

pub use difference::Difference;
pub use reconciler::{ReconcileError, ReconcileProgress, Reconciler};
pub use report::{CacheTally, HistoryTally, Reconciliation};

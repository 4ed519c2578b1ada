//! The conformance suites: the cases that every adapter of a port must pass.
//!
//! Each case gets a fresh adapter as a [`Kit`](crate::Kit), or a fresh store as a
//! [`StoreKit`](crate::StoreKit). It drives a store through
//! [`LedgerStore::transact`](wallet_core::store::LedgerStore::transact) and asserts
//! on values. After every case of a store its [`invariants`](wallet_core::verify)
//! are checked.

pub use case::{Case, Running, SuiteKit, fault, keeps_outbox, run, run_named};
pub use history::HISTORY;
pub use inbox::INBOX;
pub use ports::{
    AUDIT_LOG, BALANCE_CACHE, LOCK_MANAGER, MESSAGE_QUEUE, RATE_LIMITER, SESSION_STORE,
};
pub use steps::sample;
pub use stores::{LEDGER_STORE, OUTBOX};

pub(crate) use case::alone;
pub(crate) use define::suite;

mod case;
mod define;
mod steps;
mod stores;

pub mod accounts;
pub mod batches;
pub mod bulk;
pub mod concurrency;
pub mod delivery;
pub mod epochs;
pub mod extremes;
pub mod history;
pub mod holds;
pub mod idempotency;
pub mod inbox;
pub mod leases;
pub mod parking;
pub mod pending;
pub mod ports;
pub mod processes;
pub mod published;
pub mod reads;
pub mod reversals;
pub mod sizes;
pub mod system;
pub mod times;
pub mod transfers;

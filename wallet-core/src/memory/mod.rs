//! In-memory stores: one for each port, for tests and demos, and as the reference
//! for real adapters. Nothing survives the process.
//!
//! - [`MemoryStore`], pessimistic: decides and commits under one lock, as a SQL
//!   database does under row locks.
//! - [`OptimisticStore`]: reads, decides, and commits only if nothing changed
//!   meanwhile. It writes at most 100 items per transaction, as `DynamoDB` does.
//!
//! Both hold the same [`Tables`]. Only their commit policy differs.
//!
//! Each other port has one adapter: [`MemoryAuditLog`], [`MemoryCache`],
//! [`MemoryHistory`], [`MemoryInbox`], [`MemoryLimiter`], [`MemoryLocks`],
//! [`MemorySessions`]. They are sufficient for a host that runs one process.

mod audit;
mod cache;
mod history;
mod inbox;
mod limiter;
mod locks;
mod optimistic;
mod outbox;
mod pessimistic;
mod query;
mod sessions;
mod store;
mod tables;
mod transaction;

pub use audit::MemoryAuditLog;
pub use cache::{MemoryCache, ttl_with_jitter};
pub use history::MemoryHistory;
pub use inbox::MemoryInbox;
pub use limiter::MemoryLimiter;
pub use locks::MemoryLocks;
pub use optimistic::{ITEMS_MAX, Optimistic};
pub use outbox::OutboxTables;
pub use pessimistic::{AccountLock, Pessimistic};
pub use sessions::MemorySessions;
pub use store::{CommitPolicy, Shared, Store};
pub use tables::{StoredRecord, Tables};

/// A store that commits under one lock.
pub type MemoryStore = Store<Pessimistic>;
/// A store that commits only if nothing changed meanwhile.
pub type OptimisticStore = Store<Optimistic>;

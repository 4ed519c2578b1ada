//! In-memory stores: one of each kind, for tests, demos and as the reference
//! that real adapters are compared with. Nothing survives the process.
//!
//! - [`MemoryStore`], pessimistic: decides and commits under one lock, as a SQL
//!   database does under row locks.
//! - [`OptimisticStore`]: reads, decides, and commits on condition that nothing
//!   changed meanwhile, at most 100 items a transaction, as `DynamoDB` does.
//!
//! Both hold the same [`Tables`]; only the way to commit differs.
//!
//! Of the other ports one adapter each: [`MemoryAuditLog`], [`MemoryCache`],
//! [`MemoryHistory`], [`MemoryInbox`], [`MemoryLimiter`], [`MemoryLocks`],
//! [`MemorySessions`]. A host that runs one process can do with them.

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
/// A store that commits on condition that nothing changed.
pub type OptimisticStore = Store<Optimistic>;

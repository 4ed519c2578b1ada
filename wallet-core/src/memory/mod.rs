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
//! [`MemoryInbox`] is a consumer's inbox, with nothing to do with either.

mod inbox;
mod optimistic;
mod outbox;
mod pessimistic;
mod query;
mod store;
mod tables;

pub use inbox::MemoryInbox;
pub use optimistic::{ITEMS_MAX, Optimistic};
pub use outbox::OutboxTables;
pub use pessimistic::{AccountLock, Pessimistic};
pub use store::{CommitPolicy, Shared, Store};
pub use tables::{StoredRecord, Tables};

/// A store that commits under one lock.
pub type MemoryStore = Store<Pessimistic>;
/// A store that commits on condition that nothing changed.
pub type OptimisticStore = Store<Optimistic>;

//! Ports: what the core needs from the outside.
//!
//! | port | what it is | adapters here |
//! |---|---|---|
//! | [`LedgerStore`] | commits batches, reads the books | module `memory` |
//! | [`Outbox`] | hands committed effects to a relay | the same stores |
//! | [`EventPublisher`] | sends messages to a queue or topic | none |
//! | [`MessageQueue`] | receives them, each at least once | none |
//! | [`Inbox`] | what a consumer has seen | [`MemoryInbox`](crate::memory::MemoryInbox) |
//! | [`HistoryStore`] | entries for ever, and what balances they prove | [`MemoryHistory`](crate::memory::MemoryHistory) |
//! | [`AuditLog`] | who did what, in chains | [`MemoryAuditLog`](crate::memory::MemoryAuditLog) |
//! | [`Clock`] | the time, and sleeping | `SystemClock` (feature `tokio`) |
//! | [`IdGenerator`] | new ids | [`Uuid7`] |
//! | [`SecretSource`] | secrets that nobody can guess | [`OsSecrets`] |
//! | [`BalanceCache`] | balances, read faster than from the ledger | module `memory` |
//! | [`RateLimiter`] | what callers have used up | module `memory` |
//! | [`LockManager`] | names lent to one owner at a time | module `memory` |
//! | [`SessionStore`] | who is signed in | module `memory` |

mod audit;
mod balance_cache;
mod clock;
mod history;
mod id_generator;
mod inbox;
mod ledger_store;
mod lock_manager;
mod outbox;
mod pending_sums;
mod publisher;
mod query;
mod queue;
mod rate_limiter;
mod secret_source;
mod session_store;
mod signal;
mod trial_balance;

pub use audit::AuditLog;
pub use balance_cache::BalanceCache;
pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use history::{
    HistoryCursor, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, LinePosition, ReferenceHistoryQuery,
};
pub use id_generator::{IdGenerator, Uuid7};
pub use inbox::{Inbox, InboxStep};
pub use ledger_store::{Committed, LedgerStore, Limits, Purge};
pub use lock_manager::{LockError, LockLease, LockManager};
pub use outbox::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    PartitionId, Resolution, RowId, RowProgress, RowState,
};
pub use pending_sums::PendingSums;
pub use publisher::{EventPublisher, Message, PublishError, Published, PublisherLimits};
pub use query::{AccountQuery, EntryQuery, HoldQuery, Order, ReferenceQuery};
pub use queue::{MessageQueue, QueueError, Received};
pub use rate_limiter::{Charge, LimitState, RateLimiter, Verdict};
pub use secret_source::{OsSecrets, SecretSource};
pub use session_store::{Session, SessionError, SessionLife, SessionStore};
pub use signal::{CommitSignal, CommitWatch};
pub use trial_balance::TrialBalance;

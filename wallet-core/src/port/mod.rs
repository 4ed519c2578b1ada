//! Ports: what the core needs from the outside.
//!
//! | port | what it is | adapters here |
//! |---|---|---|
//! | [`LedgerStore`] | commits batches, reads the books | module `memory` |
//! | [`Outbox`] | hands committed effects to a relay | the same stores |
//! | [`EventPublisher`] | sends messages to a queue or topic | none |
//! | [`MessageQueue`] | receives them, each at least once | none |
//! | [`Inbox`] | what a consumer has seen | [`MemoryInbox`](crate::memory::MemoryInbox) |
//! | [`Clock`] | the time, and sleeping | `SystemClock` (feature `tokio`) |
//! | [`IdGenerator`] | new ids | [`Uuid7`] |

mod clock;
mod id_generator;
mod inbox;
mod ledger_store;
mod outbox;
mod publisher;
mod query;
mod queue;
mod signal;

pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use id_generator::{IdGenerator, Uuid7};
pub use inbox::{Inbox, InboxStep};
pub use ledger_store::{Committed, LedgerStore, Limits, Purge};
pub use outbox::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    PartitionId, Resolution, RowId, RowProgress, RowState,
};
pub use publisher::{EventPublisher, Message, PublishError, Published, PublisherLimits};
pub use query::{AccountQuery, EntryQuery, HoldQuery, Order, ReferenceQuery};
pub use queue::{MessageQueue, QueueError, Received};
pub use signal::{CommitSignal, CommitWatch};

//! Ports: what the core needs from the outside.
//!
//! | port | what it is | adapters here |
//! |---|---|---|
//! | [`LedgerStore`] | commits batches, reads the books | module `memory` |
//! | [`Outbox`] | hands committed effects to a relay | the same stores |
//! | [`Clock`] | the time, and sleeping | `SystemClock` (feature `tokio`) |
//! | [`IdGenerator`] | new ids | [`Uuid7`] |

mod clock;
mod id_generator;
mod ledger_store;
mod outbox;
mod query;

pub use clock::Clock;
#[cfg(feature = "tokio")]
pub use clock::SystemClock;
pub use id_generator::{IdGenerator, Uuid7};
pub use ledger_store::{Committed, LedgerStore, Limits, Purge};
pub use outbox::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    PartitionId, Resolution, RowId, RowProgress,
};
pub use query::{AccountQuery, EntryQuery, HoldQuery, Order, ReferenceQuery};

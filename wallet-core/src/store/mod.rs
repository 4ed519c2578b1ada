//! What a store does: the port [`LedgerStore`], its [`Outbox`], its queries and
//! errors, and the formats of what it stores ([`codec`]).
//!
//! A store reads a [`Snapshot`] of what a batch touches, decides on it
//! ([`decide`](crate::decide::decide())), and writes the [`ChangeSet`] in one
//! transaction.

pub mod codec;

mod applied;
mod error;
mod ledger_store;
mod outbox;
mod pending_sums;
mod query;
mod signal;
mod snapshot;
mod trial_balance;

pub use applied::{Applied, NotAccepted};
pub use error::{StoreError, StoreErrorKind};
pub use ledger_store::{Committed, LedgerStore, Limits, Purge};
pub use outbox::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    PartitionId, Resolution, RowId, RowProgress, RowState,
};
pub use pending_sums::PendingSums;
pub use query::{AccountQuery, EntryQuery, HoldQuery, Order, ReferenceQuery};
pub use signal::{CommitSignal, CommitWatch};
pub use snapshot::{AccountUpdate, ChangeSet, HoldUpdate, ReversalTotal, Snapshot};
pub use trial_balance::TrialBalance;

//! The ports of a store ([`LedgerStore`] and [`Outbox`]), its queries and errors,
//! and the formats of its stored data ([`codec`]).
//!
//! A store reads a [`Snapshot`] of the rows that a batch touches. It decides on the
//! snapshot ([`decide`](crate::decide::decide())) and writes the [`ChangeSet`] in
//! one transaction.

pub mod codec;

mod applied;
mod error;
mod host;
mod ledger_store;
mod outbox;
mod pending_sums;
mod query;
mod signal;
mod snapshot;
mod statement;
mod transfers_of;
mod trial_balance;

pub use applied::{Applied, ApplyError, NotAccepted, TransactionLost};
pub use error::{StoreError, StoreErrorKind};
pub use host::{HostTransaction, HostTransactions, SqlRow, SqlValue, StatementError};
pub use ledger_store::{Committed, LedgerStore, Limits, Purge};
pub use outbox::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    Resolution, RowId, RowProgress, RowState,
};
pub use pending_sums::PendingSums;
pub use query::{
    AccountQuery, CaptureQuery, EntryQuery, HoldQuery, HoldReferenceQuery, Order, ReferenceQuery,
    TransferPage, TransferQuery,
};
pub use signal::{CommitSignal, CommitWatch};
pub use snapshot::{AccountUpdate, ChangeSet, HoldUpdate, ReversalTotal, Snapshot};
pub use trial_balance::TrialBalance;

pub(crate) use statement::{check_alone, check_rows};
pub(crate) use transfers_of::TransfersOf;

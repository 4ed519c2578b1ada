//! Who did what, when, to what, from where, and how it ended: records bound to
//! each other, so that nobody rewrites them unseen.
//!
//! The records of a partition are a chain: each holds the SHA-256 of the one
//! before it, and its own over everything that it says. [`Chain`] follows it and
//! names the first record that was edited, removed, inserted or moved.
//!
//! # What a chain can't show by itself
//! - *A cut tail.* The last records removed leave a shorter chain, as sound as
//!   before.
//! - *A chain written anew.* Whoever can write all records can compute all hashes
//!   again from the one that was changed on.
//!
//! [`AuditCheckpoint`]s show both, if they are kept where those who can write the
//! log cannot write: in a bucket with a lock, another account, a newspaper. What
//! lies behind the latest one is as good as whoever keeps the log.

mod chain;
mod checkpoint;
mod event;
mod log;
mod record;
mod text;
mod verify;

pub use chain::{AuditFault, AuditFaultKind, Chain};
pub use checkpoint::{AuditCheckpoint, CheckpointError};
pub use event::{AuditEvent, AuditOutcome};
pub use log::AuditLog;
pub use record::{AuditHash, AuditPartition, AuditRecord};
pub use text::{AuditText, AuditTextError};
pub use verify::{AuditVerdict, verify};

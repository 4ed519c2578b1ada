//! The audit log: actor, action, resource, origin and result of each action. Its
//! records form a hash chain, so that any change of a record is detected.
//!
//! The records of a partition are a chain. Each record holds the SHA-256 of the
//! previous one, and a hash of its own contents. [`Chain`] verifies the chain and
//! names the first record that was edited, removed, inserted or moved.
//!
//! # What a chain can't show by itself
//! - *A cut tail.* A chain without its last records is a shorter valid chain.
//! - *A rewritten chain.* An attacker who can write all records can compute all
//!   hashes again, starting at the changed record.
//!
//! [`AuditCheckpoint`]s detect both. Store them where those who can write the log
//! cannot write: in a bucket with a lock, another account, a newspaper. Records
//! after the latest checkpoint are only as trustworthy as the operator of the log.

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

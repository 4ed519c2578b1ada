use std::fmt::Debug;

use async_trait::async_trait;

use crate::audit::{AuditEvent, AuditPartition, AuditRecord};
use crate::store::StoreError;

/// An append-only log of actions, in order. No record is ever changed or removed.
///
/// Each partition is a separate chain, and appends to one partition run one after
/// another. A host that records much spreads its events over partitions, by tenant
/// or by kind of actor.
///
/// All errors are [`StoreError`]s. Any method may return `Unavailable`, `Corrupt`
/// and `Internal`.
#[async_trait]
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Appends events to a partition's chain and returns their records, in the
    /// given order. The append is atomic if the events fit into one transaction of
    /// the log. Otherwise it is split into pieces, from the first event on. Other
    /// processes may append at the same time.
    ///
    /// # Errors
    /// - `Conflict`: too many concurrent appends. Nothing of the piece was
    ///   appended.
    /// - `Indeterminate`: the result of the append is unknown. Appending again may
    ///   record the events twice, under the same ids.
    async fn append(
        &self,
        partition: AuditPartition,
        events: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// Returns at most `limit` records of a partition with a sequence above
    /// `after`, in order. A page may hold fewer records. At the end it is empty.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn records(
        &self,
        partition: AuditPartition,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// Returns the last record of a partition; `None` where there is none. A
    /// [checkpoint](crate::audit::AuditCheckpoint) is made from this record.
    ///
    /// # Errors
    /// Only the errors that any method may return.
    async fn last(&self, partition: AuditPartition) -> Result<Option<AuditRecord>, StoreError>;
}

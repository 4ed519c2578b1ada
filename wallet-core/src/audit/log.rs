use std::fmt::Debug;

use async_trait::async_trait;

use crate::audit::{AuditEvent, AuditPartition, AuditRecord};
use crate::store::StoreError;

/// Keeps what was done, for ever and in order; nothing is changed or removed.
///
/// Each partition is a chain of its own, and an append waits for those before it:
/// a host that records much spreads it, by tenant or by kind of actor.
///
/// All errors are [`StoreError`]s; `Unavailable`, `Corrupt` and `Internal` can
/// come from any method.
#[async_trait]
pub trait AuditLog: Debug + Send + Sync + 'static {
    /// Appends events to a partition's chain, all or none where there are no more
    /// than fit into one transaction of the log, else in pieces from the first on;
    /// answers their records. They stand behind each other in the order given.
    /// Others may append at the same time, in other processes too.
    ///
    /// # Errors
    /// - `Conflict`: too many others did. Nothing of the piece was appended.
    /// - `Indeterminate`: whether it was appended is not known. Appending again
    ///   may record it twice, under the same id.
    async fn append(
        &self,
        partition: AuditPartition,
        events: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// At most `limit` records of a partition with a sequence above `after`, in
    /// order. An answer may hold fewer; none at the end.
    ///
    /// # Errors
    /// None of its own.
    async fn records(
        &self,
        partition: AuditPartition,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// The last record of a partition; `None` where there is none. A
    /// [checkpoint](crate::audit::AuditCheckpoint) is made of it.
    ///
    /// # Errors
    /// None of its own.
    async fn last(&self, partition: AuditPartition) -> Result<Option<AuditRecord>, StoreError>;
}

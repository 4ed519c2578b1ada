use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::audit::{AuditEvent, AuditHash, AuditLog, AuditPartition, AuditRecord};
use crate::store::StoreError;

type Chains = BTreeMap<AuditPartition, Vec<AuditRecord>>;

/// An audit log in memory. Clones share it. It ends with the process. It is for
/// tests and demos.
#[derive(Debug, Clone, Default)]
pub struct MemoryAuditLog {
    chains: Arc<Mutex<Chains>>,
}

impl MemoryAuditLog {
    /// An empty audit log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends records without any check.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn append_unchecked(&self, records: Vec<AuditRecord>) {
        let mut chains = self.lock();
        for record in records {
            let chain = chains.entry(record.partition).or_default();
            chain.push(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Chains> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditLog for MemoryAuditLog {
    async fn append(
        &self,
        partition: AuditPartition,
        events: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let mut chains = self.lock();
        let chain = chains.entry(partition).or_default();
        let last = chain.last();
        let last = last.map_or((0, AuditHash::START), |record| {
            (record.sequence, record.hash)
        });
        let records = AuditRecord::chain(partition, last, events);
        chain.extend(records.iter().cloned());
        Ok(records)
    }

    async fn records(
        &self,
        partition: AuditPartition,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let chains = self.lock();
        let chain = chains.get(&partition).map_or(&[][..], Vec::as_slice);
        let from = chain.partition_point(|record| record.sequence <= after);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(chain.iter().skip(from).take(limit).cloned().collect())
    }

    async fn last(&self, partition: AuditPartition) -> Result<Option<AuditRecord>, StoreError> {
        let chains = self.lock();
        Ok(chains
            .get(&partition)
            .and_then(|chain| chain.last().cloned()))
    }
}

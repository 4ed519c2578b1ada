use async_trait::async_trait;

use crate::planted_bugs;
use wallet_core::audit::{AuditEvent, AuditHash, AuditLog, AuditPartition, AuditRecord};
use wallet_core::memory::MemoryAuditLog;
use wallet_core::store::StoreErrorKind;
use wallet_core::test_hooks::yield_once;
use wallet_core::{StoreError, Timestamp, test_hooks};

planted_bugs! {
    /// A bug that is planted in an audit log.
    AuditBug {
        /// Stores no notes.
        LosesNotes,
        /// Rounds times down to milliseconds.
        CutsTimes,
        /// Gives the first record of each call no previous hash.
        BeginsWithEachCall,
        /// Sorts events.
        SortsEvents,
        /// Appends only the first 100 events of a call.
        CutsLongCalls,
        /// Uses one chain for all partitions.
        IgnoresPartitions,
        /// Refuses a call without events.
        RefusesNothing,
        /// Ignores `after` and reads from the beginning.
        IgnoresAfter,
        /// Ignores `limit` and reads all records.
        IgnoresLimits,
        /// Returns the first record as the last one.
        TellsTheFirst,
        /// Reads the end of the chain before the lock, and appends later.
        LooksThenAppends,
        /// Lets other appends interleave with the events of a call.
        AppendsOneByOne,
    }
}

/// An audit log with a bug.
#[derive(Debug)]
pub struct BrokenAuditLog {
    bug: Option<AuditBug>,
    inner: MemoryAuditLog,
}

impl BrokenAuditLog {
    /// An empty audit log.
    #[must_use]
    pub fn new(bug: Option<AuditBug>) -> Self {
        let inner = MemoryAuditLog::new();
        Self { bug, inner }
    }

    fn has(&self, bug: AuditBug) -> bool {
        self.bug == Some(bug)
    }

    fn partition(&self, partition: AuditPartition) -> AuditPartition {
        if self.has(AuditBug::IgnoresPartitions) {
            return 0;
        }
        partition
    }

    fn taken(&self, events: &[AuditEvent]) -> Vec<AuditEvent> {
        let mut events = events.to_vec();
        match self.bug {
            Some(AuditBug::LosesNotes) => {
                for event in &mut events {
                    event.note = None;
                }
            }
            Some(AuditBug::CutsTimes) => {
                for event in &mut events {
                    let millis = event.at.as_micros().div_euclid(1_000);
                    event.at = Timestamp::from_micros(millis.saturating_mul(1_000));
                }
            }
            Some(AuditBug::SortsEvents) => events.sort_by_key(|event| event.id),
            Some(AuditBug::CutsLongCalls) => events.truncate(100),
            _ => {}
        }
        events
    }
}

#[async_trait]
impl AuditLog for BrokenAuditLog {
    async fn append(
        &self,
        partition: AuditPartition,
        events: &[AuditEvent],
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let (partition, events) = (self.partition(partition), self.taken(events));
        match self.bug {
            Some(AuditBug::RefusesNothing) if events.is_empty() => {
                let context = "nothing to append";
                Err(StoreError::new(StoreErrorKind::Invalid, context))
            }
            Some(AuditBug::BeginsWithEachCall) => {
                let last = self.inner.last(partition).await?;
                let last = last.map_or(0, |last| last.sequence);
                let records = AuditRecord::chain(partition, (last, AuditHash::START), &events);
                test_hooks::append_unchecked(&self.inner, records.clone());
                Ok(records)
            }
            Some(AuditBug::LooksThenAppends) => {
                let last = self.inner.last(partition).await?;
                yield_once().await;
                let last = last.map_or((0, AuditHash::START), |last| (last.sequence, last.hash));
                let records = AuditRecord::chain(partition, last, &events);
                test_hooks::append_unchecked(&self.inner, records.clone());
                Ok(records)
            }
            Some(AuditBug::AppendsOneByOne) => {
                let mut records = Vec::new();
                for event in &events {
                    let one = std::slice::from_ref(event);
                    records.extend(self.inner.append(partition, one).await?);
                    yield_once().await;
                }
                Ok(records)
            }
            _ => self.inner.append(partition, &events).await,
        }
    }

    async fn records(
        &self,
        partition: AuditPartition,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let partition = self.partition(partition);
        let after = if self.has(AuditBug::IgnoresAfter) {
            0
        } else {
            after
        };
        let limit = if self.has(AuditBug::IgnoresLimits) {
            u32::MAX
        } else {
            limit
        };
        self.inner.records(partition, after, limit).await
    }

    async fn last(&self, partition: AuditPartition) -> Result<Option<AuditRecord>, StoreError> {
        let partition = self.partition(partition);
        if self.has(AuditBug::TellsTheFirst) {
            return Ok(self.inner.records(partition, 0, 1).await?.pop());
        }
        self.inner.last(partition).await
    }
}

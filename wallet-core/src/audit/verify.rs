use super::{AuditCheckpoint, AuditFault, AuditHash, AuditPartition, Chain};
use crate::audit::AuditLog;
use crate::store::StoreError;

/// The number of records that are read at a time.
const PAGE: u32 = 1_000;

/// The result of verifying a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every record is unchanged, as far as the chain and the checkpoints prove.
    Sound {
        /// The sequence of the last record; 0 where there is none.
        sequence: i64,
        /// The hash of that record.
        hash: AuditHash,
    },
    /// The chain is invalid from this record on.
    Broken(AuditFault),
}

/// Verifies the chain of a partition from its first record to its last, and
/// compares it with the checkpoints. `on_progress` receives the number of verified
/// records. At most one page is in memory.
///
/// # Errors
/// The errors of the log: it could not be read.
pub async fn verify(
    log: &dyn AuditLog,
    partition: AuditPartition,
    published: &[AuditCheckpoint],
    on_progress: &mut (dyn FnMut(i64) + Send),
) -> Result<AuditVerdict, StoreError> {
    let mut chain = match Chain::new(partition).with_checkpoints(published) {
        Ok(chain) => chain,
        Err(fault) => return Ok(AuditVerdict::Broken(fault)),
    };
    loop {
        let page = log.records(partition, chain.sequence(), PAGE).await?;
        for record in &page {
            if let Err(fault) = chain.follow(record) {
                return Ok(AuditVerdict::Broken(fault));
            }
        }
        on_progress(chain.sequence());
        if page.is_empty() {
            return Ok(match chain.end() {
                Ok((sequence, hash)) => AuditVerdict::Sound { sequence, hash },
                Err(fault) => AuditVerdict::Broken(fault),
            });
        }
    }
}

use super::{AuditCheckpoint, AuditFault, AuditHash, AuditPartition, Chain};
use crate::audit::AuditLog;
use crate::store::StoreError;

/// Records that are read at a time.
const PAGE: u32 = 1_000;

/// What a chain turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Each record is what it was, as far as the chain and the checkpoints show.
    Sound {
        /// The sequence of the last record; 0 where there is none.
        sequence: i64,
        /// Its hash.
        hash: AuditHash,
    },
    /// This is the first record that is not.
    Broken(AuditFault),
}

/// Reads the chain of a partition from its first record to its last, and holds it
/// against the checkpoints; `tell` is told how many records are done. At most a
/// page is in memory.
///
/// # Errors
/// Those of the log: it could not be read.
pub async fn verify(
    log: &dyn AuditLog,
    partition: AuditPartition,
    published: &[AuditCheckpoint],
    tell: &mut (dyn FnMut(i64) + Send),
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
        tell(chain.sequence());
        if page.is_empty() {
            return Ok(match chain.end() {
                Ok((sequence, hash)) => AuditVerdict::Sound { sequence, hash },
                Err(fault) => AuditVerdict::Broken(fault),
            });
        }
    }
}

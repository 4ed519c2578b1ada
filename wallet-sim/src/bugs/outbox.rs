use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::memory::MemoryStore;
use wallet_core::store::{
    EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, Resolution, RowId,
    RowProgress, RowState,
};
use wallet_core::test_hooks::latest_lease;

use super::Bug;

/// An outbox with a bug.
#[derive(Debug)]
pub(in super::super) struct BuggyOutbox {
    pub(in super::super) bug: Bug,
    pub(in super::super) inner: Arc<MemoryStore>,
}

impl BuggyOutbox {
    /// The lease that is accepted as the current one.
    async fn pass(&self, lease: &Lease) -> Lease {
        if self.bug != Bug::IgnoresFencing && self.bug != Bug::GivesLeasesAway {
            return lease.clone();
        }
        let present = latest_lease(&self.inner.shared().tables().outbox);
        match present {
            Some(present) if present.until > self.inner.shared().now() => present,
            // The lease has ended. It is acquired again, as if it had not ended.
            _ => {
                let anew = self.inner.acquire(&lease.owner, Duration::from_secs(1));
                anew.await.ok().flatten().unwrap_or_else(|| lease.clone())
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Outbox for BuggyOutbox {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        if self.bug == Bug::GivesLeasesAway {
            let present = latest_lease(&self.inner.shared().tables().outbox);
            let holder = present.map_or_else(|| owner.to_owned(), |present| present.owner);
            let lease = self.inner.acquire(&holder, ttl).await?;
            let owner = owner.to_owned();
            return Ok(lease.map(|lease| Lease { owner, ..lease }));
        }
        self.inner.acquire(owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        let passing = self.pass(lease).await;
        let renewed = self.inner.renew(&passing, ttl).await?;
        Ok(Lease {
            until: renewed.until,
            ..lease.clone()
        })
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        self.inner.release(lease).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        let lease = self.pass(lease).await;
        if self.bug == Bug::ClaimsNewestFirst {
            let mut rows = self.inner.claim(&lease, skip, u32::MAX).await?;
            rows.reverse();
            rows.truncate(usize::try_from(limit).unwrap());
            return Ok(rows);
        }
        self.inner.claim(&lease, skip, limit).await
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        let lease = self.pass(lease).await;
        if self.bug == Bug::MarksWholeRows {
            let mut progress = progress.to_vec();
            for step in &mut progress {
                step.state = RowState::Complete;
            }
            return self.inner.mark_done(&lease, &progress).await;
        }
        self.inner.mark_done(&lease, progress).await
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        let lease = self.pass(lease).await;
        self.inner.reopen(&lease).await
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        let lease = self.pass(lease).await;
        self.inner.park(&lease, event).await
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError> {
        self.inner.parked().await
    }

    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError> {
        self.inner.unpark(row, index, resolution).await
    }

    async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        self.inner.depth().await
    }
}

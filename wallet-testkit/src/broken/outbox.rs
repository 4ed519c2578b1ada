use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use super::{BrokenStore, Bug};
use wallet_core::store::{
    EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, Resolution, RowId,
    RowProgress, RowState,
};

/// A time longer than any test.
const FAR: Duration = Duration::from_secs(3_600);

impl BrokenStore {
    /// The lease that the bug accepts.
    fn fenced(&self, lease: &Lease) -> Lease {
        let given = self.lease.lock().expect("not poisoned").clone();
        let given = given.filter(|_| self.has(Bug::IgnoresFencing));
        given.unwrap_or_else(|| lease.clone())
    }

    fn remember(&self, lease: Option<&Lease>) {
        if let Some(lease) = lease {
            *self.lease.lock().expect("not poisoned") = Some(lease.clone());
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Outbox for BrokenStore {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        let mut lease = self.inner.acquire(owner, ttl).await?;
        if self.has(Bug::KeepsLeasesFromAhead) {
            let held = self.lease.lock().expect("not poisoned").clone();
            let is_kept = |taken: &Lease| {
                let is_later = |held: &Lease| held.owner != owner && held.until > taken.until;
                held.as_ref().is_some_and(is_later)
            };
            if let Some(taken) = lease.take_if(|taken| is_kept(taken)) {
                self.inner.release(&taken).await?;
                return Ok(None);
            }
        }
        if lease.is_none() && self.has(Bug::GivesLeasesAway) {
            let held = self.lease.lock().expect("not poisoned").clone();
            if let Some(held) = held {
                self.inner.release(&held).await?;
            }
            lease = self.inner.acquire(owner, ttl).await?;
        }
        self.remember(lease.as_ref());
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        self.inner.renew(&self.fenced(lease), ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        self.inner.release(&self.fenced(lease)).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        let mut rows = self.inner.claim(&self.fenced(lease), skip, limit).await?;
        if self.has(Bug::ClaimsNewestFirst) {
            rows.reverse();
        }
        Ok(rows)
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        let mut progress = progress.to_vec();
        if self.has(Bug::KeepsAsideOpen) {
            for step in &mut progress {
                if step.state == RowState::Aside {
                    step.state = RowState::Open;
                }
            }
        }
        self.inner.mark_done(&self.fenced(lease), &progress).await
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        if self.has(Bug::ForgetsWhatIsAside) {
            // Reopens nothing, but checks the fencing token.
            return self.inner.renew(lease, FAR).await.map(|_| 0);
        }
        self.inner.reopen(&self.fenced(lease)).await
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        self.inner.park(&self.fenced(lease), event).await
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

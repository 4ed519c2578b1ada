use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use wallet_core::runtime::Clock;
use wallet_core::store::{
    EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, Resolution, RowId,
    RowProgress, StoreErrorKind,
};

use super::faulty_port::{FaultyPort, planned};
use super::oracle::Oracle;

/// An outbox with injected faults. An oracle checks its leases.
#[derive(Debug)]
pub(super) struct FaultyOutbox {
    pub(super) inner: Arc<dyn Outbox>,
    pub(super) faults: FaultyPort,
    pub(super) oracle: Arc<Oracle>,
    /// The clock of the store.
    pub(super) clock: Arc<dyn Clock>,
}

fn error(kind: StoreErrorKind) -> OutboxError {
    planned(kind).into()
}

impl FaultyOutbox {
    /// Runs a call under a lease.
    async fn under<T>(
        &self,
        lease: &Lease,
        name: &str,
        call: impl Future<Output = Result<T, OutboxError>> + Send,
    ) -> Result<T, OutboxError> {
        let call = async {
            let answer = call.await?;
            self.oracle.lease_used(lease, self.clock.now());
            Ok(answer)
        };
        self.faults.call(name, call, error).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Outbox for FaultyOutbox {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        let call = async {
            let lease = self.inner.acquire(owner, ttl).await?;
            if let Some(lease) = &lease {
                self.oracle.lease_given(lease, self.clock.now());
            }
            Ok(lease)
        };
        self.faults.call("acquire", call, error).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        let call = async {
            let renewed = self.inner.renew(lease, ttl).await?;
            self.oracle.lease_used(lease, self.clock.now());
            self.oracle.lease_renewed(&renewed);
            Ok(renewed)
        };
        self.faults.call("renew", call, error).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        let call = async {
            self.inner.release(lease).await?;
            self.oracle.lease_used(lease, self.clock.now());
            self.oracle.lease_released(lease);
            Ok(())
        };
        self.faults.call("release", call, error).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        let call = self.inner.claim(lease, skip, limit);
        self.under(lease, "claim", call).await
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        let call = self.inner.mark_done(lease, progress);
        self.under(lease, "mark", call).await
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        self.under(lease, "reopen", self.inner.reopen(lease)).await
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        self.under(lease, "park", self.inner.park(lease, event))
            .await
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError> {
        self.faults.call("parked", self.inner.parked(), error).await
    }

    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError> {
        let call = self.inner.unpark(row, index, resolution);
        self.faults.call("unpark", call, error).await
    }

    async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        self.faults.call("depth", self.inner.depth(), error).await
    }
}

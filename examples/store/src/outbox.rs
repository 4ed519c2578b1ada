//! The port of the outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::Timestamp;
use wallet_core::store::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    Resolution, RowId, RowProgress, RowState, StoreError,
};

use crate::queries::length;
use crate::{ExampleStore, used_up};

/// The outbox with its lease.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OutboxTable {
    /// The latest lease. It stays after its end, so that the next token is greater.
    lease: Option<Lease>,
    /// The greatest number that a row ever had. It stays after the purge of the row.
    last_row: RowId,
    /// Rows by number.
    pub(crate) rows: BTreeMap<RowId, StoredRow>,
    parked: BTreeMap<(RowId, EventIndex), ParkedEvent>,
}

/// A row of the outbox with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRow {
    pub(crate) row: OutboxRow,
    pub(crate) state: RowState,
}

impl OutboxTable {
    /// Appends the outcomes of a commit under the next number.
    ///
    /// # Errors
    /// `Internal` when the numbers are used up.
    pub(crate) fn append(&mut self, payload: Vec<u8>, now: Timestamp) -> Result<(), StoreError> {
        let id = self.last_row.checked_add(1);
        let id = id.ok_or_else(|| used_up("the numbers of outbox rows"))?;
        let row = OutboxRow {
            id,
            created_at: now,
            payload,
            done: DoneSet::new(),
        };
        let state = RowState::Open;
        self.rows.insert(id, StoredRow { row, state });
        self.last_row = id;
        Ok(())
    }

    /// Refuses a lease that has expired or that a later one has replaced.
    fn check(&self, lease: &Lease, now: Timestamp) -> Result<(), OutboxError> {
        let is_latest = |held: &&Lease| held.token == lease.token && now < held.until;
        let held = self.lease.as_ref().filter(is_latest);
        held.map(|_| ()).ok_or(OutboxError::LeaseLost)
    }

    fn incomplete(&self) -> impl Iterator<Item = &StoredRow> {
        let rows = self.rows.values();
        rows.filter(|stored| stored.state != RowState::Complete)
    }
}

impl ExampleStore {
    /// Does `work` on the outbox under `lease` in one transaction.
    ///
    /// # Errors
    /// `LeaseLost` when the lease is not valid. Then nothing is changed.
    fn with_lease<T>(
        &self,
        lease: &Lease,
        work: impl FnOnce(&mut OutboxTable, Timestamp) -> T,
    ) -> Result<T, OutboxError> {
        let mut transaction = self.database.begin();
        let now = self.clock.now();
        let outbox = &mut transaction.tables.outbox;
        outbox.check(lease, now)?;
        let answer = work(outbox, now);
        transaction.commit();
        Ok(answer)
    }
}

#[async_trait]
impl Outbox for ExampleStore {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>, OutboxError> {
        let mut transaction = self.database.begin();
        let now = self.clock.now();
        let outbox = &mut transaction.tables.outbox;
        let held = outbox.lease.as_ref();
        if held.is_some_and(|held| held.owner != owner && Lease::is_held(held.until, now, ttl)) {
            return Ok(None);
        }
        let token = held.map_or(0, |held| held.token).checked_add(1);
        let lease = Lease {
            owner: owner.to_owned(),
            token: token.ok_or_else(|| used_up("the tokens of the lease"))?,
            until: now.saturating_add(ttl),
        };
        outbox.lease = Some(lease.clone());
        transaction.commit();
        Ok(Some(lease))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, OutboxError> {
        self.with_lease(lease, |outbox, now| {
            let until = now.saturating_add(ttl);
            let renewed = Lease {
                until,
                ..lease.clone()
            };
            outbox.lease = Some(renewed.clone());
            renewed
        })
    }

    async fn release(&self, lease: &Lease) -> Result<(), OutboxError> {
        self.with_lease(lease, |outbox, now| {
            let until = now;
            outbox.lease = Some(Lease {
                until,
                ..lease.clone()
            });
        })
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        self.with_lease(lease, |outbox, _| {
            let open = outbox
                .rows
                .values()
                .filter(|stored| stored.state == RowState::Open && !skip.contains(&stored.row.id));
            let rows = open.map(|stored| stored.row.clone());
            rows.take(length(limit)).collect()
        })
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<(), OutboxError> {
        self.with_lease(lease, |outbox, _| {
            for step in progress {
                let Some(stored) = outbox.rows.get_mut(&step.row) else {
                    continue;
                };
                stored.row.done.extend(&step.done);
                if stored.state != RowState::Complete {
                    stored.state = step.state;
                }
            }
        })
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64, OutboxError> {
        self.with_lease(lease, |outbox, _| {
            let mut reopened: u64 = 0;
            for stored in outbox.rows.values_mut() {
                if stored.state == RowState::Aside {
                    stored.state = RowState::Open;
                    reopened = reopened.saturating_add(1);
                }
            }
            reopened
        })
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<(), OutboxError> {
        self.with_lease(lease, |outbox, _| {
            let parked = outbox.parked.entry((event.row, event.index));
            parked.or_insert_with(|| event.clone());
        })
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>, OutboxError> {
        let tables = self.database.read();
        Ok(tables.outbox.parked.values().cloned().collect())
    }

    async fn unpark(
        &self,
        row: RowId,
        index: EventIndex,
        resolution: Resolution,
    ) -> Result<bool, OutboxError> {
        let mut transaction = self.database.begin();
        let outbox = &mut transaction.tables.outbox;
        if outbox.parked.remove(&(row, index)).is_none() {
            return Ok(false);
        }
        match (resolution, outbox.rows.get_mut(&row)) {
            (Resolution::Skip, Some(stored)) => {
                stored.row.done.insert(index);
            }
            (Resolution::Skip, None) | (Resolution::Redrive, _) => {}
        }
        transaction.commit();
        Ok(true)
    }

    async fn depth(&self) -> Result<OutboxDepth, OutboxError> {
        let tables = self.database.read();
        let outbox = &tables.outbox;
        let count = |length| u64::try_from(length).unwrap_or(u64::MAX);
        let times = outbox.incomplete().map(|stored| stored.row.created_at);
        Ok(OutboxDepth {
            rows: count(outbox.incomplete().count()),
            oldest: times.min(),
            parked: count(outbox.parked.len()),
        })
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ledger::Timestamp;
use crate::store::{
    DoneSet, EventIndex, Lease, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, Resolution,
    RowId, RowProgress, RowState, StoreError, StoreErrorKind,
};

/// The outbox as plain data.
#[derive(Debug, Clone, Default)]
pub struct OutboxTables {
    rows: BTreeMap<RowId, StoredRow>,
    /// The latest lease. It stays after its end, so that the next token is greater.
    lease: Option<Lease>,
    parked: BTreeMap<(RowId, EventIndex), ParkedEvent>,
    last_row: RowId,
    /// Every row before this one is complete.
    first_waiting: RowId,
}

#[derive(Debug, Clone)]
struct StoredRow {
    row: OutboxRow,
    state: RowState,
}

impl OutboxTables {
    /// Appends a committed batch.
    pub fn append(&mut self, payload: Vec<u8>, now: Timestamp) {
        self.last_row = self.last_row.saturating_add(1);
        let row = OutboxRow {
            id: self.last_row,
            created_at: now,
            payload,
            done: DoneSet::new(),
        };
        let state = RowState::Open;
        self.rows.insert(row.id, StoredRow { row, state });
    }

    /// Whether a row can be appended, so that no number is used twice.
    pub(super) const fn has_room(&self) -> bool {
        self.last_row < RowId::MAX
    }

    pub(super) fn acquire(
        &mut self,
        owner: &str,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Option<Lease>, OutboxError> {
        let held = self.lease.as_ref();
        if held.is_some_and(|held| held.owner != owner && Lease::is_held(held.until, now, ttl)) {
            return Ok(None);
        }
        let before = held.map_or(0, |lease| lease.token);
        let token = before.checked_add(1).ok_or_else(|| {
            let context = "the tokens of a lease are used up";
            StoreError::new(StoreErrorKind::Internal, context)
        })?;
        let lease = Lease {
            owner: owner.to_owned(),
            token,
            until: now.saturating_add(ttl),
        };
        self.lease = Some(lease.clone());
        Ok(Some(lease))
    }

    /// The latest lease, also when it has ended.
    #[cfg(feature = "test-hooks")]
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.lease.clone()
    }

    pub(super) fn renew(
        &mut self,
        lease: &Lease,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Lease, OutboxError> {
        self.fence(lease, now)?;
        let renewed = Lease {
            until: now.saturating_add(ttl),
            ..lease.clone()
        };
        self.lease = Some(renewed.clone());
        Ok(renewed)
    }

    pub(super) fn release(&mut self, lease: &Lease, now: Timestamp) -> Result<(), OutboxError> {
        self.fence(lease, now)?;
        self.lease = Some(Lease {
            until: now,
            ..lease.clone()
        });
        Ok(())
    }

    /// Refuses a lease that has ended or that another owner has now.
    fn fence(&self, lease: &Lease, now: Timestamp) -> Result<(), OutboxError> {
        match &self.lease {
            Some(held) if held.token == lease.token && held.until > now => Ok(()),
            Some(_) | None => Err(OutboxError::LeaseLost),
        }
    }

    pub(super) fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        self.fence(lease, now)?;
        let open = self.waiting();
        let open = open.filter(|stored| stored.state == RowState::Open);
        let open = open.map(|stored| &stored.row);
        let open = open.filter(|row| !skip.contains(&row.id));
        Ok(open.take(limit).cloned().collect())
    }

    /// The rows that are not complete.
    fn waiting(&self) -> impl Iterator<Item = &StoredRow> {
        let rows = self.rows.range(self.first_waiting..);
        let rows = rows.map(|(_, stored)| stored);
        rows.filter(|stored| stored.state != RowState::Complete)
    }

    pub(super) fn reopen(&mut self, lease: &Lease, now: Timestamp) -> Result<u64, OutboxError> {
        self.fence(lease, now)?;
        let mut reopened: u64 = 0;
        let rows = self.rows.values_mut();
        for stored in rows.filter(|stored| stored.state == RowState::Aside) {
            stored.state = RowState::Open;
            reopened = reopened.saturating_add(1);
        }
        Ok(reopened)
    }

    pub(super) fn mark_done(
        &mut self,
        lease: &Lease,
        progress: &[RowProgress],
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        self.fence(lease, now)?;
        for step in progress {
            if let Some(stored) = self.rows.get_mut(&step.row) {
                stored.row.done.extend(&step.done);
                if stored.state != RowState::Complete {
                    stored.state = step.state;
                }
            }
        }
        let mut rows = self.rows.range(self.first_waiting..);
        let waits = rows.find(|(_, stored)| stored.state != RowState::Complete);
        let next = self.last_row.saturating_add(1);
        self.first_waiting = waits.map_or(next, |(id, _)| *id);
        Ok(())
    }

    pub(super) fn park(
        &mut self,
        lease: &Lease,
        event: &ParkedEvent,
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        self.fence(lease, now)?;
        let place = (event.row, event.index);
        self.parked.entry(place).or_insert_with(|| event.clone());
        Ok(())
    }

    pub(super) fn parked(&self) -> Vec<ParkedEvent> {
        self.parked.values().cloned().collect()
    }

    pub(super) fn unpark(&mut self, row: RowId, index: EventIndex, resolution: Resolution) -> bool {
        if self.parked.remove(&(row, index)).is_none() {
            return false;
        }
        match (resolution, self.rows.get_mut(&row)) {
            (Resolution::Skip, Some(stored)) => {
                stored.row.done.insert(index);
            }
            (Resolution::Skip | Resolution::Redrive, _) => {}
        }
        true
    }

    pub(super) fn depth(&self) -> OutboxDepth {
        let times = self.waiting().map(|stored| stored.row.created_at);
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        OutboxDepth {
            rows: count(self.waiting().count()),
            oldest: times.min(),
            parked: count(self.parked.len()),
        }
    }

    /// The complete rows that were written at or before `bound`.
    pub(super) fn delivered(&self, bound: Timestamp) -> impl Iterator<Item = RowId> {
        let rows = self.rows.values();
        let done = rows.filter(move |stored| {
            stored.state == RowState::Complete && stored.row.created_at <= bound
        });
        done.map(|stored| stored.row.id)
    }

    pub(super) fn purge(&mut self, bound: Timestamp, limit: usize) -> u64 {
        let ids: Vec<_> = self.delivered(bound).take(limit).collect();
        for id in &ids {
            self.rows.remove(id);
        }
        u64::try_from(ids.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(1);

    #[test]
    fn the_last_row_is_given_and_there_is_none_behind_it() {
        let mut outbox = OutboxTables {
            last_row: RowId::MAX - 1,
            ..OutboxTables::default()
        };
        assert!(outbox.has_room());
        outbox.append(Vec::new(), Timestamp::EPOCH);
        assert!(!outbox.has_room());
        assert!(outbox.rows.contains_key(&RowId::MAX));
    }

    #[test]
    fn the_last_token_is_given_and_none_twice() {
        let mut outbox = OutboxTables::default();
        let mut take = |owner| outbox.acquire(owner, TTL, Timestamp::EPOCH);
        let first = take("one").unwrap().unwrap();
        assert_eq!(first.token, 1);
        assert_eq!(take("two").unwrap(), None);
        outbox.lease.as_mut().unwrap().token = i64::MAX - 1;
        let mut take = |owner| outbox.acquire(owner, TTL, Timestamp::EPOCH);
        assert_eq!(take("one").unwrap().unwrap().token, i64::MAX);
        let none = take("one").unwrap_err();
        let OutboxError::Store(error) = none else {
            panic!("{none}");
        };
        assert_eq!(error.kind(), StoreErrorKind::Internal);
    }
}

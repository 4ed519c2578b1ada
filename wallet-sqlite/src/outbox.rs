//! The outbox. A row names a range of the journal. A lease with a fencing token protects
//! the rows from a former publisher.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use wallet_core::ledger::InLedger;
use wallet_core::store::codec::encode_outbox;
use wallet_core::store::{
    DoneSet, EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent,
    Resolution, RowId, RowProgress, RowState, StoreErrorKind,
};
use wallet_core::{AccountId, StoreError, Timestamp};

use crate::SqliteStore;
use crate::deferred::Books;
use crate::error::{During, corrupt, next_number};
use crate::read::outbox_outcomes;
use crate::statement::prepare;
use crate::value::{column, id_column, ledger, ledger_number, time_column};

const USED_UP: &str = "the tokens of a lease are used up";
// Row 0 is the lease of the outbox. A probe writes row -1 (`probe.rs`).
const LEASE: &str = "SELECT owner, token, until FROM wallet_lease WHERE id = 0";
const PUT_LEASE: &str = "
    INSERT INTO wallet_lease (id, owner, token, until) VALUES (0, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE
    SET owner = excluded.owner, token = excluded.token, until = excluded.until";
const EXTEND_LEASE: &str = "UPDATE wallet_lease SET until = ? WHERE id = 0";
const OPEN_ROWS: &str = "
    SELECT id, first_id, created_at, done FROM wallet_outbox
    WHERE state = 0 ORDER BY id";
const PROGRESS: &str = "SELECT done, state FROM wallet_outbox WHERE state IN (0, 1, 2) AND id = ?";
const PUT_PROGRESS: &str = "
    UPDATE wallet_outbox SET done = ?2, state = ?3 WHERE state IN (0, 1, 2) AND id = ?1";
const REOPEN: &str = "UPDATE wallet_outbox SET state = 0 WHERE state = 2";
const PARK: &str = "
    INSERT INTO wallet_parked (row, event, ledger, account, version, reason)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (row, event) DO NOTHING";
const PARKED: &str = "
    SELECT row, event, ledger, account, version, reason FROM wallet_parked ORDER BY row, event";
const UNPARK: &str = "DELETE FROM wallet_parked WHERE row = ? AND event = ?";
const DEPTH: &str = "
    SELECT (SELECT count(*) FROM wallet_outbox WHERE state IN (0, 2)),
           (SELECT min(created_at) FROM wallet_outbox WHERE state IN (0, 2)),
           (SELECT count(*) FROM wallet_parked)";

type Result<T> = std::result::Result<T, OutboxError>;

#[async_trait]
impl Outbox for SqliteStore {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>> {
        let owner = owner.to_owned();
        self.write(move |open, now| acquire(open, owner, now, ttl))
            .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let lease = lease.clone();
        let work = move |open: &Books<'_>, now: Timestamp| {
            fence(open, &lease, now)?;
            extend(open, lease, now.saturating_add(ttl))
        };
        self.write(work).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let lease = lease.clone();
        let work = move |open: &Books<'_>, now| {
            fence(open, &lease, now)?;
            // The row stays, so that the next fencing token is greater.
            extend(open, lease, now).map(|_| ())
        };
        self.write(work).await
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>> {
        let (lease, skip, now) = (lease.clone(), skip.clone(), self.ledger.clock.now());
        let work = move |state: &Books<'_>| {
            fence(state, &lease, now)?;
            claim(state, &skip, limit)
        };
        self.read(work).await
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<()> {
        let (lease, progress) = (lease.clone(), progress.to_vec());
        let work = move |open: &Books<'_>, now| {
            fence(open, &lease, now)?;
            let mut steps = progress.iter();
            steps.try_for_each(|step| add_done(open, step.row, &step.done, Some(step.state)))
        };
        self.write(work).await
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64> {
        let lease = lease.clone();
        let work = move |open: &Books<'_>, now| {
            fence(open, &lease, now)?;
            reopen(open)
        };
        self.write(work).await
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<()> {
        let (lease, event) = (lease.clone(), event.clone());
        let work = move |open: &Books<'_>, now| {
            fence(open, &lease, now)?;
            park(open, &event)
        };
        self.write(work).await
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>> {
        self.read(|books| parked(books)).await
    }

    async fn unpark(&self, row: RowId, index: EventIndex, resolution: Resolution) -> Result<bool> {
        self.write(move |open, _| unpark(open, row, index, resolution))
            .await
    }

    async fn depth(&self) -> Result<OutboxDepth> {
        self.read(|books| depth(books)).await
    }
}

fn stored_lease(connection: &Connection) -> Result<Option<Lease>> {
    let context = "reading a lease";
    let mut statement = prepare(connection, LEASE)?;
    let mut rows = statement.query(()).during(context)?;
    let Some(row) = rows.next().during(context)? else {
        return Ok(None);
    };
    Ok(Some(Lease {
        owner: column(row, 0)?,
        token: column(row, 1)?,
        until: time_column(row, 2)?,
    }))
}

fn acquire(
    connection: &Connection,
    owner: String,
    now: Timestamp,
    ttl: Duration,
) -> Result<Option<Lease>> {
    let held = stored_lease(connection)?;
    if held
        .as_ref()
        .is_some_and(|held| held.owner != owner && Lease::is_held(held.until, now, ttl))
    {
        return Ok(None);
    }
    let lease = Lease {
        owner,
        token: next_number(held.map_or(0, |held| held.token), 0, USED_UP)?,
        until: now.saturating_add(ttl),
    };
    prepare(connection, PUT_LEASE)?
        .execute((&lease.owner, lease.token, lease.until.as_micros()))
        .during("taking a lease")?;
    Ok(Some(lease))
}

/// Refuses a lease that has expired or that another owner holds now.
fn fence(connection: &Connection, lease: &Lease, now: Timestamp) -> Result<()> {
    match stored_lease(connection)? {
        Some(held) if held.token == lease.token && held.until > now => Ok(()),
        Some(_) | None => Err(OutboxError::LeaseLost),
    }
}

fn extend(connection: &Connection, lease: Lease, until: Timestamp) -> Result<Lease> {
    prepare(connection, EXTEND_LEASE)?
        .execute((until.as_micros(),))
        .during("extending a lease")?;
    Ok(Lease { until, ..lease })
}

fn claim(connection: &Connection, skip: &BTreeSet<RowId>, limit: u32) -> Result<Vec<OutboxRow>> {
    let context = "claiming outbox rows";
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut statement = prepare(connection, OPEN_ROWS)?;
    let mut rows = statement.query(()).during(context)?;
    while found.len() < limit {
        let Some(row) = rows.next().during(context)? else {
            break;
        };
        let (id, first) = (column(row, 0)?, column(row, 1)?);
        if skip.contains(&id) {
            continue;
        }
        let payload = encode_outbox(&outbox_outcomes(connection, first, id)?);
        found.push(OutboxRow {
            id,
            created_at: time_column(row, 2)?,
            payload: payload.ok_or_else(|| corrupt("an outbox row without effects"))?,
            done: done_set(&column::<Vec<u8>>(row, 3)?)?,
        });
    }
    Ok(found)
}

fn done_set(bytes: &[u8]) -> Result<DoneSet> {
    let (indices, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(corrupt("a done-set is damaged").into());
    }
    Ok(indices
        .iter()
        .map(|index| EventIndex::from_be_bytes(*index))
        .collect())
}

/// Adds effect indexes to a row's done-set. Sets `state`, if one is given and the row is
/// not complete.
fn add_done(
    connection: &Connection,
    row: RowId,
    more: &DoneSet,
    state: Option<RowState>,
) -> Result<()> {
    let context = "marking events done";
    let stored: Option<(Vec<u8>, i64)> = prepare(connection, PROGRESS)?
        .query_row((row,), |row| row.try_into())
        .optional()
        .during(context)?;
    // A purged row was complete.
    let Some((bytes, stored)) = stored else {
        return Ok(());
    };
    let mut done = done_set(&bytes)?;
    done.extend(more);
    let bytes: Vec<u8> = done.into_iter().flat_map(EventIndex::to_be_bytes).collect();
    let state = state
        .filter(|_| stored != i64::from(RowState::Complete.number()))
        .map_or(stored, |state| state.number().into());
    prepare(connection, PUT_PROGRESS)?
        .execute((row, bytes, state))
        .during(context)?;
    Ok(())
}

fn reopen(connection: &Connection) -> Result<u64> {
    let opened = prepare(connection, REOPEN)?
        .execute(())
        .during("opening rows that were put aside")?;
    Ok(u64::try_from(opened).unwrap_or(u64::MAX))
}

fn park(connection: &Connection, event: &ParkedEvent) -> Result<()> {
    let row = params![
        event.row,
        event.index,
        ledger_number(event.account.ledger),
        event.account.id.as_bytes(),
        event.version,
        event.reason,
    ];
    prepare(connection, PARK)?
        .execute(row)
        .during("parking an event")?;
    Ok(())
}

fn parked(connection: &Connection) -> Result<Vec<ParkedEvent>> {
    let context = "listing parked events";
    let mut statement = prepare(connection, PARKED)?;
    let mut rows = statement.query(()).during(context)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().during(context)? {
        let ledger = ledger(column(row, 2)?)?;
        found.push(ParkedEvent {
            row: column(row, 0)?,
            index: column(row, 1)?,
            account: InLedger::new(ledger, id_column(row, 3, AccountId::from_bytes)?),
            version: column(row, 4)?,
            reason: column(row, 5)?,
        });
    }
    Ok(found)
}

fn unpark(
    connection: &Connection,
    row: RowId,
    index: EventIndex,
    resolution: Resolution,
) -> Result<bool> {
    let removed = prepare(connection, UNPARK)?
        .execute((row, index))
        .during("ending a parking")?;
    if removed > 0 && resolution == Resolution::Skip {
        add_done(connection, row, &DoneSet::from([index]), None)?;
    }
    Ok(removed > 0)
}

fn depth(connection: &Connection) -> Result<OutboxDepth> {
    let counts: (i64, Option<i64>, i64) = prepare(connection, DEPTH)?
        .query_row((), |row| row.try_into())
        .during("measuring the outbox")?;
    let count = |count: i64| {
        let negative = |_| StoreError::new(StoreErrorKind::Internal, "a negative count");
        u64::try_from(count).map_err(negative)
    };
    Ok(OutboxDepth {
        rows: count(counts.0)?,
        oldest: counts.1.map(Timestamp::from_micros),
        parked: count(counts.2)?,
    })
}

//! The outbox. A row names the outcomes of one commit in the journal. A lease with a
//! fencing token protects the rows from a former publisher.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::ledger::InLedger;
use wallet_core::store::{
    EventIndex, Lease, Outbox, OutboxDepth, OutboxError, OutboxRow, ParkedEvent, Resolution, RowId,
    RowProgress, StoreErrorKind,
};
use wallet_core::{AccountId, StoreError};

mod rows;

use crate::claimed::Claimed;
use crate::clock::Time;
use crate::connect::Wait;
use crate::error::{Failed, corrupt};
use crate::pool::{PooledConnection, Purpose};
use crate::run::Row;
use crate::sql::{Script, Sql};
use crate::{AuroraStore, durable};

// Row 0 is the lease of the outbox. The other rows are of writes that change nothing
// (`durable.rs`).
const LEASE: &str = "SELECT owner, token, until_at FROM wallet_lease WHERE id = 0";
const TAKE: &str = "
    INSERT INTO wallet_lease (id, owner, token, until_at) VALUES (0,x'',0,";
const OF_THE_OUTBOX: &str = " WHERE id = 0";
const PARK: &str = "
    INSERT INTO wallet_parked (batch, event, ledger, account, version, reason) VALUES (";
const WRITTEN_AT: &str = "SELECT created_at FROM wallet_outbox WHERE id = ";
const PARKED: &str = "
    SELECT batch, event, ledger, account, version, reason
    FROM wallet_parked ORDER BY batch, event";
const DEPTH: &str = "
    SELECT (SELECT count(*) FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state)
            WHERE state IN (0, 2)),
           (SELECT created_at FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state)
            WHERE state = 0 ORDER BY id LIMIT 1),
           (SELECT created_at FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state)
            WHERE state = 2 ORDER BY id LIMIT 1),
           (SELECT count(*) FROM wallet_parked)";

type Result<T> = std::result::Result<T, OutboxError>;

/// The result of work under a lease. `None` if the lease is lost.
type Fenced<T> = std::result::Result<Option<T>, Failed>;

#[async_trait]
impl Outbox for AuroraStore {
    async fn acquire(&self, owner: &str, ttl: Duration) -> Result<Option<Lease>> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let taken = acquire(&mut connection, &self.time, owner, ttl).await;
        let taken = connection.end(taken).await?;
        if taken.is_some() {
            self.claimed.clear();
        }
        Ok(taken)
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.extend(lease, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        // The row stays, so that the next fencing token is greater.
        self.extend(lease, Duration::ZERO).await.map(drop)
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &BTreeSet<RowId>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>> {
        let connection = self.writer.acquire(Purpose::Commit).await?;
        let mut connection = connection.for_a(Wait::Long);
        let claimed = rows::claim(
            &mut connection,
            &self.time,
            lease,
            skip,
            limit,
            &self.claimed,
        );
        let claimed = match claimed.await {
            Ok(Some(rows)) if !rows.is_empty() => {
                durable::write(&mut connection).await.map(|()| Some(rows))
            }
            claimed => claimed,
        };
        connection.end(claimed).await?.ok_or(OutboxError::LeaseLost)
    }

    async fn mark_done(&self, lease: &Lease, progress: &[RowProgress]) -> Result<()> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let marked = rows::mark_done(&mut connection, &self.time, lease, progress, &self.claimed);
        let marked = marked.await;
        connection.end(marked).await?.ok_or(OutboxError::LeaseLost)
    }

    async fn reopen(&self, lease: &Lease) -> Result<u64> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let opened = rows::reopen(&mut connection, &self.time, lease).await;
        connection.end(opened).await?.ok_or(OutboxError::LeaseLost)
    }

    async fn park(&self, lease: &Lease, event: &ParkedEvent) -> Result<()> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let parked = park(&mut connection, &self.time, lease, event, &self.claimed).await;
        connection.end(parked).await?.ok_or(OutboxError::LeaseLost)
    }

    async fn parked(&self) -> Result<Vec<ParkedEvent>> {
        let mut connection = self.writer.acquire(Purpose::Read).await?;
        let answers = connection
            .run(&Script::of("listing parked events", PARKED))
            .await;
        let found = connection.end(answers).await?.rows();
        let found: std::result::Result<Vec<_>, _> = found.iter().map(parked_event).collect();
        Ok(found?)
    }

    async fn unpark(&self, row: RowId, index: EventIndex, resolution: Resolution) -> Result<bool> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let ended = rows::unpark(&mut connection, row, index, resolution).await;
        Ok(connection.end(ended).await?)
    }

    async fn depth(&self) -> Result<OutboxDepth> {
        let mut connection = self.writer.acquire(Purpose::Read).await?.for_a(Wait::Long);
        let answers = connection
            .run(&Script::of("measuring the outbox", DEPTH))
            .await;
        let row = connection.end(answers).await?.row()?;
        let oldest = [row.optional_number(1)?, row.optional_number(2)?];
        let oldest = oldest.into_iter().flatten().min();
        Ok(OutboxDepth {
            rows: row.number(0)?,
            oldest: oldest.map(wallet_core::Timestamp::from_micros),
            parked: row.number(3)?,
        })
    }
}

impl AuroraStore {
    async fn extend(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let extended = extend(&mut connection, &self.time, lease, ttl).await;
        connection
            .end(extended)
            .await?
            .ok_or(OutboxError::LeaseLost)
    }
}

async fn acquire(
    connection: &mut PooledConnection,
    time: &Time,
    owner: &str,
    ttl: Duration,
) -> std::result::Result<Option<Lease>, Failed> {
    let mut script = Script::default();
    script.begin();
    // Inserts the row if it is missing, and locks it in every case.
    script.work("taking a lease", |sql| {
        sql.raw(TAKE).int(i64::MIN);
        sql.raw(") ON DUPLICATE KEY UPDATE token = token");
    });
    script.work("reading a lease", |sql| {
        sql.raw(LEASE);
    });
    time.ask(&mut script);
    let mut answers = connection.run(&script).await?;
    answers.skip(2);
    let held = answers.row()?;
    let now = time.decode(&mut answers)?;
    if held.bytes(0)? != owner.as_bytes() && Lease::is_held(held.time(2)?, now, ttl) {
        connection
            .run(&Script::of("leaving a lease", "ROLLBACK"))
            .await?;
        return Ok(None);
    }
    let Some(token) = held.number::<i64>(1)?.checked_add(1) else {
        let context = "the tokens of a lease are used up";
        return Err(StoreError::new(StoreErrorKind::Internal, context).into());
    };
    let lease = Lease {
        owner: owner.to_owned(),
        token,
        until: now.saturating_add(ttl),
    };
    let mut script = Script::default();
    script.work("taking a lease", |sql| {
        sql.raw("UPDATE wallet_lease SET owner = ").text(owner);
        sql.raw(", token = ").int(lease.token);
        sql.raw(", until_at = ").time(lease.until);
        sql.raw(OF_THE_OUTBOX);
    });
    script.commit();
    connection.run(&script).await?;
    Ok(Some(lease))
}

/// Asks for the lease, with or without a lock, and for the time: two statements.
fn ask_fence(script: &mut Script, time: &Time, lock: &'static str) {
    script.work("reading a lease", |sql| {
        sql.raw(LEASE).raw(lock);
    });
    time.ask(script);
}

/// Whether this owner still holds the lease, and the time.
fn decode_fence(
    answers: &mut crate::run::Answers,
    time: &Time,
    lease: &Lease,
) -> crate::error::Result<(bool, wallet_core::Timestamp)> {
    let held = answers.rows();
    let now = time.decode(answers)?;
    let Some(held) = held.first() else {
        return Ok((false, now));
    };
    // A lease may be lost together with the commit that took it. Its token then restores
    // it.
    let is_own = held.bytes(0)? == lease.owner.as_bytes();
    let is_held = is_own && held.number::<i64>(1)? == lease.token && held.time(2)? > now;
    Ok((is_held, now))
}

/// Begins a transaction and locks the lease. Returns the time. Returns `None` and ends the
/// transaction if the lease is lost.
async fn fence(
    connection: &mut PooledConnection,
    time: &Time,
    lease: &Lease,
) -> Fenced<wallet_core::Timestamp> {
    let mut script = Script::default();
    script.begin();
    ask_fence(&mut script, time, " FOR UPDATE");
    let mut answers = connection.run(&script).await?;
    answers.skip(1);
    let (is_held, now) = decode_fence(&mut answers, time, lease)?;
    if is_held {
        return Ok(Some(now));
    }
    connection
        .run(&Script::of("leaving a lease", "ROLLBACK"))
        .await?;
    Ok(None)
}

async fn extend(
    connection: &mut PooledConnection,
    time: &Time,
    lease: &Lease,
    ttl: Duration,
) -> Fenced<Lease> {
    let Some(now) = fence(connection, time, lease).await? else {
        return Ok(None);
    };
    let until = now.saturating_add(ttl);
    let mut script = Script::default();
    script.work("extending a lease", |sql| {
        sql.raw("UPDATE wallet_lease SET until_at = ").time(until);
        sql.raw(OF_THE_OUTBOX);
    });
    script.commit();
    connection.run(&script).await?;
    let lease = lease.clone();
    Ok(Some(Lease { until, ..lease }))
}

async fn park(
    connection: &mut PooledConnection,
    time: &Time,
    lease: &Lease,
    event: &ParkedEvent,
    claimed: &Claimed,
) -> Fenced<()> {
    if fence(connection, time, lease).await?.is_none() {
        return Ok(None);
    }
    let mut script = Script::default();
    script.work("reading the row of an event", |sql| {
        sql.raw(WRITTEN_AT).int(event.row);
    });
    for row in connection.run(&script).await?.rows() {
        if !claimed.is(event.row, row.time(0)?) {
            connection
                .run(&Script::of("leaving a lease", "ROLLBACK"))
                .await?;
            return Ok(None);
        }
    }
    let mut script = Script::default();
    script.work("parking an event", |sql: &mut Sql| {
        sql.raw(PARK).int(event.row);
        sql.raw(",").int(event.index);
        sql.raw(",").ledger(event.account.ledger);
        sql.raw(",").bytes(event.account.id.as_bytes());
        sql.raw(",").int(event.version);
        sql.raw(",").text(&event.reason);
        sql.raw(") ON DUPLICATE KEY UPDATE version = version");
    });
    script.commit();
    connection.run(&script).await?;
    Ok(Some(()))
}

fn parked_event(row: &Row) -> crate::error::Result<ParkedEvent> {
    let ledger = row.ledger(2)?;
    let reason = row.text(5).map_err(|_| corrupt("a reason is damaged"))?;
    Ok(ParkedEvent {
        row: row.number(0)?,
        index: row.number(1)?,
        account: InLedger::new(ledger, row.id(3, AccountId::from_bytes)?),
        version: row.number(4)?,
        reason: reason.to_owned(),
    })
}

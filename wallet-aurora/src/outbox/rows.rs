//! Outbox rows and their delivery progress.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wallet_core::store::codec::encode_outbox;
use wallet_core::store::{
    DoneSet, EventIndex, Lease, OutboxRow, Resolution, RowId, RowProgress, RowState,
};
use wallet_core::{LedgerId, Outcome, Timestamp};

use super::{Fenced, ask_fence, decode_fence, fence};
use crate::claimed::Claimed;
use crate::clock::Time;
use crate::error::{Failed, Result, corrupt};
use crate::number::CommitNumber;
use crate::pool::PooledConnection;
use crate::read::outcome;
use crate::run::Row;
use crate::sql::Script;

const OPEN_ROWS: &str = "
    SELECT id, accepted, created_at, done FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state)
    WHERE state = 0";
const OUTCOMES: &str =
    "SELECT id, ledger, outcome FROM wallet_journal FORCE INDEX (PRIMARY) WHERE FALSE";
/// How many rows one statement reads outcomes for. A plan for tens of thousands of ranges
/// needs more memory than MySQL allows. MySQL then scans the whole table.
const OUTCOMES_OF: usize = 500;
const PROGRESS: &str = "
    SELECT id, done, state, created_at FROM wallet_outbox FORCE INDEX (PRIMARY) WHERE ";
// Only the relay that parked a row changes it.
const REOPEN: &str = "
    UPDATE wallet_outbox FORCE INDEX (wallet_outbox_by_state) SET state = 0 WHERE state = 2";
const UNPARK: &str = "DELETE FROM wallet_parked WHERE batch = ";

/// An outbox row before its outcomes are read.
struct Open {
    id: RowId,
    accepted: i64,
    created_at: Timestamp,
    done: DoneSet,
}

/// Reads the rows that are not complete. The outcomes that a row names never change, so
/// they can be read later.
pub(super) async fn claim(
    connection: &mut PooledConnection,
    time: &Time,
    lease: &Lease,
    skip: &BTreeSet<RowId>,
    limit: u32,
    claimed: &Claimed,
) -> Fenced<Vec<OutboxRow>> {
    let skip: Vec<RowId> = skip.iter().copied().collect();
    let mut script = Script::default();
    script.begin_reading();
    let before = script.steps.len();
    ask_fence(&mut script, time, "");
    script.work("claiming outbox rows", |sql| {
        sql.raw(OPEN_ROWS);
        if !skip.is_empty() {
            sql.raw(" AND NOT ").is_in("id", &skip, |sql, row| {
                sql.int(*row);
            });
        }
        sql.raw(" ORDER BY id LIMIT ").int(limit);
    });
    script.end_reading();
    let mut answers = connection.run(&script).await?;
    answers.skip(before);
    let (is_held, _) = decode_fence(&mut answers, time, lease)?;
    if !is_held {
        return Ok(None);
    }
    let open: Result<Vec<Open>> = answers.rows().iter().map(open_row).collect();
    let open = open?;
    claimed.note(open.iter().map(|row| (row.id, row.created_at)));
    let mut outcomes = outcomes(connection, &open).await?;
    let mut rows = Vec::with_capacity(open.len());
    for row in open {
        let accepted = outcomes.remove(&row.id).unwrap_or_default();
        if i64::try_from(accepted.len()).ok() != Some(row.accepted) {
            return Err(corrupt("the journal does not hold a commit").into());
        }
        let payload = encode_outbox(&accepted);
        rows.push(OutboxRow {
            id: row.id,
            created_at: row.created_at,
            payload: payload.ok_or_else(|| corrupt("an outbox row without effects"))?,
            done: row.done,
        });
    }
    Ok(Some(rows))
}

fn open_row(row: &Row) -> Result<Open> {
    Ok(Open {
        id: row.number(0)?,
        accepted: row.number(1)?,
        created_at: row.time(2)?,
        done: done_set(row.bytes(3)?)?,
    })
}

type CommitOutcomes = Vec<(LedgerId, Arc<Outcome>)>;

/// The outcomes of each row, in the order of their decisions.
async fn outcomes(
    connection: &mut PooledConnection,
    open: &[Open],
) -> std::result::Result<BTreeMap<RowId, CommitOutcomes>, Failed> {
    let mut by_row: BTreeMap<RowId, CommitOutcomes> = BTreeMap::new();
    let mut script = Script::default();
    for open in open.chunks(OUTCOMES_OF) {
        script.work("reading the journal", |sql| {
            sql.raw(OUTCOMES);
            for row in open {
                let number = CommitNumber::new(row.id);
                let last = number.row(row.accepted.saturating_sub(1));
                sql.raw(" OR id BETWEEN ").int(number.row(0));
                sql.raw(" AND ").int(last);
            }
            sql.raw(" ORDER BY id");
        });
    }
    let statements = script.steps.len();
    let mut answers = connection.run(&script).await?;
    for _ in 0..statements {
        for row in answers.rows() {
            let id: i64 = row.number(0)?;
            let ledger = row.ledger(1)?;
            let outcome = Arc::new(outcome(&row, 2, ledger, || format!("row {id}"))?);
            let of = by_row.entry(CommitNumber::of_row(id).id()).or_default();
            of.push((ledger, outcome));
        }
    }
    Ok(by_row)
}

/// Adds effect indexes to the done-sets of rows.
pub(super) async fn mark_done(
    connection: &mut PooledConnection,
    time: &Time,
    lease: &Lease,
    progress: &[RowProgress],
    claimed: &Claimed,
) -> Fenced<()> {
    if fence(connection, time, lease).await?.is_none() {
        return Ok(None);
    }
    let notes: Vec<Note<'_>> = progress
        .iter()
        .map(|step| Note {
            row: step.row,
            done: &step.done,
            state: Some(step.state),
        })
        .collect();
    let Some(mut script) = add_done(connection, &notes, Some(claimed)).await? else {
        connection
            .run(&Script::of("leaving a lease", "ROLLBACK"))
            .await?;
        return Ok(None);
    };
    script.commit();
    connection.run(&script).await?;
    let is_over = |step: &&RowProgress| step.state == RowState::Complete;
    claimed.forget(progress.iter().filter(is_over).map(|step| step.row));
    Ok(Some(()))
}

/// A change of one row.
struct Note<'a> {
    row: RowId,
    done: &'a DoneSet,
    /// The row's new state. `None` keeps its state.
    state: Option<RowState>,
}

/// Reopens parked rows.
pub(super) async fn reopen(
    connection: &mut PooledConnection,
    time: &Time,
    lease: &Lease,
) -> Fenced<u64> {
    if fence(connection, time, lease).await?.is_none() {
        return Ok(None);
    }
    let mut script = Script::default();
    script.work("opening rows that were put aside", |sql| {
        sql.raw(REOPEN);
    });
    script.commit();
    let mut answers = connection.run(&script).await?;
    Ok(Some(answers.changed()))
}

/// Locks the rows and returns the script that writes them. Returns `None` if a row is not
/// the one that was claimed. A missing row was complete and then purged.
async fn add_done(
    connection: &mut PooledConnection,
    progress: &[Note<'_>],
    claimed: Option<&Claimed>,
) -> Fenced<Script> {
    let mut ids: Vec<RowId> = progress.iter().map(|step| step.row).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut script = Script::default();
    script.work("reading events done", |sql| {
        sql.raw(PROGRESS).is_in("id", &ids, |sql, id| {
            sql.int(*id);
        });
        sql.raw(" ORDER BY id FOR UPDATE");
    });
    let mut script_out = Script::default();
    for row in connection.run(&script).await?.rows() {
        let id: RowId = row.number(0)?;
        let mut done = done_set(row.bytes(1)?)?;
        let mut state: i64 = row.number(2)?;
        let created_at = row.time(3)?;
        if claimed.is_some_and(|claimed| !claimed.is(id, created_at)) {
            return Ok(None);
        }
        for step in progress.iter().filter(|step| step.row == id) {
            done.extend(step.done);
            if state != i64::from(RowState::Complete.number()) {
                state = step.state.map_or(state, |state| state.number().into());
            }
        }
        let bytes: Vec<u8> = done.into_iter().flat_map(EventIndex::to_be_bytes).collect();
        script_out.work("marking events done", |sql| {
            sql.raw("UPDATE wallet_outbox SET done = ").bytes(&bytes);
            sql.raw(", state = ").int(state);
            sql.raw(" WHERE id = ").int(id);
        });
    }
    Ok(Some(script_out))
}

fn done_set(bytes: &[u8]) -> Result<DoneSet> {
    let (indices, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(corrupt("a done-set is damaged"));
    }
    let indices = indices.iter();
    Ok(indices
        .map(|index| EventIndex::from_be_bytes(*index))
        .collect())
}

/// Ends the parking of an event. Returns whether it was parked.
pub(super) async fn unpark(
    connection: &mut PooledConnection,
    row: RowId,
    index: EventIndex,
    resolution: Resolution,
) -> std::result::Result<bool, Failed> {
    let mut script = Script::default();
    script.begin();
    script.work("ending a parking", |sql| {
        sql.raw(UNPARK).int(row).raw(" AND event = ").int(index);
    });
    let mut answers = connection.run(&script).await?;
    answers.skip(1);
    let was_parked = answers.changed() > 0;
    let mut script = Script::default();
    if was_parked && resolution == Resolution::Skip {
        let note = Note {
            row,
            done: &DoneSet::from([index]),
            state: None,
        };
        script = add_done(connection, &[note], None)
            .await?
            .unwrap_or_default();
    }
    script.commit();
    connection.run(&script).await?;
    Ok(was_parked)
}

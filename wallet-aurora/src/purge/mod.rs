//! Deletes expired rows in short transactions.

mod bulk;

use wallet_core::Timestamp;

use crate::error::{Failed, Result};
use crate::number::CommitNumber;
use crate::pool::PooledConnection;
use crate::run::Row;
use crate::sql::Script;

const OLDEST: &str = "
    SELECT id, accepted, outcomes, purged, bulks FROM wallet_batch FORCE INDEX (wallet_batch_by_age)
    WHERE written_at <= ";
const FORGET_KEYS: &str = "
    UPDATE wallet_journal FORCE INDEX (PRIMARY) SET hash = NULL, fingerprint = NULL
    WHERE hash IS NOT NULL AND ";
// One statement deletes one row. With a list of keys, the server may scan a small table. A
// `DELETE` that scans waits for every locked row. (An `UPDATE` skips locked rows that it
// does not change.)
const DELETE_REFUSAL: &str = "DELETE FROM wallet_journal WHERE id = ";
const DELETE_COMMIT: &str = "DELETE FROM wallet_batch WHERE id = ";
const DELETE_DELIVERED: &str = "DELETE FROM wallet_outbox WHERE id = ";
const DELIVERED: &str = "
    SELECT id FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state)
    WHERE state = 1 AND created_at <= ";

// Each commit has at least one outcome, so the limit also bounds the commits to read.
const COUNT_RECORDS: &str = "
    SELECT CAST(COALESCE(SUM(old.outcomes - old.purged), 0) AS SIGNED) FROM (
        SELECT outcomes, purged FROM wallet_batch FORCE INDEX (wallet_batch_by_age)
        WHERE written_at <= ";
const COUNT_DELIVERED: &str = "
    SELECT COUNT(*) FROM (
        SELECT id FROM wallet_outbox FORCE INDEX (wallet_outbox_by_state)
        WHERE state = 1 AND created_at <= ";

/// The most rows that one transaction deletes.
const AT_ONCE: u32 = 1_000;

/// The part of a commit's outcomes to delete.
struct Part {
    batch: i64,
    accepted: i64,
    outcomes: i64,
    /// How many of the accepted outcomes are bulk requests.
    bulks: i64,
    from: i64,
    /// The first row that stays.
    until: i64,
}

/// Counts the records written at or before `bound`, up to `limit`.
pub(crate) async fn count_records(
    connection: &mut PooledConnection,
    bound: Timestamp,
    limit: u32,
) -> std::result::Result<u64, Failed> {
    let mut script = Script::default();
    script.work("counting old records", |sql| {
        sql.raw(COUNT_RECORDS).time(bound);
        sql.raw(" ORDER BY written_at, id LIMIT ").int(limit);
        sql.raw(") old");
    });
    Ok(counted(&connection.run(&script).await?.rows())?.min(u64::from(limit)))
}

/// Counts the delivered outbox rows written at or before `bound`, up to `limit`.
pub(crate) async fn count_delivered(
    connection: &mut PooledConnection,
    bound: Timestamp,
    limit: u32,
) -> std::result::Result<u64, Failed> {
    let mut script = Script::default();
    script.work("counting delivered events", |sql| {
        sql.raw(COUNT_DELIVERED).time(bound);
        sql.raw(" LIMIT ").int(limit);
        sql.raw(") old");
    });
    Ok(counted(&connection.run(&script).await?.rows())?)
}

/// The single number of the single row.
fn counted(rows: &[Row]) -> Result<u64> {
    rows.first().map_or(Ok(0), |row| row.number(0))
}

/// Deletes at most `limit` records written at or before `bound`, commit by commit, the
/// oldest first. It deletes refusals too. Accepted outcomes stay in the journal. It stops
/// at a bulk request with an item later than `bound`. The keys of a bulk request's items
/// are deleted before its own key.
pub(crate) async fn records(
    connection: &mut PooledConnection,
    bound: Timestamp,
    limit: u32,
) -> std::result::Result<u64, Failed> {
    let mut deleted: u64 = 0;
    let mut rest = limit;
    while rest > 0 {
        let step = rest.min(AT_ONCE);
        let mut script = Script::default();
        script.begin();
        script.work("finding old records", |sql| {
            sql.raw(OLDEST).time(bound);
            sql.raw(" ORDER BY written_at, id LIMIT ").int(step);
            // The purge skips rows that a commit or another purge has locked.
            sql.raw(" FOR UPDATE SKIP LOCKED");
        });
        let mut answers = connection.run(&script).await?;
        answers.skip(1);
        let (mut parts, taken) = parts(&answers.rows(), i64::from(step))?;
        let items = bulk::items(connection, &mut parts, bound).await?;
        let (mut script, counted) = delete(&parts, &items);
        script.commit();
        let mut answers = connection.run(&script).await?;
        if parts.is_empty() {
            break;
        }
        for _ in 0..counted {
            deleted = deleted.saturating_add(answers.changed());
        }
        rest = rest.saturating_sub(u32::try_from(taken).unwrap_or(rest));
    }
    Ok(deleted)
}

/// The outcomes to delete, at most `most`, and their number.
fn parts(rows: &[Row], most: i64) -> Result<(Vec<Part>, i64)> {
    let mut parts = Vec::new();
    let mut taken: i64 = 0;
    for row in rows {
        let left = most.saturating_sub(taken);
        if left <= 0 {
            break;
        }
        let (outcomes, from): (i64, i64) = (row.number(2)?, row.number(3)?);
        let until = outcomes.min(from.saturating_add(left));
        taken = taken.saturating_add(until.saturating_sub(from));
        parts.push(Part {
            batch: row.number(0)?,
            accepted: row.number(1)?,
            outcomes,
            bulks: row.number(4)?,
            from,
            until,
        });
    }
    Ok((parts, taken))
}

/// The script that deletes them. The second value is how many of its first statements count
/// deleted records.
fn delete(parts: &[Part], items: &[i64]) -> (Script, usize) {
    let mut script = Script::default();
    if parts.is_empty() {
        return (script, 0);
    }
    if !items.is_empty() {
        script.work("forgetting the keys of items", |sql| {
            sql.raw(FORGET_KEYS).is_in("id", items, |sql, id| {
                sql.int(*id);
            });
        });
    }
    let accepted = rows(parts, |part| (part.from, part.until.min(part.accepted)));
    script.work("forgetting old keys", |sql| {
        sql.raw(FORGET_KEYS).is_in("id", &accepted, |sql, id| {
            sql.int(*id);
        });
    });
    let refused = rows(parts, |part| (part.from.max(part.accepted), part.until));
    each(
        &mut script,
        "deleting old refusals",
        DELETE_REFUSAL,
        &refused,
    );
    let counted = script.steps.len();
    let whole = parts.iter().filter(|part| part.until == part.outcomes);
    let whole: Vec<i64> = whole.map(|part| part.batch).collect();
    each(&mut script, "forgetting old commits", DELETE_COMMIT, &whole);
    // Only the last part can be cut.
    for part in parts.iter().filter(|part| part.until < part.outcomes) {
        script.work("shortening an old commit", |sql| {
            sql.raw("UPDATE wallet_batch SET purged = ").int(part.until);
            sql.raw(" WHERE id = ").int(part.batch);
        });
    }
    (script, counted)
}

/// Adds one statement for each id.
fn each(script: &mut Script, context: &'static str, delete: &'static str, ids: &[i64]) {
    for id in ids {
        script.work(context, |sql| {
            sql.raw(delete).int(*id);
        });
    }
}

/// The journal rows of each part in a range that excludes its end.
fn rows(parts: &[Part], range: impl Fn(&Part) -> (i64, i64)) -> Vec<i64> {
    let rows = parts.iter().flat_map(|part| {
        let (from, until) = range(part);
        let number = CommitNumber::new(part.batch);
        (from..until).map(move |index| number.row(index))
    });
    rows.collect()
}

/// Deletes at most `limit` delivered outbox rows written at or before `bound`.
pub(crate) async fn delivered(
    connection: &mut PooledConnection,
    bound: Timestamp,
    limit: u32,
) -> std::result::Result<u64, Failed> {
    let mut deleted: u64 = 0;
    let mut rest = limit;
    while rest > 0 {
        let step = rest.min(AT_ONCE);
        let mut script = Script::default();
        script.work("finding delivered events", |sql| {
            sql.raw(DELIVERED).time(bound);
            sql.raw(" ORDER BY id LIMIT ").int(step);
        });
        let rows = connection.run(&script).await?.rows();
        let ids: Result<Vec<i64>> = rows.iter().map(|row| row.number(0)).collect();
        let ids = ids?;
        if ids.is_empty() {
            break;
        }
        let mut script = Script::default();
        script.begin();
        let context = "deleting delivered events";
        each(&mut script, context, DELETE_DELIVERED, &ids);
        script.commit();
        let mut answers = connection.run(&script).await?;
        answers.skip(1);
        for _ in &ids {
            deleted = deleted.saturating_add(answers.changed());
        }
        rest = rest.saturating_sub(u32::try_from(ids.len()).unwrap_or(rest));
    }
    Ok(deleted)
}

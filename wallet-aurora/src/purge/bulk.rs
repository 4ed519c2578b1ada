//! Deletes the key of a bulk request after the keys of its items.

use wallet_core::Timestamp;
use wallet_core::ledger::RecordKey;

use super::Part;
use crate::error::{Failed, Result};
use crate::number::CommitNumber;
use crate::pool::PooledConnection;
use crate::read::outcome;
use crate::run::Row;
use crate::sql::Script;

const ACCEPTED: &str = "
    SELECT ledger, hash, outcome FROM wallet_journal FORCE INDEX (PRIMARY)
    WHERE hash IS NOT NULL AND id >= ";
const ITEMS: &str = "
    SELECT id FROM wallet_journal FORCE INDEX (wallet_journal_by_key) WHERE ";
const LATER: &str = "SELECT id FROM wallet_batch FORCE INDEX (PRIMARY) WHERE written_at > ";

/// The most items that one transaction deletes, unless one commit has more.
const AT_ONCE: usize = 1_000;

/// The journal rows of the items of the bulk requests in `parts`. The parts are cut before
/// the first one with a bulk request that has an item later than `bound`. The key of such a
/// request is still in use.
pub(super) async fn items(
    connection: &mut PooledConnection,
    parts: &mut Vec<Part>,
    bound: Timestamp,
) -> std::result::Result<Vec<i64>, Failed> {
    let mut found = Vec::new();
    let mut cut = parts.len();
    for (index, part) in parts.iter().enumerate() {
        if part.bulks == 0 || part.from >= part.accepted {
            continue;
        }
        let items = items_of(connection, part).await?;
        let is_full = index > 0 && found.len().saturating_add(items.len()) > AT_ONCE;
        if is_full || has_later(connection, &items, bound).await? {
            cut = index;
            break;
        }
        found.extend(items);
    }
    parts.truncate(cut);
    Ok(found)
}

/// The journal rows of the items of a commit's bulk requests.
async fn items_of(
    connection: &mut PooledConnection,
    part: &Part,
) -> std::result::Result<Vec<i64>, Failed> {
    let number = CommitNumber::new(part.batch);
    let mut script = Script::default();
    script.work("finding bulk requests", |sql| {
        sql.raw(ACCEPTED).int(number.row(part.from));
        let end = part.until.min(part.accepted);
        sql.raw(" AND id < ").int(number.row(end));
    });
    let rows = connection.run(&script).await?.rows();
    let mut keys = Vec::new();
    for row in &rows {
        keys.extend(item_keys(row)?);
    }
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    keys.sort_unstable();
    let mut script = Script::default();
    script.work("finding the items of bulk requests", |sql| {
        sql.raw(ITEMS);
        sql.keyed("ledger", "hash", &keys, |key| (key.ledger, key.hash));
    });
    let rows = connection.run(&script).await?.rows();
    let ids: Result<Vec<i64>> = rows.iter().map(|row| row.number(0)).collect();
    Ok(ids?)
}

fn item_keys(row: &Row) -> Result<Vec<RecordKey>> {
    let ledger = row.ledger(0)?;
    let hash = row.array(1)?;
    let of_key = || format!("ledger {ledger}, key {:032x}", u128::from_be_bytes(hash));
    let items = outcome(row, 2, ledger, of_key)?.bulk_items().unwrap_or(0);
    let key = RecordKey { ledger, hash };
    Ok((0..items).map(|item| key.item(item)).collect())
}

async fn has_later(
    connection: &mut PooledConnection,
    items: &[i64],
    bound: Timestamp,
) -> std::result::Result<bool, Failed> {
    let commits = items.iter().map(|row| CommitNumber::of_row(*row).id());
    let mut commits: Vec<i64> = commits.collect();
    commits.sort_unstable();
    commits.dedup();
    let mut script = Script::default();
    script.work("asking how old items are", |sql| {
        sql.raw(LATER).time(bound);
        sql.raw(" AND ").is_in("id", &commits, |sql, id| {
            sql.int(*id);
        });
        sql.raw(" LIMIT 1");
    });
    Ok(!connection.run(&script).await?.rows().is_empty())
}

//! Compares the consumer, the history and the cache with the books.

use std::collections::BTreeMap;

use wallet_aurora::sqlx::{Connection, MySqlConnection, Row, query};
use wallet_core::cache::BalanceCache;
use wallet_core::history::{HistoryLine, HistoryQuery, HistoryStore};
use wallet_core::ledger::{AccountKey, Epoch, Version};
use wallet_core::verify::Books;
use wallet_core::{Balance, Entry};
use wallet_redis::{Redis, RedisSettings};

use super::Verified;
use crate::{Result, clients, plan};

/// Every entry of a customer had its effect once, and no event had two.
pub(super) async fn effects(database: &str, books: &Books, verified: &mut Verified) -> Result<()> {
    let mut connection = MySqlConnection::connect(database).await?;
    let mut all = 0;
    for account in plan::customers() {
        let sql = "SELECT version, COUNT(*) FROM effect WHERE account = ? GROUP BY version";
        let id = account.id.as_bytes().to_vec();
        let rows = query(sql).bind(id).fetch_all(&mut connection).await?;
        let mut effects: BTreeMap<Version, i64> = BTreeMap::new();
        for row in rows {
            effects.insert(row.try_get(0)?, row.try_get(1)?);
        }
        all += effects.len();
        for (version, count) in &effects {
            if *count != 1 {
                verified.violation(format!("{account}: {count} effects of version {version}"));
            }
        }
        for entry in books.entries_of(account) {
            if !effects.contains_key(&entry.version) {
                let words = format!("{account}: no effect of version {}", entry.version);
                verified.violation(words);
            }
        }
    }
    verified.figure("effects of events, each once", all);
    Ok(())
}

/// The history of a customer equals its entries.
pub(super) async fn history(endpoint: &str, books: &Books, verified: &mut Verified) -> Result<()> {
    let history = clients::history(endpoint)?;
    let mut all = 0;
    for account in plan::customers() {
        let mut query = HistoryQuery::first(account, 1_000);
        let mut found: Vec<Entry> = Vec::new();
        loop {
            let page = history.page(&query, &[]).await?;
            if page.rows.is_empty() {
                break;
            }
            let lines = page.rows.into_iter().map(|row| row.line);
            found.extend(lines.map(|HistoryLine { entry, .. }| entry));
            query.cursor = page.next;
        }
        all += found.len();
        let due = books.entries_of(account);
        if found != due {
            let first = found.iter().zip(due).find(|(found, due)| found != due);
            let words = format!(
                "{account}: history has {} entries, the books {}; the first that differ: {first:?}",
                found.len(),
                due.len()
            );
            verified.violation(words);
        }
    }
    verified.figure("lines of history, equal to entries", all);
    Ok(())
}

/// A cached balance is correct: it is not newer than the books, and equal at the same
/// version.
pub(super) async fn cache(url: &str, books: &Books, verified: &mut Verified) -> Result<()> {
    let redis = Redis::open(&RedisSettings::new(url)).await?;
    let accounts: Vec<AccountKey> = plan::accounts();
    let cached = redis.cache().get(&accounts).await?;
    let mut all = 0;
    for (account, cached) in accounts.iter().zip(cached) {
        let (Some(cached), Some(account)) = (cached, books.accounts.get(account)) else {
            continue;
        };
        all += 1;
        let ledger = Balance::of(&account.state, Epoch::FIRST);
        let is_newer = cached.version > ledger.version;
        if is_newer || (cached.version == ledger.version && cached != ledger) {
            verified.violation(format!("cached {cached:?}, in the books {ledger:?}"));
        }
    }
    verified.figure("cached balances, none newer than the books", all);
    Ok(())
}

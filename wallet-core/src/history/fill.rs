use std::collections::BTreeMap;

use crate::{
    AccountKey, Entry, EntryQuery, HistoryError, HistoryLine, HistoryStore, InLedger, LedgerStore,
    Sequence, StoreError, StoreErrorKind, TransferKey,
};

/// Entries that are read at a time.
const PAGE: u32 = 1_000;
/// Transfers that are read at a time.
const TRANSFERS: usize = 500;

/// The lines of entries, in their order: what the ledger says of their transfers
/// is read, each once.
///
/// # Errors
/// Those of the ledger; `Corrupt` when it has an entry without its transfer.
pub async fn lines_of(
    ledger: &dyn LedgerStore,
    entries: &[Entry],
) -> Result<Vec<HistoryLine>, StoreError> {
    let key = |entry: &Entry| InLedger::new(entry.account.ledger, entry.transfer);
    let mut keys: Vec<TransferKey> = entries.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut transfers = BTreeMap::new();
    for keys in keys.chunks(TRANSFERS) {
        let rows = ledger.transfers(keys).await?.into_iter().flatten();
        transfers.extend(rows.map(|row| (row.transfer.key, row.transfer)));
    }
    let lines = entries.iter().map(|entry| {
        let transfer = transfers.get(&key(entry)).ok_or_else(|| {
            let context = "an entry has no transfer";
            StoreError::new(StoreErrorKind::Corrupt, context)
        })?;
        HistoryLine::of(*entry, transfer)
    });
    lines.collect()
}

/// Writes what history lacks of an account up to the entry `to`, as the ledger
/// has it; answers how many lines that were. Nothing is written where history has
/// come that far. Filling twice, or while somebody else does, is filling once.
///
/// # Errors
/// Those of the stores.
pub async fn fill(
    history: &dyn HistoryStore,
    ledger: &dyn LedgerStore,
    account: AccountKey,
    to: Sequence,
) -> Result<u64, HistoryError> {
    let heads = history.heads(&[account]).await?;
    let mut last = heads.first().map_or(0, |head| head.sequence);
    let mut written: u64 = 0;
    while last < to {
        let mut query = EntryQuery::first(account, PAGE);
        query.after = Some(last);
        let mut entries = ledger.entries(&query).await?;
        entries.retain(|entry| entry.sequence <= to);
        let Some(newest) = entries.last() else {
            let context = "the ledger does not know yet what is to be written";
            return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
        };
        last = newest.sequence;
        let lines = lines_of(ledger, &entries).await?;
        history.append(&lines).await?;
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        written = written.saturating_add(count);
    }
    Ok(written)
}

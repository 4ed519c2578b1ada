use crate::history::{HistoryError, HistoryHead, HistoryLine, HistoryStore};
use crate::ledger::{AccountKey, Entry, Restore, Sequence};
use crate::store::{EntryQuery, LedgerStore, StoreError, StoreErrorKind, TransfersOf};

/// The number of entries that are read at a time.
const PAGE: u32 = 1_000;
/// The number of attempts when the ledger's database is restored meanwhile.
const TURNS: usize = 3;

/// Returns the lines of entries, in the order of the entries. It reads each of
/// their transfers from the ledger once.
///
/// # Errors
/// The errors of the ledger; `Corrupt` when it has an entry without its transfer.
pub async fn lines_of(
    ledger: &dyn LedgerStore,
    entries: &[Entry],
) -> Result<Vec<HistoryLine>, StoreError> {
    let transfers = TransfersOf::read(ledger, entries).await?;
    let lines = entries
        .iter()
        .map(|entry| HistoryLine::of(*entry, &transfers.of(entry)?.transfer));
    lines.collect()
}

/// Copies the entries of an account that history lacks, up to the entry `to`, from
/// the ledger. Returns the number of lines written. Nothing is written where
/// history already has the entry. The call is idempotent, also with concurrent
/// calls.
///
/// Where the ledger's database was restored since, rows in doubt are superseded
/// first.
///
/// # Errors
/// The errors of both stores. `Unavailable` where the ledger does not have the
/// entries that history has or that the caller asks for.
pub async fn fill(
    history: &dyn HistoryStore,
    ledger: &dyn LedgerStore,
    account: AccountKey,
    to: Sequence,
) -> Result<u64, HistoryError> {
    let mut turns = TURNS;
    loop {
        let restores = ledger.epochs().await?.all_restores();
        let heads = heads_in(history, &[account], &restores).await?;
        let last = heads.first().map_or(0, |head| head.sequence);
        let filled = fill_from(history, ledger, account, (last, to), &restores).await;
        match filled {
            Err(HistoryError::Epoch { .. }) if turns > 0 => turns = turns.saturating_sub(1),
            other => return other,
        }
    }
}

/// Brings the history of accounts up to the ledger, and supersedes rows that a
/// restore left in doubt. Returns the number of lines written. If a restore lost an
/// account, only superseded rows of it remain.
///
/// # Errors
/// The same as [`fill`].
pub async fn catch_up(
    history: &dyn HistoryStore,
    ledger: &dyn LedgerStore,
    accounts: &[AccountKey],
) -> Result<u64, HistoryError> {
    let mut turns = TURNS;
    loop {
        match catch_up_once(history, ledger, accounts).await {
            Err(HistoryError::Epoch { .. }) if turns > 0 => turns = turns.saturating_sub(1),
            other => return other,
        }
    }
}

async fn catch_up_once(
    history: &dyn HistoryStore,
    ledger: &dyn LedgerStore,
    accounts: &[AccountKey],
) -> Result<u64, HistoryError> {
    let restores = ledger.epochs().await?.all_restores();
    let heads = heads_in(history, accounts, &restores).await?;
    let found = ledger.accounts(accounts).await?;
    let mut written: u64 = 0;
    for ((account, head), found) in accounts.iter().zip(heads).zip(found) {
        let to = found.map_or(0, |found| found.state.sequence);
        let filled = fill_from(history, ledger, *account, (head.sequence, to), &restores).await?;
        written = written.saturating_add(filled);
    }
    Ok(written)
}

/// Returns the heads of accounts in the current epoch after these restores. Rows
/// that the restores leave in doubt are superseded first.
///
/// # Errors
/// The errors of the store; `Unavailable` where history already has a later epoch.
pub(super) async fn heads_in(
    history: &dyn HistoryStore,
    accounts: &[AccountKey],
    restores: &[Restore],
) -> Result<Vec<HistoryHead>, HistoryError> {
    let current = Restore::current(restores);
    let mut heads = history.heads(accounts).await?;
    let behind = accounts.iter().zip(&heads);
    let behind = behind.filter(|(_, head)| head.epoch < current);
    let behind: Vec<AccountKey> = behind.map(|(account, _)| *account).collect();
    if !behind.is_empty() {
        history.supersede(&behind, restores).await?;
        heads = history.heads(accounts).await?;
    }
    if heads.iter().any(|head| head.epoch > current) {
        let context = "the ledger does not know yet of the epoch that history is of";
        return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
    }
    Ok(heads)
}

/// Copies the entries of an account after one sequence and up to another. They were
/// read after these restores.
async fn fill_from(
    history: &dyn HistoryStore,
    ledger: &dyn LedgerStore,
    account: AccountKey,
    (mut last, to): (Sequence, Sequence),
    restores: &[Restore],
) -> Result<u64, HistoryError> {
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
        history.append(&lines, restores).await?;
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        written = written.saturating_add(count);
    }
    Ok(written)
}

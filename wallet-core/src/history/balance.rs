use crate::history::{HistoryQuery, HistoryStore};
use crate::ledger::{AccountKey, PastBalance, Restore, Timestamp};
use crate::store::{Order, StoreError, StoreErrorKind};

/// Returns the posted balance of `account` at `at`. It makes one request for one
/// row, however long the history is. It returns `None` where history cannot prove
/// the balance, because it ends earlier or the row has expired. Then ask the
/// ledger.
///
/// The first row after `at` contains the balance before it. Its link to the
/// previous entry proves that no entry lies between. Entries of an account never go
/// back in time, so the answer is final until the ledger's database is restored.
/// `restores` are all known restores of the database. Rows that they leave in doubt
/// prove nothing.
///
/// # Errors
/// The errors of the store; `Corrupt` when it returns a row that the query does not
/// match.
///
/// ```
/// use wallet_core::memory::MemoryHistory;
/// use wallet_core::{history, AccountId, LedgerId, Timestamp};
/// use wallet_core::ledger::InLedger;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let account = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
/// let empty = MemoryHistory::new();
/// let past = history::balance_at(&empty, account, Timestamp::from_micros(5), &[]).await?;
/// assert_eq!(past, None, "the ledger may know more");
/// # Ok::<(), wallet_core::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn balance_at(
    history: &dyn HistoryStore,
    account: AccountKey,
    at: Timestamp,
    restores: &[Restore],
) -> Result<Option<PastBalance>, StoreError> {
    let Some(next) = at.as_micros().checked_add(1) else {
        return Ok(None);
    };
    let query = HistoryQuery {
        from: Some(Timestamp::from_micros(next)),
        order: Order::Ascending,
        ..HistoryQuery::first(account, 1)
    };
    let page = history.page(&query, restores).await?;
    let Some(row) = page.rows.first() else {
        return Ok(None);
    };
    if row.account() != account {
        let context = "history answered with a row of another account";
        return Err(StoreError::new(StoreErrorKind::Corrupt, context));
    }
    Ok(row.proves_balance_at(at))
}

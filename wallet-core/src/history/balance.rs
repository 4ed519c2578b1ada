use crate::history::{HistoryQuery, HistoryStore};
use crate::ledger::{AccountKey, PastBalance, Restore, Timestamp};
use crate::store::{Order, StoreError, StoreErrorKind};

/// The posted balance of `account` at `at`, in one request of one row, however
/// long its history is; `None` where history cannot tell, since it has not come
/// that far or has let it go: then ask the ledger.
///
/// The first row after `at` tells what stood before it, and by its link that no
/// entry lies between. Entries of an account never go back in time, so that the
/// answer is final until the ledger's database goes back. `restores` are all that it
/// went through, as far as it is known: rows that they leave in doubt tell nothing.
///
/// # Errors
/// Those of the store; `Corrupt` when it answers with a row that was not asked for.
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
/// let told = history::balance_at(&empty, account, Timestamp::from_micros(5), &[]).await?;
/// assert_eq!(told, None, "the ledger may know more");
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

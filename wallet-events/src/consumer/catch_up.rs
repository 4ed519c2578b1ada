use wallet_core::ledger::{AccountKey, Version};
use wallet_core::messaging::InboxStep;
use wallet_core::store::{LedgerStore, Order, StoreErrorKind};
use wallet_core::{Entry, EntryQuery, StoreError, Timestamp};

use super::Missed;

/// Entries that are read in one page.
const PAGE: u32 = 200;

/// Reads from the ledger the versions between the ends of a step. If the step leads to
/// another epoch, it also reads the entries after `lost_after`.
pub(super) async fn missed(
    ledger: &dyn LedgerStore,
    step: &InboxStep,
    lost_after: Option<Timestamp>,
) -> Result<Missed, StoreError> {
    let found = ledger.accounts(&[step.account]).await?;
    let account = found.into_iter().next().flatten();
    let account = account.filter(|account| account.state.version >= step.to.version);
    let Some(account) = account else {
        // A read replica may lag behind the event.
        let context = "the ledger does not know yet what an event says";
        return Err(StoreError::new(StoreErrorKind::Unavailable, context));
    };
    let is_missed = |entry: &Entry| {
        entry.version > step.from.version || lost_after.is_some_and(|at| entry.created_at > at)
    };
    let entries = entries(ledger, step.account, step.to.version, is_missed).await?;
    Ok(Missed { account, entries })
}

/// The missed entries before a version, in order. Reading back stops at the first entry
/// that is not missed: times and versions rise together, so all earlier entries are not
/// missed either.
async fn entries(
    ledger: &dyn LedgerStore,
    account: AccountKey,
    to: Version,
    is_missed: impl Fn(&Entry) -> bool,
) -> Result<Vec<Entry>, StoreError> {
    let mut query = EntryQuery::first(account, PAGE);
    query.order = Order::Descending;
    let mut found = Vec::new();
    loop {
        let page = ledger.entries(&query).await?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.sequence);
        let is_end = last.version < to && !is_missed(last);
        let between = |entry: &Entry| entry.version < to && is_missed(entry);
        found.extend(page.into_iter().filter(between));
        if is_end {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

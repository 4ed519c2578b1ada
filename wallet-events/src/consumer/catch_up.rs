use wallet_core::{
    AccountKey, Entry, EntryQuery, InboxStep, LedgerStore, Order, StoreError, StoreErrorKind,
    Version,
};

use super::Missed;

/// Entries that are read at a time.
const PAGE: u32 = 200;

/// What the ledger says of the versions that lie between the ends of a step.
pub(super) async fn missed(
    ledger: &dyn LedgerStore,
    step: &InboxStep,
) -> Result<Missed, StoreError> {
    let found = ledger.accounts(&[step.account]).await?;
    let account = found.into_iter().next().flatten();
    let account = account.filter(|account| account.state.version >= step.to);
    let Some(account) = account else {
        // A reader may lag behind the event.
        let context = "the ledger does not know yet what an event tells";
        return Err(StoreError::new(StoreErrorKind::Unavailable, context));
    };
    let entries = entries(ledger, step.account, step.from, step.to).await?;
    Ok(Missed { account, entries })
}

/// The entries of the versions between two, neither of them included, in order.
async fn entries(
    ledger: &dyn LedgerStore,
    account: AccountKey,
    from: Version,
    to: Version,
) -> Result<Vec<Entry>, StoreError> {
    let mut query = EntryQuery::first(account, PAGE);
    query.order = Order::Descending;
    let mut found = Vec::new();
    loop {
        let page = ledger.entries(&query).await?;
        let Some(last) = page.last() else { break };
        query.after = Some(last.sequence);
        let is_end = last.version <= from;
        let between = |entry: &Entry| entry.version > from && entry.version < to;
        found.extend(page.into_iter().filter(between));
        if is_end {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

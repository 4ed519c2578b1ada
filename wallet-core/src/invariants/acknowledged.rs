use std::sync::Arc;

use super::{Books, Violation, effects_of};
use crate::{LedgerStore, Outcome, Posted, RecordKey, StoreError};

/// What was acknowledged is recorded unchanged, and the books show it.
///
/// # Errors
/// Those of [`LedgerStore`].
pub async fn acknowledged(
    store: &dyn LedgerStore,
    books: &Books,
    acknowledged: &[(RecordKey, Arc<Outcome>)],
) -> Result<Vec<Violation>, StoreError> {
    let mut violations = Vec::new();
    for chunk in acknowledged.chunks(100) {
        let keys: Vec<RecordKey> = chunk.iter().map(|(key, _)| *key).collect();
        let found = store.records(&keys).await?;
        for ((key, outcome), record) in chunk.iter().zip(found) {
            let key = *key;
            match record {
                None => violations.push(Violation::AcknowledgedLost { key }),
                Some(record) if record.outcome != *outcome => {
                    violations.push(Violation::AcknowledgedChanged { key });
                }
                Some(_) => {}
            }
            violations.extend(missing(books, key, outcome));
        }
    }
    Ok(violations)
}

/// The effects of an outcome that the books do not show.
fn missing(books: &Books, key: RecordKey, outcome: &Outcome) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (account, version) in effects_of(key.ledger, outcome) {
        let kept = books.accounts.get(&account);
        if kept.is_none_or(|kept| kept.state.version < version) {
            violations.push(Violation::EffectMissing { key, account });
        }
    }
    for entry in outcome.postings().flat_map(Posted::entries) {
        if !books.entries_of(entry.account).contains(&entry) {
            let account = entry.account;
            violations.push(Violation::EffectMissing { key, account });
        }
    }
    violations
}

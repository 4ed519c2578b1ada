use std::sync::Arc;

use super::progress::{Meter, Stage, count};
use super::{Books, Violation, effects_of};
use crate::ledger::{Outcome, RecordKey};
use crate::store::{LedgerStore, StoreError};

/// The number of keys per query. A store may lock while it answers.
const KEYS: usize = 100;

/// Checks that acknowledged outcomes are recorded unchanged, and that the ledger
/// contains their effects.
pub(super) async fn acknowledged(
    store: &dyn LedgerStore,
    books: &Books,
    acknowledged: &[(RecordKey, Arc<Outcome>)],
    meter: &mut Meter<'_>,
) -> Result<Vec<Violation>, StoreError> {
    let total = Some(count(acknowledged.len()));
    let mut done: usize = 0;
    let mut violations = Vec::new();
    for chunk in acknowledged.chunks(KEYS) {
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
        done = done.saturating_add(chunk.len());
        meter.report(Stage::Acknowledged, done, total);
    }
    Ok(violations)
}

/// The effects of an outcome that the ledger does not contain.
fn missing(books: &Books, key: RecordKey, outcome: &Outcome) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (account, version) in effects_of(key.ledger, outcome) {
        let stored = books.accounts.get(&account);
        if stored.is_none_or(|stored| stored.state.version < version) {
            violations.push(Violation::EffectMissing { key, account });
        }
    }
    for entry in outcome.entries() {
        if books.shows(&entry) == Some(false) {
            let account = entry.account;
            violations.push(Violation::EffectMissing { key, account });
        }
    }
    violations
}

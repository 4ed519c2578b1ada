use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Books, Violation};
use crate::{
    AccountKey, InLedger, LedgerId, Outbox, OutboxError, OutboxRow, Outcome, Posted, Receipt,
    RowId, StoreError, StoreErrorKind, Version, codec,
};

/// How long the check may keep the outbox.
const TTL: Duration = Duration::from_secs(60);

/// Every version that an accepted outcome gave an account, in order.
#[must_use]
pub fn effects_of(ledger: LedgerId, outcome: &Outcome) -> Vec<(AccountKey, Version)> {
    let receipts = outcome.receipts().iter();
    receipts
        .flat_map(|receipt| match receipt {
            Receipt::AccountOpened(account) => vec![(account.state.key, account.state.version)],
            Receipt::AccountChanged(changed) => {
                let effect = changed.effect.iter();
                effect
                    .map(|_| (changed.state.key, changed.state.version))
                    .collect()
            }
            Receipt::Posted(Posted { effects, .. }) => versions(ledger, effects),
            Receipt::HoldChanged(changed) => versions(ledger, &changed.effects),
        })
        .collect()
}

fn versions(ledger: LedgerId, effects: &[crate::Effect]) -> Vec<(AccountKey, Version)> {
    let effects = effects.iter();
    effects
        .map(|effect| (InLedger::new(ledger, effect.account), effect.version))
        .collect()
}

/// The outbox's open rows ascend, and tell every account's versions one by
/// one up to the present one: from 1 where `is_complete` says that nothing was
/// delivered yet.
///
/// # Errors
/// Those of [`Outbox`]; `Unavailable` when somebody else has the partition.
pub async fn events(
    outbox: &dyn Outbox,
    books: &Books,
    is_complete: bool,
) -> Result<Vec<Violation>, StoreError> {
    let rows = read(outbox).await.map_err(|error| match error {
        OutboxError::Store(error) => error,
        OutboxError::LeaseLost => StoreError::new(StoreErrorKind::Internal, "the lease was lost"),
    })?;
    let mut violations = Vec::new();
    let mut next: BTreeMap<AccountKey, Version> = BTreeMap::new();
    let mut before: Option<RowId> = None;
    for row in rows {
        if let Some(before) = before.filter(|before| *before >= row.id) {
            violations.push(Violation::RowsOutOfOrder {
                before,
                row: row.id,
            });
        }
        before = Some(row.id);
        let Ok(outcomes) = codec::decode_outbox(&row.payload) else {
            violations.push(Violation::RowUnreadable { row: row.id });
            continue;
        };
        for (ledger, outcome) in outcomes {
            for (account, found) in effects_of(ledger, &outcome) {
                let first = if is_complete { 1 } else { found };
                let expected = *next.get(&account).unwrap_or(&first);
                if found != expected {
                    violations.push(Violation::EventsBroken {
                        account,
                        expected,
                        found,
                    });
                }
                next.insert(account, found.saturating_add(1));
            }
            violations.extend(told(books, &outcome));
        }
    }
    for (account, kept) in &books.accounts {
        let end = kept.state.version.saturating_add(1);
        let nothing = if is_complete { 1 } else { end };
        let told = next.get(account).copied().unwrap_or(nothing);
        if told != end {
            violations.push(Violation::EventsBroken {
                account: *account,
                expected: end,
                found: told,
            });
        }
    }
    Ok(violations)
}

/// Events that tell something else than the entries.
fn told(books: &Books, outcome: &Outcome) -> Vec<Violation> {
    let entries = outcome.postings().flat_map(Posted::entries);
    let differ = entries.filter(|entry| !books.entries_of(entry.account).contains(entry));
    differ
        .map(|entry| Violation::EventDiffers {
            account: entry.account,
            version: entry.version,
        })
        .collect()
}

/// All rows that are not complete.
async fn read(outbox: &dyn Outbox) -> Result<Vec<OutboxRow>, OutboxError> {
    let lease = outbox.acquire(0, "invariants", TTL).await?;
    let held = || StoreError::new(StoreErrorKind::Unavailable, "somebody has the outbox");
    let lease = lease.ok_or_else(held)?;
    let (mut skip, mut rows) = (BTreeSet::new(), Vec::new());
    loop {
        let page = outbox.claim(&lease, &skip, 100).await?;
        // An outbox that ignores what to skip would turn in circles.
        if page.iter().all(|row| skip.contains(&row.id)) {
            outbox.release(&lease).await?;
            return Ok(rows);
        }
        skip.extend(page.iter().map(|row| row.id));
        rows.extend(page);
    }
}

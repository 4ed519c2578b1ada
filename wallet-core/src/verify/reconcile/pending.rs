//! Compares accounts with their open holds.

use super::{Difference, ReconcileError};
use crate::ledger::AccountKey;
use crate::store::{LedgerStore, PendingSums, StoreErrorKind};

/// The differences between accounts and their open holds. Each account and its
/// holds are read from one state, so concurrent commits are no difference.
pub(super) async fn differences(
    ledger: &dyn LedgerStore,
    accounts: &[AccountKey],
) -> Result<Vec<Difference>, ReconcileError> {
    match ledger.pending_sums(accounts).await {
        Ok(sums) => Ok(sums.into_iter().flatten().filter_map(difference).collect()),
        Err(error) if error.kind() != StoreErrorKind::Corrupt => Err(ReconcileError::Ledger(error)),
        Err(_) => singly(ledger, accounts).await,
    }
}

/// Compares one account after the other, because a hold of one of them is damaged.
async fn singly(
    ledger: &dyn LedgerStore,
    accounts: &[AccountKey],
) -> Result<Vec<Difference>, ReconcileError> {
    let mut found = Vec::new();
    for account in accounts {
        match ledger.pending_sums(&[*account]).await {
            Ok(sums) => found.extend(sums.into_iter().flatten().filter_map(difference)),
            Err(error) if error.kind() != StoreErrorKind::Corrupt => {
                return Err(ReconcileError::Ledger(error));
            }
            Err(error) => found.push(Difference::HoldsUnreadable {
                account: *account,
                reason: error.context().to_owned(),
            }),
        }
    }
    Ok(found)
}

fn difference(sums: PendingSums) -> Option<Difference> {
    (!sums.is_even()).then_some(Difference::PendingWrong { sums })
}

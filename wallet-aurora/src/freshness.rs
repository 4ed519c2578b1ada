//! Freshness: which reads a reader may answer (read-your-writes).

use wallet_core::ledger::{AccountKey, Epoch, Freshness};
use wallet_core::{Account, Balance};

/// The accounts whose positions a reader must have reached, sorted. Empty if there is no
/// condition, or if the writer is read.
pub(crate) fn keys(freshness: &Freshness) -> Vec<AccountKey> {
    let Freshness::AtLeast(versions) = freshness else {
        return Vec::new();
    };
    let mut keys: Vec<AccountKey> = versions.iter().map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether accounts that were read in `epoch` are fresh enough.
pub(crate) fn accepts(freshness: &Freshness, epoch: Epoch, found: &[Account]) -> bool {
    let Freshness::AtLeast(positions) = freshness else {
        return true;
    };
    positions.iter().all(|(key, position)| {
        let mut found = found
            .iter()
            .map(|account| Balance::of(&account.state, epoch));
        found.any(|balance| balance.account == *key && balance.position() >= *position)
    })
}

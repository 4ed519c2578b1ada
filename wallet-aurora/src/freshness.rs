//! How fresh reads of a reader are.

use wallet_core::{Account, AccountKey, Freshness};

/// The accounts whose versions matter, sorted; none where a reader is asked
/// without condition or not at all.
pub(crate) fn keys(freshness: &Freshness) -> Vec<AccountKey> {
    let Freshness::AtLeast(versions) = freshness else {
        return Vec::new();
    };
    let mut keys: Vec<AccountKey> = versions.iter().map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether accounts as they were found are fresh enough.
pub(crate) fn accepts(freshness: &Freshness, found: &[Account]) -> bool {
    let Freshness::AtLeast(versions) = freshness else {
        return true;
    };
    versions.iter().all(|(key, version)| {
        let mut found = found.iter().map(|account| &account.state);
        found.any(|state| state.key == *key && state.version >= *version)
    })
}

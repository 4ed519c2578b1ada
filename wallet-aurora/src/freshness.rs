use wallet_core::{Account, AccountKey, Version};

/// How fresh reads are, where a reader is configured
/// ([`AuroraStore::reading`](crate::AuroraStore::reading)).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Freshness {
    /// As the reader has it, however far behind it is.
    #[default]
    Any,
    /// With at least these versions of accounts, which an earlier answer told:
    /// who passes them on reads what they have written. The reader is asked, and
    /// the writer where it is behind: what is seen and what is answered are of
    /// one state of one server.
    AtLeast(Vec<(AccountKey, Version)>),
    /// The writer's.
    Latest,
}

impl Freshness {
    /// The accounts whose versions matter, sorted; none where a reader is asked
    /// without condition or not at all.
    pub(crate) fn keys(&self) -> Vec<AccountKey> {
        let Self::AtLeast(versions) = self else {
            return Vec::new();
        };
        let mut keys: Vec<AccountKey> = versions.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Whether accounts as they were found are fresh enough.
    pub(crate) fn accepts(&self, found: &[Account]) -> bool {
        let Self::AtLeast(versions) = self else {
            return true;
        };
        versions.iter().all(|(key, version)| {
            let mut found = found.iter().map(|account| &account.state);
            found.any(|state| state.key == *key && state.version >= *version)
        })
    }
}

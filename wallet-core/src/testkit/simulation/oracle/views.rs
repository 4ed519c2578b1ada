//! What caches and readers say.

use crate::{AccountKey, Balance, Freshness, Version};

use super::Oracle;

impl Oracle {
    /// The latest version of each account.
    pub(in super::super) fn versions(&self, accounts: &[AccountKey]) -> Vec<Version> {
        let state = self.state();
        let versions = accounts.iter().map(|account| state.version(*account));
        versions.collect()
    }

    /// The cache holds these versions or later ones.
    pub(in super::super) fn cache_took(&self, balance: &Balance) {
        self.is_committed("the cache was given", balance);
        let mut state = self.state();
        let seen = state.accounts.entry(balance.account).or_default();
        seen.cached = seen.cached.max(balance.version);
    }

    pub(in super::super) fn cache_gave(&self, balance: &Balance) {
        self.is_committed("the cache gave", balance);
        let state = self.state();
        let least = state.accounts.get(&balance.account);
        let least = least.map_or(0, |seen| seen.cached);
        drop(state);
        if balance.version < least {
            self.find(format_args!(
                "the cache has gone back from version {least} to {balance:?}"
            ));
        }
    }

    pub(in super::super) fn cache_forgot(&self, accounts: &[AccountKey]) {
        let mut state = self.state();
        for account in accounts {
            if let Some(seen) = state.accounts.get_mut(account) {
                seen.cached = 0;
            }
        }
    }

    /// It has lost everything.
    pub(in super::super) fn cache_was_flushed(&self) {
        for seen in self.state().accounts.values_mut() {
            seen.cached = 0;
        }
    }

    /// Somebody read a balance as fresh as they asked for; `before` is the
    /// version that the account had when they asked.
    pub(in super::super) fn read(
        &self,
        account: AccountKey,
        balance: Option<&Balance>,
        freshness: &Freshness,
        before: Version,
    ) {
        if let Some(balance) = balance {
            self.is_committed("a reader was told", balance);
        }
        let least = match freshness {
            Freshness::Strong => before,
            Freshness::Cached | Freshness::AtLeast(_) => freshness.least(account),
        };
        let version = balance.map_or(0, |balance| balance.version);
        if version < least {
            self.find(format_args!(
                "{account}: read at version {version}, asked for {least} or later"
            ));
        }
    }

    /// Whether a balance is one that the account had at some time.
    fn is_committed(&self, who: &str, balance: &Balance) {
        let effect = self
            .state()
            .effect(balance.account, balance.version)
            .copied();
        if effect.map(|effect| effect.counters) != Some(balance.counters) {
            self.find(format_args!("{who} {balance:?}, committed was {effect:?}"));
        }
    }
}

//! Checks the answers of caches and readers.

use wallet_core::Balance;
use wallet_core::ledger::{AccountKey, Epoch, Freshness, Position};

use super::Oracle;

impl Oracle {
    /// The latest position of each account.
    pub(in super::super) fn positions(&self, accounts: &[AccountKey]) -> Vec<Position> {
        let state = self.state();
        let version = |account: &AccountKey| state.version(*account);
        let positions = accounts
            .iter()
            .map(|account| Position::new(Epoch::FIRST, version(account)));
        positions.collect()
    }

    /// Records that the cache holds these versions or later ones.
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

    /// Records that the cache has lost everything.
    pub(in super::super) fn cache_was_flushed(&self) {
        for seen in self.state().accounts.values_mut() {
            seen.cached = 0;
        }
    }

    /// Checks the freshness of a balance that was read. `before` is the account's
    /// position when the read began.
    pub(in super::super) fn read(
        &self,
        account: AccountKey,
        balance: Option<&Balance>,
        freshness: &Freshness,
        before: Position,
    ) {
        if let Some(balance) = balance {
            self.is_committed("a reader got", balance);
        }
        let least = match freshness {
            Freshness::Strong => before,
            Freshness::Cached | Freshness::AtLeast(_) => freshness.least(account),
        };
        let position = balance.map_or(Position::START, Balance::position);
        if position < least {
            self.find(format_args!(
                "{account}: read at {position}, asked for {least} or later"
            ));
        }
    }

    /// Whether the account had this balance at some time.
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

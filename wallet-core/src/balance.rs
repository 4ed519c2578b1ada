//! Balances as readers see them, and how fresh they must be.

use crate::{AccountKey, AccountState, Counters, Currency, Version};

/// An account's running sums at one of its versions: what a cache holds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub account: AccountKey,
    /// What it holds, for ever.
    pub currency: Currency,
    /// Its running sums.
    pub counters: Counters,
    /// Its version with these sums.
    pub version: Version,
}

impl Balance {
    /// Posted balance in minor units: credits less debits.
    #[must_use]
    pub const fn posted(&self) -> i128 {
        self.counters.posted()
    }

    /// Posted balance less what is held, in minor units.
    #[must_use]
    pub const fn available(&self) -> i128 {
        self.counters.available()
    }
}

impl From<&AccountState> for Balance {
    fn from(state: &AccountState) -> Self {
        Self {
            account: state.key,
            currency: state.currency,
            counters: state.counters,
            version: state.version,
        }
    }
}

/// How fresh reads are, where they may come from a cache or a reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Freshness {
    /// As a cache or reader has it, however far behind it is.
    #[default]
    Cached,
    /// With at least these versions of accounts, which an earlier answer told
    /// ([`Outcome::versions`](crate::Outcome::versions), [`Balance::version`]):
    /// who passes them on reads what they have written, and never goes back.
    AtLeast(Vec<(AccountKey, Version)>),
    /// As the ledger itself has it.
    Strong,
}

impl Freshness {
    /// The least version of `account` that is fresh enough; 0 where any is.
    ///
    /// ```
    /// # use wallet_core::{AccountId, Freshness, InLedger, LedgerId};
    /// let ada = InLedger::new(LedgerId::default(), AccountId::from_bytes([1; 16]));
    /// let bob = InLedger::new(LedgerId::default(), AccountId::from_bytes([2; 16]));
    /// let own = Freshness::AtLeast(vec![(ada, 7)]);
    /// assert_eq!((own.least(ada), own.least(bob)), (7, 0));
    /// ```
    #[must_use]
    pub fn least(&self, account: AccountKey) -> Version {
        match self {
            Self::Cached | Self::Strong => 0,
            Self::AtLeast(versions) => {
                let own = versions.iter().filter(|(key, _)| *key == account);
                own.map(|(_, version)| *version).max().unwrap_or(0)
            }
        }
    }
}

//! Balances as readers see them, and how fresh they must be.

use crate::ledger::{AccountKey, AccountState, Counters, Currency, Epoch, Position, Version};

/// An account's running sums at one of its versions: what a cache holds of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Whose.
    pub account: AccountKey,
    /// What it holds, for ever.
    pub currency: Currency,
    /// Its running sums.
    pub counters: Counters,
    /// The epoch in which the books said so: that of the commit, or that of the
    /// database when the account was read. It may be later than that of the
    /// account's latest effect.
    pub epoch: Epoch,
    /// Its version with these sums.
    pub version: Version,
}

impl Balance {
    /// The balance of an account that was read in `epoch`.
    #[must_use]
    pub const fn of(state: &AccountState, epoch: Epoch) -> Self {
        Self {
            account: state.key,
            currency: state.currency,
            counters: state.counters,
            epoch,
            version: state.version,
        }
    }

    /// Epoch and version: of two balances of an account the greater one counts.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position::new(self.epoch, self.version)
    }

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

/// How fresh reads are, where they may come from a cache or a reader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Freshness {
    /// As a cache or reader has it, however far behind it is.
    #[default]
    Cached,
    /// At these positions of accounts or later, which an earlier answer told
    /// ([`Outcome::positions`](crate::ledger::Outcome::positions),
    /// [`Balance::position`]): who passes them on reads what they have written, and
    /// never goes back within an epoch. A balance of a later epoch will do: what
    /// they have written in an earlier one may be lost.
    AtLeast(Vec<(AccountKey, Position)>),
    /// As the ledger itself has it.
    Strong,
}

impl Freshness {
    /// The least position of `account` that is fresh enough;
    /// [`Position::START`] where any is.
    ///
    /// ```
    /// # use wallet_core::{AccountId, LedgerId};
    /// # use wallet_core::ledger::{Epoch, Freshness, InLedger, Position};
    /// let ada = InLedger::new(LedgerId::default(), AccountId::from_bytes([1; 16]));
    /// let bob = InLedger::new(LedgerId::default(), AccountId::from_bytes([2; 16]));
    /// let seven = Position::new(Epoch::FIRST, 7);
    /// let own = Freshness::AtLeast(vec![(ada, seven)]);
    /// assert_eq!((own.least(ada), own.least(bob)), (seven, Position::START));
    /// ```
    #[must_use]
    pub fn least(&self, account: AccountKey) -> Position {
        match self {
            Self::Cached | Self::Strong => Position::START,
            Self::AtLeast(positions) => {
                let own = positions.iter().filter(|(key, _)| *key == account);
                own.map(|(_, position)| *position).max().unwrap_or_default()
            }
        }
    }
}

//! Balances as readers see them, and how fresh they must be.

use crate::ledger::{
    AccountKey, AccountState, Counters, Currency, Epoch, Position, SignedMoney, Version,
};

/// An account's running sums at one of its versions. A cache holds this of an
/// account.
///
/// ```
/// use wallet_core::ledger::{Counters, Epoch, InLedger};
/// use wallet_core::{AccountId, Balance, Currency, LedgerId};
/// let counters = Counters {
///     debits_posted: 5,
///     debits_pending: 1_000,
///     ..Counters::default()
/// };
/// let balance = Balance {
///     account: InLedger::new(LedgerId::default(), AccountId::from_bytes([1; 16])),
///     currency: Currency::iso("EUR")?,
///     counters,
///     epoch: Epoch::FIRST,
///     version: 3,
/// };
/// assert_eq!(balance.posted().to_string(), "-0.05 EUR");
/// assert_eq!(balance.held().to_string(), "10.00 EUR");
/// assert_eq!(balance.available().to_string(), "-10.05 EUR");
/// # Ok::<(), wallet_core::ledger::CurrencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The account that has this balance.
    pub account: AccountKey,
    /// The account's currency. It never changes.
    pub currency: Currency,
    /// The account's running sums.
    pub counters: Counters,
    /// The epoch of the commit, or the epoch of the database when the account was
    /// read. It may be later than the epoch of the account's latest effect.
    pub epoch: Epoch,
    /// The account's version that these sums belong to.
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

    /// Epoch and version. Of two balances of one account, the greater position is
    /// the newer one.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position::new(self.epoch, self.version)
    }

    /// Posted balance: credits minus debits.
    #[must_use]
    pub const fn posted(&self) -> SignedMoney {
        SignedMoney::new(self.counters.posted(), self.currency)
    }

    /// Available balance: the posted balance minus the held amount.
    #[must_use]
    pub const fn available(&self) -> SignedMoney {
        SignedMoney::new(self.counters.available(), self.currency)
    }

    /// The amount that open holds reserve on the account.
    #[must_use]
    pub const fn held(&self) -> SignedMoney {
        SignedMoney::new(self.counters.debits_pending, self.currency)
    }
}

/// How fresh a read must be when a cache or a read replica may answer it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Any age: the value of the cache or read replica, however stale.
    #[default]
    Cached,
    /// Read-your-writes: at these positions of accounts or later. A caller takes
    /// positions from an earlier answer
    /// ([`Outcome::positions`](crate::ledger::Outcome::positions),
    /// [`Balance::position`]). A caller that passes them on sees its own writes,
    /// and its reads are monotonic within an epoch. A balance of a later epoch is
    /// also fresh enough, because writes of an earlier epoch may be lost.
    AtLeast(Vec<(AccountKey, Position)>),
    /// Strong: the value of the ledger itself.
    Strong,
}

impl Freshness {
    /// The least position of `account` that is fresh enough; [`Position::START`]
    /// where any position is.
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

//! Accounts: four running counters, an overdraft policy, a status.

use crate::ledger::{
    AccountId, AccountKey, Amount, Currency, Metadata, Owner, Sequence, SignedMoney, Timestamp,
    Version, table,
};

/// The overdraft limit: how far an account's available balance may fall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The available balance never falls below zero. This is for customers.
    #[default]
    NonNegative,
    /// The overdraft limit: the available balance may fall to minus this amount.
    Overdraft(Amount),
    /// No overdraft limit. This is for settlement accounts, and for others that may
    /// owe without limit.
    Unlimited,
}

impl Policy {
    /// The number of a policy in every stored format and column, and its overdraft limit.
    /// It never changes.
    ///
    /// ```
    /// use wallet_core::Policy;
    /// assert_eq!(Policy::Unlimited.parts(), (2, None));
    /// assert_eq!(Policy::of_parts(2, None), Some(Policy::Unlimited));
    /// ```
    #[must_use]
    pub const fn parts(self) -> (u8, Option<Amount>) {
        match self {
            Self::NonNegative => (0, None),
            Self::Overdraft(limit) => (1, Some(limit)),
            Self::Unlimited => (2, None),
        }
    }

    /// The policy of [`parts`](Self::parts); `None` for parts that no release wrote.
    #[must_use]
    pub const fn of_parts(number: u8, overdraft: Option<Amount>) -> Option<Self> {
        match (number, overdraft) {
            (0, None) => Some(Self::NonNegative),
            (1, Some(limit)) => Some(Self::Overdraft(limit)),
            (2, None) => Some(Self::Unlimited),
            _ => None,
        }
    }

    /// The name of the policy in JSON. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonNegative => "non_negative",
            Self::Overdraft(_) => "overdraft",
            Self::Unlimited => "unlimited",
        }
    }

    /// The floor: the least available balance allowed. `None` when the policy is
    /// unlimited.
    #[must_use]
    pub fn floor(self) -> Option<i128> {
        match self {
            Self::NonNegative => Some(0),
            Self::Overdraft(limit) => Some(limit.minor().saturating_neg()),
            Self::Unlimited => None,
        }
    }
}

/// The operations that an account may take part in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// The account may take part in every operation.
    #[default]
    Active,
    /// The account takes no new debits and no new holds on it. Existing holds can
    /// still be captured and released.
    DebitsFrozen,
    /// The account takes no new credits and no new holds towards it. Existing holds
    /// can still be captured and released.
    CreditsFrozen,
    /// The account takes part in nothing but the expiry of holds.
    Frozen,
    /// The account takes part in nothing, for ever. Only an account at balance zero
    /// without holds can be closed.
    Closed,
}

table! {
    Status {
        Active = 0 "active",
        DebitsFrozen = 1 "debits_frozen",
        CreditsFrozen = 2 "credits_frozen",
        Frozen = 3 "frozen",
        Closed = 4 "closed",
    }
}

impl Status {
    /// Whether new debits are refused.
    #[must_use]
    pub const fn refuses_debits(self) -> bool {
        matches!(self, Self::DebitsFrozen | Self::Frozen | Self::Closed)
    }

    /// Whether new credits are refused.
    #[must_use]
    pub const fn refuses_credits(self) -> bool {
        matches!(self, Self::CreditsFrozen | Self::Frozen | Self::Closed)
    }
}

/// The four running sums of an account, each 0 ..= 10^38 - 1 minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Counters {
    /// The sum of all debits ever posted.
    pub debits_posted: i128,
    /// The sum of all credits ever posted.
    pub credits_posted: i128,
    /// The amount that open holds reserve on this account.
    pub debits_pending: i128,
    /// The amount that open holds reserve for this account.
    pub credits_pending: i128,
}

impl Counters {
    /// Posted balance: credits minus debits.
    #[must_use]
    pub const fn posted(&self) -> i128 {
        self.credits_posted.saturating_sub(self.debits_posted)
    }

    /// Available balance: the posted balance minus held amounts. It does not
    /// include an overdraft limit.
    #[must_use]
    pub const fn available(&self) -> i128 {
        self.posted().saturating_sub(self.debits_pending)
    }
}

/// The mutable part of an account: what `decide` reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// The account's ledger and id.
    pub key: AccountKey,
    /// The account's currency. It never changes.
    pub currency: Currency,
    /// Whether this is a system account, which belongs to the host (settlement,
    /// bank fees). Customers' transfers and holds may not name it. Its events are
    /// published only on request.
    pub system: bool,
    /// The overdraft policy, which sets the floor of the available balance.
    pub policy: Policy,
    /// The ceiling of the posted balance plus pending credits.
    pub max_balance: Option<Amount>,
    /// The operations that the account may take part in.
    pub status: Status,
    /// The account's running sums.
    pub counters: Counters,
    /// Rises by one per effect; 1 when opened.
    pub version: Version,
    /// The number of entries that the account has.
    pub sequence: Sequence,
    /// The time of the account's latest effect. It is later where a past balance
    /// was read at a later time. No later effect has an earlier time.
    pub last_at: Timestamp,
}

impl AccountState {
    const fn money(&self, minor: i128) -> SignedMoney {
        SignedMoney::new(minor, self.currency)
    }
}

/// An account as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The mutable part.
    pub state: AccountState,
    /// The owner of the account. It never changes.
    pub owner: Owner,
    /// The host's metadata for the account. It never changes.
    pub metadata: Option<Metadata>,
    /// The time at which the account was opened.
    pub created_at: Timestamp,
}

impl Account {
    /// The account's id.
    #[must_use]
    pub const fn id(&self) -> AccountId {
        self.state.key.id
    }

    /// The account's ledger and id.
    #[must_use]
    pub const fn key(&self) -> AccountKey {
        self.state.key
    }

    /// Posted balance: credits minus debits.
    #[must_use]
    pub const fn posted(&self) -> SignedMoney {
        self.state.money(self.state.counters.posted())
    }

    /// Available balance: the posted balance minus the held amount. It does not include
    /// an overdraft limit.
    #[must_use]
    pub const fn available(&self) -> SignedMoney {
        self.state.money(self.state.counters.available())
    }

    /// The amount that open holds reserve on the account.
    #[must_use]
    pub const fn held(&self) -> SignedMoney {
        self.state.money(self.state.counters.debits_pending)
    }
}

/// An account's balance at some past time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastBalance {
    /// Posted balance in minor units after the last entry at or before the
    /// time; zero before the first.
    pub posted: i128,
    /// The sequence of that entry; 0 when there was no entry.
    pub sequence: Sequence,
    /// The currency.
    pub currency: Currency,
}

impl PastBalance {
    /// The posted balance with its currency.
    #[must_use]
    pub const fn posted_money(&self) -> SignedMoney {
        SignedMoney::new(self.posted, self.currency)
    }
}

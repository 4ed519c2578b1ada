//! Accounts: four running counters, a policy, a status.

use crate::ledger::{AccountKey, Amount, Currency, Metadata, Owner, Sequence, Timestamp, Version};

/// How far an account's available balance may fall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Never below zero: customers.
    #[default]
    NonNegative,
    /// Down to minus this amount.
    Overdraft(Amount),
    /// Without a floor: settlement accounts, and others that may owe without
    /// limit.
    Unlimited,
}

impl Policy {
    /// The least available balance allowed; none when unlimited.
    #[must_use]
    pub fn floor(self) -> Option<i128> {
        match self {
            Self::NonNegative => Some(0),
            Self::Overdraft(limit) => Some(limit.minor().saturating_neg()),
            Self::Unlimited => None,
        }
    }
}

/// What an account may take part in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Everything.
    #[default]
    Active,
    /// No new debits and no new holds on it; existing holds can still be
    /// captured and released.
    DebitsFrozen,
    /// No new credits and no new holds towards it; existing holds can still be
    /// captured and released.
    CreditsFrozen,
    /// Nothing but the expiry of holds.
    Frozen,
    /// Nothing, for ever. Reached only at balance zero without holds.
    Closed,
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
    /// Everything ever debited.
    pub debits_posted: i128,
    /// Everything ever credited.
    pub credits_posted: i128,
    /// Held from this account by open holds.
    pub debits_pending: i128,
    /// Held towards this account by open holds.
    pub credits_pending: i128,
}

impl Counters {
    /// Posted balance: credits less debits.
    #[must_use]
    pub const fn posted(&self) -> i128 {
        self.credits_posted.saturating_sub(self.debits_posted)
    }

    /// Posted balance less what is held; an overdraft limit is not part of it.
    #[must_use]
    pub const fn available(&self) -> i128 {
        self.posted().saturating_sub(self.debits_pending)
    }
}

/// The mutable part of an account: what `decide` reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Its ledger and id.
    pub key: AccountKey,
    /// What it holds, for ever.
    pub currency: Currency,
    /// Whether it is a system account, one of the host's own (settlement, bank
    /// fees): customers' transfers and holds may not name it, and its events are
    /// not published unless asked for.
    pub system: bool,
    /// Its floor.
    pub policy: Policy,
    /// Its ceiling: posted balance and pending credits together.
    pub max_balance: Option<Amount>,
    /// What it may take part in.
    pub status: Status,
    /// Its running sums.
    pub counters: Counters,
    /// Rises by one per effect; 1 when opened.
    pub version: Version,
    /// How many entries it has.
    pub sequence: Sequence,
    /// The time of its latest effect, or later where a past balance was
    /// answered: no later effect has an earlier time.
    pub last_at: Timestamp,
}

/// An account as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The mutable part.
    pub state: AccountState,
    /// Whose it is, for ever.
    pub owner: Owner,
    /// The host's own words about it, for ever.
    pub metadata: Option<Metadata>,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// An account's balance at some past time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastBalance {
    /// Posted balance in minor units after the last entry at or before the
    /// time; zero before the first.
    pub posted: i128,
    /// That entry's sequence; 0 when there was none.
    pub sequence: Sequence,
    /// The currency.
    pub currency: Currency,
}

use wallet_core::Outcome;
use wallet_core::ledger::{AccountKey, Direction, Version};

/// One call of a client, as the client saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it was made: one number for each beginning and end, in their order.
    pub began: u64,
    /// When it was answered; for ever later where it was not.
    pub ended: u64,
    /// What came of it.
    pub did: Did,
}

/// What a call did as far as its client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// It changed these accounts, all at once; an account stands here once for
    /// each of its versions.
    Wrote(Vec<Seen>),
    /// It saw these accounts, all at once.
    Read(Vec<Seen>),
    /// Nobody knows whether it changed these accounts: each with the number of
    /// versions that it may have made.
    Unknown(Vec<(AccountKey, u32)>),
}

/// An account as an answer tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which account.
    pub account: AccountKey,
    /// Its version; 0 before it was opened.
    pub version: Version,
    /// Its posted balance at that version, in minor units.
    pub posted: i128,
    /// By how much this version changed it; 0 for what was only read.
    pub gained: i128,
}

impl Seen {
    /// What a read saw.
    #[must_use]
    pub const fn read(account: AccountKey, version: Version, posted: i128) -> Self {
        Self {
            account,
            version,
            posted,
            gained: 0,
        }
    }

    /// What an outcome says of what it did to accounts in `ledger`, but for
    /// openings and changes of status and limits, which move nothing.
    #[must_use]
    pub fn all_of(ledger: wallet_core::LedgerId, outcome: &Outcome) -> Vec<Self> {
        let effects = outcome.effects().map(|effect| {
            let amount = |mark: &wallet_core::ledger::EntryMark| match mark.direction {
                Direction::Debit => -mark.amount.minor(),
                Direction::Credit => mark.amount.minor(),
            };
            Self {
                account: wallet_core::ledger::InLedger::new(ledger, effect.account),
                version: effect.version,
                posted: effect.counters.posted(),
                gained: effect.entry.as_ref().map_or(0, amount),
            }
        });
        effects.collect()
    }
}

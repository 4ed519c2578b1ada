use wallet_core::Outcome;
use wallet_core::ledger::{AccountKey, Direction, Version};

/// One call of a client, as the client saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The start of the call: one number for each start and end, in their order.
    pub began: u64,
    /// The end of the call; the greatest number where there was no answer.
    pub ended: u64,
    /// The result of the call.
    pub did: Did,
}

/// The effect of a call, as far as its client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// It changed these accounts atomically. An account is listed once for each of
    /// its versions.
    Wrote(Vec<Seen>),
    /// It read these accounts at once.
    Read(Vec<Seen>),
    /// It is unknown whether it changed these accounts. Each has the number of
    /// versions that the call may have written.
    Unknown(Vec<(AccountKey, u32)>),
}

/// An account in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The account.
    pub account: AccountKey,
    /// Its version; 0 before it was opened.
    pub version: Version,
    /// Its posted balance at that version, in minor units.
    pub posted: i128,
    /// The change of the balance by this version; 0 for a read.
    pub gained: i128,
}

impl Seen {
    /// An account in a read.
    #[must_use]
    pub const fn read(account: AccountKey, version: Version, posted: i128) -> Self {
        Self {
            account,
            version,
            posted,
            gained: 0,
        }
    }

    /// The effects of an outcome on accounts in `ledger`. Openings and changes of
    /// status and limits are left out, because they move nothing.
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

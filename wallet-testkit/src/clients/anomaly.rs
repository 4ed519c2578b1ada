use thiserror::Error;

use super::accounts::Accounts;
use super::{Call, Did, order};
use wallet_core::ledger::{AccountKey, Version};

/// Something that no order of the calls explains. Calls are told by when they
/// began.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Anomaly {
    /// Two calls made the same version of an account: one of them is lost.
    #[error("account {account}: calls {} and {} both made version {version}", calls.0, calls.1)]
    LostUpdate {
        /// Whose.
        account: AccountKey,
        /// Which version.
        version: Version,
        /// The two.
        calls: (u64, u64),
    },
    /// A version does not carry on from the one before it.
    #[error(
        "account {account}: version {version} begins at {found}, the one before ended at {due}"
    )]
    BrokenChain {
        /// Whose.
        account: AccountKey,
        /// Which version.
        version: Version,
        /// The balance that it should have begun with.
        due: i128,
        /// The balance that it began with.
        found: i128,
    },
    /// More versions than anybody asked for: something was done twice, or by
    /// nobody.
    #[error("account {account}: nobody made version {version}")]
    Untold {
        /// Whose.
        account: AccountKey,
        /// The first of them.
        version: Version,
    },
    /// A read saw another balance than its version has.
    #[error("account {account}: call {call} read {found} at version {version}, which has {due}")]
    WrongBalance {
        /// Whose.
        account: AccountKey,
        /// The read.
        call: u64,
        /// The version that it told.
        version: Version,
        /// What that version has.
        due: i128,
        /// What it read.
        found: i128,
    },
    /// A read did not see what was answered before it began.
    #[error(
        "account {account}: call {call} read version {found}, {least} was told before it began"
    )]
    StaleRead {
        /// Whose.
        account: AccountKey,
        /// The read.
        call: u64,
        /// What it had to see at least.
        least: Version,
        /// What it saw.
        found: Version,
    },
    /// A read saw what was only asked for after it was answered.
    #[error("account {account}: call {call} read version {found} before anybody asked for it")]
    FutureRead {
        /// Whose.
        account: AccountKey,
        /// The read.
        call: u64,
        /// What it saw.
        found: Version,
    },
    /// A read of several accounts saw a part of what was done at once.
    #[error("call {call} saw call {torn} on one account and not on another")]
    Fractured {
        /// The read.
        call: u64,
        /// What it saw a part of.
        torn: u64,
    },
    /// A read of all accounts does not add up to what there is.
    #[error("call {call} read accounts that add up to {found}, not {due}")]
    WrongSum {
        /// The read.
        call: u64,
        /// What there is.
        due: i128,
        /// What it read.
        found: i128,
    },
    /// No order of these calls explains them all, though each by itself looks
    /// right.
    #[error("no order explains calls {calls:?}")]
    Circle {
        /// Calls that must each come before the next, and the last before the
        /// first.
        calls: Vec<u64>,
    },
}

/// What no order of `calls` explains; nothing when they are strictly
/// serialisable as far as their answers tell.
///
/// They have to be all calls that changed these accounts, from their opening on.
#[must_use]
pub fn anomalies(calls: &[Call]) -> Vec<Anomaly> {
    let accounts = Accounts::of(calls);
    let mut found = accounts.anomalies(calls);
    if found.is_empty() {
        found.extend(order::circle(calls, &accounts));
    }
    found
}

/// Reads that saw all of `accounts` at once, and a sum of their balances that is
/// not `due`, which is what transfers among them leave as it is.
#[must_use]
pub fn wrong_sums(calls: &[Call], accounts: &[AccountKey], due: i128) -> Vec<Anomaly> {
    let reads = calls.iter().filter_map(|call| match &call.did {
        Did::Read(seen) => Some((call.began, seen)),
        Did::Wrote(_) | Did::Unknown(_) => None,
    });
    let wrong = reads.filter_map(|(call, seen)| {
        let is_seen = |key: &AccountKey| seen.iter().any(|seen| seen.account == *key);
        if !accounts.iter().all(is_seen) {
            return None;
        }
        let among = seen.iter().filter(|seen| accounts.contains(&seen.account));
        let found = among.map(|seen| seen.posted).sum();
        (found != due).then_some(Anomaly::WrongSum { call, due, found })
    });
    wrong.collect()
}

use thiserror::Error;

use super::accounts::Accounts;
use super::{Call, Did, order};
use wallet_core::ledger::{AccountKey, Version};

/// An anomaly: no order of the calls explains it. Calls are named by their
/// beginning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Anomaly {
    /// Two calls wrote the same version of an account: one of them is lost.
    #[error("account {account}: calls {} and {} both made version {version}", calls.0, calls.1)]
    LostUpdate {
        /// The account.
        account: AccountKey,
        /// The version.
        version: Version,
        /// The two calls.
        calls: (u64, u64),
    },
    /// A version does not continue from the previous one.
    #[error(
        "account {account}: version {version} begins at {found}, the one before ended at {due}"
    )]
    BrokenChain {
        /// The account.
        account: AccountKey,
        /// The version.
        version: Version,
        /// The correct starting balance.
        due: i128,
        /// The starting balance found.
        found: i128,
    },
    /// More versions than requested: something was done twice, or without a
    /// request.
    #[error("account {account}: nobody made version {version}")]
    PhantomVersion {
        /// The account.
        account: AccountKey,
        /// The first such version.
        version: Version,
    },
    /// A read returned another balance than its version has.
    #[error("account {account}: call {call} read {found} at version {version}, which has {due}")]
    WrongBalance {
        /// The account.
        account: AccountKey,
        /// The read.
        call: u64,
        /// The version in the read.
        version: Version,
        /// The balance of that version.
        due: i128,
        /// The balance in the read.
        found: i128,
    },
    /// A read did not see a write that was answered before the read began.
    #[error(
        "account {account}: call {call} read version {found}, {least} was answered before it began"
    )]
    StaleRead {
        /// The account.
        account: AccountKey,
        /// The read.
        call: u64,
        /// The least version that the read had to see.
        least: Version,
        /// The version in the read.
        found: Version,
    },
    /// A read saw a write that began only after the read was answered.
    #[error("account {account}: call {call} read version {found} before anybody asked for it")]
    FutureRead {
        /// The account.
        account: AccountKey,
        /// The read.
        call: u64,
        /// The version in the read.
        found: Version,
    },
    /// A read of several accounts saw only a part of an atomic write.
    #[error("call {call} saw call {torn} on one account and not on another")]
    Fractured {
        /// The read.
        call: u64,
        /// The partly seen write.
        torn: u64,
    },
    /// The sum of a read of all accounts is wrong.
    #[error("call {call} read accounts that add up to {found}, not {due}")]
    WrongSum {
        /// The read.
        call: u64,
        /// The correct sum.
        due: i128,
        /// The sum in the read.
        found: i128,
    },
    /// No order explains all these calls, though each call alone is plausible.
    #[error("no order explains calls {calls:?}")]
    Cycle {
        /// A cycle: each call must come before the next, and the last before the first.
        calls: Vec<u64>,
    },
}

/// The anomalies of `calls`; empty when they are strictly serialisable as far as
/// their answers show.
///
/// `calls` must contain all calls that changed these accounts, from their opening
/// on.
#[must_use]
pub fn anomalies(calls: &[Call]) -> Vec<Anomaly> {
    let accounts = Accounts::of(calls);
    let mut found = accounts.anomalies(calls);
    if found.is_empty() {
        found.extend(order::circle(calls, &accounts));
    }
    found
}

/// Reads of all `accounts` whose sum is not `due`. Transfers among the accounts do
/// not change the sum.
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

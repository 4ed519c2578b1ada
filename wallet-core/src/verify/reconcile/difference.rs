use serde_json::{Value, json};

use crate::ledger::{
    AccountKey, Currency, LedgerId, Position, Sequence, Timestamp, Version, format_minor,
};
use crate::store::PendingSums;

/// A difference between two stores, or between two parts of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The balances of a currency do not add up to zero.
    NotEven {
        /// The ledger.
        ledger: LedgerId,
        /// The currency.
        currency: Currency,
        /// The sum of the balances, in minor units.
        posted: i128,
    },
    /// Entries are missing in the ledger.
    EntriesMissing {
        /// The account.
        account: AccountKey,
        /// The sequence of the first missing entry.
        first: Sequence,
        /// The sequence of the last missing entry.
        last: Sequence,
    },
    /// An entry does not follow from the previous one: its balance, its version or
    /// its time is wrong.
    EntryWrong {
        /// The account.
        account: AccountKey,
        /// The sequence of the entry.
        sequence: Sequence,
    },
    /// The account's balance differs from the sum of its entries.
    BalanceWrong {
        /// The account.
        account: AccountKey,
        /// The currency.
        currency: Currency,
        /// The account's balance, in minor units.
        posted: i128,
        /// The sum of the account's entries.
        entries: i128,
    },
    /// The account's pending counters differ from the sums of its open holds.
    PendingWrong {
        /// The sums of both, of one state.
        sums: PendingSums,
    },
    /// The ledger reports a hold of the account as damaged.
    HoldsUnreadable {
        /// The account.
        account: AccountKey,
        /// The ledger's error.
        reason: String,
    },
    /// The ledger reports its own entries as damaged.
    Unreadable {
        /// The account.
        account: AccountKey,
        /// The ledger's error.
        reason: String,
    },
    /// Lines up to the head of history are missing.
    HistoryMissing {
        /// The account.
        account: AccountKey,
        /// The sequence of the first missing line.
        first: Sequence,
        /// The sequence of the last missing line.
        last: Sequence,
    },
    /// A line of history differs from the ledger.
    HistoryWrong {
        /// The account.
        account: AccountKey,
        /// The sequence of the line.
        sequence: Sequence,
    },
    /// History is ahead of the ledger: the ledger has lost commits, or the history
    /// belongs to another ledger.
    HistoryAhead {
        /// The account.
        account: AccountKey,
        /// The head of history.
        history: Sequence,
        /// The head of the ledger.
        ledger: Sequence,
    },
    /// History is behind the point that it should have reached.
    HistoryBehind {
        /// The account.
        account: AccountKey,
        /// The head of history.
        history: Sequence,
        /// The head of the ledger.
        ledger: Sequence,
        /// The time of the first entry that history lacks.
        since: Timestamp,
    },
    /// The cache has other sums than the ledger at the same version.
    CacheWrong {
        /// The account.
        account: AccountKey,
        /// The currency.
        currency: Currency,
        /// The version.
        version: Version,
        /// The posted balance in the cache, in minor units.
        cached: i128,
        /// The posted balance of the ledger.
        posted: i128,
    },
    /// The cache has a version that the ledger has not reached.
    CacheAhead {
        /// The account.
        account: AccountKey,
        /// The position in the cache.
        cached: Position,
        /// The position of the ledger.
        ledger: Position,
    },
}

impl Difference {
    /// The stable code, such as `"history_missing"`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEven { .. } => "not_even",
            Self::EntriesMissing { .. } => "entries_missing",
            Self::EntryWrong { .. } => "entry_wrong",
            Self::BalanceWrong { .. } => "balance_wrong",
            Self::PendingWrong { .. } => "pending_wrong",
            Self::HoldsUnreadable { .. } => "holds_unreadable",
            Self::Unreadable { .. } => "unreadable",
            Self::HistoryMissing { .. } => "history_missing",
            Self::HistoryWrong { .. } => "history_wrong",
            Self::HistoryAhead { .. } => "history_ahead",
            Self::HistoryBehind { .. } => "history_behind",
            Self::CacheWrong { .. } => "cache_wrong",
            Self::CacheAhead { .. } => "cache_ahead",
        }
    }

    /// The account; `None` for a difference of a whole ledger.
    #[must_use]
    pub const fn account(&self) -> Option<AccountKey> {
        match self {
            Self::NotEven { .. } => None,
            Self::PendingWrong { sums } => Some(sums.account),
            Self::EntriesMissing { account, .. }
            | Self::EntryWrong { account, .. }
            | Self::BalanceWrong { account, .. }
            | Self::HoldsUnreadable { account, .. }
            | Self::Unreadable { account, .. }
            | Self::HistoryMissing { account, .. }
            | Self::HistoryWrong { account, .. }
            | Self::HistoryAhead { account, .. }
            | Self::HistoryBehind { account, .. }
            | Self::CacheWrong { account, .. }
            | Self::CacheAhead { account, .. } => Some(*account),
        }
    }

    /// Formats it as JSON: code, account and text.
    pub(super) fn json(&self) -> Value {
        let account = self.account();
        json!({
            "code": self.code(),
            "ledger": account.map_or_else(
                || match self {
                    Self::NotEven { ledger, .. } => Some(ledger.number()),
                    _ => None,
                },
                |account| Some(account.ledger.number()),
            ),
            "account": account.map(|account| account.id.to_string()),
            "text": self.to_string(),
        })
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotEven {
                ledger,
                currency,
                posted,
            } => {
                let (sum, code) = (format_minor(*posted, *currency), currency.code());
                write!(
                    f,
                    "ledger {ledger}: the balances in {code} add up to {sum}, not zero"
                )
            }
            Self::EntriesMissing {
                account,
                first,
                last,
            } => write!(f, "{account}: entries {first} to {last} are not there"),
            Self::EntryWrong { account, sequence } => write!(
                f,
                "{account}: entry {sequence} does not follow from the one before it"
            ),
            Self::BalanceWrong {
                account,
                currency,
                posted,
                entries,
            } => {
                let [posted, entries] = [posted, entries].map(|sum| format_minor(*sum, *currency));
                write!(
                    f,
                    "{account}: its balance is {posted}, its entries say {entries}"
                )
            }
            Self::PendingWrong { sums } => pending(f, sums),
            Self::HoldsUnreadable { account, reason } => {
                write!(f, "{account}: its holds cannot be read: {reason}")
            }
            Self::Unreadable { account, reason } => {
                write!(f, "{account}: its entries cannot be read: {reason}")
            }
            Self::HistoryMissing {
                account,
                first,
                last,
            } => write!(
                f,
                "{account}: lines {first} to {last} are missing in history"
            ),
            Self::HistoryWrong { account, sequence } => {
                write!(f, "{account}: history has another line {sequence}")
            }
            Self::HistoryAhead {
                account,
                history,
                ledger,
            } => write!(
                f,
                "{account}: history has come to entry {history}, the ledger to {ledger}"
            ),
            Self::HistoryBehind {
                account,
                history,
                ledger,
                since,
            } => write!(
                f,
                "{account}: history has come to entry {history} of {ledger} and lacks one of {} µs",
                since.as_micros()
            ),
            Self::CacheWrong {
                account,
                currency,
                version,
                cached,
                posted,
            } => {
                let [cached, posted] = [cached, posted].map(|sum| format_minor(*sum, *currency));
                write!(
                    f,
                    "{account}: at version {version} the cache has {cached}, the ledger {posted}"
                )
            }
            Self::CacheAhead {
                account,
                cached,
                ledger,
            } => write!(
                f,
                "{account}: the cache is at {cached}, the ledger at {ledger}"
            ),
        }
    }
}

fn pending(f: &mut std::fmt::Formatter<'_>, sums: &PendingSums) -> std::fmt::Result {
    let money = |minor| format_minor(minor, sums.currency);
    write!(
        f,
        "{}: at version {} it says that {} is held to be paid and {} to be received, its {} open \
         holds say {} and {}",
        sums.account,
        sums.version,
        money(sums.debits_pending),
        money(sums.credits_pending),
        sums.holds,
        money(sums.debits_held),
        money(sums.credits_held),
    )
}

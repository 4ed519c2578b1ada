use serde_json::{Value, json};

use crate::ledger::{
    AccountKey, Currency, LedgerId, Position, Sequence, Timestamp, Version, format_minor,
};
use crate::store::PendingSums;

/// Something that two stores, or two parts of one, do not agree about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The balances of a currency do not add up to zero.
    NotEven {
        /// The set of books.
        ledger: LedgerId,
        /// Of what.
        currency: Currency,
        /// What they add up to, in minor units.
        posted: i128,
    },
    /// Entries of the ledger are not there.
    EntriesMissing {
        /// Whose.
        account: AccountKey,
        /// The first of them.
        first: Sequence,
        /// The last of them.
        last: Sequence,
    },
    /// An entry does not follow from the one before it: its balance, its version or
    /// its time.
    EntryWrong {
        /// Whose.
        account: AccountKey,
        /// Which one.
        sequence: Sequence,
    },
    /// The account has another balance than its entries add up to.
    BalanceWrong {
        /// Whose.
        account: AccountKey,
        /// Of what.
        currency: Currency,
        /// What the account says, in minor units.
        posted: i128,
        /// What its entries say.
        entries: i128,
    },
    /// The account says that another amount is held than its open holds do.
    PendingWrong {
        /// What each of them says, of one state.
        sums: PendingSums,
    },
    /// The ledger calls a hold of the account damaged.
    HoldsUnreadable {
        /// Whose.
        account: AccountKey,
        /// What it says.
        reason: String,
    },
    /// The ledger calls its own entries damaged.
    Unreadable {
        /// Whose.
        account: AccountKey,
        /// What it says.
        reason: String,
    },
    /// Lines that history says it has are not there.
    HistoryMissing {
        /// Whose.
        account: AccountKey,
        /// The first of them.
        first: Sequence,
        /// The last of them.
        last: Sequence,
    },
    /// History has another line than the ledger.
    HistoryWrong {
        /// Whose.
        account: AccountKey,
        /// Which one.
        sequence: Sequence,
    },
    /// History has come further than the ledger: the ledger has lost something, or
    /// it is another one's history.
    HistoryAhead {
        /// Whose.
        account: AccountKey,
        /// How far history has come.
        history: Sequence,
        /// How far the ledger has.
        ledger: Sequence,
    },
    /// History has not come as far as it should have by now.
    HistoryBehind {
        /// Whose.
        account: AccountKey,
        /// How far it has come.
        history: Sequence,
        /// How far the ledger has.
        ledger: Sequence,
        /// When the first entry was made that it has not.
        since: Timestamp,
    },
    /// The cache has other sums than the ledger at the same version.
    CacheWrong {
        /// Whose.
        account: AccountKey,
        /// Of what.
        currency: Currency,
        /// The version.
        version: Version,
        /// The posted balance in the cache, in minor units.
        cached: i128,
        /// That of the ledger.
        posted: i128,
    },
    /// The cache has a version that the ledger has not come to.
    CacheAhead {
        /// Whose.
        account: AccountKey,
        /// The position in the cache.
        cached: Position,
        /// That of the ledger.
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

    /// Whose account; none where it is about a whole ledger.
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

    /// As JSON: its code, its account, what it says in words.
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

use std::collections::{BTreeMap, BTreeSet};

use super::progress::count;
use crate::ledger::{
    Account, AccountKey, CurrencyCode, Entry, Hold, HoldId, HoldKey, LedgerId, Leg, Reversal,
    Sequence, Timestamp, TransferKey, TransferWithReversals,
};

/// All data of a store except the outbox and the records, as read through its port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// Every account.
    pub accounts: BTreeMap<AccountKey, Account>,
    /// Every account's entries, in the order in which the store returned them.
    pub entries: BTreeMap<AccountKey, Vec<Entry>>,
    /// Every hold from or towards an account.
    pub holds: BTreeMap<HoldKey, Hold>,
    /// Every transfer that an entry names and that the store can read; `None` when
    /// it does not exist.
    pub transfers: BTreeMap<TransferKey, Option<Moved>>,
    /// The data that the store itself reports as damaged.
    pub unreadable: Unreadable,
}

/// The fields of a transfer that the invariants need. The host's texts are most of
/// a transfer, and no rule depends on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The legs in order.
    pub legs: Box<[Leg]>,
    /// The hold that the transfer captures.
    pub hold: Option<HoldId>,
    /// The transfer that this one reverses.
    pub reversal: Option<Box<Reversal>>,
    /// The time of the transfer.
    pub created_at: Timestamp,
    /// Minor units reversed so far, one number per leg as the store returned them;
    /// absent when all are zero.
    pub reversed: Option<Box<[i128]>>,
}

impl From<TransferWithReversals> for Moved {
    fn from(row: TransferWithReversals) -> Self {
        let TransferWithReversals { transfer, reversed } = row;
        let is_untouched =
            reversed.len() == transfer.legs.len() && reversed.iter().all(|sum| *sum == 0);
        Self {
            legs: transfer.legs.into(),
            hold: transfer.hold,
            reversal: transfer.reversal.map(Box::new),
            created_at: transfer.created_at,
            reversed: (!is_untouched).then(|| reversed.into()),
        }
    }
}

impl Moved {
    /// The stored reversed amount of a leg; `None` when none is stored.
    #[must_use]
    pub fn reversed_of(&self, leg: u16) -> Option<i128> {
        match &self.reversed {
            None => Some(0),
            Some(sums) => sums.get(usize::from(leg)).copied(),
        }
    }
}

/// The data that could not be read because the store reports it as damaged, with
/// the reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Ranges of an account's entries, ascending.
    pub entries: BTreeMap<AccountKey, Vec<Gap>>,
    /// Accounts whose holds could not be listed to the end.
    pub holds: BTreeMap<AccountKey, String>,
    /// Transfers that could not be read.
    pub transfers: BTreeMap<TransferKey, String>,
}

/// Entries that the store cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The sequence of the first entry.
    pub first: Sequence,
    /// The sequence of the last entry.
    pub last: Sequence,
    /// The store's error.
    pub reason: String,
}

/// The number of rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// The number of ledgers.
    pub ledgers: u64,
    /// The number of accounts in all ledgers.
    pub accounts: u64,
    /// The number of entries of all accounts.
    pub entries: u64,
    /// The number of transfers that entries name.
    pub transfers: u64,
    /// The number of holds, open or ended.
    pub holds: u64,
}

/// The sum of the balances of one currency in one ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// The number of accounts with this currency.
    pub accounts: u64,
    /// The sum of their posted balances, modulo 2^128: it must be zero.
    pub posted: i128,
}

impl Books {
    /// The transfers that exist.
    pub fn existing_transfers(&self) -> impl Iterator<Item = (TransferKey, &Moved)> {
        let all = self.transfers.iter();
        all.filter_map(|(key, moved)| Some((*key, moved.as_ref()?)))
    }

    /// A transfer; `None` when it does not exist or was not read.
    #[must_use]
    pub fn transfer(&self, key: TransferKey) -> Option<&Moved> {
        self.transfers.get(&key)?.as_ref()
    }

    /// The entries of an account.
    #[must_use]
    pub fn entries_of(&self, account: AccountKey) -> &[Entry] {
        self.entries.get(&account).map_or(&[], Vec::as_slice)
    }

    /// Whether the account has exactly this entry; `None` where the account could
    /// not be read in full and the entry is not among the rest.
    #[must_use]
    pub fn shows(&self, entry: &Entry) -> Option<bool> {
        let entries = self.entries_of(entry.account);
        let index = entry.sequence.checked_sub(1);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let at = index.and_then(|index| entries.get(index));
        // If entries are missing, the entry is nearer to the front.
        let stored = at
            .filter(|stored| stored.sequence == entry.sequence)
            .or_else(|| {
                let place = entries.binary_search_by_key(&entry.sequence, |stored| stored.sequence);
                entries.get(place.ok()?)
            });
        match stored {
            Some(stored) => Some(stored == entry),
            None if self.is_hidden(entry.account, entry.sequence) => None,
            None => Some(false),
        }
    }

    /// Whether the store could not read this entry.
    pub(super) fn is_hidden(&self, account: AccountKey, sequence: Sequence) -> bool {
        let gaps = self.gaps(account);
        let ends_before = gaps.partition_point(|gap| gap.last < sequence);
        gaps.get(ends_before)
            .is_some_and(|gap| gap.first <= sequence)
    }

    /// The entries of an account that the store could not read.
    pub(super) fn gaps(&self, account: AccountKey) -> &[Gap] {
        let gaps = self.unreadable.entries.get(&account);
        gaps.map_or(&[], Vec::as_slice)
    }

    /// The number of rows of each kind.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let ledgers: BTreeSet<LedgerId> = self.accounts.keys().map(|key| key.ledger).collect();
        Totals {
            ledgers: count(ledgers.len()),
            accounts: count(self.accounts.len()),
            entries: self.entries.values().fold(0, |sum: u64, entries| {
                sum.saturating_add(count(entries.len()))
            }),
            transfers: count(self.transfers.len()),
            holds: count(self.holds.len()),
        }
    }

    /// The sums of the balances of every currency of every ledger.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<(LedgerId, CurrencyCode), Sum> {
        let mut sums: BTreeMap<_, Sum> = BTreeMap::new();
        for (key, account) in &self.accounts {
            let pot = (key.ledger, account.state.currency.code());
            let sum = sums.entry(pot).or_default();
            sum.accounts = sum.accounts.saturating_add(1);
            // Balances reach 10^38, so an intermediate sum may overflow. Modulo 2^128 the
            // final sum is still zero.
            sum.posted = sum.posted.wrapping_add(account.state.counters.posted());
        }
        sums
    }
}

use serde_json::{Value, json};

use super::Difference;
use crate::ledger::{LedgerId, Timestamp, format_minor};
use crate::store::TrialBalance;

/// What was compared, and what differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Accounts compared.
    pub accounts: u64,
    /// Their entries that were read.
    pub entries: u64,
    /// What the balances add up to.
    pub sums: Vec<(LedgerId, TrialBalance)>,
    /// Of history, where there is one.
    pub history: Option<HistoryTally>,
    /// Of the cache, where there is one.
    pub cache: Option<CacheTally>,
    /// How many differences there are.
    pub found: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// What was compared with history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryTally {
    /// Lines that are the same.
    pub same: u64,
    /// Lines that have expired, as was to be expected.
    pub expired: u64,
    /// Entries that it has not come to yet.
    pub behind: u64,
    /// When the first of those was made.
    pub behind_since: Option<Timestamp>,
}

/// What was compared with the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheTally {
    /// Balances that are the same.
    pub same: u64,
    /// Balances of an earlier version, or of a later one by the time that the
    /// ledger was asked again.
    pub stale: u64,
    /// Accounts that it does not have.
    pub absent: u64,
}

impl HistoryTally {
    pub(super) fn add(&mut self, other: Self) {
        self.same = self.same.saturating_add(other.same);
        self.expired = self.expired.saturating_add(other.expired);
        self.behind = self.behind.saturating_add(other.behind);
        let both = [self.behind_since, other.behind_since];
        self.behind_since = both.into_iter().flatten().min();
    }
}

impl Reconciliation {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.found == 0
    }

    /// As JSON, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let sums = self.sums.iter().map(|(ledger, sum)| {
            json!({
                "ledger": ledger.number(),
                "currency": sum.currency.code().as_str(),
                "accounts": sum.accounts,
                "posted": format_minor(sum.posted, sum.currency),
            })
        });
        let history = self.history.map(|tally| {
            json!({
                "same": tally.same,
                "expired": tally.expired,
                "behind": tally.behind,
                "behind_since_micros": tally.behind_since.map(Timestamp::as_micros),
            })
        });
        let cache = self.cache.map(
            |tally| json!({ "same": tally.same, "stale": tally.stale, "absent": tally.absent }),
        );
        let differences = self.differences.iter().map(Difference::json);
        json!({
            "format": 1,
            "clean": self.is_clean(),
            "accounts": self.accounts,
            "entries": self.entries,
            "sums": sums.collect::<Vec<_>>(),
            "history": history,
            "cache": cache,
            "found": self.found,
            "differences": differences.collect::<Vec<_>>(),
        })
    }
}

/// Some lines for people.
impl std::fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (accounts, entries) = (self.accounts, self.entries);
        writeln!(f, "{accounts} accounts, {entries} entries")?;
        for (ledger, sum) in &self.sums {
            let posted = format_minor(sum.posted, sum.currency);
            let (code, accounts) = (sum.currency.code(), sum.accounts);
            writeln!(
                f,
                "ledger {ledger}, {code}: {accounts} accounts add up to {posted}"
            )?;
        }
        if let Some(tally) = &self.history {
            let (same, expired, behind) = (tally.same, tally.expired, tally.behind);
            writeln!(
                f,
                "history: {same} lines are the same, {expired} have expired, {behind} are not there yet"
            )?;
        }
        if let Some(tally) = &self.cache {
            let (same, stale, absent) = (tally.same, tally.stale, tally.absent);
            writeln!(
                f,
                "cache: {same} balances are the same, {stale} are of another version, {absent} are not there"
            )?;
        }
        for difference in &self.differences {
            writeln!(f, "DIFFERENCE: {difference}")?;
        }
        match self.found {
            0 => writeln!(f, "nothing differs"),
            found => writeln!(f, "{found} differences"),
        }
    }
}

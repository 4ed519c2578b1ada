use serde_json::{Value, json};

use super::Difference;
use crate::ledger::{LedgerId, Timestamp, format_minor};
use crate::store::TrialBalance;

/// The compared data and the differences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// The number of compared accounts.
    pub accounts: u64,
    /// The number of entries that were read.
    pub entries: u64,
    /// The sums of the balances.
    pub sums: Vec<(LedgerId, TrialBalance)>,
    /// The result for history, where there is one.
    pub history: Option<HistoryTally>,
    /// The result for the cache, where there is one.
    pub cache: Option<CacheTally>,
    /// The number of differences.
    pub found: u64,
    /// The first differences.
    pub differences: Vec<Difference>,
}

/// The comparison with history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryTally {
    /// The number of equal lines.
    pub same: u64,
    /// The number of lines that have expired, as expected.
    pub expired: u64,
    /// The number of entries that history has not reached yet.
    pub behind: u64,
    /// The time of the first entry that history has not reached.
    pub behind_since: Option<Timestamp>,
}

/// The comparison with the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheTally {
    /// The number of equal balances.
    pub same: u64,
    /// The number of balances of an earlier version, or of a later version that the
    /// ledger had reached when it was read again.
    pub stale: u64,
    /// The number of accounts that the cache does not have.
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
    /// Whether there is no difference.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.found == 0
    }

    /// Formats the report as JSON, for programs.
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

/// Formats the report as some lines for people.
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

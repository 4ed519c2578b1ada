use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::progress::{Meter, Stage, count};
use super::{Books, Violation};
use crate::ledger::{AccountKey, InLedger, LedgerId, Outcome, Posted, Receipt, Version};
use crate::store::{Lease, Outbox, OutboxError, OutboxRow, RowId, StoreError, codec};

/// The longest time that the check holds the outbox lease between two pages.
const TTL: Duration = Duration::from_secs(60);
/// The owner of the lease.
const OWNER: &str = "invariants";

/// The known past of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivered {
    /// No relay ever worked on it: it contains every change of every account.
    Nothing,
    /// Rows may have been delivered, in full or in part, and purged.
    Unknown,
}

/// The result of checking the outbox against the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxReport {
    /// The outbox was checked.
    Checked {
        /// The number of waiting rows.
        rows: u64,
        /// The number of rows that were delivered in part.
        begun: u64,
        /// The number of account changes in these rows.
        events: u64,
        /// The number of account changes in total. Changes that are not in the outbox
        /// were delivered. The outbox alone cannot prove that none was lost.
        changes: u64,
    },
    /// The outbox was not checked: another owner holds its lease, or acquired it
    /// meanwhile.
    Held,
}

/// Every version that an accepted outcome gave an account, in order.
#[must_use]
pub fn effects_of(ledger: LedgerId, outcome: &Outcome) -> Vec<(AccountKey, Version)> {
    let receipts = outcome.receipts().iter();
    receipts
        .flat_map(|receipt| match receipt {
            Receipt::AccountOpened(account) => vec![(account.state.key, account.state.version)],
            Receipt::AccountChanged(changed) => {
                let effect = changed.effect.iter();
                effect
                    .map(|_| (changed.state.key, changed.state.version))
                    .collect()
            }
            Receipt::Posted(Posted { effects, .. }) => versions(ledger, effects),
            Receipt::HoldChanged(changed) => versions(ledger, &changed.effects),
            Receipt::BulkAccepted { .. } => Vec::new(),
        })
        .collect()
}

fn versions(ledger: LedgerId, effects: &[crate::ledger::Effect]) -> Vec<(AccountKey, Version)> {
    let effects = effects.iter();
    effects
        .map(|effect| (InLedger::new(ledger, effect.account), effect.version))
        .collect()
}

/// Checks that the outbox's open rows ascend and agree with the entries. They must
/// contain every account's versions one by one up to the current one.
///
/// If `delivered` says that nothing was delivered, versions begin at 1. Otherwise
/// they may begin anywhere, since earlier events were delivered. They may have gaps
/// after a row that was delivered in part, since its done events no longer stop the
/// later events of their accounts. They prove nothing about system accounts, whose
/// events need not be published.
pub(super) async fn events(
    outbox: &dyn Outbox,
    books: &Books,
    delivered: Delivered,
    meter: &mut Meter<'_>,
) -> Result<(Vec<Violation>, OutboxReport), StoreError> {
    let mut audit = Audit::new(books, delivered);
    match audit.read(outbox, meter).await {
        Ok(true) => Ok(audit.finish()),
        Ok(false) | Err(OutboxError::LeaseLost) => Ok((Vec::new(), OutboxReport::Held)),
        Err(OutboxError::Store(error)) => Err(error),
    }
}

/// The latest version of an account in the outbox.
#[derive(Debug, Clone, Copy)]
struct Latest {
    version: Version,
    /// Whether the event may have been delivered already.
    is_begun: bool,
}

struct Audit<'a> {
    books: &'a Books,
    delivered: Delivered,
    latest: BTreeMap<AccountKey, Latest>,
    before: Option<RowId>,
    violations: Vec<Violation>,
    rows: u64,
    begun: u64,
    events: u64,
}

impl<'a> Audit<'a> {
    const fn new(books: &'a Books, delivered: Delivered) -> Self {
        Self {
            books,
            delivered,
            latest: BTreeMap::new(),
            before: None,
            violations: Vec::new(),
            rows: 0,
            begun: 0,
            events: 0,
        }
    }

    /// Reads all rows that are not complete. Returns whether this was possible.
    async fn read(
        &mut self,
        outbox: &dyn Outbox,
        meter: &mut Meter<'_>,
    ) -> Result<bool, OutboxError> {
        let total = outbox.depth().await?.rows;
        let Some(lease) = outbox.acquire(OWNER, TTL).await? else {
            return Ok(false);
        };
        let read = self.read_under(&lease, outbox, total, meter).await;
        // The lease is released after an error too, so that no relay waits for its end.
        let released = outbox.release(&lease).await;
        read.and(released).map(|()| true)
    }

    async fn read_under(
        &mut self,
        lease: &Lease,
        outbox: &dyn Outbox,
        total: u64,
        meter: &mut Meter<'_>,
    ) -> Result<(), OutboxError> {
        // Events behind parked events belong to the check too.
        outbox.reopen(lease).await?;
        let mut seen = BTreeSet::new();
        loop {
            outbox.renew(lease, TTL).await?;
            // A claim skips all rows that were seen. Doubling the number of rows with
            // each claim keeps the total cost linear.
            let limit = u32::try_from(seen.len()).unwrap_or(u32::MAX).max(100);
            let page = outbox.claim(lease, &seen, limit).await?;
            // An outbox that ignores `skip` would loop for ever.
            if page.iter().all(|row| seen.contains(&row.id)) {
                return Ok(());
            }
            for row in page {
                seen.insert(row.id);
                self.row(&row);
            }
            meter.report(Stage::Events, seen.len(), Some(total));
        }
    }

    fn row(&mut self, row: &OutboxRow) {
        if let Some(before) = self.before.filter(|before| *before >= row.id) {
            self.violations.push(Violation::RowsOutOfOrder {
                before,
                row: row.id,
            });
        }
        self.before = Some(row.id);
        self.rows = self.rows.saturating_add(1);
        let is_begun = !row.done.is_empty();
        self.begun = self.begun.saturating_add(u64::from(is_begun));
        let Ok(outcomes) = codec::decode_outbox(&row.payload) else {
            self.violations
                .push(Violation::RowUnreadable { row: row.id });
            return;
        };
        for (ledger, outcome) in outcomes {
            let effects = effects_of(ledger, &outcome);
            self.events = self.events.saturating_add(count(effects.len()));
            for (account, version) in effects {
                self.event(account, Latest { version, is_begun });
            }
            self.entries(&outcome);
        }
    }

    fn event(&mut self, account: AccountKey, found: Latest) {
        let before = self.latest.insert(account, found);
        let due = match before {
            Some(before) => before.version.saturating_add(1),
            None if self.delivered == Delivered::Nothing => 1,
            None => found.version,
        };
        let may_skip = before.is_some_and(|before| self.may_skip(account, before));
        let is_due = found.version == due || (may_skip && found.version > due);
        if !is_due {
            self.broken(account, due, found.version);
        }
    }

    /// Whether the events after `latest` may have been delivered before the rest.
    fn may_skip(&self, account: AccountKey, latest: Latest) -> bool {
        let stored = self.books.accounts.get(&account);
        let is_system = stored.is_some_and(|stored| stored.state.system);
        self.delivered == Delivered::Unknown && (latest.is_begun || is_system)
    }

    /// Checks that events agree with the entries.
    fn entries(&mut self, outcome: &Outcome) {
        let entries = outcome.entries();
        let differ = entries.filter(|entry| self.books.shows(entry) == Some(false));
        let differ = differ.map(|entry| Violation::EventDiffers {
            account: entry.account,
            version: entry.version,
        });
        self.violations.extend(differ);
    }

    fn finish(mut self) -> (Vec<Violation>, OutboxReport) {
        let mut changes: u64 = 0;
        for (account, stored) in &self.books.accounts {
            let version = stored.state.version;
            changes = changes.saturating_add(u64::try_from(version).unwrap_or(0));
            let latest = self.latest.remove(account);
            let end = match (latest, self.delivered) {
                (Some(latest), _)
                    if latest.version < version && self.may_skip(*account, latest) =>
                {
                    version
                }
                (Some(latest), _) => latest.version,
                (None, Delivered::Unknown) => version,
                (None, Delivered::Nothing) => 0,
            };
            if end != version {
                self.broken(*account, version.saturating_add(1), end.saturating_add(1));
            }
        }
        // The remaining events are of accounts that do not exist.
        for (account, latest) in std::mem::take(&mut self.latest) {
            self.broken(account, 1, latest.version);
        }
        let report = OutboxReport::Checked {
            rows: self.rows,
            begun: self.begun,
            events: self.events,
            changes,
        };
        (self.violations, report)
    }

    fn broken(&mut self, account: AccountKey, expected: Version, found: Version) {
        self.violations.push(Violation::EventsBroken {
            account,
            expected,
            found,
        });
    }
}

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::progress::{Meter, Stage, count};
use super::{Books, Violation};
use crate::ledger::{AccountKey, InLedger, LedgerId, Outcome, Posted, Receipt, Version};
use crate::store::{Lease, Outbox, OutboxError, OutboxRow, RowId, StoreError, codec};

/// How long the check may keep the outbox between two pages.
const TTL: Duration = Duration::from_secs(60);
/// In whose name.
const OWNER: &str = "invariants";

/// What is known of the outbox's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivered {
    /// No relay ever worked on it: every change of every account is told in it.
    Nothing,
    /// Rows may have been delivered, in full or in part, and purged.
    Unknown,
}

/// What the outbox says, held against the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxReport {
    /// It was checked.
    Checked {
        /// How many rows are waiting.
        rows: u64,
        /// How many of these have been delivered in part.
        begun: u64,
        /// How many changes of accounts they tell.
        told: u64,
        /// How many changes there have been in all. Those that are not told
        /// were delivered; the outbox alone cannot show that none was lost.
        changes: u64,
    },
    /// It was not checked: somebody else holds it, or took it meanwhile.
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

/// The outbox's open rows ascend, agree with the entries, and tell every
/// account's versions one by one up to the present one.
///
/// Where `delivered` says that nothing was, they begin at 1. Otherwise they may
/// begin anywhere, since what lies before was delivered; they may have gaps
/// behind a row that was delivered in part, since its done events no longer
/// stop the later ones of their accounts; and they prove nothing of the host's
/// own accounts, whose events need not be published.
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

/// The latest version that the outbox tells of an account.
#[derive(Debug, Clone, Copy)]
struct Told {
    version: Version,
    /// Whether it may have been delivered already.
    is_begun: bool,
}

struct Audit<'a> {
    books: &'a Books,
    delivered: Delivered,
    told: BTreeMap<AccountKey, Told>,
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
            told: BTreeMap::new(),
            before: None,
            violations: Vec::new(),
            rows: 0,
            begun: 0,
            events: 0,
        }
    }

    /// Goes through all rows that are not complete; whether it could.
    async fn read(
        &mut self,
        outbox: &dyn Outbox,
        meter: &mut Meter<'_>,
    ) -> Result<bool, OutboxError> {
        let total = outbox.depth(0).await?.rows;
        let Some(lease) = outbox.acquire(0, OWNER, TTL).await? else {
            return Ok(false);
        };
        let read = self.read_under(&lease, outbox, total, meter).await;
        // After an error as well: nobody is to wait until it ends by itself.
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
        // What waits behind parked events belongs to the whole.
        outbox.reopen(lease).await?;
        let mut seen = BTreeSet::new();
        loop {
            outbox.renew(lease, TTL).await?;
            // A claim passes over all rows that were seen: as many again with
            // each keeps the whole in proportion to what there is.
            let limit = u32::try_from(seen.len()).unwrap_or(u32::MAX).max(100);
            let page = outbox.claim(lease, &seen, limit).await?;
            // An outbox that ignores what to skip would turn in circles.
            if page.iter().all(|row| seen.contains(&row.id)) {
                return Ok(());
            }
            for row in page {
                seen.insert(row.id);
                self.row(&row);
            }
            meter.tell(Stage::Events, seen.len(), Some(total));
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
                self.event(account, Told { version, is_begun });
            }
            self.entries(&outcome);
        }
    }

    fn event(&mut self, account: AccountKey, found: Told) {
        let before = self.told.insert(account, found);
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

    /// Whether what follows `told` may have been delivered before the rest.
    fn may_skip(&self, account: AccountKey, told: Told) -> bool {
        let kept = self.books.accounts.get(&account);
        let is_system = kept.is_some_and(|kept| kept.state.system);
        self.delivered == Delivered::Unknown && (told.is_begun || is_system)
    }

    /// Events that tell something else than the entries.
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
        for (account, kept) in &self.books.accounts {
            let version = kept.state.version;
            changes = changes.saturating_add(u64::try_from(version).unwrap_or(0));
            let told = self.told.remove(account);
            let end = match (told, self.delivered) {
                (Some(told), _) if told.version < version && self.may_skip(*account, told) => {
                    version
                }
                (Some(told), _) => told.version,
                (None, Delivered::Unknown) => version,
                (None, Delivered::Nothing) => 0,
            };
            if end != version {
                self.broken(*account, version.saturating_add(1), end.saturating_add(1));
            }
        }
        // What is left tells of accounts that do not exist.
        for (account, told) in std::mem::take(&mut self.told) {
            self.broken(account, 1, told.version);
        }
        let report = OutboxReport::Checked {
            rows: self.rows,
            begun: self.begun,
            told: self.events,
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

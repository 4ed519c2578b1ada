//! Appends to history: rows first, then the heads, each by a conditional write. A restore
//! supersedes the heads of accounts.

use std::collections::{BTreeMap, HashMap};

use wallet_core::StoreError;
use wallet_core::history::{HistoryError, HistoryHead, HistoryLine, HistoryRow};
use wallet_core::ledger::{AccountKey, Epoch, Restore, Sequence};
use wallet_core::store::{Order, StoreErrorKind};

use super::read::{FIRST, LAST, Lines};
use super::row::{EPOCH, Head, SEQUENCE, head_item, item, row_of};
use super::{DynamoHistory, failed};
use crate::client::Rise;
use crate::keys;
use crate::keys::Item;

impl DynamoHistory {
    pub(super) async fn append_lines(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let known_in = Restore::current(restores);
        HistoryLine::check_order(lines, known_in)?;
        let accounts = lines.iter().map(|line| line.entry.account);
        let known = self.known_heads(accounts).await?;
        check_epochs(&known, known_in)?;
        let mut heads: BTreeMap<AccountKey, HistoryHead> = BTreeMap::new();
        let (mut rows, mut old) = (Vec::new(), Vec::new());
        for line in lines {
            let account = line.entry.account;
            let before = known.get(&account).map(|known| known.head);
            let before = before.unwrap_or_else(|| HistoryHead {
                epoch: known_in,
                ..HistoryHead::default()
            });
            if line.entry.sequence <= before.sequence {
                old.push(line);
                continue;
            }
            let head = heads.entry(account).or_insert(before);
            rows.push(follow(*head, line)?);
            head.sequence = line.entry.sequence;
            head.at = Some(line.entry.created_at);
        }
        self.compare(&old, restores).await?;
        let stripes = |row: &HistoryRow| self.settings.stripes_of(row.account());
        let items = rows.iter().map(|row| item(row, stripes(row))).collect();
        let (caller, table) = (&self.caller, &self.settings.table);
        let written = caller.write(table, items).await;
        written.map_err(failed("writing history"))?;
        // Heads are written last: every row that a head claims exists. A head never goes
        // back.
        let items = heads.iter();
        let items = items.map(|(account, head)| head_item(*account, *head, restores));
        let rise = Rise::Within(EPOCH, SEQUENCE);
        let raised = caller.raise(table, items.collect(), rise).await;
        if !raised.map_err(failed("writing how far history is"))? {
            // Another writer has come further, or to a later epoch. The rows just written
            // may then be in doubt, and no reader uses them.
            let now = self.known_heads(heads.into_keys()).await?;
            check_epochs(&now, known_in)?;
        }
        Ok(())
    }

    pub(super) async fn supersede_rows(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        let epoch = Restore::current(restores);
        let mut known = self.known_heads(accounts.iter().copied()).await?;
        let mut items = Vec::new();
        for account in accounts {
            let before = known.remove(account).unwrap_or_default();
            if before.head.epoch >= epoch {
                continue;
            }
            let last = self.last_held(*account, &before, restores).await?;
            let last = last.map(|row| row.line.entry);
            let head = HistoryHead {
                epoch,
                sequence: last.map_or(0, |entry| entry.sequence),
                at: last.map(|entry| entry.created_at),
            };
            items.push(head_item(*account, head, restores));
        }
        // If another writer is in that epoch already, or in a later one, nothing is to do.
        let (caller, table) = (&self.caller, &self.settings.table);
        let raised = caller.raise(table, items, Rise::Above(EPOCH)).await;
        raised
            .map(drop)
            .map_err(failed("writing an epoch of history"))
    }

    /// The last row of an account's history that these restores do not leave in doubt.
    ///
    /// Earlier rows are not in doubt either. Along an account, times never fall, and
    /// neither do the epochs in which rows are known.
    async fn last_held(
        &self,
        account: AccountKey,
        before: &Head,
        restores: &[Restore],
    ) -> Result<Option<HistoryRow>, StoreError> {
        let Some(at) = before.head.at else {
            return Ok(None);
        };
        // Everything after the last common epoch is in doubt.
        let common = before.restores.iter().map(|one| one.epoch);
        let common = common.filter(|epoch| restores.iter().any(|one| one.epoch == *epoch));
        let common = common.max().unwrap_or(Epoch::FIRST);
        let lost_after = Restore::lost_after(restores, common).unwrap_or(at);
        let mut last = (at, before.head.sequence).min((lost_after, i64::MAX));
        let mut limit = 1;
        loop {
            let lines = Lines::held(&before.restores, Order::Descending, limit);
            let rows = self.rows(account, (FIRST, last), lines).await?;
            if let Some(held) = rows.iter().find(|row| row.is_held(restores)) {
                return Ok(Some(held.clone()));
            }
            let Some(first) = rows.last().map(|row| &row.line.entry) else {
                return Ok(None);
            };
            let Some(next) = super::read::before((first.created_at, first.sequence)) else {
                return Ok(None);
            };
            (last, limit) = (next, 500);
        }
    }

    /// Compares lines with their rows in history.
    async fn compare(
        &self,
        lines: &[&HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let table = &self.settings.table;
        let found = lines.iter().flat_map(|line| self.keys(line, restores));
        let found = self.caller.read(table, found.collect()).await;
        let found = found.map_err(failed("comparing with history"))?;
        let mut rows: HashMap<(AccountKey, Sequence), HistoryLine> = HashMap::new();
        for item in &found {
            let line = row_of(item)?.line;
            rows.insert((line.entry.account, line.entry.sequence), line);
        }
        for line in lines {
            let (account, sequence) = (line.entry.account, line.entry.sequence);
            let is_other = match rows.get(&(account, sequence)) {
                Some(row) => row != *line,
                None => self.is_elsewhere(line, restores).await?,
            };
            if is_other {
                return Err(HistoryError::Differs { account, sequence });
            }
        }
        Ok(())
    }

    /// The keys under which a line's row may be, unless these restores leave the row in
    /// doubt. There is one key for each epoch in which the row may have been known.
    fn keys(&self, line: &HistoryLine, restores: &[Restore]) -> Vec<Item> {
        let entry = &line.entry;
        let stripe = self.stripe_of(entry.account, entry.sequence);
        let epochs = restores.iter().map(|one| one.epoch);
        let epochs = std::iter::once(Epoch::FIRST).chain(epochs);
        let epochs = epochs.filter(|known_in| {
            *known_in >= entry.epoch && Restore::holds(restores, *known_in, entry.created_at)
        });
        let place = (entry.created_at, entry.sequence);
        let keys = epochs.map(|known_in| keys::row(entry.account, stripe, place, known_in));
        keys.collect()
    }

    fn stripe_of(&self, account: AccountKey, sequence: Sequence) -> u8 {
        keys::stripe(sequence, self.settings.stripes_of(account))
    }

    /// Whether history has the line's sequence at another time. If not, its row has
    /// expired. Rows of a stripe have the same order by time and by sequence, so the
    /// neighbours of the row decide.
    async fn is_elsewhere(
        &self,
        line: &HistoryLine,
        restores: &[Restore],
    ) -> Result<bool, StoreError> {
        let (account, sequence) = (line.entry.account, line.entry.sequence);
        let stripe = self.stripe_of(account, sequence);
        let place = (line.entry.created_at, sequence);
        let next = Lines::held(restores, Order::Ascending, 1);
        let next = self.stripe(account, stripe, (place, LAST), next).await?;
        let before = Lines::held(restores, Order::Descending, 1);
        let before = self.stripe(account, stripe, (FIRST, place), before).await?;
        let is_later = next.iter().any(|row| row.line.entry.sequence <= sequence);
        let is_earlier = before.iter().any(|row| row.line.entry.sequence >= sequence);
        Ok(is_later || is_earlier)
    }
}

/// Checks that the history of accounts has the epoch that its writer knows.
fn check_epochs(heads: &HashMap<AccountKey, Head>, writer: Epoch) -> Result<(), HistoryError> {
    for (account, known) in heads {
        if known.head.epoch != writer {
            return Err(HistoryError::Epoch {
                account: *account,
                history: known.head.epoch,
                writer,
            });
        }
    }
    Ok(())
}

/// The row of a line that follows the head of its account.
fn follow(head: HistoryHead, line: &HistoryLine) -> Result<HistoryRow, HistoryError> {
    let expected = head.sequence.saturating_add(1);
    if line.entry.sequence != expected {
        return Err(HistoryError::Gap {
            account: line.entry.account,
            expected,
            found: line.entry.sequence,
        });
    }
    if head.at.is_some_and(|before| line.entry.created_at < before) {
        let context = "an entry lies before the one that it follows";
        return Err(StoreError::new(StoreErrorKind::Invalid, context).into());
    }
    Ok(HistoryRow {
        line: line.clone(),
        previous_at: head.at,
        known_in: head.epoch,
    })
}

use std::collections::{BTreeMap, HashMap};

use wallet_core::{
    AccountKey, HistoryError, HistoryHead, HistoryLine, HistoryRow, Order, Sequence, StoreError,
    StoreErrorKind, Timestamp,
};

use super::row::{SEQUENCE, head_item, item, row_of};
use super::{DynamoHistory, failed};
use crate::client::Item;
use crate::keys;

impl DynamoHistory {
    pub(super) async fn append_lines(&self, lines: &[HistoryLine]) -> Result<(), HistoryError> {
        HistoryLine::check_order(lines)?;
        let accounts = lines.iter().map(|line| line.entry.account);
        let known = self.known_heads(accounts).await?;
        let mut heads: BTreeMap<AccountKey, HistoryHead> = BTreeMap::new();
        let (mut rows, mut old) = (Vec::new(), Vec::new());
        for line in lines {
            let account = line.entry.account;
            let before = known.get(&account).copied().unwrap_or_default();
            if line.entry.sequence <= before.sequence {
                old.push(line);
                continue;
            }
            let head = heads.entry(account).or_insert(before);
            rows.push(follow(*head, line)?);
            *head = HistoryHead {
                sequence: line.entry.sequence,
                at: Some(line.entry.created_at),
            };
        }
        self.compare(&old).await?;
        let stripes = |row: &HistoryRow| self.settings.stripes_of(row.account());
        let items = rows.iter().map(|row| item(row, stripes(row))).collect();
        let (caller, table) = (&self.caller, &self.settings.table);
        let written = caller.write(table, items).await;
        written.map_err(failed("writing history"))?;
        // Only now: what a head claims is there. It never goes back.
        let heads = heads.into_iter();
        let heads = heads.map(|(account, head)| head_item(account, head));
        let raised = caller.raise(table, heads.collect(), SEQUENCE).await;
        Ok(raised.map_err(failed("writing how far history is"))?)
    }

    /// Compares lines with the rows that history has of them.
    async fn compare(&self, lines: &[&HistoryLine]) -> Result<(), HistoryError> {
        let table = &self.settings.table;
        let found = lines.iter().map(|line| self.key(line)).collect();
        let found = self.caller.read(table, found).await;
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
                None => self.is_elsewhere(line).await?,
            };
            if is_other {
                return Err(HistoryError::Differs { account, sequence });
            }
        }
        Ok(())
    }

    fn key(&self, line: &HistoryLine) -> Item {
        let entry = &line.entry;
        let stripe = self.stripe_of(entry.account, entry.sequence);
        keys::row(entry.account, stripe, entry.created_at, entry.sequence)
    }

    fn stripe_of(&self, account: AccountKey, sequence: Sequence) -> u8 {
        keys::stripe(sequence, self.settings.stripes_of(account))
    }

    /// Whether history has the line's sequence at another time. If not, its row is
    /// gone: it has expired. Rows of a stripe are ordered by time and by sequence
    /// alike, so that its neighbours tell.
    async fn is_elsewhere(&self, line: &HistoryLine) -> Result<bool, StoreError> {
        let (account, sequence) = (line.entry.account, line.entry.sequence);
        let stripe = self.stripe_of(account, sequence);
        let place = (line.entry.created_at, sequence);
        let (first, last) = (Timestamp::from_micros(i64::MIN), i64::MAX);
        let next = self.stripe(
            account,
            stripe,
            place,
            (Timestamp::from_micros(i64::MAX), last),
            Order::Ascending,
            1,
        );
        let next = next.await?;
        let before = self.stripe(
            account,
            stripe,
            (first, i64::MIN),
            place,
            Order::Descending,
            1,
        );
        let before = before.await?;
        let is_later = next.iter().any(|row| row.line.entry.sequence <= sequence);
        let is_earlier = before.iter().any(|row| row.line.entry.sequence >= sequence);
        Ok(is_later || is_earlier)
    }
}

/// The row of a line behind the head of its account.
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
    })
}

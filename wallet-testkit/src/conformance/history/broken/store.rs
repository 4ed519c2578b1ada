//! The history store that a broken history implements.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::Broken;
use crate::history::HistoryBug;
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow, HistoryStore,
    LinePosition, ReferenceHistoryQuery,
};
use wallet_core::ledger::{AccountKey, Restore, TransferKey};
use wallet_core::store::Order;
use wallet_core::{StoreError, Timestamp};

#[async_trait]
impl HistoryStore for Broken {
    async fn append(
        &self,
        lines: &[HistoryLine],
        restores: &[Restore],
    ) -> Result<(), HistoryError> {
        let known_in = Restore::current(restores);
        self.order(lines, known_in)?;
        if self.has(HistoryBug::ChecksTheEpochTooEarly) {
            self.check_epochs(lines, known_in)?;
            self.await_an_epoch(lines);
        }
        let is_alone = !self.has(HistoryBug::ChecksTooEarly);
        let _turn = is_alone.then(|| self.take_turn());
        if !self.has(HistoryBug::ChecksTheEpochTooEarly) {
            self.check_epochs(lines, known_in)?;
        }
        let lines = self.order(lines, known_in)?;
        let new = self.rows_of(&lines, known_in)?;
        self.dawdle();
        self.write(new, restores);
        if self.has(HistoryBug::ChecksTooEarly) {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn supersede(
        &self,
        accounts: &[AccountKey],
        restores: &[Restore],
    ) -> Result<(), StoreError> {
        let _turn = self.take_turn();
        let mut rows = self.lock();
        for account in accounts {
            let key = self.key(*account);
            if !rows.contains_key(&key) && self.has(HistoryBug::PassesOverTheEmpty) {
                continue;
            }
            self.supersede_one(rows.entry(key).or_default(), restores);
        }
        Ok(())
    }

    async fn heads(&self, accounts: &[AccountKey]) -> Result<Vec<HistoryHead>, StoreError> {
        let mut accounts = accounts.to_vec();
        if self.has(HistoryBug::SortsHeads) {
            accounts.sort_unstable();
        }
        Ok(accounts.into_iter().map(|key| self.head(key)).collect())
    }

    async fn page(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let after = match query.after() {
            Err(_) if self.has(HistoryBug::TakesAnyCursor) => None,
            after => after?,
        };
        let mut rows = self.held(query.account, restores);
        if query.order == Order::Descending {
            rows.reverse();
        }
        rows.retain(|row| {
            let at = row.line.entry.created_at;
            let place = (at, row.line.entry.sequence);
            let is_behind = after.is_none_or(|after| match query.order {
                _ if self.has(HistoryBug::PagesByTime) && at == after.0 => false,
                Order::Ascending => place > after,
                Order::Descending => place < after,
            });
            let is_to = self.has(HistoryBug::IncludesTo) && query.to == Some(at);
            let is_from = self.has(HistoryBug::ExcludesFrom) && query.from == Some(at);
            is_behind
                && !is_from
                && query.from.is_none_or(|from| at >= from)
                && (is_to || query.to.is_none_or(|to| at < to))
        });
        rows.truncate(usize::try_from(query.limit).unwrap());
        if self.has(HistoryBug::CutsLongPages) {
            rows.truncate(1_000);
        }
        if self.has(HistoryBug::EndsAtTheSuperseded) {
            rows.retain(|row| row.is_held(restores));
        }
        let mut page = query.page(rows);
        if page.rows.is_empty() && self.has(HistoryBug::LosesTheCursor) {
            page.next = None;
        }
        Ok(page)
    }

    async fn of_transfer(
        &self,
        transfer: TransferKey,
        restores: &[Restore],
    ) -> Result<Vec<HistoryRow>, StoreError> {
        Ok(self.select(restores, |row| {
            let entry = &row.line.entry;
            entry.account.ledger == transfer.ledger && entry.transfer == transfer.id
        }))
    }

    async fn of_reference(
        &self,
        query: &ReferenceHistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let after = query.after()?;
        let fold = |text: &str| match self.bug {
            Some(HistoryBug::FoldsCase) => text.to_lowercase(),
            _ => text.to_owned(),
        };
        let name = fold(query.reference.as_str());
        let mut rows = self.select(restores, |row| {
            let reference = row.line.reference.as_ref();
            row.account().ledger == query.ledger
                && reference.is_some_and(|reference| fold(reference.as_str()) == name)
                && after.is_none_or(|after| LinePosition::of(row) > after)
        });
        if after.is_some() && self.has(HistoryBug::EndsAfterAPage) {
            rows.clear();
        }
        rows.truncate(usize::try_from(query.limit).unwrap());
        Ok(query.page(rows))
    }

    async fn superseded(
        &self,
        query: &HistoryQuery,
        restores: &[Restore],
    ) -> Result<HistoryPage, StoreError> {
        let own = self.lock().get(&self.key(query.account)).cloned();
        let own = own.unwrap_or_default();
        let all = own.rows.into_iter().chain(own.superseded);
        let all = all.filter(|row| !row.is_held(restores));
        let place = |row: &HistoryRow| (row.line.entry.created_at, row.line.entry.sequence);
        let all: BTreeMap<_, _> = all.map(|row| (place(&row), row)).collect();
        Ok(query.page(all.into_values().collect()))
    }

    async fn expire(&self, rows: &[HistoryRow], _: Timestamp) -> Result<(), StoreError> {
        if self.has(HistoryBug::ExpiresAtOnce) {
            let mut stored = self.lock();
            stored
                .values_mut()
                .for_each(|own| own.rows.retain(|row| !rows.contains(row)));
        }
        Ok(())
    }
}

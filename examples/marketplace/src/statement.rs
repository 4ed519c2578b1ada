//! Statements for customers.

use wallet::EntryQuery;
use wallet::core::ledger::Direction;
use wallet::prelude::*;

use crate::error::Result;
use crate::market::Market;

impl Market {
    /// All lines of an account's statement, the oldest first. An entry has no words: they
    /// are its transfer's.
    pub(crate) async fn statement(&self, owner: &str, currency: Currency) -> Result<Vec<String>> {
        let mut query = EntryQuery::first(self.account(owner, currency).await?, 100);
        let mut lines = Vec::new();
        loop {
            let page = self.books.entries(&query).await?;
            let Some(last) = page.last() else {
                return Ok(lines);
            };
            query.after = Some(last.sequence);
            for entry in page {
                let is_debit = entry.direction == Direction::Debit;
                let sign = if is_debit { '-' } else { '+' };
                let (money, after) = (entry.money(currency), entry.balance_after_money(currency));
                let found = self.books.transfer(entry.transfer).await?;
                let words = found.and_then(|found| found.transfer.details.description);
                let words = words.map_or_else(String::new, |words| format!(": {words}"));
                let line = format!("{sign}{money}, then {after}{words}");
                lines.push(format!("{} {line}", entry.created_at));
            }
        }
    }
}

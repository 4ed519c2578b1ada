use std::io::Write;

use serde_json::json;
use thiserror::Error;

use crate::history::{HistoryQuery, HistoryRow, HistoryStore};
use crate::ledger::{AccountKey, Timestamp, format_minor};
use crate::store::{AccountQuery, LedgerStore, StoreError};

/// The number of rows that are read at a time.
const ROWS: u32 = 500;
/// The number of accounts that are listed at a time.
const ACCOUNTS: u32 = 500;

/// Writes history as JSON Lines, and then lets the exported rows expire. A row
/// expires only after its line was written and flushed, so no row is lost without
/// an export. Rows without an export stay for ever.
///
/// The last row of each account stays too, whatever its age, because history
/// continues from it. Rows in doubt after a restore of the ledger's database, or
/// superseded rows, also stay. They are not exported. At most a page of rows is in
/// memory.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    history: &'a dyn HistoryStore,
    ledger: &'a dyn LedgerStore,
    before: Timestamp,
    expire_at: Option<Timestamp>,
}

/// The result of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// The number of accounts that were read.
    pub accounts: u64,
    /// The number of lines written.
    pub lines: u64,
}

/// The reason why an export ended early. Written lines stay written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lines could not be written. None of their rows expires.
    #[error("writing an export: {0}")]
    Io(#[from] std::io::Error),
}

impl<'a> Export<'a> {
    /// An export of the rows before a time, of every account of `ledger`.
    #[must_use]
    pub const fn new(
        history: &'a dyn HistoryStore,
        ledger: &'a dyn LedgerStore,
        before: Timestamp,
    ) -> Self {
        Self {
            history,
            ledger,
            before,
            expire_at: None,
        }
    }

    /// The same export, with `at` as the expiry time of exported rows.
    #[must_use]
    pub const fn expiring_at(mut self, at: Timestamp) -> Self {
        self.expire_at = Some(at);
        self
    }

    /// Writes the lines to `out` and reports the progress to `on_progress`.
    ///
    /// # Errors
    /// [`ExportError`]: a store or the writer failed.
    pub async fn run(
        &self,
        out: &mut (dyn Write + Send),
        on_progress: &mut (dyn FnMut(ExportReport) + Send),
    ) -> Result<ExportReport, ExportError> {
        let mut report = ExportReport::default();
        for ledger in self.ledger.ledgers().await? {
            let mut query = AccountQuery {
                ledger,
                owner: None,
                currency: None,
                after: None,
                limit: ACCOUNTS,
            };
            loop {
                let page = self.ledger.list_accounts(&query).await?;
                let Some(last) = page.last() else { break };
                query.after = Some(last.state.key.id);
                for account in &page {
                    let lines = self.account(account.state.key, out).await?;
                    report.lines = report.lines.saturating_add(lines);
                    report.accounts = report.accounts.saturating_add(1);
                    on_progress(report);
                }
            }
        }
        Ok(report)
    }

    async fn account(
        &self,
        account: AccountKey,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, ExportError> {
        let restores = self.ledger.epochs().await?.all_restores();
        let heads = self.history.heads(&[account]).await?;
        let head = heads.first().map_or(0, |head| head.sequence);
        let mut query = HistoryQuery::first(account, ROWS);
        query.to = Some(self.before);
        let mut lines: u64 = 0;
        loop {
            let page = self.history.page(&query, &restores).await?;
            let whole = page.rows.iter();
            let whole = whole.filter(|row| row.line.entry.sequence < head);
            let whole: Vec<HistoryRow> = whole.cloned().collect();
            for row in &whole {
                writeln!(out, "{}", json_line(row))?;
            }
            out.flush()?;
            if let Some(at) = self.expire_at {
                self.history.expire(&whole, at).await?;
            }
            lines = lines.saturating_add(u64::try_from(whole.len()).unwrap_or(u64::MAX));
            if page.rows.is_empty() {
                return Ok(lines);
            }
            query.cursor = page.next;
        }
    }
}

/// Formats a row as one line of JSON without a line end. Amounts are decimal texts
/// with all decimals of the currency. The time is in microseconds since the Unix
/// epoch.
#[must_use]
pub fn json_line(row: &HistoryRow) -> String {
    let (line, entry) = (&row.line, &row.line.entry);
    let mut object = json!({
        "format": 1,
        "ledger": entry.account.ledger.number(),
        "account": entry.account.id.to_string(),
        "sequence": entry.sequence,
        "version": entry.version,
        "at_micros": entry.created_at.as_micros(),
        "direction": entry.direction.name(),
        "amount": format_minor(entry.amount.minor(), line.currency),
        "balance_after": format_minor(entry.balance_after, line.currency),
        "currency": line.currency.code().as_str(),
        "exponent": line.currency.exponent(),
        "transfer": entry.transfer.to_string(),
        "leg": entry.leg,
        "kind": line.kind.name(),
        "code": line.code,
    });
    if let (Some(object), Some(reference)) = (object.as_object_mut(), &line.reference) {
        object.insert("reference".to_owned(), reference.as_str().into());
    }
    object.to_string()
}

//! The port [`HistoryStore`] and the functions on it: past balances with a proof,
//! statements, filling history from the ledger, export.

mod backfill;
mod balance;
mod export;
mod fill;
mod statement;
mod store;

pub use backfill::{Backfill, BackfillProgress, BackfillReport};
pub use balance::balance_at;
pub use export::{Export, ExportError, ExportReport, json_line};
pub use fill::{catch_up, fill, lines_of};
pub use statement::{Statement, statement};
pub use store::{
    HistoryCursor, HistoryError, HistoryHead, HistoryLine, HistoryPage, HistoryQuery, HistoryRow,
    HistoryStore, LinePosition, ReferenceHistoryQuery,
};

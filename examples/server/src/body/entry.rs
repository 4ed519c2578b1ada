use serde::Serialize;
use wallet_core::{Currency, Direction, Entry, format_minor};

use super::time;

/// A line of a statement.
#[derive(Debug, Serialize)]
pub(crate) struct EntryBody {
    account: String,
    sequence: i64,
    direction: &'static str,
    amount: String,
    balance_after: String,
    transfer: String,
    created_at: String,
}

impl EntryBody {
    pub(crate) fn of(entry: &Entry, currency: Currency) -> Self {
        Self {
            account: entry.account.id.to_string(),
            sequence: entry.sequence,
            direction: match entry.direction {
                Direction::Debit => "debit",
                Direction::Credit => "credit",
            },
            amount: format_minor(entry.amount.minor(), currency),
            balance_after: format_minor(entry.balance_after, currency),
            transfer: entry.transfer.to_string(),
            created_at: time(entry.created_at),
        }
    }
}

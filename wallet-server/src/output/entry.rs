use serde::Serialize;
use utoipa::ToSchema;
use wallet_core::ledger::{Direction, format_minor};
use wallet_core::{Currency, Entry};

use super::time;
use crate::schema;

/// An entry of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntryBody {
    #[schema(value_type = schema::Id)]
    account: String,
    /// The entry's number on the account: gapless, the first is 1.
    sequence: i64,
    direction: Side,
    #[schema(value_type = schema::Amount)]
    amount: String,
    /// The posted balance after the entry.
    #[schema(value_type = schema::Balance)]
    balance_after: String,
    #[schema(value_type = schema::Id)]
    transfer: String,
    #[schema(value_type = schema::Time)]
    created_at: String,
}

/// The side: money out (debit) or in (credit).
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Side {
    Debit,
    Credit,
}

impl From<Direction> for Side {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Debit => Self::Debit,
            Direction::Credit => Self::Credit,
        }
    }
}

impl EntryBody {
    pub(crate) fn of(entry: &Entry, currency: Currency) -> Self {
        Self {
            account: entry.account.id.to_string(),
            sequence: entry.sequence,
            direction: entry.direction.into(),
            amount: format_minor(entry.amount.minor(), currency),
            balance_after: format_minor(entry.balance_after, currency),
            transfer: entry.transfer.to_string(),
            created_at: time(entry.created_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_ledger() {
        for direction in Direction::ALL {
            let written = serde_json::to_value(Side::from(*direction)).unwrap();
            assert_eq!(written, direction.name());
        }
    }
}

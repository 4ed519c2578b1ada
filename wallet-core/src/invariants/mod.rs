//! What must hold of any books at any time, read through the ports alone.
//!
//! Nothing may be committed while [`Books::read`] runs: it takes many reads.

mod accounts;
mod acknowledged;
mod books;
mod events;
mod holds;
#[cfg(all(test, feature = "testkit"))]
mod tests;
mod transfers;
mod violation;

use std::sync::Arc;

use crate::{LedgerStore, Outbox, Outcome, RecordKey, StoreError};

pub use accounts::{accounts, zero_sum};
pub use acknowledged::acknowledged;
pub use books::Books;
pub use events::{effects_of, events};
pub use holds::holds;
pub use transfers::{reversals, transfers};
pub use violation::Violation;

/// Checks everything: the books, the outbox where one is given of which
/// nothing was delivered yet, and that what was `acknowledged` is recorded
/// still.
///
/// # Errors
/// Those of the ports; `Unavailable` when somebody else has the outbox.
pub async fn check(
    store: &dyn LedgerStore,
    outbox: Option<&dyn Outbox>,
    acknowledged: &[(RecordKey, Arc<Outcome>)],
) -> Result<Vec<Violation>, StoreError> {
    let books = Books::read(store).await?;
    let mut violations = check_books(&books);
    violations.extend(self::acknowledged(store, &books, acknowledged).await?);
    if let Some(outbox) = outbox {
        violations.extend(events(outbox, &books, true).await?);
    }
    Ok(violations)
}

/// Checks all that the books alone can show.
#[must_use]
pub fn check_books(books: &Books) -> Vec<Violation> {
    let checks = [zero_sum, accounts, transfers, reversals, holds];
    checks.iter().flat_map(|check| check(books)).collect()
}

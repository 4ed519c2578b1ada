//! The invariants of every ledger, checked through the ports alone (feature
//! `verify`). It is for operators, benchmarks, and authors of adapters.
//!
//! [`Verifier`] reads a store and checks everything. The single checks are
//! functions of [`Books`].

pub mod reconcile;

mod accounts;
mod acknowledged;
mod books;
mod events;
mod holds;
mod progress;
mod read;
mod transfers;
mod verifier;
mod violation;

pub use accounts::{accounts, zero_sum};
pub use books::{Books, Gap, Moved, Sum, Totals, Unreadable};
pub use events::{Delivered, OutboxReport, effects_of};
pub use holds::holds;
pub use progress::{Progress, Stage};
pub use transfers::{reversals, transfers};
pub use verifier::{Report, Verifier, VerifyError};
pub use violation::Violation;

/// Runs all checks that need only the books.
#[must_use]
pub fn check_books(books: &Books) -> Vec<Violation> {
    let checks = [unreadable, zero_sum, accounts, transfers, reversals, holds];
    checks.iter().flat_map(|check| check(books)).collect()
}

/// Checks that the store could read all data.
#[must_use]
pub fn unreadable(books: &Books) -> Vec<Violation> {
    let Unreadable {
        entries,
        holds,
        transfers,
    } = &books.unreadable;
    let entries = entries.iter().flat_map(|(account, gaps)| {
        gaps.iter().map(|gap| Violation::EntriesUnreadable {
            account: *account,
            first: gap.first,
            last: gap.last,
            reason: gap.reason.clone(),
        })
    });
    let holds = holds
        .iter()
        .map(|(account, reason)| Violation::HoldsUnreadable {
            account: *account,
            reason: reason.clone(),
        });
    let transfers = transfers
        .iter()
        .map(|(transfer, reason)| Violation::TransferUnreadable {
            transfer: *transfer,
            reason: reason.clone(),
        });
    entries.chain(holds).chain(transfers).collect()
}

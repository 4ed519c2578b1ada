//! Whether the books are right, by the wallet's own checks.

use wallet_core::LedgerStore;
use wallet_core::testkit::invariants::{Books, acknowledged, check_books};

use crate::Result;
use crate::wallet::Acknowledged;

/// How many of many problems are told.
const TOLD: usize = 10;

/// Checks every invariant of the books, that they show `transfers` transfers,
/// and that every outcome of the sample is still there. Answers what is wrong.
pub(crate) async fn books(
    store: &dyn LedgerStore,
    transfers: u64,
    sample: &[Acknowledged],
) -> Result<Vec<String>> {
    let books = Books::read(store).await?;
    let mut violations = check_books(&books);
    violations.extend(acknowledged(store, &books, sample).await?);
    let told = violations.iter().take(TOLD).map(ToString::to_string);
    let mut problems: Vec<String> = told.collect();
    if let Some(more) = violations.len().checked_sub(TOLD).filter(|more| *more > 0) {
        problems.push(format!("and {more} more"));
    }
    let found = u64::try_from(books.existing_transfers().count())?;
    if found != transfers {
        problems.push(format!(
            "{transfers} transfers were acknowledged, the books show {found}"
        ));
    }
    Ok(problems)
}

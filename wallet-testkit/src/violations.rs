use std::sync::Arc;

use wallet_core::ledger::RecordKey;
use wallet_core::store::{LedgerStore, Outbox, StoreErrorKind};
use wallet_core::verify::{Delivered, OutboxReport, Verifier, VerifyError, Violation};
use wallet_core::{Outcome, StoreError};

/// A small page size, so that tests use several pages.
const PAGE: u32 = 200;

/// The violations of the ledger, of the `acknowledged` outcomes, and of the outbox,
/// where one is given. Nothing of that outbox may have been delivered yet.
///
/// # Errors
/// [`VerifyError`]; `Unavailable` when another owner holds the outbox lease.
pub async fn violations(
    store: &dyn LedgerStore,
    outbox: Option<&dyn Outbox>,
    acknowledged: &[(RecordKey, Arc<Outcome>)],
) -> Result<Vec<Violation>, VerifyError> {
    let mut verifier = Verifier::new(store)
        .with_page(PAGE)
        .with_acknowledged(acknowledged);
    if let Some(outbox) = outbox {
        verifier = verifier.with_outbox(outbox, Delivered::Nothing);
    }
    let report = verifier.run().await?;
    if report.outbox == Some(OutboxReport::Held) {
        let context = "somebody has the outbox";
        return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
    }
    Ok(report.violations)
}

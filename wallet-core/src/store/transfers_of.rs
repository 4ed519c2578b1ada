//! The transfers that entries belong to.

use std::collections::BTreeMap;

use crate::ledger::{Entry, InLedger, TransferKey, TransferWithReversals};
use crate::store::{LedgerStore, StoreError, StoreErrorKind};

/// The number of transfers that are read at a time.
const TRANSFERS: usize = 500;

/// The transfers of some entries.
pub(crate) struct TransfersOf(BTreeMap<TransferKey, TransferWithReversals>);

const fn key(entry: &Entry) -> TransferKey {
    InLedger::new(entry.account.ledger, entry.transfer)
}

impl TransfersOf {
    /// Reads each transfer of `entries` once.
    pub(crate) async fn read(
        ledger: &dyn LedgerStore,
        entries: &[Entry],
    ) -> Result<Self, StoreError> {
        let mut keys: Vec<TransferKey> = entries.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut transfers = BTreeMap::new();
        for keys in keys.chunks(TRANSFERS) {
            let rows = ledger.transfers(keys).await?.into_iter().flatten();
            transfers.extend(rows.map(|row| (row.transfer.key, row)));
        }
        Ok(Self(transfers))
    }

    /// The transfer of an entry.
    ///
    /// # Errors
    /// `Corrupt`: the ledger has the entry without its transfer.
    pub(crate) fn of(&self, entry: &Entry) -> Result<&TransferWithReversals, StoreError> {
        self.0.get(&key(entry)).ok_or_else(|| {
            let context = "an entry has no transfer";
            StoreError::new(StoreErrorKind::Corrupt, context)
        })
    }
}

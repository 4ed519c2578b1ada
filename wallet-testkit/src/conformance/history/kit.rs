use std::sync::Arc;

use crate::Kit;
use wallet_core::history::{
    HistoryError, HistoryHead, HistoryLine, HistoryQuery, HistoryRow, HistoryStore,
};
use wallet_core::ledger::{
    AccountKey, Direction, Epoch, InLedger, Restore, Sequence, TransferKind,
};
use wallet_core::store::StoreErrorKind;
use wallet_core::{AccountId, Amount, Currency, Entry, LedgerId, Timestamp, TransferId};

/// The greatest number of retries of one call.
const BUSY_MAX: usize = 1_000;

/// The kit of a history.
pub(super) type HistoryKit = Kit<dyn HistoryStore>;

impl Kit<dyn HistoryStore> {
    /// The history.
    #[must_use]
    pub fn history(&self) -> Arc<dyn HistoryStore> {
        self.port()
    }

    /// Writes lines.
    pub async fn append(&self, lines: &[HistoryLine]) {
        append(self.history().as_ref(), lines, &[]).await;
    }

    /// Writes lines that the ledger holds after these restores.
    pub async fn append_after(&self, restores: &[Restore], lines: &[HistoryLine]) {
        append(self.history().as_ref(), lines, restores).await;
    }

    /// Supersedes the rows of an account that these restores leave in doubt.
    pub async fn supersede(&self, account: AccountKey, restores: &[Restore]) {
        let done = self.history().supersede(&[account], restores).await;
        done.expect("superseded");
    }

    /// The lines of an account that these restores leave in doubt, the oldest
    /// first.
    pub async fn superseded(&self, restores: &[Restore], account: AccountKey) -> Vec<HistoryLine> {
        let query = HistoryQuery::first(account, u32::MAX);
        let page = self.history().superseded(&query, restores).await;
        let rows = page.expect("a page").rows.into_iter();
        rows.map(|row| row.line).collect()
    }

    /// The error of refused lines.
    pub async fn refused(&self, lines: &[HistoryLine]) -> HistoryError {
        self.refused_after(&[], lines).await
    }

    /// The error of refused lines after these restores.
    pub async fn refused_after(&self, restores: &[Restore], lines: &[HistoryLine]) -> HistoryError {
        let refused = self.history().append(lines, restores).await;
        refused.expect_err("lines that must be refused")
    }

    /// All rows of an account, the oldest first.
    pub async fn rows(&self, account: AccountKey) -> Vec<HistoryRow> {
        self.page(&HistoryQuery::first(account, u32::MAX)).await
    }

    /// The rows of a page.
    pub async fn page(&self, query: &HistoryQuery) -> Vec<HistoryRow> {
        let page = self.history().page(query, &[]).await;
        page.expect("a page").rows
    }

    /// The lines of an account, the oldest first.
    pub async fn lines(&self, account: AccountKey) -> Vec<HistoryLine> {
        self.lines_after(&[], account).await
    }

    /// The lines of an account that the ledger holds after these restores, the
    /// oldest first.
    pub async fn lines_after(&self, restores: &[Restore], account: AccountKey) -> Vec<HistoryLine> {
        let query = HistoryQuery::first(account, u32::MAX);
        let page = self.history().page(&query, restores).await;
        let rows = page.expect("a page").rows.into_iter();
        rows.map(|row| row.line).collect()
    }

    /// The head of an account's history.
    pub async fn head(&self, account: AccountKey) -> HistoryHead {
        let heads = self.history().heads(&[account]).await.expect("heads");
        assert_eq!(heads.len(), 1, "one answer per account");
        heads[0]
    }
}

/// Writes lines, with retries after conflicts.
pub(super) async fn append(
    history: &dyn HistoryStore,
    lines: &[HistoryLine],
    restores: &[Restore],
) {
    for _ in 0..BUSY_MAX {
        match history.append(lines, restores).await {
            Ok(()) => return,
            Err(HistoryError::Store(error)) if error.kind() == StoreErrorKind::Conflict => {}
            Err(error) => panic!("the history failed: {error}"),
        }
        std::thread::yield_now();
    }
    panic!("the history was too busy {BUSY_MAX} times");
}

/// An account of the default ledger.
#[must_use]
pub fn account(number: u8) -> AccountKey {
    let mut bytes = [0x11; 16];
    bytes[15] = number;
    InLedger::new(LedgerId::default(), AccountId::from_bytes(bytes))
}

/// The first lines of an account, at these microseconds since the epoch. Every
/// third is a debit. Each belongs to a separate transfer.
#[must_use]
pub fn lines(account: AccountKey, times: &[i64]) -> Vec<HistoryLine> {
    let mut balance: i128 = 0;
    let mut sequence: Sequence = 0;
    let lines = times.iter().map(|at| {
        sequence += 1;
        let minor = 100 + i128::from(sequence);
        let direction = if sequence % 3 == 0 {
            Direction::Debit
        } else {
            Direction::Credit
        };
        balance += if direction == Direction::Debit {
            -minor
        } else {
            minor
        };
        let mut transfer = *account.id.as_bytes();
        transfer[..8].copy_from_slice(&sequence.to_be_bytes());
        HistoryLine {
            entry: Entry {
                account,
                sequence,
                epoch: Epoch::FIRST,
                version: sequence * 2,
                direction,
                amount: Amount::new(minor).unwrap(),
                balance_after: balance,
                transfer: TransferId::from_bytes(transfer),
                leg: 0,
                created_at: Timestamp::from_micros(*at),
            },
            currency: Currency::iso("EUR").unwrap(),
            kind: TransferKind::Transfer,
            code: 7,
            reference: None,
        }
    });
    lines.collect()
}

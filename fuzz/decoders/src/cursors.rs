use std::fmt::Display;
use std::str::FromStr;

use wallet_core::audit::AuditCheckpoint;
use wallet_core::history::{HistoryCursor, HistoryQuery};
use wallet_core::ledger::{AccountKey, InLedger, TransferKind};
use wallet_core::store::Order;
use wallet_core::{AccountId, LedgerId};

/// Cursors of list pages. A cursor of another account or order is refused.
pub(crate) fn check(bytes: &[u8]) {
    let account = |byte| -> AccountKey {
        InLedger::new(LedgerId::default(), AccountId::from_bytes([byte; 16]))
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    stays::<AuditCheckpoint>(text);
    if let Some(kind) = TransferKind::of_name(text) {
        assert_eq!(kind.name(), text);
    }
    let Ok(cursor) = text.parse::<HistoryCursor>() else {
        return;
    };
    assert_eq!(cursor.to_string(), text.to_lowercase());
    let mut taken = 0;
    for (owner, order) in [
        (1, Order::Ascending),
        (1, Order::Descending),
        (2, Order::Ascending),
    ] {
        let mut query = HistoryQuery::first(account(owner), 10);
        query.order = order;
        query.cursor = Some(cursor.clone());
        if let Ok(Some((at, sequence))) = query.after() {
            taken += 1;
            assert_eq!(query.cursor_behind(at, sequence), cursor);
        }
    }
    assert!(taken <= 1, "one cursor, several lists");
}

/// A decoded cursor encodes to a text that decodes to the same cursor.
fn stays<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let again = read.to_string().parse::<T>();
        assert!(again.is_ok_and(|again| again == read), "{text}");
    }
}

use uuid::Uuid;
use wallet_core::request::InvalidRequest;
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, WalletError};

use crate::service::world::record;

#[test]
fn codes_and_advice_are_those_of_the_first_release() {
    let store = |kind| WalletError::from(StoreError::new(kind, "a test"));
    let unknown = WalletError::Indeterminate {
        key: record("t"),
        ids: vec![Uuid::nil()],
    };
    let behind = WalletError::ClockBehind { ahead_micros: 1 };
    let invalid = WalletError::from(InvalidRequest::TooLarge);
    let golden = [
        (invalid, "invalid_request", false),
        (
            WalletError::IdempotencyMismatch,
            "idempotency_mismatch",
            false,
        ),
        (WalletError::Overloaded, "overloaded", true),
        (WalletError::ShuttingDown, "shutting_down", true),
        (behind, "clock_behind", true),
        (unknown, "indeterminate", true),
        (
            store(StoreErrorKind::Unavailable),
            "store_unavailable",
            true,
        ),
        (store(StoreErrorKind::Conflict), "store_conflict", true),
        (store(StoreErrorKind::Indeterminate), "indeterminate", true),
        (store(StoreErrorKind::Invalid), "store_refused", false),
        (store(StoreErrorKind::Corrupt), "store_corrupt", false),
        (store(StoreErrorKind::Internal), "store_internal", false),
    ];
    for (error, code, is_retryable) in golden {
        let reported = (error.code(), error.is_retryable());
        assert_eq!(reported, (code, is_retryable), "{error:?}");
    }
}

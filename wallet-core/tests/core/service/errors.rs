use uuid::Uuid;
use wallet_core::ledger::{
    AmountError, CurrencyError, DecimalError, SplitError, TextError, split_amount,
};
use wallet_core::request::InvalidRequest;
use wallet_core::service::{BuildError, InvalidValue};
use wallet_core::store::{ApplyError, NotAccepted, StoreErrorKind, TransactionLost};
use wallet_core::{
    AccountId, Amount, Currency, Owner, Rejected, Rejection, StoreError, WalletError,
};

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
    let rejected = Rejected {
        rejection: Rejection::InsufficientFunds,
        command: 0,
        subject: Uuid::nil(),
    };
    let no_clock = WalletError::from(BuildError::NoClock);
    let golden = [
        (rejected.into(), "insufficient_funds", false),
        (TextError::Empty.into(), "invalid_value", false),
        (WalletError::TransactionLost(None), "transaction_lost", true),
        (WalletError::CommitUnknown, "commit_unknown", false),
        (WalletError::CallDropped, "call_dropped", false),
        (WalletError::CommittedEarly, "committed_early", false),
        (WalletError::TransactionEnded, "transaction_ended", false),
        (WalletError::InsideTransaction, "inside_transaction", false),
        (no_clock, "invalid_settings", false),
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

/// Every error that a host meets on its way to a submission converts with `?`.
#[test]
fn every_error_of_a_value_and_of_a_hosts_transaction_converts() {
    let value = |error: WalletError| match error {
        WalletError::Value(value) => value,
        other => panic!("{other:?}"),
    };
    let id = "no id".parse::<AccountId>().unwrap_err();
    let share = split_amount(Amount::new(1).unwrap(), &[]).unwrap_err();
    let eur = Currency::iso("EUR").unwrap();
    let text: TextError = Owner::new("").unwrap_err();
    let amount: AmountError = Amount::new(0).unwrap_err();
    let decimal: DecimalError = eur.parse("0.001").unwrap_err();
    let currency: CurrencyError = Currency::iso("XYZ").unwrap_err();
    let values = [
        (value(text.into()), InvalidValue::Text(text)),
        (value(amount.into()), InvalidValue::Amount(amount)),
        (value(decimal.into()), InvalidValue::Decimal(decimal)),
        (value(currency.into()), InvalidValue::Currency(currency)),
        (value(id.clone().into()), InvalidValue::Id(id)),
        (value(share.into()), InvalidValue::Split(share)),
    ];
    for (converted, expected) in values {
        assert_eq!(converted, expected);
    }
    let _: SplitError = share;

    let rejected = Rejected {
        rejection: Rejection::AccountClosed,
        command: 1,
        subject: Uuid::from_u128(3),
    };
    let store = || StoreError::new(StoreErrorKind::Unavailable, "a test");
    let request = 2;
    let ahead_micros = 5;
    let behind = NotAccepted::ClockBehind {
        request,
        ahead_micros,
    };
    let codes = [
        (
            NotAccepted::Rejected { request, rejected }.into(),
            "account_closed",
        ),
        (
            NotAccepted::IdempotencyMismatch { request }.into(),
            "idempotency_mismatch",
        ),
        (NotAccepted::Blocked { request }.into(), "store_conflict"),
        (behind.into(), "clock_behind"),
        (
            ApplyError::TransactionLost(Some(store())).into(),
            "transaction_lost",
        ),
        (ApplyError::CommittedEarly.into(), "committed_early"),
        (ApplyError::Store(store()).into(), "store_unavailable"),
        (TransactionLost.into(), "transaction_lost"),
    ];
    for (error, code) in codes {
        let error: WalletError = error;
        assert_eq!(error.code(), code);
        assert_eq!(error.rejected().is_some(), code == "account_closed");
    }
}

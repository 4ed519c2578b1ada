use std::sync::Arc;

use wallet_core::ledger::{Decided, KeyScope, KeyText, RecordKey};
use wallet_core::request::PreparedRequest;
use wallet_core::test_hooks::{PreparedFor, prepared_for};
use wallet_core::{IdempotencyKey, LedgerId, Outcome};

/// Whether the outcome is an item's refusal because of a cancellation, of its bulk
/// request or of its own key. Nothing is recorded for the first.
pub(crate) fn is_cancelled_with_its_bulk(request: &PreparedRequest, decided: &Decided) -> bool {
    let is_item = matches!(prepared_for(request), PreparedFor::Item(_));
    is_item && matches!(decided, Decided::Replayed(outcome) if outcome.is_cancelled())
}

/// The key `text` in the kit's scope.
#[must_use]
pub(crate) fn key(text: &str) -> IdempotencyKey {
    let scope = KeyScope::new("kit").expect("a scope");
    IdempotencyKey::new(scope, KeyText::new(text).expect("a key"))
}

/// The record key of [`key`] in the default ledger.
#[must_use]
pub(crate) fn record_key(text: &str) -> RecordKey {
    key(text).record_key(LedgerId::default())
}

/// The outcome of a request that must be freshly decided.
pub(crate) fn fresh(decided: Decided) -> Arc<Outcome> {
    match decided {
        Decided::Fresh(outcome) => outcome,
        other => panic!("not decided afresh: {other:?}"),
    }
}

/// The outcome of a request that must be a replay.
pub(crate) fn replayed(decided: Decided) -> Arc<Outcome> {
    match decided {
        Decided::Replayed(outcome) => outcome,
        other => panic!("not a replay: {other:?}"),
    }
}

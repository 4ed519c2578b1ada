use std::fmt::Debug;

use wallet_core::edge::SessionId;
use wallet_core::ledger::{
    Description, KeyScope, KeyText, LimitName, LimitScope, LockName, LockOwner, SessionUser,
};
use wallet_core::{
    AccountId, IdempotencyKey, LedgerId, Metadata, Owner, Reference, SettlementName,
};

/// Texts of callers: an accepted text is stored unchanged.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    same(Owner::new(text), Owner::as_str, text);
    same(Reference::new(text), Reference::as_str, text);
    same(Description::new(text), Description::as_str, text);
    same(KeyText::new(text), KeyText::as_str, text);
    same(KeyScope::new(text), KeyScope::as_str, text);
    same(SettlementName::new(text), SettlementName::as_str, text);
    same(LockName::new(text), LockName::as_str, text);
    same(LockOwner::new(text), LockOwner::as_str, text);
    same(LimitName::new(text), LimitName::as_str, text);
    same(LimitScope::new(text), LimitScope::as_str, text);
    same(SessionUser::new(text), SessionUser::as_str, text);
    if let Ok(id) = text.parse::<AccountId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(session) = text.parse::<SessionId>() {
        assert_eq!(session.reveal(), text);
    }
    if let Ok(metadata) = Metadata::parse(text) {
        let canonical = metadata.as_str();
        assert_eq!(Metadata::parse(canonical).as_ref(), Ok(&metadata));
        let (given, canonical): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(text).unwrap(),
            serde_json::from_str(canonical).unwrap(),
        );
        assert_eq!(given, canonical);
    }
    if let Some((scope, text)) = text.split_once('\n')
        && let Ok(key) = IdempotencyKey::parse(scope, text)
    {
        // With scope and key swapped it is another key.
        let moved = IdempotencyKey::parse(text, scope);
        let ledger = LedgerId::default();
        let is_same = moved.is_ok_and(|moved| moved.record_key(ledger) == key.record_key(ledger));
        assert!(!is_same || scope == text);
    }
}

fn same<T, E: Debug>(parsed: Result<T, E>, shown: impl Fn(&T) -> &str, text: &str) {
    if let Ok(parsed) = parsed {
        assert_eq!(shown(&parsed), text);
    }
}

use std::sync::Arc;

use wallet_core::LedgerId;
use wallet_core::store::codec::{
    decode_balance, decode_hold, decode_outbox, decode_outcome, decode_transfer, encode_balance,
    encode_hold, encode_outbox, encode_outcome, encode_transfer,
};

/// Stored outcomes, transfers, holds and balances. Damaged bytes are an error, and a
/// decoded value encodes to bytes that decode to the same value.
pub(crate) fn check(bytes: &[u8]) {
    let ledger = LedgerId::new(7);
    if let Ok(outcome) = decode_outcome(ledger, bytes) {
        let again = decode_outcome(ledger, &encode_outcome(&outcome));
        assert_eq!(again.unwrap(), outcome);
        let _ = (outcome.balances(), outcome.positions());
        let _ = outcome.entries().count();
    }
    if let Ok(transfer) = decode_transfer(ledger, bytes) {
        let again = decode_transfer(ledger, &encode_transfer(&transfer));
        assert_eq!(again.unwrap(), transfer);
    }
    if let Ok(hold) = decode_hold(ledger, bytes) {
        let again = decode_hold(ledger, &encode_hold(&hold));
        assert_eq!(again.unwrap(), hold);
    }
    if let Ok(balance) = decode_balance(ledger, bytes) {
        let again = decode_balance(ledger, &encode_balance(&balance));
        assert_eq!(again.unwrap(), balance);
        let _ = (balance.posted(), balance.available());
    }
}

/// A row of the outbox. One without changes of an account is not written.
pub(crate) fn check_outbox(bytes: &[u8]) {
    let Ok(accepted) = decode_outbox(bytes) else {
        return;
    };
    let accepted = accepted.into_iter();
    let accepted: Vec<_> = accepted
        .map(|(ledger, outcome)| (ledger, Arc::new(outcome)))
        .collect();
    let Some(again) = encode_outbox(&accepted) else {
        return;
    };
    let again = decode_outbox(&again).unwrap().into_iter();
    let again: Vec<_> = again
        .map(|(ledger, outcome)| (ledger, Arc::new(outcome)))
        .collect();
    assert_eq!(again, accepted);
}

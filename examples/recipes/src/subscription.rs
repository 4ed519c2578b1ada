//! A subscription that is charged once a month.
//!
//! A refusal is recorded under its key and repeated for ever, so each try has a key of its
//! own. The months are safe all the same: the last try says whether the next one is needed.

use wallet::prelude::*;

/// The most tries for one month.
pub const TRIES: u32 = 4;

/// What became of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charged {
    /// It is paid.
    Paid,
    /// Try again later: there was too little money at each try so far.
    Later,
    /// No further try: end the subscription.
    GivenUp,
}

/// Charges a month, such as `"2026-11"`, at most once. Call it as often as you like, for
/// example once a day: each call makes at most one new try.
///
/// # Errors
/// Any other refusal, and errors that leave the result unknown: call again.
pub async fn charge(
    keys: &wallet::Scope,
    subscription: u32,
    month: &str,
    pay: &PostTransfer,
) -> Result<Charged, WalletError> {
    for attempt in 1..=TRIES {
        let key = format!("subscription-{subscription}-{month}-{attempt}");
        match keys.accepted(&key).await {
            Ok(Some(_)) => return Ok(Charged::Paid),
            // This try was refused earlier.
            Err(WalletError::Rejected(_)) => {}
            Err(error) => return Err(error),
            Ok(None) => {
                return match keys.run(&key, pay.clone()).await {
                    Ok(_) => Ok(Charged::Paid),
                    Err(error) if is_short(&error) => Ok(Charged::Later),
                    Err(error) => Err(error),
                };
            }
        }
    }
    Ok(Charged::GivenUp)
}

fn is_short(error: &WalletError) -> bool {
    let why = error.rejected().map(|rejected| rejected.rejection);
    why == Some(Rejection::InsufficientFunds)
}

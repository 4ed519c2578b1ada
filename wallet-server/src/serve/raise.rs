//! The raised limit of how far an account's time may run ahead of the store's clock. It
//! is requested at the start and logged while it lasts.

use std::time::Duration;

use wallet_core::runtime::Clock;
use wallet_core::service::RaiseError;
use wallet_core::{SystemClock, Timestamp, Wallet};

use crate::config::Config;
use crate::error::StartError;

/// How often the log reports that a raise is in effect.
const REPORTED_EVERY: Duration = Duration::from_secs(60);

/// Raises the limit if the settings ask for it, and reports it until it ends. A raise
/// that has already ended is skipped.
///
/// # Errors
/// [`StartError::Raise`] for a raise that is too far or too long.
pub(super) fn start(wallet: &Wallet, config: &Config) -> Result<(), StartError> {
    let (Some(bound_ms), Some(until)) = (config.raise_max_ahead_ms, config.raise_max_ahead_until)
    else {
        return Ok(());
    };
    match wallet.raise_max_ahead(Duration::from_millis(bound_ms), until) {
        Ok(()) => {
            tokio::spawn(report(bound_ms, until));
            Ok(())
        }
        Err(RaiseError::Over) => {
            tracing::warn!(
                until_micros = until.as_micros(),
                "the raise of max-ahead is over: remove the setting"
            );
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

async fn report(bound_ms: u64, until: Timestamp) {
    let until_micros = until.as_micros();
    loop {
        let left = until.since(SystemClock.now());
        if left.is_zero() {
            tracing::warn!(until_micros, "the raise of max-ahead has ended");
            return;
        }
        tracing::warn!(
            bound_ms,
            until_micros,
            "accounts' times may run ahead of the store's clock for a while"
        );
        SystemClock.sleep(left.min(REPORTED_EVERY)).await;
    }
}

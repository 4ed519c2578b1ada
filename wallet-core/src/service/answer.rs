use std::sync::Arc;

use crate::ledger::{Account, Hold, Outcome, Posted, Receipt, Rejected};

/// The answer of [`submit_raw`](crate::service::Wallet::submit_raw). A refusal is an
/// answer too: check [`accepted`](Self::accepted). Hosts use
/// [`submit`](crate::service::Wallet::submit), where a refusal is an error.
///
/// Without the check the payment may have been refused, and the compiler warns:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use wallet_core::{Request, Wallet};
/// # async fn pay(wallet: &Wallet, pay: Request) -> Result<(), Box<dyn std::error::Error>> {
/// wallet.submit_raw(pay).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a refused payment is an `Answer` as well: ask `accepted`"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The recorded outcome: receipts, or the rejection.
    pub outcome: Arc<Outcome>,
    /// Whether this is a replay of an earlier answer under the same key.
    pub replayed: bool,
}

impl Answer {
    /// The receipts, one per command.
    ///
    /// # Errors
    /// [`Rejected`] when the rules refused the request.
    pub fn accepted(&self) -> Result<&[Receipt], Rejected> {
        match &self.outcome.result {
            Ok(receipts) => Ok(receipts),
            Err(rejected) => Err(*rejected),
        }
    }

    /// The first account that the request opened, if it opened one.
    ///
    /// # Errors
    /// [`Rejected`] when the rules refused the request.
    pub fn account(&self) -> Result<Option<&Account>, Rejected> {
        self.accepted().map(|_| self.outcome.account())
    }

    /// The first transfer that the request posted, if it posted one.
    ///
    /// # Errors
    /// [`Rejected`] when the rules refused the request.
    pub fn posted(&self) -> Result<Option<&Posted>, Rejected> {
        self.accepted().map(|_| self.outcome.posted())
    }

    /// The first hold that the request placed, captured, released or expired, in
    /// its state after the request.
    ///
    /// # Errors
    /// [`Rejected`] when the rules refused the request.
    pub fn hold(&self) -> Result<Option<&Hold>, Rejected> {
        self.accepted().map(|_| self.outcome.hold())
    }
}

use std::sync::Arc;

use super::Answer;
use crate::ledger::{
    Account, AccountKey, Hold, Outcome, Position, Posted, Receipt, Rejected, Timestamp,
};

/// The result of a request that the rules accepted.
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use wallet_core::memory::MemoryStore;
/// use wallet_core::prelude::*;
/// # use std::sync::Arc;
/// # use wallet_core::SystemClock;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let wallet = Wallet::builder(MemoryStore::new(Arc::new(SystemClock))).spawn()?;
/// let eur = Currency::iso("EUR")?;
/// let key = IdempotencyKey::parse("docs", "open-two")?;
/// let open = |owner: &str| owner.parse().map(|owner| OpenAccount::new(owner, eur).into());
/// let both = Request::of_many(key, vec![open("ada")?, open("bob")?]);
/// let accepted = wallet.submit(both).await?;
/// assert_eq!(accepted.receipts().len(), 2);
/// assert!(!accepted.is_replay());
/// # Ok::<(), WalletError>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    outcome: Arc<Outcome>,
    is_replay: bool,
}

impl Accepted {
    /// The receipts, one per command in order.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        self.outcome.receipts()
    }

    /// The time of the request.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.outcome.at
    }

    /// Whether the request was accepted earlier under the same key, and nothing was
    /// done now.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// The position of each changed account: see [`Outcome::positions`].
    #[must_use]
    pub fn positions(&self) -> Vec<(AccountKey, Position)> {
        self.outcome.positions()
    }

    /// The recorded outcome.
    #[must_use]
    pub const fn outcome(&self) -> &Arc<Outcome> {
        &self.outcome
    }

    /// The first account that the request opened, if it opened one.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.outcome.account()
    }

    /// The first transfer that the request posted, if it posted one.
    #[must_use]
    pub fn posted(&self) -> Option<&Posted> {
        self.outcome.posted()
    }

    /// The first hold that the request placed, captured, released or expired, in its
    /// state after the request.
    #[must_use]
    pub fn hold(&self) -> Option<&Hold> {
        self.outcome.hold()
    }
}

impl TryFrom<Answer> for Accepted {
    type Error = Rejected;

    fn try_from(answer: Answer) -> Result<Self, Rejected> {
        match answer.outcome.result {
            Ok(_) => Ok(Self {
                outcome: answer.outcome,
                is_replay: answer.replayed,
            }),
            Err(rejected) => Err(rejected),
        }
    }
}

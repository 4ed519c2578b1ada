//! Submitting one command at a time, with its receipt as a type.

use std::time::Duration;

use super::{Accepted, Answer, Ensured, Wallet, WalletError, other_receipt};
use crate::ledger::{IdempotencyKey, KeyScope, KeyText, LedgerId, TextError};
use crate::request::{Command, OpenAccount, Recorded, Request, TypedCommand};

/// A [`Wallet`] with a scope of idempotency keys, in one ledger. It is cheap to
/// clone.
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
/// let shop = wallet.scope("shop")?;
/// let eur = Currency::iso("EUR")?;
/// let ada = shop.run("open-ada", OpenAccount::new("ada".parse()?, eur)).await?;
/// let bob = shop.run("open-bob", OpenAccount::new("bob".parse()?, eur)).await?;
/// let deposit = Deposit::new(ada.id(), eur.parse("50.00")?, SettlementName::new("bank")?);
/// shop.run("deposit-1", deposit).await?;
///
/// let pay = PostTransfer::simple(ada.id(), bob.id(), eur.parse("30.00")?);
/// let paid = shop.run("pay-1", pay.clone().with_reference("order-7")?).await?;
/// assert_eq!(paid.transfer.legs.len(), 1);
///
/// // A refusal is an error.
/// let refused = shop.run("pay-2", pay).await.unwrap_err();
/// assert_eq!(refused.code(), "insufficient_funds");
/// # Ok::<(), WalletError>(())
/// # })?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scope {
    wallet: Wallet,
    name: KeyScope,
    ledger: LedgerId,
}

impl Wallet {
    /// The wallet with a scope of idempotency keys, in the default ledger.
    ///
    /// # Errors
    /// [`WalletError::Value`] where `scope` is no [`KeyScope`].
    pub fn scope(&self, scope: &str) -> Result<Scope, WalletError> {
        Ok(Scope {
            wallet: self.clone(),
            name: KeyScope::new(scope)?,
            ledger: LedgerId::default(),
        })
    }
}

impl Scope {
    /// The same scope in another ledger.
    #[must_use]
    pub const fn in_ledger(mut self, ledger: LedgerId) -> Self {
        self.ledger = ledger;
        self
    }

    /// The same scope with a deadline: see [`Wallet::within`].
    #[must_use]
    pub fn within(&self, wait: Duration) -> Self {
        Self {
            wallet: self.wallet.within(wait),
            ..self.clone()
        }
    }

    /// An idempotency key of this scope.
    ///
    /// # Errors
    /// [`TextError`] where `key` is no [`KeyText`].
    pub fn key(&self, key: &str) -> Result<IdempotencyKey, TextError> {
        Ok(IdempotencyKey::new(self.name.clone(), KeyText::new(key)?))
    }

    /// Carries out one command under `key` and returns its receipt. The same again
    /// returns the same receipt and does nothing.
    ///
    /// # Errors
    /// [`WalletError`]; [`WalletError::Rejected`] where the rules refuse the command.
    pub async fn run<C: TypedCommand>(
        &self,
        key: &str,
        command: C,
    ) -> Result<C::Receipt, WalletError> {
        let accepted = self.submit(Request::new(self.key(key)?, command)).await?;
        let receipt = accepted.receipts().first().and_then(C::receipt);
        receipt.cloned().ok_or_else(other_receipt)
    }

    /// Carries out one command like [`run`](Self::run), and again under the same key after an
    /// error that may pass, until the result is known or `patience` is over. The last try may
    /// take longer, unless it has a deadline: [`within`](Self::within).
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use std::time::Duration;
    /// use wallet_core::memory::MemoryStore;
    /// use wallet_core::prelude::*;
    /// # use std::sync::Arc;
    /// # use wallet_core::SystemClock;
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// let wallet = Wallet::builder(MemoryStore::new(Arc::new(SystemClock))).spawn()?;
    /// let open = OpenAccount::new("ada".parse()?, Currency::iso("EUR")?);
    /// let shop = wallet.scope("shop")?.within(Duration::from_secs(5));
    /// match shop.run_until_known("open-ada", open, Duration::from_secs(60)).await {
    ///     Ok(account) => println!("{}", account.id()),
    ///     Err(WalletError::Indeterminate { .. }) => println!("not known after a minute"),
    ///     Err(error) => println!("not done: {error}"),
    /// }
    /// # Ok::<(), WalletError>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WalletError::Indeterminate`] if any try may still be carried out. Otherwise the
    /// error of the last try.
    pub async fn run_until_known<C: TypedCommand + Clone>(
        &self,
        key: &str,
        command: C,
        patience: Duration,
    ) -> Result<C::Receipt, WalletError> {
        let shared = &self.wallet.shared;
        let begun = shared.clock.now();
        let mut unknown = None;
        for failures in 1_u32.. {
            let error = match self.run(key, command.clone()).await {
                Ok(receipt) => return Ok(receipt),
                Err(
                    error @ (WalletError::Rejected(_)
                    | WalletError::IdempotencyMismatch
                    | WalletError::Value(_)
                    | WalletError::Invalid(_)),
                ) => return Err(error),
                Err(error) => error,
            };
            let passes = error.is_retryable() && !matches!(error, WalletError::ShuttingDown);
            let pause = shared.settings.retry.pause(failures);
            let waited = shared.clock.now().since(begun).saturating_add(pause);
            let error = if matches!(error, WalletError::Indeterminate { .. }) {
                unknown.insert(error).clone()
            } else {
                error
            };
            if !passes || waited >= patience {
                return Err(unknown.unwrap_or(error));
            }
            shared.clock.sleep(pause).await;
        }
        Err(other_receipt())
    }

    /// Carries out several commands under `key`, all or none. The receipts are in
    /// the order of the commands.
    ///
    /// # Errors
    /// [`WalletError`]; [`WalletError::Rejected`] where the rules refuse a command.
    pub async fn run_all(
        &self,
        key: &str,
        commands: Vec<Command>,
    ) -> Result<Accepted, WalletError> {
        self.submit(Request::of_many(self.key(key)?, commands))
            .await
    }

    /// Gets an account, or opens it, in the scope's ledger: see
    /// [`Wallet::ensure_account`].
    ///
    /// # Errors
    /// The same as [`Wallet::ensure_account`].
    pub async fn ensure_account(&self, open: OpenAccount) -> Result<Ensured, WalletError> {
        self.wallet.ensure_account_in(self.ledger, open).await
    }

    /// What was accepted under a key; `None` when nothing is recorded under it so far. It
    /// waits for a commit that the store has begun. Like [`Wallet::outcome`], `None` does
    /// not exclude a later commit: [`cancel`](Self::cancel) does.
    ///
    /// # Errors
    /// [`WalletError::Rejected`] where the request under the key was refused. Otherwise
    /// [`WalletError`].
    pub async fn accepted(&self, key: &str) -> Result<Option<Accepted>, WalletError> {
        let outcome = self.wallet.outcome(self.ledger, &self.key(key)?).await?;
        let accepted = outcome.map(|outcome| {
            let replayed = true;
            Accepted::try_from(Answer { outcome, replayed })
        });
        Ok(accepted.transpose()?)
    }

    /// Cancels a key: see [`Wallet::cancel`].
    ///
    /// # Errors
    /// The same as [`Wallet::cancel`].
    pub async fn cancel(&self, key: &str) -> Result<Recorded, WalletError> {
        self.wallet.cancel(self.ledger, &self.key(key)?).await
    }

    /// The wallet.
    #[must_use]
    pub const fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    async fn submit(&self, request: Request) -> Result<Accepted, WalletError> {
        self.wallet.submit(request.in_ledger(self.ledger)).await
    }
}

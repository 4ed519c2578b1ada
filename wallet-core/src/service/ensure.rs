//! Getting an account, or opening it.

use super::{Wallet, WalletError, other_receipt};
use crate::ledger::{
    Account, AccountId, IdempotencyKey, InLedger, KeyScope, KeyText, LedgerId, Rejected, Rejection,
    Status,
};
use crate::request::{OpenAccount, Request};

/// The scope of the keys under which accounts are opened here.
const SCOPE: &str = "wallet.ensure";

/// An account that exists, from [`Wallet::ensure_account`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// The account as it is.
    pub account: Account,
    /// Whether this call opened it.
    pub is_new: bool,
    /// The fields in which the account differs from the command. They are never
    /// changed by the call.
    pub differs: Vec<Difference>,
}

impl Ensured {
    /// The account's id.
    #[must_use]
    pub const fn id(&self) -> AccountId {
        self.account.id()
    }
}

/// A field in which an existing account differs from the command that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Difference {
    /// The overdraft policy.
    Policy,
    /// The maximum balance.
    MaxBalance,
    /// The metadata.
    Metadata,
    /// The account is not [`Active`](Status::Active).
    Status,
    /// One is a system account, the other is not.
    System,
}

impl Wallet {
    /// Gets an account of the default ledger, or opens it. Where the command names
    /// no id, the id is [`AccountId::derived`] with an empty label. So an owner has
    /// one such account per currency.
    ///
    /// The call needs no idempotency key, and it may be repeated for ever: an
    /// account that exists is read, and nothing is committed. Callers that race get
    /// one account.
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
    /// let ada = || Ok::<_, WalletError>(OpenAccount::new("ada".parse()?, Currency::iso("EUR")?));
    /// let first = wallet.ensure_account(ada()?).await?;
    /// let again = wallet.ensure_account(ada()?).await?;
    /// assert_eq!((first.is_new, again.is_new), (true, false));
    /// assert_eq!(first.id(), again.id());
    /// # Ok::<(), WalletError>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WalletError::Rejected`] with [`Rejection::IdTaken`] where the account
    /// belongs to another owner or holds another currency. Otherwise
    /// [`WalletError`].
    pub async fn ensure_account(&self, open: OpenAccount) -> Result<Ensured, WalletError> {
        self.ensure_account_in(LedgerId::default(), open).await
    }

    pub(super) async fn ensure_account_in(
        &self,
        ledger: LedgerId,
        mut open: OpenAccount,
    ) -> Result<Ensured, WalletError> {
        let derived = || AccountId::derived(ledger, &open.owner, open.currency, "");
        let id = open.id.unwrap_or_else(derived);
        open.id = Some(id);
        let account = InLedger::new(ledger, id);
        if let Some(account) = self.account(account).await? {
            return found(account, &open);
        }
        // A key of its own for each try: a refusal that no longer stands is not replayed.
        let key = self.shared.ids.new_id().to_string();
        let key = IdempotencyKey::new(KeyScope::new(SCOPE)?, KeyText::new(&key)?);
        let request = Request::new(key, open.clone()).in_ledger(ledger);
        match self.submit(request).await {
            Err(WalletError::Rejected(rejected)) if rejected.rejection == Rejection::IdTaken => {
                let Some(account) = self.account(account).await? else {
                    return Err(rejected.into());
                };
                found(account, &open)
            }
            Err(error) => Err(error),
            Ok(accepted) => {
                let opened = accepted.account().cloned();
                let account = opened.ok_or_else(other_receipt)?;
                Ok(Ensured {
                    account,
                    is_new: true,
                    differs: Vec::new(),
                })
            }
        }
    }
}

fn found(account: Account, open: &OpenAccount) -> Result<Ensured, WalletError> {
    let OpenAccount {
        owner,
        currency,
        id: _,
        policy,
        max_balance,
        metadata,
        system,
    } = open;
    let state = &account.state;
    if account.owner != *owner || state.currency != *currency {
        return Err(WalletError::Rejected(Rejected {
            rejection: Rejection::IdTaken,
            command: 0,
            subject: account.id().uuid(),
        }));
    }
    let differs = [
        (Difference::Policy, state.policy != *policy),
        (Difference::MaxBalance, state.max_balance != *max_balance),
        (Difference::Metadata, account.metadata != *metadata),
        (Difference::Status, state.status != Status::Active),
        (Difference::System, state.system != *system),
    ];
    let differs = differs.into_iter().filter(|(_, differs)| *differs);
    Ok(Ensured {
        differs: differs.map(|(field, _)| field).collect(),
        account,
        is_new: false,
    })
}

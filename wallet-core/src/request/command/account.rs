//! Commands on an account.

use super::Command;
use crate::ledger::{AccountId, Amount, Currency, Metadata, Owner, Policy, Status};

command! {
    /// Opens an account at balance zero.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope) -> Result<(), WalletError> {
    /// let open = OpenAccount::new("ada".parse()?, Currency::iso("EUR")?);
    /// let ada: Account = shop.run("open-ada", open).await?;
    /// println!("{}", ada.id());
    /// # Ok(())
    /// # }
    /// ```
    OpenAccount
    needs {
        /// The owner, never with a [reserved prefix](crate::ledger::RESERVED_OWNERS).
        owner: Owner,
        /// The account's currency.
        currency: Currency,
    }
    may {
        /// The account's id. The service makes it when absent.
        id, with_id: Option<AccountId>,
        /// The overdraft policy. By default the balance is never negative.
        policy, with_policy: Policy,
        /// The maximum balance. By default there is none.
        max_balance, with_max_balance: Option<Amount>,
        /// The host's metadata for the account.
        metadata, with_metadata: Option<Metadata>,
        /// Whether this is a system account, which belongs to the host. Only
        /// [`SystemTransfer`](super::SystemTransfer) moves it. Nothing changes its status or limits, and its
        /// events are not published.
        system, with_system: bool,
    }
}

command! {
    /// Changes an account's status: freezes, unfreezes or closes it. Setting the
    /// current status succeeds without an effect. A closed account and a system
    /// account refuse every change.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, ada: AccountId) -> Result<(), WalletError> {
    /// use wallet_core::{ChangeStatus, Status};
    /// let frozen = shop.run("freeze-ada", ChangeStatus::new(ada, Status::DebitsFrozen)).await?;
    /// println!("{:?}", frozen.state.status);
    /// # Ok(())
    /// # }
    /// ```
    ChangeStatus
    needs {
        /// The account.
        account: AccountId,
        /// The new status.
        status: Status,
    }
    may {}
}

command! {
    /// Changes an account's overdraft policy, its maximum balance, or both. A limit
    /// that the balance already exceeds is refused. Any change of a system account
    /// is refused too.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, ada: AccountId) -> Result<(), WalletError> {
    /// use wallet_core::{ChangeLimits, Policy};
    /// let overdraft = Policy::Overdraft(Currency::iso("EUR")?.parse("100.00")?.amount);
    /// let limits = ChangeLimits::new(ada).with_policy(overdraft);
    /// shop.run("limits-ada", limits).await?;
    /// # Ok(())
    /// # }
    /// ```
    ChangeLimits
    needs {
        /// The account.
        account: AccountId,
    }
    may {
        /// The new overdraft policy. When absent, the policy stays.
        policy, with_policy: Option<Policy>,
        /// The change of the maximum balance.
        max_balance, with_max_balance: Change<Amount>,
    }
}

/// A change of an optional value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The value stays.
    #[default]
    Keep,
    /// The value is removed.
    Clear,
    /// The value becomes this one.
    Set(T),
}

//! Commands on a hold.

use std::time::Duration;

use super::Command;
use crate::ledger::{AccountId, Amount, Currency, Details, HoldId, Money, Timestamp, TransferId};

command! {
    /// Reserves money on one customer's account for another. System accounts are
    /// refused.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, [ada, bob]: [AccountId; 2]) -> Result<(), WalletError> {
    /// let deposit = Currency::iso("EUR")?.parse("300.00")?;
    /// let hold = PlaceHold::new(ada, bob, deposit)
    ///     .with_expires_in(std::time::Duration::from_secs(7 * 86_400));
    /// let placed = shop.run("hold-1", hold).await?;
    /// println!("{}", placed.id());
    /// # Ok(())
    /// # }
    /// ```
    PlaceHold
    needs {
        /// The account whose money is reserved.
        from: AccountId,
        /// The account that the money is reserved for.
        to: AccountId,
        /// The amount and its currency.
        money: Money,
    }
    may {
        /// The hold's id. The service makes it when absent.
        id, with_id: Option<HoldId>,
        /// The life of the hold from its placement. It is greater than zero and at most
        /// ten years. Set this or `expires_at`. A hold with neither never expires.
        expires_in, with_expires_in: Option<Duration>,
        /// The expiry time. A retry repeats the same time, whereas a life that the caller
        /// computes again would make another request. At the decision, the time must lie
        /// ahead of the store's clock, by at most ten years.
        expires_at, with_expires_at: Option<Timestamp>,
        /// The host's details.
        details, with_details: Details,
    }
}

command! {
    /// Captures a hold: posts all of it or a part.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, hold: HoldId) -> Result<(), WalletError> {
    /// let part = Currency::iso("EUR")?.parse("250.00")?;
    /// let capture = Capture::new(hold).with_money(part).with_is_final(true);
    /// let captured = shop.run("capture-1", capture).await?;
    /// println!("{}", captured.id());
    /// # Ok(())
    /// # }
    /// ```
    Capture
    needs {
        /// The hold.
        hold: HoldId,
    }
    may {
        /// The amount, in minor units. When absent, it is the whole remaining amount.
        amount, with_amount: Option<Amount>,
        /// The currency of the amount. Another one than the hold's is refused. When absent,
        /// the amount is in the hold's currency.
        currency, with_currency: Option<Currency>,
        /// Whether the rest is released. When absent, the hold ends only if nothing
        /// remains.
        is_final, with_is_final: Option<bool>,
        /// The transfer's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details of the transfer.
        details, with_details: Details,
    }
}

command! {
    /// Releases the remaining amount of a hold.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, hold: HoldId) -> Result<(), WalletError> {
    /// shop.run("release-1", Release::new(hold)).await?;
    /// # Ok(())
    /// # }
    /// ```
    Release
    needs {
        /// The hold.
        hold: HoldId,
    }
    may {}
}

command! {
    /// Releases the remaining amount of an expired hold. It is refused before the
    /// expiry time.
    Expire
    needs {
        /// The hold.
        hold: HoldId,
    }
    may {}
}

impl Capture {
    /// The amount with its currency. Another currency than the hold's is refused as
    /// [`CurrencyMismatch`](crate::ledger::Rejection::CurrencyMismatch).
    #[must_use]
    pub const fn with_money(mut self, money: Money) -> Self {
        self.amount = Some(money.amount);
        self.currency = Some(money.currency);
        self
    }
}

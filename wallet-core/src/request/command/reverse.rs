//! The command that undoes a transfer.

use super::Command;
use crate::ledger::{Amount, Currency, Details, Money, TransferId};

/// The part of a transfer that a [`Reverse`] undoes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReverseWhat {
    /// The remaining amount of every leg, the last leg first.
    #[default]
    Rest,
    /// This amount, in minor units, of a transfer with a single leg.
    Amount(Amount),
    /// These legs in this order: the index, and the amount (the rest when absent).
    Legs(Vec<(u16, Option<Amount>)>),
    /// This amount, in minor units, of all legs together, in proportion to the
    /// remaining amount of each leg. The units that rounding leaves go to the
    /// largest remainders. It is refused where the legs have several currencies.
    Proportional(Amount),
}

command! {
    /// Reverses an earlier transfer, never more than it moved in total. A transfer
    /// between two system accounts is refused: a [`SystemTransfer`](super::SystemTransfer) in the other
    /// direction undoes it.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, transfer: TransferId) -> Result<(), WalletError> {
    /// let part = Currency::iso("EUR")?.parse("5.00")?;
    /// shop.run("refund-1", Reverse::new(transfer).with_money(part)).await?;
    /// # Ok(())
    /// # }
    /// ```
    Reverse
    needs {
        /// The transfer.
        transfer: TransferId,
    }
    may {
        /// The part to reverse.
        what, with_what: ReverseWhat,
        /// The currency of the amounts in `what`. Another one than the transfer's is refused.
        /// When absent, each amount is in the currency of its leg.
        currency, with_currency: Option<Currency>,
        /// Whether the overdraft limit of the account that pays back is ignored. This is
        /// for chargebacks, which must succeed without sufficient funds.
        force, with_force: bool,
        /// The reversal's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

impl Reverse {
    /// Reverses this amount of a transfer with a single leg. Another currency than the
    /// transfer's is refused as
    /// [`CurrencyMismatch`](crate::ledger::Rejection::CurrencyMismatch).
    #[must_use]
    pub fn with_money(mut self, money: Money) -> Self {
        self.what = ReverseWhat::Amount(money.amount);
        self.currency = Some(money.currency);
        self
    }

    /// Reverses this amount of all legs together, in proportion:
    /// [`ReverseWhat::Proportional`]. Another currency than the transfer's is refused as
    /// [`CurrencyMismatch`](crate::ledger::Rejection::CurrencyMismatch).
    #[must_use]
    pub fn with_money_in_proportion(mut self, money: Money) -> Self {
        self.what = ReverseWhat::Proportional(money.amount);
        self.currency = Some(money.currency);
        self
    }
}

//! The command that undoes a transfer.

use super::Command;
use crate::ledger::{Amount, Details, TransferId};

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
    /// between two system accounts is refused: a [`SystemTransfer`] in the other
    /// direction undoes it.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, transfer: TransferId) -> Result<(), WalletError> {
    /// use wallet_core::request::ReverseWhat;
    /// let part = ReverseWhat::Amount(Currency::iso("EUR")?.parse("5.00")?.amount);
    /// shop.run("refund-1", Reverse::new(transfer).with_what(part)).await?;
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
        /// Whether the overdraft limit of the account that pays back is ignored. This is
        /// for chargebacks, which must succeed without sufficient funds.
        force, with_force: bool,
        /// The reversal's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

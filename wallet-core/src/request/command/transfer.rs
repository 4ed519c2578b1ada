//! Commands that move money.

use super::Command;
use crate::ledger::{
    AccountId, Currency, Details, LedgerId, Leg, Money, SettlementName, TransferId,
    settlement_account,
};

command! {
    /// Moves money between customers' accounts, in one leg or many. Legs are
    /// applied in order, and limits are checked after each leg. The transfer is
    /// atomic. Legs that name a system account are refused.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, [ada, bob, fees]: [AccountId; 3]) -> Result<(), WalletError> {
    /// let eur = Currency::iso("EUR")?;
    /// let legs = vec![
    ///     Leg::new(ada, bob, eur.parse("30.00")?),
    ///     Leg::new(ada, fees, eur.parse("0.50")?),
    /// ];
    /// let paid = shop.run("pay-1", PostTransfer::new(legs).with_reference("order-7")?).await?;
    /// println!("{}", paid.id());
    /// # Ok(())
    /// # }
    /// ```
    PostTransfer
    needs {
        /// The legs.
        legs: Vec<Leg>,
    }
    may {
        /// The transfer's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

impl PostTransfer {
    /// A transfer of `money` in one leg.
    ///
    /// ```
    /// use wallet_core::{AccountId, Currency, PostTransfer};
    /// let [ada, bob] = [1, 2].map(|id| AccountId::from_bytes([id; 16]));
    /// let pay = PostTransfer::simple(ada, bob, Currency::iso("EUR")?.parse("30.00")?)
    ///     .with_reference("order-7")?;
    /// assert_eq!(pay.legs.len(), 1);
    /// # Ok::<(), wallet_core::WalletError>(())
    /// ```
    #[must_use]
    pub fn simple(from: AccountId, to: AccountId, money: Money) -> Self {
        Self::new(vec![Leg::new(from, to, money)])
    }
}

command! {
    /// Moves money in from a named settlement account. The settlement account is
    /// opened on first use.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, ada: AccountId) -> Result<(), WalletError> {
    /// let money = Currency::iso("EUR")?.parse("50.00")?;
    /// let deposit = Deposit::new(ada, money, SettlementName::new("bank")?);
    /// shop.run("deposit-1", deposit).await?;
    /// # Ok(())
    /// # }
    /// ```
    Deposit
    needs {
        /// The credited account.
        account: AccountId,
        /// The amount and its currency.
        money: Money,
        /// The settlement account that the money comes from.
        settlement: SettlementName,
    }
    may {
        /// The transfer's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

command! {
    /// Moves money out to a named settlement account. The settlement account is
    /// opened on first use.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, ada: AccountId) -> Result<(), WalletError> {
    /// let money = Currency::iso("EUR")?.parse("50.00")?;
    /// let payout = Withdrawal::new(ada, money, SettlementName::new("bank")?);
    /// let sent = shop.run("payout-1", payout).await?;
    /// // The bank sends the money back.
    /// shop.run("payout-1-failed", Reverse::new(sent.id())).await?;
    /// # Ok(())
    /// # }
    /// ```
    Withdrawal
    needs {
        /// The debited account.
        account: AccountId,
        /// The amount and its currency.
        money: Money,
        /// The settlement account that the money goes to.
        settlement: SettlementName,
    }
    may {
        /// The transfer's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

/// Names a system account in a [`SystemTransfer`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SystemAccount {
    /// The settlement account of this name, opened on first use. Where it has
    /// several shards, this is the first shard.
    Settlement(SettlementName),
    /// The system account with this id: an account that the host opened, or one
    /// shard of a settlement account.
    Account(AccountId),
}

impl SystemAccount {
    /// The id of the account for `currency` in `ledger`.
    #[must_use]
    pub fn id(&self, ledger: LedgerId, currency: Currency) -> AccountId {
        match self {
            Self::Settlement(name) => settlement_account(ledger, currency, name, 0),
            Self::Account(id) => *id,
        }
    }
}

/// One movement of a [`SystemTransfer`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SystemLeg {
    /// The debited account.
    pub from: SystemAccount,
    /// The credited account.
    pub to: SystemAccount,
    /// The amount and its currency.
    pub money: Money,
}

impl SystemLeg {
    /// `money` from `from` to `to`.
    #[must_use]
    pub const fn new(from: SystemAccount, to: SystemAccount, money: Money) -> Self {
        Self { from, to, money }
    }

    /// The leg with the ids of the accounts in `ledger`.
    #[must_use]
    pub fn leg(&self, ledger: LedgerId) -> Leg {
        let id = |account: &SystemAccount| account.id(ledger, self.money.currency);
        Leg::new(id(&self.from), id(&self.to), self.money)
    }
}

command! {
    /// Moves money between system accounts: the card processor pays out to the
    /// bank, the bank takes a fee. It has one leg or many, applied in order, and it
    /// is atomic. Only the host's own staff should have access to this command.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope) -> Result<(), WalletError> {
    /// use wallet_core::request::{SystemAccount, SystemLeg, SystemTransfer};
    /// let money = Currency::iso("EUR")?.parse("1000.00")?;
    /// let [card, bank] = ["card", "bank"].map(|name| SettlementName::new(name));
    /// let (card, bank) = (SystemAccount::Settlement(card?), SystemAccount::Settlement(bank?));
    /// let leg = SystemLeg::new(card, bank, money);
    /// shop.run("card-payout-1", SystemTransfer::new(vec![leg])).await?;
    /// # Ok(())
    /// # }
    /// ```
    SystemTransfer
    needs {
        /// The legs.
        legs: Vec<SystemLeg>,
    }
    may {
        /// The transfer's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

/// One part of a [`Split`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    /// The credited account.
    pub to: AccountId,
    /// The share of the whole in basis points, 1 ..= 10,000.
    pub share_bp: u32,
}

#[cfg(feature = "decimal")]
impl Share {
    /// `percent` percent for `to`, exactly: 12.5 is 1,250 basis points.
    ///
    /// ```
    /// use rust_decimal::Decimal;
    /// use wallet_core::AccountId;
    /// use wallet_core::request::Share;
    /// let shop = AccountId::from_bytes([1; 16]);
    /// assert_eq!(Share::percent(shop, Decimal::new(125, 1))?.share_bp, 1_250);
    /// # Ok::<(), wallet_core::ledger::PercentError>(())
    /// ```
    ///
    /// # Errors
    /// [`PercentError`](crate::ledger::PercentError) for a percentage finer than 0.01, or
    /// outside of 0.01 to 100. Nothing is rounded.
    pub fn percent(
        to: AccountId,
        percent: rust_decimal::Decimal,
    ) -> Result<Self, crate::ledger::PercentError> {
        let share_bp = crate::ledger::basis_points(percent)?;
        Ok(Self { to, share_bp })
    }
}

command! {
    /// Splits one amount between several customers' accounts by shares, with the
    /// largest remainder method. A part of zero makes no leg. System accounts are
    /// refused.
    ///
    /// ```
    /// # use wallet_core::prelude::*;
    /// # async fn example(shop: &wallet_core::Scope, [buyer, merchant, platform]: [AccountId; 3]) -> Result<(), WalletError> {
    /// use wallet_core::request::Share;
    /// let shares = vec![
    ///     Share { to: merchant, share_bp: 9_000 },
    ///     Share { to: platform, share_bp: 1_000 },
    /// ];
    /// let sale = Split::new(buyer, Currency::iso("EUR")?.parse("10.01")?, shares);
    /// shop.run("sale-1", sale).await?;
    /// # Ok(())
    /// # }
    /// ```
    Split
    needs {
        /// The debited account.
        from: AccountId,
        /// The whole amount.
        money: Money,
        /// The parts. Their shares add up to 10,000 basis points.
        shares: Vec<Share>,
    }
    may {
        /// The transfer's id. The service makes it when absent.
        id, with_id: Option<TransferId>,
        /// The host's details.
        details, with_details: Details,
    }
}

//! Commands: the operations that a request asks for.

use std::time::Duration;

use crate::ledger::{
    AccountId, Amount, Currency, Description, Details, HoldId, LedgerId, Leg, Metadata, Money,
    Owner, Policy, Reference, SettlementName, Status, TextError, Timestamp, TransferId,
    settlement_account,
};

/// Defines a command: public fields to read, a constructor for the required fields,
/// a `with_*` method for each optional field. More fields may be added later.
macro_rules! command {
    (
        $(#[$doc:meta])* $name:ident
        needs { $($(#[$need_doc:meta])* $need:ident: $need_type:ty,)* }
        may { $($(#[$may_doc:meta])* $may:ident, $with:ident: $may_type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$need_doc])* pub $need: $need_type,)*
            $($(#[$may_doc])* pub $may: $may_type,)*
        }

        impl $name {
            /// The command with every optional field at its default.
            #[must_use]
            pub fn new($($need: $need_type),*) -> Self {
                Self { $($need,)* $($may: Default::default(),)* }
            }

            $(
                $(#[$may_doc])*
                #[must_use]
                pub fn $with(mut self, $may: impl Into<$may_type>) -> Self {
                    self.$may = $may.into();
                    self
                }
            )*
        }

        impl From<$name> for Command {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        }
    };
}

command! {
    /// Opens an account at balance zero.
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
        /// [`SystemTransfer`] moves it. Nothing changes its status or limits, and its
        /// events are not published.
        system, with_system: bool,
    }
}

command! {
    /// Changes an account's status: freezes, unfreezes or closes it. Setting the
    /// current status succeeds without an effect. A closed account and a system
    /// account refuse every change.
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

command! {
    /// Moves money between customers' accounts, in one leg or many. Legs are
    /// applied in order, and limits are checked after each leg. The transfer is
    /// atomic. Legs that name a system account are refused.
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

command! {
    /// Moves money in from a named settlement account. The settlement account is
    /// opened on first use.
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

command! {
    /// Reserves money on one customer's account for another. System accounts are
    /// refused.
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
    Capture
    needs {
        /// The hold.
        hold: HoldId,
    }
    may {
        /// The amount, in minor units. When absent, it is the whole remaining amount.
        amount, with_amount: Option<Amount>,
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

/// Setters of single [`Details`] for each command that has them.
macro_rules! details {
    ($($name:ident),*) => {$(
        impl $name {
            /// The code of the host's chart of accounts.
            #[must_use]
            pub const fn with_code(mut self, code: u32) -> Self {
                self.details.code = code;
                self
            }

            /// The host's reference. Transfers are found by it.
            ///
            /// # Errors
            /// [`TextError`] where the text is no [`Reference`].
            pub fn with_reference(mut self, reference: &str) -> Result<Self, TextError> {
                self.details.reference = Some(Reference::new(reference)?);
                Ok(self)
            }

            /// A description for a statement.
            ///
            /// # Errors
            /// [`TextError`] where the text is no [`Description`].
            pub fn with_description(mut self, description: &str) -> Result<Self, TextError> {
                self.details.description = Some(Description::new(description)?);
                Ok(self)
            }

            /// The host's metadata.
            #[must_use]
            pub fn with_metadata(mut self, metadata: Metadata) -> Self {
                self.details.metadata = Some(metadata);
                self
            }

            /// The effective date for reports.
            #[must_use]
            pub const fn with_effective_at(mut self, at: Timestamp) -> Self {
                self.details.effective_at = Some(at);
                self
            }
        }
    )*};
}

details!(
    PostTransfer,
    Deposit,
    Withdrawal,
    SystemTransfer,
    Split,
    PlaceHold,
    Capture,
    Reverse
);

/// One operation. A [`Request`](crate::request::Request) holds one or more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant is documented on its struct")]
pub enum Command {
    OpenAccount(OpenAccount),
    ChangeStatus(ChangeStatus),
    ChangeLimits(ChangeLimits),
    PostTransfer(PostTransfer),
    Deposit(Deposit),
    Withdrawal(Withdrawal),
    SystemTransfer(SystemTransfer),
    Split(Split),
    PlaceHold(PlaceHold),
    Capture(Capture),
    Release(Release),
    Expire(Expire),
    Reverse(Reverse),
}

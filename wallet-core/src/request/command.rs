//! Commands: what a request asks for.

use std::time::Duration;

use crate::ledger::{
    AccountId, Amount, Currency, Details, HoldId, LedgerId, Leg, Metadata, Money, Owner, Policy,
    SettlementName, Status, Timestamp, TransferId, settlement_account,
};

/// Defines a command: public fields to read, a constructor for what is needed,
/// a `with_*` method for what is optional, room for more fields later.
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
            /// The command with every optional part at its default.
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
        /// Whose it is; never with a [reserved prefix](crate::ledger::RESERVED_OWNERS).
        owner: Owner,
        /// What it holds.
        currency: Currency,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<AccountId>,
        /// Its floor; never negative by default.
        policy, with_policy: Policy,
        /// Its ceiling; none by default.
        max_balance, with_max_balance: Option<Amount>,
        /// The host's own words about it.
        metadata, with_metadata: Option<Metadata>,
        /// Whether it is a system account, one of the host's own: only
        /// [`SystemTransfer`] moves it, nothing changes its status or limits, and
        /// its events are not published.
        system, with_system: bool,
    }
}

command! {
    /// Changes an account's status: freezes, unfreezes, closes it. Setting the
    /// status that it has succeeds without an effect; a closed account and a
    /// system account refuse every change.
    ChangeStatus
    needs {
        /// Which account.
        account: AccountId,
        /// Its status from now on.
        status: Status,
    }
    may {}
}

command! {
    /// Changes an account's floor, its ceiling, or both. A limit that the
    /// balance already exceeds is refused, and so is any change of a system
    /// account.
    ChangeLimits
    needs {
        /// Which account.
        account: AccountId,
    }
    may {
        /// Its floor from now on; kept when absent.
        policy, with_policy: Option<Policy>,
        /// Its ceiling from now on.
        max_balance, with_max_balance: Change<Amount>,
    }
}

/// What becomes of an optional value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Clear,
    /// It becomes this.
    Set(T),
}

command! {
    /// Moves money between customers' accounts: one leg or many, applied in order,
    /// floors and ceilings checked after each, all or none. Legs that name a
    /// system account are refused.
    PostTransfer
    needs {
        /// What moves.
        legs: Vec<Leg>,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

command! {
    /// Brings money in from a named settlement account, which is opened when
    /// it is first needed.
    Deposit
    needs {
        /// Credited.
        account: AccountId,
        /// How much of what.
        money: Money,
        /// Where it comes from.
        settlement: SettlementName,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

command! {
    /// Takes money out to a named settlement account, which is opened when it
    /// is first needed.
    Withdrawal
    needs {
        /// Debited.
        account: AccountId,
        /// How much of what.
        money: Money,
        /// Where it goes.
        settlement: SettlementName,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

/// Names a system account in a [`SystemTransfer`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SystemAccount {
    /// The settlement account of this name, opened when it is first needed; its
    /// first shard where it has several.
    Settlement(SettlementName),
    /// The system account with this id: one that the host opened, or one shard
    /// of a settlement account.
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
    /// Debited.
    pub from: SystemAccount,
    /// Credited.
    pub to: SystemAccount,
    /// How much of what.
    pub money: Money,
}

impl SystemLeg {
    /// `money` from `from` to `to`.
    #[must_use]
    pub const fn new(from: SystemAccount, to: SystemAccount, money: Money) -> Self {
        Self { from, to, money }
    }

    /// The same with the ids of the accounts in `ledger`.
    #[must_use]
    pub fn leg(&self, ledger: LedgerId) -> Leg {
        let id = |account: &SystemAccount| account.id(ledger, self.money.currency);
        Leg::new(id(&self.from), id(&self.to), self.money)
    }
}

command! {
    /// Moves money between system accounts: the card processor pays out to the
    /// bank, the bank takes a fee. One leg or many, applied in order, all or none.
    /// A privilege of the host's own staff: keep it from customers.
    SystemTransfer
    needs {
        /// What moves.
        legs: Vec<SystemLeg>,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

/// One part of a [`Split`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    /// Credited.
    pub to: AccountId,
    /// Its share of the whole in basis points, 1 ..= 10,000.
    pub share_bp: u32,
}

command! {
    /// Moves one amount to several customers' accounts by shares, cut by the
    /// largest remainder. A part that comes out as zero makes no leg. System
    /// accounts are refused.
    Split
    needs {
        /// Debited.
        from: AccountId,
        /// The whole.
        money: Money,
        /// Its parts; together 10,000 basis points.
        shares: Vec<Share>,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

command! {
    /// Reserves money on one customer's account for another. System accounts are
    /// refused.
    PlaceHold
    needs {
        /// Whose money is reserved.
        from: AccountId,
        /// Whom it is reserved for.
        to: AccountId,
        /// How much of what.
        money: Money,
    }
    may {
        /// Its id; made by the service when absent.
        id, with_id: Option<HoldId>,
        /// How long it can be captured, from when it is placed. Greater than zero,
        /// at most ten years. Give this or `expires_at`; a hold with neither can be
        /// captured for ever.
        expires_in, with_expires_in: Option<Duration>,
        /// Until when it can be captured. A retry says the same time again, where a
        /// life that the caller reckons anew would be another request. When the
        /// request is decided, the store's clock must not have reached it, and it
        /// must lie at most ten years ahead.
        expires_at, with_expires_at: Option<Timestamp>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

command! {
    /// Posts a hold, all of it or a part.
    Capture
    needs {
        /// Which hold.
        hold: HoldId,
    }
    may {
        /// How much, in minor units; all that remains when absent.
        amount, with_amount: Option<Amount>,
        /// Whether the rest is released; when absent, only if nothing remains.
        is_final, with_is_final: Option<bool>,
        /// The transfer's id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about the transfer.
        details, with_details: Details,
    }
}

command! {
    /// Gives back what a hold still holds.
    Release
    needs {
        /// Which hold.
        hold: HoldId,
    }
    may {}
}

command! {
    /// Gives back what an expired hold still holds; refused before its time.
    Expire
    needs {
        /// Which hold.
        hold: HoldId,
    }
    may {}
}

/// What a [`Reverse`] undoes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReverseWhat {
    /// All that is left of every leg, the last leg first.
    #[default]
    Rest,
    /// This much, in minor units, of a transfer with a single leg.
    Amount(Amount),
    /// These legs in this order: index, and how much (the rest when absent).
    Legs(Vec<(u16, Option<Amount>)>),
    /// This much, in minor units, of all legs together, in proportion to what is
    /// left of each; the units that rounding leaves go to the largest remainders.
    /// Refused where the legs hold several currencies.
    Proportional(Amount),
}

command! {
    /// Undoes an earlier transfer, never more than it moved in total. A transfer
    /// between two system accounts is refused: a [`SystemTransfer`] the other way
    /// undoes it.
    Reverse
    needs {
        /// Which transfer.
        transfer: TransferId,
    }
    may {
        /// How much of it.
        what, with_what: ReverseWhat,
        /// Whether the floor of the account that pays back is disregarded:
        /// for chargebacks, which the money's absence does not stop.
        force, with_force: bool,
        /// The reversal's id; made by the service when absent.
        id, with_id: Option<TransferId>,
        /// What the host says about it.
        details, with_details: Details,
    }
}

/// One thing to do; a [`Request`](crate::request::Request) holds one or more.
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

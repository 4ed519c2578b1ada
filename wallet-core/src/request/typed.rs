//! The receipt of each command, as a type.

use crate::ledger::{Account, AccountChanged, HoldChanged, Posted, Receipt};
use crate::request::{
    Capture, ChangeLimits, ChangeStatus, Command, Deposit, Expire, OpenAccount, PlaceHold,
    PostTransfer, Release, Reverse, Split, SystemTransfer, Withdrawal,
};

/// A command whose receipt has a type of its own. Every command implements it, and
/// nothing else does.
///
/// | command | receipt |
/// |---|---|
/// | [`OpenAccount`] | [`Account`] |
/// | [`ChangeStatus`], [`ChangeLimits`] | [`AccountChanged`] |
/// | [`PostTransfer`], [`Deposit`], [`Withdrawal`], [`SystemTransfer`], [`Split`], [`Capture`], [`Reverse`] | [`Posted`] |
/// | [`PlaceHold`], [`Release`], [`Expire`] | [`HoldChanged`] |
pub trait TypedCommand: Into<Command> + sealed::Sealed {
    /// The receipt of the command when it is accepted.
    type Receipt: Clone;

    /// The receipt as its type; `None` for the receipt of another command.
    fn receipt(receipt: &Receipt) -> Option<&Self::Receipt>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! receipts {
    ($($receipt:ident($type:ty): $($command:ty),+;)*) => {$($(
        impl sealed::Sealed for $command {}

        impl TypedCommand for $command {
            type Receipt = $type;

            fn receipt(receipt: &Receipt) -> Option<&$type> {
                match receipt {
                    Receipt::$receipt(receipt) => Some(receipt),
                    _ => None,
                }
            }
        }
    )+)*};
}

receipts! {
    AccountOpened(Account): OpenAccount;
    AccountChanged(AccountChanged): ChangeStatus, ChangeLimits;
    Posted(Posted): PostTransfer, Deposit, Withdrawal, SystemTransfer, Split, Capture, Reverse;
    HoldChanged(HoldChanged): PlaceHold, Release, Expire;
}

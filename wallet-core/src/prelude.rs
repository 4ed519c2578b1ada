//! The names that nearly every host uses: `use wallet_core::prelude::*`.

pub use crate::{
    Account, AccountId, Amount, Capture, Currency, Deposit, HoldId, IdempotencyKey, Leg, Money,
    OpenAccount, Owner, PlaceHold, PostTransfer, Rejection, Release, Request, Reverse,
    SettlementName, Split, TransferId, Wallet, WalletError, Withdrawal,
};

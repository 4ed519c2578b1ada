//! The names that nearly every host uses: `use wallet_core::prelude::*`.

pub use crate::{
    AccountId, Capture, Currency, Deposit, IdempotencyKey, Leg, Money, OpenAccount, Owner,
    PlaceHold, PostTransfer, Release, Request, Reverse, SettlementName, Wallet, WalletError,
    Withdrawal,
};

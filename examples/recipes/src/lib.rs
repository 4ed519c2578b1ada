//! Common jobs of a wallet, each in one small file with its test. Copy what you need.
//!
//! | file | job |
//! |---|---|
//! | `hold.rs` | hold a deposit, capture a part, release the rest |
//! | `escrow.rs` | keep a sale apart until delivery, then split it |
//! | `refund.rs` | refund a split sale in parts |
//! | `payout.rs` | pay out, and take a failed payout back |
//! | `subscription.rs` | charge once a month, and try again after a refusal |
//! | `daily_limit.rs` | spend at most 500 a day |
//! | `exchange.rs` | exchange money between two currencies |
//! | `month_end.rs` | the balance at the end of a month |
//! | `opening.rs` | take over balances from an existing table |
//! | `tenants.rs` | separate books for each tenant |
//!
//! An order and its payment in one transaction: `examples/checkout`. All of it together:
//! `examples/marketplace`.

pub mod daily_limit;
pub mod escrow;
pub mod exchange;
pub mod hold;
pub mod month_end;
pub mod opening;
pub mod payout;
pub mod refund;
pub mod subscription;
pub mod tenants;

#[cfg(test)]
mod tests;

//! The consistency checker: it records the calls of clients, and checks whether one
//! sequential order explains every answer.
//!
//! The ledger is *strictly serialisable*. There is one order of all calls in which
//! each answer is correct. A call that was answered before another began comes
//! first. In general this is hard to check. Here every answer has the version of
//! each account that it read or wrote, which gives the order of writes. So the
//! check is a sort and a search for a cycle.
//!
//! | part | what it is |
//! |---|---|
//! | [`Recorder`] | notes what was asked and answered, from any number of clients |
//! | [`anomalies`] | what no order explains, by name |
//! | [`wrong_sums`] | reads of all accounts at once that do not add up |
//! | [`Bank`] | clients that pay each other and look, at any wallets |
//! | [`Flaw`] | what can be wrong with a store, to prove that it shows |
//!
//! ```
//! use wallet_testkit::consistency::{Anomaly, Recorder, Seen, anomalies};
//! use wallet_core::{AccountId, LedgerId};
//! use wallet_core::ledger::InLedger;
//!
//! let ada = InLedger::new(LedgerId::default(), AccountId::from_bytes([7; 16]));
//! let recorder = Recorder::new();
//! let call = recorder.begin();
//! recorder.wrote(call, vec![Seen { account: ada, version: 1, posted: 500, gained: 500 }]);
//! let call = recorder.begin();
//! // The payment before was answered, and this one does not know of it.
//! recorder.read(call, vec![Seen::read(ada, 0, 0)]);
//! assert!(matches!(anomalies(&recorder.calls())[0], Anomaly::StaleRead { .. }));
//! ```

mod accounts;
mod anomaly;
mod bank;
mod call;
mod flawed;
mod order;
mod recorder;

pub use anomaly::{Anomaly, anomalies, wrong_sums};
pub use bank::Bank;
pub use call::{Call, Did, Seen};
pub use flawed::Flaw;
pub use recorder::Recorder;

#[cfg(test)]
mod tests;

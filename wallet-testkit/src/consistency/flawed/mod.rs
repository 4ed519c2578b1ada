//! Stores with planted flaws, which prove that the answers of clients reveal them.

mod commit;
mod store;

use std::sync::{Arc, Mutex, PoisonError};

use super::{Bank, Call};
use crate::deterministic::{Executor, Group, Rng, Trace};
use crate::{ManualClock, SeededIds, planted_bugs};
use store::FlawedStore;
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::{Settings, Wallet};

planted_bugs! {
    /// A flaw of a store, which shows sometimes.
    Flaw {
        /// It decides on accounts that it read before it had its locks, and overwrites
        /// later states.
        LosesUpdates,
        /// It decides on balances that it read before its locks. Only versions are read
        /// again under the locks.
        DecidesOnOldBalances,
        /// Its commits take effect twice.
        AppliesTwice,
        /// It answers a commit that it does not make.
        LosesCommits,
        /// A read returns the state before the latest commit.
        ReadsStale,
        /// A read of several accounts reads one after the other.
        ReadsOneByOne,
        /// One account of a transfer is written a while after the others.
        WritesOneByOne,
        /// A read returns an account's latest version with the previous balance.
        ReadsTornRows,
        /// Some reads are answered by a replica. It gets a commit only just before the
        /// commit is answered.
        ReadsFromReplica,
        /// A commit that is rolled back was visible before.
        ShowsWhatIsRolledBack,
        /// A credit is a cent more than its debit.
        MintsMoney,
    }
}

/// The rate of a flaw, per 1,000 calls.
const PER_MILLE: u64 = 100;
/// A limit above the steps of any run.
const STEPS_MAX: u64 = 1_000_000;

impl Flaw {
    /// Runs the clients of a [`Bank`] at two wallets over a memory store with this
    /// flaw, or with none. Returns their observations, which are the same for the
    /// same bank. No thread and no real clock is used.
    ///
    /// # Panics
    /// If the clients do not finish.
    #[must_use]
    pub fn watch(flaw: Option<Self>, bank: &Bank) -> Vec<Call> {
        let rng = Rng::new(bank.seed);
        let clock = Arc::new(ManualClock::default());
        let trace = Trace::new(Arc::clone(&clock), false);
        let mut executor = Executor::new(rng.fork(), Arc::clone(&clock), trace);
        let store = FlawedStore::new(flaw, Arc::clone(&clock), rng.fork());
        let store: Arc<dyn LedgerStore> = Arc::new(store);
        let spawner = executor.spawner();
        let mut wallets = Vec::new();
        for process in 0..2 {
            let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
            let builder = Wallet::builder(Arc::clone(&store)).clock(time);
            let (wallet, driver) = builder
                .ids(Arc::new(SeededIds::new(rng.next())))
                .settings(Settings {
                    sweep_interval: None,
                    batch_requests_max: 2,
                    ..Settings::default()
                })
                .build()
                .expect("the settings make sense");
            spawner.spawn(Group::Driver(process), "driver", driver);
            wallets.push(wallet);
        }
        let saw = Arc::new(Mutex::new(None));
        let (seen, bank) = (Arc::clone(&saw), bank.clone());
        spawner.spawn(Group::World, "bank", async move {
            let calls = bank.calls(&wallets).await;
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(calls);
        });
        let calls = || saw.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = executor.run_until(STEPS_MAX, || calls().is_some());
        ended.expect("the clients come to an end");
        let calls = calls().take();
        calls.expect("what they saw")
    }
}

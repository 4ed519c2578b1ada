//! The oracle: an observer that carries out every commit on the naive [`Model`] at
//! once, and compares every answer with it. It shares no code with
//! [`decide`](wallet_core::decide::decide).
//!
//! The cost of each check depends only on the checked data, not on the length of
//! the run.

mod commits;
mod events;
mod leases;
mod views;

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use wallet_core::ledger::{AccountKey, Effect, RecordKey, Sequence, Version};
use wallet_core::{Entry, Outcome};
use wallet_testkit::model::Model;

use super::Trace;
use leases::Holder;

pub use events::ConsumedEvent;

/// Observes a world.
#[derive(Debug)]
pub(super) struct Oracle {
    trace: Trace,
    state: Mutex<State>,
    has_findings: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    model: Model,
    /// The recorded outcome of each key.
    records: FxHashMap<RecordKey, Arc<Outcome>>,
    accounts: FxHashMap<AccountKey, Seen>,
    totals: Totals,
    holder: Option<Holder>,
    /// The latest version of each group, by queue.
    published: [FxHashMap<String, Version>; 2],
    findings: Vec<String>,
}

/// The observed state of an account.
#[derive(Debug, Default)]
struct Seen {
    /// One effect for each version.
    effects: Vec<Effect>,
    /// One entry for each sequence.
    entries: Vec<Entry>,
    /// The latest version that a consumer has applied.
    consumed: Version,
    /// The latest sequence in history.
    history: Sequence,
    /// The least version in the cache, if it has the account.
    cached: Version,
}

/// The totals of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// The number of committed effects.
    pub(super) effects: u64,
    /// The number of effects that a consumer has applied.
    pub(super) consumed: u64,
    /// The number of committed entries.
    pub(super) entries: u64,
    /// The number of entries in history.
    pub(super) history: u64,
    /// The number of decided requests, including refusals.
    pub(super) decided: u64,
    /// The number of replayed requests.
    pub(super) replayed: u64,
}

impl Oracle {
    pub(super) fn new(trace: Trace) -> Self {
        Self {
            trace,
            state: Mutex::default(),
            has_findings: AtomicBool::new(false),
        }
    }

    /// Whether any error was found.
    pub(super) fn has_findings(&self) -> bool {
        self.has_findings.load(Ordering::Relaxed)
    }

    pub(super) fn take_findings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().findings)
    }

    pub(super) fn totals(&self) -> Totals {
        self.state().totals
    }

    /// The expected final state. Nothing is observed after this call.
    pub(super) fn take_model(&self) -> Model {
        std::mem::take(&mut self.state().model)
    }

    /// Records an error. Only the first errors matter.
    pub(super) fn find(&self, finding: impl Display) {
        self.trace.note(format_args!("WRONG: {finding}"));
        self.has_findings.store(true, Ordering::Relaxed);
        self.state().findings.push(finding.to_string());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn effect(&self, account: AccountKey, version: Version) -> Option<&Effect> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        self.accounts.get(&account)?.effects.get(index)
    }

    fn entry(&self, account: AccountKey, sequence: Sequence) -> Option<&Entry> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.accounts.get(&account)?.entries.get(index)
    }

    /// The latest version of an account; 0 where there is none.
    fn version(&self, account: AccountKey) -> Version {
        let seen = self.accounts.get(&account);
        seen.map_or(0, |seen| Version::try_from(seen.effects.len()).unwrap())
    }
}

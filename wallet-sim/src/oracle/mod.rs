//! What must be true, said once more: an observer that carries out every commit
//! on the naive [`Model`] as it happens and compares whatever anybody is told
//! with it. It shares no code with [`decide`](wallet_core::decide::decide).
//!
//! Each look costs as much as what is looked at, however long a run is.

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

/// Watches a world.
#[derive(Debug)]
pub(super) struct Oracle {
    trace: Trace,
    state: Mutex<State>,
    has_findings: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    model: Model,
    /// What is recorded under each key.
    records: FxHashMap<RecordKey, Arc<Outcome>>,
    accounts: FxHashMap<AccountKey, Seen>,
    totals: Totals,
    holder: Option<Holder>,
    /// The latest version of each group, by queue.
    published: [FxHashMap<String, Version>; 2],
    findings: Vec<String>,
}

/// What was seen of an account.
#[derive(Debug, Default)]
struct Seen {
    /// One for each version.
    effects: Vec<Effect>,
    /// One for each sequence.
    entries: Vec<Entry>,
    /// Up to which version a consumer was told.
    told: Version,
    /// Up to which sequence history has it.
    history: Sequence,
    /// What the cache holds at least, if anything.
    cached: Version,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Effects committed.
    pub(super) effects: u64,
    /// Those of them that a consumer was told.
    pub(super) told: u64,
    /// Entries committed.
    pub(super) entries: u64,
    /// Those of them that history has.
    pub(super) history: u64,
    /// Requests that were decided, refusals included.
    pub(super) decided: u64,
    /// Requests that were answered as before.
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

    /// Whether anything was found.
    pub(super) fn has_findings(&self) -> bool {
        self.has_findings.load(Ordering::Relaxed)
    }

    pub(super) fn take_findings(&self) -> Vec<String> {
        std::mem::take(&mut self.state().findings)
    }

    pub(super) fn totals(&self) -> Totals {
        self.state().totals
    }

    /// The books as they must be in the end; nothing is watched any more.
    pub(super) fn take_model(&self) -> Model {
        std::mem::take(&mut self.state().model)
    }

    /// Notes that something is wrong; only the first things matter.
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

use std::collections::BTreeSet;

use super::Bug;

/// The parameters of a run, besides its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// The commit policy of the store behind the faults.
    pub store: StoreKind,
    /// The number of processes that serve the store.
    pub processes: usize,
    /// The number of clients. Each opens two accounts.
    pub clients: u64,
    /// The number of requests per client, at least 1.
    pub operations: u64,
    /// The number of incidents: to processes, clocks, locks and the cache.
    pub incidents: u64,
    /// A planted bug.
    pub bug: Option<Bug>,
    /// The parts of the run that are left out.
    pub left_out: LeftOut,
    /// Whether the run's trace is recorded as text.
    pub keeps_lines: bool,
}

/// The in-memory store of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// [`MemoryStore`](wallet_core::memory::MemoryStore).
    Pessimistic,
    /// [`OptimisticStore`](wallet_core::memory::OptimisticStore), with injected
    /// conflicts.
    Optimistic,
}

/// The parts that a run leaves out, so that only the cause of a failure remains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Requests by client and number.
    pub operations: BTreeSet<(u64, u64)>,
    /// Incidents by number.
    pub incidents: BTreeSet<u64>,
    /// Faults by number.
    pub faults: BTreeSet<u64>,
}

impl Scenario {
    /// A small world: two processes, six clients with eight requests each.
    #[must_use]
    pub fn small(store: StoreKind) -> Self {
        Self {
            store,
            processes: 2,
            clients: 6,
            operations: 8,
            incidents: 10,
            bug: None,
            left_out: LeftOut::default(),
            keeps_lines: false,
        }
    }

    /// The standard world: three processes, ten clients with 21 requests and two
    /// accounts each.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            processes: 3,
            clients: 10,
            operations: 21,
            incidents: 20,
            ..Self::small(StoreKind::Pessimistic)
        }
    }

    /// The same scenario with a planted bug. Bugs of a store need a
    /// [pessimistic](StoreKind::Pessimistic) one.
    #[must_use]
    pub fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.bug = bug;
        self
    }

    /// The same scenario, with its trace as text.
    #[must_use]
    pub fn with_lines(mut self) -> Self {
        self.keeps_lines = true;
        self
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The hash of everything that happened, in order.
    pub hash: u64,
    /// The trace as text, where it was [requested](Scenario::keeps_lines).
    pub trace: String,
    /// The errors; empty in a successful run.
    pub failures: Vec<String>,
    /// The counts of the run.
    pub counts: Counts,
}

/// The counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests of clients, each counted once however often it was retried.
    pub requests: u64,
    /// Attempts of clients.
    pub attempts: u64,
    /// Lost answers, and answers with an unknown result.
    pub unknown: u64,
    /// Reads of balances that were answered.
    pub reads: u64,
    /// Decided requests, including those of the sweep, and refusals.
    pub decided: u64,
    /// Replayed requests.
    pub replayed: u64,
    /// Calls of ports with an injected fault.
    pub faults: u64,
    /// Incidents to processes, clocks, locks and the cache.
    pub incidents: u64,
    /// Effects that were committed.
    pub effects: u64,
    /// Committed effects that a consumer has applied.
    pub consumed: u64,
    /// Entries that were committed.
    pub entries: u64,
    /// Committed entries that history holds.
    pub history: u64,
    /// Steps of tasks.
    pub steps: u64,
}

impl Counts {
    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        let Self {
            requests,
            attempts,
            unknown,
            reads,
            decided,
            replayed,
            faults,
            incidents,
            effects,
            consumed,
            entries,
            history,
            steps,
        } = other;
        for (sum, more) in [
            (&mut self.requests, requests),
            (&mut self.attempts, attempts),
            (&mut self.unknown, unknown),
            (&mut self.reads, reads),
            (&mut self.decided, decided),
            (&mut self.replayed, replayed),
            (&mut self.faults, faults),
            (&mut self.incidents, incidents),
            (&mut self.effects, effects),
            (&mut self.consumed, consumed),
            (&mut self.entries, entries),
            (&mut self.history, history),
            (&mut self.steps, steps),
        ] {
            *sum += more;
        }
    }
}

use std::collections::BTreeSet;

use super::Bug;

/// What a run is made of, besides its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// How the store behind the faults commits.
    pub store: StoreKind,
    /// How many processes serve the one store.
    pub processes: usize,
    /// How many clients there are; each opens two accounts.
    pub clients: u64,
    /// How many requests each of them makes, at least 1.
    pub operations: u64,
    /// How often something happens to processes, clocks, locks and the cache.
    pub incidents: u64,
    /// A bug planted on purpose.
    pub bug: Option<Bug>,
    /// What is left out of it.
    pub left_out: LeftOut,
    /// Whether the run's trace is kept in words.
    pub keeps_lines: bool,
}

/// Which in-memory store a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// [`MemoryStore`](wallet_core::memory::MemoryStore).
    Pessimistic,
    /// [`OptimisticStore`](wallet_core::memory::OptimisticStore), with conflicts of its
    /// own.
    Optimistic,
}

/// What a run goes without, so that what makes it fail stands alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Requests: client and number.
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

    /// The same with a bug in it. Bugs of a store need a
    /// [pessimistic](StoreKind::Pessimistic) one.
    #[must_use]
    pub fn with_bug(mut self, bug: Option<Bug>) -> Self {
        self.bug = bug;
        self
    }

    /// The same, keeping its trace in words.
    #[must_use]
    pub fn with_lines(mut self) -> Self {
        self.keeps_lines = true;
        self
    }
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// The hash of everything that happened, in order.
    pub hash: u64,
    /// What happened, in words, where [asked for](Scenario::keeps_lines).
    pub trace: String,
    /// What is wrong; nothing in a good run.
    pub failures: Vec<String>,
    /// How much happened.
    pub counts: Counts,
}

/// How much happened in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that clients made, each counted once however often it was asked.
    pub requests: u64,
    /// How often they asked.
    pub attempts: u64,
    /// Answers that never came, or said that nobody knows.
    pub unknown: u64,
    /// Reads of balances that were answered.
    pub reads: u64,
    /// Requests that were decided: those of the sweep too, and refusals.
    pub decided: u64,
    /// Requests that were answered as before.
    pub replayed: u64,
    /// Calls of ports that went wrong.
    pub faults: u64,
    /// What happened to processes, clocks, locks and the cache.
    pub incidents: u64,
    /// Effects that were committed.
    pub effects: u64,
    /// Those of them that a consumer was told.
    pub told: u64,
    /// Entries that were committed.
    pub entries: u64,
    /// Those of them that history has.
    pub history: u64,
    /// Steps of tasks.
    pub steps: u64,
}

impl Counts {
    /// Adds those of another run.
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
            told,
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
            (&mut self.told, told),
            (&mut self.entries, entries),
            (&mut self.history, history),
            (&mut self.steps, steps),
        ] {
            *sum += more;
        }
    }
}

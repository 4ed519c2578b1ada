use std::sync::Arc;

use super::scenario::{LeftOut, Scenario};
use super::{Harness, run};

/// Shrinks a failing run: leaves out requests, incidents and faults, large parts
/// first, as long as the run still fails. It makes at most `runs` runs. Each run is
/// separate, so the smaller run may fail in another way.
#[must_use]
pub fn shrink(scenario: &Scenario, seed: u64, harness: &Arc<dyn Harness>, runs: u32) -> Scenario {
    let whole = run(scenario, seed, harness);
    if whole.failures.is_empty() {
        return scenario.clone();
    }
    let mut shrinker = Shrinker {
        seed,
        harness,
        left: runs,
        smallest: scenario.clone(),
    };
    let (clients, operations) = (scenario.clients, scenario.operations);
    let of = |client| (1..operations).map(move |operation| (client, operation));
    let operations: Vec<_> = (0..clients).flat_map(of).collect();
    let incidents: Vec<_> = (0..scenario.incidents).collect();
    let faults: Vec<_> = (0..whole.counts.faults).collect();
    shrinker.leave_out(&operations, |out, some| out.operations.extend(some));
    shrinker.leave_out(&incidents, |out, some| out.incidents.extend(some));
    shrinker.leave_out(&faults, |out, some| out.faults.extend(some));
    shrinker.smallest
}

struct Shrinker<'a> {
    seed: u64,
    harness: &'a Arc<dyn Harness>,
    /// The number of remaining runs.
    left: u32,
    smallest: Scenario,
}

impl Shrinker<'_> {
    /// Tries to leave out some of all, in parts of half the size each time.
    fn leave_out<T: Copy>(&mut self, all: &[T], add: impl Fn(&mut LeftOut, &[T])) {
        let mut remaining: Vec<T> = all.to_vec();
        let mut size = remaining.len();
        while size > 0 {
            let mut rest = Vec::new();
            for part in remaining.chunks(size) {
                let mut smaller = self.smallest.clone();
                add(&mut smaller.left_out, part);
                if self.still_fails(&smaller) {
                    self.smallest = smaller;
                } else {
                    rest.extend_from_slice(part);
                }
            }
            remaining = rest;
            size /= 2;
        }
    }

    fn still_fails(&mut self, scenario: &Scenario) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        !run(scenario, self.seed, self.harness).failures.is_empty()
    }
}

use std::ops::Range;
use std::sync::Arc;

use super::scenario::{Report, Scenario};
use super::shrink::shrink;
use super::{Harness, run};

/// The number of trace lines that are shown for a failed run.
const LINES_SHOWN: usize = 80;
/// The number of runs for shrinking a failing run.
const SHRINKS: u32 = 300;

/// Runs `seeds` of a scenario. `WALLET_SIM_SEEDS` sets the number of seeds,
/// starting at 0. `WALLET_SIM_SEED` runs only that seed and prints its trace.
///
/// # Panics
/// On the first seed that fails. The message has the errors, the smallest part of
/// the run that still fails, and the command for a replay.
pub fn check_seeds(scenario: &Scenario, seeds: Range<u64>, harness: &Arc<dyn Harness>) {
    if let Some(seed) = variable("WALLET_SIM_SEED") {
        let report = run(&scenario.clone().with_lines(), seed, harness);
        eprintln!("{}", report.trace);
        return expect_good(scenario, &report, harness);
    }
    let seeds = variable("WALLET_SIM_SEEDS").map_or(seeds, |count| 0..count);
    for seed in seeds {
        expect_good(scenario, &run(scenario, seed, harness), harness);
    }
}

/// The first of some seeds at which a scenario fails. For a scenario with a bug,
/// this seed detects it.
#[must_use]
pub fn seed_that_fails(
    scenario: &Scenario,
    seeds: Range<u64>,
    harness: &Arc<dyn Harness>,
) -> Option<u64> {
    let mut seeds = seeds;
    seeds.find(|seed| !run(scenario, *seed, harness).failures.is_empty())
}

/// Formats the errors of a failed run: the smallest part that still fails, and the
/// command for a replay.
#[must_use]
pub fn explain(scenario: &Scenario, report: &Report, harness: &Arc<dyn Harness>) -> String {
    let seed = report.seed;
    let small = shrink(scenario, seed, harness, SHRINKS).with_lines();
    let shrunk = run(&small, seed, harness);
    let lines: Vec<&str> = shrunk.trace.lines().collect();
    let shown = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
    let before = &report.counts;
    let after = &shrunk.counts;
    let (wrong, command) = (report.failures.join("\n"), harness.replay(scenario, seed));
    format!(
        "{shown}\n\nso it still fails with {} of {} requests, {} of {} incidents, {} of {} \
         faults:\n{}\n\n{:?} fails with seed {seed}:\n{wrong}\n\nreplay with {command}",
        after.requests,
        before.requests,
        after.incidents,
        before.incidents,
        after.faults
            - u64::try_from(small.left_out.faults.len())
                .unwrap()
                .min(after.faults),
        before.faults,
        shrunk.failures.join("\n"),
        scenario.bug,
    )
}

fn expect_good(scenario: &Scenario, report: &Report, harness: &Arc<dyn Harness>) {
    let is_good = report.failures.is_empty();
    assert!(is_good, "{}", explain(scenario, report, harness));
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

use std::ops::Range;
use std::sync::Arc;

use super::scenario::{Report, Scenario};
use super::shrink::shrink;
use super::{Harness, run};

/// How many lines of a failed run's trace are shown.
const LINES_SHOWN: usize = 80;
/// How often a failing run is repeated to make it smaller.
const SHRINKS: u32 = 300;

/// Runs `seeds` of a scenario; `WALLET_SIM_SEEDS` sets how many from 0 on,
/// `WALLET_SIM_SEED` runs that one alone and prints what happens.
///
/// # Panics
/// On the first seed that fails, with what is wrong, the smallest part of the run
/// that still fails, and how to run it again.
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

/// The first of some seeds at which a scenario fails: for one with a bug, that
/// which shows it.
#[must_use]
pub fn seed_that_fails(
    scenario: &Scenario,
    seeds: Range<u64>,
    harness: &Arc<dyn Harness>,
) -> Option<u64> {
    let mut seeds = seeds;
    seeds.find(|seed| !run(scenario, *seed, harness).failures.is_empty())
}

/// What is wrong with a failed run, in words: its smallest part that still fails,
/// and how to run it again.
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

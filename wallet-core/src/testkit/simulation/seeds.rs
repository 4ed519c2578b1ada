use super::{Bug, Report, Scenario, run};

/// How many lines of a failed run's trace are shown.
const LINES_SHOWN: usize = 80;

/// Runs `seeds` seeds of a scenario, from 0 on; `WALLET_SIM_SEEDS` sets
/// another number of them, `WALLET_SIM_SEED` runs that one alone and prints
/// what happens.
///
/// # Panics
/// On the first seed that fails, with what is wrong and how to run it again.
pub fn check_seeds(scenario: Scenario, seeds: u64) {
    if let Some(seed) = variable("WALLET_SIM_SEED") {
        let report = run(scenario, seed);
        eprintln!("{}", report.trace);
        return expect_good(scenario, &report);
    }
    for seed in 0..variable("WALLET_SIM_SEEDS").unwrap_or(seeds) {
        expect_good(scenario, &run(scenario, seed));
    }
}

/// The first seed below `seeds` that shows a planted bug.
#[must_use]
pub fn seed_that_shows(bug: Bug, seeds: u64) -> Option<u64> {
    let scenario = Scenario::with_bug(bug);
    (0..seeds).find(|seed| !run(scenario, *seed).failures.is_empty())
}

fn expect_good(scenario: Scenario, report: &Report) {
    if report.failures.is_empty() {
        return;
    }
    let lines: Vec<&str> = report.trace.lines().collect();
    let shown = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
    let (seed, wrong) = (report.seed, report.failures.join("\n"));
    panic!(
        "{shown}\n\n{scenario:?} fails with seed {seed}:\n{wrong}\n\nreplay with \
         WALLET_SIM_SEED={seed} cargo test -p wallet-core --all-features --test simulation"
    );
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

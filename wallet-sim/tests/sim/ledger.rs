//! Seeded runs of several processes over one failing store, and the proof that such
//! runs find bugs.

use std::sync::Arc;

use wallet_sim::{Bug, Harness, Scenario, StoreKind, check_seeds, run, seed_that_fails, shrink};

/// The number of seeds per store in CI.
const SEEDS: u64 = 100;

/// Without queues: these worlds end with the ledger and its cache.
fn alone() -> Arc<dyn Harness> {
    Arc::new(())
}

#[test]
fn nothing_is_lost_or_done_twice_on_a_pessimistic_store() {
    check_seeds(&Scenario::small(StoreKind::Pessimistic), 0..SEEDS, &alone());
}

#[test]
fn nothing_is_lost_or_done_twice_on_an_optimistic_store() {
    check_seeds(&Scenario::small(StoreKind::Optimistic), 0..SEEDS, &alone());
}

#[test]
fn a_seed_replays_exactly() {
    for store in [StoreKind::Pessimistic, StoreKind::Optimistic] {
        let scenario = Scenario::small(store);
        for seed in 0..10 {
            let first = run(&scenario.clone().with_lines(), seed, &alone());
            let again = run(&scenario.clone().with_lines(), seed, &alone());
            assert_eq!(first, again, "seed {seed}");
            let unread = run(&scenario, seed, &alone());
            assert_eq!(unread.hash, first.hash, "seed {seed}");
            assert_eq!(unread.trace, "");
        }
    }
}

#[test]
fn seeds_differ() {
    let scenario = Scenario::small(StoreKind::Pessimistic);
    let hash = |seed| run(&scenario, seed, &alone()).hash;
    assert_ne!(hash(1), hash(2));
}

#[test]
fn a_failing_run_is_made_smaller_and_still_fails() {
    let scenario = Scenario::small(StoreKind::Pessimistic).with_bug(Some(Bug::AppliesTwice));
    let shows = |seed: &u64| seed_that_fails(&scenario, *seed..*seed + 1, &alone()).is_some();
    let mut halved = 0;
    for seed in (0..20).filter(shows).take(4) {
        let small = shrink(&scenario, seed, &alone(), 200);
        let (whole, left) = (run(&scenario, seed, &alone()), run(&small, seed, &alone()));
        assert_ne!(left.failures, Vec::<String>::new(), "seed {seed}");
        let (before, after) = (whole.counts.requests, left.counts.requests);
        assert!(after < before, "seed {seed}: {after} of {before} are left");
        halved += u32::from(after * 2 <= before);
    }
    assert!(halved > 0, "no run was made half as large");
}

#[test]
#[should_panic(expected = "replay with WALLET_SIM_SEED=")]
fn a_failing_seed_says_how_to_replay_it() {
    let scenario = Scenario::small(StoreKind::Pessimistic);
    let scenario = scenario.with_bug(Some(Bug::RetriesUnderNewKey));
    check_seeds(&scenario, 0..20, &alone());
}

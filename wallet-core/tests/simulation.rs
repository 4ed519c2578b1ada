//! Seeded runs of two processes over one failing store, and the proof that
//! such runs find bugs.

#![cfg(feature = "testkit")]

use wallet_core::testkit::simulation::{
    Bug, Scenario, StoreKind, check_seeds, run, seed_that_shows,
};

/// How many seeds run per store in CI.
const SEEDS: u64 = 100;
/// How many seeds a planted bug may stay hidden.
const SEEDS_TO_FIND: u64 = 10;

#[test]
fn nothing_is_lost_or_done_twice_on_a_pessimistic_store() {
    check_seeds(Scenario::new(StoreKind::Pessimistic), SEEDS);
}

#[test]
fn nothing_is_lost_or_done_twice_on_an_optimistic_store() {
    check_seeds(Scenario::new(StoreKind::Optimistic), SEEDS);
}

#[test]
fn a_seed_replays_exactly() {
    for store in [StoreKind::Pessimistic, StoreKind::Optimistic] {
        for seed in 0..10 {
            let scenario = Scenario::new(store);
            let (first, again) = (run(scenario, seed), run(scenario, seed));
            assert_eq!(first.trace, again.trace, "seed {seed}");
            assert_eq!(first.hash, again.hash, "seed {seed}");
        }
    }
}

#[test]
fn seeds_differ() {
    let scenario = Scenario::new(StoreKind::Pessimistic);
    assert_ne!(run(scenario, 1).hash, run(scenario, 2).hash);
}

#[test]
fn every_planted_bug_is_found() {
    for bug in Bug::ALL {
        let seed = seed_that_shows(bug, SEEDS_TO_FIND);
        eprintln!("{bug:?}: seed {seed:?}");
        assert!(
            seed.is_some(),
            "{bug:?} stays hidden for {SEEDS_TO_FIND} seeds"
        );
    }
}

#[test]
#[should_panic(expected = "replay with WALLET_SIM_SEED=")]
fn a_failing_seed_says_how_to_replay_it() {
    check_seeds(Scenario::with_bug(Bug::RetriesUnderNewKey), SEEDS_TO_FIND);
}

//! The script counts exactly like the core.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use wallet_core::edge::{Charge, Quota, RateLimiter};
use wallet_core::ledger::{LimitName, LimitScope};
use wallet_core::memory::MemoryLimiter;
use wallet_test_servers::PrivateRedis;
use wallet_testkit::ManualClock;

use crate::support::{open_with, patient};

#[derive(Debug, Clone)]
enum Step {
    Take(Vec<(u8, u8, u32)>),
    Advance(u64),
    GoBack(u64),
}

/// The quotas include fractions and the largest countable values.
fn quotas() -> Vec<Quota> {
    let quota = |capacity, refill, micros| {
        Quota::new(capacity, refill, Duration::from_micros(micros)).unwrap()
    };
    vec![
        quota(5, 1, 1_000_000),
        quota(100, 7, 1_000_000),
        quota(3, 1_000_003, 1_000_000),
        quota(u32::MAX, u32::MAX, 2_097_152),
        quota(1 << 20, 1, 1 << 33),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let charge = (0_u8..6, 0_u8..5, prop_oneof![0_u32..8, Just(u32::MAX)]);
    prop_oneof![
        4 => prop::collection::vec(charge, 1..5).prop_map(Step::Take),
        2 => (0_u64..3_000_000).prop_map(Step::Advance),
        1 => (0_u64..(1 << 45)).prop_map(Step::Advance),
        1 => (0_u64..5_000_000).prop_map(Step::GoBack),
    ]
}

#[test]
fn redis_and_memory_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = PrivateRedis::start();
    let quotas = quotas();
    let mut config = ProptestConfig::with_cases(60);
    config.failure_persistence = None;
    proptest!(config, |(steps in prop::collection::vec(step(), 1..40))| {
        runtime.block_on(async {
            server.execute("FLUSHALL");
            let clock = Arc::new(ManualClock::default());
            let redis = open_with(&patient(server.url()), Arc::clone(&clock)).await;
            let (one, two) = (redis.limiter(), MemoryLimiter::new(clock.clone()));
            let scope = LimitScope::new("a").unwrap();
            for step in steps {
                match step {
                    Step::Advance(micros) => clock.advance(Duration::from_micros(micros)),
                    Step::GoBack(micros) => clock.step_back(Duration::from_micros(micros)),
                    Step::Take(charges) => {
                        let charges: Vec<_> = charges.iter().map(|(name, quota, cost)| {
                            let name = LimitName::new(&format!("n{name}")).unwrap();
                            let quota = quotas[usize::from(*quota)];
                            Charge::new(name, quota, (*cost).min(quota.capacity()))
                        }).collect();
                        match (one.take(&scope, &charges).await, two.take(&scope, &charges).await) {
                            (Ok(one), Ok(two)) => assert_eq!(one, two),
                            (Err(one), Err(two)) => assert_eq!(one.kind(), two.kind()),
                            other => panic!("{other:?}"),
                        }
                    }
                }
            }
        });
    });
}

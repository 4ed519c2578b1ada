//! Cases of a rate limiter.

use std::time::Duration;

use futures_util::future::join_all;

use wallet_core::edge::{Charge, LimitState, Quota, RateLimiter, Verdict};
use wallet_core::ledger::{LimitName, LimitScope};
use wallet_core::store::StoreErrorKind;

type Kit = crate::Kit<dyn RateLimiter>;

fn scope(name: &str) -> LimitScope {
    LimitScope::new(name).unwrap()
}

fn quota(capacity: u32, refill: u32, period_ms: u64) -> Quota {
    Quota::new(capacity, refill, Duration::from_millis(period_ms)).unwrap()
}

fn charge(name: &str, quota: Quota, cost: u32) -> Charge {
    Charge::new(LimitName::new(name).unwrap(), quota, cost)
}

async fn take(kit: &Kit, charges: &[Charge]) -> Verdict {
    let verdict = kit.port().take(&scope("tenant"), charges).await.unwrap();
    assert_eq!(verdict.limits.len(), charges.len(), "one state per charge");
    verdict
}

/// Whether one token is granted.
async fn gives(kit: &Kit, name: &str, quota: Quota) -> bool {
    take(kit, &[charge(name, quota, 1)]).await.is_admitted()
}

async fn state(kit: &Kit, name: &str, quota: Quota) -> LimitState {
    take(kit, &[charge(name, quota, 0)]).await.limits[0]
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// A burst is admitted up to the capacity.
pub async fn a_burst_is_admitted_and_no_more(kit: &Kit) {
    let quota = quota(5, 1, 1_000);
    for _ in 0..5 {
        assert!(gives(kit, "a", quota).await);
    }
    assert!(!gives(kit, "a", quota).await);
    assert!(!gives(kit, "a", quota).await, "a refusal takes nothing");
    assert_eq!(state(kit, "a", quota).await.reset_after, micros(5_000_000));
}

/// Tokens return one by one, each exactly at its time.
pub async fn tokens_come_back_one_by_one(kit: &Kit) {
    let quota = quota(2, 10, 1_000);
    assert!(gives(kit, "a", quota).await && gives(kit, "a", quota).await);
    for _ in 0..3 {
        kit.advance(micros(99_999));
        assert!(!gives(kit, "a", quota).await);
        kit.advance(micros(1));
        assert!(gives(kit, "a", quota).await);
        assert!(!gives(kit, "a", quota).await);
    }
}

/// A bucket never exceeds its capacity, however long it is idle.
pub async fn a_bucket_never_holds_more_than_its_capacity(kit: &Kit) {
    let quota = quota(3, 1, 100);
    assert!(gives(kit, "a", quota).await);
    kit.advance(Duration::from_secs(86_400));
    assert_eq!(state(kit, "a", quota).await.remaining, 3);
    for _ in 0..3 {
        assert!(gives(kit, "a", quota).await);
    }
    assert!(!gives(kit, "a", quota).await);
}

/// The reported state is exact to the microsecond.
pub async fn remaining_reset_and_retry_are_exact(kit: &Kit) {
    let quota = quota(4, 1, 1_000);
    let fresh = LimitState {
        remaining: 4,
        retry_after: Duration::ZERO,
        reset_after: Duration::ZERO,
    };
    assert_eq!(state(kit, "a", quota).await, fresh);
    let taken = take(kit, &[charge("a", quota, 3)]).await;
    assert!(taken.is_admitted());
    let left = LimitState {
        remaining: 1,
        retry_after: Duration::ZERO,
        reset_after: micros(3_000_000),
    };
    assert_eq!(taken.limits, [left]);
    kit.advance(micros(250_001));
    let refused = take(kit, &[charge("a", quota, 3)]).await;
    let waiting = LimitState {
        remaining: 1,
        retry_after: micros(1_749_999),
        reset_after: micros(2_749_999),
    };
    assert_eq!(refused.limits, [waiting]);
    assert_eq!(refused.retry_after(), micros(1_749_999));
    kit.advance(micros(1_749_998));
    assert!(!take(kit, &[charge("a", quota, 3)]).await.is_admitted());
    kit.advance(micros(1));
    let taken = take(kit, &[charge("a", quota, 3)]).await;
    assert!(taken.is_admitted());
    assert_eq!(taken.limits[0].remaining, 0);
}

/// Fractions of a token are not lost: 7 per second, where a token's time is no
/// whole number of microseconds.
pub async fn fractions_of_a_token_are_not_lost(kit: &Kit) {
    let quota = quota(7, 7, 1_000);
    let all = take(kit, &[charge("a", quota, 7)]).await;
    assert_eq!(all.limits[0].reset_after, micros(1_000_000));
    let mut given = 0;
    for _ in 0..1_000 {
        kit.advance(micros(7_001));
        if gives(kit, "a", quota).await {
            given += 1;
        }
    }
    // 7.001 seconds have passed, and 49.007 tokens have returned.
    assert_eq!(given, 49);
    let left = state(kit, "a", quota).await;
    assert_eq!(left.reset_after, micros(999_000));
    let retry = take(kit, &[charge("a", quota, 1)]).await.retry_after();
    assert_eq!(retry, micros(141_858), "142,857 and a bit, less 1,000");
}

/// A call costs its cost, not one token.
pub async fn a_call_costs_what_it_says(kit: &Kit) {
    let quota = quota(10, 1, 1_000);
    assert!(take(kit, &[charge("a", quota, 6)]).await.is_admitted());
    assert!(!take(kit, &[charge("a", quota, 5)]).await.is_admitted());
    assert!(take(kit, &[charge("a", quota, 4)]).await.is_admitted());
    assert_eq!(state(kit, "a", quota).await.remaining, 0);
}

/// A cost of 0 takes nothing, any number of times.
pub async fn a_cost_of_nothing_only_looks(kit: &Kit) {
    let quota = quota(2, 1, 1_000);
    for _ in 0..5 {
        assert_eq!(state(kit, "a", quota).await.remaining, 2);
    }
    assert!(gives(kit, "a", quota).await);
    assert_eq!(state(kit, "a", quota).await.remaining, 1);
    assert!(gives(kit, "a", quota).await);
    let empty = take(kit, &[charge("a", quota, 0)]).await;
    assert!(empty.is_admitted(), "nothing is always admitted");
}

/// The call is atomic, whichever limit refuses.
pub async fn all_limits_are_taken_from_or_none(kit: &Kit) {
    let (wide, narrow) = (quota(10, 1, 60_000), quota(1, 1, 60_000));
    let both = [charge("wide", wide, 2), charge("narrow", narrow, 1)];
    let first = take(kit, &both).await;
    assert!(first.is_admitted());
    let left: Vec<_> = first.limits.iter().map(|limit| limit.remaining).collect();
    assert_eq!(left, [8, 0]);
    for _ in 0..3 {
        assert!(!take(kit, &both).await.is_admitted());
        let turned = [both[1].clone(), both[0].clone()];
        assert!(!take(kit, &turned).await.is_admitted());
    }
    assert_eq!(state(kit, "wide", wide).await.remaining, 8);
}

/// Exactly the refusing limits report a retry time.
pub async fn refused_limits_say_when_to_come_back(kit: &Kit) {
    let (fast, slow, idle) = (quota(1, 1, 100), quota(1, 1, 900), quota(1, 1, 5_000));
    let both = [charge("fast", fast, 1), charge("slow", slow, 1)];
    assert!(take(kit, &both).await.is_admitted());
    let all = [both[0].clone(), charge("idle", idle, 1), both[1].clone()];
    let refused = take(kit, &all).await;
    let after = refused.limits.iter().map(|limit| limit.retry_after);
    let after: Vec<_> = after.collect();
    assert_eq!(after, [micros(100_000), Duration::ZERO, micros(900_000)]);
    assert_eq!(refused.retry_after(), micros(900_000));
    kit.advance_ms(900);
    assert!(take(kit, &all).await.is_admitted());
}

/// Each scope and name counts separately.
pub async fn scopes_and_names_are_kept_apart(kit: &Kit) {
    let quota = quota(1, 1, 60_000);
    for (tenant, name) in [("a", "b:c"), ("a:b", "c"), ("a", "b"), ("\u{e4}}{", "b")] {
        let charges = [charge(name, quota, 1)];
        let verdict = kit.port().take(&scope(tenant), &charges).await.unwrap();
        assert!(verdict.is_admitted(), "{tenant} {name}");
        let again = kit.port().take(&scope(tenant), &charges).await.unwrap();
        assert!(!again.is_admitted(), "{tenant} {name}");
    }
}

/// Usage under one quota does not affect another quota.
pub async fn another_quota_counts_afresh(kit: &Kit) {
    let (before, after) = (quota(1, 1, 60_000), quota(3, 7, 1_000));
    assert!(gives(kit, "a", before).await);
    assert_eq!(state(kit, "a", after).await.remaining, 3);
    assert!(gives(kit, "a", after).await);
    assert!(!gives(kit, "a", before).await);
}

/// A backward clock step, as after a failover to a machine with a slower clock.
pub async fn a_clock_that_steps_back_neither_blocks_nor_gives(kit: &Kit) {
    let quota = quota(2, 1, 1_000);
    assert!(gives(kit, "a", quota).await && gives(kit, "a", quota).await);
    kit.clock().step_back(Duration::from_secs(3_600));
    assert!(!gives(kit, "a", quota).await);
    assert_eq!(state(kit, "a", quota).await.reset_after, micros(2_000_000));
    kit.advance_ms(999);
    assert!(!gives(kit, "a", quota).await);
    kit.advance_ms(1);
    assert!(gives(kit, "a", quota).await);
    assert!(!gives(kit, "a", quota).await);
}

/// Bad charges are refused as `Invalid`, and nothing is taken.
pub async fn bad_charges_are_invalid(kit: &Kit) {
    let quota = quota(2, 1, 1_000);
    let many = (0..=Charge::CALL_MAX).map(|number| charge(&format!("n{number}"), quota, 1));
    let bad = [
        vec![charge("a", quota, 3)],
        vec![charge("a", quota, 1), charge("a", quota, 1)],
        many.collect(),
    ];
    for charges in bad {
        let error = kit.port().take(&scope("tenant"), &charges).await;
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Invalid);
    }
    assert_eq!(state(kit, "a", quota).await.remaining, 2);
    assert!(take(kit, &[]).await.is_admitted(), "no limits, no refusal");
}

/// Concurrent callers never get the same token.
pub async fn callers_at_once_share_a_limit(kit: &Kit) {
    let quota = quota(25, 1, 60_000);
    let callers = (0..60).map(|_| gives(kit, "a", quota));
    let given = join_all(callers).await.into_iter().filter(|given| *given);
    assert_eq!(given.count(), 25);
}

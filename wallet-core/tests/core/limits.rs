//! Quotas, and limiters that fail.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::edge::{
    Charge, GuardedLimiter, OnFailure, Quota, QuotaError, RateLimiter, Verdict,
};
use wallet_core::ledger::{LimitName, LimitScope};
use wallet_core::memory::MemoryLimiter;
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

#[derive(Debug)]
struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    async fn sleep(&self, _: Duration) {}
}

#[derive(Debug)]
struct Fails(StoreErrorKind);

#[async_trait]
impl RateLimiter for Fails {
    async fn take(&self, _: &LimitScope, _: &[Charge]) -> Result<Verdict, StoreError> {
        Err(StoreError::new(self.0, "as scripted"))
    }
}

fn charge(cost: u32) -> Charge {
    let quota = Quota::new(1, 1, Duration::from_secs(1)).unwrap();
    Charge::new(LimitName::new("a").unwrap(), quota, cost)
}

#[tokio::test]
async fn a_limiter_that_fails_admits_or_refuses_as_the_host_says() {
    use StoreErrorKind::{Corrupt, Internal, Unavailable};
    let scope = LimitScope::new("a").unwrap();
    for kind in [Unavailable, Corrupt, Internal] {
        for (on_failure, expected) in [(OnFailure::FailOpen, true), (OnFailure::FailClosed, false)]
        {
            let guarded = GuardedLimiter::new(Arc::new(Fails(kind)), on_failure);
            let answer = guarded.check(&scope, &[charge(1)]).await.unwrap();
            assert_eq!((answer.is_admitted, answer.verdict), (expected, None));
            assert_eq!(guarded.failures(), 1);
        }
    }
}

#[tokio::test]
async fn a_limiter_that_answers_is_believed() {
    let scope = LimitScope::new("a").unwrap();
    for on_failure in [OnFailure::FailOpen, OnFailure::FailClosed] {
        let limiter = Arc::new(MemoryLimiter::new(Arc::new(Still)));
        let guarded = GuardedLimiter::new(limiter, on_failure);
        let first = guarded.check(&scope, &[charge(1)]).await.unwrap();
        assert!(first.is_admitted && first.verdict.is_some());
        let second = guarded.check(&scope, &[charge(1)]).await.unwrap();
        assert!(!second.is_admitted && second.verdict.is_some());
        let error = guarded.check(&scope, &[charge(2)]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
        assert_eq!(guarded.failures(), 0);
    }
}

#[test]
fn quotas_that_cannot_be_counted_are_refused() {
    let second = Duration::from_secs(1);
    let quota = |capacity, refill, period| Quota::new(capacity, refill, period).map(|_| ());
    assert_eq!(quota(0, 1, second), Err(QuotaError::Zero));
    assert_eq!(quota(1, 0, second), Err(QuotaError::Zero));
    assert_eq!(quota(1, 1, Duration::ZERO), Err(QuotaError::Zero));
    assert_eq!(
        quota(1, 1, Duration::from_nanos(999)),
        Err(QuotaError::Zero)
    );
    // 2^53 units, and one token more.
    let period = Duration::from_micros(1 << 33);
    assert_eq!(quota(1 << 20, 1, period), Ok(()));
    assert_eq!(quota((1 << 20) + 1, 1, period), Err(QuotaError::TooLarge));
    assert_eq!(quota(1, 1, Duration::MAX), Err(QuotaError::TooLarge));
    assert_eq!(quota(u32::MAX, 1, 3 * second), Err(QuotaError::TooLarge));
    // The same flow in smaller numbers.
    let month = Duration::from_secs(30 * 86_400);
    assert_eq!(quota(u32::MAX, 2_592_000, month), Ok(()));
    let both = [
        Quota::new(5, 60, Duration::from_secs(60)),
        Quota::new(5, 1, second),
    ];
    assert_eq!(both[0], both[1]);
}

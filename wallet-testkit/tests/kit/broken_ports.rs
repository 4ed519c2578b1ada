//! The suites of the small ports can fail: every planted bug is detected, every
//! case detects at least one, and an adapter without a bug passes.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Once};

use async_trait::async_trait;
use wallet_core::audit::AuditLog;
use wallet_core::cache::BalanceCache;
use wallet_core::edge::{RateLimiter, SessionStore};
use wallet_core::locks::LockManager;
use wallet_testkit::broken::ports::{
    AuditBug, BalanceBug, BrokenAuditLog, BrokenCache, BrokenLimiter, BrokenLocks, BrokenQueue,
    BrokenSessions, LimitBug, LockBug, QueueBug, SessionBug,
};
use wallet_testkit::conformance::{
    AUDIT_LOG, BALANCE_CACHE, Case, LOCK_MANAGER, MESSAGE_QUEUE, RATE_LIMITER, SESSION_STORE, fault,
};
use wallet_testkit::{Built, Factory, Kit, ManualClock, QueueEnds};

static QUIET: Once = Once::new();

#[derive(Debug)]
struct Broken<B>(Option<B>);

macro_rules! factories {
    ($($port:ident with $bug:ident: |$clock:ident, $planted:ident| $make:expr;)*) => {
        $(#[async_trait]
        impl Factory<dyn $port> for Broken<$bug> {
            async fn build(&self, $clock: Arc<ManualClock>) -> Built<dyn $port> {
                let $planted = self.0;
                let _ = &$clock;
                Built::new(Arc::new($make), ())
            }
        })*
    };
}

factories! {
    AuditLog with AuditBug: |clock, bug| BrokenAuditLog::new(bug);
    BalanceCache with BalanceBug: |clock, bug| BrokenCache::new(bug);
    RateLimiter with LimitBug: |clock, bug| BrokenLimiter::new(clock, bug);
    LockManager with LockBug: |clock, bug| BrokenLocks::new(clock, bug);
    SessionStore with SessionBug: |clock, bug| BrokenSessions::new(clock, bug);
}

#[async_trait]
impl Factory<QueueEnds> for Broken<QueueBug> {
    async fn build(&self, _: Arc<ManualClock>) -> Built<QueueEnds> {
        let queue = Arc::new(BrokenQueue::new(self.0));
        let publisher = Arc::<BrokenQueue>::clone(&queue);
        Built::new(Arc::new(QueueEnds { publisher, queue }), ())
    }
}

fn assert_proven<P, B>(cases: &'static [Case<Kit<P>>], bugs: &[B])
where
    P: ?Sized + Send + Sync + 'static,
    B: Copy + Debug,
    Broken<B>: Factory<P>,
{
    // Many expected panics would hide an unexpected one.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let failing = |bug: Option<B>| {
        let cases = cases.iter();
        let failing = cases.filter(|case| fault(Broken(bug), case).is_some());
        failing.map(|case| case.name).collect::<Vec<_>>()
    };
    assert_eq!(failing(None), [""; 0], "without a bug");
    let mut proven = BTreeSet::new();
    for bug in bugs {
        let caught = failing(Some(*bug));
        println!("{bug:?}: {caught:?}");
        assert!(!caught.is_empty(), "{bug:?} is not caught");
        proven.extend(caught);
    }
    let all: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    let unproven: Vec<_> = all.difference(&proven).collect();
    assert!(unproven.is_empty(), "no bug is caught by {unproven:?}");
}

#[test]
fn every_case_of_audit_logs_can_fail() {
    assert_proven(AUDIT_LOG, AuditBug::ALL);
}

#[test]
fn every_case_of_caches_can_fail() {
    assert_proven(BALANCE_CACHE, BalanceBug::ALL);
}

#[test]
fn every_case_of_limiters_can_fail() {
    assert_proven(RATE_LIMITER, LimitBug::ALL);
}

#[test]
fn every_case_of_locks_can_fail() {
    assert_proven(LOCK_MANAGER, LockBug::ALL);
}

#[test]
fn every_case_of_sessions_can_fail() {
    assert_proven(SESSION_STORE, SessionBug::ALL);
}

#[test]
fn every_case_of_queues_can_fail() {
    assert_proven(MESSAGE_QUEUE, QueueBug::ALL);
}

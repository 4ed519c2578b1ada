//! The small ports in memory pass their conformance suites.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wallet_core::audit::AuditLog;
use wallet_core::cache::BalanceCache;
use wallet_core::edge::{RateLimiter, SessionStore};
use wallet_core::locks::LockManager;
use wallet_core::memory::{
    MemoryAuditLog, MemoryCache, MemoryLimiter, MemoryLocks, MemorySessions,
};
use wallet_testkit::{Built, Factory, ManualClock};

#[derive(Debug)]
struct Memory;

#[async_trait]
impl Factory<dyn AuditLog> for Memory {
    async fn build(&self, _: Arc<ManualClock>) -> Built<dyn AuditLog> {
        Built::new(Arc::new(MemoryAuditLog::new()), ())
    }
}

#[async_trait]
impl Factory<dyn BalanceCache> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<dyn BalanceCache> {
        let cache = MemoryCache::new(clock, Duration::from_secs(60), 10_000);
        Built::new(Arc::new(cache), ())
    }
}

#[async_trait]
impl Factory<dyn RateLimiter> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<dyn RateLimiter> {
        Built::new(Arc::new(MemoryLimiter::new(clock)), ())
    }
}

#[async_trait]
impl Factory<dyn LockManager> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<dyn LockManager> {
        Built::new(Arc::new(MemoryLocks::new(clock)), ())
    }
}

#[async_trait]
impl Factory<dyn SessionStore> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> Built<dyn SessionStore> {
        Built::new(Arc::new(MemorySessions::new(clock)), ())
    }
}

wallet_testkit::audit_log_conformance!(Memory);
wallet_testkit::balance_cache_conformance!(Memory);
wallet_testkit::rate_limiter_conformance!(Memory);
wallet_testkit::lock_manager_conformance!(Memory);
wallet_testkit::session_store_conformance!(Memory);

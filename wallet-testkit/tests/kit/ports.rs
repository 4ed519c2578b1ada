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
use wallet_testkit::{BuiltPort, ManualClock, PortFactory};

#[derive(Debug)]
struct Memory;

#[async_trait]
impl PortFactory<dyn AuditLog> for Memory {
    async fn build(&self, _: Arc<ManualClock>) -> BuiltPort<dyn AuditLog> {
        BuiltPort::new(Arc::new(MemoryAuditLog::new()), ())
    }
}

#[async_trait]
impl PortFactory<dyn BalanceCache> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<dyn BalanceCache> {
        let cache = MemoryCache::new(clock, Duration::from_secs(60), 10_000);
        BuiltPort::new(Arc::new(cache), ())
    }
}

#[async_trait]
impl PortFactory<dyn RateLimiter> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<dyn RateLimiter> {
        BuiltPort::new(Arc::new(MemoryLimiter::new(clock)), ())
    }
}

#[async_trait]
impl PortFactory<dyn LockManager> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<dyn LockManager> {
        BuiltPort::new(Arc::new(MemoryLocks::new(clock)), ())
    }
}

#[async_trait]
impl PortFactory<dyn SessionStore> for Memory {
    async fn build(&self, clock: Arc<ManualClock>) -> BuiltPort<dyn SessionStore> {
        BuiltPort::new(Arc::new(MemorySessions::new(clock)), ())
    }
}

wallet_testkit::audit_log_conformance!(Memory);
wallet_testkit::balance_cache_conformance!(Memory);
wallet_testkit::rate_limiter_conformance!(Memory);
wallet_testkit::lock_manager_conformance!(Memory);
wallet_testkit::session_store_conformance!(Memory);

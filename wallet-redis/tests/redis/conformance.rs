//! Every adapter passes the test list of its port, on one server and on a cluster.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::cache::BalanceCache;
use wallet_core::edge::{RateLimiter, SessionStore};
use wallet_core::locks::LockManager;
use wallet_redis::Redis;
use wallet_test_servers::{PrivateRedis, PrivateRedisCluster};
use wallet_testkit::{Built, Factory, Guard, ManualClock};

use crate::support::{open_with, patient};

/// The deployment that a case runs on.
trait Place: std::fmt::Debug + Send + Sync + Sized + 'static {
    type Guard: Send + Sync + 'static;
    fn start() -> (String, Self::Guard);
}

#[derive(Debug)]
struct One;

impl Place for One {
    type Guard = PrivateRedis;
    fn start() -> (String, PrivateRedis) {
        let server = PrivateRedis::start();
        (server.url(), server)
    }
}

#[derive(Debug)]
struct Cluster;

impl Place for Cluster {
    type Guard = PrivateRedisCluster;
    fn start() -> (String, PrivateRedisCluster) {
        let cluster = PrivateRedisCluster::start();
        (cluster.url(), cluster)
    }
}

#[derive(Debug)]
struct On<P>(#[allow(dead_code, reason = "says where")] P);

impl<P: Place> On<P> {
    async fn redis(&self, clock: Arc<ManualClock>) -> (Redis, P::Guard) {
        let (url, guard) = P::start();
        (open_with(&patient(url), clock).await, guard)
    }
}

fn block_on(future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future);
}

macro_rules! factories {
    ($($port:ident by $method:ident;)*) => {
        $(#[async_trait]
        impl<P: Place> Factory<dyn $port> for On<P> {
            async fn build(&self, clock: Arc<ManualClock>) -> Built<dyn $port> {
                let (redis, guard) = self.redis(clock).await;
                Built::new(Arc::new(redis.$method()), Guard(guard))
            }

            fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
                block_on(future);
            }
        })*
    };
}

factories! {
    BalanceCache by cache;
    RateLimiter by limiter;
    LockManager by locks;
    SessionStore by sessions;
}

mod one {
    use super::*;
    wallet_testkit::balance_cache_conformance!(On(One));
    wallet_testkit::rate_limiter_conformance!(On(One));
    wallet_testkit::lock_manager_conformance!(On(One));
    wallet_testkit::session_store_conformance!(On(One));
}

mod cluster {
    use super::*;
    wallet_testkit::balance_cache_conformance!(On(Cluster));
    wallet_testkit::rate_limiter_conformance!(On(Cluster));
    wallet_testkit::lock_manager_conformance!(On(Cluster));
    wallet_testkit::session_store_conformance!(On(Cluster));
}

//! Redis, Valkey and ElastiCache for the wallet ledger: a balance cache, rate
//! limits, locks and sessions. Redis 7, alone, behind sentinels or as a cluster.
//!
//! [`Redis`] is one connection, from which come [`RedisCache`], [`RedisLimiter`],
//! [`RedisLocks`] and [`RedisSessions`]: the adapters of the core's ports
//! [`BalanceCache`](wallet_core::cache::BalanceCache),
//! [`RateLimiter`](wallet_core::edge::RateLimiter),
//! [`LockManager`](wallet_core::locks::LockManager) and
//! [`SessionStore`](wallet_core::edge::SessionStore).
//!
//! # What it may do to money
//! Nothing. Every debit is decided by the ledger on locked rows; Redis may be
//! killed, flushed, paused, full, read-only or empty, and transfers go on.
//!
//! # What a call costs
//! One round trip, and at most its budget
//! ([`RedisSettings::with_budget`], 20 ms). A call whose connection broke is
//! repeated within the budget where that is harmless. After a few calls in a row
//! without an answer nothing is asked any more: calls fail at once while a new
//! connection is opened beside them, which must answer within a call's budget
//! before it is used. A server that was made a replica is left at once.
//!
//! Scripts are called by their hash, and sent whole where a server does not know
//! them: after `SCRIPT FLUSH`, a failover, a restart.
//!
//! # Keys
//! Each begins with `{prefix:` and a hash tag, so that what one operation touches
//! lies on one server of a cluster. Balances are spread over 256 tags by account,
//! limits by scope, locks by name, sessions by user. Every key ends by itself.
//!
//! # Users and memory
//! An ACL user needs `+mget +unlink +evalsha +eval +echo +role` (and
//! `+cluster|slots +cluster|shards` for a cluster) and what scripts call: `+get
//! +set +getrange +time +hget +hset +hdel +hmget +hgetall +del +pexpire +pttl`,
//! on `~{prefix:*`. With `maxmemory`, `volatile-ttl` or an LRU policy is right:
//! whatever is forgotten is read again, counted afresh, or signed in again.
//!
//! # Passwords that change
//! [`RedisSettings::with_credentials`] takes user and password from a
//! [`RedisCredentialsProvider`] instead of the address. It is asked for every
//! connection, and each connection signs in again after eleven hours
//! ([`RedisSettings::with_sign_in_age`]) without being closed.
//!
//! That is what IAM of `ElastiCache` needs: a token is a password for 15 minutes, and
//! a connection is closed after 12 hours unless it signs in again with a new one
//! ([AWS](https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html); the
//! same of `MemoryDB`:
//! [AWS](https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html)).
//! The host makes the token, a request `connect` that is presigned for 15 minutes,
//! with its own credentials; the connection must be TLS. A connection whose new token
//! was refused stays as it is until the server closes it, and the one after it asks
//! the provider again. Shown here with users and passwords of a Redis that change;
//! not shown: IAM, and that AWS closes connections after 12 hours.
//!
//! # Example
//! ```no_run
//! use std::sync::Arc;
//! use wallet_core::{SystemClock, Wallet};
//! use wallet_core::memory::MemoryStore;
//! use wallet_redis::{Redis, RedisSettings};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = Redis::open(&RedisSettings::new("redis://127.0.0.1/")).await?;
//! let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
//! let wallet = Wallet::builder(store).cache(Arc::new(redis.cache())).spawn()?;
//! # drop(wallet);
//! # Ok(())
//! # }
//! ```

mod address;
mod cache;
mod connection;
mod credentials;
mod error;
mod handle;
mod keys;
mod limiter;
mod link;
mod locks;
mod packed;
mod script;
mod sessions;
mod settings;
mod stats;
mod target;
mod time;

pub use cache::RedisCache;
pub use credentials::{RedisCredentials, RedisCredentialsProvider};
pub use handle::Redis;
pub use limiter::RedisLimiter;
pub use locks::RedisLocks;
pub use sessions::RedisSessions;
pub use settings::RedisSettings;
pub use stats::StatsSnapshot;

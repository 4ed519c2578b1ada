//! Redis, Valkey and ElastiCache for the wallet ledger: a balance cache, rate limits, locks
//! and sessions. Supports Redis 7: one server, sentinels, or a cluster.
//!
//! [`Redis`] is one shared connection. It creates [`RedisCache`], [`RedisLimiter`],
//! [`RedisLocks`] and [`RedisSessions`]. These are the adapters of the core's ports
//! [`BalanceCache`](wallet_core::cache::BalanceCache),
//! [`RateLimiter`](wallet_core::edge::RateLimiter),
//! [`LockManager`](wallet_core::locks::LockManager) and
//! [`SessionStore`](wallet_core::edge::SessionStore).
//!
//! # Effect on money
//! None. The ledger decides every debit on locked rows. Transfers continue while Redis is
//! killed, flushed, paused, full, read-only or empty.
//!
//! # Cost of a call
//! A call costs one round trip, and takes at most its deadline
//! ([`RedisSettings::budget`], 20 ms). If its connection breaks, an idempotent call is
//! repeated within the deadline. After a few calls in a row without an answer, a circuit
//! breaker opens and calls fail at once. A background task then opens a new connection. The
//! connection is used after it has answered within the deadline of a call. A server that
//! became a replica is abandoned at once.
//!
//! Scripts are called by their hash. If a server does not know the hash (after `SCRIPT
//! FLUSH`, a failover, a restart), the full script is sent.
//!
//! # Keys
//! Each key begins with `{prefix:` and a hash tag. So all keys of one operation are in the
//! same hash slot of a cluster. Balances are spread over 256 tags by account, limits by
//! scope, locks by name, and sessions by user. Every key expires by itself.
//!
//! # Users and memory
//! An ACL user needs `+mget +unlink +evalsha +eval +echo +role` (and `+cluster|slots
//! +cluster|shards` for a cluster). It also needs the commands that scripts call: `+get
//! +set +getrange +time +hget +hset +hdel +hmget +hgetall +del +pexpire +pttl`, on
//! `~{prefix:*`. With `maxmemory`, use `volatile-ttl` or an LRU policy. After an eviction,
//! a balance is read again, a limit counts from zero, and a user signs in again.
//!
//! # Passwords that change
//! With [`RedisSettings::credentials`], user and password come from a
//! [`RedisCredentialsProvider`] instead of the address. Every new connection asks the
//! provider. Each connection signs in again after eleven hours
//! ([`RedisSettings::sign_in_age`]) without being closed.
//!
//! IAM of `ElastiCache` needs this. A token is a password for 15 minutes. The server closes
//! a connection after 12 hours unless it signs in again with a new token
//! ([AWS](https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html)). The same
//! holds for `MemoryDB`
//! ([AWS](https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html)). The host
//! makes the token with its own credentials: a request `connect` that is presigned for 15
//! minutes. The connection must use TLS. If a new token is refused, the connection stays
//! open until the server closes it. The next connection asks the provider again. The tests
//! prove this with changing users and passwords of a Redis server. They do not prove IAM,
//! nor that AWS closes connections after 12 hours.
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

mod big_endian;
mod cache;
mod connect;
mod connection;
mod credentials;
mod error;
mod handle;
mod keys;
mod limiter;
mod locks;
mod script;
mod sessions;
mod settings;
mod shared_connection;
mod stats;
mod time;
mod url;

pub use cache::RedisCache;
pub use credentials::{RedisCredentials, RedisCredentialsProvider};
pub use handle::Redis;
pub use limiter::RedisLimiter;
pub use locks::RedisLocks;
pub use sessions::RedisSessions;
pub use settings::RedisSettings;
pub use stats::StatsSnapshot;

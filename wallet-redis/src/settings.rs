//! The settings of the shared connection and the cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::runtime::Backoff;

use crate::RedisCredentialsProvider;

/// The settings for Redis: how it is reached and used. Plain data.
///
/// ```
/// use std::time::Duration;
/// use wallet_redis::RedisSettings;
/// let settings = RedisSettings {
///     budget: Duration::from_millis(10),
///     ..RedisSettings::new("rediss+cluster://shop:secret@cfg.example:6379")
/// };
/// assert!(settings.check().is_ok());
/// assert!(!format!("{settings:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct RedisSettings {
    /// The address. An ACL user and a password may precede the host. `rediss` instead of
    /// `redis` requires TLS.
    ///
    /// | form | deployment |
    /// |---|---|
    /// | `redis://user:password@host:port/db` | one server |
    /// | `redis+sentinel://user:password@host:port,host:port/name/db` | sentinels of the server `name` |
    /// | `redis+cluster://user:password@host:port,host:port` | nodes of a cluster, or its configuration endpoint |
    pub url: String,
    /// The certificates of the trusted issuers (PEM). `None`, the default, trusts the
    /// system's.
    pub ca: Option<Arc<[u8]>>,
    /// The provider of the user and the password. The address must then contain neither.
    /// `None` by default.
    pub credentials: Option<Arc<dyn RedisCredentialsProvider>>,
    /// How long a connection stays signed in before it signs in again with
    /// [`credentials`](RedisSettings::credentials): more than zero. 11 hours by default,
    /// because AWS closes a connection after 12. It has no effect without a provider.
    pub sign_in_age: Duration,
    /// The prefix of every key: 1 to 32 characters of `a-z A-Z 0-9 _ - .`. Books that were
    /// restored to an earlier state need another prefix, and so do other books. `wallet` by
    /// default.
    pub prefix: String,
    /// The deadline of one call, including retries: more than zero. 20 ms by default.
    pub budget: Duration,
    /// The longest time to open a connection: more than zero. A call waits for it only until
    /// its own deadline. 1 s by default.
    pub connect_wait: Duration,
    /// The limit of the circuit breaker, at least 1: after this number of calls in a row
    /// without an answer it opens. It closes when a new connection answers within the
    /// deadline of a call. 3 by default.
    pub failures_max: u32,
    /// How often an idempotent call is repeated after its connection broke, within its
    /// deadline. Once by default.
    pub retries_max: u32,
    /// The pauses between attempts to connect, the first more than zero. From 50 ms to 2 s
    /// by default.
    pub reconnect: Backoff,
    /// How long a balance is cached, minus up to 10 percent at random. From one millisecond
    /// to [`CACHE_TTL_MAX`](RedisSettings::CACHE_TTL_MAX). One minute by default.
    pub cache_ttl: Duration,
}

impl RedisSettings {
    /// The longest time to cache a balance: 30 days.
    pub const CACHE_TTL_MAX: Duration = Duration::from_secs(30 * 86_400);

    /// The defaults for Redis at [`url`](RedisSettings::url).
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca: None,
            credentials: None,
            sign_in_age: Duration::from_secs(11 * 3_600),
            prefix: "wallet".to_owned(),
            budget: Duration::from_millis(20),
            connect_wait: Duration::from_secs(1),
            failures_max: 3,
            retries_max: 1,
            reconnect: Backoff::new(Duration::from_millis(50), Duration::from_secs(2)),
            cache_ttl: Duration::from_secs(60),
        }
    }

    /// The first invalid setting, if any. The address is checked elsewhere.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if self.prefix.is_empty() || self.prefix.len() > 32 || !self.prefix.chars().all(allowed) {
            return Some("a prefix has 1 to 32 of a-z A-Z 0-9 _ - .");
        }
        if self.budget.is_zero() || self.connect_wait.is_zero() || self.reconnect.first.is_zero() {
            return Some("a budget, a wait and a pause must be more than zero");
        }
        if self.sign_in_age.is_zero() {
            return Some("a connection signs in again after more than nothing");
        }
        if self.failures_max == 0 {
            return Some("the circuit breaker opens after one failure or more");
        }
        let ttl = Duration::from_millis(1)..=Self::CACHE_TTL_MAX;
        if !ttl.contains(&self.cache_ttl) {
            return Some("a balance is kept from a millisecond to 30 days");
        }
        None
    }
}

/// Leaves the address out, because it contains a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("credentials", &self.credentials)
            .field("sign_in_age", &self.sign_in_age)
            .field("prefix", &self.prefix)
            .field("has_ca", &self.ca.is_some())
            .field("budget", &self.budget)
            .field("connect_wait", &self.connect_wait)
            .field("failures_max", &self.failures_max)
            .field("retries_max", &self.retries_max)
            .field("reconnect", &self.reconnect)
            .field("cache_ttl", &self.cache_ttl)
            .finish_non_exhaustive()
    }
}

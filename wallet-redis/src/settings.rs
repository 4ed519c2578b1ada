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
/// let settings = RedisSettings::new("rediss+cluster://shop:secret@cfg.example:6379")
///     .with_budget(Duration::from_millis(10));
/// assert!(!format!("{settings:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct RedisSettings {
    pub(crate) url: String,
    pub(crate) ca: Option<Arc<[u8]>>,
    pub(crate) credentials: Option<Arc<dyn RedisCredentialsProvider>>,
    pub(crate) sign_in_age: Duration,
    pub(crate) prefix: String,
    pub(crate) budget: Duration,
    pub(crate) connect_wait: Duration,
    pub(crate) failures_max: u32,
    pub(crate) retries_max: u32,
    pub(crate) reconnect: Backoff,
    pub(crate) cache_ttl: Duration,
}

impl RedisSettings {
    /// The longest time to cache a balance: 30 days.
    pub const CACHE_TTL_MAX: Duration = Duration::from_secs(30 * 86_400);

    /// Settings for Redis at `url`. An ACL user and a password may precede the host.
    /// `rediss` instead of `redis` requires TLS.
    ///
    /// | form | deployment |
    /// |---|---|
    /// | `redis://user:password@host:port/db` | one server |
    /// | `redis+sentinel://user:password@host:port,host:port/name/db` | sentinels of the server `name` |
    /// | `redis+cluster://user:password@host:port,host:port` | nodes of a cluster, or its configuration endpoint |
    ///
    /// Keys begin with `wallet`. A call takes at most 20 ms. After 3 failures in a row, a
    /// circuit breaker opens until a connection answers again. Balances are cached for one
    /// minute.
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

    /// Trusts the certificates of these issuers (PEM) instead of the system's.
    #[must_use]
    pub fn with_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into().into());
        self
    }

    /// Signs in with the credentials of `provider`. The address must then contain no user
    /// and no password.
    #[must_use]
    pub fn with_credentials(mut self, provider: Arc<dyn RedisCredentialsProvider>) -> Self {
        self.credentials = Some(provider);
        self
    }

    /// How long a connection stays signed in before it signs in again with credentials from
    /// the [provider](Self::with_credentials). 11 hours by default, because AWS closes a
    /// connection after 12. It has no effect without a provider.
    #[must_use]
    pub const fn with_sign_in_age(mut self, age: Duration) -> Self {
        self.sign_in_age = age;
        self
    }

    /// The prefix of every key: 1 to 32 characters of `a-z A-Z 0-9 _ - .`. Books that were
    /// restored to an earlier state need another prefix, and so do other books.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The deadline of one call, including retries.
    #[must_use]
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The longest time to open a connection. A call waits for it only until its own
    /// deadline.
    #[must_use]
    pub const fn with_connect_wait(mut self, connect_wait: Duration) -> Self {
        self.connect_wait = connect_wait;
        self
    }

    /// The limit of the circuit breaker: after this number of calls in a row without an
    /// answer it opens. It closes when a new connection answers within the deadline of a
    /// call. At least 1.
    #[must_use]
    pub fn with_failures_max(mut self, failures: u32) -> Self {
        self.failures_max = failures.max(1);
        self
    }

    /// How often an idempotent call is repeated after its connection broke, within its
    /// deadline.
    #[must_use]
    pub const fn with_retries_max(mut self, retries: u32) -> Self {
        self.retries_max = retries;
        self
    }

    /// The pauses between attempts to connect. From 50 ms to 2 s by default.
    #[must_use]
    pub const fn with_reconnect(mut self, backoff: Backoff) -> Self {
        self.reconnect = backoff;
        self
    }

    /// How long a balance is cached, minus up to 10 percent at random. From one millisecond
    /// to [`Self::CACHE_TTL_MAX`].
    #[must_use]
    pub const fn with_cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = ttl;
        self
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

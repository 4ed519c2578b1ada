use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_core::StoreError;
use wallet_core::store::StoreErrorKind;

use crate::RedisCredentialsProvider;
use crate::target::Target;

/// How Redis is reached and used: plain data.
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
    pub(crate) pause: Duration,
    pub(crate) pause_max: Duration,
    pub(crate) cache_ttl: Duration,
}

impl RedisSettings {
    /// The longest that a balance may be kept: 30 days.
    pub const CACHE_TTL_MAX: Duration = Duration::from_secs(30 * 86_400);

    /// Redis at `url`; an ACL user and a password may stand before the host, and
    /// `rediss` instead of `redis` asks for TLS.
    ///
    /// | form | what is there |
    /// |---|---|
    /// | `redis://user:password@host:port/db` | one server |
    /// | `redis+sentinel://user:password@host:port,host:port/name/db` | the sentinels of a server named so |
    /// | `redis+cluster://user:password@host:port,host:port` | nodes of a cluster, or its configuration endpoint |
    ///
    /// Keys begin with `wallet`; a call takes at most 20 ms; after 3 failures in a
    /// row nothing is asked until a connection answers again; balances are kept
    /// for a minute.
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
            pause: Duration::from_millis(50),
            pause_max: Duration::from_secs(2),
            cache_ttl: Duration::from_secs(60),
        }
    }

    /// Trusts the certificates of these issuers (PEM) instead of the system's.
    #[must_use]
    pub fn with_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into().into());
        self
    }

    /// Signs in with what `provider` says, instead of a user and a password in the
    /// address: there must be none.
    #[must_use]
    pub fn with_credentials(mut self, provider: Arc<dyn RedisCredentialsProvider>) -> Self {
        self.credentials = Some(provider);
        self
    }

    /// How long a connection stays signed in before it signs in again, with what the
    /// [provider](Self::with_credentials) says then; 11 hours by default, because
    /// AWS closes it after 12. Of no effect without a provider.
    #[must_use]
    pub const fn with_sign_in_age(mut self, age: Duration) -> Self {
        self.sign_in_age = age;
        self
    }

    /// What every key begins with: 1 to 32 of `a-z A-Z 0-9 _ - .`. Books that
    /// were restored to an earlier state, and other books, take another one.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The most that one call may take, retries included.
    #[must_use]
    pub const fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The most that opening a connection may take. No call waits for it longer
    /// than its own budget.
    #[must_use]
    pub const fn with_connect_wait(mut self, connect_wait: Duration) -> Self {
        self.connect_wait = connect_wait;
        self
    }

    /// After how many calls in a row without an answer nothing is asked any more
    /// until a new connection answers within a call's budget; at least 1.
    #[must_use]
    pub fn with_failures_max(mut self, failures: u32) -> Self {
        self.failures_max = failures.max(1);
        self
    }

    /// How often a call that may be repeated is repeated when its connection
    /// broke, within its budget.
    #[must_use]
    pub const fn with_retries_max(mut self, retries: u32) -> Self {
        self.retries_max = retries;
        self
    }

    /// The pauses between attempts to connect: the first, which doubles, and the
    /// longest.
    #[must_use]
    pub const fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.pause = first;
        self.pause_max = longest;
        self
    }

    /// How long a balance is kept, less up to a tenth of it; at least a
    /// millisecond, at most [`Self::CACHE_TTL_MAX`].
    #[must_use]
    pub const fn with_cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache_ttl = ttl;
        self
    }

    /// Whether address and settings make sense, without connecting: for a host
    /// that reads them long before it uses them.
    ///
    /// # Errors
    /// As [`Redis::open`](crate::Redis::open).
    pub fn check(&self) -> Result<(), StoreError> {
        if let Some(problem) = self.problem() {
            return Err(StoreError::new(StoreErrorKind::Internal, problem));
        }
        Target::new(self).map(drop)
    }

    /// What is wrong with them, if anything; the address is checked elsewhere.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if self.prefix.is_empty() || self.prefix.len() > 32 || !self.prefix.chars().all(allowed) {
            return Some("a prefix has 1 to 32 of a-z A-Z 0-9 _ - .");
        }
        if self.budget.is_zero() || self.connect_wait.is_zero() || self.pause.is_zero() {
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

/// Without the address: it holds a password.
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
            .field("pause", &self.pause)
            .field("pause_max", &self.pause_max)
            .field("cache_ttl", &self.cache_ttl)
            .finish_non_exhaustive()
    }
}

use std::sync::Arc;

use wallet_core::StoreError;
use wallet_core::edge::{OsSecrets, SecretSource};
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;

use crate::link::Link;
use crate::time::Time;
use crate::{RedisCache, RedisLimiter, RedisLocks, RedisSessions, RedisSettings, StatsSnapshot};

/// Redis, reached over one connection that all ports share: cheap to clone. It
/// needs tokio with its I/O and time drivers.
#[derive(Debug, Clone)]
pub struct Redis {
    pub(crate) link: Arc<Link>,
    pub(crate) prefix: Arc<str>,
    pub(crate) time: Time,
    settings: RedisSettings,
    secrets: Arc<dyn SecretSource>,
}

impl Redis {
    /// Connects. A Redis that cannot be reached is no error: calls fail at once
    /// until it can be.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Internal` for an address or a setting that makes
    /// no sense.
    pub async fn open(settings: &RedisSettings) -> Result<Self, StoreError> {
        Self::open_at(settings, Time::Server).await
    }

    /// The same with another clock than the server's: for tests that drive the
    /// time. How long balances are kept is the server's affair in any case.
    ///
    /// # Errors
    /// As [`Redis::open`].
    pub async fn open_with_clock(
        settings: &RedisSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::open_at(settings, Time::Clock(clock)).await
    }

    async fn open_at(settings: &RedisSettings, time: Time) -> Result<Self, StoreError> {
        if let Some(problem) = settings.problem() {
            return Err(StoreError::new(StoreErrorKind::Internal, problem));
        }
        Ok(Self {
            link: Link::open(settings.clone()).await?,
            prefix: settings.prefix.as_str().into(),
            time,
            settings: settings.clone(),
            secrets: Arc::new(OsSecrets),
        })
    }

    /// The same with another source of secrets than the operating system's.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<dyn SecretSource>) -> Self {
        self.secrets = secrets;
        self
    }

    /// A cache of balances.
    #[must_use]
    pub fn cache(&self) -> RedisCache {
        RedisCache::new(self.clone(), self.settings.cache_ttl)
    }

    /// Rate limits.
    #[must_use]
    pub fn limiter(&self) -> RedisLimiter {
        RedisLimiter::new(self.clone())
    }

    /// Locks.
    #[must_use]
    pub fn locks(&self) -> RedisLocks {
        RedisLocks::new(self.clone())
    }

    /// Sessions.
    #[must_use]
    pub fn sessions(&self) -> RedisSessions {
        RedisSessions::new(self.clone(), Arc::clone(&self.secrets))
    }

    /// Whether calls are sent at present.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// What has become of calls so far.
    #[must_use]
    pub fn stats(&self) -> StatsSnapshot {
        self.link.stats()
    }
}

//! The handle to Redis, from which all ports are created.

use std::sync::Arc;

use wallet_core::StoreError;
use wallet_core::edge::{OsSecrets, SecretSource};
use wallet_core::runtime::Clock;
use wallet_core::store::StoreErrorKind;

use crate::shared_connection::SharedConnection;
use crate::time::Time;
use crate::{RedisSettings, StatsSnapshot};

/// A handle to Redis. All ports share its one connection. It is cheap to clone. It needs
/// tokio with its I/O and time drivers.
#[derive(Debug, Clone)]
pub struct Redis {
    pub(crate) shared: Arc<SharedConnection>,
    pub(crate) prefix: Arc<str>,
    pub(crate) time: Time,
    pub(crate) settings: RedisSettings,
    pub(crate) secrets: Arc<dyn SecretSource>,
}

impl Redis {
    /// Connects. If Redis cannot be reached, this is no error: calls fail at once until it
    /// can be reached.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Internal`: an address or a setting is not valid.
    pub async fn open(settings: &RedisSettings) -> Result<Self, StoreError> {
        Self::open_at(settings, Time::Server).await
    }

    /// Like [`Redis::open`], with another clock than the server's. Tests use it to control
    /// the time. The server's clock still limits how long balances are cached.
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
            shared: SharedConnection::open(settings.clone()).await?,
            prefix: settings.prefix.as_str().into(),
            time,
            settings: settings.clone(),
            secrets: Arc::new(OsSecrets),
        })
    }

    /// Replaces the operating system's source of secrets.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<dyn SecretSource>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Whether the circuit breaker is closed, so that calls are sent.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.shared.is_up()
    }

    /// The counts of calls so far.
    #[must_use]
    pub fn stats(&self) -> StatsSnapshot {
        self.shared.stats()
    }
}

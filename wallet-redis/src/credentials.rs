//! Users and passwords that change while the host runs.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::Stream;
use futures_util::stream::unfold;
use redis::{BasicAuth, ErrorKind, RedisError, RedisResult, StreamingCredentialsProvider};

/// A Redis user and password, with which a connection signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisCredentials {
    user: String,
    password: String,
}

impl RedisCredentials {
    /// A user and its password. The user that always exists is `default`.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }
}

/// Leaves the password out.
impl fmt::Debug for RedisCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCredentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Provides the current user and password. Use it for passwords that rotate, and for tokens
/// that serve as a password for some minutes (IAM of `ElastiCache` and `MemoryDB`).
///
/// ```
/// use wallet_redis::{RedisCredentials, RedisCredentialsProvider, RedisSettings};
///
/// /// Reads the password from a file that another process renews.
/// #[derive(Debug)]
/// struct FromFile(std::path::PathBuf);
///
/// #[async_trait::async_trait]
/// impl RedisCredentialsProvider for FromFile {
///     async fn credentials(
///         &self,
///     ) -> Result<RedisCredentials, Box<dyn std::error::Error + Send + Sync>> {
///         let password = std::fs::read_to_string(&self.0)?;
///         Ok(RedisCredentials::new("wallet", password.trim_end()))
///     }
/// }
///
/// let provider = std::sync::Arc::new(FromFile("/run/secrets/redis".into()));
/// let settings = RedisSettings {
///     credentials: Some(provider),
///     ..RedisSettings::new("rediss://cfg.example:6379")
/// };
/// assert!(settings.check().is_ok());
/// ```
#[async_trait]
pub trait RedisCredentialsProvider: fmt::Debug + Send + Sync + 'static {
    /// The credentials for a connection now. The client calls it when it opens a connection
    /// (a cluster has one per node), once more right afterwards, and whenever a connection
    /// signs in again
    /// ([`RedisSettings::sign_in_age`](crate::RedisSettings::sign_in_age)).
    ///
    /// Every connection calls it again, so it must not return a token that is about to
    /// expire. Its duration counts into
    /// [`RedisSettings::connect_wait`](crate::RedisSettings::connect_wait).
    ///
    /// # Errors
    /// Any error: the connection is not opened, or stays signed in as before. The client
    /// calls the provider again after a pause.
    async fn credentials(&self) -> Result<RedisCredentials, Box<dyn Error + Send + Sync>>;
}

/// A provider as the client uses it: called at once, and again after every `age`.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) provider: Arc<dyn RedisCredentialsProvider>,
    pub(crate) age: Duration,
    /// The pause after an error until the next call.
    pub(crate) pause: Duration,
}

impl StreamingCredentialsProvider for SignIn {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send + 'static>> {
        let first = (self.clone(), Duration::ZERO);
        Box::pin(unfold(first, |(sign_in, wait)| async move {
            tokio::time::sleep(wait).await;
            let provided = sign_in.provider.credentials().await;
            let next = if provided.is_ok() {
                sign_in.age
            } else {
                sign_in.pause
            };
            let provided =
                provided.map(|provided| BasicAuth::new(provided.user, provided.password));
            let provided = provided.map_err(|error| failed(&*error));
            Some((provided, (sign_in, next)))
        }))
    }
}

fn failed(error: &dyn Error) -> RedisError {
    let what = "the provider of credentials failed";
    RedisError::from((ErrorKind::AuthenticationFailed, what, error.to_string()))
}

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

/// A user of Redis and its password, as a connection signs in with them.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisCredentials {
    user: String,
    password: String,
}

impl RedisCredentials {
    /// A user and its password; the user that is always there is `default`.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }
}

/// Without the password.
impl fmt::Debug for RedisCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCredentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Gives the user and password of the moment: for passwords that rotate, and for
/// tokens that are passwords for some minutes (IAM of `ElastiCache` and `MemoryDB`).
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
/// let settings = RedisSettings::new("rediss://cfg.example:6379").with_credentials(provider);
/// assert!(settings.check().is_ok());
/// ```
#[async_trait]
pub trait RedisCredentialsProvider: fmt::Debug + Send + Sync + 'static {
    /// What a connection signs in with now. Asked when a connection is opened (a
    /// cluster has one for each node), at once afterwards, and whenever a connection
    /// signs in again ([`RedisSettings::with_sign_in_age`](crate::RedisSettings::with_sign_in_age)).
    ///
    /// It is asked again for every connection, so it must not answer with a token
    /// that is about to end. What it takes counts into
    /// [`RedisSettings::with_connect_wait`](crate::RedisSettings::with_connect_wait).
    ///
    /// # Errors
    /// Any: the connection is not opened, or stays signed in as it is, and the
    /// provider is asked again after a pause.
    async fn credentials(&self) -> Result<RedisCredentials, Box<dyn Error + Send + Sync>>;
}

/// A provider as the client asks it: at once, and again at every `age`.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) provider: Arc<dyn RedisCredentialsProvider>,
    pub(crate) age: Duration,
    /// Until it is asked again after an error.
    pub(crate) pause: Duration,
}

impl StreamingCredentialsProvider for SignIn {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send + 'static>> {
        let first = (self.clone(), Duration::ZERO);
        Box::pin(unfold(first, |(sign_in, wait)| async move {
            tokio::time::sleep(wait).await;
            let told = sign_in.provider.credentials().await;
            let next = if told.is_ok() {
                sign_in.age
            } else {
                sign_in.pause
            };
            let told = told.map(|told| BasicAuth::new(told.user, told.password));
            let told = told.map_err(|error| failed(&*error));
            Some((told, (sign_in, next)))
        }))
    }
}

fn failed(error: &dyn Error) -> RedisError {
    let what = "the provider of credentials failed";
    RedisError::from((ErrorKind::AuthenticationFailed, what, error.to_string()))
}

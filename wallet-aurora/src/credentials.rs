//! Sources of passwords for new connections.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;

/// Provides the password of each new connection: a secret that rotates, or a token that
/// expires soon.
///
/// The store calls it whenever it opens a connection, from several tasks at a time. It must
/// answer within the settings' limit for connecting. The store uses the password once and
/// does not store it.
///
/// ```
/// use wallet_aurora::{AuroraSettings, Credentials, Endpoint};
///
/// #[derive(Debug)]
/// struct FromFile;
///
/// #[async_trait::async_trait]
/// impl Credentials for FromFile {
///     async fn password(
///         &self,
///         _: &Endpoint,
///     ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
///         Ok(std::fs::read_to_string("/run/secrets/ledger")?)
///     }
/// }
///
/// let settings = AuroraSettings {
///     credentials: Some(std::sync::Arc::new(FromFile)),
///     ..AuroraSettings::new("mysql://shop@writer.example/shop")
/// };
/// # drop(settings);
/// ```
#[async_trait]
pub trait Credentials: fmt::Debug + Send + Sync {
    /// The password for `endpoint`.
    ///
    /// # Errors
    /// Any error: the connection is not opened, and the store answers `Unavailable`.
    async fn password(&self, endpoint: &Endpoint) -> Result<String, Box<dyn Error + Send + Sync>>;
}

/// The target of a connection and its user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user in the database.
    pub user: String,
}

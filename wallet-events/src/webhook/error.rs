use hyper::StatusCode;
use thiserror::Error;

use crate::setting::SettingError;

/// Why there can be no such webhook: what to tell whoever asked for it.
///
/// ```
/// use wallet_events::webhook::{WebhookError, WebhookSecret};
///
/// let short = WebhookSecret::parse("whsec_c2hvcnQ=");
/// assert_eq!(short.unwrap_err(), WebhookError::Secret);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// No URL, or none that a webhook can have.
    #[error("no URL for a webhook: {0}")]
    Url(&'static str),
    /// `http` where only `https` is allowed.
    #[error("the URL is not https")]
    Plain,
    /// A URL whose address is not [public](super::Addresses::Public).
    #[error("the URL leads to an address that is not public")]
    NotPublic,
    /// No secret: `whsec_` and 24 to 64 bytes in base64.
    #[error("a secret is `whsec_` and 24 to 64 bytes in base64")]
    Secret,
    /// No secret at all, or more than ten.
    #[error("a webhook is signed with one to ten secrets")]
    Secrets,
    /// The machine knows no authority whose certificates are to be trusted, or
    /// one of those in the settings is none.
    #[error("no authorities to trust: {0}")]
    Roots(&'static str),
    /// A setting.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// Why a webhook was not delivered this time: for the host's own people. Of an
/// answer it tells the status and nothing else.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("the receiver answered {0}")]
    Status(StatusCode),
    #[error("the receiver did not answer in time")]
    Timeout,
    #[error("the receiver was not reached: {0}")]
    NotReached(String),
    /// An id that would be another message's when signed, or no header.
    #[error("the id of the message is not fit for a webhook")]
    Id,
}

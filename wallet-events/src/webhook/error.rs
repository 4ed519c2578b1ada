use hyper::StatusCode;
use thiserror::Error;

use crate::setting::SettingError;

/// Why a webhook cannot be created; safe to show to the person who requested it.
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
    /// The URL is missing, or a webhook cannot use it.
    #[error("no URL for a webhook: {0}")]
    Url(&'static str),
    /// The URL is `http`, and only `https` is allowed.
    #[error("the URL is not https")]
    Plain,
    /// The address in the URL is not [public](super::Addresses::Public).
    #[error("the URL leads to an address that is not public")]
    NotPublic,
    /// The secret is not `whsec_` and 24 to 64 bytes in base64.
    #[error("a secret is `whsec_` and 24 to 64 bytes in base64")]
    Secret,
    /// There is no secret, or there are more than ten.
    #[error("a webhook is signed with one to ten secrets")]
    Secrets,
    /// The machine has no trusted root certificates, or one of those in the settings is
    /// not a certificate.
    #[error("no authorities to trust: {0}")]
    Roots(&'static str),
    /// A setting is not valid.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// Why one delivery of a webhook failed, for the host's own staff. Of the response it
/// reports the status only.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("the receiver answered {0}")]
    Status(StatusCode),
    #[error("the receiver did not answer in time")]
    Timeout,
    #[error("the receiver was not reached: {0}")]
    NotReached(String),
    /// The id is not safe to sign, or is not a valid header value.
    #[error("the id of the message is not fit for a webhook")]
    Id,
}

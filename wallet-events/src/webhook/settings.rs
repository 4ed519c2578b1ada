use std::time::Duration;

use hyper::header::HeaderValue;

use super::Addresses;
use crate::setting::{SettingError, check};

/// The settings of webhooks: plain data.
///
/// ```
/// use std::time::Duration;
///
/// use wallet_events::webhook::{Addresses, WebhookSettings};
///
/// // For receivers in the host's own network.
/// let inside = WebhookSettings {
///     timeout: Duration::from_secs(5),
///     addresses: Addresses::Any,
///     plain_http: true,
///     ..WebhookSettings::default()
/// };
/// assert_ne!(inside, WebhookSettings::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// How long an attempt may take, from resolving the name to the answer. 15
    /// seconds by default.
    pub timeout: Duration,
    /// Where webhooks may go: to public addresses only by default.
    pub addresses: Addresses,
    /// Whether URLs may be `http`. Such webhooks are signed but not encrypted. No by
    /// default.
    pub plain_http: bool,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Root certificates in DER that are trusted in addition to the machine's own, for
    /// receivers in the host's own network.
    pub extra_roots: Vec<Vec<u8>>,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            addresses: Addresses::Public,
            plain_http: false,
            user_agent: concat!("wallet-events/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_roots: Vec::new(),
        }
    }
}

impl WebhookSettings {
    pub(super) fn validate(&self) -> Result<(), SettingError> {
        let is_header = HeaderValue::from_str(&self.user_agent).is_ok();
        check([
            ("timeout", !self.timeout.is_zero()),
            ("user_agent", is_header && !self.user_agent.is_empty()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let with = |change: fn(&mut WebhookSettings)| {
            let mut settings = WebhookSettings::default();
            change(&mut settings);
            settings.validate()
        };
        let fault = |name| Err(SettingError(name));
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|s| s.timeout = Duration::ZERO), fault("timeout"));
        assert_eq!(with(|s| s.user_agent.clear()), fault("user_agent"));
        assert_eq!(with(|s| s.user_agent.push('\n')), fault("user_agent"));
    }
}

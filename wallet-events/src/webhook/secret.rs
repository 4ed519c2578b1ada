use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use super::WebhookError;

/// The prefix of every secret.
const PREFIX: &str = "whsec_";

/// The shared secret of a host and one subscriber, which signs webhooks: 24 to 64 random
/// bytes, a different secret for every URL. It is written as `whsec_` and the bytes in
/// base64. `Debug` output does not reveal it.
///
/// The scheme is that of [Standard Webhooks](https://www.standardwebhooks.com),
/// and subscribers verify with its library for their language. In Rust:
///
/// ```
/// use wallet_events::webhook::WebhookSecret;
///
/// # let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
/// # let now = i64::try_from(now.as_secs())?;
/// let shared = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// // What a webhook brings: three headers and a body.
/// let (id, body) = ("0/0198c6f0a1b27000800000000000000a/7", r#"{"specversion":"1.0"}"#);
/// let signature = WebhookSecret::parse(shared)?.sign(id, now, body);
/// let mut headers = hyper::HeaderMap::new();
/// headers.insert("webhook-id", id.parse()?);
/// headers.insert("webhook-timestamp", now.into());
/// headers.insert("webhook-signature", signature.parse()?);
///
/// // The body as it came, byte for byte, never parsed and written again.
/// let receiver = standardwebhooks::Webhook::new(shared)?;
/// receiver.verify(body.as_bytes(), &headers)?;
///
/// // Somebody else's body, or an old one sent again, five minutes later or more.
/// assert!(receiver.verify(b"{}", &headers).is_err());
/// headers.insert("webhook-timestamp", (now - 301).into());
/// let old = WebhookSecret::parse(shared)?.sign(id, now - 301, body);
/// headers.insert("webhook-signature", old.parse()?);
/// assert!(receiver.verify(body.as_bytes(), &headers).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Then a subscriber looks whether it has seen this `webhook-id`, and if not does
/// its work and keeps the id, both in one transaction.
#[derive(Clone)]
pub struct WebhookSecret {
    key: hmac::Key,
}

impl WebhookSecret {
    /// The shortest secret, in bytes.
    pub const BYTES_MIN: usize = 24;
    /// The longest secret, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// Reads a secret from `whsec_` and its bytes in base64.
    ///
    /// # Errors
    /// [`WebhookError::Secret`].
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(WebhookError::Secret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| WebhookError::Secret)?;
        if !(Self::BYTES_MIN..=Self::BYTES_MAX).contains(&bytes.len()) {
            return Err(WebhookError::Secret);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        Ok(Self { key })
    }

    /// The signature of a webhook that is sent at a time, in seconds since 1970: `v1,`
    /// and an HMAC-SHA256 in base64.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_secs: i64, body: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(format!("{id}.{timestamp_secs}.").as_bytes());
        context.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(..)")
    }
}

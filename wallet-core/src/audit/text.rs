use std::sync::Arc;

use thiserror::Error;

/// A text of an audit record (a name, an id, an address): 1 to 256 bytes, no
/// control characters, and nothing that looks like a secret.
///
/// Many people read a record, and it is stored for long. So a record names things
/// and does not contain secrets: the id of a key and not the key, the name of a
/// field and not its value. A text in the shape of a credential is refused. This
/// check detects accidents, not intent.
///
/// ```
/// use wallet_core::audit::{AuditText, AuditTextError};
///
/// assert!(AuditText::new("user/ada").is_ok());
/// assert_eq!(AuditText::new("Bearer abcdef"), Err(AuditTextError::Secret));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditText(Arc<str>);

/// The reason why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuditTextError {
    /// The text is empty, or longer than 256 bytes.
    #[error("must have 1 to 256 bytes")]
    Length,
    /// The text has a control character.
    #[error("holds a control character")]
    Control,
    /// The text has the shape of a credential.
    #[error("looks like a secret")]
    Secret,
}

/// The prefixes of HTTP credentials, in lower case.
const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// Substrings of credentials, in lower case.
const MARKS: [&str; 7] = [
    "-----begin",
    "password=",
    "passwd=",
    "secret=",
    "token=",
    "api_key=",
    "x-amz-signature=",
];

impl AuditText {
    /// The greatest length, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 256;

    /// Checks `text` and builds the type from it.
    ///
    /// # Errors
    /// [`AuditTextError`].
    pub fn new(text: &str) -> Result<Self, AuditTextError> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            Err(AuditTextError::Length)
        } else if text.chars().any(char::is_control) {
            Err(AuditTextError::Control)
        } else if is_secret(text) {
            Err(AuditTextError::Secret)
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AuditText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for AuditText {
    type Err = AuditTextError;

    fn from_str(text: &str) -> Result<Self, AuditTextError> {
        Self::new(text)
    }
}

fn is_secret(text: &str) -> bool {
    let small = text.to_ascii_lowercase();
    // A signed web token has three parts, and the first part is a JSON object.
    let is_token = text
        .split_ascii_whitespace()
        .any(|word| word.starts_with("eyJ") && word.matches('.').count() == 2);
    let is_access_key = ["AKIA", "ASIA"].iter().any(|start| {
        let rest = text.split_once(start).map(|(_, rest)| rest);
        let key = |rest: &str| rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        rest.is_some_and(|rest| key(rest) >= 16)
    });
    // A URL with a password in it.
    let authority = text.split_once("://").map(|(_, rest)| rest);
    let user = authority.and_then(|rest| rest.split('/').next()?.rsplit_once('@'));
    let has_password = user.is_some_and(|(user, _)| user.contains(':'));
    let mut parts = small.split([':', '=', '"']).map(str::trim_start);
    let has_scheme = parts.any(|part| SCHEMES.iter().any(|scheme| part.starts_with(scheme)));
    is_token
        || is_access_key
        || has_scheme
        || has_password
        || MARKS.iter().any(|mark| small.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_secrets_are_refused() {
        let secrets = [
            "Authorization: Bearer abc",
            "BASIC dXNlcjpwdw==",
            "-----BEGIN PRIVATE KEY-----",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "key AKIAIOSFODNN7EXAMPLE",
            "mysql://root:hunter2@db/wallet",
            "/login?password=x",
            "?X-Amz-Signature=00",
        ];
        for secret in secrets {
            assert_eq!(
                AuditText::new(secret),
                Err(AuditTextError::Secret),
                "{secret}"
            );
        }
    }

    #[test]
    fn names_and_addresses_are_taken() {
        let names = [
            "user/ada@example.com",
            "https://db.example.com/wallet",
            "mysql://root@db/wallet",
            "account 0/0191c7a2-7c3b-7c3b-8c3b-7c3b7c3b7c3b",
            "2001:db8::1",
            "basically, a bearer of news",
        ];
        for name in names {
            assert_eq!(
                AuditText::new(name).map(|text| text.to_string()),
                Ok(name.to_owned())
            );
        }
    }

    #[test]
    fn length_and_control_characters_are_checked() {
        assert_eq!(AuditText::new(""), Err(AuditTextError::Length));
        assert!(AuditText::new(&"x".repeat(256)).is_ok());
        assert_eq!(
            AuditText::new(&"x".repeat(257)),
            Err(AuditTextError::Length)
        );
        assert_eq!(AuditText::new("a\nb"), Err(AuditTextError::Control));
    }
}

//! Session ids: bearer secrets of signed-in users.

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::ledger::SessionUser;

const USER_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const BYTES: usize = USER_BYTES + SECRET_BYTES;

/// The id of a session, a bearer secret: its holder is signed in. It has 16 bytes
/// of a hash of the user, by which a store finds all sessions of a user in one
/// place. It also has 32 random bytes. Stores hold only its [`hash`](Self::hash),
/// and `Debug` shows nothing of it.
///
/// Its text is 96 hexadecimal digits in lower case, for a cookie or a header. No
/// other text names the same session.
///
/// ```
/// use wallet_core::edge::{OsSecrets, SecretSource, SessionId};
/// use wallet_core::ledger::SessionUser;
/// let id = SessionId::new(&SessionUser::new("ada")?, OsSecrets.secret()?);
/// assert_eq!(id.reveal().parse::<SessionId>()?, id);
/// assert_eq!(format!("{id:?}"), "SessionId(..)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId([u8; BYTES]);

/// The error for a text that is no session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a session's id is 96 hexadecimal digits in lower case")]
pub struct SessionIdError;

impl SessionId {
    /// The id of a session of `user` with this secret, which comes from a
    /// [`SecretSource`](crate::edge::SecretSource).
    #[must_use]
    pub fn new(user: &SessionUser, secret: [u8; SECRET_BYTES]) -> Self {
        let mut bytes = [0; BYTES];
        let parts = Self::place_of(user).into_iter().chain(secret);
        bytes
            .iter_mut()
            .zip(parts)
            .for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// The place of a user's sessions in a store: the first bytes of the SHA-256 of
    /// the user's name.
    #[must_use]
    pub fn place_of(user: &SessionUser) -> [u8; USER_BYTES] {
        first(&Sha256::digest(user.as_str()))
    }

    /// The place of this session in a store.
    #[must_use]
    pub fn place(&self) -> [u8; USER_BYTES] {
        first(&self.0)
    }

    /// The SHA-256 of the id, by which a store finds the session.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The id as text. It is a secret: give it only to the user.
    #[must_use]
    pub fn reveal(&self) -> String {
        use std::fmt::Write;
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string never fails.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

fn first(bytes: &[u8]) -> [u8; USER_BYTES] {
    let mut place = [0; USER_BYTES];
    place
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    place
}

impl std::str::FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        if text.len() != BYTES.saturating_mul(2) {
            return Err(SessionIdError);
        }
        let digit = |digit: &u8| {
            let given = char::from(*digit).to_digit(16);
            given.filter(|_| !digit.is_ascii_uppercase())
        };
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let value = pair.iter().try_fold(0, |sum: u32, half| {
                let value = digit(half)?;
                Some(sum.saturating_mul(16).saturating_add(value))
            });
            *byte = value
                .and_then(|value| u8::try_from(value).ok())
                .ok_or(SessionIdError)?;
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Debug for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionId(..)")
    }
}

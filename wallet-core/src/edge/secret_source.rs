use std::fmt::Debug;

use crate::store::{StoreError, StoreErrorKind};

/// A cryptographically secure source of random secrets.
pub trait SecretSource: Debug + Send + Sync + 'static {
    /// A new secret of 256 bits, unique in practice.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Unavailable` when there is no randomness.
    fn secret(&self) -> Result<[u8; 32], StoreError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsSecrets;

impl SecretSource for OsSecrets {
    fn secret(&self) -> Result<[u8; 32], StoreError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            let context = "asking the operating system for randomness";
            StoreError::new(StoreErrorKind::Unavailable, context).with_source(error)
        })?;
        Ok(secret)
    }
}

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::edge::SessionId;
use crate::ledger::{SessionUser, Timestamp, Version};
use crate::store::{StoreError, StoreErrorKind};

/// Keeps who is signed in. The store knows hashes of ids only: who reads its
/// database cannot use a session.
///
/// A session ends at its idle or its absolute expiry, when it is revoked, when
/// its user begins more than [`Session::PER_USER_MAX`] (the one seen longest ago
/// ends), or when the store loses its memory: then everybody signs in again.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Begins a session of `user` at version 1.
    ///
    /// # Errors
    /// [`StoreError`]; `Invalid` for what [`Session::validate`] or
    /// [`SessionLife::validate`] refuses.
    async fn create(
        &self,
        user: &SessionUser,
        data: &[u8],
        life: SessionLife,
    ) -> Result<(SessionId, Session), StoreError>;

    /// The session; `None` where there is none, or none any more. It counts as
    /// seen by [`touch`](Self::touch) only.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Replaces the data of a session that stands at `version`, which rises by
    /// one.
    ///
    /// # Errors
    /// [`SessionError`]; `Invalid` for what [`Session::validate`] refuses.
    async fn save(
        &self,
        id: &SessionId,
        version: Version,
        data: &[u8],
    ) -> Result<Session, SessionError>;

    /// Marks the session as seen now, from when its idle expiry counts; answers
    /// it as it is then. The version stays.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn touch(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Ends a session; answers whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn revoke(&self, id: &SessionId) -> Result<bool, StoreError>;

    /// Ends every session of a user in one step; answers how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn revoke_all(&self, user: &SessionUser) -> Result<u64, StoreError>;
}

/// A session as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: SessionUser,
    /// What the host keeps in it; at most [`Self::DATA_BYTES_MAX`].
    pub data: Vec<u8>,
    /// How often it was saved; 1 when created.
    pub version: Version,
    /// When it began, by the store's clock.
    pub created_at: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// When it ends if it is not seen again.
    pub expires_at: Timestamp,
}

impl Session {
    /// The most data of a session, in bytes.
    pub const DATA_BYTES_MAX: usize = 16_384;
    /// The most sessions of one user.
    pub const PER_USER_MAX: usize = 64;

    /// Checks what every store refuses.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate(data: &[u8]) -> Result<(), StoreError> {
        if data.len() > Self::DATA_BYTES_MAX {
            let context = "a session's data has at most 16,384 bytes";
            return Err(StoreError::new(StoreErrorKind::Invalid, context));
        }
        Ok(())
    }
}

/// How long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLife {
    /// How long without being seen.
    pub idle: Duration,
    /// How long in all.
    pub absolute: Duration,
}

impl SessionLife {
    /// The shortest of either.
    pub const MIN: Duration = Duration::from_millis(1);
    /// The longest of either: a year.
    pub const MAX: Duration = Duration::from_secs(366 * 86_400);

    /// Checks what every store refuses.
    ///
    /// # Errors
    /// [`StoreError`] of kind `Invalid`.
    pub fn validate(&self) -> Result<(), StoreError> {
        let fits = |life| (Self::MIN..=Self::MAX).contains(&life);
        if fits(self.idle) && fits(self.absolute) {
            return Ok(());
        }
        let context = "a session lives from a millisecond to a year";
        Err(StoreError::new(StoreErrorKind::Invalid, context))
    }

    /// When a session ends that began and was seen at these times.
    #[must_use]
    pub fn end(&self, created_at: Timestamp, seen_at: Timestamp) -> Timestamp {
        let idle = seen_at.saturating_add(self.idle);
        idle.min(created_at.saturating_add(self.absolute))
    }
}

impl Default for SessionLife {
    /// 30 minutes without being seen, 12 hours in all.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(1_800),
            absolute: Duration::from_secs(43_200),
        }
    }
}

/// Errors of saving a session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// It has ended, or never was. Sign in again.
    #[error("the session has ended")]
    Ended,
    /// Somebody else saved it meanwhile. Load it and decide again.
    #[error("the session stands at version {version}")]
    Conflict {
        /// Where it stands.
        version: Version,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

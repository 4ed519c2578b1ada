use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::edge::SessionId;
use crate::ledger::{SessionUser, Timestamp, Version};
use crate::store::{StoreError, StoreErrorKind};

/// A store of sessions. It holds only hashes of session ids, so a reader of its
/// database cannot use a session.
///
/// A session ends at its idle or its absolute expiry, or when it is revoked. It
/// also ends when its user starts more than [`Session::PER_USER_MAX`] sessions and
/// it is the least recently seen one. When the store loses its memory, all sessions
/// end, and every user must sign in again.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Starts a session of `user` at version 1.
    ///
    /// # Errors
    /// [`StoreError`]; `Invalid` for values that [`Session::validate`] or
    /// [`SessionLife::validate`] refuses.
    async fn create(
        &self,
        user: &SessionUser,
        data: &[u8],
        life: SessionLife,
    ) -> Result<(SessionId, Session), StoreError>;

    /// Returns the session; `None` where there is none or it has ended. This call
    /// does not mark it as seen; only [`touch`](Self::touch) does.
    ///
    /// # Errors
    /// [`StoreError`]: the store failed.
    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Replaces the data of a session if its version is `version`. The version
    /// rises by one.
    ///
    /// # Errors
    /// [`SessionError`]; `Invalid` for data that [`Session::validate`] refuses.
    async fn save(
        &self,
        id: &SessionId,
        version: Version,
        data: &[u8],
    ) -> Result<Session, SessionError>;

    /// Marks the session as seen now, which restarts its idle expiry. Returns the
    /// updated session. The version does not change.
    ///
    /// # Errors
    /// [`StoreError`]: the store failed.
    async fn touch(&self, id: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Ends a session. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`]: the store failed.
    async fn revoke(&self, id: &SessionId) -> Result<bool, StoreError>;

    /// Ends all sessions of a user atomically. Returns their number.
    ///
    /// # Errors
    /// [`StoreError`]: the store failed.
    async fn revoke_all(&self, user: &SessionUser) -> Result<u64, StoreError>;
}

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The user of the session.
    pub user: SessionUser,
    /// The host's data in the session, at most [`Self::DATA_BYTES_MAX`].
    pub data: Vec<u8>,
    /// The version: 1 when created, one more per save.
    pub version: Version,
    /// The start of the session, by the store's clock.
    pub created_at: Timestamp,
    /// The time at which the session was last seen.
    pub seen_at: Timestamp,
    /// The end of the session if it is not seen again.
    pub expires_at: Timestamp,
}

impl Session {
    /// The greatest size of a session's data, in bytes.
    pub const DATA_BYTES_MAX: usize = 16_384;
    /// The greatest number of sessions per user.
    pub const PER_USER_MAX: usize = 64;

    /// Checks the rules of every store.
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

/// The life of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLife {
    /// The idle expiry: the longest time without being seen.
    pub idle: Duration,
    /// The absolute expiry: the longest time in total.
    pub absolute: Duration,
}

impl SessionLife {
    /// The shortest value of either expiry.
    pub const MIN: Duration = Duration::from_millis(1);
    /// The longest value of either expiry: a year.
    pub const MAX: Duration = Duration::from_secs(366 * 86_400);

    /// Checks the rules of every store.
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

    /// The end of a session that started and was last seen at these times.
    #[must_use]
    pub fn end(&self, created_at: Timestamp, seen_at: Timestamp) -> Timestamp {
        let idle = seen_at.saturating_add(self.idle);
        idle.min(created_at.saturating_add(self.absolute))
    }
}

impl Default for SessionLife {
    /// 30 minutes idle, 12 hours in total.
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
    /// The session has ended or never existed. Sign in again.
    #[error("the session has ended")]
    Ended,
    /// A concurrent save was faster. Load the session and decide again.
    #[error("the session stands at version {version}")]
    Conflict {
        /// The current version.
        version: Version,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

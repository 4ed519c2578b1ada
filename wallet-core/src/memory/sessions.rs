use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::edge::{
    OsSecrets, SecretSource, Session, SessionError, SessionId, SessionLife, SessionStore,
};
use crate::ledger::{SessionUser, Timestamp, Version};
use crate::runtime::Clock;
use crate::store::StoreError;

/// Sessions in the memory of this process. It is for tests, and for a host that
/// runs one process.
#[derive(Debug)]
pub struct MemorySessions {
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn SecretSource>,
    users: Mutex<BTreeMap<[u8; 16], Sessions>>,
}

/// The sessions of one user, by the hash of their ids.
type Sessions = BTreeMap<[u8; 32], Stored>;

#[derive(Debug, Clone)]
struct Stored {
    session: Session,
    life: SessionLife,
}

impl MemorySessions {
    /// A session store without any session.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            secrets: Arc::new(OsSecrets),
            users: Mutex::default(),
        }
    }

    /// The same store with another source of secrets.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<dyn SecretSource>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Runs `work` on the sessions of one user, after ended sessions were removed.
    fn of<T>(&self, place: [u8; 16], work: impl FnOnce(&mut Sessions, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = users.entry(place).or_default();
        sessions.retain(|_, stored| stored.session.expires_at > now);
        let done = work(sessions, now);
        if sessions.is_empty() {
            users.remove(&place);
        }
        done
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn create(
        &self,
        user: &SessionUser,
        data: &[u8],
        life: SessionLife,
    ) -> Result<(SessionId, Session), StoreError> {
        Session::validate(data)?;
        life.validate()?;
        let id = SessionId::new(user, self.secrets.secret()?);
        let session = self.of(id.place(), |sessions, now| {
            while sessions.len() >= Session::PER_USER_MAX {
                let each = sessions.iter();
                let oldest = each.min_by_key(|(hash, stored)| (stored.session.seen_at, **hash));
                let Some(hash) = oldest.map(|(hash, _)| *hash) else {
                    break;
                };
                sessions.remove(&hash);
            }
            let session = Session {
                user: user.clone(),
                data: data.to_vec(),
                version: 1,
                created_at: now,
                seen_at: now,
                expires_at: life.end(now, now),
            };
            let stored = Stored {
                session: session.clone(),
                life,
            };
            sessions.insert(id.hash(), stored);
            session
        });
        Ok((id, session))
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.of(id.place(), |sessions, _| {
            let stored = sessions.get(&id.hash());
            stored.map(|stored| stored.session.clone())
        }))
    }

    async fn save(
        &self,
        id: &SessionId,
        version: Version,
        data: &[u8],
    ) -> Result<Session, SessionError> {
        Session::validate(data)?;
        self.of(id.place(), |sessions, _| {
            let stored = sessions.get_mut(&id.hash()).ok_or(SessionError::Ended)?;
            let session = &mut stored.session;
            if session.version != version {
                let version = session.version;
                return Err(SessionError::Conflict { version });
            }
            session.version = version.saturating_add(1);
            session.data = data.to_vec();
            Ok(session.clone())
        })
    }

    async fn touch(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.of(id.place(), |sessions, now| {
            let stored = sessions.get_mut(&id.hash())?;
            // A clock that steps back does not shorten a session.
            let seen_at = stored.session.seen_at.max(now);
            stored.session.seen_at = seen_at;
            stored.session.expires_at = stored.life.end(stored.session.created_at, seen_at);
            Some(stored.session.clone())
        }))
    }

    async fn revoke(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.of(id.place(), |sessions, _| {
            sessions.remove(&id.hash()).is_some()
        }))
    }

    async fn revoke_all(&self, user: &SessionUser) -> Result<u64, StoreError> {
        Ok(self.of(SessionId::place_of(user), |sessions, _| {
            let ended = std::mem::take(sessions).len();
            u64::try_from(ended).unwrap_or(u64::MAX)
        }))
    }
}

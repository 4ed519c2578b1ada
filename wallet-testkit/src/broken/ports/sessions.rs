use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{ManualClock, planted_bugs};
use wallet_core::StoreError;
use wallet_core::edge::{
    SecretSource, Session, SessionError, SessionId, SessionLife, SessionStore,
};
use wallet_core::ledger::{SessionUser, Version};
use wallet_core::memory::MemorySessions;
use wallet_core::test_hooks::yield_once;

planted_bugs! {
    /// A bug that is planted in a session store.
    SessionBug {
        /// Stores data as text.
        KeepsTexts,
        /// Generates the same secret each time.
        RepeatsSecrets,
        /// Accepts any id with the right place of the user's sessions.
        FindsByPlace,
        /// Saves with any version.
        IgnoresVersions,
        /// Checks first and saves later, which is not atomic.
        LooksThenSaves,
        /// Has no idle expiry.
        NeverIdle,
        /// Has no absolute expiry.
        NeverOver,
        /// Counts a load as being seen.
        LooksCount,
        /// Reports a revocation without revoking.
        RevokesNothing,
        /// Ends one session of a user instead of all.
        RevokesOneOfAll,
        /// Allows any number of sessions.
        KeepsAll,
        /// Saves an ended session.
        SavesTheEnded,
        /// Shortens data that is too large, and extends a life that is too short.
        TakesAnything,
    }
}

#[derive(Debug)]
struct Repeats;

impl SecretSource for Repeats {
    fn secret(&self) -> Result<[u8; 32], StoreError> {
        Ok([42; 32])
    }
}

/// A session store with a bug.
#[derive(Debug)]
pub struct BrokenSessions {
    bug: Option<SessionBug>,
    inner: MemorySessions,
    /// Every session ever created.
    made: Mutex<Vec<(SessionId, Session)>>,
}

impl BrokenSessions {
    /// A session store without any session.
    #[must_use]
    pub fn new(clock: Arc<ManualClock>, bug: Option<SessionBug>) -> Self {
        let inner = MemorySessions::new(clock);
        let inner = match bug {
            Some(SessionBug::RepeatsSecrets) => inner.with_secrets(Arc::new(Repeats)),
            _ => inner,
        };
        Self {
            bug,
            inner,
            made: Mutex::default(),
        }
    }

    fn has(&self, bug: SessionBug) -> bool {
        self.bug == Some(bug)
    }

    fn made(&self) -> Vec<(SessionId, Session)> {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The session that the bug uses for this id.
    fn meant(&self, id: &SessionId) -> SessionId {
        let made = self.made();
        let same_place = made.iter().find(|(one, _)| one.place() == id.place());
        let same_place = same_place.filter(|_| self.has(SessionBug::FindsByPlace));
        same_place.map_or_else(|| id.clone(), |(one, _)| one.clone())
    }

    fn cut<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        let most = data.len().min(Session::DATA_BYTES_MAX);
        if self.has(SessionBug::TakesAnything) {
            &data[..most]
        } else {
            data
        }
    }
}

#[async_trait]
impl SessionStore for BrokenSessions {
    async fn create(
        &self,
        user: &SessionUser,
        data: &[u8],
        life: SessionLife,
    ) -> Result<(SessionId, Session), StoreError> {
        let mut life = life;
        match self.bug {
            Some(SessionBug::NeverIdle) => life.idle = life.absolute,
            Some(SessionBug::NeverOver) => life.absolute = SessionLife::MAX,
            Some(SessionBug::TakesAnything) => {
                let fit = |time: Duration| time.clamp(SessionLife::MIN, SessionLife::MAX);
                (life.idle, life.absolute) = (fit(life.idle), fit(life.absolute));
            }
            _ => {}
        }
        let text = String::from_utf8_lossy(data).into_owned();
        let data = if self.has(SessionBug::KeepsTexts) {
            text.as_bytes()
        } else {
            self.cut(data)
        };
        let made = self.made().len();
        let other = SessionUser::new(&format!("{user} {made}")).expect("short enough");
        let keeper = if self.has(SessionBug::KeepsAll) {
            &other
        } else {
            user
        };
        let (id, session) = self.inner.create(keeper, data, life).await?;
        let session = Session {
            user: user.clone(),
            ..session
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push((id.clone(), session.clone()));
        Ok((id, session))
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        if self.has(SessionBug::LooksCount) {
            return self.inner.touch(id).await;
        }
        self.inner.load(&self.meant(id)).await
    }

    async fn save(
        &self,
        id: &SessionId,
        version: Version,
        data: &[u8],
    ) -> Result<Session, SessionError> {
        let data = self.cut(data);
        let current = self.inner.load(id).await?.map(|session| session.version);
        if self.has(SessionBug::LooksThenSaves) && current == Some(version) {
            yield_once().await;
        }
        let saved = self.inner.save(id, version, data).await;
        match saved {
            Err(SessionError::Conflict { version })
                if self.has(SessionBug::IgnoresVersions)
                    || self.has(SessionBug::LooksThenSaves) && current < Some(version) =>
            {
                self.inner.save(id, version, data).await
            }
            Err(SessionError::Ended) if self.has(SessionBug::SavesTheEnded) => {
                let made = self.made();
                let one = made.into_iter().find(|(one, _)| one == id);
                one.map(|(_, session)| session).ok_or(SessionError::Ended)
            }
            saved => saved,
        }
    }

    async fn touch(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.inner.touch(id).await
    }

    async fn revoke(&self, id: &SessionId) -> Result<bool, StoreError> {
        if self.has(SessionBug::RevokesNothing) {
            return Ok(self.inner.load(id).await?.is_some());
        }
        self.inner.revoke(id).await
    }

    async fn revoke_all(&self, user: &SessionUser) -> Result<u64, StoreError> {
        if self.has(SessionBug::RevokesOneOfAll) {
            for (id, session) in self.made() {
                if session.user == *user && self.inner.revoke(&id).await? {
                    return Ok(1);
                }
            }
            return Ok(0);
        }
        self.inner.revoke_all(user).await
    }
}

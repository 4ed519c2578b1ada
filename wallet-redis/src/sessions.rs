//! The session store. A script runs each operation atomically.

use std::sync::Arc;

use async_trait::async_trait;
use redis::Value;
use wallet_core::edge::{
    SecretSource, Session, SessionError, SessionId, SessionLife, SessionStore,
};
use wallet_core::ledger::{SessionUser, Version};
use wallet_core::{StoreError, Timestamp};

use crate::connection::Request;
use crate::error::unexpected;
use crate::script::SESSIONS;
use crate::shared_connection::Repeat;
use crate::{Redis, keys};

const CONTEXT: &str = "working on a session";

/// Sessions in Redis, by the server's clock.
///
/// All sessions of a user are in one key: a Redis hash from the hash of an id to the
/// session. So they always end together: by [`revoke_all`](SessionStore::revoke_all), or
/// because the server evicts the key when memory is short. A failover may lose the latest
/// writes, including a revocation. To prevent that, set the server up to wait for replicas.
#[derive(Debug, Clone)]
pub struct RedisSessions {
    redis: Redis,
    secrets: Arc<dyn SecretSource>,
}

/// The script's answer.
enum Found {
    None,
    One(Vec<u8>),
    /// The session has another version.
    Conflict(Version),
}

impl Redis {
    /// Creates a session store.
    #[must_use]
    pub fn sessions(&self) -> RedisSessions {
        RedisSessions::new(self.clone(), Arc::clone(&self.secrets))
    }
}

impl RedisSessions {
    pub(crate) const fn new(redis: Redis, secrets: Arc<dyn SecretSource>) -> Self {
        Self { redis, secrets }
    }

    async fn run(
        &self,
        what: &str,
        place: [u8; 16],
        arguments: Vec<Vec<u8>>,
        repeat: Repeat,
    ) -> Result<Vec<Value>, StoreError> {
        let Redis {
            shared,
            prefix,
            time,
            ..
        } = &self.redis;
        let mut call = SESSIONS.call(1);
        call.arg(keys::sessions(prefix, place));
        call.arg(what).arg(time.argument()).arg(time.grace_ms());
        call.arg(arguments);
        let request = Request::Script {
            script: &SESSIONS,
            by_hash: call,
        };
        match shared.ask(&request, repeat, CONTEXT).await? {
            Value::Array(answer) => Ok(answer),
            _ => Err(unexpected(CONTEXT)),
        }
    }

    async fn on_one(
        &self,
        what: &str,
        id: &SessionId,
        more: Vec<Vec<u8>>,
        repeat: Repeat,
    ) -> Result<Found, StoreError> {
        let mut arguments = vec![id.hash().to_vec()];
        arguments.extend(more);
        let mut answer = self.run(what, id.place(), arguments, repeat).await?;
        match (answer.first(), answer.len()) {
            (Some(Value::Int(0)), 1) => return Ok(Found::None),
            (Some(Value::Int(1)), 1) => return Ok(Found::One(Vec::new())),
            _ => {}
        }
        match (answer.pop(), answer.pop(), answer.pop()) {
            (Some(Value::BulkString(stored)), Some(Value::Int(1)), None) => Ok(Found::One(stored)),
            (Some(Value::BulkString(version)), Some(Value::Int(2)), None) => {
                let version = std::str::from_utf8(&version).ok();
                let version = version.and_then(|version| version.parse().ok());
                version
                    .map(Found::Conflict)
                    .ok_or_else(|| unexpected(CONTEXT))
            }
            _ => Err(unexpected(CONTEXT)),
        }
    }
}

/// The part after the times: the user, a line feed, the data.
fn rest(user: &SessionUser, data: &[u8]) -> Vec<u8> {
    let mut rest = user.as_str().as_bytes().to_vec();
    // A user's name contains no line feed.
    rest.push(b'\n');
    rest.extend_from_slice(data);
    rest
}

/// Decodes a stored session.
fn parse(stored: &[u8]) -> Result<Session, StoreError> {
    try_parse(stored).ok_or_else(|| unexpected("a session as it is kept"))
}

fn try_parse(stored: &[u8]) -> Option<Session> {
    let mut parts = stored.splitn(6, |byte| *byte == b':');
    let mut number = || -> Option<i64> {
        let digits = std::str::from_utf8(parts.next()?).ok()?;
        digits.parse().ok()
    };
    let (version, created, seen) = (number()?, number()?, number()?);
    let (idle, end) = (number()?, number()?);
    let rest = parts.next()?;
    let line = rest.iter().position(|byte| *byte == b'\n')?;
    let user = std::str::from_utf8(rest.get(..line)?).ok()?;
    let idle_end = seen.saturating_add(idle);
    Some(Session {
        user: SessionUser::new(user).ok()?,
        data: rest.get(line.checked_add(1)?..)?.to_vec(),
        version,
        created_at: Timestamp::from_micros(created),
        seen_at: Timestamp::from_micros(seen),
        expires_at: Timestamp::from_micros(idle_end.min(end)),
    })
}

#[async_trait]
impl SessionStore for RedisSessions {
    async fn create(
        &self,
        user: &SessionUser,
        data: &[u8],
        life: SessionLife,
    ) -> Result<(SessionId, Session), StoreError> {
        Session::validate(data)?;
        life.validate()?;
        let id = SessionId::new(user, self.secrets.secret()?);
        let text = |number: u128| number.to_string().into_bytes();
        let most = Session::PER_USER_MAX.to_string().into_bytes();
        let more = vec![
            text(life.idle.as_micros()),
            text(life.absolute.as_micros()),
            rest(user, data),
            most,
        ];
        // A repeated call creates the same session under the same id.
        match self.on_one("create", &id, more, Repeat::Harmless).await? {
            Found::One(stored) => Ok((id, parse(&stored)?)),
            Found::None | Found::Conflict(_) => Err(unexpected(CONTEXT)),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        match self
            .on_one("load", id, Vec::new(), Repeat::Harmless)
            .await?
        {
            Found::One(stored) => parse(&stored).map(Some),
            Found::None => Ok(None),
            Found::Conflict(_) => Err(unexpected(CONTEXT)),
        }
    }

    async fn save(
        &self,
        id: &SessionId,
        version: Version,
        data: &[u8],
    ) -> Result<Session, SessionError> {
        Session::validate(data)?;
        let more = vec![version.to_string().into_bytes(), data.to_vec()];
        match self.on_one("save", id, more, Repeat::Never).await? {
            Found::One(stored) => Ok(parse(&stored)?),
            Found::None => Err(SessionError::Ended),
            Found::Conflict(version) => Err(SessionError::Conflict { version }),
        }
    }

    async fn touch(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        match self
            .on_one("touch", id, Vec::new(), Repeat::Harmless)
            .await?
        {
            Found::One(stored) => parse(&stored).map(Some),
            Found::None => Ok(None),
            Found::Conflict(_) => Err(unexpected(CONTEXT)),
        }
    }

    async fn revoke(&self, id: &SessionId) -> Result<bool, StoreError> {
        let found = self
            .on_one("revoke", id, Vec::new(), Repeat::Harmless)
            .await?;
        Ok(matches!(found, Found::One(_)))
    }

    async fn revoke_all(&self, user: &SessionUser) -> Result<u64, StoreError> {
        let place = SessionId::place_of(user);
        let none = vec![Vec::new()];
        let answer = self.run("all", place, none, Repeat::Harmless).await?;
        match answer.as_slice() {
            [Value::Int(count)] => u64::try_from(*count).map_err(|_| unexpected(CONTEXT)),
            _ => Err(unexpected(CONTEXT)),
        }
    }
}

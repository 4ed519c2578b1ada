use std::time::Duration;

use async_trait::async_trait;
use redis::from_redis_value;
use wallet_core::{LockError, LockLease, LockManager, LockName, LockOwner, StoreError, Timestamp};

use crate::Redis;
use crate::connection::Request;
use crate::error::unexpected;
use crate::keys;
use crate::link::Repeat;
use crate::script::{ACQUIRE, EXTEND, Script};

/// For how long the last token of a lock is remembered after its lease: then the
/// clock has long passed it.
const REMEMBER_MS: u64 = 86_400_000;

/// Locks in Redis, by the server's clock.
///
/// A token is never less than the server's time in microseconds. So tokens grow
/// even over a loss of all data, as long as no clock steps back by more than the
/// loss took.
#[derive(Debug, Clone)]
pub struct RedisLocks {
    redis: Redis,
}

impl RedisLocks {
    pub(crate) const fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Runs a script on one lock: the time comes first, how long it is remembered
    /// last.
    async fn run(
        &self,
        script: &'static Script,
        name: &LockName,
        arguments: [Vec<u8>; 2],
        context: &'static str,
    ) -> Result<Vec<i64>, StoreError> {
        let Redis {
            link, prefix, time, ..
        } = &self.redis;
        let [one, two] = arguments;
        let remember = REMEMBER_MS.to_string().into_bytes();
        let request = Request::Script {
            script,
            keys: vec![keys::lock(prefix, name)],
            arguments: vec![time.argument(), one, two, remember],
        };
        let answer = link.ask(&request, Repeat::Harmless, context).await?;
        from_redis_value(answer).map_err(|_| unexpected(context))
    }

    async fn extend(&self, lease: &LockLease, ttl: Vec<u8>) -> Result<Timestamp, LockError> {
        const CONTEXT: &str = "extending a lease";
        let token = lease.token.to_string().into_bytes();
        let arguments = [token, ttl];
        let answer = self.run(&EXTEND, &lease.name, arguments, CONTEXT).await?;
        match answer.as_slice() {
            [] => Err(LockError::LeaseLost),
            [until] => Ok(Timestamp::from_micros(*until)),
            _ => Err(unexpected(CONTEXT).into()),
        }
    }
}

fn micros(ttl: Duration) -> Vec<u8> {
    ttl.as_micros().to_string().into_bytes()
}

#[async_trait]
impl LockManager for RedisLocks {
    async fn acquire(
        &self,
        name: &LockName,
        owner: &LockOwner,
        ttl: Duration,
    ) -> Result<Option<LockLease>, StoreError> {
        const CONTEXT: &str = "acquiring a lock";
        LockLease::validate_ttl(ttl)?;
        let arguments = [owner.as_str().as_bytes().to_vec(), micros(ttl)];
        // Once more is a new token of the same owner.
        let answer = self.run(&ACQUIRE, name, arguments, CONTEXT).await?;
        match answer.as_slice() {
            [] => Ok(None),
            [token, until] => Ok(Some(LockLease {
                name: name.clone(),
                owner: owner.clone(),
                token: *token,
                until: Timestamp::from_micros(*until),
            })),
            _ => Err(unexpected(CONTEXT)),
        }
    }

    async fn renew(&self, lease: &LockLease, ttl: Duration) -> Result<LockLease, LockError> {
        LockLease::validate_ttl(ttl)?;
        let until = self.extend(lease, micros(ttl)).await?;
        Ok(LockLease {
            until,
            ..lease.clone()
        })
    }

    async fn release(&self, lease: &LockLease) -> Result<(), LockError> {
        self.extend(lease, Vec::new()).await.map(drop)
    }
}

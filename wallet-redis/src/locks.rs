//! Locks with leases and fencing tokens.

use std::time::Duration;

use async_trait::async_trait;
use redis::from_redis_value;
use wallet_core::ledger::{LockName, LockOwner};
use wallet_core::locks::{LockError, LockLease, LockManager};
use wallet_core::{StoreError, Timestamp};

use crate::big_endian::{pack, unpack};
use crate::connection::Request;
use crate::error::unexpected;
use crate::script::{ACQUIRE, EXTEND, Script};
use crate::shared_connection::Repeat;
use crate::{Redis, keys};

/// How long the last fencing token of a lock is stored after its lease, in milliseconds. By
/// then the clock has long passed it.
const REMEMBER_MS: u64 = 86_400_000;

/// Locks in Redis, by the server's clock.
///
/// A fencing token is never less than the server's time in microseconds. So tokens grow
/// even after a loss of all data. The condition: no clock steps back by more time than
/// passed during the loss.
#[derive(Debug, Clone)]
pub struct RedisLocks {
    redis: Redis,
}

impl Redis {
    /// Creates a lock manager.
    #[must_use]
    pub fn locks(&self) -> RedisLocks {
        RedisLocks::new(self.clone())
    }
}

impl RedisLocks {
    pub(crate) const fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Runs a script on one lock. Returns the fencing token and the end of the lease.
    async fn run(
        &self,
        script: &'static Script,
        name: &LockName,
        arguments: &[&[u8]],
        context: &'static str,
    ) -> Result<Option<(i64, Timestamp)>, StoreError> {
        let Redis {
            shared,
            prefix,
            time,
            ..
        } = &self.redis;
        let mut call = script.call(1);
        call.arg(keys::lock(prefix, name));
        call.arg(arguments).arg(time.given());
        let request = Request::Script {
            script,
            by_hash: call,
        };
        let answer = shared.ask(&request, Repeat::Harmless, context).await?;
        let answer: Vec<u8> = from_redis_value(answer).map_err(|_| unexpected(context))?;
        match unpack(&answer).as_deref() {
            Some([]) => Ok(None),
            Some([token, until]) => Ok(Some((*token, Timestamp::from_micros(*until)))),
            _ => Err(unexpected(context)),
        }
    }

    async fn extend(&self, lease: &LockLease, ttl: u64) -> Result<Timestamp, LockError> {
        // No lock has a negative token.
        let token = u64::try_from(lease.token).map_err(|_| LockError::LeaseLost)?;
        let numbers = pack([token, ttl, REMEMBER_MS]);
        let context = "extending a lease";
        let answer = self.run(&EXTEND, &lease.name, &[&numbers], context).await?;
        answer.map(|(_, until)| until).ok_or(LockError::LeaseLost)
    }
}

/// The longest lease has far fewer microseconds.
fn micros(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_micros()).unwrap_or(u64::MAX)
}

#[async_trait]
impl LockManager for RedisLocks {
    async fn acquire(
        &self,
        name: &LockName,
        owner: &LockOwner,
        ttl: Duration,
    ) -> Result<Option<LockLease>, StoreError> {
        LockLease::validate_ttl(ttl)?;
        let numbers = pack([micros(ttl), REMEMBER_MS]);
        let arguments = [numbers.as_slice(), owner.as_str().as_bytes()];
        // A repeated call gets a new token for the same owner.
        let context = "acquiring a lock";
        let answer = self.run(&ACQUIRE, name, &arguments, context).await?;
        Ok(answer.map(|(token, until)| LockLease {
            name: name.clone(),
            owner: owner.clone(),
            token,
            until,
        }))
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
        self.extend(lease, 0).await.map(drop)
    }
}

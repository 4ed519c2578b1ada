//! The rate limiter. A script charges all limits of a call or none.

use async_trait::async_trait;
use redis::from_redis_value;
use wallet_core::edge::{Bucket, Charge, LimitState, RateLimiter, Verdict};
use wallet_core::ledger::LimitScope;
use wallet_core::{StoreError, Timestamp};

use crate::big_endian::{pack, unpack};
use crate::connection::Request;
use crate::error::unexpected;
use crate::script::TAKE;
use crate::shared_connection::Repeat;
use crate::{Redis, keys};

/// A rate limiter in Redis, by the server's clock. A call costs one round trip.
///
/// There is one key per limit and quota. It expires when the limit is full again. All
/// limits of a scope are in the same hash slot of a cluster.
#[derive(Debug, Clone)]
pub struct RedisLimiter {
    redis: Redis,
}

impl Redis {
    /// Creates a rate limiter.
    #[must_use]
    pub fn limiter(&self) -> RedisLimiter {
        RedisLimiter::new(self.clone())
    }
}

impl RedisLimiter {
    pub(crate) const fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

const CONTEXT: &str = "taking from limits";

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn take(&self, scope: &LimitScope, charges: &[Charge]) -> Result<Verdict, StoreError> {
        Charge::validate(charges)?;
        if charges.is_empty() {
            return Ok(Verdict::default());
        }
        let Redis {
            shared,
            prefix,
            time,
            ..
        } = &self.redis;
        let mut numbers = Vec::with_capacity(charges.len().saturating_mul(3).saturating_add(1));
        numbers.push(time.grace_ms());
        for charge in charges {
            let token = charge.quota.token_units();
            let units = |tokens: u32| token.saturating_mul(u64::from(tokens));
            numbers.push(units(charge.cost));
            numbers.push(units(charge.quota.capacity()));
            numbers.push(charge.quota.flow_units());
        }
        let mut call = TAKE.call(charges.len());
        let tag = keys::limits(prefix, scope);
        for charge in charges {
            call.arg(keys::limit(&tag, charge));
        }
        call.arg(pack(numbers)).arg(time.given());
        let request = Request::Script {
            script: &TAKE,
            by_hash: call,
        };
        // A repeated call would charge twice.
        let answer = shared.ask(&request, Repeat::Never, CONTEXT).await?;
        let answer: Vec<u8> = from_redis_value(answer).map_err(|_| unexpected(CONTEXT))?;
        let answer = unpack(&answer).and_then(|answer| verdict(charges, &answer));
        answer.ok_or_else(|| unexpected(CONTEXT))
    }
}

/// Decodes the script's answer: whether it charged the limits, when, and the use of each
/// limit.
fn verdict(charges: &[Charge], answer: &[i64]) -> Option<Verdict> {
    let [is_taken, now, used @ ..] = answer else {
        return None;
    };
    if used.len() != charges.len() {
        return None;
    }
    let now = Timestamp::from_micros(*now);
    let state = |(charge, used): (&Charge, &i64)| -> Option<LimitState> {
        let bucket = Bucket::of_units(u64::try_from(*used).ok()?, now);
        let cost = if *is_taken == 1 { 0 } else { charge.cost };
        Some(bucket.state(&charge.quota, cost))
    };
    let limits = charges.iter().zip(used).map(state);
    Some(Verdict {
        limits: limits.collect::<Option<_>>()?,
    })
}

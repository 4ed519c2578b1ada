//! Round trips to Redis, one after the other: what limits and locks cost beside
//! a bare PING.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use wallet_core::{
    Charge, LimitName, LimitScope, LockManager, LockName, LockOwner, Quota, RateLimiter,
};
use wallet_redis::Redis;

use crate::{Result, clock};

/// How often each is made; they take turns, so that all see the same machine.
const ROUNDS: u32 = 20_000;

/// Medians, in microseconds.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "units last in names")]
pub(crate) struct Trips {
    pub(crate) ping_micros: f64,
    pub(crate) one_limit_micros: f64,
    pub(crate) three_limits_micros: f64,
    pub(crate) acquire_micros: f64,
    pub(crate) renew_micros: f64,
}

struct Stopwatch(Histogram<u64>);

impl Stopwatch {
    fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, 1_000_000_000, 3)?))
    }

    async fn time<T>(&mut self, work: impl Future<Output = T>) -> T {
        let begin = clock::now();
        let done = work.await;
        let nanos = clock::now().saturating_duration_since(begin).as_nanos();
        self.0
            .saturating_record(u64::try_from(nanos).unwrap_or(u64::MAX));
        done
    }

    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "figures for people"
    )]
    fn median_micros(&self) -> f64 {
        self.0.value_at_quantile(0.5) as f64 / 1_000.0
    }
}

/// Measures all of them against the server at `url`.
pub(crate) async fn measure(url: &str, redis: &Redis) -> Result<Trips> {
    let client = redis::Client::open(url)?;
    let mut bare = client.get_multiplexed_async_connection().await?;
    let (limiter, locks) = (redis.limiter(), redis.locks());
    let quota = Quota::new(1_000_000, 1_000_000, Duration::from_secs(1))?;
    let charge =
        |name: &str| -> Result<Charge> { Ok(Charge::new(LimitName::new(name)?, quota, 1)) };
    let three = [charge("key")?, charge("account")?, charge("operation")?];
    let scope = LimitScope::new("tenant")?;
    let (name, owner) = (LockName::new("sweep")?, LockOwner::new("bench")?);
    let ttl = Duration::from_secs(60);
    let mut watches = Vec::new();
    for _ in 0..5 {
        watches.push(Stopwatch::new()?);
    }
    let [ping, one, all, acquire, renew] = &mut watches[..] else {
        return Err("five stopwatches".into());
    };
    for _ in 0..ROUNDS {
        let asked = redis::cmd("PING");
        ping.time(asked.query_async::<()>(&mut bare)).await?;
        one.time(limiter.take(&scope, &three[..1])).await?;
        all.time(limiter.take(&scope, &three)).await?;
        let lease = acquire.time(locks.acquire(&name, &owner, ttl)).await?;
        let lease = lease.ok_or("the lock is somebody else's")?;
        renew.time(locks.renew(&lease, ttl)).await?;
    }
    Ok(Trips {
        ping_micros: ping.median_micros(),
        one_limit_micros: one.median_micros(),
        three_limits_micros: all.median_micros(),
        acquire_micros: acquire.median_micros(),
        renew_micros: renew.median_micros(),
    })
}

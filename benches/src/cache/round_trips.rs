//! Round trips to Redis, one after the other: the cost of limits and locks compared with
//! a bare PING and with an empty script.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use wallet_core::edge::{Charge, Quota, RateLimiter};
use wallet_core::ledger::{LimitName, LimitScope, LockName, LockOwner};
use wallet_core::locks::LockManager;
use wallet_redis::{Redis, RedisSettings};

use crate::{Result, clock};

/// How often each is made in a turn. Turns are short, so that all see the same
/// machine, and long enough for each to find its own connection and script warm.
const TURN: u32 = 200;
const TURNS_PER_SEC: u32 = 10;
const TURNS_MAX: u32 = 100;
/// The timeout of a round trip. It is longer than a cache's timeout, because the figures
/// are wanted even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Medians, in microseconds.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "units last in names")]
pub(crate) struct Trips {
    pub(crate) ping_micros: f64,
    /// An empty script: no script is faster.
    pub(crate) nothing_micros: f64,
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

/// Measures all of them against the server at `url`. The number of repetitions grows with
/// the length of the run.
pub(crate) async fn measure(url: &str, seconds: u32) -> Result<Trips> {
    let patient = RedisSettings {
        budget: PATIENCE,
        ..RedisSettings::new(url)
    };
    let redis = Redis::open(&patient).await?;
    let client = redis::Client::open(url)?;
    let mut bare = client.get_multiplexed_async_connection().await?;
    let mut load = redis::cmd("SCRIPT");
    load.arg("LOAD").arg("return 1");
    let hash: String = load.query_async(&mut bare).await?;
    let (limiter, locks) = (redis.limiter(), redis.locks());
    let quota = Quota::new(1_000_000, 1_000_000, Duration::from_secs(1))?;
    let charge =
        |name: &str| -> Result<Charge> { Ok(Charge::new(LimitName::new(name)?, quota, 1)) };
    let three = [charge("key")?, charge("account")?, charge("operation")?];
    let scope = LimitScope::new("tenant")?;
    let (name, owner) = (LockName::new("sweep")?, LockOwner::new("bench")?);
    let ttl = Duration::from_secs(60);
    let mut watches = Vec::new();
    for _ in 0..6 {
        watches.push(Stopwatch::new()?);
    }
    let [ping, nothing, one, all, acquire, renew] = &mut watches[..] else {
        return Err("six stopwatches".into());
    };
    for _ in 0..seconds.saturating_mul(TURNS_PER_SEC).min(TURNS_MAX) {
        for _ in 0..TURN {
            let asked = redis::cmd("PING");
            ping.time(asked.query_async::<()>(&mut bare)).await?;
        }
        for _ in 0..TURN {
            let mut asked = redis::cmd("EVALSHA");
            asked.arg(&hash).arg(0);
            nothing.time(asked.query_async::<()>(&mut bare)).await?;
        }
        for _ in 0..TURN {
            one.time(limiter.take(&scope, &three[..1])).await?;
        }
        for _ in 0..TURN {
            all.time(limiter.take(&scope, &three)).await?;
        }
        let mut lease = None;
        for _ in 0..TURN {
            lease = acquire.time(locks.acquire(&name, &owner, ttl)).await?;
        }
        let lease = lease.ok_or("the lock is somebody else's")?;
        for _ in 0..TURN {
            renew.time(locks.renew(&lease, ttl)).await?;
        }
    }
    Ok(Trips {
        ping_micros: ping.median_micros(),
        nothing_micros: nothing.median_micros(),
        one_limit_micros: one.median_micros(),
        three_limits_micros: all.median_micros(),
        acquire_micros: acquire.median_micros(),
        renew_micros: renew.median_micros(),
    })
}

//! The condition of Redis while transfers are measured.

use serde::Serialize;
use wallet_test_servers::PrivateRedis;

/// The condition of Redis, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// No cache at all: the base of the comparison.
    NoCache,
    Well,
    /// Flushed at the beginning of the turn.
    Flushed,
    Paused,
    Killed,
    /// Out of memory: Redis refuses writes.
    Full,
    /// A replica of a server that is unreachable.
    Replica,
}

impl Condition {
    pub(crate) const ALL: [Self; 7] = [
        Self::NoCache,
        Self::Well,
        Self::Flushed,
        Self::Paused,
        Self::Killed,
        Self::Full,
        Self::Replica,
    ];

    pub(crate) const fn has_cache(self) -> bool {
        !matches!(self, Self::NoCache)
    }

    /// The condition as text.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::NoCache => "without a cache",
            Self::Well => "with the cache",
            Self::Flushed => "with Redis just flushed",
            Self::Paused => "with Redis paused",
            Self::Killed => "with Redis killed",
            Self::Full => "with Redis out of memory",
            Self::Replica => "with Redis a replica",
        }
    }

    pub(crate) fn begin(self, server: &mut PrivateRedis) {
        match self {
            Self::NoCache | Self::Well => {}
            Self::Flushed => server.execute("FLUSHALL"),
            Self::Paused => server.pause(),
            Self::Killed => server.kill(),
            Self::Full => server.execute("CONFIG SET maxmemory 1"),
            Self::Replica => server.execute("REPLICAOF 127.0.0.1 1"),
        }
    }

    pub(crate) fn end(self, server: &mut PrivateRedis) {
        match self {
            Self::NoCache | Self::Well | Self::Flushed => {}
            Self::Paused => server.resume(),
            Self::Killed => server.restart(),
            Self::Full => server.execute("CONFIG SET maxmemory 0"),
            Self::Replica => server.execute("REPLICAOF NO ONE"),
        }
    }
}

/// Transfers under one condition.
#[derive(Debug, Serialize)]
pub(crate) struct Transfers {
    pub(crate) redis: Condition,
    pub(crate) per_sec: f64,
    /// The ratio to transfers without a cache.
    pub(crate) ratio: f64,
    /// The processor time of Redis per transfer, in microseconds of one core.
    pub(crate) redis_cpu_micros: f64,
}

/// The CPU seconds of the running server since it was started.
pub(crate) fn cpu_secs(server: &PrivateRedis) -> f64 {
    let info = server.ask("INFO cpu");
    let value = |name: &str| -> f64 {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse().ok())
            .unwrap_or(0.0)
    };
    sum(value("used_cpu_sys:"), value("used_cpu_user:"))
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn sum(one: f64, other: f64) -> f64 {
    one + other
}

//! The faults, and how each is repaired.

use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use tokio::process::{Child, Command};

use crate::Result;
use crate::open_keys::OpenKeys;
use crate::proxy::Cut;
use crate::world::World;

/// The part that a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Host,
    Database,
    Redis,
    Queue,
    History,
}

/// The kind of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    KillHost,
    RestartHost,
    PauseHost,
    StepClock,
    KillDatabase,
    PauseDatabase,
    ReadOnly,
    SlowDisk,
    CutDatabase,
    CutWithin,
    SilenceDatabase,
    StepDatabaseClock,
    StallDatabase,
    DelayDatabase,
    OpenKeys,
    KillRedis,
    PauseRedis,
    FlushRedis,
    CutRedis,
    KillQueue,
    PauseQueue,
    CutQueue,
    PauseHistory,
    CutHistory,
}

impl Kind {
    /// Each fault with its frequency, its name and its target.
    const ALL: [(Self, u32, &'static str, Target); 24] = [
        (Self::KillHost, 10, "kill -9 of a host", Target::Host),
        (
            Self::RestartHost,
            3,
            "ordered restart of a host",
            Target::Host,
        ),
        (Self::PauseHost, 5, "SIGSTOP of a host", Target::Host),
        (Self::StepClock, 5, "step of a host's clock", Target::Host),
        (
            Self::KillDatabase,
            6,
            "kill -9 of the database",
            Target::Database,
        ),
        (
            Self::PauseDatabase,
            4,
            "SIGSTOP of the database",
            Target::Database,
        ),
        (Self::ReadOnly, 5, "database read-only", Target::Database),
        (
            Self::SlowDisk,
            4,
            "slow disk under the database",
            Target::Database,
        ),
        (
            Self::CutDatabase,
            6,
            "every database connection cut",
            Target::Database,
        ),
        (
            Self::CutWithin,
            10,
            "connections cut within a request",
            Target::Database,
        ),
        (
            Self::SilenceDatabase,
            5,
            "every database connection silent for good",
            Target::Database,
        ),
        (
            Self::StepDatabaseClock,
            3,
            "step of the database's clock by an hour",
            Target::Database,
        ),
        (
            Self::StallDatabase,
            4,
            "network to the database stalled",
            Target::Database,
        ),
        (
            Self::DelayDatabase,
            4,
            "network to the database delayed",
            Target::Database,
        ),
        (
            Self::OpenKeys,
            5,
            "another program's transaction holds a caller's keys",
            Target::Database,
        ),
        (Self::KillRedis, 4, "kill -9 of Redis", Target::Redis),
        (Self::PauseRedis, 3, "SIGSTOP of Redis", Target::Redis),
        (Self::FlushRedis, 3, "FLUSHALL of Redis", Target::Redis),
        (
            Self::CutRedis,
            3,
            "every Redis connection cut",
            Target::Redis,
        ),
        (
            Self::KillQueue,
            2,
            "kill -9 of the queue, which forgets all",
            Target::Queue,
        ),
        (Self::PauseQueue, 3, "SIGSTOP of the queue", Target::Queue),
        (
            Self::CutQueue,
            3,
            "every queue connection cut",
            Target::Queue,
        ),
        (Self::PauseHistory, 3, "SIGSTOP of history", Target::History),
        (
            Self::CutHistory,
            3,
            "every history connection cut",
            Target::History,
        ),
    ];

    /// A random fault of those that are possible here.
    pub(crate) fn draw(rng: &mut Rng, has_slow_disk: bool) -> Self {
        let possible = Self::ALL
            .into_iter()
            .filter(|(kind, ..)| has_slow_disk || *kind != Self::SlowDisk);
        let weights = possible.clone().map(|(_, weight, ..)| weight).sum();
        let mut left = rng.u32(0..weights);
        for (kind, weight, ..) in possible {
            if left < weight {
                return kind;
            }
            left -= weight;
        }
        Self::KillHost
    }

    fn row(self) -> (Self, u32, &'static str, Target) {
        let found = Self::ALL.into_iter().find(|(kind, ..)| *kind == self);
        found.unwrap_or(Self::ALL[0])
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().2
    }

    pub(crate) fn target(self) -> Target {
        self.row().3
    }
}

/// A fault in progress.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    host: usize,
    amount: u64,
    cut: Cut,
    slowing: Option<Child>,
    open_keys: Option<OpenKeys>,
}

impl Fault {
    pub(crate) fn new(kind: Kind, rng: &mut Rng, hosts: usize) -> Self {
        let cut = [Cut::Before, Cut::Within, Cut::After, Cut::After][rng.usize(0..4)];
        Self {
            kind,
            host: rng.usize(0..hosts),
            amount: rng.u64(..),
            cut,
            slowing: None,
            open_keys: None,
        }
    }

    pub(crate) async fn begin(&mut self, world: &mut World) -> Result<()> {
        match self.kind {
            Kind::KillHost => world.hosts[self.host].kill().await?,
            Kind::RestartHost => world.hosts[self.host].order("settle").await?,
            Kind::PauseHost => world.hosts[self.host].signal("-STOP").await?,
            Kind::StepClock => {
                // Up to one hour in either direction.
                let off = i64::try_from(self.amount % 7_200_000_000)?.saturating_sub(3_600_000_000);
                world.hosts[self.host]
                    .order(&format!("clock {off}"))
                    .await?;
            }
            Kind::KillDatabase => world.database.kill(),
            Kind::PauseDatabase => world.database.pause(),
            Kind::ReadOnly => {
                let option = world.args.database.read_only();
                world
                    .administer(&format!("SET GLOBAL {option} = 1"))
                    .await?;
            }
            Kind::SlowDisk => self.slowing = Some(slow(world.database.process(), self.amount)?),
            Kind::CutDatabase => world.to_database.cut(),
            Kind::CutWithin => {
                let (passing, count) = (self.amount % 40, self.amount / 40 % 8 + 1);
                let (passing, count) = (u32::try_from(passing)?, u32::try_from(count)?);
                world.to_database.arm(passing, count, self.cut);
            }
            Kind::SilenceDatabase => world.to_database.silence(),
            Kind::StepDatabaseClock => {
                let seconds = if self.amount.is_multiple_of(2) {
                    3_600
                } else {
                    -3_600
                };
                world.database.set_clock(seconds);
            }
            Kind::StallDatabase => world.to_database.stall(true),
            Kind::DelayDatabase => {
                let delay = Duration::from_millis(5 + self.amount % 100);
                world.to_database.delay(delay);
            }
            Kind::OpenKeys => {
                let opened = OpenKeys::begin(world, self.host, self.amount).await?;
                self.open_keys = Some(opened);
            }
            Kind::KillRedis => world.redis.kill(),
            Kind::PauseRedis => world.redis.pause(),
            Kind::FlushRedis => world.redis.execute("FLUSHALL"),
            Kind::CutRedis => world.to_redis.cut(),
            Kind::KillQueue => world.queue.kill(),
            Kind::PauseQueue => world.queue.pause(),
            Kind::CutQueue => world.to_queue.cut(),
            Kind::PauseHistory => world.history.pause(),
            Kind::CutHistory => world.to_history.cut(),
        }
        Ok(())
    }

    pub(crate) async fn end(&mut self, world: &mut World) -> Result<()> {
        match self.kind {
            Kind::KillHost => world.hosts[self.host].start()?,
            Kind::RestartHost => {
                let host = &mut world.hosts[self.host];
                host.order("end").await?;
                host.ended().await?;
                host.start()?;
            }
            Kind::PauseHost => world.hosts[self.host].signal("-CONT").await?,
            Kind::StepClock => world.hosts[self.host].order("clock 0").await?,
            Kind::KillDatabase => world.restart_database(),
            Kind::PauseDatabase => world.database.resume(),
            Kind::ReadOnly => {
                let option = world.args.database.read_only();
                let sql = format!("SET GLOBAL {option} = 0; SET GLOBAL read_only = 0");
                world.administer(&sql).await?;
            }
            Kind::SlowDisk => {
                if let Some(slowing) = &mut self.slowing {
                    slowing.kill().await?;
                }
            }
            Kind::CutWithin => world.to_database.disarm(),
            Kind::StepDatabaseClock => {
                world.database.set_clock(0);
                // Accounts that were used meanwhile are an hour ahead: this is the
                // recovery.
                for host in &mut world.hosts {
                    host.raise_max_ahead().await?;
                }
            }
            Kind::StallDatabase => world.to_database.stall(false),
            Kind::DelayDatabase => world.to_database.delay(Duration::ZERO),
            Kind::OpenKeys => {
                if let Some(open_keys) = self.open_keys.take() {
                    open_keys.end().await;
                }
            }
            Kind::KillRedis => tokio::task::block_in_place(|| world.redis.restart()),
            Kind::PauseRedis => world.redis.resume(),
            Kind::KillQueue => world.restart_queue().await?,
            Kind::PauseQueue => world.queue.resume(),
            Kind::PauseHistory => world.history.resume(),
            Kind::CutDatabase
            | Kind::SilenceDatabase
            | Kind::FlushRedis
            | Kind::CutRedis
            | Kind::CutQueue
            | Kind::CutHistory => {}
        }
        Ok(())
    }

    /// Whether the run waits for its end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.kind == Kind::RestartHost
    }

    /// The violation of a fault that must hold up nobody but its victim. It is judged at its
    /// end, if nothing else was broken meanwhile.
    pub(crate) fn violation(&self, world: &World) -> Option<String> {
        self.open_keys.as_ref()?.violation(world)
    }

    /// Whether it can be ended.
    pub(crate) fn is_over(&self, world: &World) -> bool {
        !self.is_awaited() || world.hosts[self.host].is_settled()
    }
}

/// Delays each flush of a process by 5 to 50 ms.
fn slow(process: u32, amount: u64) -> Result<Child> {
    let delay_micros = 5_000 + amount % 45_000;
    let slowing = Command::new("strace")
        .args(["--follow-forks", "--quiet=all", "--output=/dev/null"])
        .args(["--trace=fsync,fdatasync", "--attach", &process.to_string()])
        .arg(format!(
            "--inject=fsync,fdatasync:delay_enter={delay_micros}"
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok(slowing)
}

/// Whether flushes can be delayed here. It takes `strace` and the right to trace a
/// process.
pub(crate) async fn has_slow_disk() -> bool {
    let tried = Command::new("strace")
        .args(["--quiet=all", "--output=/dev/null", "--trace=fsync", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    tried.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn_and_a_seed_draws_the_same() {
        let drawn = |has_slow_disk| {
            let mut rng = Rng::with_seed(1);
            let all = (0..2_000).map(|_| Kind::draw(&mut rng, has_slow_disk));
            all.collect::<Vec<_>>()
        };
        assert_eq!(drawn(true), drawn(true));
        for (kind, ..) in Kind::ALL {
            assert!(drawn(true).contains(&kind), "{kind:?}");
            assert_eq!(drawn(false).contains(&kind), kind != Kind::SlowDisk);
        }
    }
}

//! The course of a run: start, inject faults, repair, settle, verify, report.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;
use wallet_core::runtime::Clock;
use wallet_core::{SystemClock, Timestamp};

use crate::args::RunArgs;
use crate::fault::{Fault, Kind, has_slow_disk};
use crate::progress::Progress;
use crate::report::Report;
use crate::tally::{Counts, add};
use crate::world::World;
use crate::{Result, verify};

/// How often the run checks its hosts.
const LOOK: Duration = Duration::from_millis(100);
/// How often a repair is retried; it takes longer when two faults overlap.
const MENDING: u32 = 100;
/// The longest time that a caller may wait for its answer after the last repair.
const SETTLING: Duration = Duration::from_secs(300);

/// The duration of a run, without the time in which this process was stopped.
#[derive(Debug)]
struct Running {
    sum: Duration,
    last: Timestamp,
}

impl Running {
    fn start() -> Self {
        Self {
            sum: Duration::ZERO,
            last: SystemClock.now(),
        }
    }

    fn look(&mut self) -> Duration {
        let now = SystemClock.now();
        let passed = now.as_micros().saturating_sub(self.last.as_micros());
        let passed = Duration::from_micros(u64::try_from(passed).unwrap_or(0));
        self.sum += passed.min(LOOK * 10);
        self.last = now;
        self.sum
    }
}

/// The state of the run so far.
#[derive(Debug)]
struct Course {
    running: Running,
    faults: BTreeMap<Kind, u64>,
    failed: Vec<String>,
    violations: Vec<String>,
    progress: Progress,
}

impl Course {
    /// Lets the hosts work for some time.
    async fn pass(&mut self, world: &mut World, time: Duration) -> Result<()> {
        let until = self.running.look() + time;
        loop {
            let now = self.running.look();
            let faults = self.faults.values().sum();
            self.progress.show(now, faults, &counts(world));
            for host in &mut world.hosts {
                if host.has_died()? {
                    let words = format!("host {} died by itself", host.number());
                    self.violations.push(words);
                    host.kill().await?;
                    host.start()?;
                }
            }
            if now >= until {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    /// Starts faults, waits, and ends them.
    async fn break_it(
        &mut self,
        world: &mut World,
        mut faults: Vec<Fault>,
        lasting: Duration,
    ) -> Result<()> {
        for fault in &mut faults {
            self.progress.fault(fault.kind.name());
            *self.faults.entry(fault.kind).or_default() += 1;
            if let Err(error) = fault.begin(world).await {
                self.failed.push(format!("{}: {error}", fault.kind.name()));
            }
        }
        self.pass(world, lasting).await?;
        if let [only] = &faults[..] {
            self.violations.extend(only.violation(world));
        }
        // The fault that waits for the hosts ends last: they wait for the other one.
        faults.sort_by_key(Fault::is_awaited);
        for fault in &mut faults {
            while !fault.is_over(world) {
                self.pass(world, LOOK).await?;
            }
            let mut tries = 0;
            while let Err(error) = fault.end(world).await {
                tries += 1;
                if tries == MENDING {
                    return Err(format!("{}: {error}", fault.kind.name()).into());
                }
                self.pass(world, LOOK).await?;
            }
        }
        self.progress.fault("");
        Ok(())
    }
}

/// One fault, or two that strike different parts at once.
fn draw(rng: &mut Rng, world: &World, has_slow_disk: bool) -> Vec<Fault> {
    let first = Kind::draw(rng, has_slow_disk);
    let mut kinds = vec![first];
    if rng.u8(0..4) == 0 {
        let second = Kind::draw(rng, has_slow_disk);
        if second.target() != first.target() {
            kinds.push(second);
        }
    }
    let hosts = world.hosts.len();
    kinds
        .into_iter()
        .map(|kind| Fault::new(kind, rng, hosts))
        .collect()
}

/// The sum of all hosts' counters.
fn counts(world: &World) -> Counts {
    let mut sums = Counts::new();
    for host in &world.hosts {
        add(&mut sums, &host.counts());
    }
    sums
}

/// The number of transfers that callers know of.
fn acknowledged(world: &World) -> u64 {
    let counts = counts(world);
    counts.get("acknowledged transfers").copied().unwrap_or(0)
}

/// Whether the run found no violation.
pub(crate) async fn run(args: RunArgs) -> Result<bool> {
    let time = Duration::from_secs(args.seconds);
    let has_slow_disk = has_slow_disk().await;
    let mut rng = Rng::with_seed(args.seed);
    let mut world = World::start(args.clone()).await?;
    let mut course = Course {
        running: Running::start(),
        faults: BTreeMap::new(),
        failed: Vec::new(),
        violations: Vec::new(),
        progress: Progress::new(time),
    };
    loop {
        let pause = rng.u64(args.pause_ms / 4..=args.pause_ms);
        course
            .pass(&mut world, Duration::from_millis(pause))
            .await?;
        let is_over = course.running.look() >= time && acknowledged(&world) >= args.transfers;
        if is_over || world.is_to_stop() {
            break;
        }
        let faults = draw(&mut rng, &world, has_slow_disk);
        let lasting = Duration::from_millis(rng.u64(100..3_000));
        course.break_it(&mut world, faults, lasting).await?;
    }
    let ran = course.running.look();
    settle(&mut world, &mut course).await?;
    course.progress.stage("verifying");
    let verified = verify::started(&world).await?;
    course.progress.end();
    let mut violations = verified.violations;
    violations.append(&mut course.violations);
    for host in &world.hosts {
        violations.extend(host.violations());
    }
    let report = Report {
        args,
        ran,
        faults: course.faults,
        has_slow_disk,
        lost_within: world.to_database.lost(),
        failed: course.failed,
        counts: counts(&world),
        figures: verified.figures,
        violations,
    };
    print!("{report}");
    let is_well = report.violations.is_empty();
    if is_well {
        world.clean()?;
    }
    Ok(is_well)
}

/// After the repairs every caller gets its answer and every event arrives.
async fn settle(world: &mut World, course: &mut Course) -> Result<()> {
    course.progress.stage("settling");
    for host in &mut world.hosts {
        host.order("settle").await?;
    }
    let mut waited = Duration::ZERO;
    while !world.hosts.iter().all(crate::hosts::Host::is_settled) {
        if waited > SETTLING {
            return Err("callers are without an answer though all is mended".into());
        }
        course.pass(world, LOOK).await?;
        waited += LOOK;
    }
    verify::drained(world, &mut course.progress).await?;
    for host in &mut world.hosts {
        host.order("end").await?;
        host.ended().await?;
    }
    Ok(())
}

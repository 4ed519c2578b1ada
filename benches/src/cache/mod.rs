//! The cache: how much faster it makes balance reads, its cost for transfers when it
//! works and when it fails, and the cost of limits and locks.

mod reads;
mod round_trips;
mod trouble;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Runtime;
use wallet_core::Wallet;
use wallet_core::service::StatsSnapshot;
use wallet_core::store::CommitSignal;
use wallet_redis::{Redis, RedisSettings};
use wallet_test_servers::PrivateRedis;

use crate::args::Load;
use crate::measure::{Figures, Tally, per};
use crate::pattern::{Pattern, Picker};
use crate::store::{Site, Subject};
use crate::store_kind::StoreKind;
use crate::wallet::{self, Loaded};
use crate::{Result, verify};
use reads::ReadSet;
use round_trips::Trips;
use trouble::{Condition, Transfers, cpu_secs};

/// Each is measured in so many turns, one after the other, so that all see the
/// same machine.
const TURNS: u32 = 3;

/// The figures.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    store: StoreKind,
    server: Option<String>,
    callers: u32,
    accounts: u32,
    seconds: u32,
    /// Reads per second of the ledger's store alone.
    store_reads_per_sec: f64,
    store_read_p99_ms: f64,
    /// Reads per second through the cache.
    cached_reads_per_sec: f64,
    cached_read_p99_ms: f64,
    /// The cache's hit ratio, from 0 to 1.
    hit_ratio: f64,
    /// Failed cache calls of that time.
    failures: u64,
    transfers: Vec<Transfers>,
    round_trips: Trips,
    /// Errors in the books or during the run.
    problems: Vec<String>,
}

struct Bench<'r> {
    load: Load,
    runtime: &'r Runtime,
    subject: Box<dyn Subject>,
    /// The wallets for transfers and reads, without a cache and with one.
    plain: Loaded,
    cached: Loaded,
    reads: ReadSet,
    redis: Redis,
    server: PrivateRedis,
}

/// Measures all of it.
pub(crate) fn run(load: &Load, runtime: &Runtime) -> Result<Report> {
    let site = Site::prepare(load)?;
    let subject = site.open("ledger", runtime)?;
    let tally = Tally::default();
    let ledgers = vec![subject.ledger()];
    let plain = Loaded::prepare(
        ledgers,
        load,
        load.accounts,
        CommitSignal::default(),
        &tally,
    );
    let plain = runtime.block_on(plain)?;
    let server = PrivateRedis::start();
    let redis = runtime.block_on(Redis::open(&RedisSettings::new(server.url())))?;
    let cached = runtime.block_on(async {
        let builder = Wallet::builder(subject.ledger()).settings(wallet::settings(load)?);
        let wallet = builder.cache(Arc::new(redis.cache())).spawn()?;
        Result::Ok(plain.beside(wallet))
    })?;
    let reads = ReadSet {
        accounts: Arc::new(plain.accounts()),
        picker: Picker::new(Pattern::Zipf, load.accounts),
        callers: load.callers,
    };
    let mut bench = Bench {
        load: load.clone(),
        runtime,
        subject,
        plain,
        cached,
        reads,
        redis,
        server,
    };
    bench.measure(site.profile())
}

impl Bench<'_> {
    fn measure(&mut self, profile: Option<&str>) -> Result<Report> {
        let url = self.server.url();
        let round_trips = round_trips::measure(&url, self.load.seconds);
        let round_trips = self.runtime.block_on(round_trips)?;
        let turn = self.turn();
        let mut warm_up = Figures::new()?;
        self.read(true, turn, &mut warm_up)?;
        let before = self.stats()?;
        let (mut store, mut cached) = (Figures::new()?, Figures::new()?);
        for _ in 0..TURNS {
            self.read(false, turn, &mut store)?;
            self.read(true, turn, &mut cached)?;
        }
        let after = self.stats()?;
        let hits = after.cache_hits.saturating_sub(before.cache_hits);
        let misses = after.cache_misses.saturating_sub(before.cache_misses);
        let mut made = Vec::new();
        for condition in Condition::ALL {
            made.push(Made::new(condition)?);
        }
        for _ in 0..TURNS {
            for made in &mut made {
                self.transfer(turn, made)?;
            }
        }
        let all = made.iter().map(|made| &made.figures);
        let all = [&store, &cached].into_iter().chain(all);
        let problems = all.filter_map(|figures| figures.problem.clone());
        let mut problems: Vec<String> = problems.collect();
        let count = made.iter().map(|made| made.figures.acknowledged);
        let count = count.fold(u64::from(self.load.accounts), u64::saturating_add);
        problems.extend(self.verify(count)?);
        Ok(Report {
            store: self.load.store,
            server: profile.map(str::to_owned),
            callers: self.load.callers,
            accounts: self.load.accounts,
            seconds: self.load.seconds,
            store_reads_per_sec: store.summary().transfers_per_sec,
            store_read_p99_ms: store.summary().p99_ms,
            cached_reads_per_sec: cached.summary().transfers_per_sec,
            cached_read_p99_ms: cached.summary().p99_ms,
            hit_ratio: per(hits, hits.saturating_add(misses)),
            failures: after.cache_failures.saturating_sub(before.cache_failures),
            transfers: transfers_of(&made),
            round_trips,
            problems,
        })
    }

    fn turn(&self) -> Duration {
        let turn = self.load.measured().checked_div(TURNS);
        turn.unwrap_or_default()
    }

    fn of(&mut self, with_cache: bool) -> &mut Loaded {
        if with_cache {
            &mut self.cached
        } else {
            &mut self.plain
        }
    }

    fn read(&mut self, with_cache: bool, length: Duration, figures: &mut Figures) -> Result<()> {
        let reads = self.reads.clone();
        let wallet = self.of(with_cache).wallet()?.clone();
        self.runtime.block_on(reads.run(&wallet, length, figures))
    }

    /// A turn of transfers under a condition of Redis.
    fn transfer(&mut self, length: Duration, made: &mut Made) -> Result<()> {
        let (callers, runtime) = (self.load.callers, self.runtime);
        let picker = Picker::new(self.load.pattern, self.load.accounts);
        let tally = Arc::new(Tally::default());
        let before = cpu_secs(&self.server);
        made.condition.begin(&mut self.server);
        let loaded = self.of(made.condition.has_cache());
        runtime.block_on(loaded.run(callers, &picker, length, &tally, &mut made.figures))?;
        made.condition.end(&mut self.server);
        self.runtime.block_on(until_up(&self.redis));
        made.worked(before, cpu_secs(&self.server));
        Ok(())
    }

    fn stats(&self) -> Result<StatsSnapshot> {
        Ok(self.cached.wallet()?.stats())
    }

    fn verify(&mut self, transfers: u64) -> Result<Vec<String>> {
        let Self {
            runtime,
            plain,
            cached,
            subject,
            ..
        } = self;
        runtime.block_on(async {
            plain.shutdown().await;
            cached.shutdown().await;
            let mut sample = std::mem::take(&mut plain.sample);
            sample.append(&mut cached.sample);
            fastrand::shuffle(&mut sample);
            sample.truncate(wallet::SAMPLE);
            verify::sample(subject.ledger().as_ref(), transfers, &sample).await
        })
    }
}

/// The measurements of one condition so far.
struct Made {
    condition: Condition,
    figures: Figures,
    redis_cpu_secs: f64,
}

impl Made {
    fn new(condition: Condition) -> Result<Self> {
        Ok(Self {
            condition,
            figures: Figures::new()?,
            redis_cpu_secs: 0.0,
        })
    }

    /// Adds the server's processor time; nothing if the server was restarted.
    #[expect(clippy::float_arithmetic, reason = "figures for people")]
    fn worked(&mut self, before: f64, after: f64) {
        self.redis_cpu_secs += (after - before).max(0.0);
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn transfers_of(made: &[Made]) -> Vec<Transfers> {
    let per_sec = |made: &Made| made.figures.summary().transfers_per_sec;
    let base = made.first().map_or(0.0, per_sec);
    let each = made.iter().map(|made| Transfers {
        redis: made.condition,
        per_sec: per_sec(made),
        ratio: ratio(per_sec(made), base),
        redis_cpu_micros: ratio(made.redis_cpu_secs * 1e6, made.figures.acknowledged as f64),
    });
    each.collect()
}

async fn until_up(redis: &Redis) {
    while !redis.is_up() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Report {
    /// Whether the books are correct and nothing failed.
    pub(crate) fn is_verified(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The figures as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "\n{}: {} callers, {} accounts, {} s\n",
            self.store, self.callers, self.accounts, self.seconds
        );
        if let Some(server) = &self.server {
            let _ = writeln!(text, "the server: {server}; its store's default pool of 8");
        }
        text.push_str("Redis: a private server, one multiplexed connection, 20 ms a call\n\n");
        let lines = [
            ("reads/s of the store alone", self.store_reads_per_sec, 1.0),
            (
                "reads/s through the cache",
                self.cached_reads_per_sec,
                ratio(self.cached_reads_per_sec, self.store_reads_per_sec),
            ),
        ];
        for (what, figure, of) in lines {
            let _ = writeln!(text, "{what:<38} {figure:>8.0}  x {of:.2}");
        }
        for one in &self.transfers {
            let what = format!("transfers/s {}", one.redis.text());
            let (figure, of, cpu) = (one.per_sec, one.ratio, one.redis_cpu_micros);
            let _ = writeln!(
                text,
                "{what:<38} {figure:>8.0}  x {of:.2}  Redis {cpu:.1} µs each"
            );
        }
        let _ = writeln!(
            text,
            "hit ratio {:.4}, failed calls {}; p99 of reads: store {:.2} ms, cache {:.2} ms\n",
            self.hit_ratio, self.failures, self.store_read_p99_ms, self.cached_read_p99_ms
        );
        let Trips { ping_micros, .. } = self.round_trips;
        let round_trips = [
            ("PING", ping_micros),
            (
                "a script that does nothing",
                self.round_trips.nothing_micros,
            ),
            ("one limit", self.round_trips.one_limit_micros),
            ("three limits", self.round_trips.three_limits_micros),
            ("acquire a lock", self.round_trips.acquire_micros),
            ("renew a lease", self.round_trips.renew_micros),
        ];
        for (what, micros) in round_trips {
            let of = ratio(micros, ping_micros);
            let _ = writeln!(text, "{what:<30} {micros:>7.1} µs  x {of:.2}");
        }
        for problem in &self.problems {
            let _ = writeln!(text, "PROBLEM: {problem}");
        }
        text
    }
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn ratio(figure: f64, of: f64) -> f64 {
    if of > 0.0 { figure / of } else { 0.0 }
}

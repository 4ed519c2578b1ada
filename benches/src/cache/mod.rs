//! The cache: how much faster balances are read through it, what it costs
//! transfers when it is well and when it is not, and what limits and locks cost.

mod reads;
mod trips;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Runtime;
use wallet_core::{CommitSignal, StatsSnapshot, Wallet};
use wallet_redis::{Redis, RedisSettings};
use wallet_test_servers::PrivateRedis;

use crate::Result;
use crate::args::Load;
use crate::measure::{Figures, Tally, per};
use crate::pattern::{Pattern, Picker};
use crate::store::{Site, StoreKind, Subject};
use crate::verify;
use crate::wallet::{self, Loaded};
use reads::Reads;
use trips::Trips;

/// Each is measured in so many turns, one after the other, so that all see the
/// same machine.
const TURNS: u32 = 3;

/// What was found.
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
    /// How many of them the cache answered, of 1.
    hit_ratio: f64,
    /// Calls of the cache that failed meanwhile.
    failures: u64,
    /// Transfers per second without a cache, with one, and while it is paused.
    transfers_per_sec: f64,
    cached_transfers_per_sec: f64,
    paused_transfers_per_sec: f64,
    trips: Trips,
    /// What is wrong with the books, or went wrong.
    problems: Vec<String>,
}

struct Bench<'r> {
    load: Load,
    runtime: &'r Runtime,
    subject: Box<dyn Subject>,
    /// Whose transfers and reads go without a cache, and with one.
    plain: Loaded,
    cached: Loaded,
    reads: Reads,
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
    let reads = Reads {
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
        let trips = trips::measure(&url, &self.redis);
        let trips = self.runtime.block_on(trips)?;
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
        let mut transfers = [Figures::new()?, Figures::new()?, Figures::new()?];
        for _ in 0..TURNS {
            let [without, with, paused] = &mut transfers;
            self.transfer(false, turn, without)?;
            self.transfer(true, turn, with)?;
            self.server.pause();
            self.transfer(true, turn, paused)?;
            self.server.resume();
            self.runtime.block_on(until_up(&self.redis));
        }
        let all = [&store, &cached, &transfers[0], &transfers[1], &transfers[2]];
        let problems = all.iter().filter_map(|figures| figures.problem.clone());
        let mut problems: Vec<String> = problems.collect();
        let made = transfers.iter().map(|figures| figures.acknowledged);
        let made = made.fold(u64::from(self.load.accounts), u64::saturating_add);
        problems.extend(self.verify(made)?);
        let [without, with, paused] = transfers.map(|figures| figures.summary());
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
            transfers_per_sec: without.transfers_per_sec,
            cached_transfers_per_sec: with.transfers_per_sec,
            paused_transfers_per_sec: paused.transfers_per_sec,
            trips,
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

    fn transfer(
        &mut self,
        with_cache: bool,
        length: Duration,
        figures: &mut Figures,
    ) -> Result<()> {
        let (callers, runtime) = (self.load.callers, self.runtime);
        let picker = Picker::new(self.load.pattern, self.load.accounts);
        let tally = Arc::new(Tally::default());
        let loaded = self.of(with_cache);
        runtime.block_on(loaded.run(callers, &picker, length, &tally, figures))
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

async fn until_up(redis: &Redis) {
    while !redis.is_up() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Report {
    /// Whether the books are right and nothing failed.
    pub(crate) fn is_verified(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "\n{}: {} callers, {} accounts, {} s\n",
            self.store, self.callers, self.accounts, self.seconds
        );
        if let Some(server) = &self.server {
            let _ = writeln!(text, "the server: {server}; its store's default pool of 8");
        }
        text.push_str("Redis: a private server, one multiplexed connection, 20 ms a call\n\n");
        let base = self.transfers_per_sec;
        let lines = [
            ("reads/s of the store alone", self.store_reads_per_sec, 1.0),
            (
                "reads/s through the cache",
                self.cached_reads_per_sec,
                ratio(self.cached_reads_per_sec, self.store_reads_per_sec),
            ),
            ("transfers/s without a cache", base, 1.0),
            (
                "transfers/s with the cache",
                self.cached_transfers_per_sec,
                ratio(self.cached_transfers_per_sec, base),
            ),
            (
                "transfers/s with Redis paused",
                self.paused_transfers_per_sec,
                ratio(self.paused_transfers_per_sec, base),
            ),
        ];
        for (what, figure, of) in lines {
            let _ = writeln!(text, "{what:<30} {figure:>10.0}  x {of:.2}");
        }
        let _ = writeln!(
            text,
            "hit ratio {:.4}, failed calls {}; p99 of reads: store {:.2} ms, cache {:.2} ms\n",
            self.hit_ratio, self.failures, self.store_read_p99_ms, self.cached_read_p99_ms
        );
        let Trips { ping_micros, .. } = self.trips;
        let trips = [
            ("PING", ping_micros),
            ("a script that does nothing", self.trips.nothing_micros),
            ("one limit", self.trips.one_limit_micros),
            ("three limits", self.trips.three_limits_micros),
            ("acquire a lock", self.trips.acquire_micros),
            ("renew a lease", self.trips.renew_micros),
        ];
        for (what, micros) in trips {
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

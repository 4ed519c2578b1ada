use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use wallet_sim::whole::whole;
use wallet_sim::{Counts, Report, explain, run as run_seed};

use crate::args::Cli;
use crate::clock;

/// The number of seeds that a thread takes at a time.
const CHUNK: u64 = 16;

/// The results of all seeds so far.
#[derive(Debug, Default)]
struct Sum {
    counts: Counts,
    seeds: u64,
    /// The least number of requests and faults of a seed.
    least: Option<(u64, u64)>,
    /// The hash of all traces, independent of the order in which they ran.
    hash: u64,
    failed: Vec<Report>,
}

impl Sum {
    fn add(&mut self, report: Report) {
        self.counts.add(&report.counts);
        self.seeds = self.seeds.saturating_add(1);
        self.hash ^= report
            .hash
            .rotate_left(u32::try_from(report.seed % 64).unwrap_or(0));
        let faults = report.counts.faults.saturating_add(report.counts.incidents);
        let requests = report.counts.requests;
        let least = self.least.unwrap_or((requests, faults));
        self.least = Some((least.0.min(requests), least.1.min(faults)));
        if !report.failures.is_empty() {
            self.failed.push(report);
        }
    }
}

/// Runs the seeds and prints their results. Returns whether all succeeded.
pub(crate) fn run(cli: &Cli) -> bool {
    let began = clock::now();
    let total = cli.seeds.end.saturating_sub(cli.seeds.start);
    let bar = bar(total);
    let next = AtomicU64::new(cli.seeds.start);
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..cli.threads {
            scope.spawn(|| work(cli, &next, &sum, &bar));
        }
    });
    bar.finish_and_clear();
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    print(&sum, micros);
    if let Some(first) = sum.failed.iter().min_by_key(|report| report.seed) {
        println!("\n{}", explain(&cli.scenario(), first, &whole()));
    }
    sum.failed.is_empty()
}

fn work(cli: &Cli, next: &AtomicU64, sum: &Mutex<Sum>, bar: &ProgressBar) {
    let (scenario, harness) = (cli.scenario(), whole());
    loop {
        let from = next.fetch_add(CHUNK, Ordering::Relaxed);
        if from >= cli.seeds.end {
            return;
        }
        for seed in from..from.saturating_add(CHUNK).min(cli.seeds.end) {
            let report = run_seed(&scenario, seed, &harness);
            if cli.trace {
                println!("{}", report.trace);
            }
            bar.inc(1);
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.add(report);
            if !sum.failed.is_empty() {
                // The first failure is enough.
                next.store(cli.seeds.end, Ordering::Relaxed);
                return;
            }
        }
    }
}

pub(crate) fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = "{wide_bar} {pos}/{len} {per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// The average per run, rounded down.
fn per(sum: u64, count: u64) -> u64 {
    sum.checked_div(count).unwrap_or(0)
}

fn print(sum: &Sum, micros: u64) {
    let counts = &sum.counts;
    let rate = per(sum.seeds.saturating_mul(1_000_000), micros);
    let (requests, faults) = sum.least.unwrap_or_default();
    println!(
        "{} seeds in {} ms: {rate} a second, {} failed",
        sum.seeds,
        per(micros, 1_000),
        sum.failed.len()
    );
    println!("hash of all traces: {:016x}", sum.hash);
    println!("at least {requests} requests and {faults} faults a seed\n");
    println!("{:<34}{:>14}{:>10}", "", "all seeds", "each");
    for (name, count) in [
        ("requests of clients", counts.requests),
        ("attempts", counts.attempts),
        ("without a definite answer", counts.unknown),
        ("reads of balances", counts.reads),
        ("requests decided", counts.decided),
        ("replays", counts.replayed),
        ("calls that went wrong", counts.faults),
        ("kills, clocks, leases and the like", counts.incidents),
        ("effects committed", counts.effects),
        ("effects seen by the consumer", counts.consumed),
        ("entries committed", counts.entries),
        ("entries in history", counts.history),
        ("steps of tasks", counts.steps),
    ] {
        println!("{name:<34}{count:>14}{:>10}", per(count, sum.seeds));
    }
}

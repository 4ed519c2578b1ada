use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use wallet_sim::whole::whole;
use wallet_sim::{Bug, Scenario, run as run_seed};

use crate::args::Cli;
use crate::seeds::bar;

/// The detection of a bug: the number of seeds that each sample needed.
#[derive(Debug)]
struct Shown {
    bug: Bug,
    seeds: Vec<Option<u64>>,
    by: String,
}

/// Measures how soon each bug is detected, and prints the table. Returns whether
/// all bugs are detected within the given seeds.
pub(crate) fn run(cli: &Cli) -> bool {
    let bugs: Vec<Bug> = match cli.bug {
        Some(bug) => vec![bug],
        None => Bug::ALL.to_vec(),
    };
    let bar = bar(u64::try_from(bugs.len()).unwrap_or(u64::MAX));
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cli.threads {
            scope.spawn(|| {
                while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let shown = find(cli, *bug);
                    bar.inc(1);
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(shown);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|shown| Bug::ALL.iter().position(|bug| *bug == shown.bug));
    println!("| bug | median of seeds | most | shown by |");
    println!("|---|---:|---:|---|");
    for shown in &all {
        let mut counts = shown.seeds.clone();
        counts.sort_by_key(|count| count.unwrap_or(u64::MAX));
        let text = |count: Option<&Option<u64>>| {
            let count = count.copied().flatten();
            count.map_or_else(|| "not shown".to_owned(), |count| count.to_string())
        };
        let median = text(counts.get(counts.len() / 2));
        let most = text(counts.last());
        println!("| {:?} | {median} | {most} | {} |", shown.bug, shown.by);
    }
    all.iter()
        .all(|shown| shown.seeds.iter().all(Option::is_some))
}

fn find(cli: &Cli, bug: Bug) -> Shown {
    let (scenario, harness) = (Scenario::standard().with_bug(Some(bug)), whole());
    let most = cli.seeds.end.saturating_sub(cli.seeds.start);
    let mut by = String::new();
    let mut seeds = Vec::new();
    for sample in 0..cli.samples.max(1) {
        let from = cli.seeds.start.saturating_add(sample.saturating_mul(most));
        let mut found = None;
        for count in 0..most {
            let report = run_seed(&scenario, from.saturating_add(count), &harness);
            if let Some(failure) = report.failures.first() {
                found = Some(count.saturating_add(1));
                by = failure
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(60)
                    .collect();
                break;
            }
        }
        seeds.push(found);
    }
    Shown { bug, seeds, by }
}

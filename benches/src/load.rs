//! One run: prepare, warm up, measure in turns, verify.

mod limit;
mod naive;
mod wallet;

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::Result;
use crate::args::Load;
use crate::baseline::{Checked, Sweep};
use crate::measure::{Figures, per};
use crate::pattern::Picker;
use crate::store::Site;
use crate::work::{Each, Work};
use limit::LimitSide;
use naive::NaiveSide;
use wallet::WalletSide;

/// The most turns of each contender.
const TURNS_MAX: u32 = 4;

/// The figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    /// The configuration of the server, if there is one.
    pub(crate) server: Option<String>,
    pub(crate) wallet: Measured,
    /// The wallet on tables of another size.
    pub(crate) beside: Option<Measured>,
    /// Deadlocks while the wallet was measured, over all its turns; `None` if deadlocks
    /// are impossible.
    pub(crate) deadlocks: Option<u64>,
    /// The processor time of a wallet's transfer; `None` without a server.
    pub(crate) each: Option<Each>,
    /// How many requests shared a transaction, on average.
    pub(crate) batch: f64,
    pub(crate) baseline: Option<Measured>,
    /// The baseline's throughput by number of callers.
    pub(crate) sweep: Option<Sweep>,
    pub(crate) bulk_limit: Option<Measured>,
}

impl Report {
    /// All measurements.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Measured> {
        let others = [&self.beside, &self.baseline, &self.bulk_limit];
        std::iter::once(&self.wallet).chain(others.into_iter().flatten())
    }
}

/// The figures of one contender.
#[derive(Debug)]
pub(crate) struct Measured {
    /// The contender's name, for the table.
    pub(crate) name: String,
    pub(crate) figures: Figures,
    /// Growth of the files per transfer; `None` without files.
    pub(crate) bytes_per_transfer: Option<f64>,
    /// All errors: first of the answers, then of the books.
    pub(crate) problems: Vec<String>,
}

impl Measured {
    /// Whether every answer was as expected and the books are right.
    pub(crate) fn is_verified(&self) -> bool {
        self.problems.is_empty()
    }
}

/// The location of the stores and the lengths of the phases.
struct Plan<'r> {
    load: Load,
    runtime: &'r Runtime,
    site: Site,
    picker: Picker,
    warm_up: Duration,
    turns: u32,
    turn: Duration,
}

impl<'r> Plan<'r> {
    fn new(load: &Load, runtime: &'r Runtime) -> Result<Self> {
        let measured = load.measured();
        let turns = load.seconds.clamp(2, TURNS_MAX);
        Ok(Self {
            load: load.clone(),
            runtime,
            site: Site::prepare(load)?,
            picker: Picker::new(load.pattern, load.accounts),
            warm_up: part(measured, turns).min(Duration::from_secs(1)),
            turns,
            turn: part(measured, turns),
        })
    }

    fn deadlocks(&self) -> Result<Option<u64>> {
        self.site.deadlocks(self.runtime)
    }
}

/// Runs the load. The contenders take turns: four turns of a quarter of the time each, so
/// that a disturbance of the machine affects all of them. Only the wallet's part is
/// asynchronous; a baseline has a thread for each caller.
pub(crate) fn run(load: &Load, runtime: &Runtime) -> Result<Report> {
    let plan = Plan::new(load, runtime)?;
    let mut wallet = WalletSide::prepare(&plan, load.accounts)?;
    let beside = load.beside;
    let beside = beside.map(|accounts| WalletSide::prepare(&plan, accounts));
    let mut beside = beside.transpose()?;
    wallet.warm_up(&plan)?;
    if let Some(beside) = &mut beside {
        beside.warm_up(&plan)?;
    }
    let mut naive = if load.baseline {
        Some(NaiveSide::prepare(&plan)?)
    } else {
        None
    };
    let mut limit = if load.bulk_limit {
        Some(LimitSide::prepare(&plan)?)
    } else {
        None
    };
    wallet.begin();
    let mut deadlocks = Some(0);
    let mut work = Work::default();
    for _ in 0..plan.turns {
        let before = plan.deadlocks()?;
        let begin = plan.site.meter()?;
        wallet.turn(&plan)?;
        if let Some((begin, end)) = begin.zip(plan.site.meter()?) {
            work.add(begin, end);
        }
        let since = plan.deadlocks()?.zip(before);
        let since = since.map(|(after, before)| after.saturating_sub(before));
        deadlocks = deadlocks
            .zip(since)
            .map(|(sum, more): (u64, u64)| sum.saturating_add(more));
        if let Some(beside) = &mut beside {
            beside.turn(&plan)?;
        }
        if let Some(naive) = &mut naive {
            naive.turn(&plan)?;
        }
        if let Some(limit) = &mut limit {
            limit.turn(&plan)?;
        }
    }
    let (naive, sweep) = naive.map(NaiveSide::finish).transpose()?.unzip();
    let batch = wallet.batch();
    let each = plan.site.profile().map(|_| work.each(wallet.made()));
    Ok(Report {
        server: plan.site.profile().map(str::to_owned),
        wallet: wallet.finish(&plan)?,
        beside: beside.map(|side| side.finish(&plan)).transpose()?,
        deadlocks,
        each,
        batch,
        baseline: naive,
        sweep,
        bulk_limit: limit.map(LimitSide::finish).transpose()?,
    })
}

/// The problems of books that should have this many transfers.
fn checked(checked: Checked, transfers: u64) -> Vec<String> {
    let mut problems = checked.problems;
    if checked.transfers != transfers {
        let found = checked.transfers;
        problems.push(format!(
            "{transfers} transfers were made, there are {found}"
        ));
    }
    problems
}

/// Refusals and failures: every account has funds for all, so none is expected.
fn unexpected(figures: &[&Figures]) -> Vec<String> {
    let mut problems = Vec::new();
    for figures in figures {
        if let Some(problem) = &figures.problem {
            problems.push(format!(
                "{} refused, {} failed; the first: {problem}",
                figures.refused, figures.errors
            ));
        }
    }
    problems
}

/// One of `parts` equal parts.
fn part(whole: Duration, parts: u32) -> Duration {
    whole.checked_div(parts).unwrap_or(whole)
}

fn growth(before: Option<u64>, after: Option<u64>, transfers: u64) -> Option<f64> {
    let (before, after) = before.zip(after)?;
    Some(per(after.saturating_sub(before), transfers))
}

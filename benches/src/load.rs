//! One run: prepare, warm up, measure in turns, verify.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::args::Load;
use crate::baseline::{self, Baseline, Checked, Limit, Sweep};
use crate::measure::{Figures, Tally, per};
use crate::pattern::Picker;
use crate::progress::Progress;
use crate::store::{Site, Subject};
use crate::wallet::{self, Counts, Loaded};
use crate::{Result, bulk_limit, verify};

/// The most turns that each of those who are compared gets.
const TURNS_MAX: u32 = 4;

/// Everything that a run found.
#[derive(Debug)]
pub(crate) struct Report {
    /// How the server is set up, where there is one.
    pub(crate) server: Option<String>,
    pub(crate) wallet: Measured,
    /// How many requests shared a transaction, on average.
    pub(crate) batch: f64,
    pub(crate) baseline: Option<Measured>,
    /// What the baseline did with how many callers.
    pub(crate) sweep: Option<Sweep>,
    pub(crate) bulk_limit: Option<Measured>,
}

impl Report {
    /// Everything that was measured.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Measured> {
        let others = [&self.baseline, &self.bulk_limit];
        std::iter::once(&self.wallet).chain(others.into_iter().flatten())
    }
}

/// What one of those who are compared did.
#[derive(Debug)]
pub(crate) struct Measured {
    /// What it is, for the table.
    pub(crate) name: String,
    pub(crate) figures: Figures,
    /// Growth of its files per transfer; `None` where it has none.
    pub(crate) bytes_per_transfer: Option<f64>,
    /// Everything that was wrong: with the answers, then with the books.
    pub(crate) problems: Vec<String>,
}

impl Measured {
    /// Whether every answer was as expected and the books are right.
    pub(crate) fn is_verified(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Where the stores are and how long things take.
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
}

/// Runs the load. Those who are compared take turns: a quarter of the time
/// each, four times, so that a noisy neighbour meets all of them. Only the
/// wallet's part is asynchronous; a baseline has a thread for each caller.
pub(crate) fn run(load: &Load, runtime: &Runtime) -> Result<Report> {
    let plan = Plan::new(load, runtime)?;
    let mut wallet = WalletSide::prepare(&plan)?;
    wallet.warm_up(&plan)?;
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
    for _ in 0..plan.turns {
        wallet.turn(&plan)?;
        if let Some(naive) = &mut naive {
            naive.turn(&plan)?;
        }
        if let Some(limit) = &mut limit {
            limit.turn(&plan)?;
        }
    }
    let (naive, sweep) = naive.map(NaiveSide::finish).transpose()?.unzip();
    let batch = wallet.batch();
    Ok(Report {
        server: plan.site.profile().map(str::to_owned),
        wallet: wallet.finish(&plan)?,
        batch,
        baseline: naive,
        sweep,
        bulk_limit: limit.map(LimitSide::finish).transpose()?,
    })
}

/// The wallet's part of a run.
struct WalletSide {
    subject: Box<dyn Subject>,
    loaded: Loaded,
    bytes_before: Option<u64>,
    before: Counts,
    warm_up: Figures,
    figures: Figures,
}

impl WalletSide {
    fn prepare(plan: &Plan<'_>) -> Result<Self> {
        let load = &plan.load;
        let subject = plan.site.open(plan.runtime)?;
        let mut ledgers = vec![subject.ledger()];
        for _ in 1..load.wallets {
            ledgers.extend(subject.another(plan.runtime)?);
        }
        let tally = Arc::new(Tally::default());
        let total = u64::from(load.accounts).saturating_mul(2);
        let bar = Progress::of_count("wallet: accounts", total, &tally);
        let loaded = Loaded::prepare(ledgers, load, &tally);
        let loaded = plan.runtime.block_on(loaded)?;
        drop(bar);
        let bytes_before = subject.bytes()?;
        let before = loaded.counts();
        Ok(Self {
            subject,
            loaded,
            bytes_before,
            before,
            warm_up: Figures::new()?,
            figures: Figures::new()?,
        })
    }

    fn warm_up(&mut self, plan: &Plan<'_>) -> Result<()> {
        let (callers, tally) = (plan.load.callers, Arc::new(Tally::default()));
        let _bar = Progress::of_time("wallet: warm-up", plan.warm_up, &tally);
        let loaded = &mut self.loaded;
        let figures = &mut self.warm_up;
        let run = loaded.run(callers, &plan.picker, plan.warm_up, &tally, figures);
        plan.runtime.block_on(run)
    }

    /// Measures from here on.
    fn begin(&mut self) {
        self.before = self.loaded.counts();
    }

    fn turn(&mut self, plan: &Plan<'_>) -> Result<()> {
        let (callers, tally) = (plan.load.callers, Arc::new(Tally::default()));
        let _bar = Progress::of_time("wallet", plan.turn, &tally);
        let loaded = &mut self.loaded;
        let figures = &mut self.figures;
        let run = loaded.run(callers, &plan.picker, plan.turn, &tally, figures);
        plan.runtime.block_on(run)
    }

    fn batch(&self) -> f64 {
        self.loaded.counts().mean_batch(self.before)
    }

    fn finish(self, plan: &Plan<'_>) -> Result<Measured> {
        let Self {
            subject,
            mut loaded,
            warm_up,
            figures,
            ..
        } = self;
        let _bar = Progress::waiting("wallet: verifying");
        plan.runtime.block_on(loaded.shutdown());
        let made = warm_up.acknowledged.saturating_add(figures.acknowledged);
        let bytes_per_transfer = growth(self.bytes_before, subject.bytes()?, made);
        let mut problems = unexpected(&[&warm_up, &figures]);
        fastrand::shuffle(&mut loaded.sample);
        loaded.sample.truncate(wallet::SAMPLE);
        let transfers = made.saturating_add(u64::from(plan.load.accounts));
        let store = subject.ledger();
        let books = verify::books(store.as_ref(), transfers, &loaded.sample);
        problems.extend(plan.runtime.block_on(books)?);
        Ok(Measured {
            name: name(&plan.load),
            figures,
            bytes_per_transfer,
            problems,
        })
    }
}

fn name(load: &Load) -> String {
    let Load {
        callers, wallets, ..
    } = load;
    match wallets {
        1 => format!("wallet, {callers} callers"),
        wallets => format!("{wallets} wallets, {callers} callers"),
    }
}

/// The baseline's part of a run.
struct NaiveSide {
    store: Box<dyn Baseline>,
    funded: u64,
    bytes_before: Option<u64>,
    sweep: Sweep,
    figures: Figures,
}

impl NaiveSide {
    fn prepare(plan: &Plan<'_>) -> Result<Self> {
        let accounts = plan.load.accounts;
        let store = plan.site.open_baseline(accounts, plan.runtime)?;
        let tally = Arc::new(Tally::default());
        let bar = Progress::of_count("baseline: accounts", u64::from(accounts), &tally);
        baseline::fund(store.as_ref(), accounts, &tally)?;
        drop(bar);
        let bytes_before = store.bytes()?;
        let callers = plan.load.callers;
        let sweep = baseline::sweep(store.as_ref(), callers, &plan.picker, plan.warm_up)?;
        Ok(Self {
            store,
            funded: u64::from(accounts),
            bytes_before,
            sweep,
            figures: Figures::new()?,
        })
    }

    fn turn(&mut self, plan: &Plan<'_>) -> Result<()> {
        let tally = Arc::new(Tally::default());
        let _bar = Progress::of_time("baseline", plan.turn, &tally);
        let (store, shape) = (self.store.as_ref(), self.sweep.best);
        let figures = &mut self.figures;
        baseline::run(store, shape, &plan.picker, plan.turn, &tally, figures)
    }

    fn finish(self) -> Result<(Measured, Sweep)> {
        let _bar = Progress::waiting("baseline: verifying");
        let made = self.sweep.figures.acknowledged;
        let made = made.saturating_add(self.figures.acknowledged);
        let bytes_per_transfer = growth(self.bytes_before, self.store.bytes()?, made);
        let mut problems = unexpected(&[&self.sweep.figures, &self.figures]);
        let expected = made.saturating_add(self.funded);
        problems.extend(checked(self.store.check()?, expected));
        let (what, shape) = (self.store.describe(), self.sweep.best);
        let measured = Measured {
            name: format!("baseline: {what}, {shape}"),
            figures: self.figures,
            bytes_per_transfer,
            problems,
        };
        Ok((measured, self.sweep))
    }
}

/// The upper bound's part of a run.
struct LimitSide {
    store: Box<dyn Limit>,
    batch: u32,
    /// With how many it does most.
    writers: u32,
    before: u64,
    bytes_before: Option<u64>,
    warm_up: Figures,
    figures: Figures,
}

impl LimitSide {
    fn prepare(plan: &Plan<'_>) -> Result<Self> {
        let store = plan.site.open_limit(plan.load.accounts, plan.runtime)?;
        let mut side = Self {
            before: store.check()?.transfers,
            bytes_before: store.bytes()?,
            store,
            batch: plan.load.batch(),
            writers: 1,
            warm_up: Figures::new()?,
            figures: Figures::new()?,
        };
        let mut most = 0;
        for writers in side.store.writers() {
            let before = side.warm_up.counted();
            side.run(plan, *writers, plan.warm_up, true)?;
            let made = side.warm_up.counted().saturating_sub(before);
            if made > most {
                (most, side.writers) = (made, *writers);
            }
        }
        Ok(side)
    }

    fn turn(&mut self, plan: &Plan<'_>) -> Result<()> {
        self.run(plan, self.writers, plan.turn, false)
    }

    fn run(
        &mut self,
        plan: &Plan<'_>,
        writers: u32,
        length: Duration,
        is_warm_up: bool,
    ) -> Result<()> {
        let tally = Arc::new(Tally::default());
        let _bar = Progress::of_time("bulk limit", length, &tally);
        let shape = bulk_limit::Shape {
            writers,
            batch: self.batch,
        };
        let figures = if is_warm_up {
            &mut self.warm_up
        } else {
            &mut self.figures
        };
        bulk_limit::run(
            self.store.as_ref(),
            shape,
            &plan.picker,
            length,
            &tally,
            figures,
        )
    }

    fn finish(self) -> Result<Measured> {
        let _bar = Progress::waiting("bulk limit: verifying");
        let made = self.warm_up.acknowledged;
        let made = made.saturating_add(self.figures.acknowledged);
        let mut problems = unexpected(&[&self.warm_up, &self.figures]);
        let expected = made.saturating_add(self.before);
        problems.extend(checked(self.store.check()?, expected));
        let (batch, writers) = (self.batch, self.writers);
        Ok(Measured {
            name: format!("bulk limit: batches of {batch}, writers: {writers}"),
            bytes_per_transfer: growth(self.bytes_before, self.store.bytes()?, made),
            figures: self.figures,
            problems,
        })
    }
}

/// What is wrong with books that should have so many transfers.
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

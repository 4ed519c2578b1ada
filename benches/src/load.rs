//! One run: prepare, warm up, measure in turns, verify.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::args::Load;
use crate::baseline::{self, Baseline, Bulk, Sweep};
use crate::measure::{Figures, Tally, per};
use crate::pattern::Picker;
use crate::progress::Progress;
use crate::store::Subject;
use crate::wallet::{self, Loaded};
use crate::{Result, bulk_limit, verify};

/// The most turns that each of those who are compared gets.
const TURNS_MAX: u32 = 4;

/// Everything that a run found.
#[derive(Debug)]
pub(crate) struct Report {
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

/// Where the files go and how long things take.
struct Plan {
    load: Load,
    folder: tempfile::TempDir,
    picker: Picker,
    warm_up: Duration,
    turns: u32,
    turn: Duration,
}

impl Plan {
    fn new(load: &Load) -> Result<Self> {
        std::fs::create_dir_all(&load.folder)?;
        let folder = tempfile::Builder::new()
            .prefix("load-")
            .tempdir_in(&load.folder)?;
        let measured = load.measured();
        let turns = load.seconds.clamp(2, TURNS_MAX);
        Ok(Self {
            load: load.clone(),
            folder,
            picker: Picker::new(load.pattern, load.accounts),
            warm_up: part(measured, turns).min(Duration::from_secs(1)),
            turns,
            turn: part(measured, turns),
        })
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder)?;
        Ok(folder)
    }
}

/// Runs the load. Those who are compared take turns: a quarter of the time
/// each, four times, so that a noisy neighbour meets all of them.
pub(crate) async fn run(load: &Load) -> Result<Report> {
    let plan = Plan::new(load)?;
    let mut wallet = WalletSide::prepare(&plan).await?;
    wallet.warm_up(&plan).await?;
    let mut naive = if load.baseline {
        Some(NaiveSide::prepare(&plan)?)
    } else {
        None
    };
    let limit_store = if load.bulk_limit {
        Some(open_naive(&plan, "bulk-limit")?)
    } else {
        None
    };
    let mut limit = match limit_store.as_deref() {
        Some(store) => Some(LimitSide::prepare(store, &plan, wallet.batch())?),
        None => None,
    };
    wallet.begin();
    for _ in 0..plan.turns {
        wallet.turn(&plan).await?;
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
        wallet: wallet.finish(&plan).await?,
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
    before: wallet_core::StatsSnapshot,
    warm_up: Figures,
    figures: Figures,
}

impl WalletSide {
    async fn prepare(plan: &Plan) -> Result<Self> {
        let load = &plan.load;
        let subject = load.store.open(&plan.folder("wallet")?)?;
        let tally = Arc::new(Tally::default());
        let total = u64::from(load.accounts).saturating_mul(2);
        let bar = Progress::of_count("wallet: accounts", total, &tally);
        let loaded = Loaded::prepare(subject.as_ref(), load.callers, load.accounts, &tally).await?;
        drop(bar);
        let bytes_before = subject.bytes()?;
        let before = loaded.wallet.stats();
        Ok(Self {
            subject,
            loaded,
            bytes_before,
            before,
            warm_up: Figures::new()?,
            figures: Figures::new()?,
        })
    }

    async fn warm_up(&mut self, plan: &Plan) -> Result<()> {
        let (callers, tally) = (plan.load.callers, Arc::new(Tally::default()));
        let _bar = Progress::of_time("wallet: warm-up", plan.warm_up, &tally);
        let loaded = &mut self.loaded;
        let figures = &mut self.warm_up;
        let run = loaded.run(callers, &plan.picker, plan.warm_up, &tally, figures);
        run.await
    }

    /// Measures from here on.
    fn begin(&mut self) {
        self.before = self.loaded.wallet.stats();
    }

    async fn turn(&mut self, plan: &Plan) -> Result<()> {
        let (callers, tally) = (plan.load.callers, Arc::new(Tally::default()));
        let _bar = Progress::of_time("wallet", plan.turn, &tally);
        let loaded = &mut self.loaded;
        let figures = &mut self.figures;
        let run = loaded.run(callers, &plan.picker, plan.turn, &tally, figures);
        run.await
    }

    fn batch(&self) -> f64 {
        self.loaded.mean_batch(self.before)
    }

    async fn finish(self, plan: &Plan) -> Result<Measured> {
        let Self {
            subject,
            mut loaded,
            warm_up,
            figures,
            ..
        } = self;
        let _bar = Progress::waiting("wallet: verifying");
        loaded.wallet.shutdown().await;
        let made = warm_up.acknowledged.saturating_add(figures.acknowledged);
        let bytes_per_transfer = growth(self.bytes_before, subject.bytes()?, made);
        let mut problems = unexpected(&[&warm_up, &figures]);
        fastrand::shuffle(&mut loaded.sample);
        loaded.sample.truncate(wallet::SAMPLE);
        let transfers = made.saturating_add(u64::from(plan.load.accounts));
        let store = subject.ledger();
        problems.extend(verify::books(store.as_ref(), transfers, &loaded.sample).await?);
        Ok(Measured {
            name: format!("wallet, {} callers", plan.load.callers),
            figures,
            bytes_per_transfer,
            problems,
        })
    }
}

/// A naive ledger with its accounts funded.
fn open_naive(plan: &Plan, name: &'static str) -> Result<Box<dyn Baseline>> {
    let load = &plan.load;
    let folder = plan.folder(name)?;
    let store = load.store.open_baseline(&folder, load.accounts)?;
    let tally = Arc::new(Tally::default());
    let _bar = Progress::of_count("baseline: accounts", u64::from(load.accounts), &tally);
    baseline::fund(store.as_ref(), load.accounts, &tally)?;
    Ok(store)
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
    fn prepare(plan: &Plan) -> Result<Self> {
        let store = open_naive(plan, "baseline")?;
        let bytes_before = store.bytes()?;
        let callers = plan.load.callers;
        let sweep = baseline::sweep(store.as_ref(), callers, &plan.picker, plan.warm_up)?;
        Ok(Self {
            store,
            funded: u64::from(plan.load.accounts),
            bytes_before,
            sweep,
            figures: Figures::new()?,
        })
    }

    fn turn(&mut self, plan: &Plan) -> Result<()> {
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
        problems.extend(check(
            self.store.as_ref(),
            made.saturating_add(self.funded),
        )?);
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
struct LimitSide<'a> {
    store: &'a dyn Baseline,
    bulk: Box<dyn Bulk + 'a>,
    batch: u32,
    funded: u64,
    bytes_before: Option<u64>,
    figures: Figures,
}

impl<'a> LimitSide<'a> {
    fn prepare(store: &'a dyn Baseline, plan: &Plan, batch: f64) -> Result<Self> {
        let batch = crate::measure::whole(batch).max(1);
        Ok(Self {
            store,
            bytes_before: store.bytes()?,
            bulk: store.bulk()?,
            batch,
            funded: u64::from(plan.load.accounts),
            figures: Figures::new()?,
        })
    }

    fn turn(&mut self, plan: &Plan) -> Result<()> {
        let tally = Arc::new(Tally::default());
        let _bar = Progress::of_time("bulk limit", plan.turn, &tally);
        let (bulk, figures) = (self.bulk.as_mut(), &mut self.figures);
        bulk_limit::run(bulk, self.batch, &plan.picker, plan.turn, &tally, figures)
    }

    fn finish(self) -> Result<Measured> {
        let _bar = Progress::waiting("bulk limit: verifying");
        drop(self.bulk);
        let made = self.figures.acknowledged;
        let mut problems = unexpected(&[&self.figures]);
        problems.extend(check(self.store, made.saturating_add(self.funded))?);
        Ok(Measured {
            name: format!("bulk limit: batches of {}, no logic", self.batch),
            bytes_per_transfer: growth(self.bytes_before, self.store.bytes()?, made),
            figures: self.figures,
            problems,
        })
    }
}

/// What is wrong with a naive ledger's books.
fn check(store: &dyn Baseline, transfers: u64) -> Result<Vec<String>> {
    let checked = store.check()?;
    let mut problems = checked.problems;
    if checked.transfers != transfers {
        let found = checked.transfers;
        problems.push(format!(
            "{transfers} transfers were made, there are {found}"
        ));
    }
    Ok(problems)
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

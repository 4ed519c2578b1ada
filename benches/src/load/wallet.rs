//! The wallet's part of a run.

use std::sync::Arc;

use wallet_core::store::CommitSignal;

use super::{Measured, Plan, growth, unexpected};
use crate::args::Load;
use crate::measure::{Figures, Tally};
use crate::pattern::Picker;
use crate::progress::Progress;
use crate::store::Subject;
use crate::wallet::{self, Counts, Loaded};
use crate::{Result, verify};

/// The wallet's part of a run.
pub(super) struct WalletSide {
    accounts: u32,
    picker: Picker,
    subject: Box<dyn Subject>,
    loaded: Loaded,
    bytes_before: Option<u64>,
    before: Counts,
    warm_up: Figures,
    figures: Figures,
}

impl WalletSide {
    /// Opens and funds this many accounts.
    pub(super) fn prepare(plan: &Plan<'_>, accounts: u32) -> Result<Self> {
        let load = &plan.load;
        let name = format!("ledger_{accounts}");
        let subject = plan.site.open(&name, plan.runtime)?;
        let mut ledgers = vec![subject.ledger()];
        for _ in 1..load.wallets {
            ledgers.extend(subject.another(plan.runtime)?);
        }
        let tally = Arc::new(Tally::default());
        let total = u64::from(accounts).saturating_mul(2);
        let bar = Progress::of_count("wallet: accounts", total, &tally);
        let loaded = Loaded::prepare(ledgers, load, accounts, CommitSignal::default(), &tally);
        let mut loaded = plan.runtime.block_on(loaded)?;
        if load.in_transaction {
            let host = subject.transactions();
            plan.runtime.block_on(loaded.in_transactions(host))?;
        }
        drop(bar);
        let bytes_before = subject.bytes()?;
        let before = loaded.counts();
        Ok(Self {
            accounts,
            picker: Picker::new(load.pattern, accounts),
            subject,
            loaded,
            bytes_before,
            before,
            warm_up: Figures::new()?,
            figures: Figures::new()?,
        })
    }

    pub(super) fn warm_up(&mut self, plan: &Plan<'_>) -> Result<()> {
        let (callers, tally) = (plan.load.callers, Arc::new(Tally::default()));
        let _bar = Progress::of_time("wallet: warm-up", plan.warm_up, &tally);
        let loaded = &mut self.loaded;
        let figures = &mut self.warm_up;
        let run = loaded.run(callers, &self.picker, plan.warm_up, &tally, figures);
        plan.runtime.block_on(run)
    }

    /// Starts the measurement.
    pub(super) fn begin(&mut self) {
        self.before = self.loaded.counts();
    }

    pub(super) fn turn(&mut self, plan: &Plan<'_>) -> Result<()> {
        let (callers, tally) = (plan.load.callers, Arc::new(Tally::default()));
        let _bar = Progress::of_time("wallet", plan.turn, &tally);
        let loaded = &mut self.loaded;
        let figures = &mut self.figures;
        let run = loaded.run(callers, &self.picker, plan.turn, &tally, figures);
        plan.runtime.block_on(run)
    }

    /// How many transfers were made in its turns.
    pub(super) fn made(&self) -> u64 {
        self.figures.acknowledged
    }

    pub(super) fn batch(&self) -> f64 {
        self.loaded.counts().mean_batch(self.before)
    }

    pub(super) fn finish(self, plan: &Plan<'_>) -> Result<Measured> {
        let Self {
            accounts,
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
        let transfers = made.saturating_add(u64::from(accounts));
        let store = subject.ledger();
        problems.extend(plan.runtime.block_on(async {
            if plan.load.sampled {
                verify::sample(store.as_ref(), transfers, &loaded.sample).await
            } else {
                verify::books(store.as_ref(), transfers, &loaded.sample).await
            }
        })?);
        Ok(Measured {
            name: name(&plan.load, accounts),
            figures,
            bytes_per_transfer,
            problems,
        })
    }
}

fn name(load: &Load, accounts: u32) -> String {
    let Load {
        callers, wallets, ..
    } = load;
    let of = load.beside.map(|_| format!(", {accounts} accounts"));
    let of = of.unwrap_or_default();
    match wallets {
        1 if load.in_transaction => format!("transactions of a host, {callers} callers{of}"),
        1 => format!("wallet, {callers} callers{of}"),
        wallets => format!("{wallets} wallets, {callers} callers{of}"),
    }
}

//! The baseline's part of a run.

use std::sync::Arc;

use super::{Measured, Plan, checked, growth, unexpected};
use crate::Result;
use crate::baseline::{self, Baseline, Sweep};
use crate::measure::{Figures, Tally};
use crate::progress::Progress;

/// The baseline's part of a run.
pub(super) struct NaiveSide {
    store: Box<dyn Baseline>,
    funded: u64,
    bytes_before: Option<u64>,
    sweep: Sweep,
    figures: Figures,
}

impl NaiveSide {
    pub(super) fn prepare(plan: &Plan<'_>) -> Result<Self> {
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

    pub(super) fn turn(&mut self, plan: &Plan<'_>) -> Result<()> {
        let tally = Arc::new(Tally::default());
        let _bar = Progress::of_time("baseline", plan.turn, &tally);
        let (store, shape) = (self.store.as_ref(), self.sweep.best);
        let figures = &mut self.figures;
        baseline::run(store, shape, &plan.picker, plan.turn, &tally, figures)
    }

    pub(super) fn finish(self) -> Result<(Measured, Sweep)> {
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

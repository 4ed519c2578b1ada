//! The upper bound's part of a run.

use std::sync::Arc;
use std::time::Duration;

use super::{Measured, Plan, checked, growth, unexpected};
use crate::baseline::Limit;
use crate::measure::{Figures, Tally};
use crate::progress::Progress;
use crate::{Result, bulk_limit};

/// The upper bound's part of a run.
pub(super) struct LimitSide {
    store: Box<dyn Limit>,
    batch: u32,
    /// The number of writers with the highest throughput.
    writers: u32,
    before: u64,
    bytes_before: Option<u64>,
    warm_up: Figures,
    figures: Figures,
}

impl LimitSide {
    pub(super) fn prepare(plan: &Plan<'_>) -> Result<Self> {
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

    pub(super) fn turn(&mut self, plan: &Plan<'_>) -> Result<()> {
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

    pub(super) fn finish(self) -> Result<Measured> {
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

//! The measurements: latencies, throughput over time, errors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Result;
use crate::clock::Window;

/// The step of throughput over time: many batches each.
pub(crate) const STEP: Duration = Duration::from_millis(250);
/// The longest latency that is distinguished, in tenths of a microsecond: 400 seconds.
const LONGEST: u64 = 4_000_000_000;

/// The measurements of one caller in one window. Recording takes a few nanoseconds and
/// touches only the caller's memory; the sums are made afterwards.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// In tenths of a microsecond.
    latencies: Vec<u32>,
    /// Transfers per step.
    steps: Vec<u32>,
    /// Transfers that were acknowledged, those after the window too.
    acknowledged: u64,
    refused: u64,
    errors: u64,
    problem: Option<String>,
}

impl Log {
    /// Records a transfer that was acknowledged at `end`.
    pub(crate) fn acknowledged(&mut self, window: &Window, begin: Instant, end: Instant) {
        self.acknowledged = self.acknowledged.saturating_add(1);
        let Some(offset) = window.offset(end) else {
            return;
        };
        let nanos = end.saturating_duration_since(begin).as_nanos();
        let tenths = nanos.checked_div(100).unwrap_or(0);
        self.latencies
            .push(u32::try_from(tenths).unwrap_or(u32::MAX));
        let step = offset.as_millis().checked_div(STEP.as_millis());
        let step = usize::try_from(step.unwrap_or(0)).unwrap_or(0);
        if self.steps.len() <= step {
            self.steps.resize(step.saturating_add(1), 0);
        }
        if let Some(count) = self.steps.get_mut(step) {
            *count = count.saturating_add(1);
        }
    }

    /// Records a transfer that was refused.
    pub(crate) fn refused(&mut self, why: &dyn std::fmt::Display) {
        self.refused = self.refused.saturating_add(1);
        self.problem
            .get_or_insert_with(|| format!("refused: {why}"));
    }

    /// Records a transfer that failed.
    pub(crate) fn failed(&mut self, why: &dyn std::fmt::Display) {
        self.errors = self.errors.saturating_add(1);
        self.problem.get_or_insert_with(|| format!("failed: {why}"));
    }
}

/// The measurements of all callers, in all windows so far.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Latencies in tenths of a microsecond.
    latencies: Histogram<u64>,
    /// Transfers per [`STEP`], the windows one after the other.
    pub(crate) steps: Vec<u64>,
    /// The total length of the windows.
    pub(crate) measured: Duration,
    /// Transfers acknowledged, including those outside the windows.
    pub(crate) acknowledged: u64,
    /// Transfers refused by a rule.
    pub(crate) refused: u64,
    /// Transfers that failed.
    pub(crate) errors: u64,
    /// The first error.
    pub(crate) problem: Option<String>,
}

impl Figures {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            latencies: Histogram::new_with_bounds(1, LONGEST, 3)?,
            steps: Vec::new(),
            measured: Duration::ZERO,
            acknowledged: 0,
            refused: 0,
            errors: 0,
            problem: None,
        })
    }

    /// Adds what the callers saw in one more window.
    pub(crate) fn add(&mut self, window: &Window, logs: Vec<Log>) {
        let steps = window.length().as_millis().div_ceil(STEP.as_millis());
        let first = self.steps.len();
        let steps = usize::try_from(steps).unwrap_or(0);
        self.steps.resize(first.saturating_add(steps), 0);
        self.measured = self.measured.saturating_add(window.length());
        for log in logs {
            for tenths in log.latencies {
                self.latencies.saturating_record(u64::from(tenths).max(1));
            }
            let sums = self.steps.iter_mut().skip(first);
            for (sum, count) in sums.zip(log.steps) {
                *sum = sum.saturating_add(u64::from(count));
            }
            self.acknowledged = self.acknowledged.saturating_add(log.acknowledged);
            self.refused = self.refused.saturating_add(log.refused);
            self.errors = self.errors.saturating_add(log.errors);
            self.problem = self.problem.take().or(log.problem);
        }
    }

    /// How many transfers were acknowledged within the windows.
    pub(crate) fn counted(&self) -> u64 {
        self.latencies.len()
    }

    /// Transfers per second, and latencies in milliseconds.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            transfers_per_sec: per_sec(self.counted(), self.measured),
            p50_ms: self.millis_at(0.50),
            p95_ms: self.millis_at(0.95),
            p99_ms: self.millis_at(0.99),
        }
    }

    /// The latency that `quantile` of the transfers did not exceed, in
    /// milliseconds.
    #[expect(
        clippy::float_arithmetic,
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "figures for people"
    )]
    pub(crate) fn millis_at(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 10_000.0
    }
}

/// The figures that are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) transfers_per_sec: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
}

/// `part` per `whole`; 0 of nothing.
#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
pub(crate) fn per(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// `count` within `length`, per second.
#[expect(clippy::float_arithmetic, reason = "figures for people")]
pub(crate) fn per_sec(count: u64, length: Duration) -> f64 {
    per(count, 1) / length.as_secs_f64()
}

/// The number of transfers so far, which a progress bar shows.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_rate_are_those_of_what_was_recorded() {
        let window = Window::open(Duration::from_secs(100));
        let begin = crate::clock::now();
        let mut log = Log::default();
        for millis in 1..=1_000 {
            log.acknowledged(&window, begin, begin + Duration::from_millis(millis));
        }
        let mut figures = Figures::new().unwrap();
        figures.add(&window, vec![log]);
        let summary = figures.summary();
        let close = |found: f64, expected: f64| (found - expected).abs() <= expected * 0.01;
        assert!(close(summary.p50_ms, 500.0), "{summary:?}");
        assert!(close(summary.p95_ms, 950.0), "{summary:?}");
        assert!(close(summary.p99_ms, 990.0), "{summary:?}");
        assert!(close(summary.transfers_per_sec, 10.0), "{summary:?}");
        assert_eq!(figures.steps.iter().sum::<u64>(), 1_000);
        assert_eq!(figures.steps.len(), 400);
    }

    #[test]
    fn what_ends_after_the_window_is_acknowledged_but_not_counted() {
        let window = Window::open(Duration::from_secs(1));
        let begin = crate::clock::now();
        let mut log = Log::default();
        log.acknowledged(&window, begin, begin + Duration::from_secs(2));
        let mut figures = Figures::new().unwrap();
        figures.add(&window, vec![log]);
        assert_eq!((figures.acknowledged, figures.counted()), (1, 0));
    }
}

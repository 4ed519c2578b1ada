//! Progress bars: silent where stderr is no terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::clock;
use crate::measure::{Tally, per};

const LOOK: Duration = Duration::from_millis(100);

/// A bar that shows a tally from a thread of its own, ten times a second, so
/// that those who count need not. It goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Closed by dropping it.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows how much of `length` has passed and the transfers per second.
    pub(crate) fn of_time(label: &'static str, length: Duration, tally: &Arc<Tally>) -> Self {
        let tally = Arc::clone(tally);
        let total = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        Self::start(label, total, move |bar, elapsed| {
            let passed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            bar.set_position(passed);
            let rate = per(tally.get().saturating_mul(1_000), passed);
            bar.set_message(format!("{rate:.0} transfers/s so far"));
        })
    }

    /// Shows how many of `total` there are.
    pub(crate) fn of_count(label: &'static str, total: u64, tally: &Arc<Tally>) -> Self {
        let tally = Arc::clone(tally);
        Self::start(label, total, move |bar, _| {
            bar.set_position(tally.get());
            bar.set_message(format!("{} of {total}", tally.get()));
        })
    }

    /// Shows for how long something has gone on whose end is not known.
    pub(crate) fn waiting(label: &'static str) -> Self {
        Self::start(label, 1, |bar, elapsed| {
            bar.set_message(format!("{} s", elapsed.as_secs()));
        })
    }

    fn start(
        label: &'static str,
        total: u64,
        show: impl Fn(&ProgressBar, Duration) + Send + 'static,
    ) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                end: None,
                thread: None,
            };
        }
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let bar = ProgressBar::new(total).with_prefix(label);
            let style = ProgressStyle::with_template("{prefix:<22} {bar:30} {msg}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            let start = clock::now();
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                show(&bar, clock::now().saturating_duration_since(start));
            }
            bar.finish_and_clear();
        });
        Self {
            end: Some(end),
            thread: Some(thread),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It only draws: a panic there loses nothing.
            let _ = thread.join();
        }
    }
}

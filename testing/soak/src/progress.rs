use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::tally::Counts;

/// The progress of a run: a bar on a terminal, otherwise a line from time to time.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    fault: String,
    shown: Option<Duration>,
    is_terminal: bool,
}

/// The interval between lines without a terminal.
const LINES: Duration = Duration::from_secs(30);

impl Progress {
    pub(crate) fn new(time: Duration) -> Self {
        let bar = ProgressBar::new(time.as_secs());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} s  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            fault: String::new(),
            shown: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn fault(&mut self, name: &str) {
        name.clone_into(&mut self.fault);
        if !self.is_terminal && !name.is_empty() {
            eprintln!("  {name}");
        }
    }

    pub(crate) fn show(&mut self, ran: Duration, faults: u64, counts: &Counts) {
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let words = format!(
            "{} transfers, {faults} faults, {} events  {}",
            count("acknowledged transfers"),
            count("events: handled"),
            self.fault
        );
        self.bar.set_position(ran.as_secs());
        if !self.is_terminal && self.shown.is_none_or(|shown| ran >= shown + LINES) {
            eprintln!("{} s: {words}", ran.as_secs());
            self.shown = Some(ran);
        }
        self.bar.set_message(words);
    }

    /// The stage after the faults.
    pub(crate) fn stage(&mut self, words: &str) {
        self.bar.set_message(words.to_owned());
        if !self.is_terminal {
            eprintln!("{words}");
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

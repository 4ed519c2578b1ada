use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::tally::Counts;

/// How far a run has come: a bar on a terminal, a line now and then elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    fault: String,
    told: Option<Duration>,
    is_terminal: bool,
}

/// How often a line is written where there is no terminal.
const LINES: Duration = Duration::from_secs(30);

impl Progress {
    pub(crate) fn new(time: Duration) -> Self {
        let bar = ProgressBar::new(time.as_secs());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} s  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            fault: String::new(),
            told: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(crate) fn fault(&mut self, name: &str) {
        name.clone_into(&mut self.fault);
        if !self.is_terminal && !name.is_empty() {
            eprintln!("  {name}");
        }
    }

    pub(crate) fn tell(&mut self, ran: Duration, faults: u64, counts: &Counts) {
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let words = format!(
            "{} transfers, {faults} faults, {} events  {}",
            count("acknowledged transfers"),
            count("events: handled"),
            self.fault
        );
        self.bar.set_position(ran.as_secs());
        if !self.is_terminal && self.told.is_none_or(|told| ran >= told + LINES) {
            eprintln!("{} s: {words}", ran.as_secs());
            self.told = Some(ran);
        }
        self.bar.set_message(words);
    }

    /// What is done after the faults.
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

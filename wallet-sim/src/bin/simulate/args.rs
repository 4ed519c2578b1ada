use std::ops::Range;

use clap::Parser;
use wallet_sim::{Bug, Scenario};

/// Simulates whole worlds: ledger, relay, queues, consumer, history, cache.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
pub(crate) struct Cli {
    /// The seeds: from the first to before the last.
    #[arg(long, default_value = "0..1000", value_parser = range)]
    pub(crate) seeds: Range<u64>,
    /// How many threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=256))]
    pub(crate) threads: u64,
    /// Plant this bug.
    #[arg(long, value_parser = bug)]
    pub(crate) bug: Option<Bug>,
    /// Find for each planted bug (or the one named) the first seeds that show it,
    /// and print the table.
    #[arg(long)]
    pub(crate) bugs: bool,
    /// With --bugs: how many different ranges of seeds to begin at.
    #[arg(long, default_value_t = 5)]
    pub(crate) samples: u64,
    /// Print what happens in each run.
    #[arg(long)]
    pub(crate) trace: bool,
}

impl Cli {
    /// The worlds to run.
    pub(crate) fn scenario(&self) -> Scenario {
        let scenario = Scenario::standard().with_bug(self.bug);
        if self.trace {
            scenario.with_lines()
        } else {
            scenario
        }
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("a range is FROM..TO")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let range = number(from)?..number(to)?;
    if range.is_empty() {
        return Err("no seeds in this range".to_owned());
    }
    Ok(range)
}

fn bug(text: &str) -> Result<Bug, String> {
    let mut all = Bug::ALL.iter().copied();
    let found = all.find(|bug| format!("{bug:?}") == text);
    found.ok_or_else(|| {
        let names: Vec<_> = Bug::ALL.iter().map(|bug| format!("{bug:?}")).collect();
        format!("one of {}", names.join(", "))
    })
}

//! The load program: `wallet-bench load --help` lists its options, the README
//! of this package says what it measures.

mod args;
mod baseline;
mod bulk_limit;
mod chart;
mod clock;
mod disk;
mod json;
mod load;
mod measure;
mod pattern;
mod progress;
mod report;
mod store;
mod verify;
mod wallet;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, Load};
use mimalloc::MiMalloc;

/// What the server allocates with, so that their figures compare.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What any part of the program may fail with: its user is a person.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What every account is given before anything is measured: enough for any
/// run, so that no transfer is refused.
const FUNDS_CENTS: u32 = 2_000_000_000;

fn main() -> ExitCode {
    let Command::Load(load) = Cli::parse().command;
    if let Err(error) = load.validate() {
        // Exit code 2, as for every bad argument.
        error.exit();
    }
    match run(&load) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("\nNOT VERIFIED: the figures above are worth nothing");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("wallet-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, reports; whether everything was verified.
fn run(load: &Load) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = load::run(load, &runtime)?;
    print!("{}", report::table(load, &report));
    let chart = load.chart_path();
    chart::draw(load, &report, &chart)?;
    println!("chart: {}", chart.display());
    if let Some(path) = &load.json {
        std::fs::write(path, json::document(load, &report)?)?;
    }
    let mut is_verified = true;
    for measured in report.all() {
        for problem in &measured.problems {
            is_verified = false;
            eprintln!("{}: {problem}", measured.name);
        }
    }
    Ok(is_verified)
}

//! The load program: `wallet-bench load --help` lists its options, the README
//! of this package says what it measures.

mod args;
mod baseline;
mod bulk_limit;
mod cache;
mod chart;
mod clock;
mod disk;
mod history;
mod json;
mod load;
mod measure;
mod pattern;
mod progress;
mod relay;
mod report;
mod server;
mod store;
mod store_kind;
mod verify;
mod wallet;
mod work;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command, HistoryLoad, Load};
use mimalloc::MiMalloc;
use tokio::runtime::Runtime;

/// The allocator of the server, so that the figures are comparable.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The error type of the program; a person reads its text.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The initial funds of every account: enough for any run, so that no transfer is
/// refused.
const FUNDS_CENTS: u32 = 2_000_000_000;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Err(error) = command.validate() {
        // Exit code 2, as for every bad argument.
        error.exit();
    }
    let ran = match &command {
        Command::Load(load) => run(load),
        Command::Relay(load) => run_relay(load),
        Command::Cache(load) => run_cache(load),
        Command::History(load) => run_history(load),
    };
    match ran {
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

fn runtime() -> Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.enable_all().build()?)
}

/// Measures the relay; whether every event was published.
fn run_relay(load: &Load) -> Result<bool> {
    let report = relay::run(load, &runtime()?)?;
    print!("{}", report.text());
    if let Some(path) = &load.json {
        std::fs::write(path, report.json()?)?;
    }
    Ok(report.is_verified())
}

/// Measures the cache; whether everything was verified.
fn run_cache(load: &Load) -> Result<bool> {
    let report = cache::run(load, &runtime()?)?;
    print!("{}", report.text());
    if let Some(path) = &load.json {
        std::fs::write(path, report.json()?)?;
    }
    Ok(report.is_verified())
}

/// Measures history and audit log; whether everything was verified.
fn run_history(load: &HistoryLoad) -> Result<bool> {
    let report = history::run(load, &runtime()?)?;
    print!("{}", report.text());
    if let Some(path) = &load.json {
        std::fs::write(path, report.json()?)?;
    }
    Ok(report.is_verified())
}

/// Measures, reports; whether everything was verified.
fn run(load: &Load) -> Result<bool> {
    let report = load::run(load, &runtime()?)?;
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

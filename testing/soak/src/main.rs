//! Soak test: wallet processes on a real database, with a cache, a queue and history,
//! under faults from a seed. At the end it verifies that no acknowledged request is lost
//! or done twice, and that all parts agree.
//!
//! `wallet-soak run --help` lists the options; `scripts/soak` runs the long form.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a program for developers, which reports errors by panicking"
)]

mod acks;
mod args;
mod cli;
mod clients;
mod fault;
mod host;
mod hosts;
mod open_keys;
mod plan;
mod progress;
mod proxy;
mod report;
mod run;
mod tally;
mod verify;
mod world;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// The error type of the program; a person reads its text.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let ran = ran(Cli::parse().command);
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("wallet-soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn ran(command: Command) -> Result<bool> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    let ran = match command {
        Command::Run(args) => runtime.block_on(run::run(args)),
        Command::Host(args) => runtime.block_on(host::run(args)).map(|()| true),
        Command::Verify(args) => runtime.block_on(verify::run(&args)).map(|()| true),
    };
    // A host's thread still reads its orders and cannot be interrupted.
    runtime.shutdown_background();
    ran
}

/// Prints a whole line, without mixing with other threads.
fn print_line(line: &str) {
    // The reader may be gone: then the line is dropped.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

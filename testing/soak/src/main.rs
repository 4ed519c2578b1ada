//! Wallets in processes of their own, on a real database, with a cache, a queue
//! and history, under faults from a seed; and then a proof that nothing that was
//! acknowledged is lost, nothing was done twice, and every part tells the same.
//!
//! `wallet-soak run --help` lists the options; `scripts/soak` runs the long form.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a program for developers, which tells what is wrong by panicking"
)]

mod acks;
mod args;
mod clients;
mod fault;
mod host;
mod hosts;
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

use args::{Cli, Command};

/// What any part of the program may fail with: its user is a person.
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
    // A host still waits for orders, on a thread that nothing interrupts.
    runtime.shutdown_background();
    ran
}

/// Prints a line whole, whoever else prints.
fn tell(line: &str) {
    // Who reads it may be gone: then there is nobody to tell.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

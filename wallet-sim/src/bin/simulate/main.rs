//! Runs seeds of the simulation, or measures how soon it detects planted bugs.

mod args;
mod bugs;
mod clock;
mod seeds;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use args::Cli;

/// A run makes and drops many small allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_good = if cli.bugs {
        bugs::run(&cli)
    } else {
        seeds::run(&cli)
    };
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

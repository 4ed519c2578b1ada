//! The wallet ledger behind a REST API; `wallet-server --help` lists the
//! settings.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use wallet_server::Config;

/// A request is many small allocations, freed on another thread than they were
/// made on.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // A bad setting ends the program here: a clear message, exit code 2.
    let config = Config::parse();
    match wallet_server::run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wallet-server: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

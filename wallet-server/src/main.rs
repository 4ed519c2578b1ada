//! The wallet ledger behind a REST API; `wallet-server --help` lists the
//! settings.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use wallet_server::Config;

/// A request makes many small allocations, which another thread frees.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // A bad setting ends the program here, with a message and exit code 2.
    let config = Config::parse();
    match wallet_server::run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wallet-server: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

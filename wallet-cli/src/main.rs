//! The command `wallet`; `wallet --help` lists what it does.

use std::process::ExitCode;

use clap::Parser;
use wallet_cli::Arguments;

/// What a shell says of a program that wrote to a pipe which nobody read.
const BROKEN_PIPE: u8 = 141;

fn main() -> ExitCode {
    // Bad arguments end the program here: a clear message, exit code 2.
    let arguments = Arguments::parse();
    match arguments.run() {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::from(BROKEN_PIPE),
        Err(error) => {
            eprintln!("wallet: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

//! The command `wallet`; `wallet --help` lists what it does.

use std::process::ExitCode;

use clap::Parser;
use wallet_cli::Arguments;

/// The exit code that a shell reports for a program killed by SIGPIPE.
const BROKEN_PIPE: u8 = 141;

fn main() -> ExitCode {
    // Bad arguments end the program here, with a message and exit code 2.
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

//! The commands of the program: one for a person, and two that a run starts itself. `args`
//! holds the options of a run; `host` and `verify` hold their own.

use clap::{Parser, Subcommand};

use crate::args::RunArgs;
use crate::host::HostArgs;
use crate::verify::VerifyArgs;

#[derive(Debug, Parser)]
#[command(about = "Real processes on real servers under real faults")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts everything, injects faults for a time, and verifies the result.
    Run(RunArgs),
    /// One of the hosts; the other command starts it.
    #[command(hide = true)]
    Host(HostArgs),
    /// The verification; the other command starts it.
    #[command(hide = true)]
    Verify(VerifyArgs),
}

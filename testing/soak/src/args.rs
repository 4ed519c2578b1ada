use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use wallet_test_servers::Kind;

use crate::Result;
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
    /// Starts everything, breaks it for a time, and verifies it.
    Run(RunArgs),
    /// One of the hosts: started by the other command.
    #[command(hide = true)]
    Host(HostArgs),
    /// The verification: likewise.
    #[command(hide = true)]
    Verify(VerifyArgs),
}

/// How long, how hard.
#[derive(Debug, Clone, Args)]
#[command(args_override_self = true)]
pub(crate) struct RunArgs {
    /// For how long faults are made, in seconds; time in which this process
    /// itself was stopped does not count.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// Which faults, when, and to whom.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Which database.
    #[arg(long, value_enum, default_value_t = Database::Mariadb)]
    pub(crate) database: Database,
    /// How many processes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hosts: u16,
    /// How many callers in each.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) callers: u16,
    /// How long a caller waits from request to request, in milliseconds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tick_ms: u64,
    /// The longest pause between faults, in milliseconds; the shortest is a
    /// quarter of it.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(4..))]
    pub(crate) pause_ms: u64,
    /// The program that hosts run, such as that of another release, and the
    /// verification; this one by default.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// Where the files of answers go; a folder of this run's own by default.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
}

impl RunArgs {
    /// What hosts and the verification run.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => Ok(std::env::current_exe()?),
        }
    }
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    Mariadb,
    Mysql,
}

impl Database {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Mariadb => Kind::MariaDb,
            Self::Mysql => Kind::MySql,
        }
    }

    /// The option that makes it read-only for everybody.
    pub(crate) const fn read_only(self) -> &'static str {
        match self {
            Self::Mariadb => "read_only",
            Self::Mysql => "super_read_only",
        }
    }
}

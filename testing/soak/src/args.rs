//! The options of a run, and the kinds of database. `cli` holds the commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use wallet_test_servers::Kind;

use crate::Result;

/// The length and the load of a run.
#[derive(Debug, Clone, Args)]
#[command(args_override_self = true)]
pub(crate) struct RunArgs {
    /// How long faults are injected, in seconds; time in which this process itself was
    /// stopped does not count.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// The run goes on with further faults until so many transfers are acknowledged.
    #[arg(long, default_value_t = 0)]
    pub(crate) transfers: u64,
    /// The seed of the faults: their kinds, times and targets.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The database.
    #[arg(long, value_enum, default_value_t = Database::Mariadb)]
    pub(crate) database: Database,
    /// The number of processes.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hosts: u16,
    /// The number of callers in each process.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) callers: u16,
    /// The pause between two requests of a caller, in milliseconds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tick_ms: u64,
    /// The longest pause between faults, in milliseconds; the shortest is a
    /// quarter of it.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(4..))]
    pub(crate) pause_ms: u64,
    /// The program that runs hosts and the verification, such as that of another release;
    /// this one by default.
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// The folder of the files of answers; a new one by default.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
}

impl RunArgs {
    /// The program of hosts and the verification.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => Ok(std::env::current_exe()?),
        }
    }
}

/// The kind of database.
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

    /// The option that makes it read-only for all users.
    pub(crate) const fn read_only(self) -> &'static str {
        match self {
            Self::Mariadb => "read_only",
            Self::Mysql => "super_read_only",
        }
    }
}

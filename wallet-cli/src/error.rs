use std::path::PathBuf;

use thiserror::Error;
use wallet_core::store::OutboxError;
use wallet_core::{StoreError, WalletError};
use wallet_server::tools::cause;

/// Why a command failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CliError {
    /// A store that lives in another process's memory.
    #[error("a store in memory is gone with its process: give --store sqlite:PATH")]
    Memory,
    /// The file does not exist.
    #[error("there is no file {0}")]
    NoFile(PathBuf),
    /// The store failed.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Store(#[from] StoreError),
    /// The outbox failed.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Outbox(#[from] OutboxError),
    /// The address is not that of a FIFO queue.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Queue(#[from] wallet_events::aws::NotFifo),
    /// The redrive failed.
    #[cfg(feature = "aws")]
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Redrive(#[from] wallet_events::RedriveError),
    /// The service failed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The books changed while they were read.
    #[error("{0}: stop whoever writes, or verify a copy")]
    Changed(String),
    /// History could not be written.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    History(#[from] wallet_core::history::HistoryError),
    /// History could not be exported.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Export(#[from] wallet_core::history::ExportError),
    /// A source of the comparison could not be read.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Reconcile(#[from] wallet_core::verify::reconcile::ReconcileError),
    /// The file does not hold checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] wallet_core::audit::CheckpointError),
    /// The backup or restore failed.
    #[error(transparent)]
    Backup(#[from] wallet_sqlite::BackupError),
    /// The backup has the path of the store.
    #[error("{0} is the store itself: a backup goes to a file of another name")]
    BackupOfItself(PathBuf),
    /// The path is a folder, and a file is needed.
    #[error("{0} is a folder: name a file in it")]
    Folder(PathBuf),
    /// The rest of an interrupted backup.
    #[error(
        "{0} exists already and has no manifest. If a backup that was cut off left it, remove it \
         and back up again; if it holds books, or a backup is being made right now, choose \
         another name"
    )]
    Unfinished(PathBuf),
    /// The name is not allowed.
    #[error("--by: {0}")]
    Name(wallet_core::ledger::TextError),
    /// A text of the program's own is not valid.
    #[error(transparent)]
    Text(#[from] wallet_core::ledger::TextError),
    /// The manifest is missing, or cannot be read or written.
    #[error("the manifest {}: {why}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The problem.
        why: String,
    },
    /// The command works on SQLite files only.
    #[error("only for sqlite:PATH; docs/operate/backup-and-restore.md says how to do it elsewhere")]
    OnlySqlite,
    /// The purge would free keys that still protect against paying twice.
    #[error(
        "keys younger than {min} days still keep repeated requests from paying twice: \
         --older-than-days {asked} needs --free-recent-keys"
    )]
    RecentKeys {
        /// The option or command.
        asked: u32,
        /// How long keys are kept.
        min: u32,
    },
    /// A required option is missing.
    #[error("needs {0}")]
    Missing(&'static str),
    /// The program was built without a required feature.
    #[error("built without the feature {0}")]
    Feature(&'static str),
    /// The requested object does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The runtime could not be started, or output could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl CliError {
    /// Whether the reader of the output has closed it, as `head` does. This is not a
    /// failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// The exit code: 1 for an object that does not exist, 2 for bad arguments, 3 for a
    /// failure. The program itself exits with 141, without a message, when the reader
    /// closes its output.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 1,
            Self::Memory
            | Self::NoFile(_)
            | Self::BackupOfItself(_)
            | Self::Folder(_)
            | Self::Checkpoint(_)
            | Self::RecentKeys { .. }
            | Self::Manifest { .. }
            | Self::OnlySqlite
            | Self::Name(_)
            | Self::Missing(_)
            | Self::Feature(_) => 2,
            #[cfg(feature = "aws")]
            Self::Queue(_) => 2,
            #[cfg(feature = "aws")]
            Self::Redrive(_) => 3,
            Self::Store(_)
            | Self::Outbox(_)
            | Self::Wallet(_)
            | Self::Changed(_)
            | Self::History(_)
            | Self::Export(_)
            | Self::Reconcile(_)
            | Self::Backup(_)
            | Self::Unfinished(_)
            | Self::Text(_)
            | Self::Io(_) => 3,
        }
    }
}

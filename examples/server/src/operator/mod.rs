//! The `wallet` command: what those who run a store do with it.

/// Prints a line, as `println!` does, and says so where nobody reads it any more.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::operator::say_line(format_args!($($words)*))
    };
}

mod audit;
mod backup;
mod bar;
mod events;
mod history;
mod manifest;
mod outcome;
mod purge;
mod reconcile;
#[cfg(feature = "aws")]
mod redrive;
mod restore_done;
mod statement;
mod verify;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};
use thiserror::Error;
use wallet_core::{OutboxError, StoreError, StoreErrorKind, SystemClock, WalletError};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::StoreUrl;
use crate::serve::cause;
use crate::serve::signals::outlive_full_files;
use crate::store::Books;

/// Looks after a store: verifies it, shows what is in it, purges it, reconciles it
/// with its history and cache, backs it up and restores it.
#[derive(Debug, Parser)]
#[command(name = "wallet", version)]
pub struct Arguments {
    /// Where the books are: `sqlite:PATH`, a file that must exist, or, built
    /// with the feature `mysql`, `mysql://USER:PASSWORD@HOST/DATABASE`.
    #[arg(
        long,
        env = "WALLET_STORE",
        default_value = "sqlite:wallet.db",
        global = true
    )]
    store: StoreUrl,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(verify::Verify),
    Statement(statement::Statement),
    Events(events::Events),
    Outcome(outcome::ShowOutcome),
    Purge(purge::PurgeOld),
    Backup(backup::MakeBackup),
    Restore(backup::RestoreBackup),
    RestoreDone(restore_done::RestoreDone),
    Reconcile(reconcile::Reconcile),
    History(history::History),
    Audit(audit::Audit),
    #[cfg(feature = "aws")]
    Redrive(redrive::RedriveDead),
}

/// Why the command could not do what it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// A store that lives in another process's memory.
    #[error("a store in memory is gone with its process: give --store sqlite:PATH")]
    Memory,
    /// There is no such file.
    #[error("there is no file {0}")]
    NoFile(PathBuf),
    /// The store failed.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Store(#[from] StoreError),
    /// The outbox failed.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Outbox(#[from] OutboxError),
    /// No FIFO queue.
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Queue(#[from] wallet_events::aws::NotFifo),
    /// Dead letters could not be moved.
    #[cfg(feature = "aws")]
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Redrive(#[from] wallet_events::RedriveError),
    /// The service failed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The books were written to while they were read.
    #[error("{0}: stop whoever writes, or verify a copy")]
    Changed(String),
    /// History could not be written.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    History(#[from] wallet_core::HistoryError),
    /// History could not be exported.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Export(#[from] wallet_core::history::ExportError),
    /// What should be compared could not be read.
    #[error("{error}{cause}", error = .0, cause = cause(.0))]
    Reconcile(#[from] wallet_core::reconcile::ReconcileError),
    /// A file that should hold checkpoints holds something else.
    #[error(transparent)]
    Checkpoint(#[from] wallet_core::audit::CheckpointError),
    /// No backup was made or restored.
    #[error(transparent)]
    Backup(#[from] wallet_sqlite::BackupError),
    /// What a backup left that was cut off.
    #[error(
        "{0} exists already and has no manifest: a backup that was cut off left it, unless one is \
         being made right now. Remove it and back up again"
    )]
    Unfinished(PathBuf),
    /// The name that was given is not allowed.
    #[error("--by: {0}")]
    Name(wallet_core::TextError),
    /// A text of the program's own is not valid.
    #[error(transparent)]
    Text(#[from] wallet_core::TextError),
    /// No manifest, or none that can be read or written.
    #[error("the manifest {}: {why}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What was asked for is there for SQLite files alone.
    #[error("only for sqlite:PATH; docs/operate/backup-and-restore.md says how to do it elsewhere")]
    OnlySqlite,
    /// Keys would be freed that still protect against paying twice.
    #[error(
        "keys younger than {min} days still keep repeated requests from paying twice: \
         --older-than-days {asked} needs --free-recent-keys"
    )]
    RecentKeys {
        /// What was asked for.
        asked: u32,
        /// How long keys are kept.
        min: u32,
    },
    /// An option that is needed here.
    #[error("needs {0}")]
    Missing(&'static str),
    /// The program was built without a feature that this needs.
    #[error("built without the feature {0}")]
    Feature(&'static str),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The runtime could not be started, or output could not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl OperatorError {
    /// Whether whoever read the output has gone, as `head` does: no failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// What the program exits with: 1 for what is not there, 2 for bad
    /// arguments, 3 when it could not do its work. The program itself ends with
    /// 141, quietly, when nobody reads its output any more.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 1,
            Self::Memory
            | Self::NoFile(_)
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

impl Arguments {
    /// Does what was asked for, and says what the program exits with.
    ///
    /// # Errors
    /// [`OperatorError`].
    pub fn run(self) -> Result<u8, OperatorError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            outlive_full_files()?;
            #[cfg(feature = "aws")]
            if let What::Redrive(redrive) = self.what {
                // It needs no books, as what follows.
                return redrive.run().await;
            }
            if let What::Audit(audit) = self.what {
                return audit.run().await;
            }
            // These take the file itself.
            match &self.what {
                What::Backup(backup) => return backup.run(self.store.file()?),
                What::Restore(restore) => return restore.run(self.store.file()?),
                _ => {}
            }
            let url = &self.store;
            // Whoever only looks may look at damaged books too.
            let is_checked = matches!(self.what, What::Purge(_) | What::RestoreDone(_));
            let store = open(url, is_checked).await?;
            let store = store.as_ref();
            match self.what {
                What::Backup(backup) => backup.run(url.file()?),
                What::Restore(restore) => restore.run(url.file()?),
                What::RestoreDone(done) => done.run(store).await,
                What::Verify(verify) => verify.run(store, url).await,
                What::Statement(statement) => statement.run(store).await,
                What::Events(events) => events.run(store).await,
                What::Outcome(outcome) => outcome.run(store).await,
                What::Purge(purge) => purge.run(store).await,
                What::Reconcile(reconcile) => reconcile.run(store).await,
                What::History(history) => history.run(store).await,
                What::Audit(audit) => audit.run().await,
                #[cfg(feature = "aws")]
                What::Redrive(redrive) => redrive.run().await,
            }
        })
    }
}

impl StoreUrl {
    /// The file, of a store that is one.
    fn file(&self) -> Result<&Path, OperatorError> {
        match self {
            Self::Sqlite(path) => Ok(path),
            Self::Memory => Err(OperatorError::Memory),
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => Err(OperatorError::OnlySqlite),
        }
    }
}

/// Opens a store that exists, as it is: nothing is created or migrated.
#[cfg_attr(
    not(feature = "mysql"),
    expect(clippy::unused_async, reason = "only a server's store is waited for")
)]
async fn open(url: &StoreUrl, is_checked: bool) -> Result<Box<dyn Books>, OperatorError> {
    let path = match url {
        StoreUrl::Memory => return Err(OperatorError::Memory),
        #[cfg(feature = "mysql")]
        StoreUrl::Mysql(address) => {
            let settings = wallet_aurora::AuroraSettings::new(address).with_migrate(false);
            let store = wallet_aurora::AuroraStore::open(&settings).await?;
            return Ok(Box::new(store));
        }
        StoreUrl::Sqlite(path) => path,
    };
    let settings = SqliteSettings::new(path)
        .with_create(false)
        .with_migrate(false)
        .with_check(is_checked);
    match SqliteStore::open(&settings, Arc::new(SystemClock)) {
        Ok(store) => Ok(Box::new(store)),
        // Without its file there may still be its log.
        Err(error) if error.kind() != StoreErrorKind::Corrupt && !path.is_file() => {
            Err(OperatorError::NoFile(path.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

fn say_line(line: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{line}")
}

/// A text from the books, fit for a terminal: what users wrote must not move
/// its cursor.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

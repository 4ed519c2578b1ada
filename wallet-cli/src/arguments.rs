use std::io::Write as _;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use wallet_core::SystemClock;
use wallet_core::store::StoreErrorKind;
use wallet_server::StoreUrl;
use wallet_server::tools::{Books, outlive_full_files};
use wallet_sqlite::{SqliteSettings, SqliteStore};

use crate::error::CliError;
use crate::file::file;
#[cfg(feature = "aws")]
use crate::redrive;
use crate::{
    audit, backup, events, history, outcome, purge, reconcile, restore_done, statement, verify,
};

/// The operator's tool for a store: verifies it, shows its content, purges it, reconciles
/// it with its history and cache, backs it up and restores it.
#[derive(Debug, Parser)]
#[command(name = "wallet", version)]
pub struct Arguments {
    /// The store of the books: `sqlite:PATH`, a file that must exist, or, built with the
    /// feature `mysql`, `mysql://USER:PASSWORD@HOST/DATABASE`.
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

impl Arguments {
    /// Runs the command and returns its exit code.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn run(self) -> Result<u8, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            outlive_full_files()?;
            #[cfg(feature = "aws")]
            if let What::Redrive(redrive) = self.what {
                // This command and those below need no books.
                return redrive.run().await;
            }
            if let What::Audit(audit) = self.what {
                return audit.run().await;
            }
            // These commands take the file itself.
            match &self.what {
                What::Backup(backup) => return backup.run(file(&self.store)?),
                What::Restore(restore) => return restore.run(file(&self.store)?),
                _ => {}
            }
            let url = &self.store;
            let opened = open(url, true).await;
            // Damaged books can be examined. Every other answer about them may be wrong.
            let examines = matches!(self.what, What::Verify(_) | What::Reconcile(_));
            let refusal = match &opened {
                Err(CliError::Store(error))
                    if examines && error.kind() == StoreErrorKind::Corrupt =>
                {
                    Some(error.to_string())
                }
                _ => None,
            };
            let store = match &refusal {
                Some(_) => open(url, false).await?,
                None => opened?,
            };
            let store = store.as_ref();
            let code = match self.what {
                What::Backup(backup) => backup.run(file(url)?),
                What::Restore(restore) => restore.run(file(url)?),
                What::RestoreDone(done) => done.run(store).await,
                What::Verify(verify) => verify.run(store, url, refusal.is_none()).await,
                What::Statement(statement) => statement.run(store).await,
                What::Events(events) => events.run(store).await,
                What::Outcome(outcome) => outcome.run(store).await,
                What::Purge(purge) => purge.run(store).await,
                What::Reconcile(reconcile) => reconcile.run(store).await,
                What::History(history) => history.run(store).await,
                What::Audit(audit) => audit.run().await,
                #[cfg(feature = "aws")]
                What::Redrive(redrive) => redrive.run().await,
            };
            let code = code?;
            Ok(refusal.map_or(code, |refusal| refused(&refusal, code)))
        })
    }
}

/// The exit code of an examination of books that a server refuses to start with.
fn refused(refusal: &str, code: u8) -> u8 {
    // The message may fail; nothing else can report it.
    let _ = writeln!(
        std::io::stderr(),
        "wallet: a server does not start with this file: {refusal}"
    );
    code.max(1)
}

/// Opens an existing store as it is: nothing is created or migrated.
#[cfg_attr(
    not(feature = "mysql"),
    expect(clippy::unused_async, reason = "only a server's store is waited for")
)]
async fn open(url: &StoreUrl, is_checked: bool) -> Result<Box<dyn Books>, CliError> {
    let path = match url {
        StoreUrl::Memory => return Err(CliError::Memory),
        #[cfg(feature = "mysql")]
        StoreUrl::Mysql(address) => {
            let settings = wallet_aurora::AuroraSettings {
                migrate: false,
                ..wallet_aurora::AuroraSettings::new(address)
            };
            let store = wallet_aurora::AuroraStore::open(&settings).await?;
            return Ok(Box::new(store));
        }
        StoreUrl::Sqlite(path) => path,
    };
    let settings = SqliteSettings {
        create: false,
        migrate: false,
        check: is_checked,
        ..SqliteSettings::new(path)
    };
    match SqliteStore::open(&settings, Arc::new(SystemClock)) {
        Ok(store) => Ok(Box::new(store)),
        // If the file is missing, its log may still exist.
        Err(error) if error.kind() != StoreErrorKind::Corrupt && !path.is_file() => {
            Err(CliError::NoFile(path.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

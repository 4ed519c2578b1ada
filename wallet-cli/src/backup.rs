use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use wallet_core::SystemClock;
use wallet_core::ledger::RaisedBy;
use wallet_sqlite::{Backup, BackupError, Existing, Restored, back_up, restore, verify_backup};

use crate::{CliError, manifest};
use wallet_server::tools::time;

/// Copies the books of a SQLite file while they are in use, as of one commit, and writes
/// a manifest of the copy's content. Flushed to disk, mode 0600. A backup is complete
/// once its manifest is there.
#[derive(Debug, Args)]
pub(crate) struct MakeBackup {
    /// The new file.
    #[arg(long)]
    to: PathBuf,
    /// The manifest, a new file; FILE.manifest.json by default.
    #[arg(long)]
    manifest: Option<PathBuf>,
}

/// Verifies a backup against its manifest, puts it in place as the file that --store
/// names, and begins a new epoch. Stop every process that works on the file first.
#[derive(Debug, Args)]
pub(crate) struct RestoreBackup {
    /// The backup, which is not changed.
    #[arg(long)]
    from: PathBuf,
    /// The manifest; FILE.manifest.json by default.
    #[arg(long)]
    manifest: Option<PathBuf>,
    /// Rename an existing file to FILE.replaced-1. Without this option nothing is
    /// restored over a file.
    #[arg(long)]
    set_aside_existing: bool,
    /// Verify the backup, and put nothing in place. Takes as much disk space as the
    /// backup, beside it, while it runs.
    #[arg(long, conflicts_with = "set_aside_existing")]
    verify_only: bool,
}

impl MakeBackup {
    pub(crate) fn run(&self, store: &Path) -> Result<u8, CliError> {
        let canonical = |path: &Path| std::fs::canonicalize(path).ok();
        if canonical(&self.to).is_some_and(|to| Some(to) == canonical(store)) {
            return Err(CliError::BackupOfItself(self.to.clone()));
        }
        if self.to.is_dir() {
            return Err(CliError::Folder(self.to.clone()));
        }
        let path = self.manifest.clone();
        let path = path.unwrap_or_else(|| manifest::beside(&self.to));
        if path.exists() {
            let is_whole = self.to.exists();
            let there = if is_whole { self.to.clone() } else { path };
            return Err(BackupError::Exists(there).into());
        }
        let backup = back_up(store, &self.to, &SystemClock).map_err(|error| match error {
            BackupError::Exists(file) if file == self.to => CliError::Unfinished(file),
            other => other.into(),
        })?;
        if let Err(error) = manifest::write(&path, &self.to, &backup) {
            // A copy without a manifest is not a backup.
            let _ = std::fs::remove_file(&self.to);
            return Err(error);
        }
        let printed =
            print_backup(&self.to, &backup).and_then(|()| say!("manifest {}", path.display()));
        Ok(done(
            &printed,
            format_args!("the backup {} is made", self.to.display()),
        ))
    }
}

/// The exit code of completed work. A failed print does not change it.
fn done(printed: &std::io::Result<()>, what: std::fmt::Arguments<'_>) -> u8 {
    if let Err(error) = printed
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        // This message may fail too; nothing else can report it.
        let _ = writeln!(
            std::io::stderr(),
            "wallet: {what}; it could not be reported: {error}"
        );
    }
    0
}

impl RestoreBackup {
    pub(crate) fn run(&self, store: &Path) -> Result<u8, CliError> {
        let path = self.manifest.clone();
        let path = path.unwrap_or_else(|| manifest::beside(&self.from));
        if !self.from.is_file() {
            return Err(CliError::NoFile(self.from.clone()));
        }
        let backup = manifest::read(&path)?;
        if self.verify_only {
            verify_backup(&self.from, &backup)?;
            print_backup(&self.from, &backup)?;
            say!("the backup is what its manifest says")?;
            return Ok(0);
        }
        let existing = if self.set_aside_existing {
            Existing::SetAside
        } else {
            Existing::Refuse
        };
        let by = RaisedBy::new("wallet restore")?;
        let restored = restore(&self.from, &backup, store, existing, &by, &SystemClock)?;
        let printed = print_restored(store, &backup, &restored);
        Ok(done(
            &printed,
            format_args!("the file {} is restored", store.display()),
        ))
    }
}

fn print_restored(store: &Path, backup: &Backup, restored: &Restored) -> std::io::Result<()> {
    print_backup(store, backup)?;
    let (epoch, until) = (restored.epoch.epoch, restored.epoch.restored_to);
    say!("epoch {epoch} begins, restored to {}", time(until))?;
    if let Some(aside) = &restored.aside {
        say!("the file that was there is {} now", aside.display())?;
    }
    say!("restored: it holds what the manifest says")
}

fn print_backup(file: &Path, backup: &Backup) -> std::io::Result<()> {
    let rows = &backup.census.rows;
    let last = backup.census.last.map_or(0, |last| last.number);
    say!(
        "{}: {} bytes, SHA-256 {}",
        file.display(),
        backup.bytes,
        manifest::hex(&backup.sha256)
    )?;
    say!(
        "{} accounts, {} transfers, {} holds, the last commit is {last}",
        rows.accounts,
        rows.transfers,
        rows.holds
    )
}

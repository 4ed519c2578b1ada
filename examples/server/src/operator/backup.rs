use std::path::{Path, PathBuf};

use clap::Args;
use wallet_core::{RaisedBy, SystemClock};
use wallet_sqlite::{Backup, Existing, Restored, back_up, restore};

use super::{OperatorError, manifest};
use crate::output::time;

/// Copies the books of a SQLite file beside whoever works on them, as of one commit,
/// and writes a manifest of what the copy holds. Flushed to disk, mode 0600. A backup
/// is whole once its manifest is there.
#[derive(Debug, Args)]
pub(super) struct MakeBackup {
    /// The new file.
    #[arg(long)]
    to: PathBuf,
    /// Its manifest, a new file; FILE.manifest.json by default.
    #[arg(long)]
    manifest: Option<PathBuf>,
}

/// Puts a backup in place as the file that --store names, having verified it against
/// its manifest, and begins a new epoch. Stop every process that works on the file
/// first.
#[derive(Debug, Args)]
pub(super) struct RestoreBackup {
    /// The backup, which is not changed.
    #[arg(long)]
    from: PathBuf,
    /// Its manifest; FILE.manifest.json by default.
    #[arg(long)]
    manifest: Option<PathBuf>,
    /// Give a file that is there another name, FILE.replaced-1. Nothing is restored
    /// over a file otherwise.
    #[arg(long)]
    set_aside_existing: bool,
    /// Verify the backup, and put nothing in place. Takes as much room as the backup,
    /// beside it, while it runs.
    #[arg(long, conflicts_with = "set_aside_existing")]
    verify_only: bool,
}

impl MakeBackup {
    pub(super) fn run(&self, store: &Path) -> Result<u8, OperatorError> {
        let path = self.manifest.clone();
        let path = path.unwrap_or_else(|| manifest::beside(&self.to));
        if path.exists() {
            return Err(wallet_sqlite::BackupError::Exists(path).into());
        }
        let backup = back_up(store, &self.to)?;
        if let Err(error) = manifest::write(&path, &self.to, &backup) {
            // Without a manifest it is no backup.
            let _ = std::fs::remove_file(&self.to);
            return Err(error);
        }
        tell(&self.to, &backup)?;
        say!("manifest {}", path.display())?;
        Ok(0)
    }
}

impl RestoreBackup {
    pub(super) fn run(&self, store: &Path) -> Result<u8, OperatorError> {
        let path = self.manifest.clone();
        let path = path.unwrap_or_else(|| manifest::beside(&self.from));
        let backup = manifest::read(&path)?;
        if self.verify_only {
            self.verify(&backup)?;
            tell(&self.from, &backup)?;
            say!("the backup is what its manifest says")?;
            return Ok(0);
        }
        let existing = if self.set_aside_existing {
            Existing::SetAside
        } else {
            Existing::Refuse
        };
        let restored = place(&self.from, &backup, store, existing)?;
        tell(store, &backup)?;
        let (epoch, until) = (restored.epoch.epoch, restored.epoch.restored_to);
        say!("epoch {epoch} begins, restored to {}", time(until))?;
        if let Some(aside) = restored.aside {
            say!("the file that was there is {} now", aside.display())?;
        }
        say!("restored: it holds what the manifest says")?;
        Ok(0)
    }

    /// Restores to a file beside the backup, which is removed again.
    fn verify(&self, backup: &Backup) -> Result<(), OperatorError> {
        let mut copy = self.from.as_os_str().to_owned();
        copy.push(".verifying");
        let copy = PathBuf::from(copy);
        place(&self.from, backup, &copy, Existing::Refuse)?;
        std::fs::remove_file(&copy)?;
        Ok(())
    }
}

/// Restores in the name of this command.
fn place(
    from: &Path,
    backup: &Backup,
    to: &Path,
    existing: Existing,
) -> Result<Restored, OperatorError> {
    let by = RaisedBy::new("wallet restore")?;
    Ok(restore(from, backup, to, existing, &by, &SystemClock)?)
}

fn tell(file: &Path, backup: &Backup) -> std::io::Result<()> {
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

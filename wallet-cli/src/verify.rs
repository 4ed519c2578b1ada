use std::path::PathBuf;

use clap::Args;
use wallet_core::verify::{
    Delivered, OutboxReport, Progress, Report, Stage, Verifier, VerifyError,
};

use wallet_sqlite::{Standing, standing};

use crate::progress::ProgressBar;
use crate::{CliError, manifest};
use wallet_server::StoreUrl;
use wallet_server::tools::Books;

/// Checks every invariant of the books, and the outbox against them. Exits with 0 when
/// they are sound, 1 when an invariant is violated or something is missing, 3 when the
/// check could not be made. Nothing may be committed meanwhile.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Whether no relay ever worked on the outbox, so that it must hold every change
    /// since the beginning.
    #[arg(long)]
    nothing_delivered: bool,
    /// The manifest of a backup. The books must hold all that it lists. Without it a
    /// SQLite file that lacks commits passes as sound.
    #[arg(long, value_name = "MANIFEST")]
    expect: Option<PathBuf>,
}

impl Verify {
    /// Reading the outbox takes its lease, which is a write. So the outbox of a file that a
    /// server refuses is not read.
    pub(crate) async fn run(
        &self,
        store: &dyn Books,
        url: &StoreUrl,
        with_outbox: bool,
    ) -> Result<u8, CliError> {
        let expected = match &self.expect {
            Some(path) => Some((manifest::read(path)?, crate::file::file(url)?)),
            None => None,
        };
        let delivered = if self.nothing_delivered {
            Delivered::Nothing
        } else {
            Delivered::Unknown
        };
        let bar = ProgressBar::new();
        let mut notify = |progress: Progress| {
            bar.show(name(progress.stage), progress.done, progress.total);
        };
        let mut verifier = Verifier::new(store);
        if with_outbox {
            verifier = verifier.with_outbox(store, delivered);
        }
        let report = verifier.with_progress(&mut notify).run().await;
        bar.finish();
        let report = report.map_err(|error| match error {
            VerifyError::Store(error) => CliError::Store(error),
            other => CliError::Changed(other.to_string()),
        })?;
        print(&report)?;
        let is_whole = match expected {
            Some((backup, file)) => compare(&standing(file, &backup.census)?)?,
            None => true,
        };
        Ok(u8::from(!report.violations.is_empty() || !is_whole))
    }
}

/// Prints whether the books hold all that a manifest lists.
fn compare(standing: &Standing) -> std::io::Result<bool> {
    match standing {
        Standing::Same => say!("they are those of the manifest")?,
        Standing::Ahead(rows) => {
            say!("they hold all of the manifest, and {rows} outcomes more")?;
        }
        Standing::Lacking(lacking) => {
            for what in lacking {
                say!("LACKING: {what}")?;
            }
            say!("the books are not those of the manifest, or lack some of it")?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Accounts => "accounts",
        Stage::Entries => "entries",
        Stage::Holds => "holds",
        Stage::Transfers => "transfers",
        Stage::Checks => "checking",
        Stage::Events => "outbox",
        Stage::Comparison => "accounts once more",
        _ => "reading",
    }
}

fn print(report: &Report) -> std::io::Result<()> {
    let totals = &report.totals;
    say!(
        "{} ledgers, {} accounts, {} transfers, {} entries, {} holds",
        totals.ledgers,
        totals.accounts,
        totals.transfers,
        totals.entries,
        totals.holds
    )?;
    for ((ledger, currency), sum) in &report.sums {
        say!(
            "ledger {ledger}, {currency}: {} accounts add up to {}",
            sum.accounts,
            sum.posted
        )?;
    }
    match report.outbox {
        Some(OutboxReport::Checked {
            rows,
            events,
            changes,
            ..
        }) => say!("outbox: {rows} rows hold {events} of {changes} changes")?,
        Some(OutboxReport::Held) => {
            say!("OUTBOX NOT CHECKED: a relay holds it; stop it to have it checked")?;
        }
        None => {}
    }
    for violation in &report.violations {
        say!("VIOLATION: {violation}")?;
    }
    match report.violations.len() {
        0 => say!("the books are sound"),
        count => say!("{count} violations"),
    }
}

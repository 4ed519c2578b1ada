use clap::Args;
use wallet_core::invariants::{
    Delivered, OutboxReport, Progress, Report, Stage, Verifier, VerifyError,
};

use super::OperatorError;
use super::bar::Bar;
use crate::store::Books;

/// Checks every invariant of the books, and the outbox against them. Exits with
/// 0 when they are sound, 1 when something must not be, 3 when that could not be
/// found out: nothing may be committed meanwhile.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Whether no relay ever worked on the outbox, so that it must tell every
    /// change since the beginning.
    #[arg(long)]
    nothing_delivered: bool,
}

impl Verify {
    pub(super) async fn run(&self, store: &dyn Books) -> Result<u8, OperatorError> {
        let delivered = if self.nothing_delivered {
            Delivered::Nothing
        } else {
            Delivered::Unknown
        };
        let bar = Bar::new();
        let mut tell = |progress: Progress| {
            bar.show(name(progress.stage), progress.done, progress.total);
        };
        let report = Verifier::new(store)
            .with_outbox(store, delivered)
            .with_progress(&mut tell)
            .run()
            .await;
        bar.finish();
        let report = report.map_err(|error| match error {
            VerifyError::Store(error) => OperatorError::Store(error),
            other => OperatorError::Changed(other.to_string()),
        })?;
        print(&report);
        Ok(u8::from(!report.violations.is_empty()))
    }
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

fn print(report: &Report) {
    let totals = &report.totals;
    println!(
        "{} ledgers, {} accounts, {} transfers, {} entries, {} holds",
        totals.ledgers, totals.accounts, totals.transfers, totals.entries, totals.holds
    );
    for ((ledger, currency), sum) in &report.sums {
        println!(
            "ledger {ledger}, {currency}: {} accounts add up to {}",
            sum.accounts, sum.posted
        );
    }
    match report.outbox {
        Some(OutboxReport::Checked {
            rows,
            told,
            changes,
            ..
        }) => println!("outbox: {rows} rows tell {told} of {changes} changes"),
        Some(OutboxReport::Held) => {
            println!("OUTBOX NOT CHECKED: a relay holds it; stop it to have it checked");
        }
        None => {}
    }
    for violation in &report.violations {
        println!("VIOLATION: {violation}");
    }
    match report.violations.len() {
        0 => println!("the books are sound"),
        count => println!("{count} violations"),
    }
}

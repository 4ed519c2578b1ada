use clap::Args;
use wallet_core::ledger::{Posted, RecordKey, format_minor};
use wallet_core::{IdempotencyKey, LedgerId, Leg, Outcome, Receipt};

use crate::CliError;
use wallet_server::tools::{Books, time};

/// Shows the outcome recorded under an idempotency key.
#[derive(Debug, Args)]
pub(crate) struct ShowOutcome {
    /// The key, as it was sent.
    key: String,
    /// The scope of the key.
    #[arg(long, default_value = wallet_server::tools::SCOPE)]
    scope: String,
    /// The index of an item of a batch whose items were carried out each by
    /// itself.
    #[arg(long)]
    item: Option<u32>,
}

impl ShowOutcome {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        let bad = |error| CliError::NotFound(format!("no such key can be: {error}"));
        let key = IdempotencyKey::parse(&self.scope, &self.key).map_err(bad)?;
        let key = match self.item {
            Some(item) => key.item(item),
            None => key,
        };
        let record_key = key.record_key(LedgerId::default());
        let record = store.records(&[record_key]).await?;
        let nothing = || CliError::NotFound(format!("nothing is recorded under {key} so far"));
        let record = record.into_iter().next().flatten().ok_or_else(nothing)?;
        print("", &record.outcome)?;
        let items = 0..record.outcome.bulk_items().unwrap_or(0);
        let keys: Vec<RecordKey> = items.map(|item| record_key.item(item)).collect();
        for (index, item) in store.records(&keys).await?.into_iter().enumerate() {
            match item {
                Some(item) => print(&format!("item {index}: "), &item.outcome)?,
                None => say!("item {index}: open")?,
            }
        }
        Ok(0)
    }
}

fn print(what: &str, outcome: &Outcome) -> std::io::Result<()> {
    say!("{what}recorded {}", time(outcome.at))?;
    match &outcome.result {
        Err(rejected) => say!("refused: {rejected}"),
        Ok(receipts) => {
            say!("accepted:")?;
            let mut receipts = receipts.iter();
            receipts.try_for_each(|receipt| say!("  {}", line(receipt)))
        }
    }
}

fn line(receipt: &Receipt) -> String {
    match receipt {
        Receipt::AccountOpened(account) => format!("opened account {}", account.state.key.id),
        Receipt::AccountChanged(changed) => {
            let state = &changed.state;
            format!("account {} is {:?}", state.key.id, state.status)
        }
        Receipt::Posted(posted) => posted_line(posted),
        Receipt::HoldChanged(changed) => {
            let hold = &changed.hold;
            format!("hold {} is {:?}", hold.key.id, hold.status)
        }
        Receipt::BulkAccepted { items } => format!("a batch of {items} items"),
        other => format!("{other:?}"),
    }
}

fn posted_line(posted: &Posted) -> String {
    let transfer = &posted.transfer;
    let leg = |leg: &Leg| {
        let amount = format_minor(leg.money.amount.minor(), leg.money.currency);
        let currency = leg.money.currency.code();
        format!("{amount} {currency} from {} to {}", leg.from, leg.to)
    };
    let legs: Vec<String> = transfer.legs.iter().map(leg).collect();
    let id = transfer.key.id;
    format!("posted {:?} {id}: {}", transfer.kind, legs.join(", "))
}

use std::io::Write;

use clap::Args;
use serde_json::json;
use wallet_core::ledger::{InLedger, format_minor};
use wallet_core::store::Order;
use wallet_core::{Account, AccountId, Entry, EntryQuery, LedgerId, Timestamp};

use crate::{CliError, plain};
use wallet_server::tools::{Books, time};

/// How many entries are read at a time.
const PAGE: u32 = 500;

/// Shows an account and its entries.
#[derive(Debug, Args)]
pub(crate) struct Statement {
    /// The account's id.
    account: AccountId,
    /// Only entries at this time or later (RFC 3339).
    #[arg(long, value_parser = when)]
    from: Option<Timestamp>,
    /// Only entries before this time (RFC 3339).
    #[arg(long, value_parser = when)]
    to: Option<Timestamp>,
    /// How many entries at most; all by default.
    #[arg(long)]
    limit: Option<u64>,
    /// Newest first.
    #[arg(long)]
    desc: bool,
    /// One JSON object a line, entries only.
    #[arg(long)]
    json: bool,
}

pub(crate) fn when(text: &str) -> Result<Timestamp, jiff::Error> {
    let time: jiff::Timestamp = text.parse()?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

impl Statement {
    pub(crate) async fn run(&self, store: &dyn Books) -> Result<u8, CliError> {
        let key = InLedger::new(LedgerId::default(), self.account);
        let found = store.accounts(&[key]).await?.into_iter().next().flatten();
        let unknown = || CliError::NotFound(format!("there is no account {}", self.account));
        let account = found.ok_or_else(unknown)?;
        let mut out = std::io::stdout().lock();
        if !self.json {
            self.head(&mut out, &account)?;
        }
        let mut query = EntryQuery {
            from: self.from,
            to: self.to,
            order: if self.desc {
                Order::Descending
            } else {
                Order::Ascending
            },
            ..EntryQuery::first(key, PAGE)
        };
        let mut left = self.limit.unwrap_or(u64::MAX);
        while left > 0 {
            query.limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let entries = store.entries(&query).await?;
            let Some(last) = entries.last() else { break };
            query.after = Some(last.sequence);
            left = left.saturating_sub(u64::try_from(entries.len()).unwrap_or(left));
            for entry in &entries {
                self.line(&mut out, &account, entry)?;
            }
        }
        Ok(0)
    }

    fn head(&self, out: &mut impl Write, account: &Account) -> Result<(), CliError> {
        let state = &account.state;
        let text = |minor| format_minor(minor, state.currency);
        writeln!(out, "account   {}", self.account)?;
        writeln!(out, "owner     {}", plain(account.owner.as_str()))?;
        writeln!(out, "currency  {}", state.currency.code())?;
        writeln!(out, "status    {:?}", state.status)?;
        writeln!(out, "posted    {}", text(state.counters.posted()))?;
        writeln!(out, "available {}", text(state.counters.available()))?;
        writeln!(out)?;
        writeln!(
            out,
            "{:>8}  {:<27}  {:<6}  {:>18}  {:>18}  transfer",
            "entry", "time", "side", "amount", "balance"
        )?;
        Ok(())
    }

    fn line(&self, out: &mut impl Write, account: &Account, entry: &Entry) -> Result<(), CliError> {
        let text = |minor| format_minor(minor, account.state.currency);
        let side = entry.direction.name();
        let (amount, after) = (text(entry.amount.minor()), text(entry.balance_after));
        let (sequence, at) = (entry.sequence, time(entry.created_at));
        let transfer = entry.transfer.to_string();
        if self.json {
            let line = json!({
                "sequence": sequence, "created_at": at, "direction": side, "amount": amount,
                "balance_after": after, "transfer": transfer,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(
                out,
                "{sequence:>8}  {at:<27}  {side:<6}  {amount:>18}  {after:>18}  {transfer}"
            )?;
        }
        Ok(())
    }
}

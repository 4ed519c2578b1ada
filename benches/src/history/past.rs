use hdrhistogram::Histogram;
use serde::Serialize;
use wallet_core::history::{HistoryLine, balance_at};
use wallet_core::ledger::{AccountKey, Direction, Epoch, InLedger, TransferKind};
use wallet_core::{AccountId, Amount, Currency, Entry, LedgerId, Timestamp, TransferId};

use super::emulator::Emulator;
use crate::{Result, clock};

/// Entries of the short history.
const SHORT: u32 = 10;
/// Balances that are asked for in each.
const ASKED: u32 = 1_000;
/// Lines that are written together.
const PIECE: u32 = 2_000;
/// Microseconds between two entries.
const APART: i64 = 1_000;

/// The cost of a past balance in a history of some length.
#[derive(Debug, Serialize)]
pub(super) struct Past {
    pub(super) entries: u32,
    /// The balances read, and the requests made for them.
    asked: u32,
    requests: u64,
    pub(super) requests_each: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Past {
    pub(super) fn is_one_request(&self) -> bool {
        self.requests == u64::from(self.asked)
    }
}

fn account(number: u8) -> AccountKey {
    InLedger::new(LedgerId::default(), AccountId::from_bytes([number; 16]))
}

fn line(account: AccountKey, number: u32) -> Result<HistoryLine> {
    let sequence = i64::from(number).saturating_add(1);
    let mut transfer = [7; 16];
    transfer[..8].copy_from_slice(&sequence.to_be_bytes());
    Ok(HistoryLine {
        entry: Entry {
            account,
            sequence,
            epoch: Epoch::FIRST,
            version: sequence,
            direction: Direction::Credit,
            amount: Amount::new(1)?,
            balance_after: sequence.into(),
            transfer: TransferId::from_bytes(transfer),
            leg: 0,
            created_at: Timestamp::from_micros(sequence.saturating_mul(APART)),
        },
        currency: Currency::iso("EUR")?,
        kind: TransferKind::Transfer,
        code: 0,
        reference: None,
    })
}

/// A short and a long history, read in turns.
pub(super) async fn measure(long: u32) -> Result<Vec<Past>> {
    let emulator = Emulator::start();
    emulator.table("past").await?;
    let history = emulator.history("past")?;
    let lengths = [(account(1), SHORT), (account(2), long)];
    for (account, length) in lengths {
        let mut made: u32 = 0;
        while made < length {
            let next = length.min(made.saturating_add(PIECE));
            let lines: Result<Vec<HistoryLine>> =
                (made..next).map(|number| line(account, number)).collect();
            history.append(&lines?, &[]).await?;
            made = next;
        }
    }
    let mut rng = fastrand::Rng::with_seed(7);
    let mut times = [Histogram::<u64>::new(3)?, Histogram::<u64>::new(3)?];
    let mut requests = [0_u64; 2];
    for _ in 0..ASKED {
        for (((account, length), times), requests) in
            lengths.iter().zip(&mut times).zip(&mut requests)
        {
            // A time after the first entry and before the last.
            let sequence = i64::from(rng.u32(1..*length));
            let at = sequence
                .saturating_mul(APART)
                .saturating_add(rng.i64(0..APART));
            let before = emulator.requests();
            let begin = clock::now();
            let balance =
                balance_at(history.as_ref(), *account, Timestamp::from_micros(at), &[]).await?;
            let micros = clock::now().saturating_duration_since(begin).as_micros();
            times.record(u64::try_from(micros)?)?;
            *requests = requests.saturating_add(emulator.requests().saturating_sub(before));
            if balance.map(|balance| balance.posted) != Some(i128::from(sequence)) {
                return Err(format!("not the balance after entry {sequence}: {balance:?}").into());
            }
        }
    }
    let rows = lengths.iter().zip(times).zip(requests);
    Ok(rows
        .map(|(((_, entries), times), requests)| Past {
            entries: *entries,
            asked: ASKED,
            requests,
            requests_each: share(requests, ASKED.into()),
            p50_ms: share(times.value_at_quantile(0.5), 1_000),
            p99_ms: share(times.value_at_quantile(0.99), 1_000),
        })
        .collect())
}

#[expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "figures for people"
)]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}

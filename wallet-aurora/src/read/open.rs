//! Rows that other transactions have inserted and not committed. An insert of the same row
//! waits for them.

use std::collections::BTreeSet;

use wallet_core::ledger::{AccountKey, CurrencyCode, HoldKey, InLedger, RecordKey, TransferKey};
use wallet_core::request::{Batch, PreparedRequest, ReadSet};
use wallet_core::{HoldId, TransferId};

use super::Reading;
use super::accounts::{ask_numbers, decode_numbers};
use super::currencies::{ask_currencies, decode_currencies};
use crate::error::{Failed, Result};
use crate::run::{Answers, Row, Runner};
use crate::sql::Script;

const KEYS: &str =
    "SELECT ledger, hash FROM wallet_journal FORCE INDEX (wallet_journal_by_key) WHERE ";
const TRANSFERS: &str =
    "SELECT ledger, transfer FROM wallet_journal FORCE INDEX (wallet_journal_by_transfer) WHERE ";
const HOLDS: &str = "SELECT ledger, id FROM wallet_hold FORCE INDEX (PRIMARY) WHERE ";

/// The rows that exist, out of those that a batch may insert.
#[derive(Debug, Default)]
struct Existing {
    keys: BTreeSet<RecordKey>,
    accounts: BTreeSet<AccountKey>,
    transfers: BTreeSet<TransferKey>,
    holds: BTreeSet<HoldKey>,
    currencies: BTreeSet<CurrencyCode>,
}

/// The requests of `batch` that would wait for a row which another transaction has inserted
/// and not committed. The connection must have no open transaction. The rows are read
/// twice, with and without uncommitted ones. The difference is open.
pub(crate) async fn open_requests(
    runner: &mut Runner<'_>,
    batch: &Batch,
) -> std::result::Result<BTreeSet<RecordKey>, Failed> {
    let reads = batch.reads();
    let mut script = Script::default();
    let context = "looking for rows under way";
    script.work(context, |sql| {
        sql.raw("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
    });
    script.begin();
    ask(&mut script, reads);
    script.end_reading();
    ask(&mut script, reads);
    let mut answers = runner.run(&script).await?;
    answers.skip(2);
    let all = decode_existing(&mut answers)?;
    answers.skip(1);
    let committed = decode_existing(&mut answers)?;
    let open = all.without(&committed);
    let requests = batch.requests().iter();
    let waiting = requests.filter(|request| open.is_touched_by(request));
    Ok(waiting.map(|request| request.key()).collect())
}

impl Existing {
    fn without(mut self, other: &Self) -> Self {
        self.keys.retain(|key| !other.keys.contains(key));
        self.accounts.retain(|key| !other.accounts.contains(key));
        self.transfers.retain(|key| !other.transfers.contains(key));
        self.holds.retain(|key| !other.holds.contains(key));
        self.currencies
            .retain(|code| !other.currencies.contains(code));
        self
    }

    fn is_touched_by(&self, request: &PreparedRequest) -> bool {
        let mut currencies = request.currencies().iter();
        request.keys().any(|key| self.keys.contains(&key))
            || request
                .accounts()
                .iter()
                .any(|key| self.accounts.contains(key))
            || request
                .transfers()
                .iter()
                .any(|key| self.transfers.contains(key))
            || request.holds().iter().any(|key| self.holds.contains(key))
            || currencies.any(|currency| self.currencies.contains(&currency.code()))
    }
}

/// Asks for all of these rows: five statements.
fn ask(script: &mut Script, reads: &ReadSet) {
    let context = "looking for rows under way";
    script.work(context, |sql| {
        sql.raw(KEYS);
        sql.keyed("ledger", "hash", &reads.keys, |key| (key.ledger, key.hash));
    });
    ask_numbers(script, &reads.accounts, Reading::Consistent);
    script.work(context, |sql| {
        let parts = |key: &TransferKey| (key.ledger, *key.id.as_bytes());
        sql.raw(TRANSFERS);
        sql.keyed("ledger", "transfer", &reads.transfers, parts);
    });
    script.work(context, |sql| {
        let parts = |key: &HoldKey| (key.ledger, *key.id.as_bytes());
        sql.raw(HOLDS);
        sql.keyed("ledger", "id", &reads.holds, parts);
    });
    ask_currencies(script, &reads.currencies, Reading::Consistent);
}

fn decode_existing(answers: &mut Answers) -> Result<Existing> {
    let key = |row: &Row| {
        let (ledger, hash) = (row.ledger(0)?, row.array(1)?);
        Ok(RecordKey { ledger, hash })
    };
    let transfer = |row: &Row| {
        let id = row.id(1, TransferId::from_bytes)?;
        Ok(InLedger::new(row.ledger(0)?, id))
    };
    let hold = |row: &Row| {
        Ok(InLedger::new(
            row.ledger(0)?,
            row.id(1, HoldId::from_bytes)?,
        ))
    };
    let keys: Result<BTreeSet<RecordKey>> = answers.rows().iter().map(key).collect();
    let accounts = decode_numbers(answers)?.into_iter().map(|(key, _)| key);
    let accounts = accounts.collect();
    let transfers: Result<BTreeSet<TransferKey>> = answers.rows().iter().map(transfer).collect();
    let holds: Result<BTreeSet<HoldKey>> = answers.rows().iter().map(hold).collect();
    let currencies = decode_currencies(answers)?.into_iter();
    Ok(Existing {
        keys: keys?,
        accounts,
        transfers: transfers?,
        holds: holds?,
        currencies: currencies.map(|currency| currency.code()).collect(),
    })
}

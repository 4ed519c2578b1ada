//! The ledger store of the core, implemented by [`AuroraStore`]. Each call goes to the
//! writer or to a reader.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::ledger::{
    AccountKey, Epochs, HoldKey, PastBalance, RaisedBy, RaisedEpoch, Record, RecordKey,
    TransferKey, TransferWithReversals,
};
use wallet_core::request::{Batch, ReadSet};
use wallet_core::store::{
    AccountQuery, CaptureQuery, Committed, HoldQuery, HoldReferenceQuery, LedgerStore, Limits,
    PendingSums, Purge, ReferenceQuery, Snapshot, StoreErrorKind, TrialBalance,
};
use wallet_core::{Account, Balance, Entry, EntryQuery, Hold, LedgerId, Timestamp};

use super::reading::{run_writer, sorted};
use super::{AuroraStore, TRIES};
use crate::connect::Wait;
use crate::error::Result;
use crate::past_balance::{Answer, Question};
use crate::pool::Purpose;
use crate::read;
use crate::run::Answers;
use crate::sql::Script;
use crate::{commit, durable, epoch, purge};

#[async_trait]
impl LedgerStore for AuroraStore {
    fn limits(&self) -> Limits {
        self.limits
    }

    async fn transact(&self, batch: Arc<Batch>) -> Result<Committed> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let decided = commit::transact(&mut connection, &batch, &self.numbers, &self.time).await;
        let decided = connection.end(decided).await?;
        Ok(Committed { decided })
    }

    async fn snapshot(&self, reads: &ReadSet) -> Result<Snapshot> {
        for _ in 1..TRIES {
            match self.try_snapshot(reads).await {
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                done => return done,
            }
        }
        self.try_snapshot(reads).await
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<Option<Record>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let sorted = sorted(keys);
        let mut script = Script::default();
        script.begin();
        read::ask_keys_locked(&mut script, &sorted);
        read::ask_records(&mut script, &sorted, read::Reading::Consistent);
        script.end_reading();
        let mut connection = self.writer.acquire(Purpose::Read).await?;
        // The flush must be of the server that was read: one connection does both.
        let found = async {
            let mut answers = run_writer(&mut connection, script).await?;
            answers.skip(2);
            let found = read::decode_records(&mut answers)?;
            if !found.is_empty() {
                durable::write(&mut connection).await?;
            }
            Ok(found)
        };
        let found = found.await;
        let found = connection.end(found).await?;
        let answer = |key: &RecordKey| {
            let place = found.binary_search_by_key(key, |record| record.key);
            found.get(place.ok()?).cloned()
        };
        Ok(keys.iter().map(answer).collect())
    }

    async fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Option<Account>>> {
        let key_of = |account: &Account| account.state.key;
        self.each(keys, read::ask_accounts, read::decode_accounts, key_of)
            .await
    }

    async fn balances(&self, keys: &[AccountKey]) -> Result<Vec<Option<Balance>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let sorted = sorted(keys);
        // The epoch is read first. Rows that are read after it are no older.
        let ask = |script: &mut Script| {
            epoch::ask(script);
            read::ask_accounts(script, &sorted);
            false
        };
        let decode = |answers: &mut Answers| {
            let epoch = epoch::decode(answers)?;
            let found = read::decode_accounts(answers)?.into_iter();
            let found = found.map(|account| Balance::of(&account.state, epoch));
            Ok(found.map(|balance| (balance.account, balance)).collect())
        };
        let found: HashMap<AccountKey, Balance> = self.read(ask, decode).await?;
        Ok(keys.iter().map(|key| found.get(key).copied()).collect())
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>> {
        let ask = |script: &mut Script| {
            read::ask_account_list(script, query);
            false
        };
        self.read_long(ask, read::decode_accounts).await
    }

    async fn transfers(&self, keys: &[TransferKey]) -> Result<Vec<Option<TransferWithReversals>>> {
        let key_of = |found: &TransferWithReversals| found.transfer.key;
        let ask = |script: &mut Script, keys: &[TransferKey]| {
            read::ask_transfers(script, keys, read::Reading::Consistent);
        };
        self.each(keys, ask, read::decode_transfers, key_of).await
    }

    async fn list_transfers(&self, query: &ReferenceQuery) -> Result<Vec<TransferWithReversals>> {
        let ask = |script: &mut Script| {
            read::ask_transfer_list(script, query);
            true
        };
        self.read_long(ask, read::decode_transfers).await
    }

    async fn holds(&self, keys: &[HoldKey]) -> Result<Vec<Option<Hold>>> {
        let key_of = |hold: &Hold| hold.key;
        let ask = |script: &mut Script, keys: &[HoldKey]| {
            read::ask_holds(script, keys, read::Reading::Consistent);
        };
        self.each(keys, ask, read::decode_holds, key_of).await
    }

    async fn list_holds(&self, query: &HoldQuery) -> Result<Vec<Hold>> {
        let mut asked = Script::default();
        let statements = read::ask_hold_list(&mut asked, query);
        let ask = |script: &mut Script| {
            script.append(asked);
            true
        };
        let decode = |answers: &mut Answers| read::decode_hold_list(answers, statements, query);
        self.read_long(ask, decode).await
    }

    async fn referenced_holds(&self, query: &HoldReferenceQuery) -> Result<Vec<Hold>> {
        let ask = |script: &mut Script| {
            read::ask_referenced(script, query);
            false
        };
        self.read_long(ask, read::decode_holds).await
    }

    async fn captures(&self, query: &CaptureQuery) -> Result<Vec<TransferWithReversals>> {
        let ask = |script: &mut Script| {
            read::ask_captures(script, query);
            true
        };
        self.read_long(ask, read::decode_transfers).await
    }

    async fn expired_holds(&self, limit: u32) -> Result<Vec<HoldKey>> {
        let ask = |script: &mut Script| {
            read::ask_expired(script, &self.time, limit);
            false
        };
        self.read_long(ask, read::decode_expired).await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>> {
        let ask = |script: &mut Script| {
            read::ask_page(script, query);
            false
        };
        let decode = |answers: &mut Answers| read::decode_entries(answers, query.account);
        self.read_long(ask, decode).await
    }

    async fn balance_at(&self, account: AccountKey, at: Timestamp) -> Result<Option<PastBalance>> {
        let question = Question { account, at };
        question.check(self.now().await?)?;
        let ask = |script: &mut Script| {
            question.ask(script);
            true
        };
        match self.read(ask, |answers| question.decode(answers)).await? {
            Answer::Known(balance) => Ok(balance),
            Answer::TooRecent => self.settled(question).await,
        }
    }

    async fn ledgers(&self) -> Result<Vec<LedgerId>> {
        let ask = |script: &mut Script| {
            read::ask_ledgers(script);
            false
        };
        self.read_long(ask, read::decode_ledgers).await
    }

    async fn trial_balance(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>> {
        self.trial_balance_of(ledger).await
    }

    async fn epochs(&self) -> Result<Epochs> {
        let ask = |script: &mut Script| {
            epoch::ask_all(script);
            false
        };
        self.read(ask, epoch::decode_all).await
    }

    async fn raise_epoch(&self, restored_to: Timestamp, by: &RaisedBy) -> Result<RaisedEpoch> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let raised = epoch::raise(&mut connection, restored_to, by, &self.time).await;
        connection.end(raised).await
    }

    async fn probe(&self) -> Result<()> {
        let mut connection = self.writer.acquire(Purpose::Commit).await?;
        let probed = durable::write(&mut connection).await;
        connection.end(probed).await
    }

    async fn pending_sums(&self, accounts: &[AccountKey]) -> Result<Vec<Option<PendingSums>>> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.writer.acquire(Purpose::Read).await?.for_a(Wait::Long);
        let sums = read::pending_sums(&mut connection, &sorted(accounts)).await;
        let sums = connection.end(sums).await?;
        Ok(accounts.iter().map(|key| sums.get(key).copied()).collect())
    }

    async fn purgeable(&self, purge: Purge) -> Result<u64> {
        let now = self.now().await?;
        let mut connection = self.writer.acquire(Purpose::Read).await?.for_a(Wait::Long);
        let counted = match purge {
            Purge::Records { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::count_records(&mut connection, bound, limit).await
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::count_delivered(&mut connection, bound, limit).await
            }
        };
        connection.end(counted).await
    }

    async fn purge(&self, purge: Purge) -> Result<u64> {
        let now = self.now().await?;
        let mut connection = self.writer.acquire(Purpose::Read).await?.for_a(Wait::Long);
        let done = match purge {
            Purge::Records { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::records(&mut connection, bound, limit).await
            }
            Purge::DeliveredEvents { older_than, limit } => {
                let bound = now.saturating_sub(older_than);
                purge::delivered(&mut connection, bound, limit).await
            }
        };
        connection.end(done).await
    }
}

//! Finds a server that is fresh enough for a read, and reads one consistent state.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use wallet_core::ledger::{Epoch, Freshness};
use wallet_core::request::ReadSet;
use wallet_core::store::{Snapshot, StoreErrorKind, TrialBalance};
use wallet_core::{Account, LedgerId, StoreError, Timestamp};

use super::AuroraStore;
use crate::connect::Role;
use crate::connect::Wait;
use crate::error::{Failed, Result};
use crate::pool::{Pool, PooledConnection, Purpose};
use crate::read::{self, Locking, Numbers, Plan, Reading};
use crate::run::{Answers, Row};
use crate::sql::Script;
use crate::{epoch, freshness};

impl AuroraStore {
    /// Reads with one script from a server that is fresh enough. Several statements see one
    /// consistent state.
    pub(super) async fn read<T>(
        &self,
        ask: impl FnOnce(&mut Script) -> bool,
        decode: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        self.read_for(Wait::Answer, ask, decode).await
    }

    /// Like [`read`](Self::read), for reads of many rows.
    pub(super) async fn read_long<T>(
        &self,
        ask: impl FnOnce(&mut Script) -> bool,
        decode: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        self.read_for(Wait::Long, ask, decode).await
    }

    async fn read_for<T>(
        &self,
        wait: Wait,
        ask: impl FnOnce(&mut Script) -> bool,
        decode: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        let mut asked = Script::default();
        let is_one_state = ask(&mut asked);
        let keys = freshness::keys(&self.freshness);
        if !keys.is_empty() {
            let mut guarded = Script::default();
            epoch::ask(&mut guarded);
            read::ask_accounts(&mut guarded, &keys);
            guarded.append(asked.clone());
            let mut answers = run_on(&self.reader, wait, guarded, true).await?;
            let epoch = epoch::decode(&mut answers)?;
            let found = read::decode_accounts(&mut answers)?;
            if freshness::accepts(&self.freshness, epoch, &found) {
                return decode(&mut answers);
            }
        }
        let pool = match &self.freshness {
            Freshness::Cached => &self.reader,
            Freshness::AtLeast(_) | Freshness::Strong => &self.writer,
        };
        decode(&mut run_on(pool, wait, asked, is_one_state).await?)
    }

    /// The trial balance of a ledger, from a server that is fresh enough.
    pub(super) async fn trial_balance_of(&self, ledger: LedgerId) -> Result<Vec<TrialBalance>> {
        let keys = freshness::keys(&self.freshness);
        let pools = match &self.freshness {
            Freshness::Cached => [Some(&self.reader), None],
            Freshness::AtLeast(_) if !keys.is_empty() => [Some(&self.reader), Some(&self.writer)],
            Freshness::AtLeast(_) | Freshness::Strong => [None, Some(&self.writer)],
        };
        for pool in pools.into_iter().flatten() {
            let is_writer = Arc::ptr_eq(pool, &self.writer);
            let mut connection = pool.acquire(Purpose::Read).await?.for_a(Wait::Long);
            let is_enough = |epoch: Epoch, found: &[Account]| {
                is_writer || freshness::accepts(&self.freshness, epoch, found)
            };
            let sums = read::trial_balance(&mut connection, ledger, &keys, is_enough).await;
            let sums = match sums {
                Ok(sums) if pool.target.role == Role::Writer => {
                    still_writes(&mut connection).await.map(|()| sums)
                }
                sums => sums,
            };
            if let Some(sums) = connection.end(sums).await? {
                return Ok(sums);
            }
        }
        let context = "no server is fresh enough";
        Err(StoreError::new(StoreErrorKind::Internal, context))
    }

    /// One answer per key, in the order of the keys.
    pub(super) async fn each<K, V>(
        &self,
        keys: &[K],
        ask: fn(&mut Script, &[K]),
        decode: fn(&mut Answers) -> Result<Vec<V>>,
        key_of: fn(&V) -> K,
    ) -> Result<Vec<Option<V>>>
    where
        K: Copy + Ord + Hash,
        V: Clone,
    {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let sorted = sorted(keys);
        let found = self.read(
            |script| {
                ask(script, &sorted);
                script.steps.len() > 1
            },
            decode,
        );
        let found = found.await?.into_iter();
        let found: HashMap<K, V> = found.map(|value| (key_of(&value), value)).collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    pub(super) async fn now(&self) -> Result<Timestamp> {
        let time = &self.time;
        let mut script = Script::default();
        time.ask(&mut script);
        time.decode(&mut run_on(&self.writer, Wait::Answer, script, false).await?)
    }

    pub(super) async fn try_snapshot(&self, reads: &ReadSet) -> Result<Snapshot> {
        let pool = match &self.freshness {
            Freshness::Cached => &self.reader,
            Freshness::AtLeast(_) | Freshness::Strong => &self.writer,
        };
        let mut connection = pool.acquire(Purpose::Read).await?;
        let read = self.read_snapshot(&mut connection, reads).await;
        let read = match read {
            Ok(snapshot) if pool.target.role == Role::Writer => {
                still_writes(&mut connection).await.map(|()| snapshot)
            }
            read => read,
        };
        connection.end(read).await
    }

    async fn read_snapshot(
        &self,
        connection: &mut PooledConnection,
        reads: &ReadSet,
    ) -> std::result::Result<Snapshot, Failed> {
        // A reader may not have an account yet that the writer's cache knows.
        let numbers = Mutex::new(Numbers::new(usize::MAX));
        let resolved = read::resolve(&mut connection.runner()?, reads, &numbers).await?;
        let plan = Plan {
            reads,
            resolved: &resolved,
            locking: Locking::None,
            kept: &[],
            reading: Reading::Consistent,
            time: &self.time,
        };
        let mut script = Script::default();
        script.begin_reading();
        let before = script.steps.len();
        plan.ask(&mut script);
        script.end_reading();
        let mut answers = connection.run(&script).await?;
        answers.skip(before);
        let decoded = plan.decode(&mut answers)?;
        let (snapshot, _) = decoded.ok_or_else(|| {
            let context = "the accounts changed while they were read";
            StoreError::new(StoreErrorKind::Conflict, context)
        })?;
        Ok(snapshot)
    }
}

/// Runs a script of reads. Uses a transaction if the script must see one consistent state.
async fn run_on(
    pool: &Arc<Pool>,
    wait: Wait,
    asked: Script,
    is_one_state: bool,
) -> Result<Answers> {
    let mut script = Script::default();
    if is_one_state {
        script.begin_reading();
    }
    let before = script.steps.len();
    script.append(asked);
    if is_one_state {
        script.end_reading();
    }
    let mut connection = pool.acquire(Purpose::Read).await?.for_a(wait);
    let mut answers = match pool.target.role {
        Role::Writer => ask_writer(connection, script).await?,
        Role::Reader => {
            let answers = connection.run(&script).await;
            connection.end(answers).await?
        }
    };
    answers.skip(before);
    Ok(answers)
}

/// Runs reads that must come from the writer. The last statement of the packet asks whether
/// the server still takes writes. After a failover the old writer still answers for a
/// while, with outdated data.
async fn ask_writer(mut connection: PooledConnection, script: Script) -> Result<Answers> {
    let answers = run_writer(&mut connection, script).await;
    connection.end(answers).await
}

/// The same on a connection that the caller goes on with.
pub(super) async fn run_writer(
    connection: &mut PooledConnection,
    mut script: Script,
) -> std::result::Result<Answers, Failed> {
    let statements = script.steps.len();
    ask_writes(&mut script);
    let mut answers = connection.run(&script).await?;
    if decode_writes(&answers.split_off(statements)?)? {
        return Err(Failed::read_only());
    }
    Ok(answers)
}

/// Checks that the server still takes writes, after reads of several packets.
async fn still_writes(connection: &mut PooledConnection) -> std::result::Result<(), Failed> {
    let mut script = Script::default();
    ask_writes(&mut script);
    let row = connection.run(&script).await?.row()?;
    if decode_writes(&row)? {
        return Err(Failed::read_only());
    }
    Ok(())
}

fn ask_writes(script: &mut Script) {
    script.work("asking whether the server is the writer", |sql| {
        sql.raw("SELECT @@read_only, @@innodb_read_only");
    });
}

/// Whether the server takes no writes.
fn decode_writes(row: &Row) -> Result<bool> {
    Ok(row.flag(0)? || row.flag(1)?)
}

pub(super) fn sorted<K: Copy + Ord>(keys: &[K]) -> Vec<K> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

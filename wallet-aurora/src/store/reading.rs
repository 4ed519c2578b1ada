//! How reads find a server that is fresh enough, and one state of the books.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use wallet_core::{Freshness, Reads, Snapshot, Timestamp};

use super::AuroraStore;
use crate::error::{Failed, Result};
use crate::freshness;
use crate::pool::{Lent, Pool};
use crate::read::{self, Locking, Plan};
use crate::run::Answers;
use crate::sql::Script;

impl AuroraStore {
    /// Reads what one script asks for, from a server that is fresh enough. More
    /// than one statement sees one state.
    pub(super) async fn read<T>(
        &self,
        ask: impl FnOnce(&mut Script) -> bool,
        told: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        let mut asked = Script::default();
        let is_one_state = ask(&mut asked);
        let keys = freshness::keys(&self.freshness);
        if !keys.is_empty() {
            let mut guarded = Script::default();
            read::ask_accounts(&mut guarded, &keys);
            guarded.append(asked.clone());
            let mut answers = run_on(&self.reader, guarded, true).await?;
            if freshness::accepts(&self.freshness, &read::told_accounts(&mut answers)?) {
                return told(&mut answers);
            }
        }
        let pool = match &self.freshness {
            Freshness::Cached => &self.reader,
            Freshness::AtLeast(_) | Freshness::Strong => &self.writer,
        };
        told(&mut run_on(pool, asked, is_one_state).await?)
    }

    /// One answer per key, in the order asked.
    pub(super) async fn each<K, V>(
        &self,
        keys: &[K],
        ask: fn(&mut Script, &[K]),
        told: fn(&mut Answers) -> Result<Vec<V>>,
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
            told,
        );
        let found = found.await?.into_iter();
        let found: HashMap<K, V> = found.map(|value| (key_of(&value), value)).collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    pub(super) async fn now(&self) -> Result<Timestamp> {
        let time = &self.time;
        let mut script = Script::default();
        time.ask(&mut script);
        time.told(&mut run_on(&self.writer, script, false).await?)
    }

    pub(super) async fn try_snapshot(&self, reads: &Reads) -> Result<Snapshot> {
        let pool = match &self.freshness {
            Freshness::Cached => &self.reader,
            Freshness::AtLeast(_) | Freshness::Strong => &self.writer,
        };
        let mut lent = pool.lend().await?;
        let read = self.read_snapshot(&mut lent, reads).await;
        lent.end(read).await
    }

    async fn read_snapshot(
        &self,
        lent: &mut Lent,
        reads: &Reads,
    ) -> std::result::Result<Snapshot, Failed> {
        let resolved = read::resolve(&mut lent.runner()?, reads, &self.numbers).await?;
        let plan = Plan {
            reads,
            resolved: &resolved,
            locking: Locking::None,
            kept: &[],
            time: &self.time,
        };
        let mut script = Script::default();
        script.begin_reading();
        let before = script.steps.len();
        plan.ask(&mut script);
        script.end_reading();
        let mut answers = lent.run(&script).await?;
        answers.skip(before);
        Ok(plan.told(&mut answers)?)
    }
}

/// Runs what only reads; where it must see one state, in a transaction.
async fn run_on(pool: &Arc<Pool>, asked: Script, is_one_state: bool) -> Result<Answers> {
    let mut script = Script::default();
    if is_one_state {
        script.begin_reading();
    }
    let before = script.steps.len();
    script.append(asked);
    if is_one_state {
        script.end_reading();
    }
    let mut lent = pool.lend().await?;
    let answers = lent.run(&script).await;
    let mut answers = lent.end(answers).await?;
    answers.skip(before);
    Ok(answers)
}

pub(super) fn sorted<K: Copy + Ord>(keys: &[K]) -> Vec<K> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

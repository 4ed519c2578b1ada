//! A host's transaction on a store in memory. There are no tables of a host, so it runs no
//! statements.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;

use super::Tables;
use super::store::{CommitPolicy, Shared, Store};
use crate::decide::decide;
use crate::ledger::{Decided, Timestamp};
use crate::request::{Batch, PreparedRequest};
use crate::store::{
    Applied, ApplyError, ChangeSet, HostTransaction, HostTransactions, SqlRow, SqlValue,
    StatementError, StoreError, StoreErrorKind,
};

#[async_trait]
impl<P: CommitPolicy + Clone> HostTransactions for Store<P> {
    async fn begin(&self) -> Result<Box<dyn HostTransaction>, StoreError> {
        Ok(Box::new(Transaction {
            store: self.clone(),
            staged: Vec::new(),
        }))
    }

    async fn run_alone(&self, _: &str) -> Result<(), ApplyError> {
        Err(no_tables().into())
    }
}

fn no_tables() -> StatementError {
    StatementError::new("a store in memory has no tables of a host")
}

/// Requests that were decided and not committed. The commit decides them again on the
/// tables of its time. If anything would be decided otherwise, it is a conflict.
#[derive(Debug)]
struct Transaction<P: CommitPolicy> {
    store: Store<P>,
    staged: Vec<Staged>,
}

#[derive(Debug)]
struct Staged {
    batch: Batch,
    at: Timestamp,
    decided: Vec<Decided>,
}

impl Staged {
    /// Decides the batch on `tables` and writes it there, if it is decided as before.
    fn repeat(&self, tables: &mut Tables, policy: &impl CommitPolicy) -> Result<(), StoreError> {
        let (decided, changes) = decided(&self.batch, self.at, tables, policy);
        if decided != self.decided {
            let context = "the books changed during the host's transaction";
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        tables.apply(&changes, self.at)
    }
}

fn decided(
    batch: &Batch,
    at: Timestamp,
    tables: &Tables,
    policy: &impl CommitPolicy,
) -> (Vec<Decided>, ChangeSet) {
    let snapshot = tables.snapshot(batch.reads(), at, |account| policy.is_free(account));
    let decision = decide(batch, &snapshot);
    (decision.decided, decision.changes)
}

impl<P: CommitPolicy> Transaction<P> {
    fn shared(&self) -> &Shared {
        self.store.shared()
    }

    /// The tables as this transaction sees them.
    fn tables(&self) -> Result<Tables, StoreError> {
        let mut tables = self.shared().tables().clone();
        for staged in &self.staged {
            staged.repeat(&mut tables, self.store.policy())?;
        }
        Ok(tables)
    }
}

#[async_trait]
impl<P: CommitPolicy> HostTransaction for Transaction<P> {
    async fn execute(&mut self, _: &str, _: &[SqlValue]) -> Result<u64, ApplyError> {
        Err(no_tables().into())
    }

    async fn query(&mut self, _: &str, _: &[SqlValue]) -> Result<Vec<SqlRow>, ApplyError> {
        Err(no_tables().into())
    }

    async fn apply(&mut self, requests: &[Arc<PreparedRequest>]) -> Result<Applied, ApplyError> {
        let batch = Batch::new(requests.to_vec());
        if batch.requests().len() != requests.len() {
            let context = "two requests have the same key";
            return Err(StoreError::new(StoreErrorKind::Invalid, context).into());
        }
        let tables = self.tables()?;
        let at = self.shared().now();
        let (decided, changes) = decided(&batch, at, &tables, self.store.policy());
        let applied = Applied::new(decided.clone(), changes.accepted);
        applied.accepted()?;
        self.staged.push(Staged { batch, at, decided });
        Ok(applied)
    }

    async fn commit(self: Box<Self>) -> Result<(), ApplyError> {
        let mut tables = self.shared().tables();
        let mut changed = tables.clone();
        for staged in &self.staged {
            staged.repeat(&mut changed, self.store.policy())?;
        }
        *tables = changed;
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<(), ApplyError> {
        Ok(())
    }

    fn inner(&mut self) -> &mut dyn Any {
        self
    }
}

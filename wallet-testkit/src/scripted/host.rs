//! A host's transaction whose commit goes wrong as a test says.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use wallet_core::StoreError;
use wallet_core::request::PreparedRequest;
use wallet_core::store::{
    Applied, ApplyError, HostTransaction, HostTransactions, SqlRow, SqlValue,
};

use super::{Ending, ScriptedStore};

#[async_trait]
impl<S: HostTransactions> HostTransactions for ScriptedStore<S> {
    async fn begin(&self) -> Result<Box<dyn HostTransaction>, StoreError> {
        let inner = self.store.begin().await?;
        let store = self.clone();
        Ok(Box::new(Scripted { inner, store }))
    }

    async fn run_alone(&self, sql: &str) -> Result<(), ApplyError> {
        self.store.run_alone(sql).await
    }
}

#[derive(Debug)]
struct Scripted<S> {
    inner: Box<dyn HostTransaction>,
    store: ScriptedStore<S>,
}

#[async_trait]
impl<S: HostTransactions> HostTransaction for Scripted<S> {
    async fn execute(&mut self, sql: &str, values: &[SqlValue]) -> Result<u64, ApplyError> {
        self.inner.execute(sql, values).await
    }

    async fn query(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<SqlRow>, ApplyError> {
        self.inner.query(sql, values).await
    }

    async fn apply(&mut self, requests: &[Arc<PreparedRequest>]) -> Result<Applied, ApplyError> {
        self.inner.apply(requests).await
    }

    async fn commit(self: Box<Self>) -> Result<(), ApplyError> {
        match self.store.ending().await? {
            Ending::Answered => self.inner.commit().await,
            Ending::AnswerLost => {
                self.inner.commit().await?;
                Err(Ending::unknown().into())
            }
            Ending::NotDone => {
                // Nothing of it may stay open.
                let _ = self.inner.rollback().await;
                Err(Ending::unknown().into())
            }
        }
    }

    async fn rollback(self: Box<Self>) -> Result<(), ApplyError> {
        self.inner.rollback().await
    }

    fn inner(&mut self) -> &mut dyn Any {
        self.inner.inner()
    }
}

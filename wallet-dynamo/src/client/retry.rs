//! Retries with backoff around the DynamoDB calls.

use crate::keys::Item;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use wallet_core::runtime::Clock;

use super::api::{Api, Query, Rise};
use super::error::CallError;
use crate::DynamoSettings;

/// The most rows that DynamoDB writes in a call.
const WRITES: usize = 25;
/// The most rows that DynamoDB reads by key in a call.
const READS: usize = 100;

/// Retries calls with backoff, a bounded number of times. It retries calls that were
/// throttled, not processed or lost. Every call here is idempotent.
#[derive(Debug, Clone)]
pub(crate) struct RetryingClient {
    api: Arc<dyn Api>,
    clock: Arc<dyn Clock>,
    settings: DynamoSettings,
}

impl RetryingClient {
    pub(crate) fn new(api: Arc<dyn Api>, clock: Arc<dyn Clock>, settings: DynamoSettings) -> Self {
        Self {
            api,
            clock,
            settings,
        }
    }

    /// Writes rows, with several calls in flight.
    pub(crate) async fn write(&self, table: &str, items: Vec<Item>) -> Result<(), CallError> {
        let calls: Vec<Vec<Item>> = items.chunks(WRITES).map(<[Item]>::to_vec).collect();
        let calls = calls.into_iter().map(|items| self.write_one(table, items));
        let calls = stream::iter(calls).buffer_unordered(self.settings.calls_max);
        calls.try_collect().await
    }

    async fn write_one(&self, table: &str, mut items: Vec<Item>) -> Result<(), CallError> {
        let mut tries = RetryBudget::new(self);
        loop {
            match self.api.write(table, items.clone()).await {
                Ok(left) if left.is_empty() => return Ok(()),
                Ok(left) => {
                    tries.begin_again_after(left.len() < items.len());
                    let count = left.len();
                    items = left;
                    let reason = || CallError::Throttled(format!("{count} rows not processed"));
                    tries.pause_or(reason).await?;
                }
                Err(error) => tries.pause_after(error).await?,
            }
        }
    }

    /// Reads rows by their keys, in no particular order. The keys must differ.
    pub(crate) async fn read(&self, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, CallError> {
        let calls: Vec<Vec<Item>> = keys.chunks(READS).map(<[Item]>::to_vec).collect();
        let calls = calls.into_iter().map(|keys| self.read_one(table, keys));
        let calls = stream::iter(calls).buffer_unordered(self.settings.calls_max);
        let found: Vec<Vec<Item>> = calls.try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn read_one(&self, table: &str, mut keys: Vec<Item>) -> Result<Vec<Item>, CallError> {
        let mut tries = RetryBudget::new(self);
        let mut all = Vec::with_capacity(keys.len());
        loop {
            match self.api.read(table, keys.clone()).await {
                Ok((found, left)) => {
                    tries.begin_again_after(left.len() < keys.len());
                    all.extend(found);
                    if left.is_empty() {
                        return Ok(all);
                    }
                    keys = left;
                    let reason = || CallError::Throttled("keys not processed".to_owned());
                    tries.pause_or(reason).await?;
                }
                Err(error) => tries.pause_after(error).await?,
            }
        }
    }

    /// Reads the rows of a query up to its limit, over any number of pages.
    pub(crate) async fn query(&self, mut query: Query) -> Result<Vec<Item>, CallError> {
        let mut all = Vec::new();
        loop {
            let (found, next) = self.again(|| self.api.query(&query)).await?;
            let count = i32::try_from(found.len()).unwrap_or(i32::MAX);
            all.extend(found);
            query.limit = query.limit.saturating_sub(count);
            if next.is_none() || query.limit <= 0 {
                return Ok(all);
            }
            query.start = next;
        }
    }

    /// Sets a number of existing rows.
    pub(crate) async fn set(
        &self,
        table: &str,
        keys: Vec<Item>,
        attribute: &'static str,
        number: i64,
    ) -> Result<(), CallError> {
        let value = aws_sdk_dynamodb::types::AttributeValue::N(number.to_string());
        let calls = keys.into_iter().map(|key| {
            let value = value.clone();
            self.again(move || self.api.set(table, key.clone(), attribute, value.clone()))
        });
        let calls = stream::iter(calls).buffer_unordered(self.settings.calls_max);
        calls.try_collect().await
    }

    /// Writes rows with a conditional write. Returns whether these very calls wrote all of
    /// them. A row that was not written is older than the existing row, or an answer was
    /// lost.
    pub(crate) async fn raise(
        &self,
        table: &str,
        items: Vec<Item>,
        rise: Rise,
    ) -> Result<bool, CallError> {
        let calls = items
            .into_iter()
            .map(|item| self.again(move || self.api.raise(table, item.clone(), rise)));
        let calls = stream::iter(calls).buffer_unordered(self.settings.calls_max);
        calls.try_fold(true, async |all, one| Ok(all && one)).await
    }

    /// Makes one attempt to insert rows in a transaction. The caller decides about a
    /// repetition.
    pub(crate) async fn insert(&self, table: &str, items: Vec<Item>) -> Result<(), CallError> {
        self.api.insert(table, items).await
    }

    async fn again<T, F>(&self, call: impl Fn() -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut tries = RetryBudget::new(self);
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => tries.pause_after(error).await?,
            }
        }
    }

    /// Sleeps with backoff after this number of failures.
    pub(crate) async fn pause(&self, failures: u32) {
        let retry = self.settings.retry;
        let pause = retry.pause_with_jitter(failures, fastrand::u64(..));
        self.clock.sleep(pause).await;
    }
}

/// Counts the attempts of a call.
struct RetryBudget<'a> {
    caller: &'a RetryingClient,
    failures: u32,
}

impl<'a> RetryBudget<'a> {
    const fn new(caller: &'a RetryingClient) -> Self {
        Self {
            caller,
            failures: 0,
        }
    }

    /// After partial success, counts the next failure as the first.
    const fn begin_again_after(&mut self, was_done: bool) {
        if was_done {
            self.failures = 0;
        }
    }

    async fn pause_after(&mut self, error: CallError) -> Result<(), CallError> {
        if !error.is_passing() {
            return Err(error);
        }
        self.pause_or(|| error).await
    }

    async fn pause_or(&mut self, error: impl FnOnce() -> CallError) -> Result<(), CallError> {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.caller.settings.attempts_max {
            return Err(error());
        }
        self.caller.pause(self.failures).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

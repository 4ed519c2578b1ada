//! Runs the work of a call on the thread that it belongs to.

use std::sync::Arc;

use rusqlite::Connection;
use wallet_core::ledger::PastBalance;
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, Timestamp};

use super::SqliteStore;
use crate::commit::{in_file, read_in_file};
use crate::deferred::Books;
use crate::error::Result;
use crate::past_balance::Question;
use crate::threads::Threads;

impl SqliteStore {
    /// Runs `work` in a transaction that holds the write lock, and commits it.
    pub(crate) async fn write<T, E>(
        &self,
        work: impl FnOnce(&Books<'_>, Timestamp) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (clock, lock_wait) = (Arc::clone(&self.ledger.clock), self.lock_wait);
        let (file, deltas) = (
            Arc::clone(&self.ledger.file),
            Arc::clone(&self.ledger.deltas),
        );
        let job = move |writer: &mut Connection| {
            in_file(&file, writer, lock_wait, |open| {
                work(&deltas.books(open)?, clock.now())
            })
        };
        self.writer.run(job).await
    }

    /// Runs `work` on one consistent state, without locks.
    pub(crate) async fn read<T, E>(
        &self,
        work: impl FnOnce(&Books<'_>) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.read_on(&self.readers, work).await
    }

    /// Like `read`, for small reads. A commit may need such a read, so it never waits
    /// behind large reads.
    pub(super) async fn find<T>(
        &self,
        work: impl FnOnce(&Books<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
    {
        self.read_on(&self.finders, work).await
    }

    async fn read_on<T, E>(
        &self,
        threads: &Threads,
        work: impl FnOnce(&Books<'_>) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (file, deltas) = (
            Arc::clone(&self.ledger.file),
            Arc::clone(&self.ledger.deltas),
        );
        let job = move |reader: &mut Connection| {
            read_in_file(&file, reader, |state| work(&deltas.books(state)?))
        };
        threads.ask(job).await
    }

    /// Answers a question under the write lock, together with all other waiting ones.
    pub(crate) async fn settle(&self, question: Question) -> Result<Option<PastBalance>> {
        let settlements = Arc::clone(&self.settlements);
        let answered = settlements.add(question);
        let (clock, lock_wait) = (Arc::clone(&self.ledger.clock), self.lock_wait);
        let (file, deltas) = (
            Arc::clone(&self.ledger.file),
            Arc::clone(&self.ledger.deltas),
        );
        let job = move |writer: &mut Connection| {
            settlements.settle(|answer| {
                in_file(&file, writer, lock_wait, |open| {
                    answer(&deltas.books(open)?, clock.now())
                })
            });
            Ok::<(), StoreError>(())
        };
        self.writer.run(job).await?;
        let lost = |_| StoreError::new(StoreErrorKind::Unavailable, "the question was dropped");
        answered.await.map_err(lost)?
    }

    /// One answer per key, in the order of the keys.
    pub(super) async fn each<K, T>(
        &self,
        keys: &[K],
        one: impl Fn(&Books<'_>, K) -> Result<Option<T>> + Send + 'static,
    ) -> Result<Vec<Option<T>>>
    where
        K: Copy + Send + 'static,
        T: Send + 'static,
    {
        let keys = keys.to_vec();
        let work = move |books: &Books<'_>| keys.into_iter().map(|key| one(books, key)).collect();
        self.find(work).await
    }
}

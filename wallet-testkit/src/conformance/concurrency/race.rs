//! Sends requests from several threads at once, and counts what was accepted.

use std::sync::{Arc, Barrier, Mutex};

use crate::StoreKit;
use wallet_core::ledger::Decided;
use wallet_core::request::PreparedRequest;
use wallet_core::{Command, Outcome, Request};

pub(super) const THREADS: usize = 4;

impl StoreKit {
    /// Submits the requests of each list on a separate thread, concurrently, each
    /// list in its order. Returns the answers in the order of the lists.
    pub(super) fn race(&self, lists: Vec<Vec<Request>>) -> Vec<Vec<Decided>> {
        let start = Barrier::new(lists.len());
        let answers: Vec<Mutex<Vec<Decided>>> = lists.iter().map(|_| Mutex::default()).collect();
        std::thread::scope(|scope| {
            for (list, answers) in lists.into_iter().zip(&answers) {
                let start = &start;
                scope.spawn(move || {
                    self.factory().block_on(Box::pin(async {
                        start.wait();
                        for request in list {
                            let decided = self.submit(request).await;
                            answers.lock().unwrap().push(decided);
                        }
                    }));
                });
            }
        });
        let answers = answers.into_iter();
        answers.map(|list| list.into_inner().unwrap()).collect()
    }

    /// Passes each list of prepared requests to the store on a separate thread,
    /// concurrently. Returns the answers in the order of the lists.
    pub(super) fn race_prepared(&self, lists: Vec<Vec<Arc<PreparedRequest>>>) -> Vec<Vec<Decided>> {
        let start = Barrier::new(lists.len());
        let answers: Vec<Mutex<Vec<Decided>>> = lists.iter().map(|_| Mutex::default()).collect();
        std::thread::scope(|scope| {
            for (list, answers) in lists.into_iter().zip(&answers) {
                let start = &start;
                scope.spawn(move || {
                    self.factory().block_on(Box::pin(async {
                        start.wait();
                        *answers.lock().unwrap() = self.transact(list).await;
                    }));
                });
            }
        });
        let answers = answers.into_iter();
        answers.map(|list| list.into_inner().unwrap()).collect()
    }

    /// The same, with every thread sending the same commands under fresh keys.
    pub(super) fn race_commands(&self, per_thread: usize, command: &Command) -> Vec<Arc<Outcome>> {
        let one = || Request::new(self.fresh_key(), command.clone());
        let list = || (0..per_thread).map(|_| one()).collect();
        let answers = self.race((0..THREADS).map(|_| list()).collect());
        answers
            .into_iter()
            .flatten()
            .map(crate::store_kit::fresh)
            .collect()
    }
}

pub(super) fn accepted(outcomes: &[Arc<Outcome>]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| outcome.result.is_ok())
        .count()
}

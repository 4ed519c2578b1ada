use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Call, Did, Seen};
use wallet_core::ledger::AccountKey;

/// Records the calls of any number of clients, in the order of their starts and
/// ends.
#[derive(Debug, Default)]
pub struct Recorder {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    now: u64,
    calls: Vec<Call>,
}

impl State {
    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
}

impl Recorder {
    /// An empty recorder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the start of a call. The returned number is passed in with its
    /// result.
    #[must_use]
    pub fn begin(&self) -> u64 {
        self.state().tick()
    }

    /// Records that the call changed accounts.
    pub fn wrote(&self, began: u64, seen: Vec<Seen>) {
        self.end(began, Did::Wrote(seen));
    }

    /// Records that the call read accounts.
    pub fn read(&self, began: u64, seen: Vec<Seen>) {
        self.end(began, Did::Read(seen));
    }

    /// Records that the call may take effect at any time, or never.
    pub fn unknown(&self, began: u64, accounts: Vec<(AccountKey, u32)>) {
        let (ended, did) = (u64::MAX, Did::Unknown(accounts));
        self.state().calls.push(Call { began, ended, did });
    }

    fn end(&self, began: u64, did: Did) {
        let mut state = self.state();
        let ended = state.tick();
        state.calls.push(Call { began, ended, did });
    }

    /// All recorded calls.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }
}

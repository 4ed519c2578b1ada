//! For the tests of a host.
//!
//! - [`ScriptedStore`]: a store whose next commits go wrong as the test says.
//! - [`HostKit`]: calls a function of the host as clients and an unreliable network do, and
//!   checks the books.
//! - [`ManualClock`] stands still until the test moves it, [`JumpingClock`] runs and jumps,
//!   [`SeededIds`] are the same in each run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use thiserror::Error;
use wallet_core::runtime::Clock;
use wallet_core::store::LedgerStore;
use wallet_core::verify::{VerifyError, Violation};
use wallet_core::{SystemClock, Timestamp};
pub use wallet_testkit::scripted::{ScriptedStore, Trouble};
pub use wallet_testkit::{ManualClock, SeededIds};

/// How often a call is repeated before it counts as stuck.
const REPEATS_MAX: u32 = 50;

/// The machine's clock, and what it was moved by.
#[derive(Debug, Default)]
pub struct JumpingClock {
    /// In microseconds.
    offset: AtomicI64,
}

impl JumpingClock {
    /// Moves the clock forward, or back where `by` is below zero, in microseconds.
    pub fn jump(&self, by: i64) {
        self.offset.fetch_add(by, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset.load(Ordering::Relaxed);
        let moved = SystemClock.now().as_micros().saturating_add(offset);
        Timestamp::from_micros(moved)
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

/// Calls a function of a host as clients and an unreliable network do: commits are delayed,
/// refused, or their answers lost; a caller gives up in the middle and calls again; a request
/// arrives twice; the clock jumps. Then it checks the books.
///
/// The function stands for one endpoint of the host. It gets the number of the call, which it
/// takes as its idempotency key, so that a repeated call is the same request.
///
/// A seed decides what goes wrong. What runs at the same time is not decided by it, so a
/// failing seed fails often, and not always.
#[derive(Debug, Clone)]
pub struct HostKit {
    seed: u64,
    calls: u32,
    clock: Option<Arc<JumpingClock>>,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostRun {
    /// How often the function was called.
    pub attempts: u32,
    /// Attempts that their caller gave up.
    pub given_up: u32,
    /// Attempts that failed and were repeated.
    pub failed: u32,
    /// Calls of which the answer was an error that a repetition does not change.
    pub refused: u32,
    /// Calls that were made again after their answer.
    pub repeated: u32,
}

/// What a run found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostFault {
    /// A call did not come to an end, however often it was repeated.
    #[error("seed {seed}: call {call} did not come to an end: {last}")]
    Stuck {
        /// The seed of the run.
        seed: u64,
        /// The number of the call.
        call: u32,
        /// The last error.
        last: String,
    },
    /// The books are not sound.
    #[error("seed {seed}: {} violations of the books", violations.len())]
    Violations {
        /// The seed of the run.
        seed: u64,
        /// What is wrong.
        violations: Vec<Violation>,
    },
    /// The books could not be checked.
    #[error("checking the books: {0}")]
    Verify(#[from] VerifyError),
}

impl HostKit {
    /// A kit with 50 calls. What goes wrong follows from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            calls: 50,
            clock: None,
        }
    }

    /// The number of calls.
    #[must_use]
    pub const fn calls(mut self, calls: u32) -> Self {
        self.calls = calls;
        self
    }

    /// A clock that jumps between calls, forward up to an hour and back a little. It must be
    /// the clock of the store and of the books.
    #[must_use]
    pub fn clock(mut self, clock: Arc<JumpingClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Calls `call` with the numbers from 0, each until it succeeds or `is_final` holds for
    /// its error. `store` is the store of the books that the host works on. Nothing of the
    /// script is left afterwards.
    ///
    /// # Errors
    /// [`HostFault`].
    pub async fn run<S, E>(
        &self,
        store: &ScriptedStore<S>,
        call: impl AsyncFn(u32) -> Result<(), E>,
        is_final: impl Fn(&E) -> bool,
    ) -> Result<HostRun, HostFault>
    where
        S: LedgerStore,
        E: std::fmt::Display,
    {
        let mut random = Rng::with_seed(self.seed);
        let mut run = HostRun::default();
        for number in 0..self.calls {
            let again = u32::from(random.u8(..) < 64);
            run.repeated = run.repeated.saturating_add(again);
            for _ in 0..=again {
                self.until_answered(store, &mut random, &mut run, number, &call, &is_final)
                    .await?;
            }
        }
        store.clear();
        let violations = wallet_testkit::violations(store, None, &[]).await?;
        if violations.is_empty() {
            return Ok(run);
        }
        let seed = self.seed;
        Err(HostFault::Violations { seed, violations })
    }

    async fn until_answered<S, E>(
        &self,
        store: &ScriptedStore<S>,
        random: &mut Rng,
        run: &mut HostRun,
        number: u32,
        call: &impl AsyncFn(u32) -> Result<(), E>,
        is_final: &impl Fn(&E) -> bool,
    ) -> Result<(), HostFault>
    where
        E: std::fmt::Display,
    {
        let mut last = String::new();
        for repeats in 0..REPEATS_MAX {
            store.clear();
            // The last attempts are left alone.
            let is_calm = repeats > REPEATS_MAX / 2;
            if !is_calm {
                for _ in 0..random.u32(..4) {
                    store.then(trouble(random));
                }
            }
            if let Some(clock) = &self.clock {
                clock.jump(jump(random));
            }
            let patience = if is_calm || random.bool() {
                Duration::from_secs(60)
            } else {
                Duration::from_micros(random.u64(..5_000))
            };
            run.attempts = run.attempts.saturating_add(1);
            match tokio::time::timeout(patience, call(number)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if is_final(&error) => {
                    run.refused = run.refused.saturating_add(1);
                    return Ok(());
                }
                Ok(Err(error)) => {
                    run.failed = run.failed.saturating_add(1);
                    last = error.to_string();
                }
                Err(_) => {
                    run.given_up = run.given_up.saturating_add(1);
                    "the caller gave up".clone_into(&mut last);
                }
            }
        }
        Err(HostFault::Stuck {
            seed: self.seed,
            call: number,
            last,
        })
    }
}

fn trouble(random: &mut Rng) -> Trouble {
    match random.u8(..5) {
        0 => Trouble::Delay(Duration::from_micros(random.u64(..3_000))),
        1 => Trouble::Conflict,
        2 => Trouble::Unavailable,
        3 => Trouble::AnswerLost,
        _ => Trouble::CommitLost,
    }
}

/// How far the clock jumps, in microseconds.
fn jump(random: &mut Rng) -> i64 {
    match random.u8(..8) {
        0 => random.i64(0..3_600_000_000),
        1 => random.i64(-1_000..0),
        _ => 0,
    }
}

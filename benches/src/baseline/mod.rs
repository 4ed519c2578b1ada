//! The naive baselines: the hand-written code of a good engineer, one transaction per
//! transfer. One module per kind of store.

pub(crate) mod memory;
pub(crate) mod mysql;
pub(crate) mod mysql_limit;
pub(crate) mod sqlite;
mod sweep;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde::Serialize;

use crate::clock::{self, Window};
use crate::measure::{Figures, Log, Tally};
use crate::pattern::{self, BANK, Order, Picker};
use crate::{FUNDS_CENTS, Result};

pub(crate) use sweep::{Sweep, sweep};

/// A ledger written by hand. Every account has its funds already.
pub(crate) trait Baseline: Debug + Send + Sync {
    /// The description of one transfer, for the table.
    fn describe(&self) -> &'static str;

    /// The access types of callers.
    fn ways(&self) -> &'static [Way];

    /// The access of one caller.
    ///
    /// # Errors
    /// The errors of the store.
    fn session(&self, way: Way) -> Result<Box<dyn Session + '_>>;

    /// A bulk writer of the same rows. There must be no other writer meanwhile.
    ///
    /// # Errors
    /// The errors of the store.
    fn bulk(&self) -> Result<Box<dyn Bulk + '_>>;

    /// As [`Subject::bytes`](crate::store::Subject::bytes).
    ///
    /// # Errors
    /// The errors of the store.
    fn bytes(&self) -> Result<Option<u64>>;

    /// The number of transfers, and all problems of the books.
    ///
    /// # Errors
    /// The errors of the store.
    fn check(&self) -> Result<Checked>;
}

/// Tables for the upper bound.
pub(crate) trait Limit: Debug + Send + Sync {
    /// The numbers of writers to try.
    fn writers(&self) -> &'static [u32];

    /// A writer.
    ///
    /// # Errors
    /// The errors of the store.
    fn bulk(&self) -> Result<Box<dyn Bulk + '_>>;

    /// As [`Subject::bytes`](crate::store::Subject::bytes).
    ///
    /// # Errors
    /// The errors of the store.
    fn bytes(&self) -> Result<Option<u64>>;

    /// The number of transfers, and all problems.
    ///
    /// # Errors
    /// The errors of the store.
    fn check(&self) -> Result<Checked>;
}

/// The rows of a baseline. Its only bulk writer knows every balance.
#[derive(Debug)]
pub(crate) struct Unchecked(Box<dyn Baseline>);

impl Unchecked {
    /// Funds the accounts of a new baseline.
    ///
    /// # Errors
    /// The errors of the store.
    pub(crate) fn new(baseline: Box<dyn Baseline>, accounts: u32) -> Result<Self> {
        fund(baseline.as_ref(), accounts, &Arc::default())?;
        Ok(Self(baseline))
    }
}

impl Limit for Unchecked {
    fn writers(&self) -> &'static [u32] {
        &[1]
    }

    fn bulk(&self) -> Result<Box<dyn Bulk + '_>> {
        self.0.bulk()
    }

    fn bytes(&self) -> Result<Option<u64>> {
        self.0.bytes()
    }

    fn check(&self) -> Result<Checked> {
        self.0.check()
    }
}

/// The result of a check of the books.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) transfers: u64,
    pub(crate) problems: Vec<String>,
}

/// Makes one transfer at a time.
pub(crate) trait Session: Send {
    /// Makes a transfer, or returns the recorded answer of the key. When it returns, the
    /// transfer is as durable as the wallet's.
    ///
    /// # Errors
    /// The errors of the store.
    fn transfer(&mut self, key: &str, order: Order) -> Result<Answer>;
}

/// Writes the rows of transfers, without any of their checks.
pub(crate) trait Bulk: Send {
    /// Writes all of them in one transaction.
    ///
    /// # Errors
    /// The errors of the store.
    fn write(&mut self, orders: &[(String, Order)]) -> Result<()>;
}

/// The answer to a transfer; a retry under the same key gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The transfer was made.
    Posted(Posted),
    /// The payer's balance would fall below its floor.
    InsufficientFunds,
}

/// A transfer that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) transfer: i64,
    pub(crate) from_balance: i64,
    pub(crate) to_balance: i64,
}

/// How callers reach the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Each caller has its own connection.
    Own,
    /// The callers queue for the only connection.
    Shared,
    /// There is no connection: the callers queue for a lock.
    Lock,
    /// Each caller has its own connection to a server.
    Server,
}

impl Way {
    /// The numbers of callers to try.
    const fn callers(self) -> &'static [u32] {
        match self {
            Self::Own => &[1, 2, 4, 8, 16],
            Self::Shared => &[2, 8, 32],
            Self::Lock => &[1, 2, 4, 8],
            Self::Server => &[1, 16, 64],
        }
    }
}

/// The number of callers, and how they reach the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) callers: u32,
    pub(crate) way: Way,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.way {
            Way::Own | Way::Server => write!(f, "connections: {}", self.callers),
            Way::Shared => write!(f, "one connection, callers: {}", self.callers),
            Way::Lock => write!(f, "threads: {}", self.callers),
        }
    }
}

/// Runs the closed loop for `length`: one thread per caller.
pub(crate) fn run(
    baseline: &dyn Baseline,
    shape: Shape,
    picker: &Picker,
    length: Duration,
    tally: &Arc<Tally>,
    figures: &mut Figures,
) -> Result<()> {
    let sessions = (0..shape.callers).map(|_| baseline.session(shape.way));
    let sessions = sessions.collect::<Result<Vec<_>>>()?;
    let window = Window::open(length);
    let logs = std::thread::scope(|scope| {
        let threads = sessions.into_iter().map(|session| {
            let window = &window;
            scope.spawn(move || call(session, picker, window, tally))
        });
        let threads: Vec<_> = threads.collect();
        let logs = threads.into_iter().map(|thread| {
            let log = thread.join();
            log.map_err(|_| "a caller of the baseline panicked")
        });
        logs.collect::<std::result::Result<Vec<_>, _>>()
    })?;
    figures.add(&window, logs);
    Ok(())
}

/// One caller: submit, wait, record, next.
fn call(
    mut session: Box<dyn Session + '_>,
    picker: &Picker,
    window: &Window,
    tally: &Tally,
) -> Log {
    let mut log = Log::default();
    let mut rng = Rng::new();
    while window.is_open() {
        let (key, order) = (pattern::key(&mut rng), picker.draw(&mut rng));
        let begin = clock::now();
        match session.transfer(&key, order) {
            Ok(Answer::Posted(_)) => {
                log.acknowledged(window, begin, clock::now());
                tally.add(1);
            }
            Ok(Answer::InsufficientFunds) => log.refused(&"insufficient funds"),
            Err(error) => log.failed(&error),
        }
    }
    log
}

/// Funds every account as the wallet does: by one transfer each from the bank.
pub(crate) fn fund(baseline: &dyn Baseline, accounts: u32, tally: &Arc<Tally>) -> Result<()> {
    let mut bulk = baseline.bulk()?;
    let mut rng = Rng::new();
    let numbers: Vec<u32> = (1..=accounts).collect();
    for numbers in numbers.chunks(1_000) {
        let orders = numbers.iter().map(|to| {
            let order = Order {
                from: BANK,
                to: *to,
                cents: FUNDS_CENTS,
            };
            (pattern::key(&mut rng), order)
        });
        let orders: Vec<_> = orders.collect();
        bulk.write(&orders)?;
        tally.add(u64::try_from(orders.len()).unwrap_or(0));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use crate::store::Site;
    use clap::Parser;

    const STORES: [&str; 4] = ["memory", "sqlite", "mysql", "mariadb"];

    /// Runs `test` on each kind with three accounts, on each way in.
    fn each(test: impl Fn(&dyn Baseline, &mut dyn Session)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for store in STORES {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().to_str().unwrap();
            let arguments = ["wallet-bench", "load", "--store", store, "--folder", path];
            let command = Cli::parse_from(arguments).command;
            let load = command.load();
            let site = Site::prepare(load).unwrap();
            let store = site.open_baseline(3, &runtime).unwrap();
            fund(store.as_ref(), 3, &Arc::default()).unwrap();
            for way in store.ways() {
                let mut session = store.session(*way).unwrap();
                test(store.as_ref(), session.as_mut());
            }
        }
    }

    fn order(from: u32, to: u32, cents: u32) -> Order {
        Order { from, to, cents }
    }

    #[test]
    fn a_retry_gets_the_first_answer_and_moves_nothing() {
        each(|store, session| {
            let key = pattern::key(&mut Rng::new());
            let before = store.check().unwrap().transfers;
            let first = session.transfer(&key, order(1, 2, 10)).unwrap();
            assert!(matches!(first, Answer::Posted(_)), "{first:?}");
            let again = session.transfer(&key, order(1, 2, 10)).unwrap();
            assert_eq!(again, first);
            let checked = store.check().unwrap();
            assert_eq!(checked.problems, Vec::<String>::new());
            assert_eq!(checked.transfers, before + 1);
        });
    }

    #[test]
    fn no_balance_falls_below_its_floor_and_the_refusal_is_kept() {
        each(|store, session| {
            let key = pattern::key(&mut Rng::new());
            let before = store.check().unwrap().transfers;
            let refused = session.transfer(&key, order(3, 2, u32::MAX)).unwrap();
            assert_eq!(refused, Answer::InsufficientFunds);
            let again = session.transfer(&key, order(3, 2, 1)).unwrap();
            assert_eq!(again, Answer::InsufficientFunds);
            let checked = store.check().unwrap();
            assert_eq!(checked.problems, Vec::<String>::new());
            assert_eq!(checked.transfers, before);
        });
    }

    #[test]
    fn single_transfers_and_bulk_ones_leave_the_same_books() {
        each(|store, session| {
            let mut rng = Rng::new();
            let mut key = || pattern::key(&mut rng);
            session.transfer(&key(), order(1, 2, 5)).unwrap();
            let orders = [(key(), order(2, 3, 7)), (key(), order(2, 1, 7))];
            store.bulk().unwrap().write(&orders).unwrap();
            let posted = session.transfer(&key(), order(2, 3, 1)).unwrap();
            assert!(matches!(posted, Answer::Posted(_)), "{posted:?}");
            let checked = store.check().unwrap();
            assert_eq!(checked.problems, Vec::<String>::new());
        });
    }
}

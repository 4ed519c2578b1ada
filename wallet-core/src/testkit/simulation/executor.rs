use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::testkit::ManualClock;

use super::{Rng, Trace};

/// Runs tasks on one thread, the next one chosen by a seed among those that
/// are ready; time passes only when none is.
#[derive(Debug)]
pub struct Executor {
    tasks: BTreeMap<u64, Task>,
    ready: Arc<Ready>,
    spawner: Spawner,
    made: u64,
    rng: Rng,
    clock: Arc<ManualClock>,
    trace: Trace,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    group: Group,
    name: String,
    future: BoxFuture,
    waker: Waker,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name, self.group)
    }
}

/// Whose a task is: what is of one group dies together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What never dies: the database, the clients.
    World,
    /// The calls in the process with this number.
    Calls(usize),
    /// The driver of the process with this number.
    Driver(usize),
}

/// The tasks that were woken.
#[derive(Debug, Default)]
struct Ready(Mutex<BTreeSet<u64>>);

impl Ready {
    fn tasks(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct WakeTask {
    id: u64,
    ready: Arc<Ready>,
}

impl Wake for WakeTask {
    fn wake(self: Arc<Self>) {
        self.ready.tasks().insert(self.id);
    }
}

/// Starts and kills tasks from within tasks.
#[derive(Debug, Clone, Default)]
pub struct Spawner(Arc<Mutex<Vec<Order>>>);

enum Order {
    Spawn(Group, String, BoxFuture),
    Kill(Group),
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn(group, name, _) => write!(f, "spawn {name} ({group:?})"),
            Self::Kill(group) => write!(f, "kill {group:?}"),
        }
    }
}

impl Spawner {
    /// Starts a task before the next one runs.
    pub fn spawn(&self, group: Group, name: &str, task: impl Future<Output = ()> + Send + 'static) {
        self.orders()
            .push(Order::Spawn(group, name.to_owned(), Box::pin(task)));
    }

    /// Drops every task of `group` before the next one runs.
    pub fn kill(&self, group: Group) {
        self.orders().push(Order::Kill(group));
    }

    fn orders(&self) -> MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a run ended before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuck {
    /// Nothing is ready and nobody sleeps: these tasks wait for ever.
    Deadlock(Vec<String>),
    /// It did not end within the number of steps allowed.
    Endless(Vec<String>),
}

impl Executor {
    /// Without tasks.
    #[must_use]
    pub fn new(rng: Rng, clock: Arc<ManualClock>, trace: Trace) -> Self {
        Self {
            tasks: BTreeMap::new(),
            ready: Arc::default(),
            spawner: Spawner::default(),
            made: 0,
            rng,
            clock,
            trace,
        }
    }

    /// Starts and kills its tasks.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Runs until `done` says so.
    ///
    /// # Errors
    /// [`Stuck`] when that never happens.
    pub fn run_until(&mut self, steps_max: u64, done: impl Fn() -> bool) -> Result<(), Stuck> {
        for _ in 0..steps_max {
            self.obey();
            if done() {
                return Ok(());
            }
            match self.choose() {
                Some(id) => self.poll(id),
                None => match self.clock.next_wake_in() {
                    Some(wait) => self.clock.advance(wait),
                    None => return Err(Stuck::Deadlock(self.names())),
                },
            }
        }
        Err(Stuck::Endless(self.names()))
    }

    fn names(&self) -> Vec<String> {
        self.tasks.values().map(|task| task.name.clone()).collect()
    }

    fn obey(&mut self) {
        let orders = std::mem::take(&mut *self.spawner.orders());
        for order in orders {
            match order {
                Order::Spawn(group, name, future) => {
                    let id = self.made;
                    self.made += 1;
                    let ready = Arc::clone(&self.ready);
                    let waker = Waker::from(Arc::new(WakeTask { id, ready }));
                    let task = Task {
                        group,
                        name,
                        future,
                        waker,
                    };
                    self.tasks.insert(id, task);
                    self.ready.tasks().insert(id);
                }
                Order::Kill(group) => self.tasks.retain(|_, task| task.group != group),
            }
        }
    }

    fn choose(&self) -> Option<u64> {
        let mut ready = self.ready.tasks();
        ready.retain(|id| self.tasks.contains_key(id));
        if ready.is_empty() {
            return None;
        }
        let chosen = ready.iter().nth(self.rng.index(ready.len())).copied()?;
        ready.remove(&chosen);
        Some(chosen)
    }

    fn poll(&mut self, id: u64) {
        self.trace.count(id);
        let Some(task) = self.tasks.get_mut(&id) else {
            return;
        };
        let mut context = Context::from_waker(&task.waker);
        if let Poll::Ready(()) = task.future.as_mut().poll(&mut context) {
            self.tasks.remove(&id);
        }
    }
}

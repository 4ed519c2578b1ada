use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::ManualClock;

use super::{Rng, Trace};

/// Runs tasks on one thread. A seed chooses the next task among the ready ones.
/// Time passes only when none is ready.
#[derive(Debug)]
pub struct Executor {
    /// The tasks in order of creation; `None` for ended ones.
    tasks: Vec<Option<Task>>,
    ready: Arc<Ready>,
    spawner: Spawner,
    rng: Rng,
    clock: Arc<ManualClock>,
    trace: Trace,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    group: Group,
    name: &'static str,
    future: BoxFuture,
    wake: Arc<WakeTask>,
    waker: Waker,
    /// The number of polls.
    polls: u64,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name, self.group)
    }
}

/// The group of a task. Tasks of one group are killed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Tasks that never die: the database, the clients.
    World,
    /// The calls in the process with this number.
    Calls(usize),
    /// The driver of the process with this number.
    Driver(usize),
    /// The other tasks of the process with this number.
    Parts(usize),
}

/// The woken tasks, each once.
#[derive(Debug, Default)]
struct Ready(Mutex<Vec<usize>>);

impl Ready {
    fn tasks(&self) -> MutexGuard<'_, Vec<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct WakeTask {
    id: usize,
    is_ready: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for WakeTask {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_ready.swap(true, Ordering::Relaxed) {
            self.ready.tasks().push(self.id);
        }
    }
}

/// Starts and kills tasks from within tasks.
#[derive(Debug, Clone, Default)]
pub struct Spawner(Arc<Mutex<Vec<Order>>>);

enum Order {
    Spawn(Group, &'static str, BoxFuture),
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
    pub fn spawn(
        &self,
        group: Group,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.orders()
            .push(Order::Spawn(group, name, Box::pin(task)));
    }

    /// Drops every task of `group` before the next one runs.
    pub fn kill(&self, group: Group) {
        self.orders().push(Order::Kill(group));
    }

    fn orders(&self) -> MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuck {
    /// No task is ready and none sleeps: these tasks wait for ever.
    Deadlock(Vec<&'static str>),
    /// The run did not end within the allowed steps. These tasks remain, each with
    /// its number of polls.
    Endless(Vec<(&'static str, u64)>),
}

impl Executor {
    /// An executor without tasks.
    #[must_use]
    pub fn new(rng: Rng, clock: Arc<ManualClock>, trace: Trace) -> Self {
        Self {
            tasks: Vec::new(),
            ready: Arc::default(),
            spawner: Spawner::default(),
            rng,
            clock,
            trace,
        }
    }

    /// A spawner for its tasks.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Runs until `done` returns true. Returns the number of steps.
    ///
    /// # Errors
    /// [`Stuck`] when this never happens.
    pub fn run_until(&mut self, steps_max: u64, done: impl Fn() -> bool) -> Result<u64, Stuck> {
        for step in 0..steps_max {
            self.obey();
            if done() {
                return Ok(step);
            }
            match self.choose() {
                Some(id) => self.poll(id),
                None => match self.clock.next_wake_in() {
                    Some(wait) => self.clock.advance(wait),
                    None => return Err(Stuck::Deadlock(self.names())),
                },
            }
        }
        let tasks = self.tasks.iter().flatten();
        Err(Stuck::Endless(
            tasks.map(|task| (task.name, task.polls)).collect(),
        ))
    }

    fn names(&self) -> Vec<&'static str> {
        self.tasks.iter().flatten().map(|task| task.name).collect()
    }

    fn obey(&mut self) {
        // A dropped task may spawn or kill others.
        loop {
            let orders = std::mem::take(&mut *self.spawner.orders());
            if orders.is_empty() {
                return;
            }
            for order in orders {
                match order {
                    Order::Spawn(group, name, future) => self.start(group, name, future),
                    Order::Kill(group) => {
                        for slot in &mut self.tasks {
                            if slot.as_ref().is_some_and(|task| task.group == group) {
                                *slot = None;
                            }
                        }
                    }
                }
            }
        }
    }

    fn start(&mut self, group: Group, name: &'static str, future: BoxFuture) {
        let id = self.tasks.len();
        let wake = Arc::new(WakeTask {
            id,
            is_ready: AtomicBool::new(false),
            ready: Arc::clone(&self.ready),
        });
        let waker = Waker::from(Arc::clone(&wake));
        waker.wake_by_ref();
        self.tasks.push(Some(Task {
            group,
            name,
            future,
            wake,
            waker,
            polls: 0,
        }));
    }

    fn choose(&self) -> Option<usize> {
        let mut ready = self.ready.tasks();
        while !ready.is_empty() {
            let chosen = self.rng.index(ready.len());
            let id = ready.swap_remove(chosen);
            // An ended task may still have been woken.
            if self.tasks[id].is_some() {
                return Some(id);
            }
        }
        None
    }

    fn poll(&mut self, id: usize) {
        self.trace.count(u64::try_from(id).unwrap());
        let Some(task) = &mut self.tasks[id] else {
            return;
        };
        task.polls += 1;
        task.wake.is_ready.store(false, Ordering::Relaxed);
        let mut context = Context::from_waker(&task.waker);
        if let Poll::Ready(()) = task.future.as_mut().poll(&mut context) {
            self.tasks[id] = None;
        }
    }
}

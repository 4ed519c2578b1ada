use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::ManualClock;

use super::{Rng, Trace};

/// Runs tasks on one thread, the next one chosen by a seed among those that
/// are ready; time passes only when none is.
#[derive(Debug)]
pub struct Executor {
    /// By the order in which they were made; those that have ended are none.
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
    /// How often it was polled.
    polls: u64,
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
    /// What else runs in the process with this number.
    Parts(usize),
}

/// The tasks that were woken, each once.
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

/// Why a run ended before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stuck {
    /// Nothing is ready and nobody sleeps: these tasks wait for ever.
    Deadlock(Vec<&'static str>),
    /// It did not end within the number of steps allowed: these tasks are left,
    /// each with how often it was polled.
    Endless(Vec<(&'static str, u64)>),
}

impl Executor {
    /// Without tasks.
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

    /// Starts and kills its tasks.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Runs until `done` says so; answers how many steps that took.
    ///
    /// # Errors
    /// [`Stuck`] when that never happens.
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
        // What is dropped here may give orders of its own.
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
            // Those that have ended may have been woken all the same.
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

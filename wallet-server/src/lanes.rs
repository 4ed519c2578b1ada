//! How many requests may read at a time.
//!
//! A list goes through many rows, so that a few of them keep a store busy. Lists have
//! a lane of their own, and single things another one: who asks for many lists keeps
//! others from lists, and nobody from anything else.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::{Code, Problem};

/// How many lists are read at a time.
const LISTS_AT_ONCE: usize = 8;
/// How many single things are.
const SINGLE_AT_ONCE: usize = 64;

/// The paths that list things.
const LISTS: [&str; 3] = ["/v1/accounts", "/v1/accounts/{id}/entries", "/v1/holds"];
/// The path that may read far into the past.
const BALANCE: &str = "/v1/accounts/{id}/balance";

/// The lanes of a server.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) lists: Lane,
    pub(crate) single: Lane,
}

impl Lanes {
    /// With room for so many requests each.
    pub(crate) fn new(lists: usize, single: usize) -> Self {
        Self {
            lists: Lane::new(lists, LISTS_AT_ONCE),
            single: Lane::new(single, SINGLE_AT_ONCE),
        }
    }

    /// The lane that a request takes; `None` for one that commits, or asks nothing of
    /// the books. What is added to the API takes one without being named here.
    pub(crate) fn of(&self, request: &Request) -> Option<&Lane> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        let query = request.uri().query().unwrap_or_default();
        if !path.starts_with("/v1/") {
            return None;
        }
        if request.method() == Method::GET || request.method() == Method::HEAD {
            let is_past = path == BALANCE && query.contains("at=");
            let is_list = is_past || LISTS.contains(&path);
            return Some(if is_list { &self.lists } else { &self.single });
        }
        // The only parameter of a change has it tried, and not done.
        (!query.is_empty()).then_some(&self.single)
    }
}

/// Lets some through at a time, and some wait.
#[derive(Debug)]
pub(crate) struct Lane {
    /// For those that are open, whether they wait or not.
    room: Semaphore,
    at_once: Semaphore,
    pub(crate) open: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) refused: Counter,
}

/// Leave to read, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'l> {
    _room: SemaphorePermit<'l>,
    _leave: SemaphorePermit<'l>,
    _open: Counted<'l>,
}

impl Lane {
    fn new(open: usize, at_once: usize) -> Self {
        Self {
            room: Semaphore::new(open.min(Semaphore::MAX_PERMITS)),
            at_once: Semaphore::new(at_once),
            open: Gauge::default(),
            waiting: Gauge::default(),
            refused: Counter::default(),
        }
    }

    /// Waits for its turn, where there is room to wait. Who goes away meanwhile leaves
    /// the room.
    pub(crate) async fn enter(&self) -> Result<Turn<'_>, Problem> {
        let full = |_| {
            self.refused.inc();
            Problem::new(Code::OVERLOADED, "too many requests are reading")
        };
        let room = self.room.try_acquire().map_err(full)?;
        let open = Counted::begin(&self.open);
        let waits = Counted::begin(&self.waiting);
        // The semaphore is never closed.
        let leave = self.at_once.acquire().await;
        let leave = leave.map_err(|_| Problem::internal())?;
        drop(waits);
        Ok(Turn {
            _room: room,
            _leave: leave,
            _open: open,
        })
    }
}

/// One more in a gauge, until it is dropped.
#[derive(Debug)]
struct Counted<'g>(&'g Gauge);

impl<'g> Counted<'g> {
    fn begin(gauge: &'g Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

//! Limits the number of concurrent reads.
//!
//! A list reads many rows, so that a few lists keep a store busy. Lists have one lane and
//! single resources another. A caller who asks for many lists delays other lists, and
//! nothing else.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::{Code, Problem};

/// The most concurrent reads of lists.
const LISTS_AT_ONCE: usize = 8;
/// The most concurrent reads of single resources.
const SINGLE_AT_ONCE: usize = 64;

/// The paths that list things.
const LISTS: [&str; 3] = ["/v1/accounts", "/v1/accounts/{id}/entries", "/v1/holds"];
/// The path that may read past balances.
const BALANCE: &str = "/v1/accounts/{id}/balance";

/// The lanes of a server.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) lists: Lane,
    pub(crate) single: Lane,
}

impl Lanes {
    /// Lanes with this many open requests each.
    pub(crate) fn new(lists: usize, single: usize) -> Self {
        Self {
            lists: Lane::new(lists, LISTS_AT_ONCE),
            single: Lane::new(single, SINGLE_AT_ONCE),
        }
    }

    /// The lane of a request; `None` for one that commits or does not read the books. A
    /// new route takes a lane without being named here.
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
        // The only query parameter of a change asks for a dry run.
        (!query.is_empty()).then_some(&self.single)
    }
}

/// A lane: some requests run, others wait.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The slots of open requests, running or waiting.
    room: Semaphore,
    at_once: Semaphore,
    pub(crate) open: Gauge,
    pub(crate) waiting: Gauge,
    pub(crate) refused: Counter,
}

/// The permission to read, until it is dropped.
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

    /// Waits for a turn if there is a free slot. A request that is cancelled meanwhile
    /// frees its slot.
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

/// Counts one more in a gauge until it is dropped.
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

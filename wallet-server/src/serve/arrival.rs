//! Serves one connection: adds the peer to its requests, and handles its end.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::connection::{Arrival, Framing};

/// The routes for one connection.
#[derive(Debug, Clone)]
pub(super) struct Routes {
    inner: TowerToHyperService<Router>,
    peer: SocketAddr,
    framing: Arc<Framing>,
    /// How many requests have come.
    requests: Arc<AtomicU64>,
}

impl Routes {
    pub(super) fn new(
        inner: TowerToHyperService<Router>,
        peer: SocketAddr,
        framing: Arc<Framing>,
    ) -> Self {
        Self {
            inner,
            peer,
            framing,
            requests: Arc::default(),
        }
    }
}

impl Service<Request<Incoming>> for Routes {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let arrival = Arrival {
            peer: self.peer,
            is_ambiguous: self.framing.is_ambiguous(number),
        };
        request.extensions_mut().insert(arrival);
        self.inner.call(request)
    }
}

/// Why a connection ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The bytes are not HTTP, or exceed a limit.
    Malformed,
    /// No byte moved for too long.
    TimedOut,
    /// The peer closed in the middle of a request or answer.
    Aborted,
}

impl End {
    pub(super) fn of(error: &hyper::Error) -> Self {
        if error.is_parse() {
            Self::Malformed
        } else if error.is_timeout() || is_timed_out(error) {
            Self::TimedOut
        } else {
            Self::Aborted
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TimedOut => "timeout",
            Self::Aborted => "aborted",
        }
    }
}

fn is_timed_out(error: &hyper::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        let io = cause.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return true;
        }
        next = cause.source();
    }
    false
}

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::socket::{LateHead, Share};
use super::{Network, Peers, Socket};

/// The pause before the next accept when the system has no free file descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
/// How many connections over a peer's limit receive the 429 answer at a time. Further
/// ones are closed without an answer.
const REFUSALS: usize = 32;

/// The limits of connections.
#[derive(Debug)]
pub(crate) struct Limits {
    /// The most open connections; further ones wait in the system's backlog.
    pub(crate) connections: usize,
    /// The most connections of one peer; further ones are refused.
    pub(crate) of_a_peer: usize,
    /// Proxies carry the connections of many clients, so they have no such limit.
    pub(crate) trusted: Vec<Network>,
    /// The idle timeout: how long no byte may move.
    pub(crate) silence_max: Duration,
    /// How long the head of a request may take.
    pub(crate) late_head: Arc<LateHead>,
    /// The answer to a connection over its peer's limit.
    pub(crate) refusal: Vec<u8>,
}

/// The log and the metrics of connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) open: Gauge,
    pub(crate) refused: Counter,
}

/// Accepts connections.
#[derive(Debug)]
pub(crate) struct Listener {
    inner: TcpListener,
    free: Arc<Semaphore>,
    peers: Peers,
    refusals: Arc<Semaphore>,
    limits: Limits,
    counts: Counts,
}

impl Listener {
    pub(crate) fn new(listener: TcpListener, limits: Limits, counts: Counts) -> Self {
        let connections = limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            inner: listener,
            free: Arc::new(Semaphore::new(connections)),
            peers: Peers::new(limits.of_a_peer),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            limits,
            counts,
        }
    }

    pub(crate) const fn silence_max(&self) -> Duration {
        self.limits.silence_max
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// The next connection and its peer.
    pub(crate) async fn accept(&self) -> (Socket, SocketAddr) {
        // The semaphore is never closed, so a permit comes in the end.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        loop {
            let (stream, peer) = self.accept_any().await;
            let presence = if self.is_trusted(peer) {
                None
            } else {
                let Some(presence) = self.peers.enter(peer.ip()) else {
                    self.refuse(stream);
                    continue;
                };
                Some(presence)
            };
            // Answers are small: waiting to fill a packet (Nagle's algorithm) would only
            // delay them.
            let _ = stream.set_nodelay(true);
            self.counts.open.inc();
            let share = Share {
                open: self.counts.open.clone(),
                _permit: permit,
                _presence: presence,
            };
            return (self.socket(stream, share), peer);
        }
    }

    fn socket(&self, stream: TcpStream, share: Share) -> Socket {
        let late = Arc::clone(&self.limits.late_head);
        Socket::new(stream, self.limits.silence_max, late, share)
    }

    fn is_trusted(&self, peer: SocketAddr) -> bool {
        let mut trusted = self.limits.trusted.iter();
        trusted.any(|network| network.contains(peer.ip()))
    }

    async fn accept_any(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.inner.accept().await {
                Ok(accepted) => return accepted,
                // A connection that failed before it was accepted needs no handling.
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    // No free file descriptor: other connections must end first.
                    tracing::error!(%error, "accepting a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Answers a peer that it has too many connections, unless many such answers are in
    /// flight.
    fn refuse(&self, stream: TcpStream) {
        self.counts.refused.inc();
        let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() else {
            return;
        };
        let refusal = self.limits.refusal.clone();
        let share = Share {
            // The request is not read and not served.
            open: Gauge::default(),
            _permit: Some(permit),
            _presence: None,
        };
        let mut socket = self.socket(stream, share).refused();
        tokio::spawn(async move {
            if socket.write_all(&refusal).await.is_ok() {
                let _ = socket.shutdown().await;
            }
        });
    }
}

/// Whether the error concerns one connection only, and not the listener.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

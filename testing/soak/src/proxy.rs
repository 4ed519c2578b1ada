//! A proxy in front of a server, which cuts, delays or drops traffic on demand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Result;

/// Where to cut, relative to what a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server receives nothing.
    Before,
    /// The server receives the first half.
    Within,
    /// The server carries the request out, and the client never receives the answer.
    After,
}

#[derive(Debug)]
struct State {
    /// Changes when all connections are to be cut.
    cuts: watch::Sender<u64>,
    /// Whether all traffic stands still, in both directions.
    is_stalled: watch::Sender<bool>,
    delay_ms: AtomicU64,
    /// How many writes of clients pass before the next cut, and how many cuts are left.
    plan: Mutex<Option<(u32, u32, Cut)>>,
    lost: AtomicU64,
    /// The number of connections so far, and up to which number they are silent.
    opened: AtomicU64,
    silent: AtomicU64,
}

impl State {
    /// Whether the connection of this number is silent.
    fn is_silent(&self, number: u64) -> bool {
        number <= self.silent.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// A proxy in front of the server on this port.
    pub(crate) async fn start(server: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            cuts: watch::Sender::new(0),
            is_stalled: watch::Sender::new(false),
            delay_ms: AtomicU64::new(0),
            plan: Mutex::default(),
            lost: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            silent: AtomicU64::new(0),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Ok(Self { port, state })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts this many connections, each after clients have sent this much since the cut
    /// before.
    pub(crate) fn arm(&self, passing: u32, count: u32, cut: Cut) {
        *self.plan() = Some((passing, count, cut));
    }

    pub(crate) fn disarm(&self) {
        *self.plan() = None;
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Option<(u32, u32, Cut)>> {
        self.state
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops or resumes all traffic.
    pub(crate) fn stall(&self, is_stalled: bool) {
        self.state.is_stalled.send_replace(is_stalled);
    }

    /// From now on nothing passes on the present connections. Neither side learns that
    /// the other is gone until it times out.
    pub(crate) fn silence(&self) {
        let opened = self.state.opened.load(Ordering::Relaxed);
        self.state.silent.store(opened, Ordering::Relaxed);
    }

    /// Delays all traffic.
    pub(crate) fn delay(&self, delay: Duration) {
        let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.state.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// The number of connections cut within what a client sent.
    pub(crate) fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }
}

async fn carry(client: TcpStream, server: u16, state: Arc<State>) {
    let mut cuts = state.cuts.subscribe();
    let mut stalled = state.is_stalled.subscribe();
    if stalled.wait_for(|is_stalled| !is_stalled).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    let number = state.opened.fetch_add(1, Ordering::Relaxed) + 1;
    // Delayed packets (Nagle) would make every round trip slow.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The direction that ends first ends the other: dropping both closes both.
    tokio::select! {
        () = pass(from_client, to_server, &state, number, true) => {}
        () = pass(from_server, to_client, &state, number, false) => {}
        _ = cuts.changed() => {}
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &State,
    number: u64,
    is_client: bool,
) {
    let mut stalled = state.is_stalled.subscribe();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else {
            if is_client && state.is_silent(number) {
                // The server ends its session when the client is gone.
                std::future::pending::<()>().await;
            }
            return;
        };
        if state.is_silent(number) {
            continue;
        }
        let delay = state.delay_ms.load(Ordering::Relaxed);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if stalled.wait_for(|is_stalled| !is_stalled).await.is_err() {
            return;
        }
        let due = if is_client { due(state) } else { None };
        let passing = match due {
            None | Some(Cut::After) => &buffer[..count],
            Some(Cut::Before) => return,
            Some(Cut::Within) => &buffer[..count / 2],
        };
        if to.write_all(passing).await.is_err() || due == Some(Cut::Within) {
            return;
        }
        if due == Some(Cut::After) {
            // Nothing more is read from the server, so that its answer is lost;
            // it sees the end of the connection once it has carried this out.
            let _ = to.shutdown().await;
            return;
        }
    }
}

fn due(state: &State) -> Option<Cut> {
    let mut plan = state.plan.lock().unwrap_or_else(PoisonError::into_inner);
    let (passing, count, cut) = (*plan)?;
    *plan = match (passing, count) {
        (0, 0 | 1) => None,
        (0, _) => Some((3, count - 1, cut)),
        _ => Some((passing - 1, count, cut)),
    };
    if passing > 0 {
        return None;
    }
    state.lost.fetch_add(1, Ordering::Relaxed);
    Some(cut)
}

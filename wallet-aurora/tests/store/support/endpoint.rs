//! A cluster's endpoint. It leads to one server, then to another. Existing connections can
//! fall silent without being closed.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One connection through the endpoint.
#[derive(Debug, Default)]
struct Link {
    is_silent: AtomicBool,
    /// Whether the client has sent anything since the connection fell silent.
    was_asked: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// The server's port.
    target: AtomicU16,
    /// How many connections were accepted.
    taken: AtomicU32,
    links: Mutex<Vec<Arc<Link>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    port: u16,
    state: Arc<State>,
}

impl Endpoint {
    /// Starts an endpoint in front of the server with this port.
    pub(crate) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            target: AtomicU16::new(target),
            taken: AtomicU32::new(0),
            links: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                shared.taken.fetch_add(1, Ordering::SeqCst);
                let target = shared.target.load(Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else {
                    continue;
                };
                let link = Arc::new(Link::default());
                let mut links = shared.links.lock().unwrap_or_else(PoisonError::into_inner);
                links.push(Arc::clone(&link));
                drop(links);
                tokio::spawn(carry(client, server, link));
            }
        });
        Self { port, state }
    }

    /// The address of a server's database through the endpoint.
    pub(crate) fn url(&self, url: &str) -> String {
        let (user, rest) = url.split_once('@').unwrap();
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        format!("{user}@127.0.0.1:{}{path}", self.port)
    }

    /// New connections lead to this port from now on.
    pub(crate) fn point_at(&self, port: u16) {
        self.state.target.store(port, Ordering::SeqCst);
    }

    /// Silences all existing connections. Nothing passes in either direction, and neither
    /// side notices the other's end.
    pub(crate) fn silence(&self) {
        let links = self.state.links.lock();
        for link in links.unwrap_or_else(PoisonError::into_inner).iter() {
            link.is_silent.store(true, Ordering::SeqCst);
        }
    }

    /// The number of silent connections on which the client has sent something.
    pub(crate) fn asked_in_vain(&self) -> usize {
        let links = self.state.links.lock();
        let links = links.unwrap_or_else(PoisonError::into_inner);
        let asked = links
            .iter()
            .filter(|link| link.was_asked.load(Ordering::SeqCst));
        asked.count()
    }

    /// The number of connections accepted so far.
    pub(crate) fn taken(&self) -> u32 {
        self.state.taken.load(Ordering::SeqCst)
    }
}

async fn carry(client: TcpStream, server: TcpStream, link: Arc<Link>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = Arc::clone(&link);
    let answers = tokio::spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            if back.is_silent.load(Ordering::SeqCst) {
                continue;
            }
            if to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
        if back.is_silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        if link.is_silent.load(Ordering::SeqCst) {
            link.was_asked.store(true, Ordering::SeqCst);
            continue;
        }
        if to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    if link.is_silent.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    answers.abort();
}

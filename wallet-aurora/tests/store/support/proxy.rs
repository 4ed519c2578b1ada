//! A proxy in front of a server. It cuts a connection at a chosen packet.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// The place of the cut, relative to a packet of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never receives the packet.
    Before,
    /// The server receives the first half of the packet.
    Within,
    /// The server runs the packet, and the client never gets the answer.
    After,
    /// The server receives the packet when the proxy releases it.
    Held,
}

pub(crate) const CUTS: [Cut; 3] = [Cut::Before, Cut::Within, Cut::After];

/// How many packets of the client pass before the cut.
type Plan = Arc<Mutex<Option<(u32, Cut)>>>;

#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    plan: Plan,
    let_go: Arc<Notify>,
}

impl Proxy {
    /// Starts a proxy in front of the server at this address
    /// (`mysql://user:password@host:port/...`).
    pub(crate) async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (_, rest) = url.split_once('@').unwrap();
        let server = rest.split(['/', '?']).next().unwrap().to_owned();
        let plan = Plan::default();
        let let_go = Arc::new(Notify::new());
        let (shared, held) = (Arc::clone(&plan), Arc::clone(&let_go));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else {
                    continue;
                };
                tokio::spawn(carry(
                    client,
                    server,
                    Arc::clone(&shared),
                    Arc::clone(&held),
                ));
            }
        });
        Self { port, plan, let_go }
    }

    /// The server's address through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        let (user, rest) = url.split_once('@').unwrap();
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        format!("{user}@127.0.0.1:{}{path}", self.port)
    }

    /// Lets `packets` pass, then cuts at the next one, once.
    pub(crate) fn arm(&self, packets: u32, cut: Cut) {
        *self.plan.lock().unwrap() = Some((packets, cut));
    }

    /// Releases a packet that is held.
    pub(crate) fn let_go(&self) {
        self.let_go.notify_one();
    }

    /// Whether the cut has happened.
    pub(crate) fn is_done(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }

    /// Cancels the cut. Returns whether it has happened.
    pub(crate) fn disarm(&self) -> bool {
        self.plan.lock().unwrap().take().is_none()
    }
}

async fn carry(client: TcpStream, server: TcpStream, plan: Plan, let_go: Arc<Notify>) {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let answers = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let ended = packets(from_client, to_server, &plan, &let_go, &answers).await;
    // Dropping both directions closes both connections.
    answers.abort();
    drop(ended);
}

/// Forwards the client's data packet by packet. A packet starts with its length in three
/// bytes, and one more byte.
async fn packets(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    plan: &Plan,
    let_go: &Notify,
    answers: &tokio::task::JoinHandle<()>,
) -> std::io::Result<()> {
    loop {
        let mut packet = vec![0; 4];
        client.read_exact(&mut packet).await?;
        let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]);
        packet.resize(4 + usize::try_from(length).unwrap(), 0);
        client.read_exact(&mut packet[4..]).await?;
        match due(plan) {
            None => server.write_all(&packet).await?,
            Some(Cut::Before) => return Ok(()),
            Some(Cut::Within) => {
                return server.write_all(&packet[..packet.len() / 2]).await;
            }
            Some(Cut::Held) => {
                let_go.notified().await;
                server.write_all(&packet).await?;
            }
            Some(Cut::After) => {
                answers.abort();
                server.write_all(&packet).await?;
                // The server closes the connection because the client is gone. By then it
                // has run the packet.
                server.shutdown().await?;
                return Ok(());
            }
        }
    }
}

fn due(plan: &Plan) -> Option<Cut> {
    let mut plan = plan.lock().unwrap();
    match plan.take() {
        Some((0, cut)) => Some(cut),
        Some((packets, cut)) => {
            *plan = Some((packets - 1, cut));
            None
        }
        None => None,
    }
}

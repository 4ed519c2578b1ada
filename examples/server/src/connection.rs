use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// How long to wait before accepting again when the system has no more files.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Accepts a limited number of connections at a time; further ones wait in the
/// system's backlog.
#[derive(Debug)]
pub(crate) struct Connections {
    listener: TcpListener,
    free: Arc<Semaphore>,
    silence_max: Duration,
    open: Gauge,
}

impl Connections {
    /// At most `max` at a time, each ended when nothing comes or goes for
    /// `silence_max`; `open` tells how many there are.
    pub(crate) fn new(
        listener: TcpListener,
        max: usize,
        silence_max: Duration,
        open: Gauge,
    ) -> Self {
        let free = Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS)));
        Self {
            listener,
            free,
            silence_max,
            open,
        }
    }

    pub(crate) const fn silence_max(&self) -> Duration {
        self.silence_max
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Connection {
        // The semaphore is never closed, so there is a permit in the end.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        let stream = loop {
            match self.listener.accept().await {
                Ok((stream, _)) => break stream,
                // One that broke off before it was ours is nobody's loss.
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    // Out of open files: others must end first.
                    tracing::error!(%error, "accepting a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        // Answers are small: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        self.open.inc();
        Connection {
            stream,
            silence_max: self.silence_max,
            alarm: Box::pin(tokio::time::sleep(self.silence_max)),
            open: self.open.clone(),
            _permit: permit,
        }
    }
}

/// Whether it concerns the connection alone, and not the listener.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// A connection that counts, and that may not be silent for ever.
pub(crate) struct Connection {
    stream: TcpStream,
    silence_max: Duration,
    alarm: Pin<Box<Sleep>>,
    open: Gauge,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.dec();
    }
}

impl Connection {
    fn heard(&mut self) {
        let now = Instant::now();
        let end = now.checked_add(self.silence_max).unwrap_or(now);
        self.alarm.as_mut().reset(end);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(read) => {
                self.heard();
                Poll::Ready(read)
            }
            Poll::Pending => {
                let timed_out = || Err(io::ErrorKind::TimedOut.into());
                self.alarm.as_mut().poll(context).map(|()| timed_out())
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.heard();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.heard();
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

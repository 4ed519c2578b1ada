use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::{Framing, Presence};

/// How long incoming bytes are read and discarded after the last answer.
const LINGER: Duration = Duration::from_secs(5);
/// The idle timeout of that time.
const LINGER_SILENCE: Duration = Duration::from_secs(1);
/// The buffer size of these reads.
const LINGER_BYTES: usize = 16_384;

/// The permits that a connection holds while it is open.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) open: Gauge,
    pub(super) _permit: Option<OwnedSemaphorePermit>,
    pub(super) _presence: Option<Presence>,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// An open connection.
///
/// It fails with `TimedOut` when no byte arrives for too long while one is awaited, and
/// when the peer does not read an answer. Only bytes that move count, so a peer that
/// keeps sending and never reads times out as well.
///
/// A head that does not arrive in time also ends the connection, however slowly its bytes
/// come in. The peer receives an answer, and the connection fails with `TimedOut`.
///
/// It closes in two steps. What the peer still sends behind the last answer is read for a
/// while. A close with unread bytes resets the connection, and the peer may lose the
/// answer.
pub(crate) struct Socket {
    stream: TcpStream,
    silence_max: Duration,
    late: Arc<LateHead>,
    /// Fires when no byte moved for too long.
    reading: Pin<Box<Sleep>>,
    /// Fires when the head with this number takes too long; set only while a head
    /// arrives.
    head: Option<(u64, Pin<Box<Sleep>>)>,
    /// Fires when no byte could be written for too long; set only during a write.
    writing: Option<Pin<Box<Sleep>>>,
    closing: Option<Closing>,
    framing: Arc<Framing>,
    /// Whether the peer receives an answer that it did not ask for, and may still send a
    /// request.
    is_refused: bool,
    _share: Share,
}

/// How long the head of a request may take, and the answer to a late one.
#[derive(Debug)]
pub(crate) struct LateHead {
    pub(crate) time_max: Duration,
    pub(crate) answer: Vec<u8>,
}

/// The state after the last write.
struct Closing {
    end: Pin<Box<Sleep>>,
    silence: Pin<Box<Sleep>>,
    has_read: bool,
}

fn alarm(after: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(after))
}

fn put_off(alarm: &mut Pin<Box<Sleep>>, after: Duration) {
    let now = Instant::now();
    alarm.as_mut().reset(now.checked_add(after).unwrap_or(now));
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        silence_max: Duration,
        late: Arc<LateHead>,
        share: Share,
    ) -> Self {
        Self {
            stream,
            silence_max,
            late,
            reading: alarm(silence_max),
            head: None,
            writing: None,
            closing: None,
            framing: Arc::default(),
            is_refused: false,
            _share: share,
        }
    }

    /// The same for a refused peer, which may still send.
    pub(super) fn refused(mut self) -> Self {
        self.is_refused = true;
        self
    }

    /// The framing of the requests on it.
    pub(crate) fn framing(&self) -> Arc<Framing> {
        Arc::clone(&self.framing)
    }

    /// A connection that timed out keeps no buffer, neither here nor in the system.
    fn timed_out(&self) -> io::Error {
        let _ = self.stream.set_zero_linger();
        io::ErrorKind::TimedOut.into()
    }

    /// Records the result of a write. A pending write starts the timer.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(_)) => {
                self.writing = None;
                put_off(&mut self.reading, self.silence_max);
                written
            }
            Poll::Ready(Err(_)) => written,
            Poll::Pending => {
                let silence_max = self.silence_max;
                let writing = self.writing.get_or_insert_with(|| alarm(silence_max));
                ready!(writing.as_mut().poll(context));
                Poll::Ready(Err(self.timed_out()))
            }
        }
    }

    /// Starts the timer of the head that the latest bytes belong to.
    fn watch_head(&mut self) {
        let under_way = self.framing.head_under_way();
        let watched = self.head.as_ref().map(|(number, _)| *number);
        if watched != under_way {
            let time_max = self.late.time_max;
            self.head = under_way.map(|number| (number, alarm(time_max)));
        }
    }

    /// Ready when the present head has taken too long.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.head {
            Some((_, alarm)) => alarm.as_mut().poll(context),
            None => Poll::Pending,
        }
    }

    /// Answers the peer that its head came too late, and ends the connection. While a
    /// head arrives no answer is in flight, unless its peer does not read it.
    fn end_late(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            if self.writing.is_none() {
                // Bytes that cannot be sent at once are dropped.
                let _ = self.stream.try_write(&self.late.answer);
            }
            // The peer may have closed.
            let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        }
        ready!(self.linger(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Discards incoming bytes until none come or the limit is reached.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self {
            stream,
            closing,
            framing,
            is_refused,
            ..
        } = self;
        let mut bytes = [0; LINGER_BYTES];
        let closing = closing.get_or_insert_with(|| Closing {
            end: alarm(LINGER),
            silence: alarm(LINGER_SILENCE),
            has_read: *is_refused || stream.try_read(&mut bytes).is_ok_and(|count| count > 0),
        });
        while closing.end.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    closing.has_read = true;
                    put_off(&mut closing.silence, LINGER_SILENCE);
                }
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(()),
                // No operation is in flight: there is nothing to wait for.
                Poll::Pending if !closing.has_read && framing.is_between_requests() => {
                    return Poll::Ready(());
                }
                Poll::Pending => return closing.silence.as_mut().poll(context),
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.closing.is_some() {
            return self.end_late(context);
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let came = buffer.filled().get(before..).unwrap_or_default();
                if !came.is_empty() {
                    self.framing.take(came);
                    self.watch_head();
                    let silence_max = self.silence_max;
                    put_off(&mut self.reading, silence_max);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if self.poll_late(context).is_ready() => self.end_late(context),
            Poll::Pending => {
                ready!(self.reading.as_mut().poll(context));
                Poll::Ready(Err(self.timed_out()))
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.linger(context).map(Ok)
    }
}

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The answer of a receiver to a webhook.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Status(u16),
    /// A status with this text as its body.
    Says(u16, &'static str),
    /// A redirect to this URL.
    Elsewhere(u16, String),
    /// A body without an end.
    Endless(u16),
    /// No answer.
    Nothing,
    /// A head without its body.
    HeadOnly(u16),
}

/// A received webhook.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn timestamp_secs(&self) -> i64 {
        self.header("webhook-timestamp").parse().unwrap()
    }
}

#[derive(Debug, Default)]
struct State {
    came: Vec<Came>,
    next: VecDeque<Answer>,
    of_id: BTreeMap<String, Answer>,
    connections: usize,
}

/// A subscriber's server; answers 200 by default.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    state: Arc<Mutex<State>>,
    address: std::net::SocketAddr,
    scheme: &'static str,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::with(None).await
    }

    pub(crate) async fn start_tls(config: ServerConfig) -> Self {
        Self::with(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            state: Arc::default(),
            address: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
        };
        let accepting = receiver.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepting.state.lock().unwrap().connections += 1;
                tokio::spawn(accepting.clone().connection(stream, tls.clone()));
            }
        });
        receiver
    }

    async fn connection(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let service = service_fn(|request| self.answer(request));
        let http = hyper::server::conn::http1::Builder::new();
        // A sender that disconnects does not concern the receiver.
        if let Some(tls) = tls {
            if let Ok(stream) = tls.accept(stream).await {
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            }
        } else {
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(head.method, "POST");
        let came = Came {
            path: head.uri.to_string(),
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        let answer = {
            let mut state = self.state.lock().unwrap();
            let of_id = state.of_id.get(came.id()).cloned();
            state.came.push(came);
            of_id.or_else(|| state.next.pop_front())
        };
        let full = |text: &'static str| Full::new(Bytes::from_static(text.as_bytes())).boxed();
        let response = |status: u16| Response::builder().status(status);
        Ok(match answer.unwrap_or(Answer::Status(200)) {
            Answer::Status(status) => response(status).body(full("")),
            Answer::Says(status, words) => response(status).body(full(words)),
            Answer::Elsewhere(status, url) => {
                response(status).header("location", url).body(full(""))
            }
            Answer::Endless(status) => response(status).body(Endless.boxed()),
            Answer::HeadOnly(status) => response(status).body(Never.boxed()),
            Answer::Nothing => std::future::pending().await,
        }
        .unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/hooks?for=us", self.scheme, self.address)
    }

    /// The same by a name.
    pub(crate) fn url_at(&self, host: &str) -> String {
        format!("{}://{host}:{}/", self.scheme, self.address.port())
    }

    /// Sets the answer to the next webhook.
    pub(crate) fn then(&self, answer: Answer) {
        self.state.lock().unwrap().next.push_back(answer);
    }

    /// Sets the answer to every webhook with an id, or removes it.
    pub(crate) fn always(&self, id: &str, answer: Option<Answer>) {
        let mut state = self.state.lock().unwrap();
        match answer {
            Some(answer) => state.of_id.insert(id.to_owned(), answer),
            None => state.of_id.remove(id),
        };
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.state.lock().unwrap().came.clone()
    }

    /// The ids of all webhooks, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.came()
            .iter()
            .map(|came| came.id().to_owned())
            .collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 8_192])))))
    }
}

struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

//! Accepts the connections of one listener, and counts how they end.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;

use super::arrival::{End, Routes};
use crate::App;
use crate::connection::{Listener, Socket};
use crate::error::{StartError, io};
use crate::log::{Chain, Seldom};

/// A listener and the service behind it.
#[derive(Debug)]
pub(super) struct Front {
    listener: Listener,
    routes: TowerToHyperService<Router>,
    protocol: http1::Builder,
    reports: Reports,
}

/// Counts and logs the ends of connections.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    pub(super) app: App,
    pub(super) malformed: Arc<Seldom>,
}

impl Reports {
    fn ended(&self, peer: SocketAddr, error: &hyper::Error) {
        let end = End::of(error);
        self.app.metrics().connection_failed(end.name());
        let error = Chain(error);
        match end {
            End::Malformed => {
                // A remote peer must not fill the log.
                if let Some(untold) = self.malformed.turn() {
                    tracing::warn!(%peer, %error, untold, "a request is no HTTP");
                }
            }
            End::TimedOut => tracing::debug!(%peer, %error, "a connection was idle for too long"),
            End::Aborted => tracing::debug!(%peer, %error, "a connection broke off"),
        }
    }
}

impl Front {
    pub(super) fn new(
        listener: Listener,
        routes: Router,
        header_max: usize,
        reports: Reports,
    ) -> Self {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .max_buf_size(header_max)
            .header_read_timeout(listener.silence_max());
        Self {
            listener,
            routes: TowerToHyperService::new(routes),
            protocol,
            reports,
        }
    }

    pub(super) fn address(&self) -> Result<SocketAddr, StartError> {
        self.listener
            .address()
            .map_err(io("asking for the address"))
    }

    /// Accepts connections until `stop` is ready, and tracks them in `open`. After that
    /// no peer can connect.
    pub(super) async fn accept_until(
        self,
        stop: impl Future<Output = ()>,
        open: &GracefulShutdown,
    ) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                (socket, peer) = self.listener.accept() => self.serve(socket, peer, open),
                () = &mut stop => return,
            }
        }
    }

    fn serve(&self, socket: Socket, peer: SocketAddr, open: &GracefulShutdown) {
        let routes = Routes::new(self.routes.clone(), peer, socket.framing());
        let connection = self.protocol.serve_connection(TokioIo::new(socket), routes);
        let served = open.watch(connection);
        let reports = self.reports.clone();
        tokio::spawn(async move {
            if let Err(error) = served.await {
                reports.ended(peer, &error);
            }
        });
    }
}

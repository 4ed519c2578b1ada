use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use wallet_core::{CommitSignal, LedgerStore, Wallet};
use wallet_events::Relay;

use crate::connection::Connections;
use crate::events::{self, Publishing};
use crate::{App, AppSettings, Config, history, log, router, store};

/// How much longer than a request may take a connection may be silent.
const SILENCE_EXTRA: Duration = Duration::from_secs(30);

/// Why the server did not start or did not end well.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A currency of the settings contradicts another.
    #[error("currencies: {0}")]
    Currencies(#[from] wallet_core::CurrencyError),
    /// The store could not be opened.
    #[error("store: {error}{cause}", error = .0, cause = cause(.0))]
    Store(#[from] wallet_core::StoreError),
    /// The service could not be built.
    #[error("settings: {0}")]
    Build(#[from] wallet_core::BuildError),
    /// The relay of events could not be built.
    #[error("events: {0}")]
    Events(String),
    /// A setting of the relay makes no sense.
    #[error("events: {0}")]
    Relay(#[from] wallet_events::SettingError),
    /// A text of the program's own is not valid.
    #[error("settings: {0}")]
    Text(#[from] wallet_core::TextError),
    /// The address cannot be listened on, or another failure of the system.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl StartError {
    /// What the program exits with: 2 for a bad setting, 1 for a failure.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Currencies(_)
            | Self::Build(_)
            | Self::Text(_)
            | Self::Events(_)
            | Self::Relay(_) => 2,
            Self::Store(_) | Self::Io { .. } => 1,
        }
    }
}

pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let source = error.source();
    source.map_or_else(String::new, |source| format!(" ({source})"))
}

fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> StartError {
    let context = context.into();
    move |source| StartError::Io { context, source }
}

/// Runs the server until SIGTERM or SIGINT, then lets open requests end.
///
/// # Errors
/// [`StartError`].
pub fn run(config: &Config) -> Result<(), StartError> {
    log::init(config.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(io("starting the runtime"))?;
    runtime.block_on(async {
        let stop = Stop::listen()?;
        let server = Server::bind(config).await?;
        let address = server.address()?;
        tracing::info!(%address, store = ?config.store, "serving");
        server.run_until(stop.wait()).await
    })
}

/// A server that listens, its store open.
#[derive(Debug)]
pub struct Server {
    connections: Connections,
    app: App,
    header_max: usize,
    grace: Duration,
    relay: Option<Relay>,
}

impl Server {
    /// Opens the store and listens, as the settings say. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        config.currency_table()?;
        // The address first: a second server must not touch the first one's file.
        let listener = listen(config).await?;
        let mut settings = config.store.settings();
        settings.queue_capacity = config.queue;
        if let Some(committers) = config.committers {
            settings.committers = committers;
            settings.busy_committers = committers;
        }
        let store = store::open(&config.store).await?;
        let signal = CommitSignal::default();
        let history = match &config.history {
            Some(url) => Some(history::open(url).await?),
            None => None,
        };
        let relay = events::relay(config, &store, history.clone(), signal.clone()).await?;
        let ledger: Arc<dyn LedgerStore> = store;
        let mut builder = Wallet::builder(ledger).settings(settings).signal(signal);
        if let Some(history) = history {
            builder = builder.history(history);
        }
        let wallet = builder.spawn()?;
        let server = Self::over(wallet, listener, config)?;
        Ok(match relay {
            Some(relay) => server.with_relay(relay),
            None => server,
        })
    }

    /// The same with a relay that publishes the events of these books while it
    /// serves, and tells of it in `/metrics`.
    #[must_use]
    pub fn with_relay(mut self, relay: Relay) -> Self {
        self.app.metrics().watch(relay.clone());
        self.relay = Some(relay);
        self
    }

    /// The same over a wallet that the host built.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn bind_over(wallet: Wallet, config: &Config) -> Result<Self, StartError> {
        let listener = listen(config).await?;
        Self::over(wallet, listener, config)
    }

    fn over(wallet: Wallet, listener: TcpListener, config: &Config) -> Result<Self, StartError> {
        let settings = AppSettings {
            currencies: config.currency_table()?,
            request_timeout: Duration::from_millis(config.request_timeout_ms),
            body_max: config.body_max,
        };
        let silence_max = settings.request_timeout.saturating_add(SILENCE_EXTRA);
        let app = App::new(wallet, settings)?;
        let open = app.metrics().connections().clone();
        Ok(Self {
            connections: Connections::new(listener, config.connections, silence_max, open),
            app,
            header_max: config.header_max,
            grace: Duration::from_millis(config.shutdown_timeout_ms),
            relay: None,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        let address = self.connections.address();
        address.map_err(io("asking for the address"))
    }

    /// What the routes work with.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop` is ready. From then on no connection is accepted,
    /// open requests and the wallet's queue may end for as long as the settings
    /// allow.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub async fn run_until(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let Self {
            connections,
            app,
            header_max,
            grace,
            relay,
        } = self;
        let relay = relay.map(|relay| (Publishing::start(relay.clone()), relay));
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .max_buf_size(header_max)
            .header_read_timeout(connections.silence_max());
        let service = TowerToHyperService::new(router(app.clone()));
        let open = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let connection = tokio::select! {
                connection = connections.accept() => connection,
                () = &mut stop => break,
            };
            let io = TokioIo::new(connection);
            let served = open.watch(protocol.serve_connection(io, service.clone()));
            // It ends in an error when the caller breaks HTTP or goes away.
            tokio::spawn(async { drop(served.await) });
        }
        // From here on nobody can connect.
        drop(connections);
        app.drain();
        tracing::info!("stopping: open requests may end");
        let end = async {
            open.shutdown().await;
            app.wallet().shutdown().await;
        };
        if tokio::time::timeout(grace, end).await.is_err() {
            // Their callers were told nothing; the store has each request wholly
            // or not at all.
            tracing::warn!("some requests did not end in time");
        }
        if let Some((publishing, relay)) = relay {
            publishing.finish(&relay).await;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

async fn listen(config: &Config) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(config.listen).await;
    listener.map_err(io(format!("listening on {}", config.listen)))
}

/// The signals that end the server.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(io("listening for signals"));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

//! The server: its listeners, from the first connection to the last answer.
//!
//! [`run`] is the whole program, [`Server`] the part that a host can start itself. This
//! module stands above all others: it opens the store (`store`) and the relay (`events`),
//! and serves the routes of `router`. `front` accepts connections, `arrival` serves one.

mod arrival;
mod front;
mod raise;
pub(crate) mod signals;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wallet_core::runtime::Clock;
use wallet_core::store::{CommitSignal, LedgerStore, Outbox};
use wallet_core::{SystemClock, Timestamp, Wallet};
use wallet_events::Relay;

use crate::config::AdminListen;
use crate::connection::{Counts, LateHead, Limits, Listener};
use crate::error::{StartError, io};
use crate::events::{self, Publishing};
use crate::log::Seldom;
use crate::problem::{Code, Problem};
use crate::{App, AppSettings, Config, admin_router, history, log, router, store};

use front::{Front, Reports};
use signals::Stop;

/// How much longer than a request's time limit the idle timeout of a connection is at
/// least.
const SILENCE_EXTRA: Duration = Duration::from_secs(1);
/// The most connections of the administration's listener.
const ADMIN_CONNECTIONS: usize = 32;
/// How long the last answers of the administration's listener may take at the end.
const ADMIN_END: Duration = Duration::from_secs(1);
/// How often the log reports peers that do not speak HTTP.
const MALFORMED_EVERY: Duration = Duration::from_secs(1);

/// Runs the server until SIGTERM or SIGINT, then lets open requests end.
///
/// # Errors
/// [`StartError`].
pub fn run(config: &Config) -> Result<(), StartError> {
    log::init(config.log_format);
    // HTTP writes no date before 1970, and the clock shows 1970 instead of an earlier time.
    if SystemClock.now() <= Timestamp::EPOCH {
        return Err(StartError::Clock);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(io("starting the runtime"))?;
    runtime.block_on(async {
        let stop = Stop::listen()?;
        signals::outlive_full_files().map_err(io("listening for signals"))?;
        let server = Server::bind(config).await?;
        let (address, admin) = (server.address()?, server.admin_address()?);
        let admin = admin.map(tracing::field::display);
        tracing::info!(%address, admin, store = ?config.store, "serving");
        server.run_until(stop.wait()).await
    })
}

/// A listening server with an open store.
#[derive(Debug)]
pub struct Server {
    front: Front,
    admin: Option<Front>,
    app: App,
    drain_delay: Duration,
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
        // The address first: a second server must not open the first one's file.
        let listeners = Listeners::bind(config).await?;
        let mut settings = config.store.settings();
        settings.queue_capacity = config.queue;
        settings.max_ahead = Duration::from_millis(config.max_ahead_ms);
        if let Some(committers) = config.committers {
            settings.committers = committers;
            settings.busy_committers = committers;
        }
        let store = store::open(config).await?;
        store::same_decimals(&config.currencies, store.as_ref()).await?;
        let signal = CommitSignal::default();
        let history = match &config.history {
            Some(url) => Some(history::open(url).await?),
            None => None,
        };
        let relay = events::relay(config, &store, history.clone(), signal.clone()).await?;
        if relay.is_none() {
            events::warn_unpublished(store.as_ref()).await;
        }
        let outbox: Arc<dyn Outbox> = Arc::<dyn store::Books>::clone(&store);
        let ledger: Arc<dyn LedgerStore> = store;
        let mut builder = Wallet::builder(ledger).settings(settings).signal(signal);
        if let Some(history) = history {
            builder = builder.history(history);
        }
        let wallet = builder.spawn()?;
        raise::start(&wallet, config)?;
        let server = Self::over(wallet, listeners, config)?;
        server.app.metrics().watch_outbox(outbox);
        Ok(match relay {
            Some(relay) => server.with_relay(relay),
            None => server,
        })
    }

    /// The same with a relay that publishes the events of these books while the server
    /// runs, and reports its state in `/metrics`.
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
        let listeners = Listeners::bind(config).await?;
        Self::over(wallet, listeners, config)
    }

    fn over(wallet: Wallet, listeners: Listeners, config: &Config) -> Result<Self, StartError> {
        let app = App::new(wallet, AppSettings::of(config)?)?;
        let idle_max = Duration::from_millis(config.idle_timeout_ms);
        // While a request is carried out no bytes move on its connection.
        let longest = app.settings().request_timeout.saturating_add(SILENCE_EXTRA);
        let silence_max = idle_max.max(longest);
        let refusal = Problem::new(Code::TOO_MANY_CONNECTIONS, "too many connections are open");
        let late = Problem::new(Code::HEAD_TIMEOUT, "the head did not come in time");
        let late_head = Arc::new(LateHead {
            time_max: Duration::from_millis(config.head_timeout_ms),
            answer: late.to_bytes(),
        });
        let limits = Limits {
            connections: config.connections,
            of_a_peer: config.connections_per_peer(),
            trusted: config.trusted_proxies.clone(),
            silence_max,
            late_head: Arc::clone(&late_head),
            refusal: refusal.to_bytes(),
        };
        let reports = Reports {
            app: app.clone(),
            malformed: Arc::new(Seldom::new(MALFORMED_EVERY)),
        };
        let counts = app.metrics().connections().clone();
        let main = Listener::new(listeners.main, limits, counts);
        let routes = router(app.clone());
        let front = Front::new(main, routes, config.header_max, reports.clone());
        let admin = listeners.admin.map(|listener| {
            let limits = Limits {
                connections: ADMIN_CONNECTIONS,
                of_a_peer: ADMIN_CONNECTIONS,
                trusted: Vec::new(),
                silence_max,
                late_head,
                refusal: Vec::new(),
            };
            let admin = Listener::new(listener, limits, Counts::default());
            Front::new(admin, admin_router(app.clone()), config.header_max, reports)
        });
        Ok(Self {
            front,
            admin,
            app,
            drain_delay: Duration::from_millis(config.drain_delay_ms),
            grace: Duration::from_millis(config.shutdown_timeout_ms),
            relay: None,
        })
    }

    /// The address that the server listens on.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        self.front.address()
    }

    /// The address of the administration's listener; `None` if there is none.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub fn admin_address(&self) -> Result<Option<SocketAddr>, StartError> {
        self.admin.as_ref().map(Front::address).transpose()
    }

    /// The state of the routes.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Serves until `stop` is ready, then ends in this order: `/health/ready` turns
    /// 503 while everything else goes on, for as long as the settings say; no more
    /// connections are accepted; open requests and the wallet's queue end, or their
    /// time does; the listener of the administration closes last.
    ///
    /// # Errors
    /// [`StartError::Io`].
    pub async fn run_until(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let Self {
            front,
            admin,
            app,
            drain_delay,
            grace,
            relay,
        } = self;
        let relay = relay.map(|relay| (Publishing::start(relay.clone()), relay));
        let (end_admin, admin_ends) = oneshot::channel::<()>();
        let admin = tokio::spawn(async move {
            let Some(admin) = admin else { return };
            let open = GracefulShutdown::new();
            let stop = async { drop(admin_ends.await) };
            admin.accept_until(stop, &open).await;
            open.shutdown().await;
        });
        let open = GracefulShutdown::new();
        let stop = async {
            stop.await;
            app.drain();
            tracing::info!("draining: not ready any more");
            tokio::time::sleep(drain_delay).await;
        };
        front.accept_until(stop, &open).await;
        tracing::info!("stopping: open requests may end");
        let end = async {
            open.shutdown().await;
            app.wallet().shutdown().await;
        };
        if tokio::time::timeout(grace, end).await.is_err() {
            // The callers of these requests received no answer. The store has each
            // request wholly or not at all.
            tracing::warn!("some requests did not end in time");
        }
        if let Some((publishing, relay)) = relay {
            publishing.finish(&relay).await;
        }
        drop(end_admin);
        let _ = tokio::time::timeout(ADMIN_END, admin).await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The sockets that it listens on.
#[derive(Debug)]
struct Listeners {
    main: TcpListener,
    admin: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let main = listen(config.listen).await?;
        let admin = match config.admin_listen {
            AdminListen::Off => None,
            AdminListen::At(address) => Some(listen(address).await?),
        };
        Ok(Self { main, admin })
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(io(format!("listening on {address}")))
}

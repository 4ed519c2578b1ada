use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use wallet_core::{Settings, Wallet};

use crate::{App, Config, router, store};

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

fn cause(error: &wallet_core::StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(String::new, |source| format!(" ({source})"))
}

/// Runs the server until SIGTERM or SIGINT, then lets open requests end.
///
/// # Errors
/// [`StartError`].
pub fn run(config: &Config) -> Result<(), StartError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().json().with_env_filter(filter);
    // Somebody who embeds this may have installed another one.
    let _ = logs.with_writer(std::io::stderr).try_init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(io("starting the runtime"))?
        .block_on(serve(config))
}

fn io(context: impl Into<String>) -> impl FnOnce(std::io::Error) -> StartError {
    let context = context.into();
    move |source| StartError::Io { context, source }
}

async fn serve(config: &Config) -> Result<(), StartError> {
    let currencies = config.currency_table()?;
    // The address first: a second server must not touch the first one's file.
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.map_err(io(format!("listening on {}", config.listen)))?;
    let settings = Settings {
        queue_capacity: config.queue,
        ..Settings::default()
    };
    let wallet = Wallet::builder(store::open(&config.store)?)
        .settings(settings)
        .spawn()?;
    let timeout = Duration::from_millis(config.request_timeout_ms);
    let app = App::new(wallet.clone(), currencies, timeout, config.body_max)?;
    let mut stop = Stop::listen()?;

    let address = listener
        .local_addr()
        .map_err(io("asking for the address"))?;
    tracing::info!(%address, store = ?config.store, "serving");
    let (told, mut stopping) = tokio::sync::watch::channel(false);
    let draining = app.clone();
    let signalled = async move {
        stop.wait().await;
        tracing::info!("stopping: open requests may end");
        draining.drain();
        let _ = told.send(true);
    };
    let limit = async move {
        // An error means that the sender is gone: stopped as well.
        let _ = stopping.wait_for(|is_told| *is_told).await;
        tokio::time::sleep(Duration::from_millis(config.shutdown_timeout_ms)).await;
    };
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(signalled);
    tokio::select! {
        ended = server => ended.map_err(io("serving"))?,
        () = limit => tracing::warn!("some requests did not end in time"),
    }
    wallet.shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

/// The signals that end the server.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(io("listening for signals"));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

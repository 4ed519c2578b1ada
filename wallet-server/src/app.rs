//! The state that all routes share: the wallet, the settings of the routes, metrics,
//! limits and readiness.
//!
//! This module knows no route. `input`, `middleware` and `routes` read the state, and
//! `router` builds the routes over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wallet_core::Wallet;
use wallet_core::ledger::{CurrencyError, CurrencyTable, KeyScope, TextError};

use crate::config::Config;
use crate::connection::{Network, Peers};
use crate::hosts::Hosts;
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// The scope of the API's idempotency keys.
pub const SCOPE: &str = "rest";

/// The state of every route; cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    wallet: Wallet,
    settings: AppSettings,
    scope: KeyScope,
    metrics: Metrics,
    clients: Peers,
    lanes: Lanes,
    readiness: Readiness,
    is_draining: AtomicBool,
}

/// The settings of the routes: plain data.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The currencies that requests may name.
    pub currencies: CurrencyTable,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// The largest body accepted, in bytes.
    pub body_max: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// The host names that the server answers to.
    pub hosts: Hosts,
    /// Trusted proxies. Only [`Server`](crate::Server) knows the peer of a connection.
    pub trusted_proxies: Vec<Network>,
    /// The most open requests of one client behind a trusted proxy.
    pub requests_per_client: usize,
    /// The most open requests for lists.
    pub lists_max: usize,
    /// The most open requests for single resources.
    pub reads_max: usize,
    /// Whether callers may move money between system accounts.
    pub system_transfers: bool,
}

impl AppSettings {
    /// The settings of the routes, from the server's settings.
    ///
    /// # Errors
    /// When a currency of the settings contradicts another one.
    pub fn of(config: &Config) -> Result<Self, CurrencyError> {
        Ok(Self {
            currencies: config.currency_table()?,
            request_timeout: Duration::from_millis(config.request_timeout_ms),
            body_max: config.body_max,
            body_timeout: Duration::from_millis(config.body_timeout_ms),
            hosts: Hosts::new(config.hosts.iter().cloned()),
            trusted_proxies: config.trusted_proxies.clone(),
            requests_per_client: config.connections_per_peer(),
            lists_max: config.lists_max,
            reads_max: config.reads_max,
            system_transfers: config.allow_system_transfers,
        })
    }
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            currencies: CurrencyTable::iso(),
            request_timeout: Duration::from_secs(30),
            body_max: 65_536,
            body_timeout: Duration::from_secs(10),
            hosts: Hosts::default(),
            trusted_proxies: Vec::new(),
            requests_per_client: 480,
            lists_max: 64,
            reads_max: 512,
            system_transfers: false,
        }
    }
}

impl App {
    /// The routes over `wallet`.
    ///
    /// # Errors
    /// No request can cause one.
    pub fn new(wallet: Wallet, settings: AppSettings) -> Result<Self, TextError> {
        let readiness = Readiness::new(wallet.clone());
        let lanes = Lanes::new(settings.lists_max, settings.reads_max);
        Ok(Self {
            inner: Arc::new(Inner {
                metrics: Metrics::new(&wallet, &readiness, &lanes),
                clients: Peers::new(settings.requests_per_client),
                lanes,
                readiness,
                wallet,
                settings,
                scope: KeyScope::new(SCOPE)?,
                is_draining: AtomicBool::new(false),
            }),
        })
    }

    /// The service behind the routes.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.inner.wallet
    }

    pub(crate) fn settings(&self) -> &AppSettings {
        &self.inner.settings
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The open requests of clients behind trusted proxies.
    pub(crate) fn clients(&self) -> &Peers {
        &self.inner.clients
    }

    /// The limits of concurrent reads.
    pub(crate) fn lanes(&self) -> &Lanes {
        &self.inner.lanes
    }

    /// Whether the wallet can commit.
    pub(crate) fn readiness(&self) -> &Readiness {
        &self.inner.readiness
    }

    /// Sets the scope of the idempotency keys. A host with many callers gives each caller
    /// a scope.
    pub(crate) fn scope(&self) -> KeyScope {
        self.inner.scope.clone()
    }

    /// Readiness is denied from here on.
    pub fn drain(&self) {
        self.inner.is_draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.inner.is_draining.load(Ordering::Relaxed)
    }
}

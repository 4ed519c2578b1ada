//! A server in this process and the calls that tests make.

pub(crate) mod http;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wallet_core::ledger::AccountKey;
use wallet_core::memory::MemoryStore;
use wallet_core::service::Answer;
use wallet_core::store::LedgerStore;
use wallet_core::{Request, Settings, SystemClock, Wallet};
use wallet_server::{App, Config, Server};

pub(crate) use http::Response;

/// Settings as a command line gives them.
pub(crate) fn config(arguments: &[&str]) -> Config {
    let fixed = [
        "wallet-server",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
        "--currencies",
        "BTC:8,POINTS:0",
    ];
    let mut config = Config::parse_from(fixed.iter().chain(arguments));
    if !arguments.contains(&"--drain-delay-ms") {
        config.drain_delay_ms = 0;
    }
    config
}

/// A server on a port of its own; gone when dropped.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    pub(crate) wallet: Wallet,
    pub(crate) app: App,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    runtime: Runtime,
}

impl World {
    /// On memory.
    pub(crate) fn memory() -> Self {
        Self::start(|| async { Server::bind(&config(&["--store", "memory"])).await.unwrap() })
    }

    /// On a SQLite file.
    pub(crate) fn sqlite(path: &Path) -> Self {
        let store = format!("sqlite:{}", path.display());
        let config = config(&["--store", &store]);
        Self::start(|| async move { Server::bind(&config).await.unwrap() })
    }

    /// A server on the test's store, with its settings.
    pub(crate) fn over(
        store: Arc<dyn LedgerStore>,
        settings: Settings,
        arguments: &[&str],
    ) -> Self {
        let config = config(arguments);
        Self::start(|| async move {
            let wallet = Wallet::builder(store).settings(settings).spawn().unwrap();
            Server::bind_over(wallet, &config).await.unwrap()
        })
    }

    fn start<F: Future<Output = Server>>(bind: impl FnOnce() -> F) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(bind());
        let (stop, stopped) = oneshot::channel();
        let (address, app) = (server.address().unwrap(), server.app().clone());
        let admin = server.admin_address().unwrap().unwrap();
        let running = runtime.spawn(async {
            let stopped = async { stopped.await.unwrap_or(()) };
            server.run_until(stopped).await.unwrap();
        });
        Self {
            address,
            admin,
            wallet: app.wallet().clone(),
            app,
            stop: Some(stop),
            served: Some(running),
            runtime,
        }
    }

    /// Stops the server, as a signal would.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until the server has ended.
    pub(crate) fn join(&mut self) {
        let served = self.served.take().unwrap();
        self.runtime.block_on(served).unwrap();
    }

    /// Carries out a request directly in the service.
    pub(crate) fn submit(&self, request: Request) -> Answer {
        self.runtime
            .block_on(self.wallet.submit_raw(request))
            .unwrap()
    }

    /// Shuts the service down while the server runs.
    pub(crate) fn shut_down(&self) {
        self.runtime.block_on(self.wallet.shutdown());
    }

    /// The balance of an account in minor units, read from the service.
    pub(crate) fn booked(&self, key: AccountKey) -> i128 {
        let account = self.runtime.block_on(self.wallet.account(key));
        account.unwrap().unwrap().state.counters.posted()
    }

    /// The clients' listener.
    pub(crate) fn client(&self) -> Client {
        Client {
            address: self.address,
        }
    }

    /// The administration's listener.
    pub(crate) fn admin(&self) -> Client {
        Client {
            address: self.admin,
        }
    }

    /// The value of a line of the metrics; 0 where there is none.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.admin().metric(name)
    }
}

pub(crate) fn memory_store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

/// Calls the API at some address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
}

impl Client {
    pub(crate) fn raw(&self, bytes: &[u8]) -> Response {
        http::exchange(self.address, bytes).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.raw(&http::request("GET", path, &[], b""))
    }

    /// The value of a line of the metrics, asked of the administration; 0 where
    /// there is none.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").expect(200).body;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |value| value.trim().parse().unwrap())
    }

    /// Posts JSON under a key; an error when the server goes away meanwhile.
    pub(crate) fn try_post(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> std::io::Result<Response> {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        let bytes = http::request("POST", path, &headers, body.to_string().as_bytes());
        http::exchange(self.address, &bytes)
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        self.try_post(path, key, body).unwrap()
    }

    /// Opens an account in EUR and answers its id.
    pub(crate) fn open(&self, owner: &str) -> String {
        let body = json!({"owner": owner, "currency": "EUR"});
        let opened = self.post("/v1/accounts", &format!("open-{owner}"), &body);
        opened.expect(201).text("/id")
    }

    /// The same with money in it.
    pub(crate) fn open_with(&self, owner: &str, amount: &str) -> String {
        let id = self.open(owner);
        self.deposit(&id, &format!("fund-{owner}"), amount)
            .expect(201);
        id
    }

    pub(crate) fn deposit(&self, id: &str, key: &str, amount: &str) -> Response {
        self.post(
            &format!("/v1/accounts/{id}/deposits"),
            key,
            &json!({"amount": amount}),
        )
    }

    pub(crate) fn posted(&self, id: &str) -> String {
        self.get(&format!("/v1/accounts/{id}/balance"))
            .expect(200)
            .text("/posted")
    }
}

/// A transfer of EUR.
pub(crate) fn transfer(from: &str, to: &str, amount: &str) -> Value {
    json!({"from": from, "to": to, "amount": amount, "currency": "EUR"})
}

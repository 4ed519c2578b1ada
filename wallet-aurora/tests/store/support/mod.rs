//! Helpers that the tests of this crate share.

pub(crate) mod books;
pub(crate) mod cluster;
pub(crate) mod endpoint;
pub(crate) mod proxy;
pub(crate) mod stores;

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::mysql::MySqlRow;
use sqlx::{Connection, Executor, MySqlConnection};
use tokio::runtime::Runtime;
use wallet_aurora::AuroraSettings;
use wallet_core::runtime::{IdGenerator, Uuid7};
use wallet_test_servers::{Kind, shared};

/// Makes a test of each function for each server.
macro_rules! on_both {
    ($($case:ident)*) => {
        on_both! { @on mariadb MariaDb $($case)* }
        on_both! { @on mysql MySql $($case)* }
    };
    (@on $server:ident $kind:ident $($case:ident)*) => {
        mod $server {
            $(
                #[test]
                fn $case() {
                    let kind = wallet_test_servers::Kind::$kind;
                    crate::support::block_on(super::$case(kind));
                }
            )*
        }
    };
}
pub(crate) use on_both;

/// The runtime of the tests in this process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all();
        builder.build().expect("a runtime")
    })
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Settings for an address, with waits that are long enough for a busy machine.
pub(crate) fn patient(url: impl Into<String>) -> AuroraSettings {
    AuroraSettings {
        connect_wait: Duration::from_secs(30),
        ping_wait: Duration::from_secs(10),
        answer_wait: Duration::from_secs(30),
        ..AuroraSettings::new(url)
    }
}

/// A separate database on a server. Dropping this value drops the database.
#[derive(Debug)]
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Creates a database on the shared server of this kind.
    pub(crate) async fn create(kind: Kind) -> Self {
        Self::create_on(shared(kind).url()).await
    }

    /// Creates a database on the server at this address.
    pub(crate) async fn create_on(server: &str) -> Self {
        let name = format!("wallet_{}", Uuid7.new_id().simple());
        let server = server.to_owned();
        let created = Self { server, name };
        let create = format!("CREATE DATABASE {}", created.name);
        execute(&created.server, &create).await;
        created
    }

    /// The same database on another server.
    pub(crate) fn on(&self, server: &str) -> Self {
        Self {
            server: server.to_owned(),
            name: self.name.clone(),
        }
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}?ssl-mode=disabled", self.server, self.name)
    }

    /// The port of the server.
    pub(crate) fn port(&self) -> u16 {
        let (_, port) = self.server.rsplit_once(':').expect("an address");
        port.parse().expect("a port")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn settings(&self) -> AuroraSettings {
        patient(self.url())
    }

    /// Opens a connection of a host.
    pub(crate) async fn connect(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.url())
            .await
            .expect("the server answers")
    }

    /// Runs statements on a separate connection.
    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.url(), sql).await;
    }

    /// The rows of a query.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<MySqlRow> {
        let mut connection = self.connect().await;
        let rows = connection.fetch_all(sql).await;
        rows.expect("the query runs")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let drop_it = async move {
            // A killed server takes the database with it.
            if let Ok(mut connection) = MySqlConnection::connect(&server).await {
                let sql = format!("SET lock_wait_timeout = 10; DROP DATABASE IF EXISTS {name}");
                let _ = connection.execute(sql.as_str()).await;
            }
        };
        // Uses a separate thread, because this may run on a thread of the runtime.
        let dropping = std::thread::spawn(|| runtime().block_on(drop_it));
        let _ = dropping.join();
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = MySqlConnection::connect(url)
        .await
        .expect("the server answers");
    let done = connection.execute(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

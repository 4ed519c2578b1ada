use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use tokio::runtime::Runtime;
use wallet_core::SystemClock;
use wallet_dynamo::{DynamoHistory, DynamoSettings, create_history_table};
use wallet_test_servers::PrivateDynamo;

/// An emulator with a table for one test.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) client: Client,
    pub(crate) table: String,
    _server: PrivateDynamo,
}

impl Place {
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let server = PrivateDynamo::start();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(server.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let client = Client::from_conf(config);
        let table = format!("wallet-history-{}-{number}", std::process::id());
        create_history_table(&client, &SystemClock, &table)
            .await
            .unwrap();
        Self {
            client,
            table,
            _server: server,
        }
    }

    pub(crate) fn history(&self, settings: DynamoSettings) -> Arc<DynamoHistory> {
        let client = self.client.clone();
        let history = DynamoHistory::new(client, Arc::new(SystemClock), settings);
        Arc::new(history.unwrap())
    }

    pub(crate) fn settings(&self) -> DynamoSettings {
        DynamoSettings::new(&self.table)
    }
}

/// Runs a future on the one runtime that owns the client's connections. Several threads may
/// wait on it at once.
pub(crate) fn block_on<T>(future: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build();
        runtime.unwrap()
    });
    RUNTIME.block_on(future)
}

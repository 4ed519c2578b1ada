use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
};
use aws_sdk_dynamodb::error::BoxError;
use wallet_core::SystemClock;
use wallet_core::history::HistoryStore;
use wallet_dynamo::{DynamoHistory, DynamoSettings, create_history_table};
use wallet_test_servers::PrivateDynamo;

use crate::Result;

/// A private emulator of DynamoDB, and a client that counts its requests.
#[derive(Debug)]
pub(super) struct Emulator {
    pub(super) client: Client,
    count: Arc<AtomicU64>,
    _server: PrivateDynamo,
}

#[derive(Debug)]
struct Counter(Arc<AtomicU64>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Emulator {
    pub(super) fn start() -> Self {
        let server = PrivateDynamo::start();
        let count = Arc::<AtomicU64>::default();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
            .endpoint_url(server.endpoint())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .interceptor(Counter(Arc::clone(&count)))
            .build();
        Self {
            client: Client::from_conf(config),
            count,
            _server: server,
        }
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// A new table for history.
    pub(super) async fn table(&self, name: &str) -> Result<()> {
        Ok(create_history_table(&self.client, &SystemClock, name).await?)
    }

    /// The history in a table.
    pub(super) fn history(&self, table: &str) -> Result<Arc<dyn HistoryStore>> {
        let (client, clock) = (self.client.clone(), Arc::new(SystemClock));
        let history = DynamoHistory::new(client, clock, DynamoSettings::new(table))?;
        Ok(Arc::new(history))
    }
}

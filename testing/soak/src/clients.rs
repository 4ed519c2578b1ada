//! Clients of the emulators.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use wallet_core::SystemClock;
use wallet_core::runtime::Clock;
use wallet_dynamo::{DynamoHistory, DynamoSettings, create_history_table};

use crate::Result;

/// The table of the history.
pub(crate) const TABLE: &str = "wallet-history";

macro_rules! client {
    ($sdk:ident, $endpoint:expr) => {{
        let config = $sdk::Config::builder()
            .behavior_version_latest()
            .region($sdk::config::Region::new("eu-central-1"))
            .credentials_provider($sdk::config::Credentials::new(
                "test", "test", None, None, "test",
            ))
            .endpoint_url($endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        $sdk::Client::from_conf(config)
    }};
}

/// A client of SQS.
pub(crate) fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    client!(aws_sdk_sqs, endpoint)
}

/// Creates the queue of events; returns its URL.
pub(crate) async fn create_queue(endpoint: &str) -> Result<String> {
    let create = sqs(endpoint)
        .create_queue()
        .queue_name("wallet-events.fifo");
    let create = create.attributes(Attribute::FifoQueue, "true");
    let created = create.send().await?;
    Ok(created.queue_url.ok_or("a queue has an address")?)
}

/// History in an emulator.
pub(crate) fn history(endpoint: &str) -> Result<Arc<DynamoHistory>> {
    let client = client!(aws_sdk_dynamodb, endpoint);
    let mut settings = DynamoSettings::new(TABLE);
    settings.timeout = Duration::from_secs(1);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Arc::new(DynamoHistory::new(client, clock, settings)?))
}

/// Creates the table of history.
pub(crate) async fn create_table(endpoint: &str) -> Result<()> {
    let client = client!(aws_sdk_dynamodb, endpoint);
    Ok(create_history_table(&client, &SystemClock, TABLE).await?)
}

//! Clients of AWS, configured as everywhere: the environment, the profile's files,
//! the role of the machine or container.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// What all clients have in common.
async fn config() -> SdkConfig {
    let provider = Provider::Rustls(CryptoMode::Ring);
    let https = Builder::new().tls_provider(provider).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(https);
    config.load().await
}

/// A client of Amazon SQS.
pub async fn sqs() -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&config().await)
}

/// A client of Amazon DynamoDB.
pub async fn dynamo() -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&config().await)
}

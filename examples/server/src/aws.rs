//! Clients of AWS, configured as everywhere: the environment, the profile's files,
//! the role of the machine or container.

use aws_config::BehaviorVersion;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// A client of Amazon SQS.
pub(crate) async fn sqs() -> aws_sdk_sqs::Client {
    let provider = Provider::Rustls(CryptoMode::Ring);
    let https = Builder::new().tls_provider(provider).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(https);
    aws_sdk_sqs::Client::new(&config.load().await)
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::error::Failure;
use super::resolver::Resolver;
use super::{WebhookError, WebhookSettings};
use crate::forwarder::error_chain;

/// Bytes of an answer body that are read, so that the keep-alive connection can be
/// reused.
const ANSWER_MAX: usize = 16_384;
/// The longest response head, in bytes.
const HEAD_MAX: usize = 32_768;
/// How long an idle keep-alive connection stays open, and how many per receiver.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_MAX: usize = 4;

/// The HTTP client of all webhooks of a host: its connection pool and its trusted root
/// certificates. Cheap to clone.
///
/// It speaks HTTP/1.1, follows no redirects and uses no proxy of the environment.
///
/// ```
/// use wallet_events::webhook::{WebhookClient, WebhookSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let one = rcgen::generate_simple_self_signed(Vec::<String>::new())?;
/// # let root = one.cert.der().to_vec();
/// let settings = WebhookSettings {
///     user_agent: "shop-webhooks/1".to_owned(),
///     extra_roots: vec![root],
///     ..WebhookSettings::default()
/// };
/// let client = WebhookClient::new(settings)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WebhookClient {
    http: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    settings: Arc<WebhookSettings>,
}

impl WebhookClient {
    /// A client with these settings; reads the machine's certificates.
    ///
    /// # Errors
    /// [`WebhookError::Setting`], [`WebhookError::Roots`].
    pub fn new(settings: WebhookSettings) -> Result<Self, WebhookError> {
        settings.validate()?;
        let addresses = settings.addresses;
        let mut connector = HttpConnector::new_with_resolver(Resolver { addresses });
        // Of schemes the one around it takes care.
        connector.enforce_http(false);
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(&settings)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .http1_max_buf_size(HEAD_MAX)
            .build(connector);
        let settings = Arc::new(settings);
        Ok(Self { http, settings })
    }

    pub(super) fn settings(&self) -> &WebhookSettings {
        &self.settings
    }

    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        let sent = self.http.request(request).await;
        sent.map_err(|error| Failure::NotReached(error_chain(&error)))
    }
}

impl fmt::Debug for WebhookClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WebhookClient")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn tls(settings: &WebhookSettings) -> Result<ClientConfig, WebhookError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for root in &settings.extra_roots {
        let added = roots.add(CertificateDer::from(root.as_slice()));
        added.map_err(|_| WebhookError::Roots("one of the settings' is no certificate"))?;
    }
    if roots.is_empty() && !settings.plain_http {
        return Err(WebhookError::Roots("the machine has none"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| WebhookError::Roots("no version of TLS"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Reads a short answer to its end, so that the connection can be reused. A long answer
/// is abandoned, and its connection is closed.
pub(super) async fn drain(mut answer: Incoming) {
    let mut read = 0_usize;
    while read <= ANSWER_MAX && !answer.is_end_stream() {
        let Some(Ok(frame)) = answer.frame().await else {
            return;
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        read = read.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::Addresses;

    /// Fails as for a name that was public when its URL was accepted.
    #[tokio::test]
    async fn nothing_is_sent_to_a_name_that_stands_for_the_host_itself() {
        let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = receiver.local_addr().unwrap().port();
        let send = async |addresses| {
            let settings = WebhookSettings {
                addresses,
                plain_http: true,
                ..WebhookSettings::default()
            };
            let client = WebhookClient::new(settings).unwrap();
            let request = Request::post(format!("http://localhost:{port}/"));
            let sent = client.send(request.body(Full::default()).unwrap());
            tokio::select! {
                sent = sent => Err(sent.unwrap_err().to_string()),
                reached = receiver.accept() => Ok(reached.unwrap()),
            }
        };
        let refused = send(Addresses::Public).await.unwrap_err();
        assert!(refused.contains("no public address"), "{refused}");
        assert!(send(Addresses::Any).await.is_ok());
    }
}

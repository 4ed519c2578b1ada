use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use wallet_core::messaging::{EventPublisher, Published};
use wallet_events::webhook::{WebhookClient, WebhookError, WebhookSettings};

use crate::webhook::receiver::Receiver;
use crate::webhook::route::{message, patient, settings, webhook_with};

pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A receiver with a certificate for 127.0.0.1, and its authority.
async fn receiver() -> (Receiver, Vec<u8>) {
    let ca = authority();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let cert = params.signed_by(&key, &ca).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    (Receiver::start_tls(config).await, ca.der().to_vec())
}

async fn publish(extra_roots: Vec<Vec<u8>>, url: &str) -> Published {
    let settings = WebhookSettings {
        extra_roots,
        plain_http: false,
        ..settings()
    };
    let webhook = webhook_with(settings, url, patient()).unwrap();
    webhook.publish(&[message("a1")]).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_receiver_is_who_its_certificate_says() {
    let (receiver, authority) = receiver().await;
    let (_, stranger) = self::receiver().await;
    let trusted = publish(vec![authority.clone()], &receiver.url()).await;
    assert_eq!(trusted, Published::Done);
    assert_eq!(receiver.ids(), ["a1"]);
    for (root, url) in [
        (stranger, receiver.url()),
        (authority, receiver.url_at("localhost")),
    ] {
        let refused = publish(vec![root], &url).await;
        let Published::Failed { reason } = refused else {
            panic!("{url}: {refused:?}");
        };
        assert!(reason.contains("certificate"), "{reason}");
    }
    assert_eq!(receiver.ids(), ["a1"]);
}

#[tokio::test]
async fn what_is_no_certificate_is_refused() {
    let settings = WebhookSettings {
        extra_roots: vec![b"nothing".to_vec()],
        ..settings()
    };
    let refused = WebhookClient::new(settings).unwrap_err();
    assert!(matches!(refused, WebhookError::Roots(_)));
}

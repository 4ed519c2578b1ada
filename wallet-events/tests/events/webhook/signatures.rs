use standardwebhooks::Webhook as Reference;
use wallet_core::messaging::EventPublisher;
use wallet_events::webhook::{Webhook, WebhookClient, WebhookError, WebhookSecret};

use crate::webhook::receiver::{Came, Receiver};
use crate::webhook::route::{OTHER, SECRET, message, patient, secret, settings, webhook};

/// Secrets of the reference libraries.
#[test]
fn published_signatures_come_out() {
    let signed = secret(SECRET).sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        r#"{"test": 2432232314}"#,
    );
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let signed = secret(OTHER).sign(
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
    );
    assert_eq!(signed, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

#[test]
fn secrets_of_other_forms_are_refused() {
    let bytes = |bytes: usize| format!("whsec_{}", "AAAA".repeat(bytes / 3));
    for text in [bytes(24), bytes(63), SECRET.to_owned()] {
        assert!(WebhookSecret::parse(&text).is_ok(), "{text}");
    }
    for text in [
        String::new(),
        "whsec_".to_owned(),
        SECRET.replace("whsec_", ""),
        SECRET.replace("whsec_", "whsk_"),
        format!("{SECRET} "),
        format!("{SECRET}="),
        SECRET.replace('M', "-"),
        bytes(21),
        bytes(66),
    ] {
        let refused = WebhookSecret::parse(&text).unwrap_err();
        assert_eq!(refused, WebhookError::Secret, "{text}");
    }
    assert!(WebhookSecret::parse(&format!("{}AA==", bytes(63))).is_ok());
}

#[tokio::test]
async fn nothing_that_is_secret_is_shown() {
    let url = "https://hooks.example/t0ken?key=s3cret";
    let shown = format!("{:?} {:?}", webhook(url), secret(SECRET));
    for hidden in ["MfKQ", "t0ken", "s3cret"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    assert!(shown.contains("https://hooks.example"));
}

/// The signatures that the reference library makes with these secrets.
fn reference(came: &Came, secrets: &[&str]) -> String {
    let signed = secrets.iter().map(|secret| {
        let reference = Reference::new(secret).unwrap();
        let body = came.body.as_bytes();
        reference
            .sign(came.id(), came.timestamp_secs(), body)
            .unwrap()
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_webhook_is_what_the_scheme_says() {
    let receiver = Receiver::start().await;
    let webhook = webhook(&receiver.url());
    webhook.publish(&[message("a1")]).await.unwrap();
    let came = receiver.came().pop().unwrap();
    assert_eq!(came.path, "/hooks?for=us");
    assert_eq!(came.body, message("a1").body);
    assert_eq!(came.id(), "a1");
    // In seconds: the clock has just started.
    let hour = 1_790_000_000..1_790_003_600;
    assert!(hour.contains(&came.timestamp_secs()));
    assert_eq!(
        came.header("webhook-signature"),
        reference(&came, &[SECRET])
    );
    assert_eq!(
        came.header("content-type"),
        "application/cloudevents+json; charset=utf-8"
    );
    assert!(came.header("user-agent").starts_with("wallet-events/"));
}

#[tokio::test]
async fn secrets_rotate_without_a_pause() {
    let receiver = Receiver::start().await;
    let webhook = webhook(&receiver.url());
    let both = vec![secret(OTHER), secret(SECRET)];
    for (secrets, signed) in [
        (vec![secret(SECRET)], &[SECRET][..]),
        (both, &[OTHER, SECRET]),
        (vec![secret(OTHER)], &[OTHER]),
    ] {
        webhook.rotate(secrets).unwrap();
        webhook.publish(&[message("a1")]).await.unwrap();
        let came = receiver.came().pop().unwrap();
        assert_eq!(came.header("webhook-signature"), reference(&came, signed));
    }
}

#[tokio::test]
async fn a_webhook_has_one_to_ten_secrets() {
    let client = WebhookClient::new(settings()).unwrap();
    for number in [0, 11] {
        let secrets = vec![secret(SECRET); number];
        let url = "https://hooks.example/";
        let made = Webhook::new(client.clone(), url, secrets.clone(), patient());
        assert_eq!(made.unwrap_err(), WebhookError::Secrets);
        let rotated = webhook(url).rotate(secrets);
        assert_eq!(rotated, Err(WebhookError::Secrets));
    }
}
